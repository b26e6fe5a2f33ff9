"""When a question fits two things: which sentences speak of which.

Two cases, both read off the words. A bare surname that the sentences give to
different people ("Maren Dathwick", "Tobin Dathwick"); and a noun phrase without any
name ("the new command") that the sentences qualify with different names ("the new
U.S. command", "Tokyo's own joint command"). Pure.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from assistant.extracting import Candidate
from assistant.ports import LexicalIndex
from assistant.questions import is_role, names_in, phrases

_CANDIDATES = 8  # sentences looked at; further down the question's words are mere echoes
_CAPITAL = r"[A-ZÀ-ÖØ-Þ][\w.&-]*"
_REACH = 60  # characters between a possessive name and the noun that it owns
_SHOWN = 2


@dataclass(frozen=True, slots=True)
class Reading:
    """One thing that the question may mean, in the words of a sentence about it."""

    label: str
    candidate: Candidate


def readings(question: str, candidates: Sequence[Candidate], lexical: LexicalIndex) -> list[Reading]:
    """Two things that the question fits, the better one first; empty when it is clear."""
    names = names_in(question)
    if names:
        found = _people(question, candidates[:_CANDIDATES]) if len(names) == 1 else {}
    else:
        found = _things(question, candidates[:_CANDIDATES], lexical)
    return list(found.values())[:_SHOWN] if len(found) > 1 else []


def _people(question: str, candidates: Sequence[Candidate]) -> dict[str, Reading]:
    """Sentences by the first name they put before the surname that is asked about."""
    surname = re.fullmatch(rf"[Ww]ho(?: is|'s|’s| was)? ({_CAPITAL}?)\??", question)
    if not surname:
        return {}
    full_name = re.compile(rf"\b({_CAPITAL}) {re.escape(surname.group(1))}\b")
    found: dict[str, Reading] = {}
    for candidate in candidates:
        for match in full_name.finditer(candidate.sentence.cleaned):
            if not is_role(match.group(1)):
                found.setdefault(match.group(1), Reading(match.group(), candidate))
    return found


def _things(question: str, candidates: Sequence[Candidate], lexical: LexicalIndex) -> dict[str, Reading]:
    """Sentences by the name with which they qualify the noun phrase that is asked about."""
    words = next((phrase.split() for phrase in phrases(question) if _is_pointed_at(phrase, question)), [])
    shortest = min(len(words), 2)
    for length in range(len(words), max(shortest - 1, 0), -1):  # "new command start": less its verb
        found = _qualified(words[:length], candidates, lexical)
        if len(found) > 1:
            return found
    return {}


def _is_pointed_at(phrase: str, question: str) -> bool:
    return re.search(rf"\b(?:the|this|that) {re.escape(phrase)}", question) is not None


def _qualified(
    words: Sequence[str], candidates: Sequence[Candidate], lexical: LexicalIndex
) -> dict[str, Reading]:
    """Sentences with all the words, by the name that qualifies the last of them."""
    noun = re.escape(words[-1])
    wanted = set(lexical.terms(" ".join(words)))
    qualified = re.compile(
        rf"\b(?:[Tt]he )?(?:[a-z-]+ )?(?P<before>{_CAPITAL})(?: [a-z-]+)? {noun}\b(?: in {_CAPITAL})?"
        rf"|\b(?P<owner>{_CAPITAL})['’]s? [^.;,]{{0,{_REACH}}}?\b{noun}\b"
    )
    found: dict[str, Reading] = {}
    for candidate in candidates:
        if not wanted <= set(lexical.terms(candidate.sentence.cleaned)):
            continue
        for match in qualified.finditer(candidate.sentence.cleaned):
            qualifier = match.group("before") or match.group("owner")
            if names_in(f"of {qualifier}"):  # "The" of "The new command" is none
                found.setdefault(qualifier, Reading(match.group(), candidate))
                break
    return found
