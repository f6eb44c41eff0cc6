"""Exit codes of `filplus`, and which error ends with which."""

from enum import IntEnum

from explorer.errors import (
    DatabaseUnavailable,
    FilplusError,
    NotFound,
    QuestionError,
    ServiceRefused,
    ServiceUnreachable,
    SettingsError,
)
from explorer.signatures.errors import SignatureRefused
from node.errors import FilecoinError


class Exit(IntEnum):
    """See CONTRACT, `filplus`."""

    OK = 0
    ERROR = 1
    USAGE = 2
    NOT_FOUND = 3
    NOT_FILPLUS = 4
    RATE_LIMITED = 5
    UNREACHABLE = 6
    REFUSED = 7
    UNKNOWN = 8


_OF_STATUS = {
    400: Exit.USAGE,
    401: Exit.REFUSED,
    403: Exit.REFUSED,
    404: Exit.NOT_FOUND,
    409: Exit.REFUSED,
    422: Exit.REFUSED,
    429: Exit.RATE_LIMITED,
}


def exit_of(error: FilplusError | FilecoinError) -> Exit:
    """The exit code that an error ends the program with."""
    if isinstance(error, ServiceRefused):
        return _OF_STATUS.get(error.status, Exit.UNREACHABLE if error.status >= 500 else Exit.ERROR)
    if isinstance(error, ServiceUnreachable | DatabaseUnavailable):
        return Exit.UNREACHABLE
    if isinstance(error, SignatureRefused):
        return Exit.REFUSED
    if isinstance(error, NotFound):
        return Exit.NOT_FOUND
    if isinstance(error, QuestionError | SettingsError | FilecoinError):
        return Exit.USAGE
    return Exit.ERROR
