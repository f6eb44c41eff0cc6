"""What is said of a name that is refused."""

import pytest

from explorer.access.errors import NameRefused
from explorer.access.names import demand_name


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("Bób\u202e", "the name 'BóbU+202E' holds U+202E"),
        ("a\x1b[31m", "the name 'aU+001B[31m' holds U+001B"),
        ("\u2800", "the name 'U+2800' holds U+2800"),
        ("Bób ", "the name 'Bób ' has spaces"),
    ],
)
def test_a_refused_name_is_shown_as_it_was_typed_but_for_what_cannot_be_seen(name: str, told: str) -> None:
    with pytest.raises(NameRefused) as caught:
        demand_name(name)
    assert str(caught.value).startswith(told)
