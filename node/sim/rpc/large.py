"""Answers that can be huge: maps of records by their ids, rendered a piece at a time.

State never changes, so whoever sends such an answer renders it where and when it likes, and the chain goes on.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Any

import orjson

_PIECE_RECORDS = 256


@dataclass(frozen=True, slots=True)
class Large:
    """Records by their ids, as Go prints a map: decimal keys in the order of texts."""

    ids: Callable[[], Iterable[int]]
    record: Callable[[int], Any]
    """The record of an id; None: there is none any more."""
    document: Callable[[Any], object]

    def plain(self) -> dict[str, object]:
        """The whole map."""
        return dict(self._items())

    def pieces(self) -> Iterator[bytes]:
        """The map's JSON."""
        items, opening = self._items(), b"{"
        while piece := dict(islice(items, _PIECE_RECORDS)):
            yield opening + orjson.dumps(piece)[1:-1]
            opening = b","
        yield b"}" if opening == b"," else b"{}"

    def _items(self) -> Iterator[tuple[str, object]]:
        for text in sorted(map(str, self.ids())):
            record = self.record(int(text))
            if record is not None:
                yield text, self.document(record)


def large_table(table: Any, document: Callable[[Any], object], *, owner: int | None = None) -> Large:
    """The records of a state's table, or those of one owner."""
    return Large(table.ids if owner is None else partial(table.ids_of, owner), table.get, document)


def plain(answer: object) -> object:
    """An answer as one value of JSON."""
    return answer.plain() if isinstance(answer, Large) else answer
