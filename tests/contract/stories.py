"""What a story is: a devnet, the folders of calls that were made on it, and what happened between the calls."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from node.message import Message
from tests.contract.devnets import Setup


@dataclass(frozen=True, slots=True)
class Sent:
    """Messages that the driver, or the miner, sent without a call that shows it; they are executed at an epoch."""

    messages: tuple[Message, ...]
    execution_height: int
    cids: tuple[str, ...] = ()
    """What the recorded node called them, where calls ask for them."""


@dataclass(frozen=True, slots=True)
class Pushed:
    """Messages that the driver pushed without a call that shows it, and what the recorded node called them."""

    messages: tuple[Message, ...]
    cids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Forked:
    """The head goes back to an epoch, as ChainSetHead has it."""

    height: int


@dataclass(frozen=True, slots=True)
class Replaced:
    """A tipset of one block at an epoch takes the place of the head, on the same parent.

    A node heard of the heavier block and told of both changes in one frame; here they are two.
    """

    height: int


@dataclass(frozen=True, slots=True)
class Mined:
    """Tipsets at these epochs that the chain has not reached."""

    heights: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Named:
    """The recorded blocks of these CIDs are those of our tipset at an epoch."""

    height: int
    cids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Opened:
    """A websocket is opened, and played from here on."""

    file: str


@dataclass(frozen=True, slots=True)
class Closed:
    """A websocket is closed, and what it got is compared."""

    file: str


Step = Sent | Pushed | Forked | Replaced | Mined | Named | Opened | Closed
END = "end"
"""Where the steps stand that come after the last call."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """One devnet's recordings."""

    folders: tuple[str, ...]
    setup: Setup = field(default_factory=Setup)
    steps: Mapping[tuple[str, str], tuple[Step, ...]] = field(default_factory=dict)
    """By folder and number of the call before which they happen."""
    nulls: frozenset[int] = frozenset()
    """Epochs without a tipset."""
    blocks: Mapping[int, int] = field(default_factory=dict)
    """How many blocks a tipset has, where it is more than one."""
    renamed: Mapping[str, str] = field(default_factory=dict)
    """Recorded addresses whose keys nobody has, to ours."""
