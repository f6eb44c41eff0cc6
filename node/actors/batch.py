"""How a method that does many things at once tells which of them failed (builtin-actors, util/batch_return.rs)."""

from dataclasses import dataclass

from node.tuples import CborTuple, Uint


@dataclass(frozen=True, slots=True)
class BatchFailure(CborTuple):
    """One item that failed: its position in what was asked, counted from 0, and why."""

    position: Uint
    exit_code: Uint


@dataclass(frozen=True, slots=True)
class BatchReturn(CborTuple):
    """How many items succeeded, and every one that did not. The message's own exit code is 0 all the same."""

    success_count: Uint
    failures: tuple[BatchFailure, ...] = ()

    @property
    def count(self) -> int:
        """How many items were asked for."""
        return self.success_count + len(self.failures)
