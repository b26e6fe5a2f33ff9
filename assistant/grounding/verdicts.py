"""The verdict on a claim: do the sentences that it cites bear it out?

Little drops a claim: a value that is not there, a title or a speaker's words given to
somebody else, a negation turned round, or two independent tests that agree about the same
words. A value that follows from others (``derived.py``) is there. A claim that retells its sentences
freely is not dropped for a small number or a negation, since it may have counted what they list
or turned them round; it is marked. Which sentences count
as evidence, and for what, is in ``evidence.py``; the tests are in ``binding.py`` and ``modality.py``. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from assistant.domain.answers import Support
from assistant.grounding.binding import Finding, binding_findings
from assistant.grounding.derived import Derivation, derivation, measures
from assistant.grounding.evidence import (
    MAX_CHARACTERS,
    Cited,
    Evidence,
    Fact,
    Read,
    bearing_out,
    read_claim,
    read_evidence,
)
from assistant.grounding.limits import limit_findings, limit_of, rounds
from assistant.grounding.modality import modality_findings
from assistant.grounding.naming import missing_names
from assistant.grounding.overlap import below, share_of
from assistant.grounding.values import Value, says, values_in
from assistant.grounding.words import MAX_FACTS

__all__ = ["Cited", "Finding", "Verdict", "check_claim"]

_SUPPORTED = "the cited sentences bear it out"
_UNCITED = "it cites nothing"
# From this share of words in common a claim follows its sentences, and what differs was changed.
# News sentences with a digit changed lie above it (97 in 100), most free paraphrases below.
_CLOSE = 0.75
_TURNED = frozenset({"negation", "opposite"})  # what a free paraphrase may get wrong only seemingly
# Tests that look at different things: what stands near, what is counted, who does or says it, how much.
_INDEPENDENT = frozenset({"swap", "unit", "role", "speaker", "plan", "limit"})
_SMALL = 12.0  # numbers up to which a claim may have counted what its sentences list


@dataclass(frozen=True, slots=True)
class Verdict:
    """How well the cited sentences carry a claim, why, and everything that speaks against it."""

    support: Support
    why: str
    findings: tuple[Finding, ...]


def check_claim(claim: str, evidence: Sequence[Cited]) -> Verdict:
    """The verdict on a claim from the sentences that it cites.

    >>> check_claim("Japan hosts 45,000 troops.", [Cited("Japan hosts 54,000 troops.")]).why
    '45,000 is not in the cited sentence'
    """
    cited = [_shortened(one) for one in evidence if one.text.strip()]
    if not cited:
        return Verdict(Support.UNCITED, _UNCITED, ())
    if any(_bare(claim) == _bare(one.text) for one in cited):
        return Verdict(Support.SUPPORTED, _SUPPORTED, ())
    published = next((one.published for one in cited if one.published), None)
    read, against = read_claim(claim[:MAX_CHARACTERS], published), read_evidence(cited)
    findings = tuple(
        dict.fromkeys((*_findings(read, against, cited), *_little_in_common(claim[:MAX_CHARACTERS], cited)))
    )
    if not _follows(read, cited, findings):
        counts = [
            range(fact.first, fact.last) for fact in read.values if fact.value and _may_be_counted(fact.value)
        ]
        findings = tuple(
            one._replace(drops=False) if one.test in _TURNED or one.about in counts else one
            for one in findings
        )
    return Verdict(_support(findings), _why(findings), findings)


def _follows(claim: Read, cited: Sequence[Cited], findings: Sequence[Finding]) -> bool:
    """Whether the claim, its values and the words in question aside, is made of its sentences' words."""
    aside = {at for fact in claim.values for at in range(fact.first, fact.last + 1)}  # with what they count
    aside |= {at for finding in findings if finding.test in _TURNED | {"value"} for at in finding.about}
    said = {word.stem for at, word in enumerate(claim.text.words) if word.content and at not in aside}
    return share_of(said, cited) >= _CLOSE


def _shortened(cited: Cited) -> Cited:
    """The sentence with no more characters than are read."""
    if len(cited.text) <= MAX_CHARACTERS and all(
        len(one) <= MAX_CHARACTERS for one in (*cited.before, cited.title)
    ):
        return cited
    before = tuple(one[:MAX_CHARACTERS] for one in cited.before)
    return replace(cited, text=cited.text[:MAX_CHARACTERS], before=before, title=cited.title[:MAX_CHARACTERS])


def _bare(text: str) -> str:
    """The text, its white space and its full stop aside."""
    return " ".join(text.split()).rstrip(".")


def _findings(claim: Read, evidence: Evidence, cited: Sequence[Cited]) -> Iterator[Finding]:
    yield from _missing_values(claim, evidence, cited)
    yield from missing_names(claim, evidence)
    yield from binding_findings(claim, evidence)
    yield from modality_findings(claim, evidence)


