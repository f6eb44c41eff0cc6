"""What the library says of a connection, in the words of our own tree."""

from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp

from node.chain.errors import AnswerCut, BadEndpoint, GarbledAnswer, NodeTimeout, NodeUnreachable


@contextmanager
def connection_errors(timeout_s: float) -> Iterator[None]:
    """Turns what goes wrong before a body into NodeTimeout, NodeUnreachable, GarbledAnswer or BadEndpoint.

    The library's texts can show the whole address, and its errors the headers: a provider's key, a token. They are
    not passed on.
    """
    try:
        yield
    except TimeoutError:
        raise NodeTimeout(f"no answer within {timeout_s:g} s") from None
    except aiohttp.InvalidURL:
        raise BadEndpoint("the node's address is no URL; write it as http://host:1234/rpc/v1") from None
    except aiohttp.ServerDisconnectedError:
        raise NodeUnreachable("the node hung up before it answered") from None
    except aiohttp.ClientResponseError as error:
        raise GarbledAnswer(f"the answer is no HTTP: {error.message[:200]}") from None
    except aiohttp.ClientConnectorError as error:
        raise NodeUnreachable(f"no connection: {error.os_error.strerror or type(error).__name__}") from None
    except (aiohttp.ClientError, OSError) as error:
        raise NodeUnreachable(f"no connection: {type(error).__name__}") from None


@contextmanager
def cut_answers() -> Iterator[None]:
    """Turns what goes wrong inside a body into AnswerCut."""
    try:
        yield
    except TimeoutError:
        raise
    except (aiohttp.ClientError, OSError) as error:
        raise AnswerCut(f"the connection ended inside the answer: {type(error).__name__}") from None
