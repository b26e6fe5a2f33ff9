"""Negation that a claim adds or loses, and a word's opposite in its place.

What the claim denies may be denied in other words by its sentences ("the highest" for "never
higher", "until June" for "not before June", "lost its roof" for "without a roof"), and what
they deny may be by the claim: only what neither of them says is found. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from assistant.grounding.binding import Finding
from assistant.grounding.cues import (
    AUXILIARIES,
    CLAUSE_ENDS,
    NEAR,
    NOT,
    REACH,
    Cue,
    cues_of,
    denials,
    has_superlative,
    has_turned_around,
    is_comparative,
    is_denial,
    is_denied,
    is_lacking,
    is_lacking_near,
    is_negator,
    leaves_one_out,
    negatives_of,
    turned_around,
)
from assistant.grounding.forms import forms_of
from assistant.grounding.words import Text, base, lexicon, listed, stem


def negation_findings(claim: Text, source: Text) -> Iterator[Finding]:
    """A negation that only one of the two has, or the opposite word."""
    for finding in (
        _added(claim, source),
        _removed(claim, source),
        _without_prefix(claim, source),
        _unlimited(claim, source),
        _lost(claim, source),
    ):
        if finding:
            yield finding
    yield from _opposites(claim, source)


def _has_unmatched(text: Text, other: Text) -> bool:
    """Whether the text denies something that the other does not speak of in these words."""
    return any(
        all(text.words[one].stem not in other.places for one in cue.targets)
        for cue in cues_of(text)
        if cue.targets
    )


# Added


def _added(claim: Text, source: Text) -> Finding | None:
    for cue in cues_of(claim):
        known = [at for at in cue.targets if claim.words[at].stem in source.places]
        if (cue.kind == "verb" and not known) or _is_said(claim, cue, source, known):
            continue
        at = (known or cue.targets or (cue.at,))[0]
        if at == cue.at and cue.kind != "not":
            continue
        reason = f"the cited sentence does not deny {claim.words[at].text!r}"
        return Finding("negation", cue.kind == "not" and bool(known), reason, range(at, at + 1))
    return None


def _is_said(claim: Text, cue: Cue, source: Text, known: Sequence[int]) -> bool:
    """Whether the source denies it too, in whatever words."""
    places = [one for at in known for one in source.places[claim.words[at].stem]]
    return (
        any(is_denied(source, one) for one in places)
        or any(has_turned_around(claim.lowers[at], source) for at in cue.targets)
        or (not known and _is_reworded(claim, cue, source))
        or _is_limited(claim, cue, source)
        or _is_left_open(claim, cue, source, places)
    )


def _is_reworded(claim: Text, cue: Cue, source: Text) -> bool:
    """Whether words that the source does not have are denied in others: "did not survive" for "died"."""
    return (
        _denies_otherwise(source, claim, cue)
        or any(_opposite_in(claim, at, source) for at in cue.targets)
        or (_counts_up(claim, cue) and not _BELOW.isdisjoint(source.vocabulary))
    )


def _is_limited(claim: Text, cue: Cue, source: Text) -> bool:
    """Whether the source has it as a superlative, a time or an "only": "the first" for "never before"."""
    beyond = cue.kind == "no" or claim.lowers[cue.at] == "never"
    return (
        (beyond and _compares(claim, cue) and has_superlative(source))
        or ("only" in claim.lowers and leaves_one_out(source))
        or (_is_until(claim, cue) and not _UNTIL.isdisjoint(source.vocabulary))
        or (claim.lower(cue.at + 1) in _WHOLES and _WHOLES.isdisjoint(source.vocabulary))
        or (cue.kind == "no" and _excepts(claim, cue) and not _ONLY.isdisjoint(source.vocabulary))
    )


def _is_left_open(claim: Text, cue: Cue, source: Text, places: Sequence[int]) -> bool:
    """Whether the source says somewhere that something is not so, which the claim may put in this way."""
    by_verb = cue.kind == "not" and not _is_amount(claim, cue)
    same_verb = by_verb and any(source.verbs[one] for one in places)
    if places and not same_verb and _has_unmatched(source, claim):
        return True
    if by_verb:
        return False
    if places:
        return is_lacking_near(source, places)
    return any(is_lacking(source, one) for one in range(len(source.words)))


def _denies_otherwise(source: Text, claim: Text, cue: Cue) -> bool:
    """Whether the source denies something that the claim's other words do not account for."""
    denying = [at for at in range(len(source.words)) if is_negator(source, at) or is_denial(source, at)]
    others = [
        at
        for at in range(len(claim.words))
        if at != cue.at
        and (is_negator(claim, at) or base(claim.lowers[at]) in denials() or claim.lowers[at] in _undoing())
    ]
    return len(denying) > len(others)


