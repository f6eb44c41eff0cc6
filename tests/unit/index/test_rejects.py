"""The rejects file: a line for each record that could not be taken, and no file where every one could."""

import json
from pathlib import Path

import pytest

from explorer.errors import DataDirError
from explorer.index.documents import Entry
from explorer.index.rejects import Rejects
from explorer.index.tally import Tally
from node.errors import RecordError

ERROR = RecordError("malformed_size", "Size is 'x', not an integer")


def test_each_record_is_a_line_with_its_reason(tmp_path: Path) -> None:
    with Rejects(tmp_path / "deep" / "rejects", "/data/deals of may.json.zst") as rejects:
        rejects.write(3, ERROR, Entry("7", {"Size": "x", "Label": "\udcff\ud800\x00"}))
        rejects.write(9, ERROR, Entry(None, None))
    first, second = [json.loads(line) for line in rejects.path.read_text(encoding="utf-8").splitlines()]
    assert (first["record"], first["reason"], first["key"]) == (3, "malformed_size", "7")
    assert first["value"] == {"Size": "x", "Label": "\udcff\ud800\x00"}
    assert (second["record"], second["value"]) == (9, None)
    assert rejects.path.name.startswith("deals_of_may.json.zst.")


def test_without_rejects_there_is_no_file(tmp_path: Path) -> None:
    with Rejects(tmp_path / "rejects", "-"):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_failed_import_takes_its_file_back(tmp_path: Path) -> None:
    def fail() -> None:
        with Rejects(tmp_path, "-") as rejects:
            rejects.write(1, ERROR, Entry("1", None))
            assert rejects.path.exists()
            assert rejects.path.name.startswith("stdin.")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    expected = pytest.raises(DataDirError, match=r"the rejects of deals\.json can't be written to .*file")
    with Rejects(tmp_path / "file", "deals.json") as rejects, expected:
        rejects.write(1, ERROR, Entry("1", None))


def test_what_is_left_is_unchanged() -> None:
    tally = Tally(records=10, added=3, changed=2, removed=50)
    tally.rejected["malformed_size"] += 1
    assert tally.unchanged == 4


def test_no_record_may_date_a_file_into_the_future() -> None:
    tally = Tally()
    epochs = []
    for epoch in (None, 101, 50, 100, 7):
        tally.witness(epoch, 100)
        epochs.append(tally.epoch)
    tally.witness(2**62)
    assert [*epochs, tally.epoch] == [None, None, 50, 100, 100, 2**62]
