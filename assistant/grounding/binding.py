"""Whether the facts of a claim belong to the same things as in the cited sentences.

The test behind most of it: would another value or name of the sentence fit the words around
this one better than the one that stands there? Words count by their distance, and a subject
does not stand in for an object. Titles, speakers and counted things have tests of their own,
since there the sentence says outright whose they are. Pure.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import NamedTuple

from assistant.grounding.evidence import Evidence, Fact, Read, bearing_out
from assistant.grounding.people import SOMEBODY, Report, is_same_name, reports_in, titles_in
from assistant.grounding.values import Value, says
from assistant.grounding.words import CACHED_TEXTS, MAX_FACTS, Name, Text, lexicon, listed, stem

_REACH, _FADE = 14.0, 3.5  # how far words count as being around a fact, and how fast less
_WINDOW = 60  # words on either side that are looked at: an aside may stand between
_OTHER_SIDE = 0.25  # what a word counts that stands on the other side of the fact, where that matters
_SPEECH = 0.4  # what "said" and its like count: they stand next to everybody
# Share of the words around a fact that another fact must fit better. Fitted on sentences of even-numbered
# articles and on 306 hand-written pairs; benchmarks/claims.py measures it on others.
_FITS_BETTER, _FITS_MUCH_BETTER = 0.25, 0.6
_DRAW = 0.02  # a difference that is none
_ALIGNED, _NEARLY = 0.2, 0.15  # of the words that are said: the least that makes two reports one; a draw


class Finding(NamedTuple):
    """What a test has against a claim.

    test: its name. drops: whether it alone keeps the claim from being shown. reason: for a person.
    about: the words of the claim that it is about, by which two tests can agree.
    """

    test: str
    drops: bool
    reason: str
    about: range = range(0)


def binding_findings(claim: Read, evidence: Evidence) -> Iterator[Finding]:
    """What of the claim belongs to something else in the cited sentences."""
    yield from _swapped(claim, evidence)
    yield from _titles(claim, evidence)
    yield from _counterparts(claim, evidence)
    yield from _speakers(claim, evidence)
    yield from _exchanged(claim.text, evidence.read.text)
    yield from _counted(claim, evidence)


# Swaps


def _swapped(claim: Read, evidence: Evidence) -> Iterator[Finding]:
    source = evidence.read
    for facts, rivals in (
        (_with_nouns(claim), _with_nouns(source)),
        (claim.names, source.names),
    ):
        best: tuple[float, Fact, Fact] | None = None
        for fact in facts:
            for gain, rival in _better(fact, facts, rivals, claim.text, evidence.read.text):
                if best is None or gain > best[0]:
                    best = (gain, fact, rival)
        if best and best[0] > _FITS_BETTER:
            gain, fact, rival = best
            written = claim.text.slice(fact.first, fact.last)
            other = evidence.read.text.slice(rival.first, rival.last)
            drops = fact.value is not None and gain > _FITS_MUCH_BETTER
            reason = f"what is said of {written} is said of {other} in the cited sentence"
            yield Finding("swap", drops, reason, range(fact.first, fact.last))


def _with_nouns(read: Read) -> list[Fact]:
    """The values, those that are parts of words with what they belong to: "four-star commander"."""
    return [fact._replace(last=_noun_end(read.text, fact.last)) for fact in read.values[:MAX_FACTS]]


def _noun_end(text: Text, last: int) -> int:
    if last >= len(text.words) or not text.words[last].joined:
        return last
    end = last + 1
    while (
        end < len(text.words)
        and text.words[end].content
        and not text.words[end].capital
        and not text.verbs[end]
    ):
        end += 1
    return end


def _better(
    fact: Fact, facts: Sequence[Fact], rivals: Sequence[Fact], claim: Text, source: Text
) -> Iterator[tuple[float, Fact]]:
    """The facts of the source that fit the place of this one better, and by how much."""
    if fact.name and fact.name.unsure:
        return
    mine = [rival for rival in rivals if _equal(rival, fact)]
    if not mine:
        return
    around = _around(claim, fact.first, fact.last)
    for rival in rivals:
        if rival in mine or not _exchangeable(fact, rival, claim, source):
            continue
        skipped = (
            _stems(claim, fact) | _stems(source, rival) | {one for own in mine for one in _stems(source, own)}
        )
        gain = _gain(around, source, mine, rival, skipped)
        other = next((one for one in facts if one is not fact and _equal(rival, one)), None)
        if other:  # both stand in the claim: then it would have to be the other way round
            back = _gain(_around(claim, other.first, other.last), source, [rival], mine, skipped)
            gain = gain + back if min(gain, back) >= -_DRAW else min(gain, 0.0)
        if gain > 0:
            yield gain, rival


def _gain(
    around: dict[str, tuple[float, bool | None]],
    source: Text,
    own: Sequence[Fact],
    other: Fact | Sequence[Fact],
    skipped: frozenset[str] | set[str],
) -> float:
    """How much better the other fact's surroundings fit, as a share of all that could fit."""
    total = sum(weight for one, (weight, _) in around.items() if one not in skipped) or 1.0
    others = [other] if isinstance(other, Fact) else other
    theirs = max(_fit(around, _around(source, one.first, one.last), skipped) for one in others)
    ours = max(_fit(around, _around(source, one.first, one.last), skipped) for one in own)
    return (theirs - ours) / total


