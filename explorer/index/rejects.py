"""The rejects file: every record that could not be taken, with the reason, one JSON object a line."""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from explorer.errors import DataDirError
from explorer.index.documents import Entry
from node.errors import RecordError


class Rejects:
    """Writes `{"record", "reason", "detail", "key", "value"}` lines; the file is made with the first of them.

    Left through an error it takes the file back: then nothing was imported, so nothing was rejected.
    """

    def __init__(self, folder: Path, dump: str) -> None:
        stem = re.sub(r"[^A-Za-z0-9._-]", "_", Path(dump).name if dump != "-" else "stdin")
        self.path = folder / f"{stem}.{datetime.now(UTC):%Y%m%dT%H%M%S.%f}.rejects.ndjson"
        self._dump = dump
        self._file: IO[str] | None = None

    def write(self, ordinal: int, error: RecordError, entry: Entry) -> None:
        """Adds the `ordinal`-th record of the dump (from 1); DataDirError if the file can't be written."""
        line = {
            "record": ordinal,
            "reason": error.reason,
            "detail": error.detail,
            "key": entry.key,
            "value": entry.value,
        }
        with self._writing():
            if self._file is None:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._file = self.path.open("w", encoding="utf-8")
            self._file.write(json.dumps(line) + "\n")

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            why = error.strerror or str(error)
            raise DataDirError(f"the rejects of {self._dump} can't be written to {self.path}: {why}") from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is None:
            return
        self._file.close()
        if error is not None:
            self.path.unlink(missing_ok=True)
