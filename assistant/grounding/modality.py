"""Whether a claim is as sure, as complete and as outspoken as the cited sentences.

Negation added or lost, its opposite said instead ("rejected" for "approved"), a plan told as
done, "at least" and "only" and "all" and "first" that are not there, and what somebody said
told as a fact. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from assistant.grounding.binding import Finding
from assistant.grounding.evidence import Evidence, Fact, Read
from assistant.grounding.people import is_aside, reports_in
from assistant.grounding.values import Value
from assistant.grounding.words import SENTENCE_ENDS, Text, base, lexicon, listed, stem

_PLAN_REACH = 7.0  # distance over which "plans to" makes a verb a plan
_NEGATED_REACH = 8  # words over which a negation reaches on
_COVERED, _REPORTED = (
    0.34,
    0.6,
)  # share of the claim that is attributed; of the rest that the source attributes


def modality_findings(claim: Read, evidence: Evidence) -> Iterator[Finding]:
    """What the claim makes surer, completer or other than the cited sentences have it."""
    source = evidence.read
    yield from _negations(claim.text, source.text)
    yield from _opposites(claim.text, source.text)
    yield from _plans(claim.text, source.text)
    yield from _quantifiers(claim.text, source.text)
    yield from _attribution(claim.text, source.text)


class Mood(NamedTuple):
    """For each word whether it is denied and whether it is only planned; and what a negation is aimed at."""

    denied: tuple[bool, ...]
    planned: tuple[bool, ...]
    aimed: dict[int, int]


@lru_cache(maxsize=1024)
def mood_of(text: Text) -> Mood:
    """What the text denies and what it only plans."""
    aimed: dict[int, int] = {}
    for at, lower in enumerate(text.lowers):
        if lower in lexicon()["negators"]:
            aimed |= dict.fromkeys(_targets(text, at), at)
    words = range(len(text.words))
    return Mood(
        tuple(_is_denied(text, at) for at in words), tuple(_is_planned(text, at) for at in words), aimed
    )


def _targets(text: Text, at: int) -> Iterator[int]:
    """The content words that a negation stands before: one, or two behind "no" and "without"."""
    left = 2 if text.lowers[at] in ("no", "without") else 1
    for one in range(at + 1, min(len(text.words), at + _NEGATED_REACH)):
        if left == 0 or text.lowers[one] in _CLAUSE_ENDS:
            return
        if text.words[one].content and not text.lowers[one].endswith("ly"):
            yield one
            left -= 1


_CLAUSE_ENDS = frozenset(",.;?!") | listed("while but who which whose although though however because")


def _is_denied(text: Text, at: int) -> bool:
    lists = lexicon()
    for back in range(at - 1, max(-1, at - _NEGATED_REACH - 1), -1):
        lower = text.lowers[back]
        if lower in SENTENCE_ENDS or lower in _CLAUSE_ENDS - {","}:
            break
        if lower in lists["negators"] or base(text.lowers[back]) in _denials():
            return True
    return any(lower in ("nobody", "none", "no", "false") for lower in text.lowers[at + 1 : at + 3])


@lru_cache(maxsize=1)
def _denials() -> frozenset[str]:
    return frozenset(base(word) for word in lexicon()["negative_verbs"])


@lru_cache(maxsize=1)
def _plan_words() -> frozenset[str]:
    return frozenset(base(word) for word in lexicon()["plans"])


def _is_planned(text: Text, at: int) -> bool:
    lists, here = lexicon(), text.words[at].at
    for back in range(at - 1, max(-1, at - _NEGATED_REACH - 1), -1):
        lower = text.lowers[back]
        if lower in _CLAUSE_ENDS - {","} or lower == "as":
            return False
        plan = lower in lists["plans"] or base(lower) in _plan_words()
        if plan and here - text.words[back].at < _PLAN_REACH:
            return True
    return False


# Negation


def _negations(claim: Text, source: Text) -> Iterator[Finding]:
    lists = lexicon()
    ours, theirs = mood_of(claim), mood_of(source)
    negative = bool(
        lists["negators"] & source.vocabulary or any(base(lower) in _denials() for lower in source.lowers)
    )
    for at in ours.aimed:
        known = source.places.get(claim.words[at].stem)
        added = not any(theirs.denied[one] for one in known) if known else not negative
        if added and not _un(claim.lowers[at], source):
            reason = f"the cited sentence does not deny {claim.words[at].text!r}"
            yield Finding("negation", bool(known), reason, range(at, at + 1))
            return
    for at in theirs.aimed:
        word = source.words[at]
        places = [one for one in source.places[word.stem] if source.lowers[one] == word.lower]
        found = claim.places.get(word.stem)
        if not found or not all(one in theirs.aimed for one in places) or _un(word.lower, claim):
            continue
        there = _negatives(source, at)
        if all(_negatives(claim, one) < there and _NOT not in _negatives(claim, one) for one in found):
            reason = f"the cited sentence denies {word.text!r}"
            surely = all(one in theirs.aimed for one in source.places[word.stem])
            yield Finding("negation", surely, reason, range(found[0], found[0] + 1))
            return


_NOT = "(not)"


def _negatives(text: Text, at: int) -> frozenset[str]:
    """The negations and the verbs of denial that reach a word; the former count as one."""
    lists, found = lexicon(), set[str]()
    for back in range(at - 1, max(-1, at - _NEGATED_REACH - 1), -1):
        lower = text.lowers[back]
        if lower in SENTENCE_ENDS or lower in _CLAUSE_ENDS - {","}:
            break
        if lower in lists["negators"]:
            found.add(_NOT)
        elif base(text.lowers[back]) in _denials():
            found.add(base(lower))
    if any(
        lower in ("nobody", "none", "no", "false", "not", "n't") for lower in text.lowers[at + 1 : at + 4]
    ):
        found.add(_NOT)
    return frozenset(found)


def _un(word: str, text: Text) -> bool:
    """Whether the text says it with a prefix: "unhurt" for "not hurt"."""
    prefixed = (f"{prefix}{word}" for prefix in ("un", "in", "im", "dis", "non"))
    return any(stem(one) in text.stems for one in prefixed)


# Opposites


def _opposites(claim: Text, source: Text) -> Iterator[Finding]:
    """The opposite word in the place of the source's."""
    for first, second in _opposite_stems():
        for one, other in ((first, second), (second, first)):
            said = claim.stems & one
            if not said or said & source.stems or one & source.stems or other & claim.stems:
                continue
            opposite = next((at for at in source.content if source.words[at].stem in other), None)
            if opposite is None or mood_of(source).denied[opposite]:
                continue
            at = next(at for at in claim.content if claim.words[at].stem in said)
            if mood_of(claim).denied[at] or not _same_company(claim, at, source, opposite):
                continue
            ours, theirs = claim.words[at].text, source.words[opposite].text
            reason = f"{ours!r} is the opposite of {theirs!r} in the cited sentence"
            yield Finding("opposite", True, reason, range(at, at + 1))
            return


