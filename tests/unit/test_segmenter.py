from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.adapters.sentencex_segmenter import MAX_CHARACTERS, SentencexSegmenter
from assistant.domain.passages import Span

# Each paragraph is a list of its sentences; joined by a blank they must come apart again.
GOLD = [
    ["Sen. Ruth Calloway, D-Ore., spoke first.", "Rep. Tim Adeyemi answered her.", "Gov. Lund did not."],
    ["Maj. Gen. Iris Falk landed at 5 a.m. Tuesday.", "She left at 9 p.m.", "The base stayed shut."],
    ["Mr. and Mrs. Tan sued Harrow & Pike Ltd. in 2019.", "They lost.", "Ms. Tan appealed."],
    ["Dr. L. M. Voss runs the lab.", "Her deputy, Prof. A. Quist, runs the clinic."],
    ["The team flew to Ft. Worth on Jan. 6 for the final.", "It rained in St. Paul."],
    ["At approx. 10 locations, crews worked from Rm. 12 of each town hall.", "See p. 12 for a map."],
    ["Atty. Gen. Paula Reed met Brig. Gen. Omar Haddad.", "They toured Pt. Reyes."],
    ["The U.S. Forces stayed.", "The U.S. Treasury paid.", "Nobody knew why."],
    ["Prices rose 3.5 percent in the U.S.", "The rate was 2.1 percent in the U.K. last May."],
    ["He ranked No. 2 in the world.", "Was it fair?", "No.", "But nobody asked him."],
    ["“We are open,” said Capt. Lena Brandt.", "“Come and see.”", "Few did."],
    ['"Who called?" she asked.', '"Nobody!" he shouted.', "They waited."],
    ["(Two senators were absent.)", "The bill passed."],
    ["Oakline Corp. fell 2.4% to $8.15.", "Its rival, Fenn Inc., rose.", "The index was flat."],
    ["George H. W. Bush and John F. Kennedy are named.", "So is Robert Downey Jr.", "He laughed."],
    ["The case, Doe v. Smith, is old.", "It was 4 vs. 3 at half-time.", "They tied."],
    ["Write to desk@example.org or see example.org for more.", "Version 3.2 is out."],
    [
        "Vitamin D levels fell, i.e. they halved.",
        "Some foods, e.g. eggs, help.",
        "Others (oil, etc.) do not.",
    ],
    ["The train leaves at 7:30 p.m. EST from Track 4.", "It arrives at 11 p.m.", "Tickets are $20."],
    ["The firm moved to Boise, Idaho, in Sept. 2021 and to Reno, Nev., in Feb. 2022.", "It closed in 2023."],
    ["Yippee! is the name of the app.", "The band Help! played on."],
    ["The album has three parts: 1. rise, 2. fall, 3. return.", "Fans want a fourth."],
    ["SEN. OLA BRIGHT WAS THERE.", "GOV. DEAN WAS NOT."],
    ["Then-Gov. Ann Pratt signed it.", "Ex-Rep. Bo Lang did not."],
]


def sentences(text: str, language: str = "en") -> list[str]:
    return [span.of(text) for span in SentencexSegmenter().segment(text, language)]


@pytest.mark.parametrize("expected", GOLD, ids=lambda paragraph: paragraph[0][:40])
def test_a_paragraph_comes_apart_into_its_sentences(expected: list[str]) -> None:
    assert sentences(" ".join(expected)) == expected


def test_an_article_comes_apart_into_the_sentences_of_its_paragraphs() -> None:
    article = "\n\n".join(" ".join(paragraph) for paragraph in GOLD)
    assert sentences(article) == [sentence for paragraph in GOLD for sentence in paragraph]


