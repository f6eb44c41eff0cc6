"""What a job's document says where it has the shape of a Bacalhau v1 job, whatever else it may be. Pure.

Nothing here was checked by anybody: a cluster writes what it likes.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from node.cid import canonical, parse_cid
from node.errors import CidError

MOST_CHARS: Final = 300
MOST_COMPARED: Final = 500
"""So many of a job's sources are compared with the CIDs that a review names."""
_NO_NETWORK: Final = frozenset({"", "none"})


@dataclass(frozen=True, slots=True)
class JobSays:
    """What of a job wants a look. Each text has where it stands before it: `the job's Name`, `the image of task 2`."""

    names: tuple[tuple[str, str], ...] = ()
    images: tuple[tuple[str, str], ...] = ()
    scripts: tuple[tuple[str, str], ...] = ()
    """What it runs, and with which parameters."""
    networks: tuple[str, ...] = ()
    """The kinds of network that its tasks want, but for none."""
    unnamed: tuple[str, ...] = ()
    """What it reads that is none of the CIDs it is asked for, each once."""
    uncompared: int = 0
    """How many more sources it has, which weren't compared."""


NOTHING_SAID: Final = JobSays()


def read_job(text: str, cids: Iterable[str]) -> JobSays:
    """What a job's JSON says; nothing where it can't be read. `cids` are those that its review names."""
    try:
        job = json.loads(text)
    except (ValueError, RecursionError):
        return NOTHING_SAID
    return job_says(job, cids)


def job_says(job: Any, cids: Iterable[str]) -> JobSays:
    """What a job's document says; `cids` are those that its review names."""
    if not isinstance(job, dict):
        return NOTHING_SAID
    tasks = objects_of(job.get("Tasks"))
    sources = [one for task in tasks for one in sources_of(task)]
    return JobSays(
        names=_found([("the job's Name", job)], "Name"),
        images=(*_found([("the job's Image", job)], "Image"), *_found(_placed("the image", tasks), "Image")),
        scripts=(
            *_found(_placed("what is run", tasks), "Entrypoint"),
            *_found(_placed("the parameters", tasks), "Parameters"),
        ),
        networks=tuple(dict.fromkeys(_networks(tasks))),
        unnamed=_unnamed(sources[:MOST_COMPARED], cids),
        uncompared=max(0, len(sources) - MOST_COMPARED),
    )


def sources_of(task: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """What a task reads, each as its kind, what it names (a CID, a URL, a bucket, a path), and where it appears."""
    return [_source(one) for one in objects_of(task.get("InputSources"))]


def _source(source: Mapping[str, Any]) -> tuple[str, str, str]:
    inner = object_of(source.get("Source"))
    parameters = object_of(inner.get("Params"))
    keys = ("CID", "URL", "Bucket", "Repo", "SourcePath")
    where = next((words for key in keys if (words := words_of(parameters.get(key)))), "")
    return words_of(inner.get("Type")), where, words_of(source.get("Target"))


def _placed(what: str, tasks: list[Mapping[str, Any]]) -> list[tuple[str, Mapping[str, Any]]]:
    """The engines' parameters, each with the words for where they stand."""
    several = len(tasks) > 1
    return [
        (f"{what} of task {place}" if several else what, object_of(object_of(task.get("Engine")).get("Params")))
        for place, task in enumerate(tasks, start=1)
    ]


def _found(places: list[tuple[str, Mapping[str, Any]]], key: str) -> tuple[tuple[str, str], ...]:
    return tuple((what, words) for what, fields in places if (words := words_of(fields.get(key))))


def _networks(tasks: list[Mapping[str, Any]]) -> Iterator[str]:
    for task in tasks:
        kind = words_of(object_of(task.get("Network")).get("Type"))
        if kind.lower() not in _NO_NETWORK:
            yield kind


def _unnamed(sources: list[tuple[str, str, str]], cids: Iterable[str]) -> tuple[str, ...]:
    named = {_canonical(cid) for cid in cids}
    read = dict.fromkeys(where or f"a source of the kind {kind or 'unknown'}" for kind, where, _ in sources)
    return tuple(where for where in read if _canonical(where) not in named)


def _canonical(text: str) -> str:
    """The CID of a text, with or without ipfs:// before it and a path behind, in one spelling; else the text."""
    cid = text.removeprefix("ipfs://").partition("/")[0]
    try:
        return canonical(parse_cid(cid)).to_text()
    except CidError:
        return text


def object_of(value: Any) -> Mapping[str, Any]:
    """The value where it is an object, an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def list_of(value: Any) -> list[Any]:
    """The value where it is a list, an empty one for anything else."""
    return value if isinstance(value, list) else []


def objects_of(value: Any) -> list[Mapping[str, Any]]:
    """The objects of a list."""
    return [one for one in list_of(value) if isinstance(one, dict)]


def words_of(value: Any) -> str:
    """A scalar or a list of them as words, of a length that can be shown; empty for anything else."""
    if isinstance(value, str):
        return cut_words(value)
    if isinstance(value, bool | int | float):
        return cut_words(json.dumps(value))
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return cut_words(" ".join(value[:50]))
    return ""


def cut_words(text: str) -> str:
    """The text, its beginning where it is long."""
    return text if len(text) <= MOST_CHARS else f"{text[: MOST_CHARS - 1]}…"
