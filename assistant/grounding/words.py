"""A text as the claim check reads it: words with offsets, stems, distances, and names.

No parser: news sentences are read by closed lists (``words.json``, ``common_words.json``) and
by what stands next to what. Distance between two words grows where a clause or a sentence
ends, so that "near" means "said of the same thing". A stem is a key for comparing words and
no linguistic claim: "Chinese" and "China", "killed" and "deaths" share one. Pure.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib.resources import files
from itertools import islice, pairwise
from typing import NamedTuple

LISTS_FILE, COMMON_FILE = "words.json", "common_words.json"
MAX_FACTS = 60  # names, values or reports of a text that are compared; a text with more is a list, not prose
CACHED_TEXTS = 1024  # one answer's sentences and claims, many times over


def listed(words: str) -> frozenset[str]:
    """The words of a line as a set."""
    return frozenset(words.split())


_STEM = 7  # letters that tell words apart well enough: "communi-cation" from "communi-ty" does not matter
_SHORTEST = 3  # letters that a stem keeps when an ending goes

_SHAPES = str.maketrans(
    {"’": "'", "‘": "'", "ʼ": "'", "“": '"', "”": '"', "–": "-", "‑": "-", "‐": "-", "−": "-"}
)
_TITLE_MARKS = (
    "Gov Gen Sen Rep Lt Dr Pres Prof Capt Col Sgt Adm Maj Cmdr Rev Hon Jr Sr Mr Ms Mrs St Inc Corp Co"
)
_MONTH_MARKS = "Jan Feb Mar Apr Jun Jul Aug Sept Sep Oct Nov Dec"
TOKEN = re.compile(
    r"(?:[A-Z]\.){2,6}(?:[A-Z]\b)?"
    r"|[ap]\.m\."
    rf"|(?:{'|'.join((_TITLE_MARKS + ' ' + _MONTH_MARKS).split())})\.(?!\w)"
    r"|\d{1,3}(?:,\d{3}){1,6}(?!\d)(?:\.\d+)?|\d+(?:\.\d+)?"
    r"|'(?:s|ll|re|ve|d|m)\b"
    r"|[^\W\d_]+"
    r"|\S"
)
# What a word, a mark or the beginning of a clause adds to the distance.
_CONTENT, _FUNCTION, _COMMA, _CLAUSE, _COLON, _SENTENCE = 1.0, 0.4, 1.5, 2.0, 3.0, 6.0
_STEP = {
    ".": _SENTENCE,
    "?": _SENTENCE,
    "!": _SENTENCE,
    ";": _COLON,
    ":": _COLON,
    "—": _COLON,
    "-": _COLON,
} | dict.fromkeys(",()", _COMMA)
SENTENCE_ENDS = frozenset(".?!")
_OPENERS = frozenset('.?!":(—;')


class Word(NamedTuple):
    """One word, number or mark.

    lower: its normal form, abbreviations spelled out ("gov." is "governor"). at: where it stands,
    by the distances above. first: whether it begins a sentence, so that its capital says nothing.
    joined: whether a hyphen or nothing at all parts it from the word before.
    """

    text: str
    lower: str
    stem: str
    start: int
    end: int
    at: float
    first: bool
    joined: bool
    content: bool

    @property
    def capital(self) -> bool:
        """Whether it is a word that begins with a capital."""
        return self.text[0].isupper()


class Name(NamedTuple):
    """A name: its words in lower case, and the words from first up to last, exclusive.

    unsure: a single capital word that begins a sentence and may be no name.
    """

    words: tuple[str, ...]
    first: int
    last: int
    unsure: bool


@dataclass(frozen=True, eq=False)
class Text:
    """A text, read; ``read`` gives the same one for the same text."""

    text: str
    words: tuple[Word, ...]

    @cached_property
    def lowers(self) -> tuple[str, ...]:
        """The words in their normal form."""
        return tuple(word.lower for word in self.words)

    @cached_property
    def stems(self) -> frozenset[str]:
        """The stems of all content words."""
        return frozenset(word.stem for word in self.words if word.content)

    @cached_property
    def vocabulary(self) -> frozenset[str]:
        """All words in their normal form, and the parts of those that stand for several."""
        return frozenset(part for lower in self.lowers for part in (lower, *lower.split()))

    @cached_property
    def content(self) -> tuple[int, ...]:
        """Where the content words are."""
        return tuple(index for index, word in enumerate(self.words) if word.content)

    @cached_property
    def places(self) -> dict[str, tuple[int, ...]]:
        """Where each stem is."""
        found: dict[str, list[int]] = {}
        for index in self.content:
            found.setdefault(self.words[index].stem, []).append(index)
        return {stem: tuple(indices) for stem, indices in found.items()}

    @cached_property
    def verbs(self) -> tuple[bool, ...]:
        """For each word, whether it looks like a verb."""
        return tuple(self._is_verb(index) for index in range(len(self.words)))

    @cached_property
    def passive(self) -> tuple[bool, ...]:
        """For each word, whether it is a verb whose subject has it done to them."""
        return tuple(self._is_passive(index) for index in range(len(self.words)))

    @cached_property
    def names(self) -> tuple[Name, ...]:
        """The names in order, without the titles before them."""
        return tuple(islice(_names(self), MAX_FACTS))

    @cached_property
    def asides(self) -> tuple[tuple[int, int], ...]:
        """Relative clauses and appositions between two commas: the first comma and the last."""
        commas = [at for at, lower in enumerate(self.lowers) if lower in _ASIDE_MARKS]
        asides = (
            (first, last)
            for first, last in pairwise(commas)
            if self.lowers[first] == "," == self.lowers[last] and _is_aside(self, first + 1, last)
        )
        return tuple(islice(asides, _MOST_ASIDES))

    @cached_property
    def joints(self) -> tuple[int, ...]:
        """Where "and" joins two clauses, each with a verb of its own, and not two nouns."""
        found = (at for at, lower in enumerate(self.lowers) if lower == "and" and _joins_clauses(self, at))
        return tuple(islice(found, _MOST_ASIDES))

    def distance(self, a: int, b: int) -> float:
        """How far two words are apart; what is said in passing between them does not count."""
        if a > b:
            a, b = b, a
        away = self.words[b].at - self.words[a].at + _JOINT * sum(a < joint < b for joint in self.joints)
        for first, last in self.asides:
            if a < first and last < b:
                away -= self.words[last].at - self.words[first].at
            elif (first < a < last < b) or (a < first < b < last):
                away += _CLAUSE
        return away

    def slice(self, first: int, last: int) -> str:
        """The text from one word up to another, exclusive."""
        return self.text[self.words[first].start : self.words[last - 1].end]

    def sentence(self, index: int) -> tuple[int, int]:
        """The first and the last word, exclusive, of the sentence around a word."""
        return self.stretch(index, SENTENCE_ENDS)

    def stretch(self, index: int, ends: frozenset[str]) -> tuple[int, int]:
        """The first and the last word, exclusive, of what lies around a word between two of the ends."""
        first = last = index
        while first and self.lowers[first - 1] not in ends:
            first -= 1
        while last < len(self.words) and self.lowers[last] not in ends:
            last += 1
        return first, last

    def lower(self, index: int) -> str:
        """The word there in its normal form; empty outside the text."""
        return self.lowers[index] if 0 <= index < len(self.words) else ""

    def _is_verb(self, index: int) -> bool:
        word, lists = self.words[index], lexicon()
        if not word.content or (word.capital and not word.first):
            return False
        if word.lower in lists.past or (word.lower.endswith("ed") and len(word.lower) > len("need")):
            return True
        before = self.lower(index - 1)
        if word.lower in lists["unchanged"]:
            return bool(before) and before not in _BEFORE_NOUN
        if before in _BEFORE_BASE:
            return word.lower in lists.verbs or word.lower in lists.base
        if word.lower.endswith("s") and before not in _BEFORE_NOUN:
            base = word.lower[:-1]
            return base in lists.verbs or base in lists.base or word.lower[:-2] in lists.base
        return False

    def _is_passive(self, index: int) -> bool:
        if not self.verbs[index] or self.lowers[index] in lexicon().function:
            return False
        if self.lower(index + 1) == "by":
            return True
        for back in range(index - 1, max(-1, index - 4), -1):
            lower = self.lowers[back]
            if lower in _BE:
                return not self.lowers[index].endswith("ing")
            if self.words[back].content and not lower.endswith("ly"):
                return False
        return False


_MOST_ASIDES = 20
_ASIDE_MARKS = frozenset(",.;?!:—")
_LONGEST_APPOSITION, _LONGEST_CLAUSE = 9, 25  # words


def _is_aside(text: Text, first: int, last: int) -> bool:
    begins = text.lower(first)
    if begins in ("who", "which", "whose", "where", "whom"):
        return last - first <= _LONGEST_CLAUSE
    short = last - first <= _LONGEST_APPOSITION
    return short and (begins in ("a", "an", "the", "its", "his", "her", "their") or begins[0].isdecimal())


_JOINT = 3.0  # what an "and" between two clauses adds to the distance
_CLAUSE_BEGINS = 8  # words behind "and" in which its clause has to have a verb


def _joins_clauses(text: Text, at: int) -> bool:
    first, last = text.sentence(at)
    names = any(name.last == at for name in text.names) and any(name.first == at + 1 for name in text.names)
    if names or text.verbs[at + 1 : at + 2] == (True,) or not any(text.verbs[first:at]):
        return False
    for after in range(at + 1, min(last, at + _CLAUSE_BEGINS)):
        if text.lowers[after] in _ASIDE_MARKS or text.lowers[after] in ("and", "to"):
            return False
        if text.verbs[after]:
            return True
    return False


_BE = listed("be am is are was were been being 're get got")
_BEFORE_BASE = listed("to will would could can may might should must not n't 'll did do does")
_BEFORE_NOUN = listed("the a an its their his her this these those of in on for with no some many")


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The word lists; what each is for is said where it is used."""

    function: frozenset[str]
    heads: dict[str, str]  # irregular form -> its base
    synonyms: dict[str, str]
    suffixes: tuple[str, ...]
    past: frozenset[str]  # irregular forms that are no base
    base: frozenset[str]
    verbs: frozenset[str]
    common: frozenset[str]
    abbreviations: dict[str, str]
    lists: dict[str, frozenset[str]]
    antonyms: tuple[tuple[frozenset[str], frozenset[str]], ...]

    def __getitem__(self, name: str) -> frozenset[str]:
        return self.lists[name]


