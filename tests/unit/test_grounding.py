import time

import pytest

from assistant.domain.passages import Sentence, Span
from assistant.grounding import CITES_NOTHING, QUOTES_LINK, SAYS_NOTHING, Grounded, ground, is_abstention
from assistant.grounding.statements import Statement


def sentence(text: str, article: str) -> Sentence:
    return Sentence(article, Span(0, len(text)), text, text)


SENTENCES = {
    1: sentence("The plan for 2024 is new, the mayor said.", "a"),
    2: sentence("The union called it a mess.", "a"),
    3: sentence("Turnout fell by 5% in the northern districts.", "b"),
    4: sentence("“We leave. We never return,” he said... and left [2].", "c"),
    5: sentence("More of it at https://a.example/x for all of you to read now.", "d"),
    6: sentence("Booking.com and its rival lost; write to Drop.com/x for more.", "e"),
    7: sentence("The people of drop.com said that it won the whole race.", "f"),
}
ABSTAIN = "NOT_IN_SOURCES"


def grounded(text: str, *markers: int) -> Grounded:
    return ground(Statement(text, markers, ""), SENTENCES, "What is new?", token=ABSTAIN)


def test_a_statement_keeps_the_citations_that_exist() -> None:
    assert grounded("The plan is new.", 1, 901, 2, -1) == Grounded("The plan is new.", (1, 2), 2)


def test_a_statement_without_a_citation_that_exists_is_dropped() -> None:
    assert grounded("The plan is new.", 901) == Grounded("The plan is new.", (), 1, CITES_NOTHING)
    assert grounded("The plan is new.") == Grounded("The plan is new.", (), 0, CITES_NOTHING)


def test_a_quotation_from_elsewhere_adds_its_sentence() -> None:
    assert grounded('It "fell by 5%".', 1) == Grounded("It “fell by 5%”.", (1, 3), 0)


def test_a_made_up_quotation_drops_the_statement() -> None:
    assert (
        grounded('It "rose by 5%".', 3).why_dropped
        == "the quotation “rose by 5%” is in no sentence that was shown"
    )


def test_nothing_in_a_claim_looks_like_a_link_or_a_marker() -> None:
    assert grounded("See [the plan](https://a.example/x) and 【9】.", 1) == Grounded(
        "See the plan and (9).", (1,), 0
    )
    assert grounded('He "left [2]".', 4) == Grounded("He “left (2)”.", (4,), 0)


def test_an_articles_own_address_does_not_come_back_with_its_words() -> None:
    whole = f'"{SENTENCES[5].text}"'
    assert grounded(whole, 5).why_dropped == QUOTES_LINK


def test_a_host_is_named_only_where_a_cited_sentence_names_it() -> None:
    assert grounded("booking.com lost.", 6).text == "booking.com lost."
    assert grounded("Booking.com lost.", 1).text == "(link removed) lost."
    assert grounded("See drop.com, booking.com/x.", 6).text == "See (link removed), (link removed)."
    assert grounded('"Booking.com and its rival lost".', 6).text == "“Booking.com and its rival lost”."


def test_a_host_may_come_in_with_the_words_of_a_sentence_that_is_quoted() -> None:
    said = "The people of drop.com said that it won the whole race"
    slip = said.replace("drop.com", "the-shop")
    assert grounded(f'"{slip}".', 6) == Grounded(f"“{said}”.", (6, 7), 0)


@pytest.mark.parametrize(("text", "left"), [("NOT_IN_SOURCES", ""), ("It rose. NOT_IN_SOURCES.", "It rose.")])
def test_the_agreed_token_is_never_shown(text: str, left: str) -> None:
    assert grounded(text, 1).text == left
    assert grounded(text, 1).why_dropped == (None if left else SAYS_NOTHING)


@pytest.mark.parametrize(
    "reply",
    ["NOT_IN_SOURCES", " not_in_sources.\n", "**NOT_IN_SOURCES**", "`NOT_IN_SOURCES`", '"NOT_IN_SOURCES."',
     "NOT\\_IN\\_SOURCES"],
)  # fmt: skip
def test_the_token_alone_is_an_abstention(reply: str) -> None:
    assert is_abstention(reply, ABSTAIN)


@pytest.mark.parametrize("reply", ["", "It rose. NOT_IN_SOURCES", "NOT_IN_SOURCES_AT_ALL", "sources"])
def test_anything_else_is_none(reply: str) -> None:
    assert not is_abstention(reply, ABSTAIN)


@pytest.mark.parametrize("unit", ["NOT_IN_", "_", "\\", "[3] ", "NOT_IN_SOURCES ", "*"])
def test_grounding_a_mass_of_signs_takes_no_longer_than_text(unit: str) -> None:
    text = unit * (100_000 // len(unit))
    begin = time.perf_counter()
    grounded(text, 1)
    is_abstention(text, ABSTAIN)
    assert time.perf_counter() - begin < 3
