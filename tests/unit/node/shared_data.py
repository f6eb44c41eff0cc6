"""Readers of the real data beside the checkout: vectors, dumps, and what nodes answered."""

import gzip
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

SHARED = (Path(__file__).parents[3] / "../shared/data").resolve()

_CID = re.compile(r'(?<!\\)"((?:bafy2bzace|baga6ea4seaq|bafybei|bafk|bagboea)[a-z2-7]{20,})"')
_ADDRESS = re.compile(r"\b[ft](?:0[0-9]{1,18}|[123][a-z2-7]{38,86}|410f[a-z2-7]{39})\b")


def shared_json(path: str) -> Any:
    """The document of a shared file, also of a gzipped one."""
    raw = (SHARED / path).read_bytes()
    return json.loads(gzip.decompress(raw) if path.endswith(".gz") else raw)


@cache
def recordings() -> dict[str, str]:
    """The text of every recording of a Lotus node, by its path."""
    return {str(path.relative_to(SHARED)): path.read_text() for path in sorted(SHARED.glob("lotus/*/*.ndjson"))}


def recorded_cids() -> list[str]:
    """Every CID text in the recordings, once."""
    return sorted({cid for text in recordings().values() for cid in _CID.findall(text)})


def recorded_addresses() -> list[str]:
    """Every address text that stands alone as a JSON string in the recordings, once."""
    strings = {found for text in recordings().values() for found in re.findall(r'"([^"\\]{3,100})"', text)}
    return sorted(found for found in strings if _ADDRESS.fullmatch(found))


def recorded_events() -> list[dict[str, Any]]:
    """Every actor event in the recordings, in order."""
    lines = (line for text in recordings().values() for line in text.splitlines())
    return [event for line in lines for event in events_within(json.loads(line))]


def events_within(document: object) -> Iterator[dict[str, Any]]:
    """Every object in a document that looks like an item of GetActorEventsRaw."""
    if isinstance(document, dict):
        if "entries" in document and "emitter" in document:
            yield document
            return
        document = list(document.values())
    if isinstance(document, list):
        for part in document:
            yield from events_within(part)