def _fit(
    a: dict[str, tuple[float, bool | None]],
    b: dict[str, tuple[float, bool | None]],
    skipped: frozenset[str] | set[str],
) -> float:
    fit = 0.0
    for one, (weight, side) in a.items():
        if one in skipped or one not in b:
            continue
        other, other_side = b[one]
        turned = side is not None and other_side is not None and side != other_side
        fit += min(weight, other) * (_OTHER_SIDE if turned else 1.0)
    return fit


@lru_cache(maxsize=16 * CACHED_TEXTS)
def _around(text: Text, first: int, last: int) -> dict[str, tuple[float, bool | None]]:
    """The stems around a fact: weight, and for a verb whether the fact is what it is done by."""
    found: dict[str, tuple[float, bool | None]] = {}
    speech = _speech_stems()
    begins, ends = _row(text, first, last)
    window = slice(bisect_left(text.content, first - _WINDOW), bisect_left(text.content, last + _WINDOW))
    for at in text.content[window]:
        left = at < first
        if left:
            distance = text.distance(at, begins if at < begins else first)
        else:
            distance = text.distance(ends - 1 if at >= ends else last - 1, at)
        if first <= at < last or distance > _REACH:
            continue
        one = text.words[at].stem
        weight = math.exp(-distance / _FADE) * (_SPEECH if one in speech else 1.0)
        if weight > found.get(one, (0.0, None))[0]:
            found[one] = (weight, (left != text.passive[at]) if text.verbs[at] else None)
    return found


def _row(text: Text, first: int, last: int) -> tuple[int, int]:
    """The row of names that a name stands in, "A, B and C": what is said of one is said of all."""
    index = next(
        (at for at, name in enumerate(text.names) if name.first == first and name.last == last), None
    )
    if index is None:
        return first, last
    before = after = index
    while before and _joined(text, text.names[before - 1].last, text.names[before].first):
        before -= 1
    while after + 1 < len(text.names) and _joined(text, text.names[after].last, text.names[after + 1].first):
        after += 1
    return text.names[before].first, text.names[after].last


def _joined(text: Text, first: int, last: int) -> bool:
    """Whether nothing but "and", a comma and a title parts two names."""
    between = text.lowers[first:last]
    lists = lexicon()
    return (
        bool(between)
        and between[0] in ("and", ",")
        and all(
            lower in _IN_ROWS
            or lower in lists["departments"]
            or lower.rsplit(maxsplit=1)[-1] in lists["titles"]
            for lower in between
        )
    )


_IN_ROWS = listed("and , of the")


@lru_cache(maxsize=1)
def _speech_stems() -> frozenset[str]:
    return frozenset(stem(word) for word in lexicon()["said"]) | {stem("call"), stem("accuse"), stem("blame")}


def _equal(source: Fact, claim: Fact) -> bool:
    if source.value and claim.value:
        return says(source.value, claim.value)
    return bool(source.name and claim.name and _shares_word(source.name.words, claim.name.words))


def _shares_word(a: tuple[str, ...], b: tuple[str, ...]) -> bool:
    return not {stem(word) for word in a}.isdisjoint(stem(word) for word in b)


def _exchangeable(fact: Fact, rival: Fact, claim: Text, source: Text) -> bool:
    """Whether the two are of one kind, so that one could be written for the other."""
    if fact.value and rival.value:
        return fact.value.kind == rival.value.kind and _unit(fact.value) == _unit(rival.value)
    if fact.name is None or rival.name is None or rival.name.unsure or _equal(rival, fact):
        return False
    return (_qualifies(claim, fact.name), _is_place(claim, fact)) == (
        _qualifies(source, rival.name),
        _is_place(source, rival),
    )