_COMPANY = 2  # content words on either side that tell what a verb is about


def _same_company(claim: Text, at: int, source: Text, opposite: int) -> bool:
    """Whether the two words stand among the same ones."""

    def around(text: Text, place: int) -> set[str]:
        index = text.content.index(place)
        near = text.content[max(0, index - _COMPANY) : index + _COMPANY + 1]
        return {text.words[one].stem for one in near} - {text.words[place].stem}

    ours = around(claim, at)
    return len(ours & around(source, opposite)) * 2 >= len(ours)


@lru_cache(maxsize=1)
def _opposite_stems() -> tuple[tuple[frozenset[str], frozenset[str]], ...]:
    return tuple(
        (frozenset(map(stem, first)), frozenset(map(stem, second))) for first, second in lexicon().antonyms
    )


# Plans


def _plans(claim: Text, source: Text) -> Iterator[Finding]:
    """What is only planned, offered or feared in the sentences and done in the claim."""
    lists, ours, theirs = lexicon(), mood_of(claim), mood_of(source)
    if lists["negators"] & claim.vocabulary:
        return
    for at, lower in enumerate(claim.lowers):
        perfect = _is_perfect(claim, at)
        if not perfect and (ours.planned[at] or not (claim.verbs[at] and _is_done(claim, at))):
            continue
        if lower in lists["said"] or base(lower) in _denials():
            continue
        places = _uses(source, at, claim)
        if places and all(theirs.planned[one] and not _is_done(source, one) for one in places):
            reason = f"in the cited sentence {claim.words[at].text!r} is a plan or a possibility"
            yield Finding("plan", False, reason, range(at, at + 1))
            return


