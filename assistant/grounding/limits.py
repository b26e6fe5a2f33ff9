"""What limits a number: "at least", "nearly", "only"; and which number is a rounding of which.

A claim may be more careful than its sentence ("about 600" for "nearly 600"): a limit that the same
number of the sentences does not have is found, and one that the claim leaves out is not. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from assistant.grounding.binding import Finding
from assistant.grounding.evidence import Fact
from assistant.grounding.values import Value
from assistant.grounding.words import Text, listed

_BEFORE = tuple(
    (kind, re.compile(rf"(?<!\w)(?:{words})(?: the| a| an| its| of){{0,2}}$"))
    for kind, words in {
        "at least": (
            "at least|minimum (?:age )?of|(?:no|not) (?:fewer|less) than|(?<!no )(?<!not )more than|over"
            "|above|past|upwards of|north of|in excess of|exceed(?:s|ed|ing)?|top(?:s|ped|ping)"
            "|surpass(?:es|ed|ing)?"
        ),
        "at most": (
            "up to|as (?:many|much) as|at (?:the )?most|(?<!no )(?<!not )(?:less|fewer) than|under|below"
            "|(?:no|not) more than|nearly|almost|close to|maximum of|just short of|approaching"
        ),
        "about": (
            "about|around|roughly|some|approximately|estimated|nearing|approximate|virtually|more or less"
        ),
        "only": "only|just|merely",
        "all": "(?<!of )all|(?<!of )every",
    }.items()
)
_BEHIND = re.compile(r"(?:\w+ )?or (?:more|older|higher)|and (?:over|older|up|above)|plus\b")
_SO = re.compile(r"(?:\w+ )?or so\b|or thereabouts\b")
_MOVES = listed(
    "go goes went going gone up rise rises rose rising risen climb climbs climbed climbing own owns "
    "owned owning bring brings brought bringing add adds added adding lead leads led leading live lived "
    "living grow grows grew growing grown move moved moving increase increased increases raised raise "
    "push pushed"
)
_TIME = frozenset(["second", "minute", "hour", "day", "week", "month", "year"])
_TIMES = frozenset(f"{one}s" for one in _TIME) | {"decades", "centuries"}
_COMPARING = frozenset(["over", "under", "above", "below", "past", "more", "less", "fewer"])


def limit_of(text: Text, fact: Fact) -> str:
    """What limits a number: "at least", "at most", "about", "only", "all"; empty for none.

    "Over" a time is during it, and what goes "up to" a number gets there.

    >>> from assistant.grounding.evidence import read_claim
    >>> read = read_claim("More than 30 ships sank.", None)
    >>> limit_of(read.text, read.values[0])
    'at least'
    """
    before = " ".join(text.lowers[max(0, fact.first - 5) : fact.first]).replace(" $", "")
    behind = " ".join(text.lowers[fact.last : fact.last + 4])
    for kind, words in _BEFORE:
        found = words.search(before)
        if found and not _is_no_limit(found[0].split(), before[: found.start()], fact, behind.split()[:2]):
            return kind
    if _BEHIND.match(behind):
        return "at least"
    return "about" if _SO.match(behind) else ""


def _is_no_limit(words: Sequence[str], before: str, fact: Fact, behind: Sequence[str]) -> bool:
    """Whether they limit nothing here.

    They may be of time or place ("over three years", "went up to 14", "every two years") or
    compare with a number that is known ("well over the 70 percent that engineers want").
    """
    last = before.split()[-1:]
    is_time = (fact.value is not None and fact.value.unit in _TIME) or not _TIMES.isdisjoint(behind)
    if words[-1] == "the" and words[0] in _COMPARING and not is_time:
        return True
    if words[0] in ("over", "past", "every"):
        return is_time and (words[0] != "over" or last not in (["well"], ["just"], ["for"], ["of"]))
    return words[:2] == ["up", "to"] and bool(_MOVES.intersection(last))


def limit_findings(fact: Fact, own: Sequence[Fact], claim: Text, source: Text) -> Iterator[Finding]:
    """A limit of the claim's number that the same number of the sentences does not have."""
    limit = limit_of(claim, fact)
    theirs = {limit_of(source, one) for one in own}
    if not limit or limit == "about" or limit in theirs or (fact.value and fact.value.kind == "date"):
        return  # a claim may be more careful than the sentence
    if limit == "at most" and "about" in theirs:
        return  # "nearly 600" may be called "about 600"
    ends = {"at least": ("between", "from"), "at most": ("and", "to", "-")}.get(limit, ())
    if _is_range(source) and not _is_range(claim) and any(source.lower(one.first - 1) in ends for one in own):
        return  # "between 200 and 250"
    if limit == "only" and "only" in source.lowers:
        return
    if limit == "at least" and any(_goes_on(source, one) for one in own) and not _goes_on(claim, fact):
        return
    written = claim.slice(fact.first, fact.last)
    reason = f"{limit!r} is not said of {written} in the cited sentence"
    yield Finding("limit", False, reason, range(fact.first, fact.last))


def _is_range(text: Text) -> bool:
    return not text.vocabulary.isdisjoint(("between", "from", "-"))


def _goes_on(text: Text, fact: Fact) -> bool:
    """Whether more is added to the number: "four years and three months"."""
    behind = text.lowers[fact.last : fact.last + 3]
    return behind[1:2] == ("and",) and any(word[0].isdecimal() or word in _ADDED for word in behind[2:])


_ADDED = listed("one two three four five six seven eight nine ten eleven a half")


def rounds(claim: Value, limit: str, source: Value) -> bool:
    """Whether the claim's number is a rounding of the source's that its limit makes true.

    "About 54,000" for 54,217, "more than 50,000" and "nearly 55,000" for both; the claim's number
    has fewer figures than the source's and is within a tenth of it, or is what "more than" leaves
    of its first figures: "more than a million" for 1.3 million.
    """
    if claim.kind != source.kind or (claim.unit and claim.unit != source.unit) or not limit:
        return False
    if not source.is_quantity or _figures(claim.amount) >= _figures(source.amount):
        return False
    difference = claim.amount - source.amount
    if limit == "at least" and _cut(source.amount, _figures(claim.amount)) == claim.amount:
        return True
    if abs(difference) > _ROUNDED * abs(source.amount):
        return False
    return {"at least": difference <= 0, "at most": difference >= 0, "about": True}.get(limit, False)


_ROUNDED = 0.1


def _cut(amount: float, figures: int) -> float:
    """The amount with its first figures alone: 1,150 with one figure is 1,000."""
    if amount < 1:
        return amount
    step = 10.0 ** (len(str(int(amount))) - figures)
    return amount // step * step


def _figures(amount: float) -> int:
    return len(f"{amount:.6f}".replace(".", "").strip("0"))
