import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.domain.passages import Sentence, Span
from assistant.domain.text import clean
from assistant.grounding.quotes import MAX_QUOTATIONS, QUOTATION_MARKS, Altered, Quoted, check, has_quotation


def sentence(text: str, article: str = "a") -> Sentence:
    return Sentence(article, Span(0, len(text)), text, clean(text))


PLAN = sentence('Mayor Lee said on Tuesday that the plan for 2024 "protects every school".')
UNION = sentence("“We will not leave — not ever,” she said; the workers' union called it a ‘mess’.")
TURNOUT = sentence(
    "Turnout fell by 5% in the northern districts, John Smith told reporters on Monday evening.", "b"
)
LEFT = sentence("“We leave. We never return,” he said... and left [2].", "c")
HIDDEN = sentence("The vote\u200b was\n5\u202e to 4 on Friday.", "d")
QUESTION = 'What is "Operation Red Door" about?'
CITED, OTHERS = [PLAN, UNION], [TURNOUT, LEFT, HIDDEN]


def quoted(text: str) -> Quoted | Altered:
    return check(text, CITED, OTHERS, QUESTION)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("He said nothing of it.", "He said nothing of it."),
        # shapes of marks, dashes and blanks
        ("It “protects every school”.", "It “protects every school”."),
        ('It "protects  every school".', "It “protects every school”."),
        ("It «protects every school».", "It “protects every school”."),
        ("It »protects every school«.", "It “protects every school”."),
        ("It „protects every school“.", "It “protects every school”."),
        ("It 「protects every school」.", "It “protects every school”."),
        ("It 'protects every school'.", "It “protects every school”."),
        ("It ‘protects every school’, he said.", "It “protects every school”, he said."),
        ('She said "We will not leave--not ever".', "She said “We will not leave — not ever”."),
        ('"the workers’ union called it a "', "“the workers' union called it a” "),
        # marks inside marks
        ('He said "that the plan for 2024 \'protects every school\'".',
         "He said “that the plan for 2024 ‘protects every school’”."),
        ("He said “the plan for 2024 “protects every school””.",
         "He said “the plan for 2024 ‘protects every school’”."),
        # what is no quotation
        ("It isn't the workers' plan of the '90s, rock 'n' roll, 'til 6'2\" or 5\" wide.",
         "It isn't the workers' plan of the '90s, rock 'n' roll, 'til 6'2\" or 5\" wide."),
        ('It was ""empty.', "It was empty."),
        # repairs
        ('It "protects every school," he said.', "It “protects every school”, he said."),
        ('It "protects every school."', "It “protects every school”."),
        ('It "protects every school,"', "It “protects every school”"),
        ('It "protects every school.", he said', "It “protects every school”, he said"),
        ('"Protects every school", he said.', "“protects every school”, he said."),
        ('"[T]he plan" is new.', "“the plan” is new."),
        ('He "said … the plan […] every school".', "He “said” … “the plan” … “every school”."),
        ('It "...protects every school".', "It “protects every school”."),
        ('The plan "protects every school', "The plan “protects every school”"),
        # words of the question
        ('The "Operation Red Door" is new.', "The Operation Red Door is new."),
        ("The “operation red door,” is new.", "The operation red door, is new."),
    ],
)  # fmt: skip
def test_a_quotation_is_shown_as_the_article_has_it(text: str, shown: str) -> None:
    assert quoted(text) == Quoted(shown)


