"""`LotusChain` over the recordings: what the recorded node said, as the product gets it."""

from contextlib import aclosing

import pytest

from node.address import parse_address
from node.chain import errors
from node.chain.event_filter import EventFilter
from node.chain.tipset import HeadChanges, StreamGap, tipset_key_of
from node.cid import parse_cid
from node.events import ActorEvent
from node.lotus.expected import Expected
from node.message import Message, parse_message, parse_signed_message
from node.network import network_named
from tests.recordings_player import NotRecorded, RecordingsPlayer, recorded_calls
from tests.unit.lotus.chains import Scripted, always, chain_over, playing, taken, whole

GRANTS = "01-datacap-nv28"
RECORDS = "02-allocations-claims-deals-nv28"
READS = "03-reads-errors-events-nv28"
UPGRADE = "05-nv27-28-29-fip0118-branch"
DEFAULTS = "06-defaults-events-eth-indexer-off"
FINALITY = "07-finality-autoclaim-nv28"
TWO_MINERS = "08-two-miners-multi-block-tipsets"

CLIENT1 = parse_address("f1msintbslqlwlfrnuhegmvrbcdzdfjgi722uc37a")
NOTARY1 = parse_address("f1v2ykfcbeh4k6huezfaw2tnqaqego4macufzzudy")
STRANGER = parse_address("f1kcyt4uzqlcb7xkpawvgah3vbxlhfaeibokncmhq")
FRESH1 = parse_address("f15uhorpbooowg34j3c63apie5rrj2xb4nywqms5y")
FRESH2 = parse_address("f142ckqhnafijkn7onq6mkc3bxkjnrtibceauvcbi")
FRESH3 = parse_address("f1xpehaivakuifwu6dubdqpoed54ut6hubs5pou3a")
PROVIDER = parse_address("f01000")
GRANT = parse_cid("bafy2bzacedbdsh7uqiislkwgnmpggsdenfebehlz4atkp34w6gvjdprowkmh6")
GRANT_TIPSET = tipset_key_of("bafy2bzacedahhh5b3lvks2sjioqiupwwnaidcws4hlnumyjbv3tjidots452q")
UNKNOWN = "bafy2bzacedp3nyrhjyeiwo5lrko52nbkuujo63w7pnfc72byc34wlryki5hzc"


def recorded_message(folder: str, number: str) -> Message:
    call = next(call for call in recorded_calls(folder) if call.number.startswith(f"{number}-"))
    return parse_message(call.params[0], check_cid=False)


async def test_a_question_that_was_never_asked_is_named() -> None:
    with pytest.raises(NotRecorded, match="f0123456"):
        await anext(playing(GRANTS).claims_of(parse_address("f0123456")))


async def test_an_allowance_appears_with_the_grant_and_null_is_not_zero() -> None:
    chain = playing(GRANTS)
    assert await chain.verifier_datacap_bytes(NOTARY1) is None
    assert await chain.verifier_datacap_bytes(NOTARY1) == 10 << 50
    assert await chain.client_datacap_bytes(CLIENT1) is None
    assert await chain.client_datacap_bytes(CLIENT1) == 100 << 40
    assert await chain.client_datacap_bytes(CLIENT1) == 150 << 40


async def test_an_address_without_actor_has_no_datacap_and_no_id() -> None:
    assert await playing(GRANTS).verifier_datacap_bytes(FRESH1) is None
    assert await playing(READS).actor_id(FRESH3) is None
    assert await playing(READS).actor(FRESH3) is None


async def test_ids_and_keys() -> None:
    chain = playing(GRANTS)
    assert await chain.actor_id(parse_address("f0999999")) == 999999  # not asked: a node echoes it
    assert str(await chain.account_key(parse_address("f080"))) == "f14veibs2k4prf2jdmueoag3fnvre6ocn6obeu3ua"
    with pytest.raises(errors.NotFound, match="multisig"):
        await chain.account_key(parse_address("f01004"))
    with pytest.raises(errors.ActorNotFound):
        await playing(READS).account_key(parse_address("f0999999"))
    assert str(await chain.registry_root()) == "f080"


async def test_network_and_version() -> None:
    identity = await playing(READS).identity()
    assert (identity.name, identity.genesis_time) == ("testing", 1785384783)
    version = await playing(GRANTS).node_version()
    assert (version.text, version.agent, version.block_delay_s) == (
        "v1.36.2-dev+mainnet+git.b835fab70",
        "lotus",
        30,
    )
    assert await playing(GRANTS).network_version() == 28


