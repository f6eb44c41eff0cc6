"""Where the service of a data directory answers: service.json, for commands beside it."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

SERVICE_FILE: Final = "service.json"


def running_service(data_dir: Path) -> str | None:
    """The address of the explorer that runs on this data directory, as its service.json says; None if none runs."""
    try:
        document = json.loads((data_dir / SERVICE_FILE).read_text())
        url, pid = str(document["url"]), int(document["pid"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        return url
    return url


@contextmanager
def service_file(data_dir: Path, url: str) -> Iterator[None]:
    """Says where the service of this data directory answers, for commands beside it; takes the word back at the end."""
    path = data_dir / SERVICE_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{SERVICE_FILE}.{os.getpid()}")
    draft.write_text(json.dumps({"url": url, "pid": os.getpid()}))
    draft.replace(path)
    try:
        yield
    finally:
        if running_service(data_dir) == url:
            path.unlink(missing_ok=True)
