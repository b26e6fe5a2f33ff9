"""Whether a claim says who said it where its sentence does.

A claim keeps an attribution with any verb of speech or opinion ("insists", "fears", "is said
to"), with a phrase ("in her view", "by its own count", "per the ministry") or with the paper
that it is from ("a study found"). A word counts only where it is the claim's own: "officials
said that critics fear" reported as "critics fear" has lost the officials. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import pairwise

from assistant.grounding.binding import Finding
from assistant.grounding.forms import forms_of
from assistant.grounding.people import is_aside, reports_in
from assistant.grounding.words import CACHED_TEXTS, Text, base, lexicon, listed

_COVERED = 0.34  # share of the claim that has to be attributed
_REPORTED = 0.6  # share of the rest that the sentences only report, from which on it is told as a fact


def attribution_findings(claim: Text, source: Text) -> Iterator[Finding]:
    """What the sentences only report, told as a fact."""
    spans, verbs = _reported(source)
    reported = {at for first, last in spans for at in range(first, last)}
    if not reported:
        return

    def is_own(at: int) -> bool:
        """Whether the word is no part of what the sentences report."""
        places = [one for one, lower in enumerate(source.lowers) if base(lower) == base(claim.lowers[at])]
        return not places or any(one in verbs or one not in reported for one in places)

    if any(lower in _marks() and is_own(at) for at, lower in enumerate(claim.lowers)):
        return
    covered = {at for report in reports_in(claim) for at in range(report.first, report.last)}
    for at in attributions_of(claim):
        if is_own(at):
            covered |= set(_stretch(claim, at))
    if len(covered & set(claim.content)) >= _COVERED * len(claim.content):
        return
    told: dict[str, bool] = {}
    for at in claim.content:
        places = source.places.get(claim.words[at].stem, ())
        if at not in covered and places:
            told[claim.words[at].stem] = all(one in reported and not is_aside(source, one) for one in places)
    if sum(told.values()) > _REPORTED * max(1, len(told)):
        reason = "the cited sentence only reports what somebody says, and the claim tells it as a fact"
        yield Finding("attribution", False, reason, range(len(claim.words)))


@lru_cache(maxsize=1)
def _marks() -> frozenset[str]:
    """Words that attribute wherever they stand."""
    lists = lexicon()
    return (lists["said"] - lists["said_before_that"]) | lists["source_marks"]


def _reported(source: Text) -> tuple[list[tuple[int, int]], frozenset[int]]:
    """What the sentences report, and by which words."""
    reports = [one for one in reports_in(source) if not _is_no_speech(source, one.verb)]
    spans = [(one.first, one.last) for one in reports] + list(_more_reported(source))
    return spans, frozenset(one.verb for one in reports)


def _more_reported(source: Text) -> Iterator[tuple[int, int]]:
    """What any verb of speech with "that" reports, and a quotation before "said" and whoever said it."""
    for at in attributions_of(source):
        if source.lower(at + 1) == "that" and (
            source.lowers[at] in _speaking() or source.lowers[at] == "heard"
        ):
            yield at + 2, _stretch(source, at).stop
    for at, lower in enumerate(source.lowers):
        if lower in ("said", "says") and source.lower(at - 1) == '"':
            yield max((one for one in range(at - 1) if source.lowers[one] == '"'), default=0), at


def _is_no_speech(text: Text, at: int) -> bool:
    """Whether the word is part of a name or a noun: "the United States", "our report"."""
    word = text.words[at]
    return (word.capital and not word.first) or text.lower(at - 1) in _BEFORE_NOUN


# What attributes


@lru_cache(maxsize=CACHED_TEXTS)
def attributions_of(text: Text) -> tuple[int, ...]:
    """The words that say that something is only said, thought or found by somebody."""
    return tuple(
        at
        for at, word in enumerate(text.words)
        if (not word.capital or word.first)
        and (_is_speech(text, at) or _is_phrase(text, at) or _is_paper(text, at))
    )


def _stretch(text: Text, at: int) -> range:
    """The part of the sentence that an attribution is about: up to where it turns to something else."""
    first, last = text.sentence(at)
    turns = [one for one in range(first, last) if text.lowers[one] in _TURNS and one != first]
    return range(
        max((one for one in turns if one < at), default=first),
        min((one for one in turns if one > at), default=last),
    )


_TURNS = frozenset(";") | listed("but while whereas however")


def _is_speech(text: Text, at: int) -> bool:
    """Whether a verb of speech or opinion stands there as one."""
    lower, before, after = text.lowers[at], text.lower(at - 1), text.lower(at + 1)
    if _is_attitude(text, at):
        return True
    plain = lower in _speaking()
    if not plain and lower not in _perhaps_speaking():
        return False
    if before in _BEFORE_NOUN or _is_relative(text, at):
        return after == "that" and plain and before not in ("the", "a", "an") and not lower.endswith("s")
    if lower.endswith("ing") and before not in (",", "") and after != "that":
        return False
    if _is_passive(text, at):
        return after in ("to", "that", "as") and lower not in _not_hearsay()
    return plain or after == "that" or _that_follows(text, at) or _closes(text, at)


_BEFORE_NOUN = listed(
    "the a an its his her their our my your this these those of in on at for with no any 's"
)


@lru_cache(maxsize=1)
def _not_hearsay() -> frozenset[str]:
    return forms_of(listed("expect order ask urge tell propose promise charge"))


_BE = listed("be is are was were been being 's 're")
_REACH = 5  # words between a verb and its "that"


def _is_passive(text: Text, at: int) -> bool:
    back = at - 1
    while text.lower(back).endswith("ly") or text.lower(back) in ("also", "still", "now", "not"):
        back -= 1
    return text.lower(back) in _BE


def _that_follows(text: Text, at: int) -> bool:
    """Whether "that" comes after a day or somebody who is told: "announced on Monday that"."""
    for one in range(at + 1, min(len(text.words), at + 1 + _REACH)):
        if text.lowers[one] == "that":
            return True
        if text.verbs[one] or text.lowers[one] in ",.;":
            return False
    return False


def _closes(text: Text, at: int) -> bool:
    """Whether nothing comes after it and its subject is set off: "…, the coastguard reported."."""
    return text.lower(at + 1) in (",", ".", ";", "") and "," in text.lowers[max(0, at - 2 * _REACH) : at]


def _is_relative(text: Text, at: int) -> bool:
    """Whether it is in a clause that only says who somebody is: "critics who fear it"."""
    first, _ = text.sentence(at)
    for back in range(at - 1, first - 1, -1):
        if text.lowers[back] in ",;":
            return False
        if text.lowers[back] in ("who", "whom", "whose", "which"):
            return True
    return False


def _is_attitude(text: Text, at: int) -> bool:
    """Whether somebody is sure or afraid of it, makes it known or puts it at a number."""
    lower, after = text.lowers[at], text.lower(at + 1)
    if lower in _ATTITUDES:
        return _is_passive(text, at) and after in ("that", "about", "of", "by", "to", "over")
    if lower in _THOUGHTS:
        return after == "that" or (after == "of" and text.lower(at - 1) in ("fear", "amid", "despite"))
    if lower in ("known", "clear", "plain"):
        return not _MAKING.isdisjoint(text.lowers[max(0, at - 3) : at])
    if lower in ("put", "puts", "putting"):
        behind = text.lowers[at + 1 : at + 1 + 2 * _REACH]
        return any(one == "at" and later[0].isdecimal() for one, later in pairwise(behind))
    return lower == "it" and text.lower(at - 1) in ("has", "puts", "put", "sees", "saw", "tells", "told")


_MAKING = listed("make makes made making")
_ATTITUDES = listed(
    "convinced confident certain sure adamant hopeful afraid worried concerned sceptical skeptical "
    "doubtful alarmed optimistic pessimistic unconvinced unsure"
)
_THOUGHTS = listed(
    "belief view opinion claim claims fear fears concern concerns worry worries hope hopes allegation "
    "allegations accusation accusations suspicion suspicions suggestion suggestions assertion "
    "assertions complaint complaints assurance assurances argument impression conviction conclusion "
    "warning warnings rumour rumours rumor rumors speculation promise pledge doubt doubts contention"
)


def _is_phrase(text: Text, at: int) -> bool:
    """Whether it is the noun of "in her view" or "by its own count", or the "per" of "per the ministry"."""
    lower = text.lowers[at]
    if lower == "per":
        return (text.lower(at - 1) in (",", "") or text.words[at].first) and text.lower(at + 1) in (
            "the",
            "a",
            "an",
        )
    if lower not in _VIEWS:
        return False
    for back in range(at - 1, max(-1, at - 1 - 2 * _REACH), -1):
        if text.lowers[back] in ",.;" or text.verbs[back]:
            return False
        if text.lowers[back] in _BEFORE_VIEW:
            between = text.lowers[back + 1 : at]
            of = text.lower(at + 1) == "of" and "the" in between
            return of or not _POSSESSIVES.isdisjoint(between)
    return False


_BEFORE_VIEW = listed("in by on from to with for at")


_POSSESSIVES = listed("'s ' his her its their our my your whose official")
_VIEWS = listed(
    "view views opinion opinions words word eyes estimation assessment judgment judgement account "
    "accounts telling version reckoning book estimate estimates count admission calculation "
    "calculations tally figures reading mind minds analysis perspective phrase summary"
)


def _is_paper(text: Text, at: int) -> bool:
    """Whether a study, a poll or a ruling is what tells it: "an account of the meeting has"."""
    if text.lowers[at] not in _PAPERS:
        return False
    for one in range(at + 1, min(len(text.words), at + 1 + _REACH)):
        if text.lowers[one] in _TELLS:
            return True
        if text.lowers[one] in ",.;":
            return False
    return False


_PAPERS = listed(
    "account accounts version readout summary statement report reports study studies survey surveys "
    "poll polls figures statistics data estimate estimates analysis memo minutes ruling verdict "
    "judgment judgement testimony census review article newspaper findings research document documents "
    "record records filing indictment complaint lawsuit audit paper strategy letter census count tally"
)
_TELLS = listed(
    "has have had says said shows show showed found finds find put puts gave gives give lists listed "
    "speaks spoke mentions mentioned counts counted suggests suggested indicates indicated sets states "
    "stated describes described concluded concludes reveals revealed accuses accused alleges alleged "
    "points pointed contains"
)


@lru_cache(maxsize=1)
def _speaking() -> frozenset[str]:
    return forms_of(_SPEAKING)


@lru_cache(maxsize=1)
def _perhaps_speaking() -> frozenset[str]:
    return forms_of(_PERHAPS)


_SPEAKING = listed(
    "say tell warn insist claim argue admit deny allege announce add believe suggest acknowledge "
    "explain contend predict think complain testify reiterate promise vow accuse advise affirm allege "
    "assert assume assure attest boast caution characterise characterize cite concede condemn contend "
    "criticise criticize decry denounce describe disclose dispute doubt emphasise emphasize exclaim "
    "fear forecast hail hint imply inform joke label lament liken mention object opine perceive pledge "
    "portray proclaim profess protest quip reason reassure rebuke reckon refute regret remark remind "
    "retort speculate surmise suspect underline underscore urge voice welcome worry blame call "
    "recommend reply respond confirm declare demand stress express foresee comment speak envisage "
    "guess threaten confess plead swear praise applaud commend mock scoff rebuff shout whisper mutter "
    "cry joke lecture elaborate preach rejoin interject chide scold lambast lambaste slam rail gripe "
    "grumble moan bemoan deplore salute cheer thank apologise apologize"
)
_PERHAPS = listed(
    "report see find show hold charge project feel hope expect question point read hear learn know "
    "note rule maintain state post write conclude judge counter appeal defend estimate recall observe "
    "propose repeat indicate consider understand rumour rumor record own quote relate dismiss agree "
    "decide determine calculate"
)