def _support(findings: Sequence[Finding]) -> Support:
    if not findings:
        return Support.SUPPORTED
    if any(finding.drops for finding in findings) or _agreeing(findings):
        return Support.UNSUPPORTED
    return Support.PARTIAL


def _agreeing(findings: Sequence[Finding]) -> bool:
    """Whether two different tests speak against the same words."""
    return any(
        a.test != b.test and a.test in _INDEPENDENT and b.test in _INDEPENDENT and _meet(a.about, b.about)
        for index, a in enumerate(findings)
        for b in findings[:index]
    )


def _meet(a: range, b: range) -> bool:
    return max(a.start, b.start) < min(a.stop, b.stop)


def _why(findings: Sequence[Finding]) -> str:
    """The reasons, those that drop first."""
    if not findings:
        return _SUPPORTED
    ordered = sorted(findings, key=lambda finding: not finding.drops)
    return "; ".join(dict.fromkeys(finding.reason for finding in ordered))


# Values


def _missing_values(claim: Read, evidence: Evidence, cited: Sequence[Cited]) -> Iterator[Finding]:
    source = evidence.read
    if len(claim.values) > MAX_FACTS:
        yield Finding("value", False, "it holds more values than are checked")
    for fact in claim.values[:MAX_FACTS]:
        value = fact.value
        if value is None or _is_inside_span(fact, claim.values):
            continue
        own = bearing_out(source, value)
        written, about = claim.text.slice(fact.first, fact.last), range(fact.first, fact.last)
        if own and _has_other_unit(value, own, source.values):
            yield Finding("value", False, f"{written} has another unit in the cited sentence", about)
        elif own:
            yield from limit_findings(fact, own, claim.text, source.text)
        elif not _is_elsewhere(claim, fact, value, evidence):
            drops, where = _absence(claim, fact, evidence, cited)
            if where:
                yield Finding("value", drops, f"{written} is {where}", about)


def _is_elsewhere(claim: Read, fact: Fact, value: Value, evidence: Evidence) -> bool:
    """Whether a title has the value, or it is a rounding that the claim's limit makes true."""
    if any(says(title, value) and title.unit == value.unit for title in evidence.titles):
        return True
    limit = limit_of(claim.text, fact)
    return any(one.value and rounds(value, limit, one.value) for one in evidence.read.values)


def _absence(claim: Read, fact: Fact, evidence: Evidence, cited: Sequence[Cited]) -> tuple[bool, str]:
    """Whether a value that is not written drops the claim, and where it is; empty when it follows."""
    value = fact.value
    if value and value.kind == "date" and _is_about_publication(value, evidence.published):
        return False, "only when the article was published"
    sureness = derivation(claim, fact, evidence)
    if sureness is Derivation.SURE:
        return False, ""
    if sureness is Derivation.POSSIBLE:
        return False, "not in the cited sentence, but may be counted from it"
    if value and _is_before(value, cited):
        return False, "only in a sentence before the cited one"
    return True, "not in the cited sentence"


def _is_inside_span(fact: Fact, facts: Sequence[Fact]) -> bool:
    """Whether it is the number of years of a span whose ends are looked for themselves."""
    return any(
        one is not fact and one.value and one.value.kind == "date" and fact.first == one.first
        for one in facts
    )


def _may_be_counted(value: Value) -> bool:
    """Whether it may be a count of what is told: a small number, a rank, how many times, a fraction."""
    if value.kind in ("times", "some", "ordinal"):
        return True
    return value.kind == "number" and value.amount <= _SMALL


def _is_before(value: Value, cited: Sequence[Cited]) -> bool:
    """Whether a sentence before a cited one has the value, which only names may come from."""
    before = (found for one in cited for piece in one.before for found in values_in(piece, one.published))
    return any(says(found, value) and found.unit == value.unit for found in before)


def _has_other_unit(value: Value, own: Sequence[Fact], facts: Sequence[Fact]) -> bool:
    """Whether a bare number of the sentences is taken for one with a unit where they measure otherwise.

    "480 tonnes in a good year, 150 now" bears out 150 tonnes, not 150 kilograms.
    """
    if not value.unit or value.kind != "number" or any(one.value and one.value.unit for one in own):
        return False
    units = {one.value.unit for one in facts if one.value and measures(one.value) == measures(value)}
    return bool(units) and value.unit not in units


def _is_about_publication(value: Value, published: Sequence[date]) -> bool:
    return any(first <= day <= last for day in published for first, last in value.days[:1])


# Overlap


def _little_in_common(claim: str, evidence: Sequence[Cited]) -> Iterator[Finding]:
    if below(claim, evidence):
        yield Finding("overlap", False, "it has too little in common with the cited sentences")
