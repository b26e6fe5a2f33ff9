"""What a statement has in quotation marks is what an article says, letter by letter, or is dropped.

Compared are the cleaned forms, white space and the shapes of quotation marks, apostrophes,
dashes, dots and brackets aside, since those differ between an article, what a prompt shows of
it and what a model writes. What comes out is always the article's own slice, in “curly” marks
with ‘single’ ones inside. A small slip of the model (a changed word in a longer quotation, a
full stop moved inside, a capital) becomes that slice; a changed number, name or negation never
does. Words of the question are no quotation.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from assistant.domain.passages import Sentence

SIMILARITY = 0.8  # share of words that agree, from which a quotation is a slip and no invention
MIN_WORDS = 4  # of a quotation with a slip; in a shorter one a changed word is half of what it says
MAX_QUOTATIONS = 20  # in one statement; one with more was not written to be read
_MAX_PIECES = 10  # into which a quotation is taken apart
_MAX_INSIDE = 3000  # characters of a quotation: far beyond what a sentence can be
_MAX_SHOWN = 60  # characters of a quotation that the reason for dropping it repeats


# Unicode's quotation marks and what is read as such, and what closes the quotation that each opens.
# No letter is one (ʺ, ˮ). Single marks that are apostrophes, too, are not here, but in _SINGLE.
QUOTATION_MARKS: Mapping[str, str] = {
    '"': '"”', "“": '”"', "”": '”"', "„": '“”"', "‟": '”"', "⹂": '“”"⹂', "＂": "＂",
    "❝": "❞", "❞": "❞", "❠": "❝❞", "〝": "〞〟", "〞": "〞", "〟": "〝〞", "″": "″",
    "«": "»", "»": "«", "‹": "›", "›": "‹", "❮": "❯", "❯": "❮", "≪": "≫", "≫": "≪",
    "「": "」", "」": "「", "『": "』", "』": "『", "｢": "｣", "｣": "｢",
    "﹁": "﹂", "﹂": "﹁", "﹃": "﹄", "﹄": "﹃", "《": "》", "》": "《", "〈": "〉", "〉": "〈",
    "⟨": "⟩", "⟩": "⟨", "⟪": "⟫", "⟫": "⟪", "\u2329": "\u232a", "\u232a": "\u2329",
}  # fmt: skip


def unquoted(text: str) -> str:
    """The text without quotation marks, for words that are in no sentence."""
    return text.translate(dict.fromkeys(map(ord, QUOTATION_MARKS)))


@dataclass(frozen=True, slots=True)
class Quoted:
    """A statement whose quotations are verbatim.

    added: sentences that it quotes and had not cited.
    """

    text: str
    added: tuple[Sentence, ...] = ()


@dataclass(frozen=True, slots=True)
class Altered:
    """A statement with a quotation that nothing shown holds, and which one."""

    reason: str


def has_quotation(text: str) -> bool:
    """Whether the text has words in quotation marks of any shape; apostrophes and inches are none.

    >>> has_quotation("The workers' union said ‚we lied‘."), has_quotation("The workers' union lied.")
    (True, False)
    """
    return next(_quotations(text), None) is not None


def check(
    text: str, cited: Sequence[Sentence], others: Sequence[Sentence], question: str
) -> Quoted | Altered:
    """The statement with every quotation verbatim, or why that cannot be.

    cited: the sentences that it cites. others: those that were shown besides.
    """
    shown = _Shown(cited, others, question)
    pieces: list[str] = []
    added: dict[Sentence, None] = {}
    at = 0
    for number, mark in enumerate(_quotations(text)):
        if number == MAX_QUOTATIONS:
            return Altered("it quotes too much")
        inside = text[mark.start + 1 : mark.end]
        found = _resolved(inside, shown)
        if found is None:
            return Altered(f"the quotation “{_shortened(inside)}” is in no sentence that was shown")
        follows = text[mark.after : mark.after + 1]
        before = inside[: len(inside) - len(inside.lstrip())]
        after = inside[len(inside.rstrip()) :] if inside.strip() else ""
        pieces += (text[at : mark.start], before, _written(found, follows), after)
        added.update(dict.fromkeys(part.source for part in found if part.source and part.source not in cited))
        at = mark.after
    pieces.append(text[at:])
    return Quoted("".join(pieces), tuple(added))


@dataclass(frozen=True, slots=True)
class _Shown:
    """Where a quotation may be from."""

    cited: Sequence[Sentence]
    others: Sequence[Sentence]
    question: str


@dataclass(frozen=True, slots=True)
class _Part:
    """A piece of a quotation as it is shown; source: whose slice it is, None for words of the question."""

    text: str
    source: Sentence | None
    joined: str = ""  # what stands before it
    stop: str = ""  # punctuation that was inside and is not the article's


def _written(parts: Sequence[_Part], follows: str) -> str:
    """The parts, each in marks of its own; what was inside and is not the article's comes after."""
    last = parts[-1].stop
    if follows in _STOPS and (follows or last in ",;:"):
        last = ""  # there is a stop already, or nothing that a comma could divide
    stops = [*(part.stop for part in parts[:-1]), last]
    return "".join(
        f"{part.joined}“{_with_single_marks(part.text)}”{stop}"
        if part.source
        else f"{part.joined}{part.text}{stop}"
        for part, stop in zip(parts, stops, strict=True)
    )


