import pytest

from explorer.parties.errors import MalformedAddress
from explorer.parties.naming import forms_of, read_address
from node.address import ETH_NAMESPACE, PROTOCOL_DELEGATED, Address, actor_address, parse_address
from node.varint import uvarint_bytes

KEY = "f1abjxfbp274xpdqcpuaykwkfb43omjotacm2p3za"
DELEGATED = "f410fkkld55ioe7qg24wvt7fu6pbknb56ht7pt4zamxa"
ETH = "0x52963ef50e27e06d72d59fcb4f3c2a687be3cfef"


def masked(actor_id: int) -> str:
    """A masked actor id, spelled as f410."""
    raw = b"\xff" + bytes(11) + actor_id.to_bytes(8, "big")
    return Address(PROTOCOL_DELEGATED, uvarint_bytes(ETH_NAMESPACE) + raw).to_text()


@pytest.mark.parametrize("text", ["f01234", "0xff000000000000000000000000000000000004d2", masked(1234)])
def test_an_actor_id_says_itself_whose_it_is(text: str) -> None:
    assert read_address(text, "f").actor_id == 1234


def test_every_form_of_an_id_leads_back_to_it() -> None:
    for actor_id in (0, 1234, 2**63 - 1):
        forms = forms_of([actor_address(actor_id)], "f")
        found = {read_address(form, "f").actor_id for form in forms.values() if form is not None}
        assert found == {actor_id}


def test_addresses_are_told_by_what_they_are() -> None:
    known = [actor_address(1234), parse_address(KEY), parse_address(DELEGATED)]
    assert forms_of(known, "t") == {
        "id": "t01234",
        "eth": "0xff000000000000000000000000000000000004d2",
        "key": "t" + KEY[1:],
        "actor": None,
        "delegated": "t" + DELEGATED[1:],
        "delegated_eth": ETH,
    }
    assert forms_of([parse_address(ETH)], "f")["eth"] == ETH


@pytest.mark.parametrize("text", [KEY, DELEGATED, ETH])
def test_other_forms_are_addresses_that_only_a_node_can_resolve(text: str) -> None:
    assert read_address(text, "f").actor_id is None


@pytest.mark.parametrize(
    "text",
    [
        *("", "x", "f", "f0", "f01 ", " f01", "F01", "f001", "f01x", "f1abc", "f0-1", "f0" + "9" * 30, "0x12", "\x00"),
        *(masked(2**64 - 1), "0xff0000000000000000000000ffffffffffffffff"),
    ],
)
def test_what_is_no_address_is_malformed(text: str) -> None:
    with pytest.raises(MalformedAddress):
        read_address(text, "f")


def test_another_networks_spelling_is_refused_with_the_right_one() -> None:
    with pytest.raises(MalformedAddress, match="on this one it is f01234"):
        read_address("t01234", "f")
    assert read_address("t01234", "ft").actor_id == 1234
