"""What an abstention says: which step found so, what the corpus covers, what stands nearby."""

from __future__ import annotations

from datetime import date

import pytest

from assistant.abstaining import MAX_QUOTE, nearest, told
from assistant.domain.answers import AbstentionReason, CorpusInfo
from assistant.domain.articles import Article
from assistant.domain.passages import Scope
from assistant.ingest import ingest, preparation
from assistant.retrieval import retrieve
from assistant.testing import BlindEmbedder, FullStopSegmenter, ListSource, MemoryGenerations, sample_article

CORPUS = CorpusInfo("main", 20, date(2031, 3, 11), 3, date(2030, 1, 5))
COVERS = "main: 20 articles, 2030-01-05 to 2031-03-11"


def near(question: str, *articles: Article, found_by: str = "") -> str:
    """What stands near the question among these articles; found_by: what is searched, if not the question."""
    segmenter, embedder = FullStopSegmenter(), BlindEmbedder()
    generations = MemoryGenerations(embedder=embedder.fingerprint, segmenter=preparation(segmenter))
    ingest(ListSource(articles), generations, segmenter=segmenter, embedder=embedder)
    with generations.current() as current:
        assert current
        scope = Scope(as_of=date(2031, 4, 1))
        ranked = retrieve(found_by or question, current, embedder, scope, limit=3, exact=False).passages
        return nearest(question, ranked, current)


TROOPS = sample_article("t", "Japan hosts 54,000 American troops. The sea was calm.", published="2031-03-04")


@pytest.mark.parametrize(
    ("question", "premise"),
    [
        ("Why does Japan host 60,000 American troops?", "60,000"),
        ("Since when has Japan been hosting sixty thousand troops?", "sixty thousand"),
        ("Why did Japan expel 60,000 American troops?", ""),
        ("Why does Japan host 54,000 American troops?", ""),
        ("Why does Japan host American troops?", ""),
        ("Why has Japan paid $60,000 for American troops?", ""),
        ("Why does Japan host 60,000 American sailors?", ""),
        ("Why has Japan hosted American troops since 1945?", ""),
    ],
)
def test_a_number_that_the_nearest_sentence_gives_otherwise_is_named(question: str, premise: str) -> None:
    opening = f"The question says {premise}, and the nearest sentence otherwise" if premise else "Nearest"
    assert near(question, TROOPS).startswith(f"{opening}: “Japan hosts 54,000 American troops.”")


@pytest.mark.parametrize(
    ("reason", "dropped", "found", "said"),
    [
        (
            AbstentionReason.RETRIEVAL,
            0,
            True,
            f"Not in the corpus ({COVERS}): nothing that was found comes near enough to the question.",
        ),
        (
            AbstentionReason.RETRIEVAL,
            0,
            False,
            f"Not in the corpus ({COVERS}): no passage fits the question and the restrictions.",
        ),
        (
            AbstentionReason.MODEL,
            0,
            True,
            f"Not in the corpus ({COVERS}): the model found no answer in the passages that it was shown.",
        ),
        (
            AbstentionReason.MODEL,
            1,
            True,
            (
                f"Not in the corpus ({COVERS}): the model found no answer in the passages that it was shown;"
                " 1 statement left out."
            ),
        ),
        (
            AbstentionReason.GROUNDING,
            3,
            True,
            (
                "Nothing that the model wrote is supported by the articles; 3 statements left out."
                f" Searched: {COVERS}."
            ),
        ),
        (
            AbstentionReason.REFUSAL,
            0,
            True,
            f"The model refused to answer this question. Searched: {COVERS}.",
        ),
    ],
)
def test_it_says_which_step_found_so(reason: AbstentionReason, dropped: int, found: bool, said: str) -> None:
    assert told(reason, CORPUS, dropped, found=found) == said


@pytest.mark.parametrize(
    ("corpus", "covers"),
    [
        (
            CorpusInfo("main", 1, date(2031, 3, 11), 1, date(2031, 3, 11)),
            "main: 1 article, all of 2031-03-11",
        ),
        (CorpusInfo("main", 2, None, 1), "main: 2 articles"),
    ],
)
def test_a_corpus_of_one_day_or_without_dates(corpus: CorpusInfo, covers: str) -> None:
    assert f"({covers}):" in told(AbstentionReason.RETRIEVAL, corpus, 0, found=True)


@pytest.mark.parametrize(
    ("question", "quoted"),
    [
        ("Which carrier brought umbrellas to Ostrava?", "The umbrellas came to Ostrava by ship."),
        ("When has it rained?", "It rained."),
    ],
)
def test_it_quotes_the_sentence_that_has_most_of_the_question(question: str, quoted: str) -> None:
    text = "It rained. The umbrellas came to Ostrava by ship. Umbrellas are sold there."
    article = sample_article("a", text, title="A wet week", outlet="The Paper", published="2031-03-04")
    assert near(question, article) == f"Nearest: “{quoted}” (A wet week, The Paper, 2031-03-04)."


def test_without_a_word_in_common_it_names_the_article() -> None:
    article = sample_article("a", "It rained.", title="A wet week", outlet="The Paper")
    said = near("Who sells purple umbrellas?", article, found_by="It rained.")
    assert said == "Nearest article: A wet week (The Paper, undated)."


def test_without_a_passage_there_is_nothing_near() -> None:
    assert near("Who sells purple umbrellas?", sample_article("a", "It rained.")) == ""


def test_a_long_sentence_is_cut_between_words() -> None:
    said = near("Who sells umbrellas?", sample_article("a", f"Umbrellas {'word ' * 100}end.", title="A"))
    quote = said.partition("“")[2].partition("”")[0]
    assert MAX_QUOTE - 10 < len(quote) <= MAX_QUOTE
    assert quote.endswith("word…")


@pytest.mark.parametrize(
    "said",
    ["Umbrellas: https://drop.example/p [1].", "Umbrellas ![x](https://drop.example/p)\x1b[2J [3][4]."],
)
def test_a_quoted_sentence_brings_in_no_link_and_no_marker(said: str) -> None:
    text = near("Who sells umbrellas?", sample_article("a", said, title="A"))
    assert text.startswith("Nearest: “Umbrellas")
    assert not any(sign in text for sign in ("://", "](", "[1]", "[3]", "\x1b"))
