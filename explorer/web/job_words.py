"""A job in words, where its document is a Bacalhau v1 job; else only what can be said of any document. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from explorer.reviews.job_reading import cut_words, list_of, object_of, objects_of, sources_of, words_of
from explorer.web.written import JsonText

MOST_TASKS: Final = 5
MOST_ENTRIES: Final = 8


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
    tasks = objects_of(job.get("Tasks"))
    if not tasks:
        image = words_of(job.get("Image"))
        return JobWords("a document, no job that is known here", (*_named(job), *([("Image", image)] if image else [])))
    return JobWords("a Bacalhau job", (*_named(job), *_of_tasks(tasks)))


def _named(job: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for label, key in (("Name", "Name"), ("Type", "Type"), ("Namespace", "Namespace")):
        if words := words_of(job.get(key)):
            yield label, words
    labels = job.get("Labels")
    if isinstance(labels, dict) and labels:
        yield "Labels", _listed([f"{key}={words_of(value)}" for key, value in labels.items()])


def _of_tasks(tasks: list[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    for place, task in enumerate(tasks[:MOST_TASKS]):
        before = f"Task {place + 1}: " if len(tasks) > 1 else ""
        for label, words in _of_task(task):
            yield (f"{before}{label.lower()}" if before else label), words
    if len(tasks) > MOST_TASKS:
        yield "More tasks", str(len(tasks) - MOST_TASKS)


def _of_task(task: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    engine = object_of(task.get("Engine"))
    parameters = object_of(engine.get("Params"))
    if kind := words_of(engine.get("Type")):
        yield "Engine", kind
    for label, key in (("Image", "Image"), ("Module", "EntryModule"), ("Runs", "Entrypoint"), ("With", "Parameters")):
        if words := words_of(parameters.get(key)):
            yield label, words
    sources = [_source(*one) for one in sources_of(task)]
    if sources:
        yield "Inputs", _listed(sources)
    results = [words_of(one.get("Path")) for one in objects_of(task.get("ResultPaths"))]
    if any(results):
        yield "Results", _listed(results)
    publisher = object_of(task.get("Publisher"))
    if words := words_of(publisher.get("Type")):
        yield "Published by", words
    resources = object_of(task.get("Resources"))
    if resources:
        yield "Resources", _listed([f"{key} {words_of(value)}" for key, value in resources.items()])
    network = object_of(task.get("Network"))
    if words := words_of(network.get("Type")):
        yield "Network", _listed([words, *map(words_of, list_of(network.get("Domains")))])


def _source(kind: str, where: str, target: str) -> str:
    return " ".join(filter(None, [kind, where, f"at {target}" if target else ""]))


def _listed(words: list[str]) -> str:
    shown = ", ".join(words[:MOST_ENTRIES])
    return cut_words(f"{shown} and {len(words) - MOST_ENTRIES} more" if len(words) > MOST_ENTRIES else shown)
