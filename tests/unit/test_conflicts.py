"""Reports that differ, and reports that only look as if they did."""

from __future__ import annotations

import re

import numpy as np
import pytest

from assistant.conflicts import Stated, disagreements, stated
from assistant.domain.answers import Difference, Disagreement, Side
from assistant.domain.articles import Article, ArticleInfo, Origin, Timestamp
from assistant.domain.passages import Passage, PreparedArticle, RankedPassage, ScoreParts, Sentence, Span
from assistant.testing import MemoryLibrary

GAZETTE, HERALD = "Quillport Gazette", "Northmoor Herald"


def report(text: str, outlet: str, published: str, *, title: str = "", **facts: str | bool) -> Stated:
    name = re.sub(r"\W+", "-", f"{outlet} {published} {text[:30]}").lower()
    when = Timestamp.parse(published) if published else None
    info = ArticleInfo(
        id=name,
        origin=Origin("/news", f"{name}.md"),
        title=title or None,
        outlet=outlet,
        published=when,
        fiction=bool(facts.get("fiction")),
    )
    return Stated(info, Sentence(name, Span(0, len(text)), text, text))


def kinds(question: str, *reports: Stated) -> list[str]:
    return [found.kind.value for found in disagreements(question, reports)]


@pytest.mark.parametrize(
    ("question", "older", "newer", "kind"),
    [
        ("How many people died in the Quillport ferry accident?",
         ("At least 14 people were killed when the ferry sank off Quillport.", GAZETTE, "2031-03-04"),
         ("The death toll in the Quillport ferry accident has risen to 19.",
          GAZETTE, "2031-03-11"), "update"),
        ("How many cracks were found in the bridge?",
         ("Engineers found 14 cracks in the northern pier of the bridge.", GAZETTE, "2031-03-04"),
         ("Engineers found 19 cracks in the northern pier of the bridge.", HERALD, "2031-03-04"), "conflict"),
        ("How many houses burned down in Ravensmere?",
         ("The fire in Ravensmere destroyed 40 houses, the mayor said.", HERALD, "2031-06-01"),
         ("The fire in Ravensmere destroyed 62 houses, officials said.", HERALD, "2031-06-03"), "update"),
        ("How much will the new library cost?",
         ("The new library will cost $5 million, the council said.", GAZETTE, "2031-01-10"),
         ("The cost of the new library has climbed to $7.5 million.", GAZETTE, "2031-05-02"), "update"),
        ("When does the lighthouse festival begin?",
         ("The lighthouse festival begins on 12 May.", GAZETTE, "2031-04-01"),
         ("The lighthouse festival has been postponed and begins on 19 May.",
          GAZETTE, "2031-04-20"), "update"),
        ("How many troops took part in the exercise?",
         ("Some 3,000 troops took part in the exercise near Ardell.", HERALD, "2031-02-02"),
         ("Correction: 5,000 troops took part in the exercise near Ardell, not 3,000 as reported earlier.",
          HERALD, "2031-02-04"), "correction"),
        ("How long is the Sarn tunnel?",
         ("The Sarn tunnel is 12 kilometres long.", HERALD, "2031-02-02"),
         ("The Sarn tunnel is 15 kilometres long.", GAZETTE, "2031-04-04"), "conflict"),
        ("How many people attended the rally in Ardell?",
         ("About 500 people attended the rally in Ardell, police said.", GAZETTE, "2031-02-02"),
         ("Organisers said that 2,000 people attended the rally in Ardell.",
          HERALD, "2031-02-02"), "conflict"),
        ("What was the turnout in Northmoor?",
         ("Turnout in Northmoor was 41 percent.", GAZETTE, "2031-09-01"),
         ("Turnout in Northmoor was 48 percent, an earlier version of this article said 41 percent.", GAZETTE,
          "2031-09-02"), "correction"),
        ("How many workers were injured in the mill explosion?",
         ("Seven workers were injured in the explosion at the mill.", GAZETTE, "2031-09-01"),
         ("Eleven workers were injured in the explosion at the mill.", HERALD, "2031-09-03"), "update"),
    ],
)  # fmt: skip
def test_other_values_for_the_same_thing_are_a_disagreement(
    question: str, older: tuple[str, str, str], newer: tuple[str, str, str], kind: str
) -> None:
    assert kinds(question, report(*older), report(*newer)) == [kind]
    assert kinds(question, report(*newer), report(*older)) == [kind]


