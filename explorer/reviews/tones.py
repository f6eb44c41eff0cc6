"""What a notary is told to look at: one sentence with its tone. Pure."""

from dataclasses import dataclass
from enum import StrEnum


class Tone(StrEnum):
    """How a sentence is meant, the worst first."""

    BAD = "bad"
    LOOK = "look"
    UNKNOWN = "unknown"
    GOOD = "good"


@dataclass(frozen=True, slots=True)
class Risk:
    """One sentence."""

    tone: Tone
    text: str
