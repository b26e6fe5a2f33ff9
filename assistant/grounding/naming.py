"""Names of a claim that are nowhere in its sentences, nor around them.

A name may stand there in other words: a nation as its people ("Japan", "Japanese"), a government
as its seat ("Washington" for the United States, though not "in Washington"), a body by its initials
or in short ("the Fed"), a person without the first name. The list is ``aliases.json``. Names are
looked for in the title, the outlet and the sentences before too; none of them drops a claim. Pure.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import lru_cache
from importlib.resources import files
from typing import NamedTuple

from assistant.grounding.binding import Finding
from assistant.grounding.evidence import Evidence, Read
from assistant.grounding.words import Name, Text, lexicon, listed, stem

ALIASES_FILE = "aliases.json"


def missing_names(claim: Read, evidence: Evidence) -> Iterator[Finding]:
    """A finding for each name of the claim that the evidence does not have."""
    texts = (evidence.read.text, *evidence.around)
    known = {alias for text in texts for _, _, alias in _aliases_in(text)}
    own = list(_aliases_in(claim.text))
    for name in claim.text.names:
        if name.unsure:
            continue
        borne = {
            at
            for first, last, alias in own
            for at in range(first, last)
            if alias.group in {one.group for one in known} and not _is_place(alias, claim.text, first, known)
        }
        rest = [
            at for at in range(name.first, name.last) if at not in borne and not _is_opening(claim.text, at)
        ]
        if not rest or any(_has_name(text, name, claim.text) for text in texts):
            continue
        if len(rest) < name.last - name.first and _are_words_of(texts, claim.text, rest):
            continue
        if _are_words_of(texts, claim.text, range(name.first, name.last)):
            continue
        written = claim.text.slice(name.first, name.last)
        yield Finding("name", False, f"{written} is not in the cited sentence", range(name.first, name.last))


class Alias(NamedTuple):
    """What a name stands for: a nation or a body, by a name or by its seat."""

    group: int
    seat: bool


@lru_cache(maxsize=1)
def _aliases() -> dict[tuple[str, ...], Alias]:
    raw = json.loads(files("assistant.grounding").joinpath(ALIASES_FILE).read_text(encoding="utf-8"))
    found: dict[tuple[str, ...], Alias] = {}
    for group, row in enumerate(raw["aliases"]):
        names, _, seats = row.partition("/")
        for seat, written in ((True, seats), (False, names)):
            for name in filter(None, written.split(", ")):
                found[tuple(name.split())] = Alias(group, seat)
    return found


_LONGEST_ALIAS = 6  # words
_SHORT = 2  # letters that only in capitals are a name: "US"


def _aliases_in(text: Text) -> Iterator[tuple[int, int, Alias]]:
    """The aliases of a text, each with its first word and the word after it; the longest at each place."""
    known, at = _aliases(), 0
    bare = [lower.replace(".", "").replace("'s", "") for lower in text.lowers]
    while at < len(bare):
        last = at + 1
        if text.words[at].text[0].isupper():
            for size in range(_LONGEST_ALIAS, 0, -1):
                alias = known.get(tuple(bare[at : at + size]))
                if alias and (size > 1 or len(bare[at]) > _SHORT or text.words[at].text.isupper()):
                    last = min(at + size, len(bare))
                    yield at, last, alias
                    break
        at = last


def _is_place(alias: Alias, claim: Text, first: int, known: set[Alias]) -> bool:
    """Whether the claim means the place and the evidence has only the nation: "in Washington"."""
    return alias.seat and alias not in known and claim.lower(first - 1) in _WHERE


_WHERE = listed("in at near outside around through across inside downtown central")


def _is_opening(claim: Text, at: int) -> bool:
    """Whether a capital is only that of a sentence's first word: "Awaiting Hollmark in the final is"."""
    word = claim.words[at]
    return word.first and (word.lower in lexicon().common or word.lower in lexicon().function)


def _are_words_of(texts: Sequence[Text], claim: Text, places: Sequence[int]) -> bool:
    """Whether each of these words of the claim is in one of the texts."""
    lowers = [claim.lowers[at] for at in places]
    return all(word in _NO_NAME or any(_has(text, word) for text in texts) for word in lowers)


def _has_name(text: Text, name: Name, claim: Text) -> bool:
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
