"""The style sheet, the script and the icon: kept in memory, served at addresses that name their content."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Self

from aiohttp import web

from explorer.web.caching import ASSET_CACHE, cacheable

_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
_PREFIX = "/static/"


@dataclass(frozen=True, slots=True)
class Asset:
    """One file: its address without the prefix, its type, its bytes."""

    address: str
    content_type: str
    body: bytes


class Assets:
    """The packaged files of the folder `static`."""

    def __init__(self, found: Mapping[str, Asset]) -> None:
        self._by_name = found
        self._by_address = {asset.address: asset for asset in found.values()}

    @classmethod
    def load(cls) -> Self:
        """Reads the files and names each by its content."""
        folder = files(__package__).joinpath("static")
        return cls({f.name: _asset(f.name, f.read_bytes()) for f in folder.iterdir() if _suffix(f.name) in _TYPES})

    def url(self, name: str) -> str:
        """The address of a file, such as `/static/site.0f3a….css`."""
        return _PREFIX + self._by_name[name].address

    async def serve(self, request: web.Request) -> web.Response:
        """Answers with the file that the address names, good for a year. Raises HTTPNotFound."""
        asset = self._by_address.get(request.match_info["name"])
        if asset is None:
            raise web.HTTPNotFound
        return cacheable(request, asset.body, content_type=asset.content_type, cache_control=ASSET_CACHE)


def _suffix(name: str) -> str:
    return f".{name.rpartition('.')[2]}"


def _asset(name: str, body: bytes) -> Asset:
    stem, _, suffix = name.rpartition(".")
    digest = hashlib.blake2b(body, digest_size=6).hexdigest()
    return Asset(f"{stem}.{digest}.{suffix}", _TYPES[f".{suffix}"], body)
