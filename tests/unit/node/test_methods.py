import pytest

from node import exit_codes, singletons
from node.actors import accounts, datacap, market, miner, multisig, receiver, verifreg
from node.actors.dispatch import ActorKind, actor_at, method_of, methods_of
from node.address import parse_address
from node.errors import ParamsError, UnknownMethod
from node.exit_codes import exit_code_text
from node.methods import Method, exported_number

# builtin-actors' lib.rs of each actor, and what mainnet and a devnet called them by.
NUMBERS: list[tuple[Method, int | None, int | None]] = [
    (verifreg.ADD_VERIFIER, 2, None),
    (verifreg.REMOVE_VERIFIER, 3, None),
    (verifreg.ADD_VERIFIED_CLIENT, 4, 3916220144),
    (verifreg.REMOVE_VERIFIED_CLIENT_DATACAP, 7, None),
    (verifreg.REMOVE_EXPIRED_ALLOCATIONS, 8, 2421068268),
    (verifreg.CLAIM_ALLOCATIONS, 9, None),
    (verifreg.GET_CLAIMS, 10, 2199871187),
    (verifreg.EXTEND_CLAIM_TERMS, 11, 1752273514),
    (verifreg.REMOVE_EXPIRED_CLAIMS, 12, 2873373899),
    (verifreg.RECEIVE, None, 3726118371),
    (datacap.MINT, None, 116935346),
    (datacap.DESTROY, None, 2624896501),
    (datacap.BALANCE, None, 3261979605),
    (datacap.TRANSFER, None, 80475954),
    (datacap.TRANSFER_FROM, None, 3621052141),
    (datacap.INCREASE_ALLOWANCE, None, 1777121560),
    (datacap.DECREASE_ALLOWANCE, None, 1529376545),
    (datacap.REVOKE_ALLOWANCE, None, 2765635761),
    (datacap.BURN, None, 1434719642),
    (datacap.BURN_FROM, None, 2979674018),
    (datacap.ALLOWANCE, None, 4205072950),
    (datacap.TOTAL_SUPPLY, None, 114981429),
    (datacap.NAME, None, 48890204),
    (datacap.SYMBOL, None, 2061153854),
    (datacap.GRANULARITY, None, 3936767397),
    (market.PUBLISH_STORAGE_DEALS, 4, 2236929350),
    (market.GET_DEAL_DATA_COMMITMENT, None, 1157985802),
    (market.GET_DEAL_CLIENT, None, 128053329),
    (market.GET_DEAL_PROVIDER, None, 935081690),
    (market.GET_DEAL_LABEL, None, 46363526),
    (market.GET_DEAL_TERM, None, 163777312),
    (market.GET_DEAL_VERIFIED, None, 2627389465),
    (market.GET_DEAL_ACTIVATION, None, 2567238399),
    (market.GET_DEAL_SECTOR, None, 2611213344),
    (market.SETTLE_DEAL_PAYMENTS, None, 1900091594),
    (market.SECTOR_CONTENT_CHANGED, None, 2034386435),
    (market.NOTIFY_DEAL, None, 4186741094),
    (miner.PROVE_COMMIT_SECTORS, 34, None),
    (miner.TERMINATE_SECTORS, 9, None),
    (miner.IS_CONTROLLING_ADDRESS, None, 348244887),
    (multisig.PROPOSE, 2, 1696838335),
    (multisig.APPROVE, 3, 1289044053),
    (multisig.CANCEL, 4, 3365893656),
    (accounts.AUTHENTICATE, None, 2643134072),
    (accounts.EXEC, 2, None),
]


@pytest.mark.parametrize(("method", "native", "exported"), NUMBERS, ids=lambda value: getattr(value, "name", None))
def test_methods_have_the_numbers_of_the_network(method: Method, native: int | None, exported: int | None) -> None:
    assert (method.native, method.exported) == (native, exported)


def test_a_payload_of_tokens_is_told_by_its_number() -> None:
    assert receiver.FRC46_TOKEN == 2233613279


@pytest.mark.parametrize("name", ["", "send", "1Send", "Send!", "Sénd", "Send\n", "x" * 10_000])
def test_names_that_frc42_does_not_allow_are_refused(name: str) -> None:
    with pytest.raises(ParamsError, match="no name"):
        exported_number(name)


def test_a_name_may_begin_with_an_underscore() -> None:
    assert exported_number("_A") >= 2**24


@pytest.mark.parametrize("actor", ["account", "datacap", "init", "market", "miner", "multisig", "verifreg"])
def test_every_number_names_one_method_of_its_actor(actor: ActorKind) -> None:
    numbers = [number for method in methods_of(actor) for number in method.numbers]
    assert len(numbers) == len(set(numbers))
    for method in methods_of(actor):
        assert method.numbers
        assert all(method_of(actor, number) is method for number in method.numbers)


@pytest.mark.parametrize("number", [0, 1, 13, 99, -1, 2**64, 80475954])
def test_a_number_that_is_not_known_is_told_apart(number: int) -> None:
    with pytest.raises(UnknownMethod):
        method_of("verifreg", number)


def test_singletons_are_found_by_their_address() -> None:
    found = {text: actor_at(parse_address(text)) for text in ("f01", "t05", "f06", "f07", "f02", "f080", "f0100")}
    expected = {"f01": "init", "t05": "market", "f06": "verifreg", "f07": "datacap"}
    assert found == expected | dict.fromkeys(["f02", "f080", "f0100"])
    assert parse_address("f099") == singletons.BURNT_FUNDS
    assert parse_address("f080") == singletons.VERIFIED_REGISTRY_ROOT


@pytest.mark.parametrize(
    ("code", "text"),
    [
        (exit_codes.OK, "Ok(0)"),
        (exit_codes.OUT_OF_GAS, "SysErrOutOfGas(7)"),
        (exit_codes.ILLEGAL_ARGUMENT, "ErrIllegalArgument(16)"),
        (exit_codes.FORBIDDEN, "ErrForbidden(18)"),
        (exit_codes.UNHANDLED_MESSAGE, "ErrUnhandledMessage(22)"),
        (market.DEAL_EXPIRED, "32"),
        (market.DEAL_NOT_ACTIVATED, "33"),
        (-1, "-1"),
    ],
)
def test_exit_codes_are_written_as_lotus_writes_them(code: int, text: str) -> None:
    assert exit_code_text(code) == text
