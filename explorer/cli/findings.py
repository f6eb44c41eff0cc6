"""What `filplus check` finds of one component."""

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "note", "fails"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What the doctor found of one component: the state, the facts, and the remedy where one is needed."""

    component: str
    state: State
    fact: str
    remedy: str = ""
