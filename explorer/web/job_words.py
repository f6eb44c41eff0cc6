"""A job in words, where its document is a Bacalhau v1 job; else only what can be said of any document. Pure."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from explorer.web.written import JsonText

MOST_TASKS: Final = 5
MOST_ENTRIES: Final = 8
MOST_CHARS: Final = 300


@dataclass(frozen=True, slots=True)
class JobWords:
    """What a job is. `pairs` are names and what is said of them; nothing of it was checked."""

    kind: str
    pairs: tuple[tuple[str, str], ...]


def job_words(document: JsonText) -> JobWords:
    """The job of a JSON text, in words."""
    if not document.is_read:
        return JobWords("a document that can't be read as JSON here", ())
    job = document.value
    if not isinstance(job, dict):
        return JobWords("a document, no job that is known here", ())
    tasks = _objects(job.get("Tasks"))
    if not tasks:
        return JobWords("a document, no job that is known here", tuple(_named(job)))
    return JobWords("a Bacalhau job", (*_named(job), *_of_tasks(tasks)))


def _named(job: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for label, key in (("Name", "Name"), ("Type", "Type"), ("Namespace", "Namespace")):
        if words := _text(job.get(key)):
            yield label, words
    labels = job.get("Labels")
    if isinstance(labels, dict) and labels:
        yield "Labels", _listed([f"{key}={_text(value)}" for key, value in labels.items()])


def _of_tasks(tasks: list[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    for place, task in enumerate(tasks[:MOST_TASKS]):
        before = f"Task {place + 1}: " if len(tasks) > 1 else ""
        for label, words in _of_task(task):
            yield (f"{before}{label.lower()}" if before else label), words
    if len(tasks) > MOST_TASKS:
        yield "More tasks", str(len(tasks) - MOST_TASKS)


def _of_task(task: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    engine = _object(task.get("Engine"))
    parameters = _object(engine.get("Params"))
    if kind := _text(engine.get("Type")):
        yield "Engine", kind
    for label, key in (("Image", "Image"), ("Module", "EntryModule"), ("Runs", "Entrypoint"), ("With", "Parameters")):
        if words := _text(parameters.get(key)):
            yield label, words
    sources = [_source(one) for one in _objects(task.get("InputSources"))]
    if sources:
        yield "Inputs", _listed(sources)
    results = [_text(one.get("Path")) for one in _objects(task.get("ResultPaths"))]
    if any(results):
        yield "Results", _listed(results)
    publisher = _object(task.get("Publisher"))
    if words := _text(publisher.get("Type")):
        yield "Published by", words
    resources = _object(task.get("Resources"))
    if resources:
        yield "Resources", _listed([f"{key} {_text(value)}" for key, value in resources.items()])
    network = _object(task.get("Network"))
    if words := _text(network.get("Type")):
        yield "Network", _listed([words, *map(_text, _list(network.get("Domains")))])


def _source(source: Mapping[str, Any]) -> str:
    inner = _object(source.get("Source"))
    parameters = _object(inner.get("Params"))
    where = next((words for key in ("CID", "URL", "Bucket", "Repo") if (words := _text(parameters.get(key)))), "")
    target = _text(source.get("Target"))
    return " ".join(filter(None, [_text(inner.get("Type")), where, f"at {target}" if target else ""]))


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in _list(value) if isinstance(one, dict)]


def _listed(words: list[str]) -> str:
    shown = ", ".join(words[:MOST_ENTRIES])
    return _cut(f"{shown} and {len(words) - MOST_ENTRIES} more" if len(words) > MOST_ENTRIES else shown)


def _text(value: Any) -> str:
    """A scalar or a list of them as words; empty for anything else."""
    if isinstance(value, str):
        return _cut(value)
    if isinstance(value, bool | int | float):
        return _cut(json.dumps(value))
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return _cut(" ".join(value[:50]))
    return ""


def _cut(text: str) -> str:
    return text if len(text) <= MOST_CHARS else f"{text[: MOST_CHARS - 1]}…"
