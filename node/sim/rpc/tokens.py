"""Access tokens: JSON web tokens (HS256) that list permissions, as a node's AuthNew makes them."""

import base64
import binascii
import hmac
import json
from dataclasses import dataclass, field

PERMISSIONS = ("read", "write", "sign", "admin")
"""From the least to the most; an admin's token lists all of them."""
_HEADER = {"alg": "HS256", "typ": "JWT"}


def _encode(document: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(document, separators=(",", ":")).encode()).rstrip(b"=").decode()


def _decode(part: str) -> object:
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


@dataclass(slots=True)
class Tokens:
    """Makes and checks tokens. Without `admin_token` everybody may do everything."""

    secret: bytes = field(repr=False)
    admin_token: str | None = field(default=None, repr=False)

    def make(self, permissions: list[str]) -> str:
        """A token with those permissions."""
        head = f"{_encode(_HEADER)}.{_encode({'Allow': permissions})}"
        return f"{head}.{self._sign(head)}"

    def _sign(self, head: str) -> str:
        digest = hmac.digest(self.secret, head.encode(), "sha256")
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    def verify(self, token: str) -> list[str] | None:
        """A token's permissions; None where it is none of this node's."""
        if self.admin_token is not None and hmac.compare_digest(token.encode(), self.admin_token.encode()):
            return list(PERMISSIONS)
        head, _, signature = token.rpartition(".")
        if not head or not hmac.compare_digest(signature.encode(), self._sign(head).encode()):
            return None
        try:
            document = _decode(head.partition(".")[2])
        except (ValueError, binascii.Error):
            return None
        allowed = document.get("Allow") if isinstance(document, dict) else None
        return [str(one) for one in allowed] if isinstance(allowed, list) else None

    def permissions(self, authorization: str | None) -> frozenset[str] | None:
        """What the bearer of an Authorization header may do; None for a token that is none, to be answered by 401.

        Without a header: reading, or everything where the node asks for no token.
        """
        if not authorization:
            return frozenset(PERMISSIONS) if self.admin_token is None else frozenset({"read"})
        scheme, _, token = authorization.partition(" ")
        allowed = self.verify(token.strip()) if scheme == "Bearer" else None
        return None if allowed is None else frozenset(allowed)