@pytest.mark.parametrize(
    ("question", "one", "other"),
    [
        ("How many people died when the ferry sank?", "14 people were killed when the ferry sank.",
         "Fourteen people died when the ferry sank."),
        ("How many people died when the ferry sank?", "14 people were killed when the ferry sank.",
         "19 people were injured when the ferry sank."),
        ("How many people died when the ferry sank?", "14 people were killed when the ferry sank.",
         "Three children were killed when the ferry sank."),
        ("How many people died when the ferry sank?", "14 people died when the ferry sank.",
         "Another five people died when the ferry sank."),
        ("How many troops does Ardell host?", "Ardell hosts 54,000 troops.", "Ardell hosts 53,872 troops."),
        ("How many troops does Ardell host?", "Ardell hosts more than 50,000 troops.",
         "Ardell hosts 54,200 troops."),
        ("How many troops does Ardell host?", "Ardell hosts about 50,000 troops.",
         "Ardell hosts 54,200 troops."),
        ("How many troops does Ardell host?", "Ardell hosts 54,000 troops.",
         "Ardell hosts 70 military aircraft."),
        ("What was inflation in Northmoor?", "Inflation in Northmoor was 3.1 percent in 2029.",
         "Inflation in Northmoor was 2.4 percent in 2030."),
        ("What was inflation in Northmoor?", "Inflation in Northmoor was 3.1 percent in May.",
         "Inflation in Northmoor was 2.4 percent in June."),
        ("What was inflation last year?", "Inflation in Northmoor was 3.1 percent.",
         "Inflation in Ardell was 2.4 percent."),
        ("How fast did the economy grow?", "The economy grew 3 percent.",
         "The economy was forecast to grow 2 percent."),
        ("How much does the ferry cost?", "The ferry costs 40 euros a month.",
         "The ferry costs 400 euros a year."),
        ("How much does the ferry cost?", "The ferry costs 40 euros.", "The ferry costs 45 dollars."),
        ("How much did rents rise?", "Rents in Ardell rose by 5 percent.",
         "Rents in Ardell rose to 7 percent of pay."),
        ("When does the festival begin?", "The festival begins on 12 May.", "The festival begins on Monday."),
        ("When does the festival begin?", "The festival begins on 12 May.", "The festival ends on 19 May."),
        ("When does the festival begin?", "The festival begins on 12 May.", "The festival begins in May."),
        ("How many homes lost power?", "40,000 homes lost power.", "The storm left 12 homes without a roof."),
        ("Who heads the festival?", "The festival, headed by Ines Varga, sold 400 tickets.",
         "The festival, headed by Ines Varga, sold 600 tickets to visitors from abroad."),
    ],
)  # fmt: skip
def test_two_things_roundings_and_other_words_are_none(question: str, one: str, other: str) -> None:
    assert kinds(question, report(one, GAZETTE, "2031-05-05"), report(other, HERALD, "2031-05-06")) == []


def test_the_newest_comes_first_and_each_side_says_where_it_stands() -> None:
    old = report("Engineers found 14 cracks in the bridge.", GAZETTE, "2031-03-04")
    new = report("Engineers found 19 cracks in the bridge.", GAZETTE, "2031-03-11")
    assert disagreements("How many cracks does the bridge have?", [old, new]) == (
        Disagreement(
            Difference.UPDATE,
            (
                Side("19", new.article, new.sentence.span, new.sentence.text),
                Side("14", old.article, old.sentence.span, old.sentence.text),
            ),
        ),
    )


def test_three_values_are_one_disagreement_and_a_value_stands_once() -> None:
    reports = [
        report(f"Engineers found {number} cracks in the bridge.", outlet, f"2031-03-{day:02}")
        for number, outlet, day in ((14, GAZETTE, 1), (14, HERALD, 2), (17, HERALD, 5), (19, GAZETTE, 9))
    ]
    (found,) = disagreements("How many cracks does the bridge have?", reports)
    assert [side.value for side in found.sides] == ["19", "17", "14"]


def test_an_undated_report_comes_last_and_only_conflicts() -> None:
    undated = report("Engineers found 14 cracks in the bridge.", GAZETTE, "")
    dated = report("Engineers found 19 cracks in the bridge.", HERALD, "2031-03-11")
    (found,) = disagreements("How many cracks does the bridge have?", [undated, dated])
    assert (found.kind, [side.value for side in found.sides]) == (Difference.CONFLICT, ["19", "14"])


def test_one_article_does_not_differ_from_itself() -> None:
    first = report("Engineers found 14 cracks in the bridge.", GAZETTE, "2031-03-04")
    text = "Engineers found 19 cracks in the bridge."
    second = Stated(first.article, Sentence(first.article.id, Span(50, 90), text, text))
    assert disagreements("How many cracks does the bridge have?", [first, second]) == ()


def test_fiction_and_reports_are_two_things_and_overlapping_passages_give_a_sentence_once() -> None:
    true = report("Engineers found 14 cracks in the bridge.", GAZETTE, "2031-03-04")
    story = report("Engineers found 19 cracks in the bridge.", HERALD, "2031-03-04", fiction=True)
    library = MemoryLibrary(
        {
            one.article.id: (
                PreparedArticle(Article(one.article, one.sentence.text), (one.sentence,), ()),
                np.zeros((0, 1), dtype=np.float32),
            )
            for one in (true, story)
        }
    )
    passages = [
        RankedPassage(
            Passage(f"p{at}", one.article.id, one.sentence.span, "", ""), one.article, ScoreParts(0.5, 0.1, 1)
        )
        for at, one in enumerate((story, true, true))
    ]
    found = stated(passages, library)
    assert [one.sentence for one in found] == [story.sentence, true.sentence]
    assert disagreements("How many cracks does the bridge have?", found) == ()


def test_a_question_of_function_words_alone_has_none() -> None:
    old = report("Engineers found 14 cracks in the bridge.", GAZETTE, "2031-03-04")
    new = report("Engineers found 19 cracks in the bridge.", HERALD, "2031-03-04")
    assert disagreements("And?", [old, new]) == ()
