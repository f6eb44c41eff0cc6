"""What `filplus index status` tells people."""

from typing import Any

import pytest

from explorer.cli.status import print_status
from explorer.cli.terminal import Terminal


def told(capsys: pytest.CaptureFixture[str], *, programme: dict[str, Any], **index: Any) -> str:
    """The text of a status."""
    document = {
        "network": "mainnet",
        "index": {"epoch": 7, "time": None, "counts": {"claims": 1}, "coverage": [], **index},
        "programme": programme,
        "node": None,
    }
    print_status(Terminal(), document)
    return capsys.readouterr().out


@pytest.mark.parametrize(
    ("status", "epoch", "expected"),
    [
        ("open", None, "FIL+ programme: open\n"),
        ("open", 90, "FIL+ programme: open, ends at epoch 90\n"),
        ("unknown", None, "FIL+ programme: unknown\n"),
        ("retired", 90, "FIL+ programme: retired, ended at epoch 90; this is the record\n"),
        ("retired", None, "FIL+ programme: retired, ended; this is the record\n"),
    ],
)
def test_when_the_programme_ends_or_ended(
    capsys: pytest.CaptureFixture[str], status: str, epoch: int | None, expected: str
) -> None:
    assert expected in told(capsys, programme={"status": status, "retires_at_epoch": epoch})


@pytest.mark.parametrize(
    ("index", "node", "drifted", "expected"),
    [(3, 3, 0, "no drift"), (0, 3, 3, "3 records differ"), (3, 2, 1, "1 records differ"), (0, 0, 0, "nothing was")],
)
def test_what_the_last_comparison_found(
    capsys: pytest.CaptureFixture[str], index: int, node: int, drifted: int, expected: str
) -> None:
    last = {
        "at": "2026-11-23T06:00:00Z",
        "epoch": 7,
        "what": "sample",
        "compared": {"claims": {"index": index, "node": node, "rejected": 0}},
        "drifted": drifted,
    }
    text = told(capsys, programme={"status": "open", "retires_at_epoch": None}, verification=last)
    assert f"verified 2026-11-23T06:00:00Z, a sample at epoch 7: {expected}" in text
