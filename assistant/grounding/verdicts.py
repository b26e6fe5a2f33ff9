"""The verdict on a claim: do the sentences that it cites bear it out?

Little drops a claim: a value that is not there, a title or a speaker's words given to
somebody else, a negation turned round, or two independent tests that agree about the same
words. A claim that retells its sentences freely is not dropped for a value or a negation, since
it may have counted, rounded or turned the sentence round; it is marked. Which sentences count
as evidence, and for what, is in ``evidence.py``; the tests are in ``binding.py`` and ``modality.py``. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from assistant.domain.answers import Support
from assistant.grounding.binding import Finding, binding_findings
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
from assistant.grounding.modality import limit_findings, limit_of, modality_findings, rounds
from assistant.grounding.overlap import below, share_of
from assistant.grounding.values import Value, says
from assistant.grounding.words import MAX_FACTS, Name, Text, stem

__all__ = ["Cited", "Finding", "Verdict", "check_claim"]

_SUPPORTED = "the cited sentences bear it out"
_UNCITED = "it cites nothing"
# From this share of words in common a claim follows its sentences, and what differs was changed.
# News sentences with a digit changed lie above it (97 in 100), most free paraphrases below.
_CLOSE = 0.75
_RETOLD = frozenset({"value", "negation", "opposite"})  # what a free paraphrase may get wrong only seemingly
_SMALL = 4.0  # numbers in words up to which a claim may have counted what the sentence lists


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
        dict.fromkeys((*_findings(read, against), *_little_in_common(claim[:MAX_CHARACTERS], cited)))
    )
    if not _follows(read, cited, findings):
        findings = tuple(one._replace(drops=one.drops and one.test not in _RETOLD) for one in findings)
    return Verdict(_support(findings), _why(findings), findings)


def _follows(claim: Read, cited: Sequence[Cited], findings: Sequence[Finding]) -> bool:
    """Whether the claim, its values and the words in question aside, is made of its sentences' words."""
    aside = {at for fact in claim.values for at in range(fact.first, fact.last + 1)}  # with what they count
    aside |= {at for finding in findings if finding.test in _RETOLD for at in finding.about}
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


def _findings(claim: Read, evidence: Evidence) -> Iterator[Finding]:
    yield from _missing_values(claim, evidence)
    yield from _missing_names(claim, evidence)
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


# Tests whose errors have nothing to do with each other, as far as measured.
_INDEPENDENT = frozenset({"swap", "unit", "role", "speaker", "plan", "limit"})


def _meet(a: range, b: range) -> bool:
    return max(a.start, b.start) < min(a.stop, b.stop)


def _why(findings: Sequence[Finding]) -> str:
    """The reasons, those that drop first."""
    if not findings:
        return _SUPPORTED
    ordered = sorted(findings, key=lambda finding: not finding.drops)
    return "; ".join(dict.fromkeys(finding.reason for finding in ordered))


# Values


def _missing_values(claim: Read, evidence: Evidence) -> Iterator[Finding]:
    source = evidence.read
    if len(claim.values) > MAX_FACTS:
        yield Finding("value", False, "it holds more values than are checked")
    for fact in claim.values[:MAX_FACTS]:
        value = fact.value
        if value is None or _is_inside_span(fact, claim.values):
            continue
        own = bearing_out(source, value)
        if own:
            yield from limit_findings(fact, own, claim.text, source.text)
            continue
        about, written = range(fact.first, fact.last), claim.text.slice(fact.first, fact.last)
        if any(says(title, value) and title.unit == value.unit for title in evidence.titles):
            continue
        limit = limit_of(claim.text, fact)
        if any(one.value and rounds(value, limit, one.value) for one in source.values):
            continue
        if value.kind == "date" and _is_about_publication(value, evidence.published):
            reason = f"{written} is only when the article was published"
            yield Finding("value", False, reason, about)
        elif _may_be_counted(value):
            yield Finding("value", False, f"{written} is not in the cited sentence, as a figure", about)
        else:
            yield Finding("value", True, f"{written} is not in the cited sentence", about)


def _is_inside_span(fact: Fact, facts: Sequence[Fact]) -> bool:
    """Whether it is the number of years of a span whose ends are looked for themselves."""
    return any(
        one is not fact and one.value and one.value.kind == "date" and fact.first == one.first
        for one in facts
    )


def _is_about_publication(value: Value, published: Sequence[date]) -> bool:
    return any(first <= day <= last for day in published for first, last in value.days[:1])


def _may_be_counted(value: Value) -> bool:
    """Whether it is a small number in words that counts what is listed, or how many times."""
    if value.kind in ("times", "some"):
        return True
    return value.kind == "number" and value.amount <= _SMALL and not value.unit and value.text.isalpha()


# Names


def _missing_names(claim: Read, evidence: Evidence) -> Iterator[Finding]:
    texts = (evidence.read.text, *evidence.around)
    for name in claim.text.names:
        if not name.unsure and not any(_names(text, name, claim.text) for text in texts):
            written = claim.text.slice(name.first, name.last)
            yield Finding(
                "name", False, f"{written} is not in the cited sentence", range(name.first, name.last)
            )


def _names(text: Text, name: Name, claim: Text) -> bool:
    """Whether the text has the name: in other words for a nation, by its initials, or cut short."""
    if all(_has(text, word) for word in name.words if word not in _NO_NAME):
        return True
    initials = "".join(word[0] for word in name.words if word not in _SMALL_WORDS)
    if len(initials) > 1 and (
        initials in text.vocabulary or (initials == "us" and "america" in text.vocabulary)
    ):
        return True
    written = claim.words[name.first].text.replace(".", "")
    return written.isupper() and any(written.lower() in row for row in _initials(text, len(written)))


_NO_NAME = frozenset(
    ["mr.", "mrs.", "ms.", "jr.", "sr.", "mr", "mrs", "ms", "jr", "the", "inc.", "corp.", "co.", "inc"]
)
_SMALL_WORDS = frozenset(["of", "the", "and", "for"])
_KIN = 4  # letters that "Ukraine" and "Ukrainian" share


def _has(text: Text, word: str) -> bool:
    bare = word.replace(".", "")
    return (
        bare in text.vocabulary
        or word in text.vocabulary
        or stem(word) in text.stems
        or (len(bare) > _KIN and any(other[: len(bare) - 2] == bare[:-2] for other in text.vocabulary))
        or any(stem(part) in text.stems for part in word.split())
    )


def _initials(text: Text, length: int) -> Iterator[str]:
    """The first letters of capital words in a row, and of any words for longer abbreviations ("GDP")."""
    words = [word for word in text.words if word.lower not in _SMALL_WORDS]
    yield "".join(word.text[0].lower() if word.capital else " " for word in words) if length > 1 else ""
    if length >= _SURE_INITIALS:
        yield "".join(word.text[0].lower() for word in words)


_SURE_INITIALS = 3


# Overlap


def _little_in_common(claim: str, evidence: Sequence[Cited]) -> Iterator[Finding]:
    if below(claim, evidence):
        yield Finding("overlap", False, "it has too little in common with the cited sentences")
