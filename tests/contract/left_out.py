"""The recorded calls that are not played, and why."""

from tests.contract.recorded_calls import RecordedCall

_PATHS = "a path beside JSON-RPC: only a server has those"
LEFT_OUT = {
    "03/077-ChainGetNode": "no state tree is stored, so there are no nodes of it",
    "03/172-unknown-path": _PATHS,
    "03/176-health-health-livez": _PATHS,
    "03/177-health-health-readyz": _PATHS,
}


def left_out(call: RecordedCall, *, has_paths: bool) -> str | None:
    """Why a call is not played; None for those that are. Only a server has paths beside JSON-RPC."""
    reason = LEFT_OUT.get(f"{call.folder}/{call.number}")
    return None if reason == _PATHS and has_paths else reason
