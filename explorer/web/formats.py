"""How values are written for people: sizes, times, long names, text that nobody may trust."""

import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from markupsafe import Markup, escape

EPOCH_S = 30
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB")
_STEPS = (("year", 31_557_600), ("month", 2_629_800), ("day", 86_400), ("h", 3_600), ("min", 60))
_INVISIBLE = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})


def tib(size_bytes: int) -> str:
    """The amount in the largest binary unit that leaves at least one: `1.00 TiB`, `512 B`."""
    size, unit = float(size_bytes), 0
    while abs(size) >= 1024 and unit < len(_UNITS) - 1:
        size, unit = size / 1024, unit + 1
    return f"{size_bytes} B" if unit == 0 else f"{size:.2f} {_UNITS[unit]}"


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
    if text.isprintable():
        return escape(text)
    return Markup("").join(_shown(character) for character in text)


def _shown(character: str) -> Markup:
    if unicodedata.category(character) in _INVISIBLE:
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
    return "".join(f"[U+{ord(c):04X}]" if unicodedata.category(c) in _INVISIBLE else c for c in text)


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


def clock_from(epoch: int | None, time: str | None) -> EpochClock | None:
    """The clock of a document's `epoch` and `time`; None when it has none."""
    moment = parse_time(time)
    return None if epoch is None or moment is None else EpochClock(epoch, moment)
