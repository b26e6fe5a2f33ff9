"""The two texts of a sentence: the stored one, and a cleaned one for search and screens.

Quotes are always cut from the stored text. The cleaned form is what is indexed,
shown to a person and later shown to a model, so that characters which nobody
can see carry no message.
"""

from __future__ import annotations

import re

# Control characters but those that are white space; Unicode's invisible operators, bidirectional
# controls, soft hyphen, byte-order mark, tag characters, interlinear and object marks,
# variation selectors supplement (used to smuggle bytes), and lone surrogates.
INVISIBLE = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b"
    "\u200e\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff0-\ufffc"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff\ud800-\udfff]"
)
# Joiners carry meaning inside emoji (U+200D) and inside Persian or Indic words (both);
# anywhere else, and in rows, they are invisible padding.
_JOINER = re.compile("[\u200c\u200d]")
_JOINS = re.compile(
    "[\u0600-\u08ff\u0900-\u0dff\u2190-\u21ff\u2600-\u27bf\u2b00-\u2bff\ufe0f\U0001f000-\U0001faff]"
)
_SELECTOR_RUN = re.compile("[\ufe00-\ufe0f]{2,}")
_BLANK = re.compile(r"\s+")
# What most sentences are made of, and none of the above is in it: they need no closer look.
_PLAIN = re.compile("[ -~\u00a1-\u00ac\u00ae-\u034e\u2010-\u2027\u2030-\u205e\u20a0-\u20bf]*")


def clean(text: str) -> str:
    r"""The text as a person sees it: one line, no invisible or control characters.

    >>> clean("The vote\u200b was\n5\u202e to 4.")
    'The vote was 5 to 4.'
    """
    if _PLAIN.fullmatch(text):
        return " ".join(text.split())
    text = INVISIBLE.sub("", text)
    if _JOINER.search(text):
        text = "".join(_kept(text, at) for at in range(len(text)))
    text = _SELECTOR_RUN.sub(lambda run: run.group()[0], text)
    return _BLANK.sub(" ", text).strip()


def printable(text: str) -> str:
    """The text with control and invisible characters gone and its line breaks kept."""
    return "\n".join(clean(line) for line in text.split("\n"))


def counted(number: int, noun: str) -> str:
    """The number with its noun: "1 article", "20 articles"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _kept(text: str, at: int) -> str:
    character = text[at]
    if not _JOINER.match(character):
        return character
    between = 0 < at < len(text) - 1
    return character if between and _JOINS.match(text[at - 1]) and _JOINS.match(text[at + 1]) else ""