def _uses(source: Text, at: int, claim: Text) -> list[int]:
    """Where the source has the verb of the claim: in a form of its own, else as another word for it."""
    if claim.lowers[at] == "been":
        return [one for one, lower in enumerate(source.lowers) if lower in _BEING]
    alike = source.places.get(claim.words[at].stem, ())
    same = [one for one in alike if base(source.lowers[one]) == base(claim.lowers[at])] or list(alike)
    return [one for one in same if source.verbs[one]] or same


_BEING = listed("be is are was were been")


def _is_perfect(text: Text, at: int) -> bool:
    """Whether it is what somebody "has" done: then no "next" nearby makes it a plan."""
    lower = text.lowers[at]
    if not (lower in lexicon().past or lower.endswith("ed")):
        return False
    back = at - 1
    while text.lower(back) in ("been", "also", "now", "already", "just") or text.lower(back).endswith("ly"):
        back -= 1
    return text.lower(back) in ("has", "have") and text.lower(back - 1) not in _MODALS


_NOT_YET = listed("be to will would can could may might shall 'll 'd")
_MODALS = listed("may might could would will should must to can n't not")


def _is_done(text: Text, at: int) -> bool:
    """Whether the verb tells what happened: a past form that no "to" or "be" stands before."""
    lower = text.lowers[at]
    past = lower in lexicon().past or lower.endswith("ed")
    return past and _NOT_YET.isdisjoint((text.lower(at - 1), text.lower(at - 2)))


# Quantifiers


_LIMITS = tuple(
    (kind, re.compile(rf"(?:{words})(?: the| a| an| its| of){{0,2}}$"))
    for kind, words in {
        "at least": (
            "at least|minimum (?:age )?of|(?:no|not) (?:fewer|less) than|more than|over|above|past"
            "|exceed(?:s|ed|ing)?"
        ),
        "at most": (
            "up to|as (?:many|much) as|at most|less than|under|fewer than|below|(?:no|not) more than"
            "|nearly|almost|close to|maximum of"
        ),
        "about": "about|around|roughly|some|approximately|estimated",
        "only": "only|just|merely",
        "all": "(?<!of )(?:all|every)",
    }.items()
)
_LIMIT_BEHIND = re.compile(r"(?:\w+ )?or (?:more|older|higher)|and (?:over|older|up|above)|plus\b")


def limit_of(text: Text, fact: Fact) -> str:
    """What limits a number: "at least", "at most", "about", "only", "all"; empty for none.

    >>> from assistant.grounding.evidence import read_claim
    >>> read = read_claim("More than 30 ships sank.", None)
    >>> limit_of(read.text, read.values[0])
    'at least'
    """
    before = " ".join(text.lowers[max(0, fact.first - 4) : fact.first]).replace(" $", "")
    for kind, words in _LIMITS:
        if words.search(before):
            return kind
    return "at least" if _LIMIT_BEHIND.match(" ".join(text.lowers[fact.last : fact.last + 4])) else ""