JOINED = [
    "Lt. Gen. Peter Falk spoke.",
    "It was Sen. Maria Stone.",
    "They met Ms. Okoye.",
    "He saw Dr. J. K. Amadi.",
    "The road to Ft. Bragg is shut.",
    "It cost approx. 10 euros.",
    "Approx. 10 people came.",
    "Go to Rm. 12 now.",
    "He is Atty. Gen. Bell.",
    "The U.S. Forces left.",
    "It is in Jan. 6 footage.",
    "See p. 12 and Sec. 4 of it.",
    "Call Prop. 8 what you like.",
    "He lives at 401 N. Third St. in town.",
    "The vote (Rep. Cole, D-N.H. Democrats, said) is on.",
    "It opens at 6 a.m. Sunday.",
    "It opens at 6 a.m. ET.",
    "Will the show Help! return?",
]


@pytest.mark.parametrize("text", JOINED)
def test_an_abbreviation_does_not_end_a_sentence(text: str) -> None:
    assert sentences(f"It rained. {text} It snowed.") == ["It rained.", text, "It snowed."]


APART = [
    ("He works for the U.S.", "The president knows."),
    ("It is run by Fenn Inc.", "It lost money."),
    ("The doors open at 8 p.m.", "Tickets are free."),
    ("The reply was no.", "The vote was lost."),
    ("She is the sales rep.", "The firm is small."),
    ("It was vitamin C.", "When he took it, he slept."),
    ("So did I.", "The others did not."),
    ("He bought a new phone.", "iPhone prices had dropped."),
]


@pytest.mark.parametrize(("first", "second"), APART)
def test_an_abbreviation_ends_a_sentence_where_another_one_clearly_opens(first: str, second: str) -> None:
    assert sentences(f"{first} {second}") == [first, second]


def test_when_unsure_a_sentence_stays_whole() -> None:
    # Nothing but the sense tells this from "the U.S. Government Printing Office".
    text = "She works for the U.S. Government doctors agreed."
    assert sentences(text) == [text]


def test_a_quotation_of_several_sentences_stays_with_its_speaker() -> None:
    text = "“We tried. We failed. We try again,” said Bo Lang of Harrow."
    assert sentences(f"It rained. {text} It snowed.") == ["It rained.", text, "It snowed."]


DATELINES = [
    "OSLO — ",
    "OSLO - ",
    "OSLO -- ",
    "LIMA (AP) — ",
    "LVIV, Ukraine (Reuters) - ",
    "SAN JOSE, Calif. (AP) — ",
    "ST. LOUIS — ",
    "PORTO/MADRID, Feb 12 (Reuters) - ",
    "BERLIN, March 3 (AFP) – ",
    "Washington CNN — ",
    "New York CNN Business — ",
    "Seoul, South Korea CNN — ",
    "London (CNN) — ",
    "(CNN) ",
    "(CNN)",
    "(Reuters) - ",
    "CNN — ",
]


@pytest.mark.parametrize("dateline", DATELINES)
@pytest.mark.parametrize(
    "body", ["The port was shut on Sunday.", "“We are shut,” a clerk said.", "U.S. Sen. Cole fell."]
)
def test_a_dateline_is_not_part_of_the_first_sentence(dateline: str, body: str) -> None:
    assert sentences(f"{dateline}{body} It rained.") == [body, "It rained."]
    assert sentences(f"It snowed.\n\n{dateline}{body}") == ["It snowed.", body]


@pytest.mark.parametrize(
    "text",
    [
        "Oslo — the capital of Norway — was quiet.",
        "NASA — the space agency — waited.",
        "COVID-19 — The disease spread.",
        "QB – Isaiah Reed, Toledo, started.",
        "The AP — a news agency — was told.",
        "He left Oslo — The rest stayed.",
    ],
)
def test_a_dash_alone_makes_no_dateline(text: str) -> None:
    assert sentences(text) == [text]


GLUED = [
    ("Harbour lights", "For the second time, the crews also spoke of “silent running.”"),
    ("What officials expect next", "In the morning, the council votes."),
    ("The argument for waiting", "But the mayor wants it now."),
    ("Not just a river", "When the dam broke, 40 people fled."),
]


