"""The simulated chain: it mines when told, and nothing in it depends on anything but its seed and what it was told.

    genesis ← tipset ← tipset ← null round ← tipset        the head's chain is the heaviest
                    ↖ tipset ← tipset                      what a reorg left behind stays readable

Everybody who listens is told of each change of the head, in Lotus' order.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import blake2b

from node import cbor
from node.cid import Cid
from node.message import SignedMessage, message_cid, signed_message_cid
from node.sim.blocks import Tipset, TipsetKey
from node.sim.canon import Canon
from node.sim.changes import HeadChange, changes_between
from node.sim.execution import Execution, Implicit
from node.sim.genesis import own_wallet
from node.sim.keys import Wallet
from node.sim.listeners import HeadListener, Listeners, MempoolListener
from node.sim.mempool import Mempool, check_form, check_signed
from node.sim.mining import Miner
from node.sim.opening import open_store
from node.sim.options import MAINNET_GENESIS_TIME, Options
from node.sim.snapshots import Pending, Snapshot, copied
from node.sim.state import State


class SimulatedChain:
    """The chain. One thread at a time; no method waits."""

    def __init__(self, options: Options | None = None) -> None:
        self.options = options or Options()
        self.wallet: Wallet = own_wallet(self.options.seed)
        self.mempool = Mempool()
        self.waiting: list[Implicit] = []
        """Implicit changes for the next tipset."""
        self.null_rounds = 0
        """Epochs that the next tipset skips."""
        self._trusted: set[Cid] = set()
        self._snapshots: dict[int, Snapshot] = {}
        self._heads: Listeners[[Sequence[HeadChange]]] = Listeners()
        self._messages: Listeners[[int, SignedMessage]] = Listeners()
        self._salt = 0
        self._viewpoint: Tipset | None = None
        self.store = open_store(self.options, trusted=self._trusted)
        self.canon = Canon(self.store.genesis)
        self._miner = Miner(
            self.options.seed,
            genesis_time=self.options.genesis_time,
            miner_ids=[miner.actor_id for miner in self.options.genesis.miners] or [0],
        )
        if self.options.imported is not None:
            self.null_rounds = max(self.options.imported.epoch - 1, 0)
            self.mine()

    # Reading.

    @property
    def head(self) -> Tipset:
        """The tipset at the end of the heaviest chain, or the older one that is looked from."""
        return self._viewpoint or self.canon.head

    @contextmanager
    def looking_from(self, tipset: Tipset) -> Iterator[None]:
        """Lets reads within take an older tipset of the chain for the head."""
        before, self._viewpoint = self._viewpoint, tipset
        try:
            yield
        finally:
            self._viewpoint = before

    @property
    def upgrades(self) -> dict[int, int]:
        """Network version to the last epoch before it."""
        return self.store.setting.upgrades

    def state_at(self, tipset: Tipset) -> State:
        """What a read at a tipset sees: messages of the tipsets below it."""
        return self.store.state_before(tipset).state

    def state_after(self, tipset: Tipset) -> State:
        """What the tipset's own messages make of it: what nonces and estimates go by."""
        return self.store.execution(tipset).state

    def version_at(self, epoch: int) -> int:
        """The network version of an epoch. An upgrade at an epoch counts from the next one on."""
        reached = [version for version, last in self.upgrades.items() if last < epoch]
        return max((self.options.genesis.network_version, *reached))

    def execution_of(self, tipset: Tipset) -> Execution:
        """What the execution of a tipset made."""
        return self.store.execution(tipset)

    # Listening.

    def listen(self, listener: HeadListener) -> Callable[[], None]:
        """Has the listener called with every change of the head; the function that ends it."""
        return self._heads.add(listener)

    def listen_to_mempool(self, listener: MempoolListener) -> Callable[[], None]:
        """Has the listener called with every message that comes or goes; the function that ends it."""
        return self._messages.add(listener)

    # Messages.

    def push(self, signed: SignedMessage) -> Cid:
        """Takes a message into the mempool, as MpoolPush does; its CID. RpcFault where Lotus refuses it."""
        check_form(signed)
        state = self.state_after(self.head)
        check_signed(signed, state)
        return self._enqueue(signed, self.mempool.check(signed, state))

    def push_trusted(self, signed: SignedMessage) -> Cid:
        """Takes a message of the chain's own verbs: no signature of it, nor within it, is looked at."""
        self._trusted.add(message_cid(signed.message))
        check_form(signed)
        return self._enqueue(signed, self.mempool.check(signed, self.state_after(self.head)))

    def _enqueue(self, signed: SignedMessage, sender_id: int) -> Cid:
        replaced = self.mempool.add(signed, sender_id)
        self.store.add_message(signed)
        if replaced is not None:
            self._messages.tell(1, replaced)
        self._messages.tell(0, signed)
        return signed_message_cid(signed)

    def clear_mempool(self) -> None:
        """Forgets the messages that wait for a block."""
        self._replace_pending({})

    # Mining.

    def mine(self, *, blocks: int | None = None, empty: bool = False) -> Tipset:
        """Mines the next tipset on the head, with what is pending unless it is to be empty; returns it."""
        implicit = () if empty else tuple(self.waiting)
        height = self.head.height + 1 + self.null_rounds
        tipset = self._build(self.head, height, blocks=blocks, empty=empty, implicit=implicit)
        self.store.add(tipset, implicit)
        self.null_rounds = 0
        if not empty:
            self.waiting.clear()
        self._grow(tipset, implicit)
        return tipset

    def is_settled(self) -> bool:
        """Whether another tipset would change nothing: no message is to be executed or included, no change waits."""
        if self.waiting or self.head.messages:
            return False
        state = self.store.execution(self.head).state
        return not self.mempool.select(state, self._miner.base_fee_after(self.head))

    def _build(
        self, parent: Tipset, height: int, *, blocks: int | None, empty: bool, implicit: Sequence[Implicit] = ()
    ) -> Tipset:
        execution = self.store.execution(parent)
        salt = self._salt_of(parent, height, implicit)
        base_fee = self._miner.base_fee_after(parent)
        messages = () if empty else self.mempool.select(execution.state, base_fee)
        return self._miner.build(
            parent,
            execution,
            height=height,
            messages=messages,
            base_fee=base_fee,
            blocks=blocks or self._miner.block_count(parent, height, self.options.blocks_per_tipset, salt),
            salt=salt,
        )

    def _salt_of(self, parent: Tipset, height: int, implicit: Sequence[Implicit]) -> str:
        """What blocks are drawn from beside their parent. Orders that no message shows are part of it: a tipset with
        an order and one without are never the same, whatever was reverted in between."""
        upgrades = [
            [version, last] for version, last in sorted(self.upgrades.items()) if parent.height <= last < height
        ]
        if not implicit and not upgrades:
            return str(self._salt)
        orders = cbor.encode([[change.to_list() for change in implicit], upgrades])
        return f"{self._salt}/{blake2b(orders, digest_size=16).hexdigest()}"

    def _grow(self, tipset: Tipset, implicit: Sequence[Implicit]) -> None:
        """Makes a child of the head the head. Its blocks come one by one: each makes a new tipset of the epoch."""
        shown: Tipset | None = None
        for count in range(1, len(tipset.blocks) + 1):
            partial = tipset if count == len(tipset.blocks) else self._miner.arrived(tipset, count)
            self.store.add(partial, implicit)
            changes = [] if shown is None else [HeadChange("revert", shown)]
            self._move_to(partial, [*changes, HeadChange("apply", partial)])
            shown = partial

    def _move_to(self, tipset: Tipset, changes: Sequence[HeadChange]) -> None:
        """Makes a tipset the head, puts the mempool right, and tells the listeners."""
        self.canon.replace(
            reverted=[change.tipset for change in changes if change.kind == "revert"],
            applied=[change.tipset for change in changes if change.kind == "apply"],
        )
        for change in changes:
            self._sort_waiting(change)
        for kind, signed in self.mempool.follow(changes, self.state_at(self.head)):
            self._messages.tell(kind, signed)
        self._heads.tell(changes)

    def _sort_waiting(self, change: HeadChange) -> None:
        """Has implicit changes of a reverted tipset wait again, and those of an applied one wait no more."""
        made = self.store.implicit.get(change.tipset.key, ())
        if change.kind == "revert":
            self.waiting[:0] = made
        else:
            self.waiting[:] = [one for one in self.waiting if one not in made]

    def set_head(self, tipset: Tipset) -> None:
        """Makes a stored tipset the head, whatever its weight: a reorg that somebody orders."""
        changes = changes_between(self.store, self.head, tipset)
        if changes:
            self.store.execution(self.head)  # By the upgrades that it was mined under: they may change now.
            self._move_to(tipset, changes)

    def consider(self, tipset: Tipset) -> bool:
        """Makes a stored tipset the head where its chain is the heaviest; whether it was."""
        heavier = tipset.weight > self.head.weight
        if heavier:
            self.set_head(tipset)
        return heavier

    def fork(self, depth: int) -> list[HeadChange]:
        """Replaces the last tipsets by a heavier chain of empty ones; the changes of the head.

        The genesis, and the tipset that a chain of imported records begins with, stay.
        """
        base = self.canon.ancestor(depth, floor=0 if self.options.imported is None else 1)
        old_head = self.head
        reverted = [change.tipset for change in changes_between(self.store, old_head, base)]
        if not reverted:
            return []
        self._salt += 1
        tip = base
        for height in (*(tipset.height for tipset in reversed(reverted)), old_head.height + 1):
            tip = self._add_empty(tip, height)
        while tip.weight <= old_head.weight:
            tip = self._add_empty(tip, tip.height + 1)
        changes = changes_between(self.store, old_head, tip)
        self.consider(tip)
        return changes

    def _add_empty(self, parent: Tipset, height: int) -> Tipset:
        """Stores an empty tipset of more blocks than others have."""
        tipset = self._build(parent, height, blocks=self.options.blocks_per_tipset[1] + 1, empty=True)
        self.store.add(tipset)
        return tipset

    # Snapshots.

    def snapshot(self) -> int:
        """Remembers how everything is; the number by which `revert` brings it back."""
        number = len(self._snapshots) + 1
        self._snapshots[number] = Snapshot(
            self.head,
            copied(self.mempool.pending),
            dict(self.upgrades),
            tuple(self.waiting),
            self.null_rounds,
            self._salt,
        )
        return number

    def revert(self, number: int) -> list[HeadChange] | None:
        """Brings back what a snapshot remembers, and keeps it; the changes of the head. None: there is no such one."""
        snapshot = self._snapshots.get(number)
        if snapshot is None:
            return None
        changes = changes_between(self.store, self.head, snapshot.head)
        self.set_head(snapshot.head)
        self._replace_pending(copied(snapshot.mempool))
        self.upgrades.clear()
        self.upgrades.update(snapshot.upgrades)
        self.waiting[:] = snapshot.waiting
        self.null_rounds, self._salt = snapshot.null_rounds, snapshot.salt
        return changes

    def _replace_pending(self, pending: Pending) -> None:
        """Puts other messages in the place of those that wait for a block."""
        before = self.mempool.messages()
        self.mempool.pending = pending
        after = self.mempool.messages()
        gone, come = set(before) - set(after), set(after) - set(before)
        for kind, signed in [*((1, one) for one in before if one in gone), *((0, one) for one in after if one in come)]:
            self._messages.tell(kind, signed)

    def tipset_of_key(self, key: TipsetKey) -> Tipset:
        """The tipset of a key, the head's for none; UnknownTipset where a block of it is not stored."""
        return self.store.load(key) if key else self.head


__all__ = ["MAINNET_GENESIS_TIME", "HeadChange", "HeadListener", "MempoolListener", "Options", "SimulatedChain"]