@lru_cache(maxsize=1)
def lexicon() -> Lexicon:
    """The word lists of the package."""
    raw: dict[str, str] = json.loads(_read(LISTS_FILE))
    common: dict[str, str] = json.loads(_read(COMMON_FILE))
    irregular = [group.split() for group in raw["irregular"].split(";")]
    return Lexicon(
        function=frozenset(raw["function"].split()),
        heads={form: group[0] for group in irregular for form in group},
        synonyms={word: group.split()[0] for group in raw["synonyms"].split(";") for word in group.split()},
        suffixes=tuple(raw["suffixes"].split()),
        past=frozenset(form for group in irregular for form in group[1:] if not form.endswith("ing"))
        - {
            "people",
            "men",
            "women",
            "children",
            "persons",
            "feet",
            "lives",
            "wives",
            "halves",
            "crises",
            "media",
        },
        base=frozenset(group[0] for group in irregular),
        verbs=frozenset(common["verbs"].split()),
        common=frozenset(common["common"].split()),
        abbreviations={
            short: long
            for short, _, long in (pair.partition("=") for pair in raw["abbreviations"].split(";"))
        },
        lists={name: frozenset(text.split()) for name, text in raw.items()},
        antonyms=tuple(
            (frozenset(pair.split("/")[0].split()), frozenset(pair.split("/")[1].split()))
            for pair in raw["antonyms"].split(";")
        ),
    )


