"""How values are written for people: sizes, times, long names, text that nobody may trust."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from markupsafe import Markup, escape

from explorer.ground.letters import BLANKS, is_unseen, shows_nothing

EPOCH_S = 30
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB")
_STEPS = (("year", 31_557_600), ("month", 2_629_800), ("day", 86_400), ("h", 3_600), ("min", 60))


def tib(size_bytes: int) -> str:
    """The amount in the largest binary unit that leaves at least one, cut to two decimals: `1.00 TiB`, `512 B`.

    Cut, not rounded, as the texts are that notaries sign: one amount reads the same all over a page.
    """
    unit = max(0, min((abs(size_bytes).bit_length() - 1) // 10, len(_UNITS) - 1))
    if unit == 0:
        return f"{size_bytes} B"
    hundredths = abs(size_bytes) * 100 >> 10 * unit
    return f"{'-' if size_bytes < 0 else ''}{hundredths // 100}.{hundredths % 100:02} {_UNITS[unit]}"


def count(number: int) -> str:
    """The number with its thousands apart: `1,234,567`."""
    return f"{number:,}"


def plural(number: int, word: str) -> str:
    """`1 claim`, `3 claims`."""
    return f"{count(number)} {word}" if number == 1 else f"{count(number)} {word}s"


def shorten(text: str, head: int = 10, tail: int = 8) -> str:
    """The text, cut in its middle when that saves something: `baga6ea4se…ijq`."""
    return text if len(text) <= head + tail + 3 else f"{text[:head]}…{text[-tail:]}"


def visible(text: str) -> Markup:
    """The text as safe markup in which controls, direction overrides and other unseen characters are shown by name."""
    if text.isprintable() and BLANKS.isdisjoint(text):
        return escape(text)
    return Markup("").join(_shown(character) for character in text)


def visible_name(text: str) -> Markup:
    """As `visible`; a name that shows nothing is said to be blank, so that a link of it can be seen and found."""
    blank = blank_words(text)
    return visible(text) if blank is None else Markup('<span class="unseen">{}</span>').format(blank)


def blank_words(text: str) -> str | None:
    """`(blank: U+2800)` for a text that shows nothing, and isn't empty; None for any other."""
    if not text or not shows_nothing(text):
        return None
    numbers = [f"U+{ord(char):04X}" for char in dict.fromkeys(text)]
    return f"(blank: {', '.join(numbers[:3])}{' and others' if len(numbers) > 3 else ''})"


def _shown(character: str) -> Markup:
    if is_unseen(character):
        return Markup('<span class="unseen">U+{}</span>').format(f"{ord(character):04X}")
    return escape(character)


def ticks(text: str) -> Markup:
    """The text as safe markup, with what stands between backticks as code."""
    parts = text.split("`")
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if place % 2 else escape(part) for place, part in enumerate(parts)
    )


def plain(text: str) -> str:
    """The text with unseen characters named, for titles and attributes, where no markup can be."""
    return "".join(f"[U+{ord(c):04X}]" if is_unseen(c) else c for c in text)


def sentence(text: str) -> str:
    """The text with a capital at its start, unless that is an address or an id, and a full stop at its end."""
    ended = text if text.endswith((".", "?", "!", "\N{HORIZONTAL ELLIPSIS}")) else f"{text}."
    is_word = not any(char.isdigit() or char == "_" for char in ended.split(" ", 1)[0])
    return ended[:1].upper() + ended[1:] if is_word else ended


def parse_time(text: str | None) -> datetime | None:
    """The moment of an RFC 3339 text of our own documents, in UTC; None for none."""
    return None if text is None else datetime.fromisoformat(text).astimezone(UTC)


def day(moment: datetime) -> str:
    """`14 March 2024`."""
    return f"{moment.day} {moment:%B} {moment.year}"


def short_day(moment: datetime) -> str:
    """`14 Mar 2024`."""
    return f"{moment.day} {moment:%b} {moment.year}"


def exact(moment: datetime) -> str:
    """`2024-03-14 12:00:30 UTC`."""
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def rfc3339(moment: datetime) -> str:
    """`2024-03-14T12:00:30Z`."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def ago(moment: datetime, now: datetime) -> str:
    """How far away a moment is: `3 min ago`, `in 4 months`, `just now`."""
    seconds = (now - moment).total_seconds()
    for name, step in _STEPS:
        number = int(abs(seconds) // step)
        if number >= (2 if name == "year" else 1):
            words = f"{number} {name}" if number == 1 or name in ("h", "min") else f"{number} {name}s"
            return f"{words} ago" if seconds > 0 else f"in {words}"
    return "just now"


@dataclass(frozen=True, slots=True)
class EpochClock:
    """Epochs and times of one chain, from one pair that a document states: 30 s an epoch."""

    epoch: int
    time: datetime

    def time_of(self, epoch: int) -> datetime | None:
        """The epoch's time; None beyond the calendar."""
        try:
            return self.time + timedelta(seconds=EPOCH_S * (epoch - self.epoch))
        except OverflowError:
            return None

    def epoch_of(self, moment: datetime) -> int:
        """The epoch at that time."""
        return self.epoch + round((moment - self.time).total_seconds()) // EPOCH_S


def document_clock(as_of: Mapping[str, Any]) -> EpochClock | None:
    """The clock that a document's `epoch` and `time` set; None when it has none."""
    epoch, moment = as_of["epoch"], parse_time(as_of["time"])
    return None if epoch is None or moment is None else EpochClock(epoch, moment)