# Unicode's property Quotation_Mark, https://www.unicode.org/Public/15.1.0/ucd/PropList.txt: all that have it
UNICODE = [
    *map(chr, (0x22, 0x27, 0xAB, 0xBB, *range(0x2018, 0x2020), 0x2039, 0x203A, 0x2E42)),
    *map(chr, (*range(0x300C, 0x3010), *range(0x301D, 0x3020), *range(0xFE41, 0xFE45))),
    *map(chr, (0xFF02, 0xFF07, 0xFF62, 0xFF63)),
]
PAIRS = [
    "‚‘", "‚’", "‘’", "’’", "❛❜", "´´", "`´", "``", "＇＇", "❝❞", "❠❞", "⹂⹂", "„“", "‟”", "””", "＂＂",
    "〝〞", "〝〟", "″″", "❮❯", "❯❮", "《》", "〈〉", "「」", "『』", "｢｣", "﹁﹂", "﹃﹄", "⟨⟩",
    "⟪⟫", "≪≫", "‹›", "›‹",
]  # fmt: skip


@pytest.mark.parametrize("marks", PAIRS)
def test_marks_of_every_shape_are_looked_into(marks: str) -> None:
    opening, closing = marks[0], marks[1]
    shown = "It “protects every school”, he said."
    assert quoted(f"It {opening}protects every school{closing}, he said.") == Quoted(shown)
    assert isinstance(quoted(f"It {opening}guards all schools{closing}, he said."), Altered)
    assert has_quotation(f"It {opening}guards{closing} them.")


@pytest.mark.parametrize("mark", UNICODE)
def test_every_quotation_mark_of_unicode_opens_a_quotation(mark: str) -> None:
    closing = QUOTATION_MARKS.get(mark, mark)[0]
    assert isinstance(quoted(f"It {mark}guards all schools{closing}, he said."), Altered)


@pytest.mark.parametrize(
    "text", ["’til the workers’ day of ’90s rock ’n’ roll", "It is 6'2\" or 5″ and 6′ wide.", "Al`s, Al´s"]
)
def test_apostrophes_and_inches_are_no_quotation_marks(text: str) -> None:
    assert not has_quotation(text)
    assert quoted(text) == Quoted(text)


def test_a_quotation_may_begin_with_dots() -> None:
    assert quoted("It ‘...protects every school’.") == Quoted("It “protects every school”.")
    assert isinstance(quoted("It ‘…guards all schools’."), Altered)


@pytest.mark.parametrize(
    ("text", "shown", "added"),
    [
        ('It "fell by 5%".', "It “fell by 5%”.", TURNOUT),
        ('"We leave. We never return," he said.', "“We leave. We never return,” he said.", LEFT),
        ('He "left (2)".', "He “left [2]”.", LEFT),  # a prompt shows it so
        ('It was "5 to 4 on Friday".', "It was “5 to 4 on Friday”.", HIDDEN),
        ('"Turnout dropped by 5% in the northern districts, John Smith told the reporters", it says.',
         "“Turnout fell by 5% in the northern districts, John Smith told reporters”, it says.", TURNOUT),
    ],
)  # fmt: skip
def test_a_sentence_that_is_quoted_is_cited(text: str, shown: str, added: Sentence) -> None:
    assert quoted(text) == Quoted(shown, (added,))


def test_a_quotation_of_two_sentences_becomes_two() -> None:
    assert quoted('"We never return. Turnout fell."') == Quoted(
        "“We never return”. “Turnout fell”.", (LEFT, TURNOUT)
    )


@pytest.mark.parametrize(
    "inside",
    [
        "protects each school",  # too short for a slip
        "rotects every schoo",  # cuts words
        "every school protects",
        "We will leave — not ever",
        "fell by 6% in the northern districts, John Smith told reporters",
        "fell by 5% in the northern districts, Jon Smith told reporters",
        "fell by five % in the northern districts, John Smith told reporters",
        "fell in the northern districts, John Smith told reporters on Monday",
        "never fell by 5% in the northern districts, John Smith told reporters",
        "Ann Smith told reporters on Monday evening",
        "He will not leave — not ever",
        "protects every school … and every mayor",
        "We won",
    ],
)
def test_what_no_sentence_says_is_no_quotation(inside: str) -> None:
    found = quoted(f"It “{inside}” he said.")
    assert isinstance(found, Altered)
    assert found.reason.startswith(f"the quotation “{inside[:50]}")
    assert isinstance(quoted(f'It was "{inside}'), Altered)