@lru_cache(maxsize=1)
def _undoing() -> frozenset[str]:
    return forms_of(_UNDOING)


_UNDOING = listed("scrap abandon axe ditch hostile lift end miss lack dispute contest")


_WHOLES = listed("all every everyone everybody everything each always everywhere")
_UNTIL = listed("earliest until till before only first from")
_BELOW = listed("under below less fewer short up most nearly almost")
_ONLY = listed("only sole solely alone single unique exclusively first last")


def _compares(text: Text, cue: Cue) -> bool:
    """Whether it denies that anything is more so: "no bird is larger", "never before"."""
    first, last = text.sentence(cue.at)
    after = range(cue.at + 1, min(last, cue.at + 2 * REACH))
    if any(is_comparative(text, at) or (text.lowers[at] in ("so", "as") and at < last - 1) for at in after):
        return (
            cue.kind == "no"
            or "than" in text.lowers[first:last]
            or text.lowers[cue.at] == "never"
            or "so" in text.lowers[cue.at : last]
        )
    return text.lower(cue.at + 1) in ("precedent", "parallel", "equal", "rival") or (
        text.lowers[cue.at] == "never" and "before" in text.lowers[cue.at : last]
    )


def _is_until(text: Text, cue: Cue) -> bool:
    """Whether it holds up to a time: "not before June", "no trains until Thursday"."""
    last = min(text.sentence(cue.at)[1], cue.at + 2 * REACH)
    return any(
        text.lowers[at] in ("before", "until") and (cue.kind == "no" or _is_time(text.lower(at + 1)))
        for at in range(cue.at + 1, last)
    )


def _is_time(lower: str) -> bool:
    lists = lexicon()
    return (
        lower[:1].isdecimal()
        or lower in lists["days"]
        or lower in lists["months"]
        or lower in ("next", "late", "early")
    )


def _counts_up(text: Text, cue: Cue) -> bool:
    """Whether it denies that a number is reached: "have not turned ten"."""
    return any(text.lowers[at] in _reaching() for at in cue.targets)


@lru_cache(maxsize=1)
def _reaching() -> frozenset[str]:
    return forms_of(["turn", "reach", "exceed", "pass", "hit", "top", "surpass"])


def _excepts(text: Text, cue: Cue) -> bool:
    """Whether there is an exception: "no country other than Japan"."""
    after = text.lowers[cue.at + 1 : cue.at + 1 + NEAR]
    return not {"but", "except", "besides", "other"}.isdisjoint(after)


def _is_amount(text: Text, cue: Cue) -> bool:
    return text.lower(cue.at + 1) in ("enough", "sufficient", "sufficiently", "much", "many", "any")


def _opposite_in(claim: Text, at: int, source: Text) -> bool:
    """Whether the source has the opposite of a word of the claim."""
    one, lower = claim.words[at].stem, claim.lowers[at]
    if not _contraries().get(lower, frozenset()).isdisjoint(source.lowers):
        return True
    return lower not in ("last", "first") and any(
        (one in first and second & source.stems) or (one in second and first & source.stems)
        for first, second in _opposite_stems()
    )


# What a word that is denied comes to; by themselves the two may stand side by side.
_CONTRARIES = {
    "leave": "stay remain",
    "stay": "leave",
    "remain": "leave",
    "go": "stay remain",
    "return": "stay",
    "change": "remain stay same",
    "speak": "silent silence",
    "attend": "absent miss boycott skip",
    "join": "boycott abstain",
    "vote": "abstain boycott",
    "know": "unknown unclear ignorant",
    "guilty": "acquit clear innocent",
    "win": "draw",
    "pass": "fail",
    "work": "idle strike",
    "move": "still stuck",
    "alive": "dead die",
    "alone": "together accompany",
}


@lru_cache(maxsize=1)
def _contraries() -> dict[str, frozenset[str]]:
    return {
        form: forms_of(others.split()) for word, others in _CONTRARIES.items() for form in forms_of([word])
    }


# Removed


def _removed(claim: Text, source: Text) -> Finding | None:
    for cue in cues_of(source):
        for at in cue.targets:
            word = source.words[at]
            places = [one for one in source.places[word.stem] if source.lowers[one] == word.lower]
            found = [one for one in claim.places.get(word.stem, ()) if _is_used_alike(source, at, claim, one)]
            denied = all(is_denied(source, one) for one in places)
            if not found or not denied or _is_denied_there(claim, found, source, cue):
                continue
            there = negatives_of(source, at)
            if all(negatives_of(claim, one) < there and NOT not in negatives_of(claim, one) for one in found):
                surely = cue.kind != "verb" and all(
                    is_denied(source, one) for one in source.places[word.stem]
                )
                reason = f"the cited sentence denies {word.text!r}"
                return Finding("negation", surely, reason, range(found[0], found[0] + 1))
    return None


