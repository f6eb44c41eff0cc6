"""What becomes of a file's records while it is imported."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True, kw_only=True)
class Tally:
    """Counts of records: each was added, changed, rejected or, what is left, unchanged. `removed` counts index rows."""

    records: int = 0
    added: int = 0
    changed: int = 0
    removed: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    epoch: int | None = None
    """The largest epoch that a record bears witness of, later that of the file."""
    complete: bool = False
    """Whether the file counts as every record of its kind at its epoch."""

    @property
    def unchanged(self) -> int:
        """Records that said what the index knew."""
        return self.records - self.added - self.changed - self.rejected.total()

    @property
    def nothing_taken(self) -> bool:
        """Whether there were records, and each was rejected."""
        return 0 < self.records == self.rejected.total()

    def witness(self, epoch: int | None, latest_epoch: int | None = None) -> None:
        """Notes an epoch that a record bears witness of, unless it lies in the future."""
        if epoch is not None and (latest_epoch is None or epoch <= latest_epoch):
            self.epoch = epoch if self.epoch is None else max(self.epoch, epoch)
