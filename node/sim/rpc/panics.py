"""Errors of methods that nobody foresaw. A Lotus node takes the panic, logs it, answers, and lives on."""

import structlog

from node.sim.errors import RpcFault

_log = structlog.get_logger(__name__)
_CODE = 0


def panicked(name: str, error: Exception) -> RpcFault:
    """The answer to a call that ended so, told in the log once with where it came from."""
    _log.error("method_panicked", method=name, error=repr(error), exc_info=error)
    return panic_fault(name, f"{type(error).__name__}: {error}")


def panic_fault(name: str, reason: str) -> RpcFault:
    """The answer to a call that panicked for a reason."""
    return RpcFault(_CODE, f"fatal error calling '{name}': panic in rpc method '{name}': {reason}", http_status=500)
