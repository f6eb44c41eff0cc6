"""Names that people give to clusters, notaries and views, and that others read on terminals and pages."""

from explorer.access.errors import NameRefused
from explorer.ground.letters import by_number, is_unseen

MAX_NAME_CHARS = 100


def demand_name(text: str, *, most: int = MAX_NAME_CHARS) -> str:
    """The name itself; NameRefused where it is empty, too long, or holds what can't be seen.

    Control characters, marks of direction, line breaks, half characters and fillers are refused; letters of any script
    are not.
    """
    if not 0 < len(text) <= most:
        raise NameRefused(f"a name has 1 to {most} characters, not {len(text)}", value=text[:most])
    bad = next(filter(is_unseen, text), None)
    if bad is not None:
        raise NameRefused(
            f"the name '{by_number(text)}' holds U+{ord(bad):04X}, which can't be seen: leave it out", value=text
        )
    if text != text.strip() or "  " in text:
        raise NameRefused(f"the name {text!r} has spaces at an end or twice in a row: leave them out", value=text)
    return text
