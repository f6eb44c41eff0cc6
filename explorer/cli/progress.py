"""How far an import has come: a bar on a terminal, elsewhere a line every ten seconds."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from explorer.cli.terminal import Terminal, shown
from explorer.index.files import STDIN
from explorer.index.importer import Progress as Report

LINE_EVERY_S = 10.0


@contextmanager
def import_progress(terminal: Terminal, file: str) -> Iterator[Report]:
    """The function that an import reports its progress to."""
    total = None if file == STDIN else _size(file)
    if terminal.side.is_terminal and not terminal.quiet:
        with _bar(terminal) as bar:
            task = bar.add_task(shown(Path(file).name), total=total, records=0, speed=0)
            yield _BarReport(bar, task)
    else:
        yield _LineReport(terminal, file, total)


def _size(file: str) -> int | None:
    try:
        return Path(file).stat().st_size
    except OSError:
        return None


def _bar(terminal: Terminal) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TextColumn("{task.fields[records]:,} records, {task.fields[speed]:,}/s"),
        TimeRemainingColumn(),
        console=terminal.side,
        transient=True,
    )


class _BarReport:
    """Moves a bar."""

    def __init__(self, bar: Progress, task: TaskID) -> None:
        self._bar = bar
        self._task = task
        self._started = time.monotonic()

    def __call__(self, bytes_read: int, records: int) -> None:
        speed = round(records / max(time.monotonic() - self._started, 0.001))
        self._bar.update(self._task, completed=bytes_read, records=records, speed=speed)


class _LineReport:
    """Prints a line now and then; nothing for what is over before the first."""

    def __init__(self, terminal: Terminal, file: str, total: int | None) -> None:
        self._terminal = terminal
        self._file = file
        self._total = total
        self._started = self._said = time.monotonic()

    def __call__(self, bytes_read: int, records: int) -> None:
        now = time.monotonic()
        if now - self._said < LINE_EVERY_S:
            return
        self._said = now
        elapsed = now - self._started
        done = f"{bytes_read / 1e6:,.0f} MB"
        if self._total:
            left = elapsed * (self._total / max(bytes_read, 1) - 1)
            done += f" of {self._total / 1e6:,.0f} MB, {left:,.0f} s left"
        self._terminal.side.print(
            f"{shown(self._file)}: {done}, {records:,} records, {records / elapsed:,.0f}/s", markup=False
        )