# A word of the claim that must be there in the source in one of these forms.
_QUANTIFIERS = (
    ("only", listed("only sole just exclusively merely solely alone")),
    (
        "all",
        listed("all every each entire both whole everyone full total overall any"),
    ),
    ("every", listed("all every each a any everyone everybody")),
    (
        "first",
        listed("first never since new ever debut inaugural maiden initial 1st"),
    ),
    ("never", listed("never first not no n't yet")),
    ("always", frozenset(["always", "all", "every", "ever"])),
    ("entire", frozenset(["entire", "all", "whole", "full"])),
    ("everyone", listed("everyone all everybody every no")),
    ("none", listed("none no not n't nobody neither never without")),
    (
        "last",
        listed("last final previous latest past prior ago earlier recent end"),
    ),
)


def _quantifiers(claim: Text, source: Text) -> Iterator[Finding]:
    for word, alike in _QUANTIFIERS:
        if word in claim.lowers and not alike & source.vocabulary and not _is_of_date(claim, word):
            at = claim.lowers.index(word)
            yield Finding("quantifier", False, f"{word!r} is not in the cited sentence", range(at, at + 1))


def _is_of_date(text: Text, word: str) -> bool:
    """Whether "last" belongs to a date: "last year", which is looked for as a value."""
    after = text.lower(text.lowers.index(word) + 1)
    return word == "last" and (
        after in ("week", "month", "year", "weekend") or after in lexicon()["days"] | lexicon()["months"]
    )


# Attribution


def _attribution(claim: Text, source: Text) -> Iterator[Finding]:
    """What the sentences only report, told as a fact."""
    lists, theirs = lexicon(), reports_in(source)
    attributed = (lists["said"] - lists["said_before_that"]) | lists["source_marks"]
    if not theirs or attributed & claim.vocabulary:
        return
    covered = {at for report in reports_in(claim) for at in range(report.first, report.last)}
    if len(covered & set(claim.content)) >= _COVERED * len(claim.content):
        return
    reported = {at for report in theirs for at in range(report.first, report.last)}
    own: dict[str, bool] = {}
    for at in claim.content:
        places = source.places.get(claim.words[at].stem, ())
        if at not in covered and places:
            own[claim.words[at].stem] = all(one in reported and not is_aside(source, one) for one in places)
    if sum(own.values()) > _REPORTED * max(1, len(own)):
        reason = "the cited sentence only reports what somebody says, and the claim tells it as a fact"
        yield Finding("attribution", False, reason, range(len(claim.words)))


# Limits


def limit_findings(fact: Fact, own: Sequence[Fact], claim: Text, source: Text) -> Iterator[Finding]:
    """A limit of the claim's number that the same number of the sentences does not have."""
    limit = limit_of(claim, fact)
    theirs = {limit_of(source, one) for one in own}
    if limit in theirs or (fact.value and fact.value.kind == "date"):
        return
    written = claim.slice(fact.first, fact.last)
    if not limit:
        return
    if (limit == "at most" and "about" in theirs) or (limit == "about" and theirs & {"at least", "at most"}):
        return  # "nearly 600" may be called "about 600"
    if limit == "only" and "only" in source.lowers:
        return
    if limit == "about":
        return  # a claim may be more careful than the sentence
    yield Finding(
        "limit",
        False,
        f"{limit!r} is not said of {written} in the cited sentence",
        range(fact.first, fact.last),
    )


def rounds(claim: Value, limit: str, source: Value) -> bool:
    """Whether the claim's number is a rounding of the source's that its limit makes true.

    "About 54,000" for 54,217, "more than 50,000" and "nearly 55,000" for both; the claim's number
    has fewer figures than the source's and is within a tenth of it.
    """
    if claim.kind != source.kind or (claim.unit != source.unit and claim.unit and source.unit) or not limit:
        return False
    if not source.is_quantity or _figures(claim.amount) >= _figures(source.amount):
        return False
    difference = claim.amount - source.amount
    if abs(difference) > _ROUNDED * abs(source.amount):
        return False
    return {"at least": difference <= 0, "at most": difference >= 0, "about": True}.get(limit, False)


_ROUNDED = 0.1


def _figures(amount: float) -> int:
    return len(f"{amount:.6f}".replace(".", "").strip("0"))
