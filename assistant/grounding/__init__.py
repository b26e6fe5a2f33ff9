"""From a model's statements, what may be shown of them: their own words, and citations that exist.

Here it is decided whether a statement cites a sentence of this request and whether what it
quotes is really there; links and whatever else could be taken for a sign of ours are gone. The
name of a host stays where a cited sentence has it: "Booking.com" is a company.
Whether the cited sentences carry what it says is another step.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from assistant.domain.passages import Sentence
from assistant.grounding.links import hosts, without_links
from assistant.grounding.markers import neutral
from assistant.grounding.quotes import Altered, check
from assistant.grounding.statements import Statement

CITES_NOTHING = "it cites no sentence that was shown"
SAYS_NOTHING = "it says nothing"
QUOTES_LINK = "the words that it quotes hold a link"


@dataclass(frozen=True, slots=True)
class Grounded:
    """A statement as it may be shown.

    text: of one that is dropped, its quotations are as the model wrote them.
    cited: the numbers of the sentences, each once; those that it only quotes come last.
    unknown: how many of its markers led nowhere.
    why_dropped: why it must not be shown; None when it may.
    """

    text: str
    cited: tuple[int, ...]
    unknown: int
    why_dropped: str | None = None


def ground(statement: Statement, sentences: Mapping[int, Sentence], question: str, *, token: str) -> Grounded:
    """What may be shown of the statement.

    sentences: those that were shown to the model, by number. token: what it writes when
    they do not answer.
    """
    cited = tuple(number for number in statement.markers if number in sentences)
    unknown = len(statement.markers) - len(cited)
    shown = [sentences[number] for number in cited]
    named = _hosts(shown)
    text = without_links(_without_token(statement.text, token), allowed=named)
    if not any(map(str.isalnum, text)):
        return Grounded("", cited, unknown, SAYS_NOTHING)
    if not cited:
        return Grounded(neutral(text), (), unknown, CITES_NOTHING)
    others = {sentence: number for number, sentence in sentences.items() if number not in cited}
    quoted = check(text, shown, list(others), question)
    if isinstance(quoted, Altered):
        return Grounded(neutral(text), cited, unknown, quoted.reason)
    cited += tuple(others[sentence] for sentence in quoted.added)
    named |= _hosts(quoted.added)
    if without_links(quoted.text, allowed=named) != quoted.text:
        # an article's own address came in with its words
        return Grounded(neutral(text), cited, unknown, QUOTES_LINK)
    return Grounded(neutral(quoted.text), cited, unknown)


def is_abstention(text: str, token: str) -> bool:
    r"""Whether the reply as a whole is the agreed token, in whatever it is wrapped.

    >>> is_abstention("**Not\\_in\\_sources**.", "NOT_IN_SOURCES")
    True
    """
    return _bare(text) == _bare(token)


def _hosts(sentences: Iterable[Sentence]) -> frozenset[str]:
    return frozenset[str]().union(*(hosts(sentence.cleaned) for sentence in sentences))


def _bare(text: str) -> str:
    return re.sub(r"[\W_]+", " ", text.replace("\\", "")).strip().casefold()


def _without_token(text: str, token: str) -> str:
    """The text without the token and what is wrapped around it."""
    wrapped = re.escape(token).replace("_", r"\\?_")
    return re.sub(
        rf"\s?[*`\"'“”(\[]{{0,3}}{wrapped}[*`\"'“”)\]]{{0,3}}[.:;,]?", "", text, flags=re.IGNORECASE
    ).strip()
