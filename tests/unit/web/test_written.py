"""Logs and documents of strangers, made fit to be read; jobs in words; where a form may lead."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from explorer.audit.chain import Entry, hash_of
from explorer.web.audit_page import seal_of
from explorer.web.formats import visible
from explorer.web.job_words import job_words
from explorer.web.sign_in_pages import own_path
from explorer.web.written import LOG_LINES, SHOWN_CHARS, read_json_text, shown_document, shown_log

ESCAPE = '<span class="unseen">U+001B</span>'


@pytest.mark.parametrize(
    ("log", "shown"),
    [
        ("\x1b[31mred\x1b[0m", f"{ESCAPE}[31mred{ESCAPE}[0m"),
        ("\x9b31mred", '<span class="unseen">U+009B</span>31mred'),
        ("fake\rline\r\nnext\r\n", 'fake<span class="unseen">U+000D</span>line\nnext'),
        ("<b>&", "&lt;b&gt;&amp;"),
        ("a\tb", 'a<span class="unseen">U+0009</span>b'),
        ("\u202egnp", '<span class="unseen">U+202E</span>gnp'),
        ("\x1b", ESCAPE),
    ],
)
def test_logs_show_what_moves_a_terminal_and_drop_nothing(log: str, shown: str) -> None:
    assert shown_log(log).text == shown


def test_only_the_end_of_a_long_log_is_shown_and_the_rest_counted() -> None:
    log = "".join(f"line {number}\n" for number in range(1000))
    shown = shown_log(log)
    assert shown.text.startswith(f"line {1000 - LOG_LINES}\n")
    assert len(shown.text) + shown.hidden_chars == len(log) - 1
    assert len(shown_log("x" * 65_536).text) == SHOWN_CHARS


@given(st.text(st.characters(codec=None, exclude_categories=[]), max_size=60))
def test_nothing_unseen_is_left_in_a_shown_text(text: str) -> None:
    for shown in (str(visible(text)), str(shown_log(text).text).replace("\n", "")):
        assert not [char for char in shown if not char.isprintable() and char not in " \xa0" and char.strip()]
        assert "<" not in shown.replace('<span class="unseen">', "").replace("</span>", "")


def test_a_megabyte_of_a_document_is_capped() -> None:
    text = json.dumps({"x": ["\u202e<script>" * 10] * 8_000})
    assert len(text) > 900_000
    document = read_json_text(text)
    shown, words = shown_document(document), job_words(document)
    assert shown.hidden_chars > 700_000
    assert "<script>" not in shown.text
    assert words.pairs == ()


@pytest.mark.parametrize("text", ["[]", "1", "null", '"x"', "{}", '{"Tasks": {}}', '{"Tasks": [1, null]}', "not json"])
def test_what_is_no_job_is_called_a_document(text: str) -> None:
    assert job_words(read_json_text(text)).kind.startswith("a document")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(
        ["Name", "Tasks", "Engine", "Params", "InputSources", "Source", "Resources", "Network", "Labels", "Type", "x"]
    ), inner),
    max_leaves=20,
)  # fmt: skip


@given(JSON)
def test_any_document_has_words(document: object) -> None:
    words = job_words(read_json_text(json.dumps({"Tasks": [document], "Labels": document})))
    assert all(name and len(text) <= 300 for name, text in words.pairs)


def test_of_an_unknown_document_name_and_image_are_told() -> None:
    words = job_words(read_json_text('{"Name": "climate-regrid", "Image": "example/regrid:1", "Run": {"Image": "x"}}'))
    assert words.kind.startswith("a document")
    assert words.pairs == (("Name", "climate-regrid"), ("Image", "example/regrid:1"))


def test_a_bacalhau_job_is_told_in_words() -> None:
    job = {
        "Name": "regrid",
        "Tasks": [
            {
                "Engine": {"Type": "docker", "Params": {"Image": "python:3", "Parameters": ["-c", "1"]}},
                "InputSources": [{"Source": {"Type": "ipfs", "Params": {"CID": "bafyx"}}, "Target": "/in"}],
                "Resources": {"GPU": 2},
                "Network": {"Type": "HTTP", "Domains": ["example.org"]},
            }
        ],
    }
    assert job_words(read_json_text(json.dumps(job))).pairs == (
        ("Name", "regrid"),
        ("Engine", "docker"),
        ("Image", "python:3"),
        ("With", "-c 1"),
        ("Inputs", "ipfs bafyx at /in"),
        ("Resources", "GPU 2"),
        ("Network", "HTTP, example.org"),
    )


@pytest.mark.parametrize(
    ("text", "leads_to"),
    [
        ("/reviews/rev_1?decide=approve#deciding", "/reviews/rev_1?decide=approve#deciding"),
        ("/", "/"),
        ("//evil.example", "/reviews"),
        ("/\\evil.example", "/reviews"),
        ("/a\\b", "/reviews"),
        ("https://evil.example", "/reviews"),
        ("javascript:alert(1)", "/reviews"),
        ("/a\r\nSet-Cookie: x=1", "/reviews"),
        ("/\t/evil.example", "/reviews"),
        ("/\u00e9", "/reviews"),
        (None, "/reviews"),
    ],
)
def test_a_form_leads_to_our_own_pages_only(text: str | None, leads_to: str) -> None:
    assert own_path(text) == leads_to


def chain_of(count: int) -> list[Entry]:
    entries, previous = [], "0" * 64
    for number in range(1, count + 1):
        facts = ("operator", "operator", "op", "cluster.added", "clu_1", "{}", previous)
        entry = Entry(number, "2026-11-23T12:00:00.000000Z", *facts)
        previous = hash_of(entry)
        entries.append(Entry(number, entry.at, *facts, previous))
    return entries


def test_a_page_of_the_log_says_what_it_verified() -> None:
    entries = chain_of(4)
    whole = seal_of(entries[::-1])
    assert whole is not None
    assert (whole.first, whole.last, whole.is_chain, whole.broken) == (1, 4, True, None)
    some = seal_of([entries[0], entries[3]])
    assert some is not None
    assert (some.is_chain, some.broken) == (False, None)
    assert seal_of([]) is None


@pytest.mark.parametrize("shown", [[0, 1, 2], [0, 2]])
def test_an_altered_entry_is_found(shown: list[int]) -> None:
    entries = chain_of(3)
    old = entries[2]
    entries[2] = Entry(
        old.seq, old.at, old.actor_kind, old.actor_id, "mallory", old.action, old.subject, old.facts, old.previous,
        old.hash,
    )  # fmt: skip
    seal = seal_of([entries[place] for place in shown])
    assert seal is not None
    assert seal.broken is not None
