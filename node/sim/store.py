"""Everything that was ever mined, whether or not it is still on the chain: blocks, messages, executions.

Nothing is removed: what a reorg left behind can still be read by its CID, as on a node.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from node.cid import Cid
from node.message import SignedMessage, signed_message_cid
from node.signature import BLS
from node.sim.blocks import Block, Tipset, TipsetKey, tipset_of
from node.sim.errors import UnknownTipset
from node.sim.execution import Execution, Implicit, Setting, execute_tipset


@dataclass(slots=True)
class Store:
    """Blocks, tipsets, messages and executions by their CIDs. The first tipset's execution is what it starts from."""

    genesis: Tipset
    setting: Setting
    blocks: dict[Cid, Block] = field(default_factory=dict)
    tipsets: dict[TipsetKey, Tipset] = field(default_factory=dict)
    messages: dict[Cid, SignedMessage] = field(default_factory=dict)
    inclusions: dict[Cid, list[TipsetKey]] = field(default_factory=dict)
    """A message's CID to the tipsets that hold it, in the order of mining."""
    same_nonce: dict[tuple[int, int], list[Cid]] = field(default_factory=dict)
    """Sender's actor id and nonce to the messages that were included with it."""
    implicit: dict[TipsetKey, tuple[Implicit, ...]] = field(default_factory=dict)
    executions: dict[TipsetKey, Execution] = field(default_factory=dict)
    events: dict[Cid, TipsetKey] = field(default_factory=dict)
    """Events' root to a tipset in which they were emitted."""

    def add(self, tipset: Tipset, implicit: Sequence[Implicit] = ()) -> None:
        """Stores a tipset whose parent is stored; one that is stored already stays as it is."""
        key = tipset.key
        if key in self.tipsets:
            return
        self.tipsets[key] = tipset
        self.implicit[key] = tuple(implicit)
        for block in tipset.blocks:
            self.blocks[block.cid] = block
        for signed in tipset.messages:
            self.add_message(signed)
            self.inclusions.setdefault(signed_message_cid(signed), []).append(key)

    def add_message(self, signed: SignedMessage) -> None:
        """Stores a message: by its CID in blocks."""
        self.messages[signed_message_cid(signed)] = signed

    def load(self, key: TipsetKey) -> Tipset:
        """The tipset of blocks, in any order, some of a tipset's blocks too; UnknownTipset where one is not stored."""
        found = self.tipsets.get(key)
        if found is not None:
            return found
        missing = next((cid for cid in key if cid not in self.blocks), None)
        if missing is not None:
            raise UnknownTipset(str(missing))
        return tipset_of([self.blocks[cid] for cid in key])

    def parent(self, tipset: Tipset) -> Tipset:
        """The tipset before; a genesis is its own."""
        return self.genesis if tipset.height == 0 else self.load(tipset.parents)

    def ancestors(self, tipset: Tipset) -> Iterator[Tipset]:
        """The tipset itself and all before it, down to the genesis."""
        while tipset.height > 0:
            yield tipset
            tipset = self.parent(tipset)
        yield tipset

    def execution(self, tipset: Tipset) -> Execution:
        """What the tipset's execution made, executing it and those before it where that was not done yet."""
        due = []
        current = tipset
        while current.key not in self.executions:
            due.append(current)
            current = self.parent(current)
        for one in reversed(due):
            self._execute(one)
        return self.executions[tipset.key]

    def _execute(self, tipset: Tipset) -> None:
        parent = self.parent(tipset)
        execution = execute_tipset(
            tipset,
            self.executions[parent.key],
            parent_height=parent.height,
            setting=self.setting,
            implicit=self.implicit.get(tipset.key, ()),
        )
        self.executions[tipset.key] = execution
        for one in execution.executed:
            if one.receipt.events_root is not None:
                self.events[one.receipt.events_root] = tipset.key
            sender_id = one.trace.caller_id
            self.same_nonce.setdefault((sender_id, one.message.nonce), []).append(one.cid)

    def state_before(self, tipset: Tipset) -> Execution:
        """What is read at a tipset: what the execution of its parents made."""
        return self.execution(self.parent(tipset))

    def read_object(self, cid: Cid) -> bytes | None:
        """The bytes of a block or message, None for every other CID."""
        if cid in self.blocks:
            return self.blocks[cid].raw
        signed = self.messages.get(cid)
        if signed is None:
            return None
        return signed.message.to_bytes() if signed.signature.kind == BLS else signed.to_bytes()
