import pytest

from explorer.web.bodies import parse_json
from explorer.web.problems import Problem


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b" ",
        b"{",
        b"nul",
        b'{"cids": [NaN]}',
        b'{"cids": [Infinity]}',
        b'{"a": 1, "a": 1}',
        b'[{"b": {"a": 1, "a": 2}}]',
        b'"\\ud800"',
        b'"\xff"',
        b"\xef\xbb\xbf{}",
        b'{"a": 1} x',
        b"[" * 100_000,
        b"[" * 1_000 + b"]" * 1_000,
        b'{"a":' * 100_000,
    ],
)
def test_what_is_no_strict_json_is_refused(raw: bytes) -> None:
    with pytest.raises(Problem) as caught:
        parse_json(raw)
    assert caught.value.code == "malformed_json"


def test_numbers_beyond_sixty_four_bits_are_read_as_they_are_and_left_to_the_schema() -> None:
    assert repr(parse_json(b'{"at_epoch": 1000000000000000000000001}')["at_epoch"]) == "1000000000000000000000001"


def test_numbers_of_absurd_length_are_refused() -> None:
    with pytest.raises(Problem):
        parse_json(b'{"at_epoch": ' + b"9" * 10_000 + b"}")
