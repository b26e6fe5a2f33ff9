import re
import time
from datetime import date

import pytest

from assistant.domain.answers import Support
from assistant.grounding.values import values_in
from assistant.grounding.verdicts import Cited, Finding, Verdict, check_claim
from assistant.grounding.words import TOKEN, read

SUNDAY = date(2024, 7, 28)
TALKS = (
    "The announcement followed talks in Tokyo between U.S. Secretary of State Antony "
    "Blinken and Secretary of "
    "Defense Lloyd Austin and their respective Japanese counterparts, Yoko Kamikawa and Minoru Kihara."
)
HEAD = (
    "The new command in Japan will be headed by a three-star general, a U.S. "
    "official said, however Austin said "
    "the U.S. would not rule out appointing a four-star commander to Japan in the future."
)
TROOPS = (
    "Japan is home to 54,000 American troops, as well as hundreds of U.S. aircraft "
    "and the only U.S. aircraft "
    "carrier strike group that is deployed forward."
)
THREAT = (
    "Austin nevertheless told reporters that the upgrade was “not based on any "
    "threat from China” and said that "
    "it reflected the wish of the two allies to cooperate more closely."
)
PLAN = "In 2022 it presented a plan to double what it spends on defense, to 2% of gross domestic product."
BUDGET = "The council approved the 2024 budget of $4.2 million on Tuesday."
BEFORE = ("Japan has moved a long way in recent years from its postwar pacifism.",)


def verdict(claim: str, *sentences: str) -> Verdict:
    title = "Washington to turn U.S. Forces Japan into a joint headquarters"
    return check_claim(claim, [Cited(one, BEFORE, title, "Demo Desk", SUNDAY) for one in sentences])


def against(claim: str, *sentences: str) -> set[str]:
    return {finding.test for finding in verdict(claim, *sentences).findings}


@pytest.mark.parametrize(
    ("claim", "sentence", "test"),
    [
        ("The command will be headed by a four-star commander, Austin said.", HEAD, "swap"),
        ("Blinken, the Secretary of Defense, was in Tokyo.", TALKS, "title"),
        ("Austin and his counterpart Kamikawa met in Tokyo.", TALKS, "title"),
        ("Japan is home to 54,000 aircraft.", TROOPS, "unit"),
        ("China said it was not based on any threat.", THREAT, "speaker"),
        ("Japan has doubled its defense spending.", PLAN, "plan"),
    ],
)
def test_a_fact_of_something_else_in_the_sentence_is_caught(claim: str, sentence: str, test: str) -> None:
    assert test in against(claim, sentence)


@pytest.mark.parametrize(
    ("claim", "sentence"),
    [
        ("The command will be headed by a three-star general, a U.S. official said.", HEAD),
        ("Austin, the Secretary of Defense, was in Tokyo.", TALKS),
        ("Blinken and his counterpart Kamikawa held talks in Tokyo.", TALKS),
        ("Japan hosts fifty-four thousand U.S. troops.", TROOPS),
        ("Austin said the upgrade was not based on any threat from China.", THREAT),
        ("Japan plans to double its defense spending to 2% of GDP.", PLAN),
        ("On 23 July 2024 the council approved a budget of 4.2 million dollars.", BUDGET),
        ("In July 2024 the council approved the budget.", BUDGET),
    ],
)
def test_what_the_sentence_says_is_supported(claim: str, sentence: str) -> None:
    assert verdict(claim, sentence) == Verdict(Support.SUPPORTED, "the cited sentences bear it out", ())


@pytest.mark.parametrize(
    ("claim", "reason"),
    [
        ("The council approved a budget of $4.8 million.", "$4.8 million is not in the cited sentence"),
        ("The council approved a budget of €4.2 million.", "€4.2 million is not in the cited sentence"),
        ("The council approved the budget on Friday.", "Friday is not in the cited sentence"),
        (
            "The council rejected the budget.",
            "'rejected' is the opposite of 'approved' in the cited sentence",
        ),
        ("The council did not approve the budget.", "the cited sentence does not deny 'approve'"),
    ],
)
def test_what_is_dropped_says_why(claim: str, reason: str) -> None:
    found = verdict(claim, BUDGET)
    assert found.support is Support.UNSUPPORTED
    assert found.why.split("; ")[0] == reason


def test_a_name_that_is_nowhere_marks() -> None:
    found = verdict("The council of Ostrava approved the 2024 budget of $4.2 million.", BUDGET)
    assert found == Verdict(
        Support.PARTIAL,
        "Ostrava is not in the cited sentence",
        (Finding("name", False, "Ostrava is not in the cited sentence", range(3, 4)),),
    )