async def test_the_tipset_before_null_rounds_stands_for_them() -> None:
    chain = playing(READS)
    null, before = await chain.tipset_at(249), await chain.tipset_at(248)
    assert null == before
    assert before.epoch == 248


async def test_an_epoch_above_the_head_is_named_with_the_head() -> None:
    with pytest.raises(errors.EpochAboveHead) as raised:
        await playing(READS).tipset_at(1261)
    assert raised.value.head_epoch == 261


async def test_a_tipset_that_the_node_does_not_hold() -> None:
    with pytest.raises(errors.NotFound, match=READS):
        await playing(READS).tipset(tipset_key_of(UNKNOWN))


async def test_a_young_chain_has_nothing_final() -> None:
    young = await playing(READS).finality()
    assert (young.source, young.tipset.epoch) == ("v2_tag", 0)
    for level, epoch in (("finalized", 100), ("safe", 800)):
        final = await playing(FINALITY).finality(level)
        assert (final.source, final.level, final.tipset.epoch) == ("v2_tag", level, epoch)


async def test_messages_of_a_tipset_and_none_of_an_empty_one() -> None:
    chain = playing(READS)
    (message,) = await chain.messages(GRANT_TIPSET)
    assert message.cid == GRANT
    assert message.message.method == 4
    empty = tipset_key_of("bafy2bzacebrwqwp443wljvdapyjxvtm3m4ayxyhbhfuppn7nqzosvm6notpv4")
    assert await chain.messages(empty) == ()


async def test_executed_messages_come_with_their_receipts() -> None:
    chain = playing(TWO_MINERS)
    block = "bafy2bzacecixffdwlgpiqo2de6ojsyqfnlyka5kxhlx2ejora55mzrs42kty4"
    head = await chain.head()
    tipset = type(head)(
        **{name: getattr(head, name) for name in head.__slots__ if name != "key"}, key=tipset_key_of(block)
    )
    executed = await chain.executed_messages(tipset)
    assert [each.receipt.gas_used for each in executed] == [11598649, 10200409, 10200801]
    assert all(each.receipt.ok for each in executed)


async def test_deals_alone_and_all_of_them() -> None:
    chain = playing(RECORDS)
    deals = await whole(chain.deals())
    assert [deal.id for deal in deals] == sorted(deal.id for deal in deals)
    one = await chain.deal(2)
    assert one is not None
    assert (one.client_id, one.provider_id, one.verified) == (103, 1000, True)
    assert one in deals
    assert await chain.deal(999) is None


async def test_claims_and_allocations() -> None:
    chain = playing(RECORDS)
    claims = await whole(chain.claims_of(PROVIDER))
    assert [claim.id for claim in claims] == [1, 2]
    assert [claim.id for claim in await whole(chain.claims())] == [1, 2]
    assert await chain.claim(PROVIDER, 1) == claims[0]
    assert await whole(chain.allocations_of(CLIENT1)) == []
    assert await whole(chain.allocations()) == []
    assert await chain.allocation(CLIENT1, 1) is None
    found = await chain.allocation(CLIENT1, 3)
    assert found is not None
    assert (found.client_id, found.expiration_epoch) == (103, 100131)
    with pytest.raises(errors.ActorNotFound):
        await anext(chain.allocations_of(FRESH2))


async def test_an_estimate_fills_in_the_gas_alone() -> None:
    asked = recorded_message(GRANTS, "017")
    priced = await playing(GRANTS).estimate_gas(asked)
    assert (priced.gas_limit, priced.gas_premium_attofil) == (7345507, 99226)
    assert (priced.method, priced.params, priced.nonce) == (asked.method, asked.params, asked.nonce)


async def test_an_estimate_of_what_fails_tells_exit_code_and_words() -> None:
    with pytest.raises(errors.RefusedByActor, match="caller f0110 is not a verifier") as raised:
        await playing(GRANTS).estimate_gas(recorded_message(GRANTS, "082"))
    assert raised.value.exit_code == 17


async def test_after_the_end_of_the_programme_a_grant_is_forbidden() -> None:
    with pytest.raises(errors.RefusedByActor, match="FIP-0118: datacap is deprecated") as raised:
        await playing(UPGRADE).estimate_gas(recorded_message(UPGRADE, "114"))
    assert raised.value.exit_code == 18