@pytest.mark.parametrize(("heading", "sentence"), GLUED)
def test_a_heading_run_into_a_sentence_is_in_no_sentence(heading: str, sentence: str) -> None:
    assert sentences(f"The dam held in Porto. {heading} {sentence} It rained.") == [
        "The dam held in Porto.",
        sentence,
        "It rained.",
    ]


@pytest.mark.parametrize(
    "sentence",
    [
        "Fans of the film In the heat of it came.",
        "Critics say The shining city is a myth.",
        "The drama series The Long Road won.",
        "Readers of The Lisbon Post complained.",
        "Last Monday The company closed.",
        "Nobody believes He is coming.",
    ],
)
def test_a_capital_inside_a_sentence_is_not_taken_for_its_start(sentence: str) -> None:
    assert sentences(f"It rained. {sentence}") == ["It rained.", sentence]


def test_heading_blocks_and_lines_are_left_out() -> None:
    text = (
        "Dam breaks\nBy Ana Reis\n\nThe dam broke.\n\nWhat we know\nThe water rose at noon.\n\nIt fell later."
    )
    assert sentences(text) == ["The dam broke.", "The water rose at noon.", "It fell later."]


def test_a_dateline_on_a_line_of_its_own_is_left_out() -> None:
    assert sentences("Washington CNN —\n\nThe dam broke.") == ["The dam broke."]


@pytest.mark.parametrize(
    "text", ["Dam breaks", "Dam breaks near Porto", "OSLO —", "Dam breaks\n\n***", "“Enough”"]
)
def test_a_text_of_one_short_line_is_a_sentence(text: str) -> None:
    assert len(sentences(text)) == 1


def test_the_last_line_is_not_a_heading_of_anything() -> None:
    assert sentences("The dam broke.\n\nNobody was hurt") == ["The dam broke.", "Nobody was hurt"]


def test_a_long_run_of_short_lines_is_a_list_and_not_headings() -> None:
    winners = ["Best song", "Ana Reis, “Tide”", "Best film", "“The Dam”", "Best actor", "Bo Lang"]
    assert sentences("\n\n".join([*winners, "The gala ended late."])) == [*winners, "The gala ended late."]


def test_a_block_cut_by_a_page_break_is_no_heading() -> None:
    assert sentences("The minister told the\n\nparliament on Monday.") == [
        "The minister told the",
        "parliament on Monday.",
    ]


def test_list_items_are_sentences_without_their_bullets() -> None:
    items = "- build homes\n- cut rents\n* Plant trees.\n• Fix roads\n1. Hire staff\n2) Train them"
    assert sentences(f"The plan:\n{items}\n\nIt won.") == [
        "The plan:",
        "build homes",
        "cut rents",
        "Plant trees.",
        "Fix roads",
        "Hire staff",
        "Train them",
        "It won.",
    ]


def test_wrapped_lines_are_one_paragraph() -> None:
    first = (
        "The council of Porto voted late on Sunday\nto shut the old harbour, which has served\n"
        "Portugal for centuries, and to build on\nMonday’s plan."
    )
    second = "Nobody spoke against it, said\nMr. Reis of the port authority - a friend\n- to Reuters."
    assert sentences(f"{first} {second}") == [first, second]


def test_a_wrapped_line_that_names_an_agency_is_not_furniture() -> None:
    text = "The dam broke on Sunday at noon, a clerk told the agency\nReuters."
    assert sentences(text) == [text]


