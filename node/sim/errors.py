"""Every error that the simulated chain raises.

* SimulationError
  + ActorFailure      an actor refused a call; becomes the exit code of a receipt
  + OutOfGas          the message's gas did not suffice
  + RpcFault          a request is answered with an error, as Lotus answers it
  + UnknownTipset     no block or tipset has that CID
  + BadGenesis        records that no chain can start from
"""

from dataclasses import dataclass

METHOD_FAILED = 1
EXECUTION_REVERTED = 3
ACTOR_NOT_FOUND = 11
NULL_ROUND = 12
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
PARSE_ERROR = -32700


class SimulationError(Exception):
    """Something that the simulated chain cannot do."""


class ActorFailure(SimulationError):
    """An actor aborted its call. `frames` are the calls that failed, the outermost first, as a node lists them."""

    def __init__(self, exit_code: int, text: str, *, cause: str | None = None) -> None:
        super().__init__(f"{text} ({exit_code})")
        self.exit_code = exit_code
        self.text = text
        self.cause = cause
        self.frames: tuple[str, ...] = ()

    def backtrace(self) -> str:
        """The failure as Lotus prints it in `Error` of a trace and in the message of a failed estimate."""
        lines = "".join(f"{position:02}: {frame}\n" for position, frame in enumerate(self.frames))
        caused = f"--> caused by: {self.cause}\n" if self.cause else ""
        return f"message failed with backtrace:\n{lines}{caused} (RetCode={self.exit_code})"


class OutOfGas(SimulationError):
    """The message used more gas than its limit."""


@dataclass(eq=False)
class RpcFault(SimulationError):
    """An error answer of JSON-RPC. A method's own failure has status 200, a malformed request 500 or 400."""

    code: int
    message: str
    data: object = None
    http_status: int = 200

    def __str__(self) -> str:
        return f"{self.message} (code {self.code})"

    def document(self) -> dict[str, object]:
        """The `error` object, keys in a node's order."""
        document: dict[str, object] = {"code": self.code, "message": self.message}
        if self.data is not None:
            document["data"] = self.data
        return document


class UnknownTipset(SimulationError):
    """No block of that CID is stored."""


class BadGenesis(SimulationError):
    """What a chain is to start from contradicts itself."""


def failure(text: str) -> RpcFault:
    """The fault of a method that failed by itself: code 1, HTTP 200."""
    return RpcFault(METHOD_FAILED, text)