_STOPS = ".,;:!?…"
_DOUBLE = '"“”„‟⹂＂❝❞❠〝〞〟″'  # models mix them, so that each may close another
_NESTING = "“❝〝"
_INCHES = '"″'
_SINGLE = "'‘’‚‛＇`´❛❜❟"
_MARKS = frozenset(QUOTATION_MARKS)
_ELISION = re.compile(r"(?:n|em|til|tis|twas|cause|bout|round|\d{2}s?)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Quotation:
    """Where the opening mark stands, where the closing one does, and what comes after it."""

    start: int
    end: int
    after: int


def _quotations(text: str) -> Iterator[_Quotation]:
    """The quotations in order; one that is not closed lasts to the end."""
    singles = _Singles(text)
    at = 0
    while found := _ANY_MARK.search(text, at):
        start = found.start()
        closing = singles.closing(start) if found.group() in _SINGLE else _closing(text, start)
        at = start + 1
        if closing is not None:
            at = min(closing + 1, len(text))
            yield _Quotation(start, closing, at)


_ANY_MARK = re.compile(f"[{re.escape(''.join(_MARKS) + _SINGLE)}]")
_ANY_DOUBLE = re.compile(f"[{_DOUBLE}]")


def _closing(text: str, at: int) -> int | None:
    """Where the quotation that begins here ends; None when the mark stands for inches."""
    opening = text[at]
    if opening not in _DOUBLE:
        end = text.find(QUOTATION_MARKS[opening], at + 1)
        return end if end >= 0 else len(text)
    if opening in _INCHES and at and text[at - 1].isdigit() and not text[at + 1 : at + 2].isalnum():
        return None
    depth = 0
    for found in _ANY_DOUBLE.finditer(text, at + 1):
        mark = found.group()
        if mark in _NESTING and opening != "„":
            depth += 1
        elif depth and mark != '"':
            depth -= 1
        elif not depth or opening == '"':
            return found.start()
    return len(text)


_MAX_SINGLE = 600  # characters between single marks; what is further apart are apostrophes
_CLOSES_SINGLE = re.compile(rf"(?<=\S)[{_SINGLE}](?!\w)")
_OPENS_SINGLE = re.compile(rf"(?<!\w)[{_SINGLE}](?=[\[(¿¡…]{{0,3}}\.{{0,3}}[^\W_])")
_NO_APOSTROPHE = "‘‚‛❛❟"  # what one of these opens and nothing closes is a quotation all the same


class _Singles:
    """Single marks are apostrophes, unless they stand around words."""

    def __init__(self, text: str) -> None:
        self._text = text
        ends = [found.start() for found in _CLOSES_SINGLE.finditer(text)]
        self._possessive = [end for end in ends if text[end - 1] in "sS"]
        self._sure = [end for end in ends if text[end - 1] not in "sS"]

    def closing(self, at: int) -> int | None:
        """Where the quotation that begins here ends; None when none begins here."""
        text = self._text
        if not _OPENS_SINGLE.match(text, at) or _ELISION.match(text, at + 1):
            return None
        sure, possessive = self._after(self._sure, at), self._after(self._possessive, at)
        if possessive is not None and (
            sure is None or (possessive < sure and _OPENS_SINGLE.search(text, possessive + 1, sure))
        ):
            return possessive
        if sure is None and text[at] in _NO_APOSTROPHE:
            return len(text)
        return sure

    def _after(self, ends: Sequence[int], at: int) -> int | None:
        index = bisect_left(ends, at + 2)
        return ends[index] if index < len(ends) and ends[index] - at <= _MAX_SINGLE else None


def _resolved(inside: str, shown: _Shown) -> list[_Part] | None:
    """The parts that the quotation becomes; None when one of them is nowhere."""
    if not any(map(str.isalnum, inside)):
        return [_Part(_without_marks(inside), None)]
    if len(inside) > _MAX_INSIDE:
        return None
    if whole := _part(inside, shown):
        return [whole]
    if pieces := _pieces(inside, _ELLIPSIS, " … ", shown):
        return [replace(piece, stop="") for piece in pieces]
    if pieces := _pieces(inside, _SENTENCE_END, " ", shown):
        return pieces
    slip = _slip(inside, shown.cited) or _slip(inside, shown.others)
    return [slip] if slip else None


def _pieces(inside: str, cut: re.Pattern[str], joined: str, shown: _Shown) -> list[_Part]:
    """What the pieces become; none when one of them is nowhere."""
    pieces = [piece for piece in cut.split(inside) if any(map(str.isalnum, piece))]
    if pieces == [inside] or len(pieces) > _MAX_PIECES:
        return []
    parts: list[_Part] = []
    for piece in pieces:
        if (part := _part(piece, shown)) is None:
            return []
        parts.append(replace(part, joined=joined if parts else ""))
    return parts


_ELLIPSIS = re.compile(r"\s?[\[(]?(?:…|\.\s?\.\s?\.+)[\])]?\s?")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s")


def _part(inside: str, shown: _Shown) -> _Part | None:
    """The words in a cited sentence, or in the question, or in another sentence."""
    words = inside.strip()
    bare = words.rstrip(_STOPS + " ")
    stop = words[len(bare) :].strip()[:1]
    forms = [(words, ""), (bare, stop)] if stop else [(words, "")]
    for form, left in forms:
        if found := _slice(form, shown.cited):
            return _Part(found[0], found[1], stop=left)
    if _asked(bare, shown.question):
        return _Part(_without_marks(words), None)
    for form, left in forms:
        if found := _slice(form, shown.others):
            return _Part(found[0], found[1], stop=left)
    return None


def _slice(words: str, sentences: Sequence[Sentence]) -> tuple[str, Sentence] | None:
    """The first sentence that holds the words, and its slice; the first letter may be of either case."""
    needle = _folded(_EDITORS_LETTER.sub(r"\1", words)).text.strip()
    if not needle:
        return None
    first = next((at for at, character in enumerate(needle) if character.isalpha()), 0)
    other = needle[:first] + needle[first].swapcase() + needle[first + 1 :]
    for form in (needle, other):
        for sentence in sentences:
            if (found := _within(form, sentence.cleaned)) is not None:
                return found, sentence
    return None


_EDITORS_LETTER = re.compile(r"[\[(](\w)[\])](?=\w)")  # "[T]he chair"


def _within(needle: str, text: str) -> str | None:
    """The slice of the text that is the needle, when whole words are; both compared folded."""
    folded = _folded(text)
    at = folded.text.find(needle)
    while at >= 0:
        end = at + len(needle)
        if not _cuts_word(folded.text, at) and not _cuts_word(folded.text, end):
            return text[folded.starts[at] : folded.ends[end - 1]].strip()
        at = folded.text.find(needle, at + 1)
    return None


def _cuts_word(text: str, at: int) -> bool:
    return 0 < at < len(text) and text[at - 1].isalnum() and text[at].isalnum()


@dataclass(frozen=True, slots=True)
class _Folded:
    """A text in which what may differ is the same, and where each character of it comes from."""

    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]