FURNITURE = [
    "Comments are closed.",
    "Advertisement",
    "ADVERTISEMENT",
    "Advertisement - Scroll to continue",
    "Read more",
    "Read more: Ten dams that broke",
    "Sign up for our newsletter",
    "Sign up for our newsletter to get the latest news of the day.",
    "Share this article",
    "Share on Facebook",
    "Subscribe now",
    "Subscribe to our newsletter.",
    "All rights reserved.",
    "© 2024 The Harrow Post. All rights reserved.",
    "Copyright 2024 The Harrow Post",
    "This article was originally published in The Harrow Post.",
    "This story has been updated with additional details.",
    "Click here to read the report.",
    "Click here",
    "Follow us on Facebook and Instagram!",
    "Follow Ana Reis on Twitter: @anareis.",
    "Ana Reis/Getty Images",
    "Photo: Ana Reis/AP",
    "Image credit: Ana Reis",
    "(Reporting by Ana Reis; editing by Bo Lang)",
    "Story continues below advertisement",
    "Skip to content",
]


@pytest.mark.parametrize("line", FURNITURE)
def test_furniture_is_no_sentence_wherever_it_stands(line: str) -> None:
    assert sentences(line) == []
    assert sentences(f"The dam broke.\n\n{line}\n\nIt rained.") == ["The dam broke.", "It rained."]
    assert sentences(f"The dam broke.\n{line}\nIt rained.") == ["The dam broke.", "It rained."]
    assert sentences(f"The dam broke. It rained.\n{line}") == ["The dam broke.", "It rained."]


def test_a_sentence_of_furniture_goes_from_within_a_paragraph() -> None:
    assert sentences("The dam broke. Comments are closed.") == ["The dam broke."]


@pytest.mark.parametrize(
    "sentence",
    [
        "The council said comments are closed.",
        "Advertisement spending rose 4 percent.",
        "Read more slowly, the teacher said.",
        "Copyright law is old.",
        "Share this article of faith with nobody, he said.",
        "Sign up for the army, they told him.",
        "Click here was the button that cost her 900 euros.",
        "“Subscribe now,” the site told her.",
        "Follow the money.",
        "Reuters reported the vote.",
        "This article was wrong.",
        "Photo evidence was lost.",
    ],
)
def test_news_that_holds_the_words_of_furniture_stays(sentence: str) -> None:
    assert sentences(f"It rained. {sentence} It snowed.") == ["It rained.", sentence, "It snowed."]


def test_a_page_of_one_glued_line_gives_its_sentences_and_nothing_else() -> None:
    story = (
        "OSLO — Ferry owners will share one ticket from May, a step that the trade calls “long overdue,” a "
        "union said. It follows a week of talks between U.S. Trade Envoy Tom Adler and port chief Kari Lund. "
        "“Nobody pays twice,” Lund told a crowd after the so-called “quay talks.” “It is the biggest cut in "
        "fares since 1984.” Buses stay out of the plan, as in nearby Bergen. Night boats For a first trial, "
        "two crews sail “dark runs,” their word for trips without deck lights. “It is calm out there. You "
        "hear whales,” Lund’s deputy said.\n"
        "Comments are closed."
    )
    assert sentences(story) == [
        (
            "Ferry owners will share one ticket from May, a step that the trade calls “long overdue,” a "
            "union said."
        ),
        "It follows a week of talks between U.S. Trade Envoy Tom Adler and port chief Kari Lund.",
        "“Nobody pays twice,” Lund told a crowd after the so-called “quay talks.”",
        "“It is the biggest cut in fares since 1984.”",
        "Buses stay out of the plan, as in nearby Bergen.",
        "For a first trial, two crews sail “dark runs,” their word for trips without deck lights.",
        "“It is calm out there. You hear whales,” Lund’s deputy said.",
    ]


def test_offsets_are_code_points() -> None:
    text = "😀 e\u0301te\u0301 👩‍👧 ended. 🇳🇴 Lund left."
    assert SentencexSegmenter().segment(text) == [Span(0, 18), Span(19, 32)]
    assert sentences(text) == ["😀 e\u0301te\u0301 👩‍👧 ended.", "🇳🇴 Lund left."]


def test_a_text_without_words_has_no_sentences() -> None:
    assert [sentences(text) for text in ("", " \n\n\t", "***", "— … —")] == [[], [], [], []]


