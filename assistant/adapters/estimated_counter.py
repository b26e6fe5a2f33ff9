"""Tokens without a tokenizer: an estimate on the safe side from the shape of words.

The text is cut as tiktoken cuts it for ``o200k_base`` before it merges bytes (the pattern
is spelled out here for ``re``, since tiktoken's own needs another engine). What a piece
costs is a sum of weights: for its length, case and script, and for each three letters in
a row, which tell common words from rare ones and English from Turkish. Weights and safety
margins lie in ``token_estimate.json`` beside this module, with the command that fitted
them. How good they are: ``python -m benchmarks.token_estimate``.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import Literal

WEIGHTS_FILE = "token_estimate.json"

Group = Literal["latin", "other", "digits"]

_LONGEST = 16  # letters; a longer Latin word pays for each further one
_WIDEST = 16  # bytes of a token at most; some are longer: runs of blanks, and lines drawn with signs
_KEPT = 40  # characters; longer pieces are rare, and not worth keeping
_KNOWN = 1 << 16  # pieces that are kept with their counts: about 10 MB
_SCRIPTS = (  # the first and last code point of blocks that are weighed on their own
    ("latin", 0x0000, 0x017F),
    ("latin", 0x01A0, 0x01B0),
    ("latin", 0x0218, 0x021B),
    ("greek", 0x0370, 0x03FF),
    ("cyrillic", 0x0400, 0x052F),
    ("hebrew", 0x0590, 0x05FF),
    ("arabic", 0x0600, 0x06FF),
    ("devanagari", 0x0900, 0x097F),
    ("indic", 0x0980, 0x0DFF),
    ("thai", 0x0E00, 0x0E7F),
    ("latin", 0x1EA0, 0x1EF9),
    ("kana", 0x3040, 0x30FF),
    ("han", 0x3400, 0x9FFF),
    ("hangul", 0xAC00, 0xD7AF),
)
_TYPOGRAPHIC = frozenset("‘’“”„–—…•·«»€£§°©®™")  # common enough to be tokens


@dataclass(frozen=True, slots=True)
class Weights:
    """What makes up an estimate.

    shape: the weight of each feature of `shape`. trigrams: of three letters in a row; rare: of
    those that are not listed. margins: what the sum is multiplied by, for each group of pieces.
    """

    shape: Mapping[str, float]
    trigrams: Mapping[str, float]
    rare: float
    margins: Mapping[Group, float]

    def tokens(self, piece: str) -> float:
        """How many tokens the piece has, rather too many; never more than it has bytes."""
        weighed = sum([self.shape.get(name, 0.0) * value for name, value in shape(piece)])
        weighed += sum([self.trigrams.get(three, self.rare) for three in trigrams(piece)])
        size = len(piece.encode("utf-8", "surrogatepass"))
        return min(float(size), max(1.0, size / _WIDEST, weighed) * self.margins[group(piece)])


class EstimatedCounter:
    """Counts tokens for the budgets where the tokenizer's file is not there.

    weights: others than those that come with the package.
    """

    name = "estimate"
    exact = False

    def __init__(self, weights: Weights | None = None) -> None:
        self._known = _Known(weights)

    def count(self, text: str) -> int:
        """About how many tokens the text has; rather too many than too few."""
        return math.ceil(sum(map(self._known.__getitem__, pieces(text))))


class _Known(dict[str, float]):
    """The tokens of pieces, weighed when they are first asked for; most of any text was seen before."""

    def __init__(self, weights: Weights | None) -> None:
        super().__init__()
        self._weights = weights

    def __missing__(self, piece: str) -> float:
        tokens = (self._weights or load_weights()).tokens(piece)
        if len(piece) <= _KEPT:
            if len(self) >= _KNOWN:
                self.clear()
            self[piece] = tokens
        return tokens


@cache
def load_weights() -> Weights:
    """The fitted weights that come with the package."""
    found = json.loads(files("assistant.adapters").joinpath(WEIGHTS_FILE).read_text(encoding="utf-8"))
    return Weights(found["shape"], found["trigrams"], found["rare"], found["margins"])


def pieces(text: str) -> list[str]:
    """The text cut where tiktoken cuts it: " Tokens", " are", " counted", "."."""
    return _pattern().findall(text)


def shape(piece: str) -> Iterator[tuple[str, float]]:
    """Length, case and script of a piece, as features with values."""
    body = piece if piece[0].isalnum() else piece[1:]
    if _is_word(piece):
        yield from _word_shape(piece, body)
    elif piece.isspace():
        plain = len(set(piece)) == 1 and len(piece) <= _LONGEST
        yield "blank", 1.0
        yield "blank+", 0.0 if plain else len(piece) - 1.0
    elif group(piece) == "digits":
        yield "digits", 1.0
    elif piece.isascii():
        marks = piece.strip()
        yield "marks", 1.0
        yield "marks+", len(marks) - 1.0
        yield "marks, changes", float(sum(one != other for one, other in pairwise(marks)))
        yield "marks, line end", float("\n" in piece)
    else:
        typographic = sum(one in _TYPOGRAPHIC for one in piece)
        others = "".join(one for one in piece if not one.isascii() and one not in _TYPOGRAPHIC)
        yield "symbols", 1.0
        yield "symbols, typographic", float(typographic)
        yield "symbols, bytes of others", float(len(others.encode("utf-8", "surrogatepass")))


def _word_shape(piece: str, body: str) -> Iterator[tuple[str, float]]:
    if not body.isascii() and (counted := Counter(map(script, body))).keys() != {"latin"}:
        for name, times in counted.items():
            yield f"{name} word", 1.0
            yield f"{name} letters", float(times)
        return
    case = "lower" if body.islower() else "upper" if len(body) > 1 and body.isupper() else "title"
    lead = "start" if body is piece else "blank" if piece[0] == " " else "mark"
    yield f"{case} {lead} {min(len(body), _LONGEST)}", 1.0
    if len(body) > _LONGEST:
        yield "letters+", float(len(body) - _LONGEST)


def trigrams(piece: str) -> list[str]:
    """Each three letters in a row of a word in lower case, with its ends marked; nothing for the rest."""
    if not _is_word(piece):
        return []
    word = f"^{piece.lower() if piece[0].isalnum() else piece[1:].lower()}$"
    return [word[at : at + 3] for at in range(len(word) - 2)]


def group(piece: str) -> Group:
    """Which safety margin the piece gets."""
    if piece.isascii():
        return "digits" if piece[0].isdigit() else "latin"
    return "other" if any(script(character) not in ("latin", "sign") for character in piece) else "latin"


@cache
def script(character: str) -> str:
    """The script of a letter or mark; "sign" for what is neither."""
    point = ord(character)
    if unicodedata.category(character)[0] not in "LM" and character != "'":
        return "sign"
    return next((name for name, first, last in _SCRIPTS if first <= point <= last), "rest")


def _is_word(piece: str) -> bool:
    """Whether the piece is letters, after one other character at most."""
    first = piece[:2]
    return (
        first[0].isalpha()
        or first[-1].isalpha()
        or (not first.isascii() and any(unicodedata.category(one)[0] == "M" for one in first))
    )


@cache
def _pattern() -> re.Pattern[str]:
    r"""o200k_base's split pattern, https://github.com/openai/tiktoken/blob/main/tiktoken_ext/openai_public.py.

    ``re`` has no classes like \p{Lu}; they are listed from Unicode's table, up to U+FFFF: what is
    beyond (emoji, rare ideographs) is cut like other signs, and weighed by its bytes.
    """
    upper, lower, both, number = (
        _characters(kinds) for kinds in (("Lu", "Lt"), ("Ll",), ("Lm", "Lo", "Mn", "Mc", "Me"), _NUMBERS)
    )
    letter = _characters(("Lu", "Lt", "Ll", "Lm", "Lo"))
    ending = "(?:'(?:[sStTmMdD]|[rR][eE]|[vV][eE]|[lL][lL]))?"
    lead = f"[^\\r\\n{letter}{number}]?"
    return re.compile(
        f"{lead}[{upper}{both}]*[{lower}{both}]+{ending}"
        f"|{lead}[{upper}{both}]+[{lower}{both}]*{ending}"
        f"|[{number}]{{1,3}}"
        f"| ?[^\\s{letter}{number}]+[\\r\\n/]*"
        r"|\s*[\r\n]+|\s+(?!\S)|\s+"
    )


_NUMBERS = ("Nd", "Nl", "No")


def _characters(kinds: Iterable[str]) -> str:
    """The inside of a character class with everything of these Unicode categories."""
    wanted = frozenset(kinds)
    found: list[list[int]] = []
    for point in range(0x10000):
        if unicodedata.category(chr(point)) in wanted:
            if found and found[-1][1] == point - 1:
                found[-1][1] = point
            else:
                found.append([point, point])
    return "".join(f"\\u{first:04x}-\\u{last:04x}" for first, last in found)