_UNIT = re.compile(r"[^\W_]+|\s{0,9}[-‐‑‒–—―−]{1,9}\s{0,9}|\s+|\.{3}|.", re.DOTALL)
_FOLDS = {
    **dict.fromkeys([*QUOTATION_MARKS, *_SINGLE, *"′<>＜＞"], "'"),
    **dict.fromkeys("([{［【（〔", "("),
    **dict.fromkeys(")]}］】）〕", ")"),
}


@lru_cache(maxsize=1024)
def _folded(text: str) -> _Folded:
    units: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for found in _UNIT.finditer(text):
        unit, (start, end) = found.group(), found.span()
        if unit.isalnum():  # a word stays as it is, letter by letter
            units.append(unit)
            starts += range(start, end)
            ends += range(start + 1, end + 1)
        else:
            units.append(_fold(unit))
            starts.append(start)
            ends.append(end)
    return _Folded("".join(units), tuple(starts), tuple(ends))


def _fold(unit: str) -> str:
    """One character for the unit."""
    stripped = unit.strip()
    if not stripped:
        return " "
    if stripped[0] in "-‐‑‒–—―−":
        return "-"
    return "…" if stripped == "..." else _FOLDS.get(stripped, stripped)


def _asked(words: str, question: str) -> bool:
    needle = _folded(words).text.strip().casefold()
    return bool(needle) and _within(needle, question.casefold()) is not None


# Slips


