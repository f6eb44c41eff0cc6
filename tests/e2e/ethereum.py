"""web3, imported without what comes with it: one of its dependencies raises the interpreter's recursion limit so far
that nested JSON crashes a process instead of raising RecursionError.
"""

import sys

_limit = sys.getrecursionlimit()
from web3 import AsyncWeb3, Web3, WebSocketProvider  # noqa: E402 - between the two lines about the limit

sys.setrecursionlimit(_limit)

__all__ = ["AsyncWeb3", "Web3", "WebSocketProvider"]
