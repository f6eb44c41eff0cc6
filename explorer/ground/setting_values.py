"""How each kind of setting is written. A parser returns the value or raises ValueError: the value, and what to write.

Pure, and used by `explorer.ground.settings` only, which adds the setting's name and where it was given.
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

AddressRange = IPv4Network | IPv6Network

_COVER: Final = "***"
_DATABASE_SCHEMES: Final = frozenset({"postgresql", "postgres"})
_SECRET_PARAMETERS: Final = frozenset({"password", "sslpassword", "oauth_client_secret"})
_USER_PASSWORD: Final = re.compile(r"(?P<user>//[^/?#:@]*?(?::|%3a))[^/?#]*@", re.IGNORECASE)
_BETWEEN_ADDRESSES: Final = re.compile(r"\s*,\s*(?=[A-Za-z][A-Za-z0-9+.-]*://)|\s+")
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{0,15}://")


@dataclass(frozen=True, slots=True)
class Listen:
    """An address to listen on. Port 0 means any free port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


DEFAULT_LISTEN: Final = Listen("127.0.0.1", 8080)
DEFAULT_QUORUM_BYTES: Final = 1 << 50
_UNITS: Final = {"": 0, "KiB": 10, "MiB": 20, "GiB": 30, "TiB": 40, "PiB": 50, "EiB": 60}


def parse_listen(text: str) -> Listen:
    """Returns host and port of `127.0.0.1:8080` or `[::1]:8080`."""
    match = re.fullmatch(r"(?:\[(?P<v6>[0-9a-fA-F:.%\w]+)\]|(?P<host>[A-Za-z0-9._-]+)):(?P<port>[0-9]{1,5})", text)
    if match is None or int(match["port"]) > 65535:
        raise ValueError(f"{text!r} is not HOST:PORT: write for example 127.0.0.1:8080 or [::1]:8080")
    return Listen(match["v6"] or match["host"], int(match["port"]))


def parse_database_url(text: str) -> str:
    """Returns `text` if it is a PostgreSQL URL. The error shows its scheme only: the password may stand anywhere."""
    if not _is_database_url(text):
        scheme = _SCHEME.match(text)
        raise ValueError(
            f"{scheme[0] + _COVER if scheme else _COVER!r} is no PostgreSQL URL that can be read: write"
            " postgresql://user:password@host:5432/name, with / ? # @ in the password as %2F %3F %23 %40"
        )
    return text


def _is_database_url(text: str) -> bool:
    scheme = _split(text).scheme
    return scheme in _DATABASE_SCHEMES and text.lower().startswith(f"{scheme}://")


def database_passwords(url: str) -> frozenset[str]:
    """Every text inside a database URL that is a password, as written and as decoded; mostly none or one."""
    parts = _split(url)
    named = {value for name, value in parse_qsl(parts.query) if _is_secret(name)}
    written = {piece.partition("=")[2] for piece in parts.query.split("&") if _is_secret(piece.partition("=")[0])}
    given = {parts.password, unquote(parts.password)} if parts.password else set()
    return frozenset(filter(None, named | written | given))


def _is_secret(parameter: str) -> bool:
    return unquote(parameter).strip().lower() in _SECRET_PARAMETERS


def covered_url(url: str) -> str:
    """A database's URL with its password covered, wherever it stands: fit for logs, errors and `filplus check`.

    Where it can't be told what is the password, all but the scheme is covered, and all of what is no such URL.
    """
    parts = _split(url)
    if not _is_database_url(url):
        return _COVER
    if "@" in parts.path + parts.query + parts.fragment or parts.fragment:
        return f"{parts.scheme}://{_COVER}"
    address, mark, query = url.partition("?")
    return _USER_PASSWORD.sub(rf"\g<user>{_COVER}@", address) + mark + "&".join(map(_covered_piece, query.split("&")))


def _covered_piece(piece: str) -> str:
    """One parameter of a URL; a piece without a name may be what follows a `&` in a password."""
    name, equals, _ = piece.partition("=")
    if piece and not equals:
        return _COVER
    return f"{name}={_COVER}" if _is_secret(name) else piece


def _shown_address(text: str) -> str:
    """A service's address fit for an error: without credentials before a host, and without parameters' values."""
    covered = re.sub(r"^([a-z+]+://)?.*@", rf"\g<1>{_COVER}@", text, flags=re.DOTALL | re.IGNORECASE)
    return re.sub(r"=.*", f"={_COVER}", covered, flags=re.DOTALL)


def parse_amount(text: str) -> int:
    """Returns the bytes of `1125899906842624` or `1 PiB`; at least one."""
    match = re.fullmatch(r"(?P<number>[1-9][0-9]{0,24}) ?(?P<unit>[A-Za-z]*)", text, re.ASCII)
    if match is None or match["unit"] not in _UNITS:
        raise ValueError(f"{text!r} is no amount of bytes: write for example 1125899906842624 or 1 PiB")
    return int(match["number"]) << _UNITS[match["unit"]]


def parse_folder(text: str) -> Path:
    """Returns an absolute path; `~` is expanded, a relative path is relative to the working directory."""
    if "\0" in text:
        raise ValueError(f"{text!r} is no path: it holds a NUL")
    return Path(text).expanduser().absolute()


def parse_chain_urls(text: str) -> tuple[str, ...]:
    """Returns the nodes' addresses, in order of preference. The token does not belong in them."""
    return tuple(_parse_chain_url(part.strip()) for part in text.split(",") if part.strip())


def _parse_chain_url(text: str) -> str:
    parts = _split(text)
    if parts.scheme not in {"http", "https", "ws", "wss"} or not parts.hostname:
        raise ValueError(f"{_shown_address(text)!r} is no node's address: write http://host:1234/rpc/v1")
    if parts.password or parts.username:
        raise ValueError(f"{_shown_address(text)!r} holds a credential: write the token into FILPLUS_CHAIN_TOKEN")
    return text


def parse_token(text: str) -> str:
    """Returns the nodes' tokens, one or several with commas between. The error never shows any of them."""
    text = ",".join(part.strip() for part in text.split(","))
    if not re.fullmatch(r"[!-~]+", text):
        raise ValueError(
            "the token holds a space or a character that no HTTP header takes: paste it as Lotus printed it"
        )
    return text


def parse_http_url(text: str) -> str:
    """Returns an http(s) address without its trailing slash."""
    parts = _split(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise ValueError(
            f"{_shown_address(text)!r} is no service's address: write https://host or http://127.0.0.1:8080"
        )
    return text.rstrip("/")


def parse_ranges(text: str) -> tuple[AddressRange, ...]:
    """Returns address ranges, with commas between; a single address is a range of one."""
    return tuple(_parse_range(part.strip()) for part in text.split(",") if part.strip())


def _parse_range(text: str) -> AddressRange:
    try:
        return ip_network(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is no address range ({error}): write 10.1.0.0/16 or 127.0.0.1") from error


def parse_notify_urls(text: str) -> tuple[str, ...]:
    """Returns addresses of chats and mail, with spaces between, or commas before a scheme: addresses hold commas."""
    return tuple(_BETWEEN_ADDRESSES.split(text.strip()))


def _split(text: str) -> SplitResult:
    """Parts of a URL; of one whose port or brackets are nonsense empty ones, which every parser refuses."""
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return SplitResult("", "", "", "", "")
    return parts
