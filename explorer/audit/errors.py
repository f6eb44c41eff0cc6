"""What can go wrong with the audit log.

* FilplusError
  x AuditError
    + EntryRefused        what should be written can't be an entry: a mistake of this program
    + NoNetwork           the database isn't any network's yet
    + BrokenLog           `seq` is the first entry that is wrong, or where one is missing; `why` says what
    + FileUnreadable      an exported log can't be read or written
  x QuestionError
    + ActionUnknown       entries of an action are wanted that there isn't
"""

from collections.abc import Iterable

from explorer.errors import FilplusError, QuestionError


class AuditError(FilplusError):
    """Something with the audit log."""


class EntryRefused(AuditError):
    """No entry can hold this."""


class NoNetwork(AuditError):
    """The log's first entry names the network, and the database has none yet."""


class BrokenLog(AuditError):
    """The log isn't what was written. `seq` is the first entry that is wrong."""

    def __init__(self, seq: int, why: str) -> None:
        super().__init__(f"the audit log is broken at entry {seq}: {why}")
        self.seq = seq
        self.why = why

    def __reduce__(self) -> tuple[type["BrokenLog"], tuple[int, str]]:
        return type(self), (self.seq, self.why)


class FileUnreadable(AuditError):
    """The operating system does not give, or take, an exported log."""


class ActionUnknown(QuestionError):
    """No entry is of that action, and none ever will be."""

    code = "malformed_parameter"

    def __init__(self, action: str, known: Iterable[str]) -> None:
        one = "; it takes one, without ! or commas" if action.startswith("!") or "," in action else ""
        super().__init__(f"the log knows no action {action[:60]!r}{one}. There are {', '.join(known)}", value=action)
