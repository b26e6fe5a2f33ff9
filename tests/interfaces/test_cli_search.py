"""`assistant search` and `assistant articles`: what lies behind the answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.interfaces.conftest import Call

PASSAGE = {
    "passage_id", "article_id", "title", "outlet", "url", "published", "start", "end", "score", "lexical",
    "dense", "recency", "text",
}  # fmt: skip
INFO = {
    "article_id", "title", "outlet", "author", "url", "published", "updated", "corrects", "language",
    "fiction", "summary_only",
}  # fmt: skip


def test_search_shows_passages_with_scores_and_why(call: Call) -> None:
    ran = call("search", "people", "on", "Little", "Corrow", "-k", "2")
    assert ran.code == 0
    assert ran.err == ""
    lines = ran.out.splitlines()
    assert lines[0].startswith("1. ")
    assert " words + " in lines[1]
    assert " meaning) × " in lines[1]
    assert "Little Corrow" in ran.out
    assert ran.out.count(" recency\n") == 2


def test_search_json_has_exactly_the_keys_of_its_schema(call: Call) -> None:
    ran = call("search", "people on Little Corrow", "--json", "-k", "3")
    found = ran.json()
    assert (ran.code, ran.err) == (0, "")
    assert found.keys() == {"schema", "passages"}
    assert found["schema"] == "assistant.search/1"
    assert [passage.keys() for passage in found["passages"]] == [PASSAGE] * 3
    scores = [passage["score"] for passage in found["passages"]]
    assert scores == sorted(scores, reverse=True)
    for passage in found["passages"]:
        parts = (passage["lexical"] + passage["dense"]) * passage["recency"]
        assert passage["score"] == pytest.approx(parts, abs=1e-5)
        text = call("articles", "show", passage["article_id"], "--json").json()["text"]
        assert text[passage["start"] : passage["end"]] == passage["text"]


def test_filters_narrow_down_what_is_found(call: Call) -> None:
    def published(*filters: str) -> list[str | None]:
        found = call("search", "the new command", "--json", "-k", "50", *filters).json()["passages"]
        return [passage["published"] for passage in found]

    everything = published()
    assert None in everything
    assert {day for day in published("--since", "2024-07-29") if day is None or day < "2024-07-29"} == set()
    assert {day for day in published("--until", "2024-05-31") if day is None or day > "2024-06"} == set()
    assert 0 < len(published("--since", "2024-07-29")) < len(everything)
    assert 0 < len(published("--until", "2024-05-31")) < len(everything)
    outlets = call("search", "dam", "--outlet", "the quennick COURIER", "--json").json()["passages"]
    assert {passage["outlet"] for passage in outlets} == {"The Quennick Courier"}


def test_a_search_that_finds_nothing_says_so_with_the_exit_code_of_an_abstention(call: Call) -> None:
    ran = call("search", "dam", "--outlet", "Nobody's Paper")
    assert (ran.code, ran.out) == (10, "No passage fits the question and the filters.\n")
    assert call("search", "dam", "--outlet", "Nobody's Paper", "--json").json()["passages"] == []


def test_every_vector_compared_finds_the_same_in_a_small_corpus(call: Call) -> None:
    assert call("search", "dam", "--exact-dense", "--json") == call("search", "dam", "--json")


def test_articles_are_listed_newest_first(call: Call) -> None:
    ran = call("articles", "list")
    rows = [line.split("\t") for line in ran.out.splitlines()]
    assert [len(row) for row in rows] == [4] * 20
    days = [row[1] for row in rows]
    assert days[-1] == "undated"
    assert days[:-1] == sorted(days[:-1], reverse=True)
    as_json = call("articles", "list", "--json").lines()
    assert [info.keys() for info in as_json] == [INFO] * 20
    assert [info["article_id"] for info in as_json] == [row[0] for row in rows]


def test_an_article_is_shown_with_what_is_known_about_it(call: Call) -> None:
    ran = call("articles", "show", "saltpan-correction")
    head, text = ran.out.split("\n\n", 1)
    known = dict(line.split(": ", 1) for line in head.splitlines())
    assert known["id"] == "saltpan-correction"
    assert known["corrects"] == "saltpan-march-courier"
    assert known["fiction"] == "yes"
    article = call("articles", "show", "saltpan-correction", "--json").json()
    assert article.keys() == {"schema", *INFO, "near_copies", "text", "sentences"}
    assert article["schema"] == "assistant.article/1"
    assert text.strip() == article["text"]
    assert [one.keys() for one in article["sentences"]] == [{"start", "end"}] * len(article["sentences"])


def test_an_undated_article_says_so_and_gets_no_date(call: Call) -> None:
    assert "published: undated" in call("articles", "show", "oyster-beds-reopen").out
    assert call("articles", "show", "oyster-beds-reopen", "--json").json()["published"] is None


def test_an_id_that_no_article_has_is_a_usage_error(call: Call) -> None:
    ran = call("articles", "show", "no-such-id")
    assert ran.code == 2
    assert ran.complaint() == (
        "assistant: no article has the id 'no-such-id'. `assistant articles list` shows the ids."
    )