def _is_place(text: Text, fact: Fact) -> bool:
    """Whether the name says where or whose: "in Tokyo", "of the Green Bloc". A subject never does."""
    before = text.lower(fact.first - 1)
    return before in _PLACE or (before == "the" and text.lower(fact.first - 2) == "of")


_PLACE = listed("in at near to from across outside inside around of")


def _unit(value: Value) -> str:
    return value.unit if value.kind != "date" else str(len(value.form) if value.form[0] in "-12" else 0)


def _qualifies(text: Text, name: Name) -> bool:
    """Whether a single name only qualifies the noun behind it: "Japan forces", "Boeing component"."""
    at = name.last
    if at - name.first > _ADJECTIVE or at >= len(text.words):
        return False
    word = text.words[at]
    if word.lower.split()[-1] in lexicon()["titles"] | lexicon()["departments"]:
        return True
    return word.content and not word.capital and word.lower not in lexicon()["said"] and not text.verbs[at]


_ADJECTIVE = 2  # words that a nation's name has at most


def _stems(text: Text, fact: Fact) -> set[str]:
    return {text.words[at].stem for at in range(fact.first, fact.last)}


# Titles


def _titles(claim: Read, evidence: Evidence) -> Iterator[Finding]:
    """Titles that the sentences give to somebody else, or to nobody."""
    lists, source = lexicon(), evidence.read.text
    given = [*titles_in(source), *(one for text in evidence.around for one in titles_in(text))]
    for titled in titles_in(claim.text):
        heads = titled.words & lists["titles"]
        if titled.words & lists["relations"]:
            continue
        own = [one.words for one in given if is_same_name(one.name.words, titled.name.words)]
        others = [one for one in given if not is_same_name(one.name.words, titled.name.words)]
        best = max(own, key=lambda words: len(words & titled.words), default=frozenset[str]())
        missing = (titled.words - best) & (lists["titles"] | lists["departments"])
        if not missing and heads <= best:
            continue
        about = range(titled.name.first, titled.name.last)
        holder = next(
            (
                one
                for one in others
                if missing & one.words and len(one.words & titled.words) > len(best & titled.words)
            ),
            None,
        )
        title = " ".join(word.lower for word in claim.text.words if word.lower in titled.words)
        name = claim.text.slice(titled.name.first, titled.name.last)
        if holder:
            other = " ".join(holder.name.words).title()
            yield Finding(
                "title",
                True,
                f"the cited sentence gives the title {title!r} to {other}, not to {name}",
                about,
            )
        elif not own and len(source.names) > 1 and not _stand_together(source, heads, titled.name):
            yield Finding(
                "title", False, f"the cited sentence does not give {name} the title {title!r}", about
            )
        elif own and not heads <= source.vocabulary | best:
            yield Finding("title", False, f"the cited sentence does not call {name} {title!r}", about)


_TOGETHER = 6.0  # distance up to which a title may be a name's although no pattern says so


def _stand_together(source: Text, heads: frozenset[str], name: Name) -> bool:
    titles = [word.at for word in source.words if not heads.isdisjoint(word.lower.split())]
    names = [word.at for word in source.words if word.lower in name.words]
    return any(abs(a - b) < _TOGETHER for a in titles for b in names)


def _counterparts(claim: Read, evidence: Evidence) -> Iterator[Finding]:
    """Counterparts who are none, by their offices or by the order in which the sentence names them."""
    names = claim.text.names
    if not {"counterpart", "counterparts"} & claim.text.vocabulary:
        return
    if "respective" in evidence.read.text.lowers:
        yield from _crossed(claim, evidence.read.text)
        return
    at = next(at for at, lower in enumerate(claim.text.lowers) if lower.startswith("counterpart"))
    before = next((name for name in reversed(names) if name.last <= at), None)
    behind = next((name for name in names if name.first > at), None)
    if before and behind and len(names) == 2:  # noqa: PLR2004 - somebody and a counterpart
        a, b = _offices(evidence, before), _offices(evidence, behind)
        if a and b and a.isdisjoint(b):
            reason = (
                f"{_written(claim.text, before)} and {_written(claim.text, behind)} do not hold like offices"
            )
            yield Finding("title", True, f"{reason} in the cited sentence", range(at, at + 1))