_WORD = re.compile(r"[^\W_]+(?:[.,:'’/-][^\W_]+)*", re.UNICODE)
_NEGATION_WORDS = (
    "not no never none nor neither nobody nothing nowhere without cannot hardly barely unless except"
    " nicht kein keine nie pas jamais aucun sans sin nunca"
)
_NUMERAL_WORDS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
    " seventeen eighteen nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred hundreds"
    " thousand thousands million millions billion billions trillion dozen dozens half third quarter first"
    " second twice double triple percent"
)
_NEGATIONS, _NUMERALS = frozenset(_NEGATION_WORDS.split()), frozenset(_NUMERAL_WORDS.split())


def _slip(inside: str, sentences: Sequence[Sentence]) -> _Part | None:
    """The slice from which the quotation differs by little that matters, the nearest of all sentences."""
    words = [found.group() for found in _WORD.finditer(inside)]
    if len(words) < MIN_WORDS:
        return None
    allowed = int(len(words) * (1 - SIMILARITY) + 1e-9)
    distinct = {_key(word) for word in words}
    best: tuple[int, str, Sentence] | None = None
    for sentence in sentences:
        there = _words(sentence.cleaned)
        if len(words) - len(there.keys) > allowed or len(distinct - there.distinct) > allowed:
            continue
        if (window := _nearest(words, there.keys, allowed)) is None:
            continue
        changes, first, last = window
        start, end = there.spans[first][0], there.spans[last - 1][1]
        fitting = _agree(words, [sentence.cleaned[a:b] for a, b in there.spans[first:last]])
        if fitting and (best is None or changes < best[0]):
            best = changes, sentence.cleaned[start:end], sentence
    if best is None:
        return None
    bare = inside.rstrip()
    return _Part(best[1], best[2], stop=bare[len(bare.rstrip(_STOPS)) :][:1])


@dataclass(frozen=True, slots=True)
class _Words:
    keys: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]
    distinct: frozenset[str]


@lru_cache(maxsize=1024)
def _words(text: str) -> _Words:
    found = list(_WORD.finditer(text))
    keys = tuple(_key(each.group()) for each in found)
    return _Words(keys, tuple(each.span() for each in found), frozenset(keys))


def _key(word: str) -> str:
    return word.casefold().replace("’", "'")


def _nearest(words: Sequence[str], there: Sequence[str], allowed: int) -> tuple[int, int, int] | None:
    """Fewest changed words, and from where to where in the sentence: edit distance to any run of it."""
    row = [(0, at) for at in range(len(there) + 1)]  # changes, and where the run begins
    for number, word in enumerate(map(_key, words), 1):
        above, row = row, [(number, 0)]
        for at, other in enumerate(there, 1):
            changed, begin = above[at - 1]
            row.append(
                min(
                    (changed + (word != other), begin),
                    (above[at][0] + 1, above[at][1]),
                    (row[-1][0] + 1, row[-1][1]),
                )
            )
        if min(row)[0] > allowed:
            return None
    changes, last = min((changes, at) for at, (changes, _) in enumerate(row))
    first = row[last][1]
    return (changes, first, last) if changes <= allowed and first < last else None


def _agree(words: Sequence[str], others: Sequence[str]) -> bool:
    """Whether the numbers, negations and names are the same, in order.

    A capital at the beginning may be that of a sentence, so the first words may agree without it.
    """
    same = int(_key(words[0]) == _key(others[0]))
    return _weighty(words[same:]) == _weighty(others[same:])


def _weighty(words: Sequence[str]) -> list[str]:
    return [
        key
        for word, key in zip(words, map(_key, words), strict=True)
        if any(map(str.isdigit, word))
        or key in _NUMERALS
        or key in _NEGATIONS
        or key.endswith("n't")
        or (word[0].isupper() and key.partition("'")[0] != "i")
    ]


# Marks


def _without_marks(words: str) -> str:
    """The words without quotation marks; apostrophes stay."""
    kept = "".join(character for character in words if character not in _MARKS)
    return re.sub(rf"(?<!\w)[{_SINGLE}]|[{_SINGLE}](?!\w)", "", kept)


def _with_single_marks(words: str) -> str:
    """The slice with single marks in place of double ones, since it stands in double ones itself."""
    at = [number for number, character in enumerate(words) if character in _MARKS]
    opens = {
        number for number in at if number == 0 or words[number - 1].isspace() or words[number - 1] in "([—–-"
    }
    return "".join(
        character if number not in opens and character not in _MARKS else "‘" if number in opens else "’"
        for number, character in enumerate(words)
    )


def _shortened(words: str) -> str:
    plain = _with_single_marks(" ".join(words.split()))
    return plain if len(plain) <= _MAX_SHOWN else plain[: _MAX_SHOWN - 1].rstrip() + "…"
