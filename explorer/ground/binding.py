"""Listening sockets: taken early, so that an address that can't be had is told before anything else is opened."""

import socket

from explorer.errors import SettingsError
from explorer.ground.setting_values import Listen

BACKLOG = 1024
_WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}  # noqa: S104 - compared with, not bound to


def bound_socket(listen: Listen) -> socket.socket:
    """A listening socket; SettingsError where the address can't be had."""
    family = socket.AF_INET6 if ":" in listen.host else socket.AF_INET
    try:
        return socket.create_server((listen.host, listen.port), family=family, backlog=BACKLOG)
    except OSError as error:
        what = error.strerror or str(error)
        raise SettingsError(
            f"can't listen on {listen}: {what}; name another HOST:PORT with --listen or FILPLUS_LISTEN"
        ) from error


def address_of(bound: socket.socket) -> str:
    """The address to reach a listening socket at from this machine."""
    host, port = bound.getsockname()[:2]
    return f"http://{Listen(_WILDCARDS.get(host, host), port)}"
