"""The process that hands one message to Apprise: `python -m explorer.alerts.notifier`, started by `channels`.

    standard input   {"addresses": […], "title": "…", "body": "…"}    without a body they are only read
    standard output  {"result": "sent" | "failed" | "read" | "unreadable" | "missing", "address": 0}

Addresses come by standard input, since a command line is seen by everybody. What Apprise prints goes nowhere.
"""

import json
import resource
import signal
import sys
from typing import Any, Final

LONGEST_S: Final = 60
"""A process whose service was killed ends by itself."""
MOST_MEMORY_BYTES: Final = 1 << 30


def main() -> None:
    """Reads one task, does it, and says what came of it."""
    signal.alarm(LONGEST_S)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core would hold the addresses
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY_BYTES, MOST_MEMORY_BYTES))
    json.dump(done(json.load(sys.stdin)), sys.stdout)


def done(task: dict[str, Any]) -> dict[str, Any]:
    """What came of a task; of addresses that can't be read the first one's place in the list."""
    try:
        import apprise  # noqa: PLC0415 - an extra, and slow to import
    except ImportError:
        return {"result": "missing"}
    asset = apprise.AppriseAsset(app_id="filplus", app_desc="filplus", plugin_paths=[], storage_mode="memory")
    told = apprise.Apprise(asset=asset)
    for place, address in enumerate(task["addresses"]):
        if not told.add(address):
            return {"result": "unreadable", "address": place}
    if "body" not in task:
        return {"result": "read"}
    went_well = told.notify(body=task["body"], title=task["title"], body_format=apprise.NotifyFormat.TEXT)
    return {"result": "sent" if went_well else "failed"}


if __name__ == "__main__":
    main()
