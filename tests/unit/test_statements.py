import time
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from assistant.adapters.sentencex_segmenter import SentencexSegmenter
from assistant.domain.passages import Span
from assistant.grounding.markers import UNKNOWN
from assistant.grounding.statements import Statement, StatementReader
from assistant.testing import FullStopSegmenter


def read(*pieces: str) -> list[Statement]:
    reader = StatementReader(SentencexSegmenter().segment)
    return [statement for piece in pieces for statement in reader.feed(piece)] + reader.end()


def cited(text: str) -> list[tuple[str, tuple[int, ...]]]:
    return [(statement.text, statement.markers) for statement in read(text)]


def test_each_statement_has_its_markers_and_how_it_joins_what_came_before() -> None:
    assert read("The chair resigned on Tuesday. [3] A vote follows. [4][7]\n\nIt is open. [5]") == [
        Statement("The chair resigned on Tuesday.", (3,), ""),
        Statement("A vote follows.", (4, 7), " "),
        Statement("It is open.", (5,), "\n"),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("He left [3].", [("He left.", (3,))]),
        ("He left. [3].", [("He left.", (3,))]),
        ("He left .[3]", [("He left .", (3,))]),
        ("He left[3]! She stayed.[4]", [("He left!", (3,)), ("She stayed.", (4,))]),
        ("He left. [3] [4], [3] and [5] She stayed. [6]", [("He left.", (3, 4, 5)), ("She stayed.", (6,))]),
        ("He left ([3]). She stayed. ([4], [5]) Both won. [6]",
         [("He left.", (3,)), ("She stayed.", (4, 5)), ("Both won.", (6,))]),
        ("He left. [3] ([4]) She stayed. [5]", [("He left.", (3, 4)), ("She stayed.", (5,))]),
        ("He left (as [3] says). [4]", [("He left (as says).", (3, 4))]),
        ("He left ([3] says so). [4]", [("He left (says so).", (3, 4))]),
        ("He left (in May [3]) and won [4].", [("He left (in May) and won.", (3, 4))]),
        ("He left [3]and won [4].", [("He left and won.", (3, 4))]),
        ("He resigned [3], and stayed [4].", [("He resigned, and stayed.", (3, 4))]),
        ("He left. [3] and then won. [4]", [("He left.", (3,)), ("and then won.", (4,))]),
        ("He left.<sup>3</sup> She stayed.<sup>[4][5]</sup>", [("He left.", (3,)), ("She stayed.", (4, 5))]),
        ("He left. (Source: [3]) She stayed. Source: [4]", [("He left.", (3,)), ("She stayed.", (4,))]),
        ("He left.** [3] She stayed.", [("He left.", (3,)), ("She stayed.", ())]),
        ("He left in 2024. (3) She [He] stayed. [citation needed]",
         [("He left in 2024.", ()), ("(3) She [He] stayed.", ()), ("[citation needed]", ())]),
        ("In [2024] he left [1-900].", [("In he left.", (2024, UNKNOWN))]),
        ("He left. [3][4", [("He left.", (3, UNKNOWN))]),
        ("He left. [3] [", [("He left.", (3,))]),
        ("He left. [3\nShe stayed. [4]", [("He left.", (UNKNOWN,)), ("She stayed.", (4,))]),
        ("He l\u200beft. [\u200b3]", [("He left.", (3,))]),
        ("", []),
        ("[3]", []),
        ("**", []),
    ],
)  # fmt: skip
def test_where_markers_stand(text: str, expected: list[tuple[str, tuple[int, ...]]]) -> None:
    assert cited(text) == expected


def test_trailing_markers_belong_to_the_last_sentence_before_them() -> None:
    assert cited("It was late. Gen. Smith left the U.S. base. [3] He won [4]. So did she.") == [
        ("It was late.", ()),
        ("Gen. Smith left the U.S. base.", (3,)),
        ("He won.", (4,)),
        ("So did she.", ()),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("He said: “We leave. We stay away.” [3] So he said. [4]",
         [("He said: “We leave. We stay away.”", (3,)), ("So he said.", (4,))]),
        ("“We leave. [3] We stay away,” he said. [4] Yes. [5]",
         [("“We leave. We stay away,” he said.", (3, 4)), ("Yes.", (5,))]),
        ('He said "no. [3]" She said yes. [4]', [('He said "no."', (3,)), ("She said yes.", (4,))]),
        ('He left. [3] "No," she said. [4]', [("He left.", (3,)), ('"No," she said.', (4,))]),
        ("Er sagte: „Wir gehen. Wir bleiben.“ [3] So sei es. [4]",
         [("Er sagte: „Wir gehen. Wir bleiben.“", (3,)), ("So sei es.", (4,))]),
        ("„Wir gehen. [3]“ So sei es. [4]", [("„Wir gehen.“", (3,)), ("So sei es.", (4,))]),
        ("He left. [3]“No,” she said. [4]", [("He left.", (3,)), ("“No,” she said.", (4,))]),
        *(
            (f"He said {a}We leave. We stay away.{z} [3] So he said. [4]",
             [(f"He said {a}We leave. We stay away.{z}", (3,)), ("So he said.", (4,))])
            for a, z in ("»«", "””", "❝❞", "❮❯", "‹›", "《》", "『』", "‚‘", "❛❜", "＂＂")
        ),
        ("He said “We leave.\nShe stayed. [3]", [("He said “We leave.", ()), ("She stayed.", (3,))]),
    ],
)  # fmt: skip
def test_a_quotation_is_not_torn(text: str, expected: list[tuple[str, tuple[int, ...]]]) -> None:
    assert cited(text) == expected