def _read(name: str) -> str:
    return files("assistant.grounding").joinpath(name).read_text(encoding="utf-8")


@lru_cache(maxsize=CACHED_TEXTS)
def read(text: str) -> Text:
    """The text, read; the same text is read once.

    >>> [name.words for name in read("Gov. Ann Lee met Pope Leo.").names]
    [('ann', 'lee'), ('leo',)]
    """
    shaped = text.translate(_SHAPES)
    return Text(text, tuple(_words(shaped)))


@lru_cache(maxsize=32_768)
def stem(word: str) -> str:
    """A key that a word shares with its forms and with its synonyms.

    >>> stem("soared") == stem("soaring"), stem("killed") == stem("deaths")
    (True, True)
    """
    lists = lexicon()
    head = lists.heads.get(word, word)
    if head in lists.synonyms:
        return lists.synonyms[head][:_STEM]
    for kept in _without_ending(head):
        if kept in lists.synonyms or kept in lists.heads:
            known = lists.heads.get(kept, kept)
            return lists.synonyms.get(known, known)[:_STEM]
    return _trimmed(next(iter(_without_ending(head)), head))[:_STEM]


@lru_cache(maxsize=32_768)
def base(word: str) -> str:
    """A key that a word shares with its forms alone.

    >>> base("declined") == base("declining"), base("declined") == base("fell")
    (True, False)
    """
    head = lexicon().heads.get(word, word)
    return _trimmed(next(iter(_without_ending(head)), head))


def _trimmed(word: str) -> str:
    """The word without what an ending adds or takes at its end: "stopp" and "tak" for "stop" and "take"."""
    if len(word) > _SHORTEST and (word[-1] in "ey" or word[-1] == word[-2]):
        return word[:-1]
    return word


