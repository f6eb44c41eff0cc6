"""What a request brings to say who asks. One credential at a time: where two could differ, none is believed."""

from dataclasses import dataclass, field

from aiohttp import web
from yarl import URL

from explorer.signatures.http_messages import Message
from explorer.web.cookies import session_token
from explorer.web.problems import Problem, unauthorized

_LONGEST_TOKEN = 200


@dataclass(frozen=True, slots=True)
class BearerKey:
    """A key in the header Authorization, as it was sent."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class RequestSignature:
    """A signature over the request."""


@dataclass(frozen=True, slots=True)
class SessionToken:
    """The token of a session, from its cookie, which a browser sends by itself."""

    text: str = field(repr=False)


Credential = BearerKey | RequestSignature | SessionToken


def read_credential(request: web.Request) -> Credential | None:
    """What the request brings, a header before a cookie; None for nothing. Problem for several or a malformed one."""
    authorizations = request.headers.getall("Authorization", [])
    is_signed = "Signature" in request.headers or "Signature-Input" in request.headers
    if len(authorizations) + is_signed > 1:
        raise Problem("repeated_credentials", "The request says more than once who asks.")
    if authorizations:
        return _bearer(authorizations[0])
    if is_signed:
        return RequestSignature()
    token = session_token(request)
    return None if token is None else SessionToken(token[:_LONGEST_TOKEN])


def _bearer(header: str) -> BearerKey:
    scheme, _, text = header.partition(" ")
    if scheme.lower() != "bearer":
        raise unauthorized("malformed_key", "The header Authorization does not begin with Bearer.")
    return BearerKey(text.strip(" "))


def signed_message(request: web.Request, public_url: str) -> Message:
    """The request as its sender sees it: at the service's public address, whatever stands in between."""
    public = URL(public_url)
    path, mark, query = request.raw_path.partition("?")
    fields: dict[str, list[str]] = {}
    for name, value in request.headers.items():
        fields.setdefault(name.lower(), []).append(value)
    port = "" if public.is_default_port() or public.port is None else f":{public.port}"
    return Message(
        method=request.method,
        scheme=public.scheme,
        authority=f"{(public.raw_host or '').lower()}{port}",
        path=public.raw_path.rstrip("/") + path,
        query=mark + query,
        fields=fields,
        has_body=request.body_exists and request.content_length != 0,
    )
