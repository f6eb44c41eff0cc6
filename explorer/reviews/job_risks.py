"""What of a job itself a notary should look at: names that may mislead, what it reads, how it ended. Pure."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final

from explorer.ground.letters import foreign_characters, is_unseen, mixed_letters
from explorer.reviews.job_reading import JobSays
from explorer.reviews.tones import Risk, Tone

MOST_OF_A_KIND: Final = 3
"""So many sentences of one kind at most: a job may have thousands of tasks."""
_NAMED: Final = 3
_LAYOUT: Final = frozenset("\n\r\t")
"""Unseen characters that scripts are written with."""

Texts = Sequence[tuple[str, str]]
"""Where a text stands, and the text."""


def risks_of_names(names: Texts, job: JobSays) -> Iterator[Risk]:
    """What the names, images and commands that strangers chose may hide."""
    for one in (_of_names((*names, *job.names)), _of_images(job.images), _of_scripts(job.scripts)):
        yield from islice(one, MOST_OF_A_KIND)


def _of_names(names: Iterable[tuple[str, str]]) -> Iterator[Risk]:
    for what, text in names:
        if any(is_unseen(char) for char in text):
            yield _unseen(what)
        if mixed := mixed_letters(text):
            yield Risk(Tone.LOOK, f"{what} mixes {mixed} letters: it may be made to look like another")


def _of_images(images: Texts) -> Iterator[Risk]:
    for what, text in images:
        if any(is_unseen(char) for char in text):
            yield _unseen(what)
        elif foreign := foreign_characters(text):
            mixed = mixed_letters(text)
            how = f"mixes {mixed} letters" if mixed else f"holds {foreign}, which no image's name can have"
            yield Risk(Tone.LOOK, f"{what} {how}: it may be made to look like another")


def _of_scripts(scripts: Texts) -> Iterator[Risk]:
    for what, text in scripts:
        if any(is_unseen(char) and char not in _LAYOUT for char in text):
            yield _unseen(what)


def _unseen(what: str) -> Risk:
    are = "hold" if what.startswith("the parameters") else "holds"
    return Risk(Tone.LOOK, f"{what} {are} characters that can't be seen; they are shown by their number")


def risks_of_work(job: JobSays, exit_code: int | None) -> Iterator[Risk]:
    """How the job ended, where it may reach, and what it reads beyond what it named for the verdict."""
    if exit_code:
        yield Risk(Tone.LOOK, f"the job ended with exit code {exit_code}, so it says itself that it failed")
    if job.networks:
        yield Risk(Tone.LOOK, f"the job may use the network ({_named(job.networks)}): its results can hold other data")
    if job.unnamed:
        yield Risk(Tone.LOOK, f"the job reads {_named(job.unnamed)}, which it doesn't name here as an input")
    if job.uncompared:
        yield Risk(Tone.LOOK, f"the job has {job.uncompared:,} more sources, which weren't compared with its inputs")


def _named(texts: Sequence[str]) -> str:
    shown = ", ".join(_cut(text) for text in texts[:_NAMED])
    return f"{shown} and {len(texts) - _NAMED:,} more" if len(texts) > _NAMED else shown


def _cut(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:40]}…{text[-30:]}"