def _without_ending(word: str) -> Iterator[str]:
    """The word without an ending, longest ending first, and with what the ending may have taken."""
    for suffix in lexicon().suffixes:
        if word.endswith(suffix) and len(word) - len(suffix) >= _SHORTEST and not word.endswith("ss"):
            short = word[: -len(suffix)]
            yield f"{short}y" if suffix in ("ied", "ies") else short
            yield short + "e"
            if short[-1] == short[-2]:
                yield short[:-1]
            return


def _words(text: str) -> Iterator[Word]:
    lists, at, first, end = lexicon(), 0.0, True, -1
    tokens = list(_tokens(text))
    for index, (piece, start) in enumerate(tokens):
        lower = piece.lower()
        lower = lists.abbreviations.get(lower, lower)
        if piece == "US":
            lower = "america"
        elif piece == "pm":  # "7 pm"; the minister is "PM"
            lower = piece
        is_word = lower[0].isalnum()
        content = is_word and lower not in lists.function
        if lower in lists["clause_starts"]:
            at += _CLAUSE
        elif is_word or lower[0] == "'" or lower == "n't":
            at += _CONTENT if content else _FUNCTION
        else:
            at += _STEP.get(lower, _FUNCTION)
        joined = start == end or (start == end + 1 and text[end] == "-")
        yield Word(
            piece,
            lower,
            stem(lower) if is_word else lower,
            start,
            start + len(piece),
            at,
            first,
            joined and index > 0,
            content,
        )
        first, end = lower in _OPENERS, start + len(piece)


def _tokens(text: str) -> Iterator[tuple[str, int]]:
    """The pieces and where they begin; a hyphen inside a word is none, one between figures is."""
    for found in TOKEN.finditer(text):
        piece, start = found.group(), found.start()
        if piece == "-":
            before, after = text[start - 1 : start], text[found.end() : found.end() + 1]
            if before.isalnum() and after.isalnum() and not (before.isdigit() and after.isdigit()):
                continue
        if piece == "t" and text[start - 1 : start] == "'":
            continue  # with the "n" before it
        if piece == "'" and text[found.end() : found.end() + 1] == "t" and text[start - 1 : start] == "n":
            continue
        if piece[-1:] == "n" and text[found.end() : found.end() + 2] == "'t" and len(piece) > 1:
            yield piece[:-1], start
            yield "n't", found.end() - 1
            continue
        yield piece, start


def _names(text: Text) -> Iterator[Name]:
    lists, words, index = lexicon(), text.words, 0
    while index < len(words):
        if not _is_capital(words[index]):
            index += 1
            continue
        last = index + 1
        while last < len(words) and _goes_on(text, last):
            last += 1
        titles = [at for at in range(index, last) if _is_title(words[at])]
        before = index  # "Japanese Foreign Minister Kamikawa" holds two names
        while titles and before < titles[0] and words[before].lower not in lists["departments"]:
            before += 1
        if before > index:
            yield _name(text, index, before)
        first = titles[-1] + 1 if titles else index
        if text.lower(first - 1) == "of" and _is_title(words[first - 2]):  # "Secretary of Defense Austin"
            while first < last and words[first].lower in lists["departments"]:
                first += 1
        if first < last:
            yield _name(text, first, last)
        index = last


def _name(text: Text, first: int, last: int) -> Name:
    lists, words = lexicon(), text.words[first:last]
    alone = len(words) == 1 and words[0].first
    unsure = alone and (words[0].lower in lists.common or words[0].lower in lists.function)
    return Name(tuple(word.lower for word in words), first, last, unsure)


def _is_capital(word: Word) -> bool:
    lists = lexicon()
    if not word.text[0].isupper() or not word.text[0].isalpha():
        return False
    lower = word.text.lower()
    if lower in lists["days"] or lower.rstrip(".") in _MONTHS:
        return False
    return word.content and lower not in lists["numbers"]


def _goes_on(text: Text, at: int) -> bool:
    """Whether a name that has begun has the word there too."""
    word = text.words[at]
    if word.joined and text.words[at - 1].text[0].isupper() and text.words[at - 1].lower[0].isalpha():
        return word.text[0].isalpha() and word.lower not in (
            "led",
            "based",
            "backed",
            "born",
            "style",
            "era",
            "made",
        )
    if word.first:
        return False
    if _is_capital(word):
        return True
    return word.lower in _PARTICLES and at + 1 < len(text.words) and _is_capital(text.words[at + 1])


def _is_title(word: Word) -> bool:
    return word.lower == "former" or word.lower.split()[-1] in lexicon()["titles"]


_PARTICLES = listed("de del al von van bin ibn der la le el")
_MONTHS = listed(
    "january february march april may june july august september october november "
    "december jan feb mar apr jun jul aug sept sep oct nov dec"
)
