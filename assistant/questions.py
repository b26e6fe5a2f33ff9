"""What a question asks for, by its words alone: the kind of answer, its names, its content.

English; a question in another language has the kind OTHER and is answered by its
terms. What a sentence offers of a kind is counted beyond what the question itself
says: "Which country left the Quad?" is not answered by a sentence whose only name is
"Quad". The closed word lists lie in ``question_words.json``. Pure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from importlib.resources import files

LISTS_FILE = "question_words.json"
_WORD = re.compile(r"[^\W_]+(?:['’.&-][^\W_]+)*\.?")
_OPENERS = '.!?:“"'  # a capital after one of these says nothing
_FULL_NAME = re.compile(r"(?<=[a-z,;—–.] )[A-ZÀ-Þ][a-zà-ÿ]+\.?(?: [A-Z]\.| [A-ZÀ-Þ][\w'’-]+)+")
_NAME_ALONE, _SINGLE_NAME, _ROLE_ALONE = 0.9, 0.7, 0.6  # worth beside a full name with a role
_IDENTITY = re.compile(r"who(?:['’]s| is| was| are| were)\b", re.IGNORECASE)
_NOW = re.compile(
    r"\b(?:now(?!-)|current(?:ly)?|presently|at (?:the|this) moment|at present|today|these days|so far"
    r"|still|latest|newest|most recent|up to now|to date)\b",
    re.IGNORECASE,
)
_HOLDER = re.compile(
    r"who(?:['’]s| is| are)\b|(?:who|which \w+) (?P<does>leads|heads|runs|chairs|commands|governs|owns)\b",
    re.IGNORECASE,
)
LONGEST = 3_000  # characters of a sentence that are searched for figures, dates and the like
_BESIDE = 30  # characters around a number in which a word of the question makes it the right one
_FAR = 0.6  # what any other number is worth
_SAME_START = 4  # letters that make two words one here: "troops", "troop"


class Kind(StrEnum):
    """The kind of thing that would answer a question."""

    PERSON = "person"
    NUMBER = "number"
    DATE = "date"
    DURATION = "duration"
    NAME = "name"
    REASON = "reason"
    STATEMENT = "statement"
    OTHER = "other"


def kind_of(question: str) -> Kind:
    """The kind of answer that the question asks for.

    >>> kind_of("By when does Japan plan its own joint command?").value
    'date'
    """
    return next((kind for kind, pattern in _lexicon().kinds if pattern.search(question)), Kind.OTHER)


def content(question: str) -> str:
    """The question without the words that only make it a question; all of it when nothing is left.

    >>> content("How many American troops does Japan host?")
    'American troops Japan host'
    """
    return " ".join(phrases(question)) or question


def phrases(question: str) -> list[str]:
    """The runs of content words that nothing else stands between.

    >>> phrases("Who heads the new command?")
    ['heads', 'new command']
    """
    runs: list[list[str]] = [[]]
    for match in _WORD.finditer(question.replace("’", "'")):
        word = match.group().rstrip(".")
        if word.casefold() in _lexicon().question_words:
            runs.append([])
        else:
            runs[-1].append(word)
    return [" ".join(run) for run in runs if run]


def names_in(text: str) -> frozenset[str]:
    """Words with a capital, in lower case, but for the word that opens a sentence.

    >>> sorted(names_in("Did Austin visit the USFJ in Tokyo?"))
    ['austin', 'tokyo', 'usfj']
    """
    found: set[str] = set()
    opening = True
    for match in _WORD.finditer(text):
        word = match.group().rstrip(".")
        if any(letter.isupper() for letter in (word[1:] if opening else word)):
            found.add(re.sub(r"['’]s$", "", word).replace(".", "").casefold())
        ended = any(mark in text[match.end() - 1 : match.end() + 2] for mark in _OPENERS)
        opening = ended and not (match.group().endswith(".") and _is_abbreviation(word))
    return frozenset(name for name in found if len(name) > 1 and name not in _lexicon().question_words)


def _is_abbreviation(word: str) -> bool:
    """Whether a full stop behind the word is the word's own: "Gen.", "J.", "U.S."."""
    return len(word) == 1 or "." in word or is_role(word)


def is_role(word: str) -> bool:
    """Whether the word is a role, rank or title ("Minister", "Mr"), and no name."""
    return _lexicon().titles.fullmatch(word) is not None


def offers(kind: Kind, sentence: str, question: str) -> float:
    """How well the sentence holds something of the kind that the question does not name, 0 to 1."""
    if kind is Kind.OTHER:
        return 0.0
    if kind is Kind.PERSON:
        return _person(sentence, question)
    if kind is Kind.NAME:
        return float(bool(names_in(sentence) - names_in(question)))
    pattern, sentence = _lexicon().offers[kind], sentence[:LONGEST]
    asked = {match.group().casefold() for match in pattern.finditer(question)}
    new = [match for match in pattern.finditer(sentence) if match.group().casefold() not in asked]
    if kind is Kind.NUMBER and new:
        beside = " ".join(sentence[max(0, match.start() - _BESIDE) : match.end() + _BESIDE] for match in new)
        starts = {word[:_SAME_START].casefold() for word in content(question).split()}
        return 1.0 if any(word[:_SAME_START].casefold() in starts for word in beside.split()) else _FAR
    return float(bool(new))


