"""Opening a chain: the store with its first tipset, and the state that it starts from."""

from collections.abc import Set as AbstractSet

from node.cid import Cid
from node.sim.execution import Setting
from node.sim.genesis import genesis_state, with_imported
from node.sim.mining import genesis_tipset
from node.sim.options import Options
from node.sim.store import Store


def open_store(options: Options, *, trusted: AbstractSet[Cid]) -> Store:
    """The store of a chain that has only its genesis. `trusted`: messages whose signatures are not looked at."""
    state = genesis_state(options.genesis, seed=options.seed, rules=options.rules)
    if options.imported is not None:
        state = with_imported(state, options.imported, seed=options.seed, rules=options.rules)
    tipset, execution = genesis_tipset(
        state, seed=options.seed, time=options.genesis_time, base_fee=options.genesis.base_fee
    )
    setting = Setting(rules=options.rules, upgrades=dict(options.upgrades), trusted=trusted, seed=options.seed)
    store = Store(tipset, setting)
    store.add(tipset)
    store.executions[tipset.key] = execution
    return store