def test_the_rest_of_a_statement_behind_an_open_mark_is_a_quotation() -> None:
    assert quoted("It protects every school” it said") == Altered(
        "the quotation “it said” is in no sentence that was shown"
    )
    assert isinstance(quoted("It ‘guards all schools, it said"), Altered)


def test_the_reason_repeats_only_the_beginning_of_a_long_quotation() -> None:
    found = quoted(f'"{"made up " * 40}"')
    assert isinstance(found, Altered)
    assert len(found.reason) < 120


def test_a_heap_of_quotations_is_no_statement() -> None:
    assert isinstance(quoted('"the plan" ' * MAX_QUOTATIONS), Quoted)
    assert isinstance(quoted('"the plan" ' * (MAX_QUOTATIONS + 1)), Altered)


_SAME_MARKS = str.maketrans('“”‘’"', "'''''")
WORDS = [
    *PLAN.cleaned.split(),
    *UNION.cleaned.split(),
    *TURNOUT.cleaned.split()[:8],
    "never",
    "Operation Red Door",
]
PARTS = st.one_of(
    st.sampled_from(WORDS).map(lambda word: word + " "),
    st.sampled_from(
        [
            '"',
            "“",
            "”",
            "'",
            "‘",
            "’",
            "«",
            "»",
            "„",
            "‚",
            "❝",
            "❞",
            "《",
            "》",
            "´",
            " ",
            "…",
            ". ",
            ",",
            "—",
            "it said ",
            "5",
        ]
    ),
    st.tuples(st.sampled_from([PLAN, UNION, TURNOUT, LEFT]), st.integers(0, 60), st.integers(1, 40)).map(
        lambda cut: cut[0].cleaned[cut[1] : cut[1] + cut[2]]
    ),
)


@given(st.lists(PARTS, max_size=10).map("".join))
def test_whatever_stands_in_quotation_marks_is_a_slice_of_a_cited_sentence(text: str) -> None:
    found = quoted(text)
    if isinstance(found, Altered):
        return
    sources = [one.cleaned.translate(_SAME_MARKS) for one in (*CITED, *found.added)]
    for inside in re.findall("“([^”]*)(?:”|$)", found.text):
        assert any(inside.translate(_SAME_MARKS) in source for source in sources)
    outside = re.sub("“[^“”]*”", "", found.text)
    assert not re.search("[“”„«»❝❞《》]", outside)
    again = check(found.text, [*CITED, *found.added], [], QUESTION)
    assert isinstance(again, Quoted)


@given(st.sampled_from([PLAN, UNION, TURNOUT, LEFT]), st.data())
def test_every_run_of_whole_words_of_a_cited_sentence_can_be_quoted(
    source: Sentence, data: st.DataObject
) -> None:
    ends = [word.end() for word in re.finditer(r"\w+", source.cleaned)]
    inside = source.cleaned[: data.draw(st.sampled_from(ends))].translate(_SAME_MARKS)
    found = check(f"It says “{inside}” so.", [source], [], "")
    assert isinstance(found, Quoted)
    assert "“" in found.text


@pytest.mark.parametrize(
    "unit",
    [
        '"a" ',
        '"',
        "'a ",
        " 's",
        "“",
        "“a “a",
        "„“",
        "«",
        "the ",
        "a … ",
        "'a' ",
        "a's ",
        "‘a ",
        ".",
        "the . ",
        "❝a ",
        "《a",
        "´a ",
        "‚a ",
        "‘‘",
    ],
)
@pytest.mark.parametrize("before", ["", '"'])
def test_marks_in_masses_take_no_longer_than_text(unit: str, before: str) -> None:
    text = before + unit * (100_000 // len(unit))
    begin = time.perf_counter()
    check(text, CITED, OTHERS * 20, QUESTION)
    assert time.perf_counter() - begin < 3