def asks_identity(question: str) -> bool:
    """Whether the question asks who somebody is, and not who does something."""
    return _IDENTITY.match(question.strip()) is not None


def asks_now(question: str) -> bool:
    """Whether the answer is one that changes and the question means the present one.

    >>> asks_now("Who is the head of the new command?"), asks_now("Who headed it in 2019?")
    (True, False)
    """
    lists = _lexicon()
    dated = (match.group().casefold() for match in lists.offers[Kind.DATE].finditer(question))
    if any(not _NOW.fullmatch(day) for day in dated):
        return False
    holder = _HOLDER.match(question.strip())
    return bool(_NOW.search(question) or (holder and (holder["does"] or lists.roles.search(question))))


def full_names(text: str) -> list[str]:
    """Names of two words and more, without titles: "Yoko Kamikawa", not "Defense Minister"."""
    found = (_without_titles(match.group().split()) for match in _FULL_NAME.finditer(text))
    return [" ".join(name) for name in found if len(name) > 1]


def _without_titles(words: list[str]) -> list[str]:
    """What stands behind the last word that begins no name: "Defense", "Minister", "South"."""
    lists = _lexicon()
    last = max(
        (at for at, word in enumerate(words) if is_role(word) or lists.no_names.fullmatch(word)), default=-1
    )
    return words[last + 1 :]


def _person(sentence: str, question: str) -> float:
    """A full name is worth more than a single one, and that more than a role alone ("a general")."""
    named = names_in(question)
    names = [name for name in full_names(sentence) if named.isdisjoint(name.casefold().split())]
    role = bool(_lexicon().roles.search(sentence))
    if names:
        return 1.0 if role else _NAME_ALONE
    if names_in(sentence) - named:
        return _SINGLE_NAME
    return _ROLE_ALONE if role else 0.0


@dataclass(frozen=True, slots=True)
class _Lexicon:
    kinds: tuple[tuple[Kind, re.Pattern[str]], ...]
    question_words: frozenset[str]
    roles: re.Pattern[str]
    titles: re.Pattern[str]
    no_names: re.Pattern[str]
    offers: Mapping[Kind, re.Pattern[str]]


@lru_cache(maxsize=1)
def _lexicon() -> _Lexicon:
    lists = json.loads(files("assistant").joinpath(LISTS_FILE).read_text(encoding="utf-8"))
    numbers, months, units = (_alternatives(lists[name]) for name in ("numbers", "months", "units"))
    year, day = r"\b(?:1\d{3}|20\d\d)\b", r"\d{1,2}"
    dates = (
        year,
        rf"\b(?:{months})\b\.? {day}\b",
        rf"\b{day} (?:{months})\b",
        rf"\b(?:in|by|until|since|on|from) (?:early |late |mid-)?(?:{months})\b",
        r"\b(?:mon|tues|wednes|thurs|fri|satur|sun)day\b",
        r"\b(?:today|yesterday|tomorrow|tonight|noon|midnight)\b",
        r"\b(?:last|next|this) (?:week|month|year|spring|summer|autumn|fall|winter)\b",
        rf"\b{day}(?::\d\d)? ?[ap]\.?m\b",
        r"\b\d{1,2}(?:st|nd|rd|th) (?:century|centuries)\b",
    )
    durations = (
        rf"(?:\b\d[\d,.]{{0,20}}|\b(?:{numbers}|an?|few|several))[ -](?:\w+ )?(?:{units})\b",
        r"\b\d{4} ?[-–—] ?\d{2,4}\b",
        r"\b(?:from|between) \d{4} (?:to|and|until) \d{4}\b",
    )
    return _Lexicon(
        kinds=tuple((Kind(kind), _compiled(pattern)) for kind, pattern in lists["kinds"]),
        question_words=frozenset(lists["question_words"].split()),
        roles=_compiled(rf"\b(?:{_alternatives(lists['roles'])})s?\b"),
        titles=_compiled(rf"(?:{_alternatives(lists['roles'])}|{_alternatives(lists['titles'])})\.?"),
        no_names=_compiled(_alternatives(lists["no_names"])),
        offers={
            Kind.NUMBER: _compiled(rf"\b(?!(?:19|20)\d\d\b(?!,))\d[\d,.]*\w*|\b(?:{numbers})\b"),
            Kind.DATE: _compiled("|".join(dates)),
            Kind.DURATION: _compiled("|".join(durations)),
            Kind.REASON: _compiled(rf"\b(?:{lists['reasons']})\b"),
            Kind.STATEMENT: _compiled(rf"[“”\"«»„]|\b(?:{lists['statements']})\b"),
        },
    )


def _alternatives(words: str) -> str:
    return "|".join(words.split())


def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)
