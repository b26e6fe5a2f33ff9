"""How much of a claim's words its cited sentences have: what cites the wrong sentence has few.

The share of content words, by stem or root, and a least share that ``benchmarks/fit_support.py``
fits. A share as low marks a claim, a high one proves nothing. Figures and names have tests of
their own, so that this one is independent of them. Words weighed by rarity, neighbouring words
and a logistic regression over all of these marked more true paraphrases for as many wrong
citations, so none of them is here. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING

from assistant.grounding.words import read

if TYPE_CHECKING:
    from assistant.grounding.verdicts import Cited

SHARE_FILE = "support_share.json"
_ROOT = 5  # letters that two words share when one is made from the other: "invest", "investor"


def below(claim: str, evidence: Sequence[Cited]) -> bool:
    """Whether the cited sentences have too little of what the claim says."""
    return share(claim, evidence) < least()


def share(claim: str, evidence: Sequence[Cited]) -> float:
    """The share of the claim's content words that are in the cited sentences; 1 when it has none.

    >>> from assistant.grounding.verdicts import Cited
    >>> share("The old bridge.", [Cited("The bridge was opened.")])
    0.5
    """
    return share_of(read(claim).stems, evidence)


def share_of(stems: Collection[str], evidence: Sequence[Cited]) -> float:
    """The share of these stems that are in the cited sentences; 1 when there are none."""
    return len(_found(stems, [read(one.text).stems for one in evidence])) / len(stems) if stems else 1.0


@lru_cache(maxsize=1)
def least() -> float:
    """The fitted share below which a claim is marked."""
    raw = json.loads(files("assistant.grounding").joinpath(SHARE_FILE).read_text(encoding="utf-8"))
    return float(raw["least_share"])


def _found(wanted: Iterable[str], texts: Iterable[Iterable[str]]) -> set[str]:
    """Those that are in one of the texts, or share a root with a word there."""
    have = {stem for text in texts for stem in text}
    roots = {stem[:_ROOT] for stem in have if len(stem) >= _ROOT}
    return {stem for stem in wanted if stem in have or stem[:_ROOT] in roots}
