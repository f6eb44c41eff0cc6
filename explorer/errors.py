"""What can go wrong in the explorer and in the ground that both services stand on.

* FilplusError
  + SettingsError
  + DataDirError
  x DatabaseError
    + DatabaseUnavailable    transient: the same call may succeed later
    + DatabaseRefused        permanent: wrong password, no such database, a server too old
    + QueryTimeout           transient: the statement took longer than it was allowed to
    + MigrationError
    + NetworkMismatch
  x ImportFailed            an import that changed nothing
    + UnreadableFile
    + CorruptFile           cut off, damaged, or not a dump at all
    + KindUnknown           no record tells what the file holds
    + TooFewRecords         a complete file that would make most of the index vanish
    + EpochMissing          neither the file nor the index tells a date
    + EpochInFuture         a file that is said to be read at an epoch that hasn't begun
    + OtherNetwork          a file of another network
    + NotForkable           a file that no chain can start from
  x FollowError             following a node can't go on as it is
    + HeadMoved             somebody else has moved the followed head: look again
    + NotFollowing          nobody began to follow a chain, or it was forgotten meanwhile
    + ForkBelowFinal        the node's chain left ours below what is final
    + StateTooSmall         a node's state that would make most of the index vanish
    + IndexChanged          an import came between while the index was compared with a node: compare again
  x QuestionError           asked for something that cannot be; `code` is its stable name
    + MalformedCid
    + MalformedEpoch
    + EpochNotIndexed
    + MalformedCursor
    + NotFound
  x ServiceError            asking a running service
    + ServiceUnreachable    transient: nothing answers at its address
    + ServiceRefused        it answered with a problem; `status` and `code` say which

`+` is raised, `x` only groups. Every message names the thing, the value and the remedy. No message holds a secret.
"""


class FilplusError(Exception):
    """Everything that this program raises on purpose; its text is fit to be shown to the person who caused it."""


class SettingsError(FilplusError):
    """A setting that cannot be used: names the setting, where it was given, its value and what it should look like."""


class DataDirError(FilplusError):
    """The data directory, or something in it, cannot be used as it stands."""


class DatabaseError(FilplusError):
    """Something between us and PostgreSQL; the subclass says whether waiting can help."""


class DatabaseUnavailable(DatabaseError):
    """No answer from the database now. Transient."""


class DatabaseRefused(DatabaseError):
    """The database answered, and will answer the same until a person changes something. Permanent."""


class QueryTimeout(DatabaseError):
    """A statement was stopped by its time limit. Transient, but the same statement may well be too slow again."""


class MigrationError(DatabaseError):
    """The schema cannot be brought to head: a migration was edited, is missing, is unknown or failed."""


class NetworkMismatch(DatabaseError):
    """The database holds one Filecoin network and the settings name another one."""


class ImportFailed(FilplusError):
    """An import ended without any change: neither rows nor coverage."""


class UnreadableFile(ImportFailed):
    """The operating system does not give the file."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"{name} can't be read: {why}. Name a file, or - for standard input")


class CorruptFile(ImportFailed):
    """The file is cut off, damaged, or no dump."""

    def __init__(self, name: str, what: str) -> None:
        super().__init__(f"{name} is not a whole dump: {what}. Nothing was imported; fetch it again")


class KindUnknown(ImportFailed):
    """No record tells what kind of thing the file holds."""


class TooFewRecords(ImportFailed):
    """A file that calls itself complete holds far fewer records than the index."""


class EpochMissing(ImportFailed):
    """Neither the command, the file nor the index tells the epoch of the records."""


class EpochInFuture(ImportFailed):
    """A file is said to have been read at an epoch that hasn't begun."""


class OtherNetwork(ImportFailed):
    """Every record of the file is another network's."""


class NotForkable(ImportFailed):
    """The file holds no state of a network, so that a simulated chain can't start from it."""


class FollowError(FilplusError):
    """Following a node can't go on as it is."""


class HeadMoved(FollowError):
    """The followed head isn't the one that a change was made for."""


class NotFollowing(FollowError):
    """The index follows no chain: following begins anew."""


class ForkBelowFinal(FollowError):
    """The node's chain left ours below what is final. Nothing is taken back: a person has to look."""


class StateTooSmall(FollowError):
    """A node's state that would make most of the index vanish: such an answer is a fault, until a person says no."""


class IndexChanged(FollowError):
    """What differs between the index and a node may be the doing of an import that came between."""


class QuestionError(FilplusError):
    """Asked for something that cannot be answered as asked; `code` is the stable name of why, `value` the culprit."""

    code = "bad_request"

    def __init__(self, message: str, *, value: object = None) -> None:
        super().__init__(message)
        self.value = value


class MalformedCid(QuestionError):
    """The text is no CID."""

    code = "malformed_cid"


class MalformedEpoch(QuestionError):
    """The epoch or time cannot be one of this network's."""

    code = "malformed_epoch"


class EpochNotIndexed(QuestionError):
    """The index does not reach that epoch."""

    code = "epoch_not_indexed"


class MalformedCursor(QuestionError):
    """The cursor was not made by the list that it came back to."""

    code = "malformed_cursor"


class NotFound(QuestionError):
    """There is no such record in the index."""

    code = "not_found"


class ServiceError(FilplusError):
    """Asking a running service failed."""


class ServiceUnreachable(ServiceError):
    """Nothing answers at the service's address, or not in time. Transient."""


class ServiceRefused(ServiceError):
    """The service answered with a problem document (RFC 9457), whose `status`, `code` and `remedy` are kept."""

    def __init__(self, message: str, *, status: int, code: str, remedy: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.remedy = remedy
