"""Near-copies: articles with the same story in the same words, reprinted or cut, under any headline.

Two bottom-k sketches per article (Broder 1997, "On the resemblance and containment of
documents"; Cohen and Kaplan 2007): of the whole text and of its opening. Two articles are
near-copies when half of the smaller one is in the other, and half of its opening in the
other's opening: news is cut from the end, so a reprint keeps the opening, while pages that
share a picture gallery, a form at the foot or a round-up do not. Plain numpy, since MinHash
libraries (datasketch with scipy, rensa) estimate resemblance of whole texts, which loses cut
reprints; figures by benchmarks/duplicates.py. A change of these rules needs every stored
signature anew: count PASSAGE_RULES up. Pure.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from typing import TypeVar

import numpy as np
import numpy.typing as npt

WINDOW = 32  # letters, about six words: short enough to survive edits, too long for a stock phrase
OPENING = 1_000  # letters, about 200 words
OPENING_VALUES = 64
WHOLE_VALUES = 160  # with the 64 and the count 900 bytes; a copy cut to 30 % still compares some 48 values
NEAR = 0.5  # of the smaller one's windows; 0.3 to 0.7 do nearly as well on real articles (benchmarks)
SMALLEST = 0.2  # a copy this far cut is found; below, too few values are left to compare
SHORT = 128  # windows, about 34 words: below, only equals join, as the same notice with another date is news
HUBS = 4  # who shares a value is compared with its four longest owners, so that boilerplate stays cheap

_Values = npt.NDArray[np.uint32]
_Pairs = npt.NDArray[np.int64]  # of rows, one pair a line
_Unsigned = TypeVar("_Unsigned", np.uint32, np.uint64)
_NONE = 0xFFFF_FFFF  # fills a sketch that has fewer values than room
_LETTER, _MIX = 0x9E37_79B9_7F4A_7C15, np.uint64(0xD6E8_FEB8_6659_FD93)  # odd, bits well spread
_HALF, _LOW = np.uint64(32), np.uint64(0xFFFF_FFFF)
_CHUNK = 4_096  # pairs compared at once: some 10 MB


def signature(text: str) -> bytes:
    """What `clusters` needs to know of an article's text: 900 bytes, the same on every machine.

    Only letters and digits count, without case: quotation marks, dashes, blanks and line
    breaks may differ.

    >>> signature("“Stop!” she said.") == signature('"Stop", she said')
    True
    """
    letters = "".join(filter(str.isalnum, unicodedata.normalize("NFKC", text).casefold()))
    windows = _windows(letters)
    whole = _distinct(windows)
    opening = _distinct(windows[: OPENING - WINDOW + 1])
    count = np.array([len(whole)], "<u4")
    parts = (count, _smallest(opening, OPENING_VALUES), _smallest(whole, WHOLE_VALUES))
    return np.concatenate(parts).astype("<u4").tobytes()


def clusters(signatures: Mapping[str, bytes]) -> dict[str, str]:
    """The cluster of each article that has a near-copy, named by the smallest id in it.

    A function of the set alone: order and history do not matter. The longest article that is
    still free leads a cluster and takes every free near-copy of its own, so that nothing is
    joined through a third one: all members are near-copies of one article.
    """
    equals: dict[bytes, list[str]] = {}
    for one in sorted(signatures):
        equals.setdefault(signatures[one], []).append(one)
    equals.pop(signature(""), None)  # no letters, no copy
    members = list(equals.values())
    for longer, shorter in _near_copies(list(equals)):
        if members[longer] and members[shorter]:
            members[longer].extend(members[shorter])
            members[shorter].clear()
    named = ((min(group), group) for group in members if len(group) > 1)
    return {one: name for name, group in sorted(named) for one in sorted(group)}


def _windows(letters: str) -> _Values:
    """A hash of every run of WINDOW letters, in order; a shorter text is one run."""
    if not letters:
        return np.empty(0, np.uint32)
    codes = np.frombuffer(letters.ljust(WINDOW, "\0").encode("utf-32-le"), "<u4")
    hashes = codes.astype(np.uint64)
    width = 1
    while width < WINDOW:  # two neighbouring runs make one of twice the width
        hashes = hashes[:-width] * np.uint64(pow(_LETTER, width, 2**64)) + hashes[width:]
        width *= 2
    for _ in range(2):  # the low bits of a product know only low bits: fold the high ones in
        hashes ^= hashes >> _HALF
        hashes *= _MIX
    return (hashes >> _HALF).astype(np.uint32)


def _distinct(values: npt.NDArray[_Unsigned]) -> npt.NDArray[_Unsigned]:
    """Sorted, each once; np.unique takes five times as long."""
    ordered = np.sort(values)
    return ordered[np.append(True, ordered[1:] != ordered[:-1])] if len(ordered) else ordered


def _smallest(ordered: _Values, room: int) -> _Values:
    return np.pad(ordered[:room], (0, max(0, room - len(ordered))), constant_values=_NONE)


def _near_copies(signatures: list[bytes]) -> list[tuple[int, int]]:
    """Pairs (longer, shorter) of places in the list; the longest articles come first."""
    table = np.frombuffer(b"".join(signatures), "<u4").reshape(-1, 1 + OPENING_VALUES + WHOLE_VALUES)
    counts = table[:, 0].astype(np.int64)
    order = np.argsort(-counts, kind="stable")[: np.count_nonzero(counts >= SHORT)]
    counts, table = counts[order], table[order].astype(np.uint32)
    opening, whole = table[:, 1 : 1 + OPENING_VALUES], table[:, 1 + OPENING_VALUES :]
    pairs = _candidates(opening)
    pairs = pairs[counts[pairs[:, 1]] >= SMALLEST * counts[pairs[:, 0]]]
    for sketches in (opening, whole):
        pairs = pairs[_contained(sketches, pairs) >= NEAR]
    return [(longer, shorter) for longer, shorter in order[pairs].tolist()]


def _candidates(opening: _Values) -> _Pairs:
    """Pairs of rows that share two values and more, sorted; the smaller row is the longer article."""
    owners = np.repeat(np.arange(len(opening), dtype=np.uint64), OPENING_VALUES)
    keys = np.sort(opening.astype(np.uint64).ravel() << _HALF | owners)
    values, rows = keys >> _HALF, keys & _LOW
    place = np.arange(len(keys))
    first = np.maximum.accumulate(np.where(np.append(True, values[1:] != values[:-1]), place, 0))
    shared = values != _NONE
    found = []
    for hub in range(HUBS):
        behind = np.flatnonzero(shared & (first + hub < place))
        found.append(rows[first[behind] + hub] << _HALF | rows[behind])
    pairs = np.concatenate(found)
    pairs.sort()
    pairs = _distinct(pairs[1:][pairs[1:] == pairs[:-1]])  # a single shared value may be chance
    return np.stack([pairs >> _HALF, pairs & _LOW], axis=1).astype(np.int64)


def _contained(sketches: _Values, pairs: _Pairs) -> npt.NDArray[np.float64]:
    """For each pair of rows, the share of the smaller set's windows that the other has too.

    Below the smaller of the two largest values, both sketches are complete: what they share
    there is a fair sample of what the sets share.
    """
    shares = [np.empty(0)]
    for start in range(0, len(pairs), _CHUNK):
        a, b = (sketches[rows] for rows in pairs[start : start + _CHUNK].T)
        both = np.sort(np.concatenate([a, b], axis=1), axis=1)
        shared = ((both[:, 1:] == both[:, :-1]) & (both[:, 1:] != _NONE)).sum(axis=1)
        limit = np.minimum(a[:, -1], b[:, -1])[:, None]
        counted = np.minimum(*(((one <= limit) & (one != _NONE)).sum(axis=1) for one in (a, b)))
        shares.append(shared / np.maximum(counted, 1))
    return np.concatenate(shares)
