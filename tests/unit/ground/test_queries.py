"""Named queries: one statement a name."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from explorer.ground.queries import bare_code, load_queries


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], dict[str, str]]:
    package = tmp_path / "package_of_queries"
    package.mkdir()
    (package / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    sys.modules.pop("package_of_queries", None)

    def loaded(text: str) -> dict[str, str]:
        (package / "q.sql").write_text(text, encoding="utf-8")
        return dict(load_queries("package_of_queries", "q.sql"))

    return loaded


def test_queries_come_by_name_with_their_comments(load: Callable[[str], dict[str, str]]) -> None:
    text = "-- About this file.\n\n-- name: one\n-- What one is.\nSELECT 1;\n\n--name:two\nSELECT ';', $$;$$ -- ;\n"
    assert load(text) == {"one": "-- What one is.\nSELECT 1", "two": "SELECT ';', $$;$$ -- ;"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("SELECT 1;\n-- name: one\nSELECT 1", "before the first"),
        ("SELECT 1", "before the first"),
        ("-- name: one\nSELECT 1;\n-- name: one\nSELECT 2", "two queries are named one"),
        ("-- name: one\n-- nothing\n;\n", "query one is empty"),
        ("-- name: one\nSELECT 1; SELECT 2", "query one holds more than one"),
        ("-- name: One-two\nSELECT 1", "is no query name"),
    ],
)
def test_bad_file_is_refused_by_name(load: Callable[[str], dict[str, str]], text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said) as raised:
        load(text)
    assert "q.sql" in str(raised.value)


def test_empty_file_holds_no_queries(load: Callable[[str], dict[str, str]]) -> None:
    assert load("") == {}


def test_bare_code_leaves_out_what_is_quoted() -> None:
    sql = "A 'b''c' \"d\" -- e\n/* f */ $x$ g $$ h $x$ $1 I"
    assert bare_code(sql).split() == ["A", "$1", "I"]
