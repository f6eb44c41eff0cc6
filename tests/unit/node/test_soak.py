"""Every parser of `node/` fed with damaged bytes for minutes: a value, or the package's own error, nothing else."""

import os
import random
import time
from collections.abc import Callable

import pytest

from node import cbor
from node.address import address_from_bytes, parse_address
from node.cid import cid_from_bytes, parse_cid
from node.errors import FilecoinError
from node.label import label_kind, payload_key
from node.message import Message, SignedMessage

SAMPLES = [
    b"bafybeiadnyv6t65hnwx4as467n4p7k4u6bwsh3dhw24xrahfdwcmpddyo4",
    b"baga6ea4seaqepbqg7dxrdphrvusy3pmc5lelcczwwi5nydduyog655wgnby4ijq",
    b"mAXCg5AIgrlxdhtWlQYd+xRf20UUMrzw+Gn9F8LogoloEJ0xWvBM",
    b"f1d2xrzcslx7xlbbylc5c3d5lvandqw4iwl6epxba",
    bytes.fromhex("8255011eaf1c8a4bbfeeb0870b1745b1f57503470b71164700010000000000"),
    bytes.fromhex("d82a5828000181e203922020478606f8ef11bcf1ad258dbd82eac8b10b36b23adc0c74c38d000000"),
]


def _of_text(parse: Callable[[str], object]) -> Callable[[bytes], object]:
    return lambda raw: parse(raw.decode("utf-8", "surrogateescape"))


PARSERS: list[Callable[[bytes], object]] = [
    _of_text(parse_cid),
    _of_text(parse_address),
    cid_from_bytes,
    address_from_bytes,
    cbor.decode,
    payload_key,
    label_kind,
    Message.from_bytes,
    SignedMessage.from_bytes,
]


@pytest.mark.soak
def test_parsers_for_minutes() -> None:
    """For MINUTES (5), with SEED where one is given."""
    seed = int(os.environ.get("SEED") or random.randrange(10**6))
    chance = random.Random(seed)
    until = time.monotonic() + 60 * float(os.environ.get("MINUTES") or 5)
    while time.monotonic() < until:
        raw = bytearray(chance.choice(SAMPLES))
        for _ in range(chance.randrange(4)):
            raw[chance.randrange(len(raw))] = chance.randrange(256)
        for parse in PARSERS:
            try:
                parse(bytes(raw))
            except FilecoinError:
                continue
            except Exception as error:
                raise AssertionError(f"seed {seed}: {parse} of {bytes(raw)!r}") from error
