"""Whether a claim is as sure, as complete and as outspoken as the cited sentences.

A plan told as done and "only", "all" and "first" that are not there are found here, negations
and opposites in ``negation.py``, what somebody said told as a fact in ``attribution.py``. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from assistant.grounding.attribution import attribution_findings
from assistant.grounding.binding import Finding
from assistant.grounding.cues import CLAUSE_ENDS, REACH, has_superlative, is_denial, leaves_one_out
from assistant.grounding.evidence import Evidence, Read
from assistant.grounding.negation import negation_findings
from assistant.grounding.words import CACHED_TEXTS, Text, base, lexicon, listed

_PLAN_REACH = 7.0  # distance over which "plans to" makes a verb a plan


def modality_findings(claim: Read, evidence: Evidence) -> Iterator[Finding]:
    """What the claim makes surer, completer or other than the cited sentences have it."""
    source = evidence.read
    yield from negation_findings(claim.text, source.text)
    yield from _plans(claim.text, source.text)
    yield from _quantifiers(claim.text, source.text)
    yield from attribution_findings(claim.text, source.text)


# Plans


@lru_cache(maxsize=1)
def _plan_words() -> frozenset[str]:
    return frozenset(base(word) for word in lexicon()["plans"])


@lru_cache(maxsize=CACHED_TEXTS)
def _planned(text: Text) -> tuple[bool, ...]:
    """For each word whether it is only planned, offered or feared, or holds on a condition."""
    plans = [_is_plan(text, at) for at in range(len(text.words))]
    return tuple(_is_planned(text, at, plans) for at in range(len(text.words)))


def _is_planned(text: Text, at: int, plans: Sequence[bool]) -> bool:
    here = text.words[at].at
    for back in range(at - 1, max(-1, at - REACH - 1), -1):
        lower = text.lowers[back]
        if lower in CLAUSE_ENDS - {","} or lower == "as":
            return False
        if plans[back] and here - text.words[back].at < _PLAN_REACH:
            return True
    return False


def _is_plan(text: Text, at: int) -> bool:
    """Whether what follows is a plan or a possibility: "aims", "may", "is to", "provided that"."""
    lower, before, after = text.lowers[at], text.lower(at - 1), text.lower(at + 1)
    word = text.words[at]
    if lower == "to":
        return before in _IS and bool(after) and word.content is False
    if lower in ("provided", "providing", "assuming", "once"):
        return after == "that" or lower == "once"
    if word.capital and not word.first:
        return False  # a name
    if (lower == "order" and before == "in") or (lower == "if" and after in ("ever", "any", "not")):
        return False
    return lower in lexicon()["plans"] or base(lower) in _plan_words()


_IS = listed("is are was were")


def _plans(claim: Text, source: Text) -> Iterator[Finding]:
    """What is only planned, offered or feared in the sentences and done in the claim."""
    lists, ours, theirs = lexicon(), _planned(claim), _planned(source)
    if lists["negators"] & claim.vocabulary:
        return
    for at, lower in enumerate(claim.lowers):
        perfect = _is_perfect(claim, at)
        if not perfect and (
            ours[at] or not (claim.verbs[at] and _is_done(claim, at)) or _is_adjective(claim, at)
        ):
            continue
        if (lower in lists["said"] and not perfect) or is_denial(claim, at):
            continue
        places = _uses(source, at, claim)
        planned = all(theirs[one] and not _happened(source, one) for one in places)
        if (planned and places) or (perfect and lower != "had" and not places and _is_only_planned(source)):
            reason = f"in the cited sentence {claim.words[at].text!r} is a plan or a possibility"
            yield Finding("plan", False, reason, range(at, at + 1))
            return


def _happened(text: Text, at: int) -> bool:
    return _is_done(text, at) or _is_perfect(text, at)


def _is_only_planned(text: Text) -> bool:
    """Whether it tells of a plan and of nothing that has happened; that somebody said so aside."""
    said = lexicon()["said"]
    told = (
        at
        for at, verb in enumerate(text.verbs)
        if verb and text.lowers[at] not in said and not _is_adjective(text, at)
    )
    intended = any(_is_plan(text, at) and _is_followed_by_verb(text, at) for at in range(len(text.words)))
    return intended and not any(_happened(text, at) and not _is_plan(text, at) for at in told)


def _is_followed_by_verb(text: Text, at: int) -> bool:
    """Whether it is a plan to do something: "will", "is to", "plans to", "hopes that"."""
    return text.lowers[at] in _FUTURE or not {"to", "that"}.isdisjoint(text.lowers[at : at + _SOON])


_FUTURE = listed("will would could may might should shall can 'll 'd")
_SOON = 4  # words behind "expects" in which its "to" has to come


def _is_adjective(text: Text, at: int) -> bool:
    """Whether a form in "-ed" stands by a noun: "of extended deterrence", "fines imposed by the court"."""
    before, after = text.lower(at - 1), text.lower(at + 1)
    if not text.lowers[at].endswith("ed") and text.lowers[at] not in lexicon().past:
        return False
    nominal = before in _BEFORE_ADJECTIVE or text.words[at].first
    return nominal or (after == "by" and before not in _HELPERS)


_BEFORE_ADJECTIVE = listed("the a an its his her their of in on for with from up and or more most commonly")
_HELPERS = listed("be is are was were been being has have had and , got")


def _uses(source: Text, at: int, claim: Text) -> list[int]:
    """Where the source has the verb of the claim: in a form of its own, else as another word for it."""
    lower = claim.lowers[at]
    if lower == "been":
        return _beings(source, claim, at)
    alike = source.places.get(claim.words[at].stem, ())
    same = [one for one in alike if base(source.lowers[one]) == base(lower)] or list(alike)
    if not same and lower.endswith("ed"):
        bare = {lower[:-2], lower[:-1], lower[:-3]}  # "offer" and "exceed", whose own ends look like endings
        same = [one for one, word in enumerate(source.lowers) if word in bare]
    return [one for one in same if source.verbs[one]] or same


def _beings(source: Text, claim: Text, at: int) -> list[int]:
    """Where the source has a form of "be": by the same words as the claim, else anywhere."""
    beings = [one for one, lower in enumerate(source.lowers) if lower in _BEING]
    behind = {word.stem for word in claim.words[at + 1 : at + 4] if word.content}
    same = [one for one in beings if behind & {word.stem for word in source.words[one + 1 : one + 4]}]
    return same or beings


_BEING = listed("be is are was were been")


def _is_perfect(text: Text, at: int) -> bool:
    """Whether it is what somebody "has" done: then no "next" nearby makes it a plan."""
    lower = text.lowers[at]
    if not (
        lower in lexicon().past or lower.endswith("ed") or lower in _PARTICIPLES | lexicon()["unchanged"]
    ):
        return False
    back = at - 1
    while text.lower(back) in ("been", "also", "now", "already", "just") or text.lower(back).endswith("ly"):
        back -= 1
    return text.lower(back) in ("has", "have") and text.lower(back - 1) not in _MODALS


_PARTICIPLES = listed("come become overcome run")  # that look like the present
_NOT_YET = listed("be to will would can could may might shall 'll 'd")
_MODALS = listed("may might could would will should must to can n't not")


def _is_done(text: Text, at: int) -> bool:
    """Whether the verb tells what happened: a past form that no "to" or "be" stands before."""
    lower = text.lowers[at]
    past = lower in lexicon().past or lower.endswith("ed")
    return past and _NOT_YET.isdisjoint((text.lower(at - 1), text.lower(at - 2)))


# Quantifiers


# A word of the claim that must be there in the source in one of these forms.
_QUANTIFIERS = {
    "only": listed("only sole just exclusively merely solely alone"),
    "all": listed(
        "all every each entire both whole everyone full total overall any everybody everything none"
    ),
    "every": listed("all every each a any everyone everybody per"),
    "first": listed("first never since new ever debut inaugural maiden initial 1st unprecedented"),
    "never": listed("never first not no n't yet ever unprecedented nobody none"),
    "always": listed("always all every ever"),
    "entire": listed("entire all whole full"),
    "everyone": listed("everyone all everybody every no each nobody"),
    "none": listed("none no not n't nobody neither never without every all each zero"),
    "last": listed(
        "last final previous latest past prior ago earlier recent end third fourth fifth not since"
    ),
}


def _quantifiers(claim: Text, source: Text) -> Iterator[Finding]:
    for word, alike in _QUANTIFIERS.items():
        if alike & source.vocabulary:
            continue
        for at, lower in enumerate(claim.lowers):
            if lower == word and _is_used(claim, at) and not _is_said_otherwise(claim, at, source):
                yield Finding(
                    "quantifier", False, f"{word!r} is not in the cited sentence", range(at, at + 1)
                )
                break


def _is_used(text: Text, at: int) -> bool:
    """Whether the word is meant, and is no part of a name, a date or a set phrase."""
    lower, before, after = text.lowers[at], text.lower(at - 1), text.lower(at + 1)
    named = text.words[at].capital and not text.words[at].first
    if named or (lower in ("only", "every", "all", "everyone") and before in ("not", "n't")):
        return False
    if lower == "only":
        return before != "if" and after != "to"
    if lower == "all":
        phrase = (before == "in" and after in (",", ".", "", "likelihood", "probability")) or (
            before == "," and after in ("in", "of", "from")
        )
        return before not in _BEFORE_ALL and not phrase
    if lower == "first":
        return before != "at" and not (before == "," and after == ",")
    if lower == "last":
        return not _is_of_date(after) and not text.verbs[at] and before not in _BEFORE_BASE
    return True


_BEFORE_ALL = listed("at above after of nearly almost once")
_BEFORE_BASE = listed("to will would can could may might should")


def _is_of_date(after: str) -> bool:
    """Whether "last" belongs to a date, which is looked for as a value, or says how long something lasts."""
    lists = lexicon()
    return (
        after in ("week", "month", "year", "weekend")
        or after in lists["days"] | lists["months"]
        or after.isdecimal()
    )


def _is_said_otherwise(claim: Text, at: int, source: Text) -> bool:
    """Whether the source has a rank, a plural or another quantifier: "the second" for "only one before"."""
    lower, after = claim.lowers[at], claim.lower(at + 1)
    if lower == "only":
        adjective = claim.lower(at - 1) in _BEFORE_ONLY and not after[:1].isdecimal()
        others = _RANKS if after == "one" else _SINGLE if adjective else frozenset[str]()
        return not others.isdisjoint(source.vocabulary) or leaves_one_out(source)
    if lower == "all":
        return _is_whole(claim, at, source)
    if lower == "never":
        return has_superlative(source)
    if lower == "none":
        return after == "but" and "only" in source.vocabulary
    return False


def _is_whole(claim: Text, at: int, source: Text) -> bool:
    """Whether the source has "the ships" for "all ships", or "only" for "was all the notice"."""
    if claim.lower(at + 1) == "the":
        return "only" in source.vocabulary
    places = source.places.get(claim.words[at + 1].stem, ()) if at + 1 < len(claim.words) else ()
    some = any(source.lower(one - 1) in ("some", "many", "most", "several") for one in places)
    return not some and any(source.lower(one - 1) == "the" for one in places)


_BEFORE_ONLY = listed("the its his her their 's")
_RANKS = listed("second third fourth")
_SINGLE = listed("last remaining single unique none nobody no")
