"""Who holds which title in a text, and what it puts into whose mouth.

Titles stand before a name ("Gov. Ann Lee"), behind it between commas ("Ann Lee, the governor
of Ohio,"), before it with a comma ("its director, Ann Lee,") or are said of it ("Ann Lee is
the governor"). Speech is found by its verb: "X said Y", "Y, X said", "Y, said X", "according
to X", "reportedly". Pure.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from typing import NamedTuple

from assistant.grounding.words import CACHED_TEXTS, MAX_FACTS, SENTENCE_ENDS, Name, Text, lexicon, listed

SOMEBODY = "(somebody)"  # stands for a speaker who is "he", "she", "they" or is not named
_LONGEST_TITLE, _LONGEST_APPOSITION = 8, 10  # words
_ARTICLES = listed("the a an its his her their")
_PRONOUNS = listed("he she they it i we")


class Titled(NamedTuple):
    """A name with the words of a title that the text gives it: "secretary", "defense"."""

    name: Name
    words: frozenset[str]


class Report(NamedTuple):
    """What somebody says: the words from first up to last, exclusive; speaker: stems of who says it.

    verb: where it is said that it is said.
    """

    speaker: frozenset[str]
    first: int
    last: int
    verb: int


def is_same_name(a: tuple[str, ...], b: tuple[str, ...]) -> bool:
    """Whether two names can be of one person or thing: "Austin" and "Lloyd Austin", "Lee" and "Ann Lee"."""
    return a[-1] == b[-1] or set(a) <= set(b) or set(b) <= set(a)


@lru_cache(maxsize=CACHED_TEXTS)
def titles_in(text: Text) -> tuple[Titled, ...]:
    """The titles that the text gives to names."""
    return tuple(_titles(text))


@lru_cache(maxsize=CACHED_TEXTS)
def reports_in(text: Text) -> tuple[Report, ...]:
    """What the text only reports, in order of the verbs."""
    return tuple(islice(_reports(text), MAX_FACTS))


def _titles(text: Text) -> Iterator[Titled]:
    lists = lexicon()
    for name in text.names:
        for words in (_before(text, name), _behind(text, name), _said_of(text, name)):
            parts = frozenset(part for word in words for part in word.split()) - _NO_TITLE - set(name.words)
            if parts & lists["titles"]:
                yield Titled(name, parts)


_NO_TITLE = _ARTICLES | {"of", "'s", "and", ","}


def _before(text: Text, name: Name) -> list[str]:
    """The title in front of a name, a comma between them or not."""
    found = _leftwards(text, name.first)
    if not found and text.lower(name.first - 1) == "," and text.lower(name.last) in (",", ".", ""):
        found = _leftwards(text, name.first - 1)
    return found


def _leftwards(text: Text, before: int) -> list[str]:
    lists, names = lexicon(), {name.last for name in text.names}
    found: list[str] = []
    at = before - 1
    while at >= 0 and len(found) < _LONGEST_TITLE:
        lower = text.lowers[at]
        title = _is_title(lower)
        if at == before - 1 and not (title or lower in lists["departments"]):
            return []
        has_title = any(_is_title(one) for one in found)
        inside = lower == "of" and _is_title(text.lower(at - 1)) and not has_title
        if at + 1 in names and not title and has_title:
            break  # another name: "Japanese Foreign Minister", of which the first is taken below
        belongs = title or lower in lists["departments"] or lower == "former" or inside
        if not belongs and (has_title or not (text.words[at].capital and text.words[at].content)):
            break
        found.append(lower)
        at -= 1
    if at >= 0 and found and text.words[at].content and text.words[at].capital:
        found.append(text.lowers[at])  # "Japanese"
    return found


def _is_title(lower: str) -> bool:
    return bool(lower) and lower.rsplit(maxsplit=1)[-1] in lexicon()["titles"]


def _behind(text: Text, name: Name) -> list[str]:
    """The apposition behind a name: ", the governor of Ohio,"."""
    lists, at = lexicon(), name.last
    if text.lower(at) == "(":
        return _phrase(text, at + 1)[0]
    if text.lower(at) != ",":
        return []
    if text.lower(at + 1) in ("who", "now", "then") and text.lower(at + 2) in ("is", "was", "the"):
        at += 2
    begins = text.lower(at + 1)
    if not begins or (begins in lists.function and begins not in _ARTICLES):
        return []
    words, end = _phrase(text, at + 1)
    other = [one for one in text.names if at < one.first]
    if (
        begins not in _ARTICLES
        and other
        and other[0].first < end
        and _is_title(text.lower(other[0].first - 1))
    ):
        return []  # a list: "Ann Lee, Mayor Bo Kim and"
    if text.lower(end) == "," and other and other[0].first == end + 1 and text.lower(end + 2) != "who":
        following = other[0]
        if (
            text.lower(following.last) in (",", ".")
            and begins in _ARTICLES
            and text.lower(name.first - 1) in _LINKS
        ):
            return []  # "met Ann Lee, the mayor, Bo Kim, …": the next name takes it
    return words


_LINKS = listed("to in from for with of at by")


def _phrase(text: Text, first: int) -> tuple[list[str], int]:
    """The words up to a comma or to what no title goes on with."""
    at = first
    while at < len(text.words) and at - first < _LONGEST_APPOSITION and text.lowers[at] not in _PHRASE_ENDS:
        at += 1
    return list(text.lowers[first:at]), at


_PHRASE_ENDS = frozenset(',.;:()?!"—') | listed(
    "to for at from with who which said was will in according after as while told is has had would that when"
)


def _said_of(text: Text, name: Name) -> list[str]:
    """The title that a verb gives: "Ann Lee is the governor", "Ann Lee as director"."""
    verb, begins = text.lower(name.last), text.lower(name.last + 1)
    if verb not in _BECOMING or not (begins in _ARTICLES | lexicon()["departments"] or _is_title(begins)):
        return []
    words, end = _phrase(text, name.last + 1)
    others = (one for one in text.names if name.last < one.first < end)
    return [] if any(_is_title(text.lower(one.first - 1)) for one in others) else words  # "is Dr. Ann Lee"


_BECOMING = frozenset({"is", "was", "became", "becomes", "as", "remains"})


# Speech


def _reports(text: Text) -> Iterator[Report]:
    lists = lexicon()
    for at, lower in enumerate(text.lowers):
        if lower in lists["said"] and (found := _said(text, at)):
            yield found
        elif lower == "according" and text.lower(at + 1) == "to":
            yield _according(text, at)
        elif lower in lists["hearsay"]:
            first, last = text.sentence(at)
            yield Report(frozenset({SOMEBODY}), max(first, at - 6), min(last, at + 10), at)


def _said(text: Text, at: int) -> Report | None:
    """The report whose verb stands there."""
    lists, after = lexicon(), text.lower(at + 1)
    if text.lower(at - 1) in _NOT_SPEAKING or after in ("be", "been"):
        return None
    closing = _closes(text, at)
    inverted = _is_inverted(text, at)
    if text.lowers[at] in lists["said_before_that"] and after != "that" and not closing and not inverted:
        return None
    begins, end = text.sentence(at)
    if inverted:
        stop = next((one for one in range(at + 1, end) if text.lowers[one] in _SPEAKER_ENDS), end)
        return Report(_speaker(text, at + 1, stop), begins, at, at)
    first = _subject(text, at)
    speaker = _speaker(text, first, at)
    if closing and first > begins and text.lowers[first - 1] in ',"':
        return Report(speaker or frozenset({SOMEBODY}), begins, first, at)
    if not speaker or first == at:
        begins = max((one + 1 for one in range(begins, at) if text.lowers[one] == ";"), default=begins)
        speaker = _speaker(text, begins, next((one for one in range(begins + 1, at) if text.verbs[one]), at))
    last = next((one for one in range(at + 1, end) if _turns(text, one)), end)
    return Report(speaker or frozenset({SOMEBODY}), at + 1, last, at)


_NOT_SPEAKING = listed("be is are was were been being to not n't the a an its his her their this that of") - {
    "that"
}
_SPEAKER_ENDS = frozenset(',.;:"') | listed("who in on at during after as while")
_ADDRESSEES = listed("reporters in a statement the at late early this week month interview on earlier")


def _closes(text: Text, at: int) -> bool:
    """Whether nothing that is said comes after the verb: "…, she said on Monday."."""
    lists = lexicon()
    following = (
        one
        for one in range(at + 1, len(text.words))
        if text.lowers[one] not in lists["days"] and text.lowers[one] not in _ADDRESSEES
    )
    end = next(following, len(text.words))
    return end == len(text.words) or text.lowers[end] in '.,;"?!'


def _is_inverted(text: Text, at: int) -> bool:
    """Whether the speaker follows the verb: "…, said Ann Lee"."""
    if text.lower(at - 1) not in (",", '"') or at + 1 >= len(text.words):
        return False
    after = text.words[at + 1]
    if text.lowers[at] not in ("said", "says", "added", "wrote", "warned", "told"):
        return False
    named = (after.capital and after.lower not in lexicon()["days"]) or _is_title(after.lower)
    if after.lower in _ARTICLES:
        named = text.lower(at - 1) == '"'
    end = text.sentence(at)[1]
    stop = next((one for one in range(at + 1, end) if text.lowers[one] in ",;"), end)
    return named and not any(text.verbs[at + 1 : stop])


def _subject(text: Text, at: int) -> int:
    """Where the phrase begins that says who speaks, an apposition skipped."""
    first = at
    if text.lower(first - 1).endswith("ly") or text.lower(first - 1) in ("also", "has", "have", "had"):
        first -= 1
    if text.lower(first - 1) == "," and first > 1:
        comma = next((one for one in range(first - 2, -1, -1) if text.lowers[one] in ',.;"'), -1)
        if comma > 0 and text.lowers[comma] == ",":
            return next((one + 1 for one in range(comma - 1, -1, -1) if _bounds(text, one)), 0)
        return comma + 1
    while first > 0 and (not _bounds(text, first - 1) or _joins_names(text, first - 1)):
        first -= 1
    return min(first, at)


def _bounds(text: Text, at: int) -> bool:
    return text.lowers[at] in _SUBJECT_BOUNDS


def _joins_names(text: Text, at: int) -> bool:
    if text.lowers[at] != "and" or at == 0 or at + 1 >= len(text.words):
        return False
    return text.words[at - 1].capital and text.words[at + 1].capital


_SUBJECT_BOUNDS = frozenset('.;?!,":—') | listed("but while that however and as when after because")


def _speaker(text: Text, first: int, last: int) -> frozenset[str]:
    words = text.words[first:last]
    stems = {word.stem for word in words if word.content}
    stems.add("".join(word.lower[0] for word in words if word.capital and word.content))  # "UN"
    return frozenset(stems | {SOMEBODY for word in words if word.lower in _PRONOUNS})


def _turns(text: Text, at: int) -> bool:
    """Whether the sentence goes on with something else than what is said."""
    lower = text.lowers[at]
    return lower in ("but", "while", "however", ";") or (
        lower in ("after", "as") and text.lower(at - 1) == ","
    )


def _according(text: Text, at: int) -> Report:
    first, last = text.sentence(at)
    if text.words[at].first:
        comma = next((one for one in range(at + 2, last) if text.lowers[one] == ","), last)
        return Report(_speaker(text, at + 2, comma), comma, last, at)
    stop = next((one for one in range(at + 2, last) if text.lowers[one] in ",;"), last)
    return Report(_speaker(text, at + 2, stop), first, at, at)


def is_aside(text: Text, at: int) -> bool:
    """Whether a word is in a relative clause or an apposition, which are the writer's own statements."""
    first, last = at, at
    while first > 0 and text.lowers[first - 1] not in _ASIDE_BOUNDS:
        first -= 1
    while last < len(text.words) - 1 and text.lowers[last] not in _ASIDE_BOUNDS:
        last += 1
    if text.lowers[first] in ("who", "which", "whose"):
        return True
    between = text.lower(first - 1) == "," == text.lowers[last] and last - first < _LONGEST_APPOSITION
    if not between or first == 1:
        return False
    apposition = text.lowers[first] in _ARTICLES and text.words[first - 2].capital
    return text.verbs[first] or (apposition and text.lower(first - 2) not in lexicon()["days"])


_ASIDE_BOUNDS = SENTENCE_ENDS | {",", ";"}