async def test_dry_runs_answer_with_receipts() -> None:
    chain = playing(GRANTS)
    good = await chain.call(recorded_message(GRANTS, "221"))
    assert good.receipt.ok
    assert good.error == ""
    bad = await chain.call(recorded_message(GRANTS, "222"))
    assert bad.receipt.exit_code == 17
    assert "caller f0110 is not a verifier" in bad.error
    with pytest.raises(errors.SenderUnknown):
        await chain.call(recorded_message(GRANTS, "225"))


async def test_pushing_the_same_bytes_again_is_no_failure() -> None:
    call = next(call for call in recorded_calls(GRANTS) if call.number.startswith("161-"))
    signed = parse_signed_message(call.params[0], check_cid=False)
    chain = playing(GRANTS)
    first = await chain.push(signed)
    assert await chain.push(signed) == first
    with pytest.raises(errors.NonceTooLow) as raised:
        await chain.push(signed)
    assert raised.value.expected_nonce == 17


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        ("167", errors.PremiumTooLow),
        ("187", errors.NonceTooLow),
        ("197", errors.SignatureRefused),
        ("198", errors.SignatureRefused),
        ("200", errors.MessageRefused),
        ("202", errors.MessageRefused),
        ("204", errors.MessageRefused),
        ("206", errors.NotEnoughFunds),
        ("208", errors.SenderUnknown),
    ],
)
async def test_what_the_mempool_refuses_is_told_apart(number: str, kind: type[errors.ChainError]) -> None:
    call = next(call for call in recorded_calls(GRANTS) if call.number.startswith(f"{number}-"))
    with pytest.raises(kind) as raised:
        await playing(GRANTS).push(parse_signed_message(call.params[0], check_cid=False))
    assert type(raised.value) is kind
    if isinstance(raised.value, errors.PremiumTooLow):
        assert raised.value.required_premium_attofil == 110250


async def test_a_nonce_and_none_for_a_sender_without_actor() -> None:
    chain = playing(GRANTS)
    assert await chain.next_nonce(NOTARY1) == 0
    with pytest.raises(errors.SenderUnknown):
        await chain.next_nonce(FRESH2)


async def test_pending_messages() -> None:
    (pending,) = await playing(GRANTS).pending_messages()
    assert pending.message.nonce == 16


async def test_a_replaced_message_is_not_found() -> None:
    replaced = parse_cid("bafy2bzacecab4mjmubswdd5wgi44z5rrdzy6g3wgt4qsr3ikmljsbvmzjsv2g")
    assert await playing(GRANTS).search_message(replaced) is None


async def test_another_message_is_never_taken_for_the_one_that_was_looked_for() -> None:
    """The recorded node was asked to allow replacements here; another one might not need to be asked."""
    call = next(call for call in recorded_calls(GRANTS) if call.number.startswith("183-"))
    chain = chain_over(Scripted(always(call.response["result"])))
    with pytest.raises(errors.MessageReplaced) as raised:
        await chain.search_message(parse_cid(call.params[1]["/"]))
    assert str(raised.value.by) == "bafy2bzacedjykigg3gedr4cuetiigbg2mq22sajdvza5is43aptmcj7pzj56q"


async def test_where_a_message_was_executed() -> None:
    chain = playing(READS)
    found = await chain.search_message(GRANT)
    assert found is not None
    assert (found.message_cid, found.epoch, found.receipt.exit_code) == (GRANT, 10, 0)
    assert await chain.search_message(GRANT, lookback_epochs=10) is None
    with pytest.raises(errors.NotFound):
        await chain.search_message(parse_cid(UNKNOWN))


async def test_the_gateway_does_not_find_what_the_node_finds_and_that_is_no_failure() -> None:
    assert await playing(READS, gateway=True).search_message(GRANT) is None


@pytest.mark.parametrize("name", ["deals", "allocations"])
async def test_what_a_gateway_lacks_is_not_supported(name: str) -> None:
    with pytest.raises(errors.MethodMissing):
        await whole(getattr(playing(READS, gateway=True), name)())


async def test_a_gateway_looks_back_a_day_only() -> None:
    with pytest.raises(errors.BeyondLookback):
        await playing(READS, gateway=True).tipset_at(10)


async def test_a_node_with_events_off_names_the_setting() -> None:
    chain = playing(DEFAULTS)
    with pytest.raises(errors.ModuleDisabled) as raised:
        await chain.actor_events(EventFilter(from_epoch=0))
    assert raised.value.setting == "Events.EnableActorEventsAPI"
    with pytest.raises(errors.ModuleDisabled):
        await anext(playing(DEFAULTS).actor_event_stream(EventFilter()))


