"""The list of what the log tells of is whole: it is what questions about the log are checked against."""

import ast
import re
from pathlib import Path

import explorer
from explorer.audit.actions import ACTIONS

NAME = re.compile(r"(cluster|notary|review|webhook)\.[a-z_]+")
WRITERS = ("access", "alerts", "reviews")


def written() -> set[str]:
    """The actions in the code that writes entries: texts in the functions that call `record` or `tell`."""
    found: set[str] = set()
    for file in (path for folder in WRITERS for path in (Path(explorer.__path__[0]) / folder).glob("*.py")):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and calls(node, {"record", "tell"}):
                texts = (one.value for one in ast.walk(node) if isinstance(one, ast.Constant))
                found |= {text for text in texts if isinstance(text, str) and NAME.fullmatch(text)}
    return found


def calls(function: ast.AST, names: set[str]) -> bool:
    return any(isinstance(one, ast.Call) and getattr(one.func, "id", "") in names for one in ast.walk(function))


def test_every_action_that_is_written_is_listed_and_no_other() -> None:
    assert written() | {"review.expiring"} == set(ACTIONS)
    assert len(written()) > 20
    assert list(ACTIONS) == sorted(set(ACTIONS))