def test_half_a_surrogate_pair_does_no_harm() -> None:
    assert sentences("The dam\ud83d broke. It rained.") == ["The dam\ud83d broke.", "It rained."]


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("de", ["Es gilt z. B. heute.", "Der Damm hielt."]),
        ("zh", ["水坝垮了。", "没有人受伤。"]),
        ("es-MX", ["¿Quién fue?", "Nadie."]),
        ("xx", ["Ena.", "Dva."]),
        ("", ["The dam broke.", "It rained."]),
    ],
)
def test_other_languages_are_cut_by_sentencex_alone(language: str, expected: list[str]) -> None:
    assert sentences(("" if language == "zh" else " ").join(expected), language) == expected


def test_british_english_is_english() -> None:
    assert sentences("Ms. Okoye met Rm. 12. It rained.", "en-GB") == ["Ms. Okoye met Rm. 12.", "It rained."]


def test_a_long_sentence_is_cut_at_blanks() -> None:
    text = "word " * 1000 + "end."
    pieces = sentences(text)
    assert all(len(piece) <= MAX_CHARACTERS for piece in pieces)
    assert " ".join(pieces) == text


def test_one_endless_word_is_cut_where_it_must_be() -> None:
    pieces = sentences("a" * 2_000_000)
    assert [len(piece) for piece in pieces] == [MAX_CHARACTERS] * 1666 + [800]


def test_a_long_paragraph_is_cut_as_its_sentences_are() -> None:
    run = [f"“We saw it. It was number {number},” said Ms. Reis of ward {number}." for number in range(400)]
    assert sentences(" ".join(run)) == run


@pytest.mark.parametrize(
    "unit", [" ", ".", "A", "\n", '"', "“", "'", "A. ", "“b. ", "(a.) A", "A-", "- a\n", "Abc\n\n", "Mr. "]
)
def test_time_grows_with_length_and_not_with_its_square(unit: str) -> None:
    # Quadratic, each of these takes minutes; the bound leaves room for a slow, busy machine.
    started = time.perf_counter()
    sentences(unit * (200_000 // len(unit)))
    assert time.perf_counter() - started < 15


def test_the_fingerprint_names_both_parts() -> None:
    vendor, _, layer = SentencexSegmenter().fingerprint.partition("/")
    assert vendor.startswith("sentencex-1.")
    assert layer.startswith("layer-")


TOKENS = """
    The In For he said U.S. Mr. Dr. No. 2 p.m. 6 “We will.” ” “ " ' ( ) OSLO — (AP) - * • 1. Nuclear umbrella
    Advertisement Read more. Comments are closed. J. K. … ... ! ? , : 😀 e\u0301 iPhone St. © Tom Inc. word
"""
GAPS = [" ", " ", " ", "  ", "\n", "\n\n", "\n \n", "\u00a0", ""]
news = st.lists(st.tuples(st.sampled_from(TOKENS.split()), st.sampled_from(GAPS)), max_size=60).map(
    lambda pairs: "".join(token + gap for token, gap in pairs)
)


@given(
    st.one_of(st.text(), st.text("aA.?!\"“”'()-–— \n\t1•"), news), st.sampled_from(["en", "de", "zh", "xx"])
)
def test_spans_are_ordered_apart_inside_and_trimmed(text: str, language: str) -> None:
    spans = SentencexSegmenter().segment(text, language)
    assert spans == SentencexSegmenter().segment(text, language)
    ends = [0, *(span.end for span in spans)]
    for before, span in zip(ends, spans, strict=False):
        assert before <= span.start < span.end <= len(text)
        assert span.of(text) == span.of(text).strip()
        assert span.end - span.start <= MAX_CHARACTERS


@given(
    st.lists(st.text("abcdefgh", min_size=1), min_size=1), st.sampled_from([" ", "\n", "\n\n", ". ", ", "])
)
def test_a_text_with_words_has_a_sentence(words: list[str], gap: str) -> None:
    assert sentences(gap.join(words))
