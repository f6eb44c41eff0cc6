"""The command that pages print for signing elsewhere: it works as printed, whatever network it is."""

import re
from datetime import UTC, datetime

import pytest

from explorer.web.assets import Assets
from explorer.web.config import WebConfig
from explorer.web.present import Present
from explorer.web.rendering import Renderer
from tests.e2e.fake_index import FakeIndex


@pytest.mark.parametrize(
    ("network", "command"),
    [
        ("mainnet", "filplus notary sign - --key notary-key.json"),
        ("simulated", "filplus notary sign - --key notary-key.json --network simulated"),
        ("calibration", "filplus notary sign - --key notary-key.json --network calibration"),
    ],
)
def test_the_printed_command_names_the_network_that_isnt_the_usual_one(network: str, command: str) -> None:
    config = WebConfig(network=network, public_url="https://x.test", version="0", now=lambda: datetime.now(UTC))
    offer = {"message": "a text", "signature": ""}
    page = Renderer(config, Assets.load(), Present(FakeIndex())).page(
        "sign_in.html", next="/reviews", address="", offer=offer, failure=None, comes_from_elsewhere=False
    )
    assert command in re.findall(r"<code>(.*?)</code>", page)
