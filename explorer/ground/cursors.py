"""Opaque cursors: where a page of a list ends, carried from one answer to the next question.

    said:4711           <- the list's mark, and the place behind which the next page begins
    c2FpZDo0NzEx        <- base64url of that, without padding

A place has one cursor and a cursor one place; a list refuses the cursors of every other.
"""

import base64
import binascii
from dataclasses import dataclass
from typing import Final

from explorer.errors import MalformedCursor

_MOST: Final = 2**63 - 1
_MOST_DIGITS: Final = 19
_SHOWN_CHARS: Final = 60


@dataclass(frozen=True, slots=True)
class Cursors:
    """The cursors of one list. `mark` begins each; `least` is the smallest number that one can name."""

    mark: str
    least: int = 1

    def at(self, place: str | int) -> str:
        """The cursor behind a place: the id of a page's last item, or what else the list is ordered by."""
        return _encoded(f"{self.mark}{place}")

    def place(self, cursor: str) -> str:
        """The place that a cursor names, printable ASCII; MalformedCursor for one that this list didn't make."""
        try:
            padded = cursor + "=" * (-len(cursor) % 4)
            text = base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii")
        except (binascii.Error, ValueError) as error:
            raise malformed(cursor) from error
        if not text.startswith(self.mark) or not text.isprintable() or _encoded(text) != cursor:
            raise malformed(cursor)
        return text.removeprefix(self.mark)

    def number(self, cursor: str) -> int:
        """The number that a cursor names, from `least` to 2^63 - 1; MalformedCursor."""
        place = self.place(cursor)
        if not place.isdigit() or len(place) > _MOST_DIGITS:
            raise malformed(cursor)
        number = int(place)
        if not self.least <= number <= _MOST or str(number) != place:
            raise malformed(cursor)
        return number


def malformed(cursor: str) -> MalformedCursor:
    """The refusal of a cursor, for a list whose places have a shape of their own."""
    shown = cursor[:_SHOWN_CHARS]
    return MalformedCursor(
        f"cursor {shown!r} was not made by this list; take next_cursor of an answer, or none", value=shown
    )


def _encoded(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode("ascii")).decode("ascii").rstrip("=")
