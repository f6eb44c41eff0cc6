"""What letters may hide: alphabets that look alike, characters of which nothing is drawn."""

import pytest

from explorer.ground.letters import foreign_characters, mixed_letters, scripts_of, shows_nothing


@pytest.mark.parametrize(
    ("text", "scripts"),
    [
        ("plain", ["Latin"]),
        ("\u0438\u043c\u044f", ["Cyrillic"]),
        ("p\u0430y", ["Cyrillic", "Latin"]),
        ("42 \u6c34", []),
    ],
)
def test_scripts_with_letters_that_look_alike(text: str, scripts: list[str]) -> None:
    assert scripts_of(text) == scripts
    assert (mixed_letters(text) is None) == (len(scripts) < 2)


@pytest.mark.parametrize(
    "text", ["", " ", "\u00a0", "\u2800", "\u200b", "\u3164\uffa0", "\u0301", " \u2800\u202e\ufe0f\u3000\t"]
)
def test_what_shows_nothing(text: str) -> None:
    assert shows_nothing(text)
    assert not shows_nothing(f"{text}a{text}")


@pytest.mark.parametrize("text", ["-", "\u6c34", "\u2801", "\U0001f600", "e\u0301"])
def test_one_thing_that_shows_is_enough(text: str) -> None:
    assert not shows_nothing(text)


@pytest.mark.parametrize(
    ("image", "found"),
    [
        ("ghcr.io/example/regrid@sha256:ab", None),
        ("p\u0443thon:3", "U+0443"),
        ("\u0430\u0431\u0432\u0433", "U+0430, U+0431, U+0432 and others"),
    ],
)
def test_an_images_name_is_ascii(image: str, found: str | None) -> None:
    assert foreign_characters(image) == found
