"""What a case is. What cases ask is the same in every world, and so is its order."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.contract_typed.worlds import World

Play = Callable[[World], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Case:
    """A function of a world, and whether the recordings hold what it asks."""

    name: str
    play: Play
    recorded: bool


CASES: list[Case] = []
"""All cases, in the order in which they stand."""


def case(*, recorded: bool = True) -> Callable[[Play], Play]:
    """Adds a function to the cases."""

    def add(play: Play) -> Play:
        CASES.append(Case(play.__name__, play, recorded))
        return play

    return add
