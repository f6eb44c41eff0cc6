"""How each kind of setting is written. A parser returns the value or raises ValueError: the value, and what to write.

Pure, and used by `explorer.ground.settings` only, which adds the setting's name and where it was given.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

_COVER: Final = "***"
_SECRET_PARAMETERS: Final = frozenset({"password", "sslpassword"})
_USER_PASSWORD: Final = re.compile(r"(?P<user>//[^/?#:@]*:)[^/?#]*@")
_PARAMETER_PASSWORD: Final = re.compile(r"(?P<name>[?&](?:password|sslpassword)=)[^&#]*")


@dataclass(frozen=True, slots=True)
class Listen:
    """An address to listen on. Port 0 means any free port."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


DEFAULT_LISTEN: Final = Listen("127.0.0.1", 8080)


def parse_listen(text: str) -> Listen:
    """Returns host and port of `127.0.0.1:8080` or `[::1]:8080`."""
    match = re.fullmatch(r"(?:\[(?P<v6>[0-9a-fA-F:.%\w]+)\]|(?P<host>[A-Za-z0-9._-]+)):(?P<port>[0-9]{1,5})", text)
    if match is None or int(match["port"]) > 65535:
        raise ValueError(f"{text!r} is not HOST:PORT: write for example 127.0.0.1:8080 or [::1]:8080")
    return Listen(match["v6"] or match["host"], int(match["port"]))


def parse_database_url(text: str) -> str:
    """Returns `text` if it is a PostgreSQL URL; the password is covered in the error."""
    if _split(text).scheme not in {"postgresql", "postgres"}:
        raise ValueError(f"{covered_url(text)!r} is no PostgreSQL URL: write postgresql://user:password@host:5432/name")
    return text


def database_passwords(url: str) -> frozenset[str]:
    """Every text inside a database URL that is a password, as written and as decoded; mostly none or one."""
    parts = _split(url)
    named = [value for name, value in parse_qsl(parts.query) if name in _SECRET_PARAMETERS]
    return frozenset(named) | ({parts.password, unquote(parts.password)} if parts.password else set())


def covered_url(url: str) -> str:
    """`url` with its password covered, wherever it stands: fit for logs, errors and `filplus check`."""
    parts = _split(url)
    unsure = not parts.scheme or "@" in parts.path + parts.query + parts.fragment
    covered = re.sub(r"//.*@", f"//{_COVER}@", url) if unsure else _USER_PASSWORD.sub(rf"\g<user>{_COVER}@", url)
    return _PARAMETER_PASSWORD.sub(rf"\g<name>{_COVER}", covered)


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
        raise ValueError(f"{covered_url(text)!r} is no node's address: write http://host:1234/rpc/v1")
    if parts.password or parts.username:
        raise ValueError(f"{covered_url(text)!r} holds a credential: write the token into FILPLUS_CHAIN_TOKEN")
    return text


def parse_token(text: str) -> str:
    """Returns a node's token. The error never shows it, since it may be one character away from a real one."""
    if not re.fullmatch(r"[!-~]+", text):
        raise ValueError(
            "the token holds a space or a character that no HTTP header takes: paste it as Lotus printed it"
        )
    return text


def parse_http_url(text: str) -> str:
    """Returns an http(s) address without its trailing slash."""
    parts = _split(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise ValueError(f"{covered_url(text)!r} is no service's address: write https://host or http://127.0.0.1:8080")
    return text.rstrip("/")


def _split(text: str) -> SplitResult:
    """Parts of a URL; of one whose port or brackets are nonsense empty ones, which every parser refuses."""
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return SplitResult("", "", "", "", "")
    return parts
