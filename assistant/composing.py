"""Extracted sentences become an answer's text, claims and citations.

One to three sentences, verbatim, each a claim that cites itself. Near copies of a
sentence (wire stories) are shown once. When the question fits two things, the text
names both before it quotes; when it asks who somebody is, the sentence that introduces a
person by full name comes with the one that has only the surname. Below the confidence
threshold nothing is claimed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import islice

from assistant.domain.answers import Citation, Claim, Support
from assistant.extracting import MAX_SHOWN, Candidate, Extract, load_weights
from assistant.grounding.markers import neutral  # an article's own "[2]" must not pass for a citation
from assistant.instructions import is_instruction
from assistant.ports import LexicalIndex, Library
from assistant.questions import asks_identity, full_names, names_in
from assistant.readings import Reading, readings

# How far below the best score, in log-odds, a sentence may be and still be shown: 2.0 shows 1.8 to 2.5
# sentences; 1.5 would show 0.2 fewer, and hold the answer 1 to 3 times less often in a hundred.
_FALL = 2.0
_COPY = 0.8  # share of words in common from which two sentences count as one
_WEIGHED = 4 * MAX_SHOWN  # sentences that are looked at: enough where half of them are copies
_WHY = "the cited sentence itself"


@dataclass(frozen=True, slots=True)
class Draft:
    """What would be answered; no claims means abstain. confidence: see Result."""

    text: str
    claims: tuple[Claim, ...]
    citations: tuple[Citation, ...]
    confidence: float | None


def compose(question: str, found: Extract, lexical: LexicalIndex, library: Library) -> Draft:
    """The draft answer from the scored sentences, but for those that tell a model what to write."""
    reporting = list(islice(_reporting(found.candidates), _WEIGHED))
    if not reporting or found.confidence < load_weights().threshold:
        return Draft("", (), (), found.confidence)
    distinct = _distinct(reporting, lexical)
    named = readings(question, distinct, lexical)
    shown = _shown(distinct, named)
    if asks_identity(question):
        shown = [*shown, *_introductions(shown, library)][:MAX_SHOWN]
    citations = tuple(
        Citation(n, candidate.article, candidate.sentence.span, candidate.sentence.text)
        for n, candidate in enumerate(shown, 1)
    )
    claims = tuple(
        Claim(neutral(candidate.sentence.cleaned), Support.SUPPORTED, _WHY, (n,))
        for n, candidate in enumerate(shown, 1)
    )
    text = " ".join(claim.marked for claim in claims)
    return Draft(_opening(named) + text, claims, citations, found.confidence)


def newest_day(citations: Iterable[Citation]) -> date | None:
    """The day of the newest article that is cited; None when all are undated."""
    published = (citation.article.published for citation in citations)
    return max((one.day for one in published if one), default=None)


def _reporting(candidates: Sequence[Candidate]) -> Iterator[Candidate]:
    """The candidates without those that tell a model what to write."""
    return (one for one in candidates if not is_instruction(one.sentence.cleaned))


def _distinct(candidates: Sequence[Candidate], lexical: LexicalIndex) -> list[Candidate]:
    """The candidates without near copies of better ones."""
    kept: list[tuple[Candidate, frozenset[str]]] = []
    for candidate in candidates:
        words = frozenset(lexical.terms(candidate.sentence.cleaned))
        if not any(_overlap(words, other) >= _COPY for _, other in kept):
            kept.append((candidate, words))
    return [candidate for candidate, _ in kept]


def _overlap(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / len(one | other) if one | other else 1.0


def _shown(distinct: Sequence[Candidate], named: Sequence[Reading]) -> list[Candidate]:
    """The sentences that the readings need and those close to the best, best first."""
    best = distinct[0]
    must = [reading.candidate for reading in named]
    close = [candidate for candidate in distinct if best.score - candidate.score <= _FALL]
    chosen: list[Candidate] = []
    for candidate in (*must, *close):
        if candidate not in chosen and len(chosen) < MAX_SHOWN:
            chosen.append(candidate)
    return sorted(chosen, key=distinct.index)


def _introductions(shown: Sequence[Candidate], library: Library) -> Iterator[Candidate]:
    """The sentences that give the full names of people whom the shown ones call by surname."""
    known = {candidate.sentence for candidate in shown}
    for candidate in shown:
        surnames = names_in(candidate.sentence.cleaned)
        for sentence in library.sentences(candidate.article.id):
            if sentence.span >= candidate.sentence.span:
                break
            introduced = {name.split()[-1].casefold() for name in full_names(sentence.cleaned)}
            if surnames & introduced:
                surnames -= introduced
                if sentence not in known:
                    known.add(sentence)
                    yield replace(candidate, sentence=sentence)


def _opening(named: Sequence[Reading]) -> str:
    if not named:
        return ""
    listed = " or ".join(f"“{reading.label}”" for reading in named)
    return f"This may be about {listed}. "
