"""`filplus demo`: the whole story, told once, in a process of its own."""

import json
import subprocess

from tests.clusters import open_folder
from tests.e2e.program import PROGRAM, Filplus


def test_the_story_ends_with_an_approval_and_a_rejection() -> None:
    with open_folder() as folder:
        environment = Filplus(folder / "unused").environment
        command = [PROGRAM, "--json", "demo", "--once"]
        done = subprocess.run(
            command, env=environment, cwd=folder, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 0, done.stderr
        told = json.loads(done.stdout)["steps"]
    assert [step["verdict"] for step in told[:8]] == [
        *("active", "active", "past", "unknown"),
        *("pending", "active", "pending", "active"),
    ]
    assert [step["sentence"] for step in told[8:]] == [
        "approved, waits for DataCap",
        "rejected by Ada, a notary of the demo",
    ]
    for said in ("alert review.requested arrived, its signature verified", "I approve a grant of", "No DataCap moved"):
        assert said in done.stderr
