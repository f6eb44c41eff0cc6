"""Cases of actors' state, and of messages that are sent."""

import pytest

from node.chain import errors
from node.chain.event_filter import EventFilter
from node.message import signed_message_cid
from tests.contract_typed.accounts import (
    CLIENT,
    FRESH,
    NEVER,
    NOBODY,
    NOTARY,
    OTHER_CLIENT,
    PROVIDER,
    REGISTRY,
    ROOT,
    STRANGER,
)
from tests.contract_typed.case import case
from tests.contract_typed.worlds import GRANTS, READS, RECORDS, UNKNOWN, World
from tests.unit.lotus.chains import whole

OF_THE_REGISTRY = EventFilter(emitters=(REGISTRY,))


# State


@case()
async def datacap_is_null_then_what_was_given(world: World) -> None:
    chain = world.chain(GRANTS)
    assert await chain.verifier_datacap_bytes(NOTARY) is None
    await world.add_verifier(10 << 50)
    assert await chain.verifier_datacap_bytes(NOTARY) == 10 << 50
    assert await chain.client_datacap_bytes(CLIENT) is None
    await world.give(100 << 40)
    assert await chain.client_datacap_bytes(CLIENT) == 100 << 40
    await world.give(50 << 40)
    assert await chain.client_datacap_bytes(CLIENT) == 150 << 40


@case()
async def state_at_a_tipset_is_that_before_its_messages(world: World) -> None:
    chain = world.chain(READS)
    included, after = await world.tipset_with_a_grant()
    assert await chain.client_datacap_bytes(CLIENT, at=included) is None
    assert (await chain.client_datacap_bytes(CLIENT, at=after) or 0) > 0


@case()
async def nobody_has_datacap_and_that_is_no_error(world: World) -> None:
    chain = world.chain(READS)
    for address in (NOBODY, STRANGER, CLIENT):
        if address != STRANGER:
            assert await chain.verifier_datacap_bytes(address) is None
        if address != CLIENT:
            assert await chain.client_datacap_bytes(address) is None


@case()
async def actors_their_ids_and_keys(world: World) -> None:
    chain = world.chain(READS)
    registry = await chain.actor(REGISTRY)
    assert registry is not None
    assert (registry.nonce, registry.delegated_address) == (0, None)
    assert await chain.actor(FRESH) is None
    assert await chain.actor_id(FRESH) is None
    assert await chain.actor_id(NOBODY) == 999999
    with pytest.raises(errors.ActorNotFound):
        await chain.account_key(NOBODY)
    for no_account in (PROVIDER, REGISTRY):
        with pytest.raises(errors.NotFound):
            await chain.account_key(no_account)


@case()
async def the_registrys_root_and_the_providers(world: World) -> None:
    assert await world.chain(GRANTS).registry_root() == ROOT
    assert 1000 in await world.chain(RECORDS).provider_ids()


@case()
async def an_allocation_becomes_a_claim(world: World) -> None:
    chain = world.chain(RECORDS)
    assert await chain.allocation(CLIENT, 1) is None
    known = {claim.id for claim in await whole(chain.claims_of(PROVIDER))}
    await world.add_verifier(1 << 50)
    await world.give(1 << 40)
    assert await whole(chain.allocations_of(CLIENT)) == await whole(chain.allocations()) == []
    allocation_id = await world.allocate()
    found = await chain.allocation(CLIENT, allocation_id)
    assert found is not None
    await world.meet(OTHER_CLIENT)
    assert await chain.allocation(OTHER_CLIENT, allocation_id) is None
    assert found in await whole(chain.allocations_of(CLIENT))
    assert found in await whole(chain.allocations())
    await world.onboard(allocation_id)
    claims = await whole(chain.claims_of(PROVIDER))
    (claim,) = [claim for claim in claims if claim.id == allocation_id]
    assert allocation_id not in known
    assert await chain.claim(PROVIDER, allocation_id) == claim
    assert (claim.client_id, claim.piece, claim.size_bytes) == (found.client_id, found.piece, found.size_bytes)
    assert await chain.allocation(CLIENT, allocation_id) is None
    assert known <= {each.id for each in await whole(chain.claims())}