def _is_used_alike(source: Text, at: int, claim: Text, one: int) -> bool:
    """Whether the claim does not have a noun where the source has a verb: "a draft", "not drafted"."""
    if not source.verbs[at] or claim.verbs[one] or claim.lower(one - 1) in AUXILIARIES:
        return True
    return claim.lowers[one].endswith(("ed", "ing", "en"))


def _is_denied_there(claim: Text, found: Sequence[int], source: Text, cue: Cue) -> bool:
    """Whether the claim says the same in other words."""
    until = _is_until(source, cue) and not (_UNTIL - {"before"}).isdisjoint(claim.vocabulary)
    return (
        until
        or any(has_turned_around(source.lowers[at], claim) for at in cue.targets)
        or _has_unmatched(claim, source)
        or (_compares(source, cue) and has_superlative(claim))
        or ("only" in source.lowers and leaves_one_out(claim))
        # "13 months since she last played"
        or any("last" in (claim.lower(one - 1), claim.lower(one - 2)) for one in found)
        or (cue.kind == "no" and is_lacking_near(claim, found))
    )


def _without_prefix(claim: Text, source: Text) -> Finding | None:
    """A word that the source has only turned around: "does harm" for "harmless"."""
    for lower in source.lowers:
        rest = turned_around(lower)
        if not rest or stem(rest) in source.places or stem(lower) in claim.stems:
            continue
        found = [one for one in claim.places.get(stem(rest), ()) if not _is_doubted(claim, one)]
        if found:
            at = found[0]
            return Finding("negation", False, f"the cited sentence has {lower!r}", range(at, at + 1))
    return None


def _lost(claim: Text, source: Text) -> Finding | None:
    """A clause that the source denies, told with another verb and no negation at all."""
    places = range(len(claim.words))
    if any(is_lacking(claim, at) or is_denial(claim, at) for at in places):
        return None
    for cue in cues_of(source):
        if cue.kind == "no" or any(source.words[at].stem in claim.places for at in cue.targets):
            continue
        if any(_opposite_in(source, at, claim) for at in cue.targets):
            continue
        first, last = source.stretch(cue.at, CLAUSE_ENDS)
        within = {
            source.words[at].stem for at in range(first, last) if source.words[at].content and at != cue.at
        }
        within -= {source.words[at].stem for at in cue.targets}
        shared = within & claim.stems
        elsewhere = (claim.stems & source.stems) - shared
        named = any(name.first >= first and name.last <= last for name in source.names)
        if (
            len(shared) >= _MOST * max(len(within), 1)
            and len(shared) > len(elsewhere)
            and (named or len(shared) > 1)
        ):
            denied = source.slice(cue.at, (cue.targets or (cue.at,))[-1] + 1)
            return Finding(
                "negation", False, f"the claim leaves out {denied!r} of the cited sentence", places
            )
    return None


_MOST = 0.6  # share of a clause's other words that are in the claim


def _is_doubted(text: Text, at: int) -> bool:
    few = ("little", "few", "too", "hard", "difficult")
    return is_denied(text, at) or any(lower in few for lower in text.lowers[max(0, at - NEAR) : at])


def _unlimited(claim: Text, source: Text) -> Finding | None:
    """Whether "not just" stands where the source has "just", or the other way round."""
    for text, other, lost in ((claim, source, "does not have"), (source, claim, "has")):
        for at, lower in enumerate(text.lowers[:-1]):
            limit = text.lowers[at + 1]
            if lower not in ("not", "n't") or limit not in _LIMITS or limit not in other.lowers:
                continue
            bare = [one for one, word in enumerate(other.lowers) if word == limit]
            if not any(other.lower(one - 1) in ("not", "n't") for one in bare):
                first = at if text is claim else bare[0]
                return Finding(
                    "negation", False, f"the cited sentence {lost} 'not {limit}'", range(first, first + 1)
                )
    return None


_LIMITS = listed("only just merely simply solely")


# Opposites


def _opposites(claim: Text, source: Text) -> Iterator[Finding]:
    """The opposite word in the place of the source's."""
    for first, second in _opposite_stems():
        for one, other in ((first, second), (second, first)):
            said = claim.stems & one
            if not said or said & source.stems or one & source.stems or other & claim.stems:
                continue
            opposite = next((at for at in source.content if source.words[at].stem in other), None)
            if opposite is None or is_denied(source, opposite):
                continue
            at = next(at for at in claim.content if claim.words[at].stem in said)
            if is_denied(claim, at) or not _same_company(claim, at, source, opposite):
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
