"""SQL in .sql files, one statement a name."""

import re
from collections.abc import Iterator, Mapping
from importlib.resources import files
from types import MappingProxyType
from typing import Final

_HEADER: Final = re.compile(r"^-- *name: *(?P<name>\S+) *$", re.MULTILINE)
_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")
_COMMENT_LINE: Final = re.compile(r"^\s*--.*$", re.MULTILINE)
_NO_CODE: Final = re.compile(
    r"'(?:[^']|'')*'|\"[^\"]*\"|--[^\n]*|/\*.*?\*/|\$(?P<tag>(?:[a-z_]\w*)?)\$.*?\$(?P=tag)\$",
    re.DOTALL | re.IGNORECASE,
)


def load_queries(package: str, filename: str) -> Mapping[str, str]:
    """Returns the statements of an .sql file in a package, by name.

        -- name: deal_by_id
        -- One deal, or no row.
        SELECT …

    Comments below the header are for the reader and go to the server with the statement. ValueError names the file
    and the query: a text before the first header, a name twice, no statement or more than one.
    """
    text = files(package).joinpath(filename).read_text(encoding="utf-8")
    queries: dict[str, str] = {}
    for name, statement in _sections(text, filename):
        if name in queries:
            raise ValueError(f"{filename}: two queries are named {name}")
        queries[name] = _single(statement, f"{filename}: query {name}")
    return MappingProxyType(queries)


def _sections(text: str, filename: str) -> Iterator[tuple[str, str]]:
    headers = list(_HEADER.finditer(text))
    start = headers[0].start() if headers else len(text)
    if _COMMENT_LINE.sub("", text[:start]).strip():
        raise ValueError(f"{filename}: a statement stands before the first '-- name:' line")
    ends = [header.start() for header in headers[1:]] + [len(text)]
    for header, end in zip(headers, ends, strict=False):
        if not _NAME.fullmatch(header["name"]):
            raise ValueError(f"{filename}: {header['name']!r} is no query name: write small letters, digits and _")
        yield header["name"], text[header.end() : end]


def bare_code(sql: str) -> str:
    """SQL without its comments, literals, quoted names and quoted function bodies: what is left can be searched."""
    return _NO_CODE.sub(" ", sql)


def _single(statement: str, where: str) -> str:
    """The statement without its closing semicolon."""
    code = bare_code(statement).strip()
    inner = code.removesuffix(";")
    if not inner.strip():
        raise ValueError(f"{where} is empty")
    if ";" in inner:
        raise ValueError(f"{where} holds more than one statement")
    return statement.strip() if inner == code else statement.strip().removesuffix(";").rstrip()