@case()
async def allocations_of_an_address_that_never_was(world: World) -> None:
    with pytest.raises(errors.ActorNotFound):
        await whole(world.chain(RECORDS).allocations_of(NEVER))


@case()
async def a_deal_alone_among_all_and_none(world: World) -> None:
    chain = world.chain(RECORDS)
    deal_id = await world.publish_deal()
    deal = await chain.deal(deal_id)
    assert deal is not None
    assert (deal.verified, deal.provider_id) == (True, 1000)
    assert deal in await whole(chain.deals())
    assert await chain.deal(999) is None


# Sending


@case()
async def a_message_is_sent_and_found(world: World) -> None:
    chain = world.chain(GRANTS)
    story = await world.grant_to_send()
    assert await chain.next_nonce(story.message.sender) == story.message.nonce
    priced = await chain.estimate_gas(story.message)
    assert priced.gas_limit > 0
    assert (priced.params, priced.nonce) == (story.message.params, story.message.nonce)
    cid = await chain.push(story.signed)
    assert cid == signed_message_cid(story.signed)
    assert await chain.search_message(cid) is None
    await world.mine(3)
    found = await chain.search_message(cid)
    assert found is not None
    assert (found.message_cid, found.receipt.exit_code) == (cid, 0)


@case()
async def of_rivals_for_a_nonce_the_dearer_wins(world: World) -> None:
    chain = world.chain(GRANTS)
    rivals = await world.rivals()
    sender, nonce = rivals.first.message.sender, rivals.first.message.nonce
    cid = await chain.push(rivals.first)
    assert await chain.push(rivals.first) == cid
    assert [each.message.nonce for each in await chain.pending_messages()] == [nonce]
    with pytest.raises(errors.PremiumTooLow) as raised:
        await chain.push(rivals.as_dear)
    least = rivals.first.message.gas_premium_attofil * 110 // 100 + 1
    assert abs(raised.value.required_premium_attofil - least) <= 1
    await chain.push(rivals.dearer)
    await world.mine(3)
    assert await chain.search_message(cid) is None
    with pytest.raises(errors.NonceTooLow) as too_low:
        await chain.push(rivals.first)
    assert too_low.value.expected_nonce == nonce + 1
    assert sender == NOTARY


@case()
async def what_the_mempool_refuses(world: World) -> None:
    chain = world.chain(GRANTS)
    kinds = {
        "nonce": errors.NonceTooLow,
        "signature": errors.SignatureRefused,
        "sender": errors.SenderUnknown,
        "gas": errors.MessageRefused,
        "funds": errors.NotEnoughFunds,
    }
    for why, kind in kinds.items():
        message = await world.refused(why)
        with pytest.raises(kind):
            await chain.push(message)


@case()
async def an_actors_refusal_has_its_exit_code(world: World) -> None:
    chain = world.chain(GRANTS)
    message = await world.grant_by_a_stranger()
    with pytest.raises(errors.RefusedByActor, match="is not a verifier") as raised:
        await chain.estimate_gas(message)
    assert raised.value.exit_code == 17


@case(recorded=False)
async def a_dry_run_tells_the_same_and_changes_nothing(world: World) -> None:
    chain = world.chain(GRANTS)
    story, refused = await world.grant_to_send(), await world.grant_by_a_stranger()
    good = await chain.call(story.message)
    assert (good.receipt.exit_code, good.error) == (0, "")
    bad = await chain.call(refused)
    assert bad.receipt.exit_code == 17
    assert "is not a verifier" in bad.error
    assert await chain.client_datacap_bytes(CLIENT) is None


@case()
async def a_sender_without_actor_has_no_nonce(world: World) -> None:
    with pytest.raises(errors.SenderUnknown):
        await world.chain(GRANTS).next_nonce(NEVER)


@case()
async def a_message_that_nobody_saw_is_not_found(world: World) -> None:
    with pytest.raises(errors.NotFound):
        await world.chain(READS).search_message(UNKNOWN.cids[0])
