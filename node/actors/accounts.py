"""Accounts of keys (f1, f3), and the init actor (f01) that makes other actors, multisigs among them."""

from dataclasses import dataclass

from node.actors.market import NOTIFY_DEAL
from node.actors.receiver import RECEIVE
from node.address import Address
from node.cid import Cid
from node.elements import BOOLEAN
from node.methods import exported_method, native_method
from node.tuples import CborTuple, tuple_of


@dataclass(frozen=True, slots=True)
class AuthenticateParams(CborTuple):
    """A signature, without its kind, of the account over a message: how the market checks a deal's client."""

    signature_data: bytes
    message: bytes


@dataclass(frozen=True, slots=True)
class ExecParams(CborTuple):
    """The code of a new actor and the params of its constructor: for a multisig `multisig.ConstructorParams`."""

    code: Cid
    constructor_params: bytes


@dataclass(frozen=True, slots=True)
class ExecReturn(CborTuple):
    """The new actor's f0 address, and the f2 address that stays the same through every reorg."""

    id_address: Address
    robust_address: Address


AUTHENTICATE = exported_method("AuthenticateMessage", tuple_of(AuthenticateParams), BOOLEAN)
EXEC = native_method("Exec", 2, tuple_of(ExecParams), tuple_of(ExecReturn))

ACCOUNT_METHODS = (AUTHENTICATE, RECEIVE, NOTIFY_DEAL)
INIT_METHODS = (EXEC,)
