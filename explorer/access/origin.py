"""Where people reach the explorer: what its texts name as the domain, and whether a session is safe there."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from explorer.access.errors import SignInInsecure
from explorer.signatures.errors import UnsayableFact
from explorer.signatures.values import domain_text, is_loopback

_DEFAULT_PORTS = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Origin:
    """The origin of the public URL: `https` or `http`, and host[:port] in lower case, without a default port."""

    scheme: str
    domain: str

    def __str__(self) -> str:
        return f"{self.scheme}://{self.domain}"

    @property
    def is_https(self) -> bool:
        """Whether it is reached by https."""
        return self.scheme == "https"


def origin_of(public_url: str) -> Origin:
    """The origin of an address, as browsers write it in `Origin`."""
    parts = urlsplit(public_url)
    host = (parts.hostname or "").lower()
    named = f"[{host}]" if ":" in host else host
    is_default = parts.port is None or parts.port == _DEFAULT_PORTS.get(parts.scheme)
    return Origin(parts.scheme, named if is_default else f"{named}:{parts.port}")


def signing_domain(public_url: str) -> str:
    """The domain that texts name. SignInInsecure where it is reached by plain http from elsewhere, or names none."""
    origin = origin_of(public_url)
    try:
        domain = domain_text(origin.domain)
    except UnsayableFact as error:
        raise SignInInsecure(f"FILPLUS_PUBLIC_URL is {public_url}, which nobody can sign for: {error}") from error
    if not origin.is_https and not is_loopback(domain):
        raise SignInInsecure(
            f"FILPLUS_PUBLIC_URL is {public_url}: plain http, where signatures and sessions can be stolen"
        )
    return domain