def _offices(evidence: Evidence, name: Name) -> set[str]:
    """The departments that the evidence gives to somebody; "state" is what others call "foreign"."""
    texts = (evidence.read.text, *evidence.around)
    titles = (one for text in texts for one in titles_in(text) if is_same_name(one.name.words, name.words))
    found = {word for one in titles for word in one.words & lexicon()["departments"]}
    return {"foreign" if word == "state" else word for word in found}


def _crossed(claim: Read, source: Text) -> Iterator[Finding]:
    """In "A and B and their respective counterparts, C and D", A's counterpart is C."""
    at = source.lowers.index("respective")
    before = [name for name in source.names if name.last <= at and not _qualifies(source, name)][-2:]
    behind = [name for name in source.names if name.first > at and not _qualifies(source, name)][:2]
    first, second = _named(before, claim.text), _named(behind, claim.text)
    if len(first) == len(second) == 1 and first != second:
        a, b = before[first.pop()], behind[second.pop()]
        reason = f"{_written(source, b)} is not the counterpart of {_written(source, a)}"
        yield Finding("title", True, f"{reason} in the cited sentence", range(len(claim.text.words)))


def _named(names: Sequence[Name], claim: Text) -> set[int]:
    """Which of the names the claim has."""
    return {
        index
        for index, name in enumerate(names)
        if any(is_same_name(name.words, one.words) for one in claim.names)
    }


def _written(text: Text, name: Name) -> str:
    return text.slice(name.first, name.last)


# Speakers


def _speakers(claim: Read, evidence: Evidence) -> Iterator[Finding]:
    """What the sentences put into somebody else's mouth."""
    lists, source = lexicon(), evidence.read.text
    said = [(report, _told(source, report)) for report in reports_in(source)]
    for report in reports_in(claim.text):
        told = _told(claim.text, report)
        shares = [(len(told & other) / max(1, len(told)), one) for one, other in said]
        top = max((share for share, _ in shares), default=0.0)
        if top < _ALIGNED:
            continue
        names = [name for name in claim.text.names if _name_stems(claim.text, name) <= report.speaker]
        keys = {claim.text.words[name.last - 1].stem for name in names} or report.speaker
        near = [one.speaker for share, one in shares if share >= top - _NEARLY]
        if any(keys & speaker or SOMEBODY in speaker | report.speaker for speaker in near):
            continue
        generic = {stem(word) for word in lists["generic_speakers"]}
        if not names and report.speaker & generic:
            continue
        if names and any(_is_generic(speaker, source, generic) for speaker in near):
            continue
        who = claim.text.slice(names[0].first, names[0].last) if names else "its speaker"
        reason = f"the cited sentence does not have {who} say this"
        yield Finding("speaker", bool(keys & source.stems), reason, range(report.verb, report.verb + 1))


def _told(text: Text, report: Report) -> frozenset[str]:
    return (
        frozenset(text.words[at].stem for at in text.content if report.first <= at < report.last)
        - _speech_stems()
    )


def _name_stems(text: Text, name: Name) -> set[str]:
    return {text.words[at].stem for at in range(name.first, name.last)}


def _is_generic(speaker: frozenset[str], source: Text, generic: set[str]) -> bool:
    """Whether it is "the company" or "officials" who speak, whom a claim may call by name."""
    return bool(speaker & generic) and not any(_name_stems(source, name) <= speaker for name in source.names)


# Who does what to whom


class Role(NamedTuple):
    """A verb with the stems on the side of who does it and of whom it is done to."""

    verb: int
    doer: frozenset[str]
    done_to: frozenset[str]


def _exchanged(claim: Text, source: Text) -> Iterator[Finding]:
    """Subject and object that have changed places."""
    theirs: dict[str, list[Role]] = {}
    for role in roles_in(source):
        theirs.setdefault(source.words[role.verb].stem, []).append(role)
    for role in roles_in(claim):
        same = theirs.get(claim.words[role.verb].stem, [])
        if not same or any(_agree(role, one) for one in same):
            continue
        if any(role.doer & one.done_to - one.doer and role.done_to & one.doer - one.done_to for one in same):
            verb = claim.words[role.verb].text
            reason = f"who does it and to whom it is done have changed places around {verb!r}"
            yield Finding("role", False, reason, range(role.verb, role.verb + 1))
            return


def _agree(a: Role, b: Role) -> bool:
    """Whether two uses of a verb have at least as much in common as they have exchanged."""
    straight = len(a.doer & b.doer) + len(a.done_to & b.done_to)
    crossed = len(a.doer & b.done_to) + len(a.done_to & b.doer)
    return straight >= crossed


