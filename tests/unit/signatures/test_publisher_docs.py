"""What docs/publisher.md says, held against the product: the text as a function, the example, the shell's envelope."""

import re
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hypothesis import given

from explorer.signatures.facts import PublisherProof
from explorer.signatures.frc0102 import envelope
from explorer.signatures.texts import facts_of, text_of
from explorer.signatures.values import signer_text, time_text
from explorer.signatures.verify import verify_record
from tests.unit.signatures.builders import PUBLISHER_F1, proofs

PAGE = (Path(__file__).parents[3] / "docs" / "publisher.md").read_text()
[FUNCTION] = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
EXAMPLE = "\n".join(line[4:] for line in re.findall(r"\n((?: {4}.*\n){7})", PAGE)[0].splitlines())


def printed_function() -> Callable[..., str]:
    """The function that the page prints."""
    names: dict[str, Any] = {}
    exec(FUNCTION, names)
    function: Callable[..., str] = names["proof_text"]
    return function


@given(facts=proofs)
def test_the_printed_function_makes_our_texts(facts: PublisherProof) -> None:
    said = (signer_text(facts.publisher), facts.network, time_text(facts.expires_at))
    assert printed_function()(facts.cluster, facts.job_id, *said) == text_of(facts)


def test_the_example_is_genuine() -> None:
    [signature] = re.findall(r"^ {4}(01[0-9a-f]{130})$", PAGE, re.MULTILINE)
    assert verify_record({"message": EXAMPLE, "signature": signature}) == PublisherProof(
        cluster="berlin",
        job_id="j-7f3a",
        publisher=PUBLISHER_F1,
        network="mainnet",
        expires_at=datetime(2026, 12, 1, 12, tzinfo=UTC),
    )


def test_the_printed_envelope_is_the_one_that_is_verified(tmp_path: Path) -> None:
    [line] = re.findall(r"^ {4}(\{ printf .*)$", PAGE, re.MULTILINE)
    (tmp_path / "text.txt").write_text(EXAMPLE)
    subprocess.run(["sh", "-ec", line], cwd=tmp_path, check=True)
    assert (tmp_path / "enveloped").read_bytes() == envelope(EXAMPLE.encode())
    [hexed] = set(re.findall(r"\$\((od .*? enveloped.*)\)\"$", PAGE, re.MULTILINE))
    made = subprocess.run(["sh", "-ec", hexed], cwd=tmp_path, check=True, capture_output=True, text=True).stdout
    assert bytes.fromhex(made) == envelope(EXAMPLE.encode())


def test_the_text_in_the_notaries_page_is_one_of_ours() -> None:
    page = (Path(__file__).parents[3] / "docs" / "notary.md").read_text()
    texts = re.findall(r"((?: {4}.*\n)+)", page)
    ours = ["\n".join(line[4:] for line in text.splitlines()) for text in texts if "version 1\n" in text]
    assert [type(facts_of(text)).__name__ for text in ours] == ["SignIn", "Decision"]