def test_a_segmenter_that_cuts_inside_a_quotation_is_overruled() -> None:
    reader = StatementReader(FullStopSegmenter().segment)
    reader.feed("It began. He said “We leave. We stay away. Never.” in May. It ended. [3]")
    assert [statement.text for statement in reader.end()] == [
        "It began.",
        "He said “We leave. We stay away. Never.” in May.",
        "It ended.",
    ]


def test_what_the_segmenter_leaves_out_is_kept() -> None:
    def second_word(text: str) -> Sequence[Span]:
        return [Span(3, 4), Span(6, 7)]

    reader = StatementReader(second_word)
    reader.feed("a. b. c. d. [3]")
    assert [statement.text for statement in reader.end()] == ["a. b.", "c. d."]


def test_marks_of_headings_lists_and_emphasis_are_gone() -> None:
    text = "## **The vote**\n> It __was__ *close*. [3]\n- `Ann` won Al`s 5 * 3 seats. [4]\n2. a_b stays. [5]"
    assert read(text) == [
        Statement("The vote", (), ""),
        Statement("It was close.", (3,), "\n"),
        Statement("Ann won Al`s 5 * 3 seats.", (4,), "\n- "),
        Statement("a_b stays.", (5,), "\n- "),
    ]


def test_a_line_of_markers_alone_belongs_to_the_line_before() -> None:
    assert cited("He left.\n\n[3]\n[4]\nShe stayed.\n  [5]") == [("He left.", (3, 4)), ("She stayed.", (5,))]


@pytest.mark.parametrize("heading", ["", "Sources:\n", "**References**\n\n", "## Sources\n"])
@pytest.mark.parametrize(
    "listed", ["[3] The chair resigns\n[4] A vote", "- [3] The chair resigns, A Paper. 2 May"]
)
def test_a_list_of_sources_cites_nothing(heading: str, listed: str) -> None:
    statements = read(f"He left. [3]\n\n{heading}{listed}")
    assert statements[0] == Statement("He left.", (3,), "")
    assert [statement.markers for statement in statements[1:] if statement.markers] == []
    assert not heading or len(statements) == 1


@pytest.mark.parametrize(
    "line", ["Sources: [3], [4]", "References: [3] The chair resigns, A Paper", "Source: [3]"]
)
def test_a_line_of_sources_is_no_statement(line: str) -> None:
    assert cited(f"He left. [3]\n{line}\nShe stayed. [4]") == [("He left.", (3,)), ("She stayed.", (4,))]


def test_a_list_of_sources_ends_the_statements() -> None:
    assert cited("He left. [3]\nSources:\n1. The chair resigns [3]\n2. A vote. [4]") == [("He left.", (3,))]


def test_sources_said_something_is_a_statement() -> None:
    assert cited("Sources said that he left. [3]") == [("Sources said that he left.", (3,))]


def test_a_line_that_begins_with_a_marker_counts_only_what_stands_behind_its_statements() -> None:
    assert cited("[3] He left. [4] She stayed. [5]") == [("He left.", (4,)), ("She stayed.", (5,))]
    assert cited("[3] He left. [4] She stayed.") == [("He left.", ()), ("She stayed.", ())]


def test_a_statement_is_released_when_the_next_one_begins() -> None:
    reader = StatementReader(SentencexSegmenter().segment)
    pieces = [
        "He left. [",
        "3]",
        " ",
        "S",
        "he [4",
        "] stayed [5]",
        ".",
        "\n",
        "[6",
        "]\n",
        "A",
        " vote. [7] (",
        "B",
    ]
    released = [[statement.text for statement in reader.feed(piece)] for piece in pieces]
    assert released == [
        [], [], [], ["He left."], [], [], [], [], [], [], ["She stayed."], [], ["A vote."],
    ]  # fmt: skip
    assert reader.end() == [Statement("(B", (), " ")]


PARTS = st.sampled_from(
    ["He left", "she ", "Gen. Smith", "A", "b", ".", "!", ",", " ", "\n", "[3]", "[4", "[", "]", "5",
     "(", ")", '"',
     "“", "”", "**", "- ", "# ", "<sup>", "</sup>", "http://a", "\\", "【6†x】", "Source: ", "Sources:",
     "and", "'", "1. "]
)  # fmt: skip


@given(st.lists(PARTS, max_size=24).map("".join), st.lists(st.integers(0, 120), max_size=12))
@example("He left [4\nShe left", [10])
def test_the_statements_are_the_same_however_the_reply_was_cut(text: str, cuts: list[int]) -> None:
    bounds = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    whole = read(text)
    assert read(*(text[start:end] for start, end in pairwise(bounds))) == whole
    assert read(*text) == whole


@given(st.lists(PARTS, max_size=24).map("".join))
def test_no_marker_that_was_read_is_left_in_a_statement(text: str) -> None:
    for statement in read(text):
        assert "[3]" not in statement.text
        assert statement.text == statement.text.strip() != ""
        assert len(set(statement.markers)) == len(statement.markers)


@pytest.mark.parametrize(
    "unit", ["[3]", "a. [3] ", '"a. [3] ', "[", "[[", "[3](", "([3", "- ", "*", "<sup>", "“a” "]
)
def test_a_reply_of_signs_takes_no_longer_than_text(unit: str) -> None:
    text = unit * (100_000 // len(unit))
    begin = time.perf_counter()
    reader = StatementReader(lambda text: [Span(0, len(text))])
    for at in range(0, len(text), 50):
        reader.feed(text[at : at + 50])
    reader.end()
    assert time.perf_counter() - begin < 3
