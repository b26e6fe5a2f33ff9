import pytest

from assistant.domain.articles import ArticleInfo, Origin
from assistant.domain.passages import Sentence, Span
from assistant.extracting import Candidate
from assistant.ports import LexicalIndex
from assistant.readings import readings

ARTICLE = ArticleInfo(id="a", origin=Origin("r", "a.md"))


def candidates(*texts: str) -> list[Candidate]:
    return [
        Candidate(Sentence("a", Span(n, n + len(text)), text, text), ARTICLE, {}, -float(n))
        for n, text in enumerate(texts)
    ]


@pytest.mark.parametrize(
    ("question", "sentences", "labels"),
    [
        (
            "Who heads the new command?",
            (
                "The new U.S. command in Japan will be headed by a general.",
                "The new command would run beside Tokyo’s own plans to establish a joint command.",
            ),
            ["The new U.S. command in Japan", "Tokyo’s own plans to establish a joint command"],
        ),
        (
            "When will the new command start its work?",
            ("The new U.S. command will open in May.", "The new command joins Tokyo’s own command."),
            ["The new U.S. command", "Tokyo’s own command"],
        ),
        (
            "Who is Dathwick?",
            ("The speaker was Tobin Dathwick, an engineer.", "Maren Dathwick sits on the council."),
            ["Tobin Dathwick", "Maren Dathwick"],
        ),
        (
            "Who is Dathwick?",
            ("The speaker was Tobin Dathwick.", "We apologise to Councillor Dathwick and to Mr Dathwick."),
            [],
        ),
        (
            "Who heads the new command?",
            ("The new U.S. command will be headed by a general.", "The new U.S. command opens in May."),
            [],
        ),
        (
            "Who heads the new command?",
            ("The new U.S. command will be headed by a general.", "Tokyo’s own command is older."),
            [],
        ),
        (
            "Who heads the new command in Japan?",
            (
                "The new U.S. command will be headed by a general.",
                "The new command is beside Tokyo’s own command.",
            ),
            [],
        ),
        ("Who heads it?", ("The new U.S. command will be headed by a general.",), []),
    ],
)
def test_a_question_that_fits_two_things_names_both(
    question: str, sentences: tuple[str, ...], labels: list[str], lexical: LexicalIndex
) -> None:
    assert [reading.label for reading in readings(question, candidates(*sentences), lexical)] == labels