@lru_cache(maxsize=CACHED_TEXTS)
def roles_in(text: Text) -> tuple[Role, ...]:
    """Every verb whose two sides cannot change places without another meaning."""
    return tuple(_roles(text))


def _roles(text: Text) -> Iterator[Role]:
    for at, is_verb in enumerate(text.verbs):
        word = text.words[at]
        if not is_verb or word.stem in _symmetric() or word.lower in lexicon().function:
            continue
        left, right = _side(text, at, -1), _side(text, at, 1)
        if text.passive[at]:
            left, right = right if text.lower(at + 1) == "by" else frozenset[str](), left
        if left and right:
            yield Role(at, left, right)


_SIDE = 6  # content words on a side of a verb that may be its subject or object
_SIDE_ENDS = frozenset('.;?!:"—') | listed("but while although though because")


def _side(text: Text, at: int, step: int) -> frozenset[str]:
    """The nouns on one side of a verb, up to the end of the clause."""
    found: set[str] = set()
    counted, one = 0, at + step
    while 0 <= one < len(text.words) and counted < _SIDE:
        word = text.words[one]
        if word.lower in _SIDE_ENDS or (
            step > 0 and word.lower in ("after", "before", "when", "as", "and", ",")
        ):
            break
        if step < 0 and word.lower in ("after", "before", "when", "that", "as", "said"):
            break
        if word.content:
            counted += 1
            if not text.verbs[one]:
                found.add(word.stem)
        one += step
    return frozenset(found)


@lru_cache(maxsize=1)
def _symmetric() -> frozenset[str]:
    """Verbs whose subject and object may change places, or that do without an object."""
    return _speech_stems() | frozenset(
        stem(word)
        for word in [
            "be",
            "have",
            "do",
            "meet",
            "talk",
            "discuss",
            "marry",
            "agree",
            "resemble",
            "equal",
            "accompany",
            "join",
            "negotiate",
            "cooperate",
            "rise",
            "fall",
            "begin",
            "open",
            "close",
            "end",
            "change",
            "move",
            "become",
            "get",
            "double",
            "cover",
            "include",
            "face",
            "share",
            "trade",
            "play",
        ]
    )


# Counted things


def _counted(claim: Read, evidence: Evidence) -> Iterator[Finding]:
    """Numbers that the sentences say of something else: "54,000 aircraft" for 54,000 troops."""
    source = evidence.read
    for fact in claim.values[:MAX_FACTS]:
        if not fact.value or not fact.value.is_quantity or fact.value.kind == "points":
            continue
        own = bearing_out(source, fact.value)
        noun = _noun(claim.text, fact)
        if not own or noun is None:
            continue
        thing = claim.text.words[noun[-1]]
        if thing.stem not in source.text.stems or thing.lower in _VAGUE:
            continue
        if any(thing.stem in _near(source, other) for other in own):
            continue
        value = claim.text.slice(fact.first, fact.last)
        reason = f"the cited sentence says {value} of something other than {thing.text}"
        yield Finding("unit", False, reason, range(fact.first, noun[-1] + 1))


_VAGUE = listed("people others times years year percent")


def _noun(text: Text, fact: Fact) -> range | None:
    """The words behind a number that name what is counted; a measure is a part of the value."""
    last = fact.last
    if text.lower(last) == "of" or last >= len(text.words):
        return None
    if fact.value and fact.value.unit and not text.words[last].joined:
        return None
    end = last
    while end < min(len(text.words), last + _LONGEST_NOUN) and _can_name(text, end):
        end += 1
    return range(last, end) if end > last else None


_LONGEST_NOUN = 3  # words


def _can_name(text: Text, at: int) -> bool:
    word = text.words[at]
    return word.content and not text.verbs[at] and word.lower not in _NO_NOUN and word.lower[0].isalpha()


_NO_NOUN = listed("later earlier ahead behind below above last next ago apart away long old alone together")


_BEFORE, _BEHIND = 5, 6  # words in front of and behind a number that can name what it counts


def _near(source: Read, fact: Fact) -> set[str]:
    """The stems around a number, up to the next one."""
    text = source.text
    behind = (
        one.first
        for one in source.values
        if one.first >= fact.last and "of" not in text.lowers[fact.last : one.first]
    )
    following = min(behind, default=len(text.words))
    around = range(max(0, fact.first - _BEFORE), min(len(text.words), fact.last + _BEHIND, following))
    return {text.words[at].stem for at in around if text.words[at].content}
