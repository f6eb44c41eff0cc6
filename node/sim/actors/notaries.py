"""The verified registry (f06), first part: notaries, and the DataCap that they give clients."""

from dataclasses import replace

from node.actors import datacap, verifreg
from node.actors.accounts import AUTHENTICATE, AuthenticateParams
from node.address import Address, actor_address
from node.event_types import VerifierBalance
from node.exit_codes import FORBIDDEN, ILLEGAL_ARGUMENT, NOT_FOUND
from node.sim.errors import ActorFailure
from node.sim.machine import Call
from node.singletons import DATACAP, MARKET
from node.tokens import TOKENS_PER_BYTE


def refuse_after_end(call: Call, what: str) -> None:
    """ActorFailure from network version 29 on: FIP-0118."""
    if call.world.datacap_ended:
        raise ActorFailure(FORBIDDEN, f"FIP-0118: datacap is deprecated, {what} is no longer supported")


def _require_root(call: Call) -> None:
    if call.caller_id != call.state.registry.root_id:
        raise ActorFailure(FORBIDDEN, f"caller {call.caller} is not one of supported")


def _datacap_tokens(call: Call, actor_id: int) -> int:
    return call.send(DATACAP, datacap.BALANCE, actor_address(actor_id), read_only=True)


def _set_allowance(call: Call, verifier_id: int, allowance_bytes: int) -> None:
    registry = call.state.registry
    verifiers = registry.verifiers.set(verifier_id, allowance_bytes)
    call.world.set_registry(replace(registry, verifiers=verifiers))


def _balance_event(verifier_id: int, balance_bytes: int, client_id: int | None = None) -> VerifierBalance:
    return VerifierBalance(verifier_id=verifier_id, balance_bytes=balance_bytes, client_id=client_id)


def add_verifier(call: Call, params: verifreg.AddVerifierParams) -> None:
    """Makes a notary, or replaces its allowance."""
    refuse_after_end(call, "adding new verifiers")
    least = call.world.rules.min_verified_bytes
    if params.allowance_bytes < least:
        text = f"Allowance {params.allowance_bytes} below minimum deal size for add verifier {params.verifier}"
        raise ActorFailure(ILLEGAL_ARGUMENT, text)
    verifier_id = call.resolve(params.verifier)
    _require_root(call)
    if verifier_id == call.state.registry.root_id:
        raise ActorFailure(ILLEGAL_ARGUMENT, "Rootkey cannot be added as verifier")
    if _datacap_tokens(call, verifier_id) > 0:
        who = actor_address(verifier_id)
        raise ActorFailure(ILLEGAL_ARGUMENT, f"verified client {who} cannot become a verifier")
    _set_allowance(call, verifier_id, params.allowance_bytes)
    call.emit(_balance_event(verifier_id, params.allowance_bytes))


def remove_verifier(call: Call, verifier: Address) -> None:
    """Ends a notary."""
    refuse_after_end(call, "removing verifiers")
    verifier_id = call.state.actor_id(verifier)
    _require_root(call)
    registry = call.state.registry
    if verifier_id is None or verifier_id not in registry.verifiers:
        raise ActorFailure(ILLEGAL_ARGUMENT, f"no such verifier {verifier}")
    call.world.set_registry(replace(registry, verifiers=registry.verifiers.delete(verifier_id)))
    call.emit(_balance_event(verifier_id, 0))


def add_verified_client(call: Call, params: verifreg.AddVerifiedClientParams) -> None:
    """Gives a client DataCap out of the calling notary's allowance. It adds to what the client has."""
    refuse_after_end(call, "minting new datacap")
    amount = params.datacap_bytes
    if amount < call.world.rules.min_verified_bytes:
        text = f"allowance {amount} below MinVerifiedDealSize for add verified client {params.client}"
        raise ActorFailure(ILLEGAL_ARGUMENT, text)
    client_id = call.resolve(params.client)
    left = _allowance_after(call, client_id, amount)
    _set_allowance(call, call.caller_id, left)
    client = actor_address(client_id)
    call.send(DATACAP, datacap.MINT, datacap.MintParams(client, amount * TOKENS_PER_BYTE, (MARKET,)))
    call.emit(_balance_event(call.caller_id, left, client_id))


def _allowance_after(call: Call, client_id: int, amount: int) -> int:
    """What the calling notary has left after a grant; ActorFailure where it cannot give it."""
    registry = call.state.registry
    if client_id == registry.root_id:
        raise ActorFailure(ILLEGAL_ARGUMENT, "root cannot be added as client")
    allowance: int | None = registry.verifiers.get(call.caller_id)
    if allowance is None:
        raise ActorFailure(NOT_FOUND, f"caller {call.caller} is not a verifier")
    if client_id in registry.verifiers:
        who = actor_address(client_id)
        raise ActorFailure(ILLEGAL_ARGUMENT, f"verifier {who} cannot be added as a verified client")
    if allowance < amount:
        text = f"add more DataCap {amount} for client than allocated {allowance}"
        raise ActorFailure(ILLEGAL_ARGUMENT, text)
    return allowance - amount


def remove_datacap(call: Call, params: verifreg.RemoveDataCapParams) -> verifreg.RemoveDataCapReturn:
    """Takes DataCap from a client: the root, with two notaries' consent."""
    refuse_after_end(call, "removing verified client data cap")
    client_id = call.resolve(params.client)
    requests = (params.first_request, params.second_request)
    verifiers = [call.resolve(request.verifier) for request in requests]
    if verifiers[0] == verifiers[1]:
        raise ActorFailure(ILLEGAL_ARGUMENT, "need two different verifiers to send remove datacap request")
    _require_root(call)
    for verifier_id, request in zip(verifiers, requests, strict=True):
        _check_consent(call, verifier_id, client_id, request, params.datacap_bytes)
    client = actor_address(client_id)
    removed = min(_datacap_tokens(call, client_id), params.datacap_bytes * TOKENS_PER_BYTE)
    call.send(DATACAP, datacap.DESTROY, datacap.DestroyParams(client, removed))
    return verifreg.RemoveDataCapReturn(client, removed // TOKENS_PER_BYTE)


def _check_consent(
    call: Call, verifier_id: int, client_id: int, request: verifreg.RemovalRequest, datacap_bytes: int
) -> None:
    """Counts the removal, and lets the notary's account say whether it signed it; ActorFailure where not."""
    registry = call.state.registry
    verifier, client = actor_address(verifier_id), actor_address(client_id)
    if verifier_id not in registry.verifiers:
        raise ActorFailure(NOT_FOUND, f"{verifier} is not a verifier")
    number: int = registry.removals.get((verifier_id, client_id), 0)
    call.world.set_registry(replace(registry, removals=registry.removals.set((verifier_id, client_id), number + 1)))
    proposal = verifreg.RemovalProposal(client, datacap_bytes, verifreg.RemovalProposalId(number))
    if call.world.trusted:
        return
    consent = AuthenticateParams(request.signature.data, proposal.signing_bytes())
    try:
        call.send(verifier, AUTHENTICATE, consent, read_only=True)
    except ActorFailure as error:
        text = f"invalid signature for datacap removal request from {verifier}"
        raise ActorFailure(ILLEGAL_ARGUMENT, text) from error


METHODS = (
    (verifreg.ADD_VERIFIER, add_verifier),
    (verifreg.REMOVE_VERIFIER, remove_verifier),
    (verifreg.ADD_VERIFIED_CLIENT, add_verified_client),
    (verifreg.REMOVE_VERIFIED_CLIENT_DATACAP, remove_datacap),
)