async def test_events_of_a_range_of_a_tipset_and_of_a_provider() -> None:
    chain = playing(READS)
    narrow = await chain.actor_events(EventFilter(from_epoch=8, to_epoch=12))
    assert [event.height for event in narrow] == [9, 12]
    one = await chain.actor_events(EventFilter(tipset=GRANT_TIPSET.texts))
    assert [event.msg_cid for event in one] == [str(GRANT)]
    claims = await chain.actor_events(EventFilter(from_epoch=0, event_types=("claim",), provider_ids=(1000,)))
    assert {event.payload.event_type for event in claims} == {"claim"}
    assert await chain.actor_events(EventFilter(from_epoch=311)) == ()


async def test_the_order_of_a_tipsets_blocks_matters() -> None:
    chain = playing(TWO_MINERS)
    key = (
        "bafy2bzaceck533arqqkgcpt5lxty6236r3pkjsgsijyojc4frnv7onwyqldeg",
        "bafy2bzaceb24rljhzasy3ruavvbcodp3eetq365zieo57z675ecdfhbayoeg6",
    )
    assert len(await chain.actor_events(EventFilter(tipset=key))) == 3
    with pytest.raises(errors.NotFound):
        await chain.actor_events(EventFilter(tipset=key[::-1]))


async def test_too_wide_a_range_names_the_limit() -> None:
    with pytest.raises(errors.RangeTooWide) as raised:
        await playing(READS).actor_events(EventFilter(from_epoch=0, to_epoch=100000))
    assert raised.value.max_epochs == 2880


async def test_the_head_is_followed_through_null_rounds_and_a_revert() -> None:
    async with aclosing(playing(READS).head_changes()) as stream:
        items = await taken(stream, 12)
    steps = [
        [(change.kind, change.tipset.epoch) for change in item.changes] if isinstance(item, HeadChanges) else item
        for item in items
    ]
    assert steps[:4] == [[("current", 263)], [("apply", 264)], [("apply", 265)], [("apply", 266)]]
    assert steps[4] == [("apply", 269)]
    assert steps[7] == [("revert", 271), ("revert", 270), ("revert", 269)]
    assert steps[8] == [("apply", 275)]


async def test_a_broken_stream_is_told_and_goes_on_with_current() -> None:
    async with aclosing(playing(READS).head_changes()) as stream:
        items = await taken(stream, 14)
    assert isinstance(items[12], StreamGap)
    assert items[12].node == READS
    assert items[13] == items[0]


async def test_head_and_events_come_in_the_nodes_own_order() -> None:
    events = EventFilter(emitters=(parse_address("f06"),))
    async with aclosing(playing(TWO_MINERS).follow(events)) as stream:
        items = await taken(stream, 7)
    story = [
        (item.height, item.reverted)
        if isinstance(item, ActorEvent)
        else [(change.kind, change.tipset.epoch, len(change.tipset.key.cids)) for change in item.changes]
        for item in items
    ]
    assert story == [
        [("current", 14, 2)],
        [("apply", 15, 1)],
        [("revert", 15, 1), ("apply", 15, 2)],
        [("apply", 16, 1)],
        (15, False),
        (15, False),
        (15, False),
    ]


async def test_a_reverted_event_is_told_again() -> None:
    async with aclosing(playing(READS).follow(EventFilter(emitters=(parse_address("f06"),)))) as stream:
        items = await taken(stream, 12)
    told = [(item.height, item.reverted) for item in items if isinstance(item, ActorEvent)]
    assert told == [(283, False), (283, True), (289, False)]


async def test_a_node_of_another_network_is_not_used() -> None:
    chain = chain_over(RecordingsPlayer(READS), expected=Expected(network_named("mainnet")))
    with pytest.raises(errors.WrongNetwork, match="testing"):
        await chain.head()
    with pytest.raises(errors.WrongNetwork):
        await chain.push(parse_signed_message(recorded_calls(GRANTS)[19].params[0], check_cid=False))


async def test_a_devnet_is_known_by_its_genesis() -> None:
    chain = chain_over(RecordingsPlayer(READS), expected=Expected(network_named("devnet")))
    assert (await chain.head()).epoch == 261
    other = Expected(network_named("devnet"), genesis_cid=GRANT)
    with pytest.raises(errors.WrongNetwork, match="genesis"):
        await chain_over(RecordingsPlayer(READS), expected=other).head()