def test_a_name_may_come_from_around_the_sentence_and_a_value_may_not() -> None:
    cited = [Cited("It will close for 18 months of repairs.", ("The Ostrava bridge has 90 arches.",))]
    claim = "The Ostrava bridge will close for 18 months of repairs."
    assert check_claim(claim, cited).support is Support.SUPPORTED
    assert check_claim("It will close for 90 months of repairs.", cited).support is Support.UNSUPPORTED


def test_a_date_is_counted_from_publication_only_where_that_is_known() -> None:
    claim = "The council approved the budget on 23 July 2024."
    assert check_claim(claim, [Cited(BUDGET, published=SUNDAY)]).support is Support.SUPPORTED
    assert check_claim(claim, [Cited(BUDGET)]).support is Support.UNSUPPORTED


def test_the_day_of_publication_alone_marks() -> None:
    found = verdict("Japan was home to 54,000 American troops in July 2024.", TROOPS)
    assert found.why == "July 2024 is only when the article was published"
    assert found.support is Support.PARTIAL


@pytest.mark.parametrize(
    ("number", "support"),
    [
        ("About 54,000", Support.SUPPORTED),
        ("Some 54,000", Support.SUPPORTED),
        ("More than 50,000", Support.SUPPORTED),
        ("Nearly 55,000", Support.SUPPORTED),
        ("Tens of thousands of", Support.SUPPORTED),
        ("At least 54,210", Support.PARTIAL),
        ("Nearly 60,000", Support.UNSUPPORTED),
        ("More than 55,000", Support.UNSUPPORTED),
        ("54,000", Support.UNSUPPORTED),
    ],
)
def test_a_rounding_needs_a_word_that_makes_it_true(number: str, support: Support) -> None:
    rest = "people came to the old harbour of Velden."
    assert verdict(f"{number} {rest}", f"On Monday 54,210 {rest}").support is support


def test_two_tests_that_agree_about_the_same_words_drop() -> None:
    sentence = "Arden won 112 of the 230 seats and Bellamy won 47 mandates."
    assert verdict("Arden won 47 seats.", sentence).support is Support.PARTIAL
    found = verdict("Arden won at least 47 seats.", sentence)
    assert {(one.test, one.drops) for one in found.findings} == {("swap", False), ("limit", False)}
    assert found.support is Support.UNSUPPORTED


def test_the_sentence_itself_is_supported_whatever_it_says() -> None:
    for sentence in (TALKS, HEAD, TROOPS, THREAT, PLAN):
        assert verdict(sentence, sentence).support is Support.SUPPORTED


def test_without_a_sentence_a_claim_is_uncited() -> None:
    assert check_claim("It rained.", []) == Verdict(Support.UNCITED, "it cites nothing", ())
    assert check_claim("It rained.", [Cited("  ")]).support is Support.UNCITED


def test_several_sentences_bear_a_claim_out_together() -> None:
    claim = "The council approved a budget of $4.2 million, and 54,000 American troops are in Japan."
    assert verdict(claim, BUDGET, TROOPS).support is Support.SUPPORTED
    assert verdict(claim, BUDGET).why.startswith("54,000 is not in the cited sentence")


HOSTILE = [
    "1,",
    "9",
    "$",
    "'",
    "U.",
    "12:",
    "a-",
    "Ab ",
    '"',
    "not ",
    "said ",
    ", the ",
    "one hundred ",
    "Mr. ",
    "1910-",
]


@pytest.mark.parametrize("piece", HOSTILE)
def test_the_expression_that_cuts_words_takes_a_long_text(piece: str) -> None:
    text = piece * (100_000 // len(piece))
    begun = time.perf_counter()
    TOKEN.findall(text)
    assert time.perf_counter() - begun < 1  # 50 ms alone on a machine; this one is shared


@pytest.mark.parametrize("piece", HOSTILE)
def test_a_hostile_sentence_is_checked_in_time(piece: str) -> None:
    text = piece * (100_000 // len(piece))
    begun = time.perf_counter()
    check_claim(text[:2_000], [Cited(text, (text,), text, text, SUNDAY)])
    assert time.perf_counter() - begun < 5


@pytest.mark.parametrize(
    "text", ["", " ", ".", "\u2028", "№ 5", "½ of it", "🚢 54", "٣ ships", "'t", "n't", "- -"]
)
def test_odd_texts_are_read(text: str) -> None:
    words = read(text).words
    assert all(re.sub(r"\s", "", text[word.start : word.end]) for word in words)
    assert all(text[one.start : one.end] == one.text for one in values_in(text))
    check_claim(text, [Cited(f"x {text}")])
