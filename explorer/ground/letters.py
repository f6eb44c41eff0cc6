"""What a name made of strangers' letters may hide: characters that nobody sees, alphabets that look alike. Pure."""

import unicodedata
from typing import Final

_UNSEEN: Final = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
_EMPTY: Final = _UNSEEN | {"Zs", "Mn", "Me"}
"""What shows nothing where nothing else stands: spaces, and marks that want a letter below them."""
BLANKS: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Letters, marks and symbols by Unicode's word, of which nothing is drawn: Hangul fillers, the empty Braille cell."""


def is_unseen(char: str) -> bool:
    """Whether a character is a control, a mark of direction, or another one of which nothing is drawn."""
    return unicodedata.category(char) in _UNSEEN or char in BLANKS


def by_number(text: str) -> str:
    """The text with each character that nobody sees as its number, such as U+202E."""
    return "".join(f"U+{ord(char):04X}" if is_unseen(char) else char for char in text)


def shows_nothing(text: str) -> bool:
    """Whether a text has nothing that can be seen, so that a link of it couldn't be found."""
    return all(char in BLANKS or unicodedata.category(char) in _EMPTY for char in text)


def mixed_letters(text: str) -> str | None:
    """The alphabets that a name mixes, so that it may look like another one: Cyrillic and Latin; None for one alone."""
    scripts = scripts_of(text)
    return " and ".join(scripts) if len(scripts) > 1 else None


def scripts_of(text: str) -> list[str]:
    """The alphabets of a text's letters, of those that have letters which look alike: Latin, Cyrillic, Greek, …"""
    names = {unicodedata.name(char, "").partition(" ")[0] for char in set(text) if char.isalpha()}
    return sorted(name.capitalize() for name in names & {"LATIN", "CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE"})


def foreign_characters(text: str) -> str | None:
    """What a text holds that the name of no image has: characters beyond ASCII, by number; None where it has none."""
    found = sorted({char for char in text if not char.isascii()})
    named = ", ".join(f"U+{ord(char):04X}" for char in found[:3])
    return None if not found else f"{named} and others" if len(found) > 3 else named
