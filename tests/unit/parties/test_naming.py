import pytest

from explorer.parties.errors import AddressUnresolved, MalformedAddress
from explorer.parties.naming import actor_id_of, forms_of

ROBUST = [
    "f1abjxfbp274xpdqcpuaykwkfb43omjotacm2p3za",
    "f410fkkld55ioe7qg24wvt7fu6pbknb56ht7pt4zamxa",
    "0x52963ef50e27e06d72d59fcb4f3c2a687be3cfef",
]


@pytest.mark.parametrize("text", ["f01234", "0xff000000000000000000000000000000000004d2"])
def test_an_actor_id_says_itself_whose_it_is(text: str) -> None:
    assert actor_id_of(text, "f") == 1234


def test_every_form_of_an_id_leads_back_to_it() -> None:
    for actor_id in (0, 1234, 2**63 - 1):
        assert {actor_id_of(form, "f") for form in forms_of(actor_id, "f").values()} == {actor_id}


@pytest.mark.parametrize("text", ROBUST)
def test_other_forms_are_addresses_that_only_a_node_can_resolve(text: str) -> None:
    with pytest.raises(AddressUnresolved, match="actor ids"):
        actor_id_of(text, "f")


@pytest.mark.parametrize(
    "text",
    ["", "x", "f", "f0", "f01 ", " f01", "F01", "f001", "f01x", "f1abc", "f0-1", "f0" + "9" * 30, "0x12", "\x00"],
)
def test_what_is_no_address_is_malformed(text: str) -> None:
    with pytest.raises(MalformedAddress):
        actor_id_of(text, "f")


def test_another_networks_spelling_is_refused_with_the_right_one() -> None:
    with pytest.raises(MalformedAddress, match="on this one it is f01234"):
        actor_id_of("t01234", "f")
    assert actor_id_of("t01234", "ft") == 1234
