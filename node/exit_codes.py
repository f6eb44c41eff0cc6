"""Exit codes of messages, and their names as Lotus prints them (go-state-types, exitcode/names.go).

0 to 15 are the virtual machine's, 16 to 31 are common to all actors, from 32 on each actor has its own.
A code is the same number everywhere, so it stays an integer; a code without a name is one too.
"""

OK = 0
OUT_OF_GAS = 7
ILLEGAL_ARGUMENT = 16
NOT_FOUND = 17
FORBIDDEN = 18
"""Also every grant from network version 29 on (FIP-0118)."""
INSUFFICIENT_FUNDS = 19
ILLEGAL_STATE = 20
SERIALIZATION = 21
UNHANDLED_MESSAGE = 22
FIRST_OF_ACTORS = 32

NAMES: dict[int, str] = {
    OK: "Ok",
    1: "SysErrSenderInvalid",
    2: "SysErrSenderStateInvalid",
    3: "SysErrReserved1",
    4: "SysErrIllegalInstruction",
    5: "SysErrInvalidReceiver",
    6: "SysErrInsufficientFunds",
    OUT_OF_GAS: "SysErrOutOfGas",
    8: "SysErrReserved2",
    9: "SysErrIllegalExitCode",
    10: "SysFatal",
    11: "SysErrMissingReturn",
    12: "SysErrReserved3",
    13: "SysErrReserved4",
    14: "SysErrReserved5",
    15: "SysErrReserved6",
    ILLEGAL_ARGUMENT: "ErrIllegalArgument",
    NOT_FOUND: "ErrNotFound",
    FORBIDDEN: "ErrForbidden",
    INSUFFICIENT_FUNDS: "ErrInsufficientFunds",
    ILLEGAL_STATE: "ErrIllegalState",
    SERIALIZATION: "ErrSerialization",
    UNHANDLED_MESSAGE: "ErrUnhandledMessage",
    23: "ErrUnspecified",
    24: "ErrAssertionFailed",
    25: "ErrReadOnly",
    26: "ErrNotPayable",
}


def exit_code_text(code: int) -> str:
    """The code as Lotus prints it: `ErrForbidden(18)`, or the bare number where it has no name."""
    name = NAMES.get(code)
    return str(code) if name is None else f"{name}({code})"
