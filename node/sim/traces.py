"""What one call did, and the calls within it: the ExecutionTrace of StateCall and StateReplay."""

from dataclasses import dataclass, field

from node.address import Address
from node.event_types import Payload


@dataclass(slots=True)
class Trace:
    """One call. It is filled while the call runs."""

    caller_id: int
    to: Address
    value_attofil: int
    method: int
    params: bytes
    gas_limit: int
    read_only: bool = False
    invoked_id: int | None = None
    exit_code: int = 0
    return_value: bytes = b""
    gas_used: int = 0
    subcalls: "list[Trace]" = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Emitted:
    """An event and the actor that emitted it."""

    emitter_id: int
    payload: Payload
