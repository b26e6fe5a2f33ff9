"""`assistant ask`: what stands on standard output, what beside it, and how it ends."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.interfaces.conftest import Call, Run

TROOPS = "How many American troops does Japan host?"
ISLAND = "How many people live on Little Corrow?"
OUTSIDE = "Who won the 2022 World Cup?"

ANSWER = {
    "schema", "answer_id", "kind", "reason", "question", "as_of", "text", "claims", "dropped",
    "unknown_markers", "stands", "disagreements", "complete", "citations", "nearest", "confidence",
    "degraded", "corpus", "usage", "provenance",
}  # fmt: skip
CLAIM = {"text", "support", "why", "citations"}
CITATION = {"n", "article_id", "title", "outlet", "url", "published", "start", "end", "quote"}
PASSAGE = {
    "passage_id", "article_id", "title", "outlet", "url", "published", "start", "end", "score", "lexical",
    "dense", "recency", "text",
}  # fmt: skip
CORPUS = {"name", "articles", "oldest", "newest", "generation"}
USAGE = {"prompt_tokens", "cached_tokens", "completion_tokens", "exact", "cost_usd", "milliseconds"}
PROVENANCE = {
    "version", "model", "prompts", "settings", "embedder", "segmenter", "generation", "standalone",
}  # fmt: skip


def test_an_answer_is_alone_on_standard_output(run: Run) -> None:
    ran = run("ask", TROOPS)
    assert ran.code == 0
    text, sources = ran.out.rstrip("\n").split("\n\n")
    assert "54,000" in text
    assert "[1]" in text
    markers = sorted(set(re.findall(r"\[\d+\]", text)))
    assert [source.split(" ")[0] for source in sources.split("\n")] == markers
    assert "corpus/" in sources
    assert ran.err == (
        f"demo corpus: 20 articles, newest 2024-08-16, as of {date.today()}; extracts, no model.\n"
    )


def test_what_the_corpus_does_not_say_is_an_abstention_with_its_own_exit_code(run: Run) -> None:
    ran = run("ask", OUTSIDE)
    assert ran.code == 10
    assert ran.out.startswith("Not in the corpus (demo: 20 articles, 2024-01-22 to 2024-08-16): ")
    assert "demo corpus" in ran.err


def test_words_need_no_quotes_and_the_question_may_come_through_a_pipe(call: Call, run: Run) -> None:
    said = call("ask", ISLAND)
    assert "740" in said.out
    assert call("ask", *ISLAND.split()).out == said.out
    assert run("ask", stdin=f"{ISLAND}\n").out == said.out


def test_a_byte_that_is_no_text_does_not_end_a_question(run: Run) -> None:
    ran = run("ask", stdin=ISLAND.encode() + b" \xff\n", env={"PYTHONIOENCODING": "utf-8:strict"})
    assert (ran.code, "740" in ran.out) == (0, True)


@pytest.mark.parametrize("question", ["", " \t", "?!", "\u200b\u202e", "x" * 2001])
@pytest.mark.parametrize("command", ["ask", "search"])
def test_what_is_no_question_is_a_usage_error(call: Call, command: str, question: str) -> None:
    ran = call(command, question)
    assert ran.code == 2
    assert "2001 characters; 2000 is the most" in ran.complaint() or "is empty" in ran.complaint()


@pytest.mark.parametrize("typed", ["", "\n  \n"])
def test_an_empty_pipe_is_a_usage_error(run: Run, typed: str) -> None:
    ran = run("ask", stdin=typed)
    assert ran.code == 2
    assert ran.complaint().startswith("assistant: the question is empty.")


def test_the_longest_question_is_answered(call: Call) -> None:
    assert call("ask", ISLAND.ljust(1990, "?") + "x" * 10).code in {0, 10}


def test_without_a_question_a_terminal_is_not_waited_on(
    on_terminal: Callable[..., tuple[int, str]],
) -> None:
    code, seen = on_terminal("ask")
    assert code == 2
    (line,) = seen.splitlines()
    assert line.startswith("assistant ask: write the question behind the command")


def test_a_json_answer_has_exactly_the_keys_of_its_schema(call: Call) -> None:
    ran = call("ask", TROOPS, "--json", "--as-of", "2024-08-20")
    assert ran.code == 0
    assert ran.err == ""
    answer = ran.json()
    assert answer.keys() == ANSWER
    assert {frozenset(claim) for claim in answer["claims"]} == {frozenset(CLAIM)}
    assert {frozenset(citation) for citation in answer["citations"]} == {frozenset(CITATION)}
    assert {frozenset(passage) for passage in answer["nearest"]} == {frozenset(PASSAGE)}
    assert answer["usage"].keys() == USAGE
    assert answer["usage"]["milliseconds"].keys() == {"retrieve", "answer", "total"}
    assert answer["provenance"].keys() == PROVENANCE
    assert answer["corpus"] == {
        "name": "demo",
        "articles": 20,
        "oldest": "2024-01-22",
        "newest": "2024-08-16",
        "generation": 1,
    }
    fixed = ("schema", "kind", "reason", "question", "as_of", "dropped", "degraded")
    assert {name: answer[name] for name in fixed} == {
        "schema": "assistant.answer/1",
        "kind": "answer",
        "reason": None,
        "question": TROOPS,
        "as_of": "2024-08-20",
        "dropped": 0,
        "degraded": None,
    }
    assert 0 <= answer["confidence"] <= 1


@pytest.mark.parametrize(
    "question",
    [TROOPS, ISLAND, "Who heads the new command?", "Why is the Patriot production plan delayed?"],
)
def test_every_quote_is_the_slice_of_the_stored_text_and_every_claim_cites_one(
    call: Call, question: str
) -> None:
    answer = call("ask", question, "--json").json()
    assert [citation["n"] for citation in answer["citations"]] == list(range(1, len(answer["citations"]) + 1))
    for citation in answer["citations"]:
        article = call("articles", "show", citation["article_id"], "--json").json()
        assert article["text"][citation["start"] : citation["end"]] == citation["quote"]
        assert {key: article[key] for key in ("title", "outlet", "url", "published")} == {
            key: citation[key] for key in ("title", "outlet", "url", "published")
        }
        assert {"start": citation["start"], "end": citation["end"]} in article["sentences"]
    assert answer["claims"]
    for claim in answer["claims"]:
        assert claim["support"] == "supported"
        assert claim["citations"]
        assert set(claim["citations"]) <= {citation["n"] for citation in answer["citations"]}
        assert claim["text"] in answer["text"]


def test_a_json_abstention_claims_nothing_and_names_what_came_nearest(call: Call) -> None:
    ran = call("ask", OUTSIDE, "--json")
    assert ran.code == 10
    abstention = ran.json()
    assert abstention.keys() == ANSWER
    assert {key: abstention[key] for key in ("kind", "reason", "claims", "citations")} == {
        "kind": "abstention",
        "reason": "retrieval",
        "claims": [],
        "citations": [],
    }
    assert abstention["nearest"]
    assert {frozenset(passage) for passage in abstention["nearest"]} == {frozenset(PASSAGE)}


def test_the_same_question_gets_the_same_answer_in_another_process(call: Call, run: Run) -> None:
    def told(answer: dict[str, Any]) -> dict[str, Any]:
        return {key: value for key, value in answer.items() if key not in {"answer_id", "usage"}}

    here, there = call("ask", TROOPS, "--json").json(), run("ask", TROOPS, "--json").json()
    assert here["answer_id"] != there["answer_id"]
    assert told(here) == told(there)


def test_as_of_an_earlier_day_later_articles_do_not_exist(call: Call) -> None:
    before = call("ask", TROOPS, "--json", "--as-of", "2024-07-27").json()
    assert before["corpus"]["newest"] <= "2024-07-27"
    assert before["corpus"]["articles"] < 20
    cited = [*before["citations"], *before["nearest"]]
    assert [one for one in cited if one["published"] and one["published"] > "2024-07-28"] == []


@pytest.mark.parametrize("flag", ["--as-of", "--since", "--until"])
@pytest.mark.parametrize("value", ["yesterday", "2024-13-01", "28.07.2024", ""])
def test_what_is_no_date_is_a_usage_error(call: Call, flag: str, value: str) -> None:
    ran = call("ask", ISLAND, flag, value)
    assert ran.code == 2
    assert f"{value!r} is no date; write it like 2024-07-28" in ran.complaint()


def test_help_and_version(call: Call) -> None:
    assert call("--version").out == "assistant, version 0.1.0\n"
    helped = call("ask", "--help")
    assert (helped.code, helped.err) == (0, "")
    assert helped.out.startswith("Usage: assistant ask ")
    assert call("ask", "-h") == helped


def test_without_a_command_the_whole_help_is_shown_as_it_is_laid_out(call: Call) -> None:
    ran = call()
    assert (ran.code, ran.out) == (2, "")
    assert ran.err == call("--help").out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["ask", "--modle", "x"], "assistant ask: No such option '--modle'."),
        (["frobnicate"], "assistant: No such command 'frobnicate'."),
        (["articles", "show"], "assistant articles show: Missing argument 'ARTICLE_ID'."),
        (["ask", "--as-of"], "assistant: Option '--as-of' requires an argument."),
        (["search", "-k", "many", "x"], "assistant search: Invalid value for '-k' / '--passages':"),
    ],
)
def test_a_usage_error_is_one_line_that_says_where_help_is(
    call: Call, arguments: list[str], said: str
) -> None:
    ran = call(*arguments)
    assert ran.code == 2
    assert ran.complaint().startswith(said)
    assert re.search(r"Try 'assistant( \w+)* --help'\.$", ran.complaint())
