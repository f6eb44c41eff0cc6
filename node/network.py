"""The networks that the product knows, and their clock: an epoch is 30 seconds."""

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from node.errors import NetworkError, excerpt

EPOCH_SECONDS = 30
MAX_EPOCH = 2**63 - 1
LAST_VERSION_WITH_DATACAP = 28
"""From network version 29 on nobody gives or spends DataCap (FIP-0118)."""

_UNIX_START = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_SECOND = (datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC) - _UNIX_START) // timedelta(seconds=1)
_EPOCH_TEXT = re.compile(r"[0-9]{1,19}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Network:
    """One Filecoin network. An epoch that is None is not known or not decided."""

    name: str
    genesis_time: int | None
    """Unix seconds of epoch 0; None where no source says it (a devnet's node does: then use `dataclasses.replace`)."""
    chain_id: int | None
    """The EIP-155 chain id."""
    address_prefix: str
    nv17_epoch: int
    """From here on claims and allocations exist (FIP-0045)."""
    nv22_epoch: int
    """From here on data comes in without a market deal (FIP-0076) and actors emit events (FIP-0083)."""
    nv29_epoch: int | None = None
    """The end of Filecoin Plus (FIP-0118), where a node has reported it."""
    nv29_announced_epoch: int | None = None
    """The end of Filecoin Plus as the developers announced it; nobody has confirmed that it happened."""


_MAINNET = Network(
    name="mainnet",
    genesis_time=1598306400,
    chain_id=314,
    address_prefix="f",
    nv17_epoch=2383680,
    nv22_epoch=3855360,
)
# Heights: lotus build/buildconstants/params_calibnet.go; the announced one: lotus PR 13809.
_CALIBRATION = Network(
    name="calibration",
    genesis_time=1667326380,
    chain_id=314159,
    address_prefix="t",
    nv17_epoch=16800,
    nv22_epoch=1427974,
    nv29_announced_epoch=4097613,
)
# A devnet is made anew by everybody, so neither its genesis nor its chain id is anybody's fact. Its prefix is the one
# of a Lotus built with mainnet's parameters; addresses with either prefix are read everywhere.
_DEVNET = Network(
    name="devnet",
    genesis_time=None,
    chain_id=None,
    address_prefix="f",
    nv17_epoch=0,
    nv22_epoch=0,
)
# It can be a fork of mainnet: the same clock, addresses and chain id, but every rule of today from its first epoch.
_SIMULATED = Network(
    name="simulated",
    genesis_time=_MAINNET.genesis_time,
    chain_id=_MAINNET.chain_id,
    address_prefix="f",
    nv17_epoch=0,
    nv22_epoch=0,
)

NETWORKS: dict[str, Network] = {one.name: one for one in (_MAINNET, _CALIBRATION, _DEVNET, _SIMULATED)}


def as_fork(network: Network, epoch: int) -> Network:
    """The network as the rules need it whose index begins at `epoch`.

    A simulated chain that begins beyond mainnet's nv22 goes on from mainnet, and its records have lived through
    mainnet's upgrades; any other had every rule of today from its first epoch.
    """
    if network.name != _SIMULATED.name or epoch < _MAINNET.nv22_epoch:
        return network
    return replace(network, nv17_epoch=_MAINNET.nv17_epoch, nv22_epoch=_MAINNET.nv22_epoch)


def network_named(name: str) -> Network:
    """The network of that name; NetworkError lists the known ones."""
    network = NETWORKS.get(name)
    if network is None:
        raise NetworkError(f"network {excerpt(name)} is not known; choose one of {', '.join(NETWORKS)}")
    return network


def time_of_epoch(network: Network, epoch: int) -> datetime | None:
    """When the epoch begins, in UTC.

    None where there is no such time: a negative epoch (the chain's -1 means "never"), a time
    beyond year 9999 (absurd epochs are real: 36744320 and more), or a network whose genesis is
    not known.
    """
    if network.genesis_time is None or epoch < 0:
        return None
    seconds = network.genesis_time + EPOCH_SECONDS * epoch
    if not 0 <= seconds <= _LAST_SECOND:
        return None
    return _UNIX_START + timedelta(seconds=seconds)


def epoch_at_time(network: Network, time: datetime) -> int:
    """The last epoch that has begun at `time`, which must bear its time zone.

    NetworkError before the genesis, for a naive time, and where the genesis is not known.
    """
    if time.utcoffset() is None:
        raise NetworkError(f"time {time.isoformat()} bears no time zone; add one, for example Z")
    if network.genesis_time is None:
        raise NetworkError(f"the genesis time of {network.name} is not known; ask by epoch instead of by time")
    seconds = (time - _UNIX_START) // timedelta(seconds=1)
    if seconds < network.genesis_time:
        genesis = time_of_epoch(network, 0)
        raise NetworkError(f"time {time.isoformat()} is before the genesis of {network.name}, {genesis}")
    return (seconds - network.genesis_time) // EPOCH_SECONDS


def parse_epoch(text: str) -> int:
    """The epoch that a person or program wrote: ASCII digits only, 0 to 2^63-1; else NetworkError."""
    epoch = int(text) if _EPOCH_TEXT.fullmatch(text) else -1
    if not 0 <= epoch <= MAX_EPOCH:
        raise NetworkError(f"epoch {excerpt(text)} is no chain height; write digits only, 0 to {MAX_EPOCH}")
    return epoch
