"""A follow-up becomes a question that can be searched by itself, without a model.

Rules find what leans on the conversation: pronouns, demonstratives, a question that goes on
("And in Japan?", "Why?") or has hardly a word of its own. What such a question lacks is
carried from the earlier questions, names first, and from the last answer where those name
nothing; it is added in brackets and not put in the pronoun's place, so that a person sees
what was typed and what was added. English; measured by ``benchmarks/follow_ups.py``. The
closed word lists lie in ``condensing_words.json``. Pure.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from assistant.domain.conversation import Turn
from assistant.questions import full_names, names_in, phrases

LISTS_FILE = "condensing_words.json"
MAX_CHARACTERS = 2_000  # of a question with what is carried into it; as long as a typed one may be
MAX_CARRIED = 6  # words; with 4 or 8, about a hundredth less is found
_LEAST_CARRIED = 2  # words that a question with many of its own still takes
_FULL = 3  # content words that say what "this" or "what about" is about
_FEW, _FEW_DEFINITE = 1, 2  # content words up to which a question leans; the latter after "the"
_FOREIGN_LETTERS = 0.3  # share of letters outside the Latin alphabet from which a text is not English
_WORD = re.compile(r"[^\W_]+(?:['.&-][^\W_]+)*")
_CLAUSE_END = re.compile(r"[,.?!;:]|\b(?:and|if|when|because|since|but|that|or)\b", re.IGNORECASE)
_AHEAD = re.compile(
    r"it(?: \w+){1,2} (?:to|that)\b", re.IGNORECASE
)  # "Is it true that …?": what "it" is, follows
_PLACE = re.compile(r"\b(in|at|for|from|to|of|by|on|with|since|under|after|before)\b", re.IGNORECASE)


def standalone(question: str, turns: Sequence[Turn]) -> str:
    """The question as it should be searched; unchanged when it stands alone or nothing fits it.

    >>> standalone("Is it treatable?", [Turn("What is throat cancer?", "A disease.")])
    'Is it treatable? (throat cancer)'
    """
    if not depends(question, turns):
        return question
    earlier = _continued(question, turns)
    carried = [*_without_place(earlier, question), *_new(question, _wanted(question, turns), said=earlier)]
    longer = f"{question} ({', '.join(carried)})"
    return longer if carried and len(longer) <= MAX_CHARACTERS else question


def depends(question: str, turns: Sequence[Turn]) -> bool:
    """Whether the question needs the conversation to be understood."""
    return bool(turns) and _leans(_straight(question))


def is_english(text: str) -> bool:
    """Whether the text is English, or names alone, which are searched as they are.

    >>> [is_english(text) for text in ("Who heads it?", "USFJ Tokyo?", "Wer leitet das Kommando?")]
    [True, True, False]
    """
    letters = [character for character in text if character.isalpha()]
    if sum(not _is_latin(letter) for letter in letters) > _FOREIGN_LETTERS * len(letters):
        return False
    lists = _lists()
    words = _WORD.findall(_straight(text))
    plain = [word for at, word in enumerate(words) if word.islower() or at == 0]  # "Hat" is a name
    known = {word.casefold() for word in plain}
    accented = {word for word in plain if word.islower() and not word.isascii()}
    foreign = max(len(known & language - lists.english | accented) for language in lists.languages)
    english = (_lowered(text) & lists.english).difference(*lists.languages)
    return len(english) >= foreign


def _is_latin(letter: str) -> bool:
    """Whether the letter belongs to the Latin alphabet, with or without marks."""
    return letter < "\u0250" or "\u1e00" <= letter < "\u1f00"


def _lowered(text: str) -> set[str]:
    return {word.casefold() for word in _WORD.findall(_straight(text))}


def _straight(text: str) -> str:
    return text.replace("’", "'")


def _leans(question: str) -> bool:
    size = _size(question)
    words = _lowered(question)
    if (_lists().openers.match(question) and size < _FULL) or _points_back(question, size):
        return True
    if not _lists().asking.isdisjoint(words) and _names(question):
        return False
    return size <= (_FEW_DEFINITE if "the" in words else _FEW)


def _points_back(question: str, size: int) -> bool:
    """Whether a word of the question stands for something that was said before the question."""
    lists = _lists()
    found = list(_WORD.finditer(question))
    words = ["", *(match.group().casefold() for match in found), ""]
    owned = False
    for at, match in enumerate(found, 1):
        before, word, after = words[at - 1 : at + 2]
        head, tail = question[: match.start()], question[match.end() :]
        ends = not after or not tail[:1].isspace()
        shown = word != "that" or at == 1 or ends or before in lists.before_pronoun
        if (
            word in lists.stand_ins
            or (word in lists.stand_ins_alone and (ends or after in lists.being))
            or (word == "there" and ends and before not in lists.being)
            or (word in lists.demonstratives and shown and size < _FULL)
        ):
            return True
        if word in lists.owners:  # "How do companies hire their employees?"
            owned = owned or bool(_names(head)) or _size(head) >= _FULL - 1
            if not owned and not _said_before(head):
                return True
        elif word in lists.pronouns and not _said_before(head) and not _AHEAD.match(question, match.start()):
            return True
    return False


def _said_before(head: str) -> bool:
    """Whether an earlier clause says what a pronoun may stand for: "Is herpes lethal, how is it cured?"."""
    return any(_size(clause) for clause in _CLAUSE_END.split(head)[:-1])


def _continued(question: str, turns: Sequence[Turn]) -> str:
    """The earlier question that a fragment goes on, "And in Korea?"; empty when it is no fragment."""
    lists = _lists()
    opener = lists.openers.match(question)
    if not opener or not lists.asking.isdisjoint(_lowered(question[opener.end() :])):
        return ""
    earlier = next((turn for turn in reversed(turns) if not lists.openers.match(turn.question)), turns[0])
    return earlier.question.strip(" .?!") if 0 < _size(earlier.question) <= MAX_CARRIED else ""


def _without_place(earlier: str, question: str) -> Iterator[str]:
    """The earlier question without the place or time in whose stead the fragment names another one."""
    for place in dict.fromkeys(map(str.casefold, _PLACE.findall(question))):
        earlier = re.sub(rf"\b{place} .*?(?= (?:{_PLACE.pattern})|$)", "", earlier, flags=re.IGNORECASE)
    if earlier.strip():
        yield " ".join(earlier.split())


def _wanted(question: str, turns: Sequence[Turn]) -> list[str]:
    """What the conversation is about, what matters most first."""
    topic = list(_topic(turns))
    words = _lowered(question)
    if not words.isdisjoint(_lists().people):
        topic = [*_person(turns), *topic]
    elif not topic:
        topic = _often(full_names(turns[-1].answer))
    return topic


def _topic(turns: Iterable[Turn]) -> list[str]:
    """The phrases that the questions left in the air: a question that stands alone starts anew."""
    topic: list[str] = []
    for turn in turns:
        own = _subject(_straight(turn.question))
        kept = topic if not own or _leans(_straight(turn.question)) else []
        topic = list(dict.fromkeys([*own, *kept]))
    return sorted(topic, key=lambda phrase: not any(letter.isupper() for letter in phrase))


def _person(turns: Sequence[Turn]) -> list[str]:
    """The person named last in a question, or else most often in the last answer that names one."""
    for text in [turn.question for turn in reversed(turns)]:
        if names := full_names(text):
            return names[-1:]
    for text in [turn.answer for turn in reversed(turns)]:
        if names := full_names(text):
            return _often(names)[:1]
    return []


def _often(names: Iterable[str]) -> list[str]:
    return [name for name, _ in Counter(names).most_common(2)]


def _new(question: str, wanted: Iterable[str], *, said: str) -> list[str]:
    """As much of it as the question and what is said beside it lack, and as the question has room for."""
    known = _lowered(f"{question} {said}")
    room = max(_LEAST_CARRIED, MAX_CARRIED - _size(question))
    carried = []
    for phrase in wanted:
        words = [word for word in phrase.split() if word.rstrip(".").casefold() not in known]
        if words and len(words) <= room:
            carried.append(" ".join(words))
            known.update(word.rstrip(".").casefold() for word in words)
            room -= len(words)
    return carried


def _subject(question: str) -> list[str]:
    """The phrases that say what the question is about, those with names first."""
    named = _names(question)
    found = []
    for phrase in phrases(question):
        runs: list[list[str]] = [[]]
        for word in phrase.split():
            if word.casefold() in _lists().idle and word.casefold() not in named:
                runs.append([])
            else:
                runs[-1].append(f"{word}." if "." in word and f"{word}." in question else word)
        found += [" ".join(run) for run in runs if run]
    return sorted(
        dict.fromkeys(found), key=lambda one: named.isdisjoint(one.casefold().replace(".", "").split())
    )


def _size(text: str) -> int:
    """How many words say what the text is about."""
    return sum(len(phrase.split()) for phrase in _subject(text))


def _names(text: str) -> frozenset[str]:
    return frozenset(name for name in names_in(text) if not name.startswith("i'"))


@dataclass(frozen=True, slots=True)
class _Lists:
    openers: re.Pattern[str]
    pronouns: frozenset[str]
    owners: frozenset[str]
    people: frozenset[str]
    demonstratives: frozenset[str]
    stand_ins: frozenset[str]
    stand_ins_alone: frozenset[str]
    before_pronoun: frozenset[str]
    being: frozenset[str]
    asking: frozenset[str]
    idle: frozenset[str]
    english: frozenset[str]
    languages: tuple[frozenset[str], ...]


@lru_cache(maxsize=1)
def _lists() -> _Lists:
    lists = json.loads(files("assistant").joinpath(LISTS_FILE).read_text(encoding="utf-8"))
    words = {name: frozenset(text.split()) for name, text in lists.items() if isinstance(text, str)}
    return _Lists(
        openers=re.compile(rf"\W*(?:{lists['openers']})\b", re.IGNORECASE),
        pronouns=words["pronouns"],
        owners=words["owners"],
        people=words["people"],
        demonstratives=words["demonstratives"],
        stand_ins=words["stand_ins"],
        stand_ins_alone=words["stand_ins_alone"],
        before_pronoun=words["before_pronoun"],
        being=words["being"],
        asking=words["asking"],
        idle=words["fillers"] | words["generic"],
        english=words["english"],
        languages=tuple(frozenset(text.split()) for text in lists["languages"].values()),
    )
