"""Text of a model without anything that could become a link, an image or a tag.

Whatever a surface does with Markdown, HTML or bare addresses, it finds none: addresses that
lead anywhere come from our own records alone. Written with look-alikes (a full-width colon,
a one-dot leader) or invisible characters, an address is one all the same. "U.S./Japan",
"24/7" and "AT&T" stay.
"""

from __future__ import annotations

import html
import re
import unicodedata

from assistant.domain.text import INVISIBLE

REMOVED = "(link removed)"
# What is taken out may bring parts of another link together. So it is repeated until nothing is
# found; a text that needs more rounds than this was built to deceive, and nothing of it is kept.
_ROUNDS = 8


def without_links(text: str) -> str:
    """The text in which links are only their words.

    >>> without_links("The [minutes](https://a.example/x) say so; see www.b.example.")
    'The minutes say so; see (link removed).'
    """
    for _ in range(_ROUNDS):
        after = _round(text)
        if after == text:
            return text
        text = after
    return ""


def _round(text: str) -> str:
    text = INVISIBLE.sub("", text)
    folded = _folded(text)
    plain = _without(folded)
    return text if plain == folded else plain


# Look-alikes that are no compatibility forms of what they stand for.
_KIN = str.maketrans(
    {"∕": "/", "⁄": "/", "⧸": "/", "∶": ":", "꞉": ":", "ː": ":", "˸": ":", "։": ":", "。": "."}
)


def _folded(text: str) -> str:
    """The text with look-alikes of ASCII characters as those; it has the same length."""
    if text.isascii():
        return text
    return "".join(
        character if character.isascii() else _plain(character) for character in text.translate(_KIN)
    )


def _plain(character: str) -> str:
    folded = unicodedata.normalize("NFKC", character)
    return folded if len(folded) == 1 and folded.isascii() and folded != " " else character


_PATH = re.compile(r"(?<=\w)\\+(?=[^\W_])")  # no escape, but two words: "Keystone\Getty"
_ENTITY = re.compile(
    r"&(?:(?:amp|#0{0,4}38|#x0{0,4}26);)*(#\d{1,7};|#x[0-9a-f]{1,6};|[a-z]{2,24}\d{0,2};)?", re.IGNORECASE
)
_DEFINITION = re.compile(
    r"^[ \t]{0,9}\[[^\[\]\n]{1,200}\]:[ \t]{0,9}(?:<|/|#|www\.|[a-z][a-z0-9+.-]{1,30}:)[^\n]*$",
    re.IGNORECASE | re.MULTILINE,
)
_LABEL = re.compile(r"^([ \t]{0,9})\[([^\[\]\n]{1,200})\]:", re.MULTILINE)
_TARGET = r"\([^()]{0,2000}(?:\([^()]{0,500}\)[^()]{0,500}){0,5}\)"
_IMAGE = re.compile(rf"!\[[^\[\]]{{0,2000}}\](?:\s?{_TARGET}|\[[^\[\]]{{0,200}}\])?")
_LINK = re.compile(rf"\[([^\[\]]{{0,2000}})\](?:{_TARGET}|\[[^\[\]]{{0,200}}\])")
_SCHEMES = "https?|ftps?|mailto|javascript|vbscript|data|file|tel|sms|blob|wss?"
_AUTOLINK = re.compile(
    r"<\s{0,3}(?:[a-z][a-z0-9+.-]{1,30}:|//|www\.|[^\s<>@|]{1,64}@)[^<>|]*(?:\|([^<>]*))?>",
    re.IGNORECASE,
)
_TAG = re.compile(r"<[^<>\s\d=][^<>]*>")
_BREAK = re.compile(r"<(?:br|/?p|/?li|/?div)\b[^<>]*>", re.IGNORECASE)
_HALF_TAG = re.compile(r"<(?=[a-z/!?@#])", re.IGNORECASE)
_REST = r"[^\s<>\"“”«»]*"
_ADDRESS = re.compile(
    rf"(?:(?<!\w)[a-z][a-z0-9+.-]{{0,30}})?:/{{2,}}{_REST}"
    rf"|(?<!\w)(?:{_SCHEMES}):(?=[^\s]){_REST}"
    rf"|(?<![\w:/])/{{2,}}[\w-]{{1,63}}\.{_REST}"
    rf"|(?<!\w)www\d{{0,3}}\.(?=\w){_REST}"
    rf"|(?<![\w.+-])[\w.+-]{{1,64}}@[\w-]{{1,63}}\.(?=\w){_REST}"
    rf"|(?<![\w.-])(?:[\w-]{{1,63}}\.){{1,8}}[^\W\d_]{{2,24}}(?::\d{{1,5}})?(?:/|[?#]\w){_REST}"
    rf"|(?<![\w.-])\d{{1,3}}(?:\.\d{{1,3}}){{3}}(?::\d{{1,5}})?/{_REST}",
    re.IGNORECASE,
)
_IN_BRACKETS = re.compile(rf"\s?\(\s?(?:{re.escape(REMOVED)}\s?)+\)|\s?\[\s?(?:{re.escape(REMOVED)}\s?)+\]")
_ENDS = ".,;:!?'’)]}*_"
_BLANKS = re.compile(r"[ \t]{2,}")


def _without(text: str) -> str:
    before = text
    text = _ENTITY.sub(_decoded, _PATH.sub(" ", text).replace("\\", ""))
    text = _LABEL.sub(r"\1\2:", _DEFINITION.sub("", text))
    text = _LINK.sub(r"\1", _IMAGE.sub("", text))
    text = _AUTOLINK.sub(lambda found: found[1] or REMOVED, text)
    text = _TAG.sub("", _BREAK.sub(" ", text))
    text = _HALF_TAG.sub("", text)
    text = _ADDRESS.sub(_removed, text)
    text = _IN_BRACKETS.sub("", text)
    text = _BLANKS.sub(" ", text).strip()
    return text.replace("](", "] (") if text == before else text


def _decoded(found: re.Match[str]) -> str:
    """What an HTML reference stands for; an ampersand for one that stands for none."""
    named = found[1]
    if not named:
        return "&"
    character = html.unescape(f"&{named}")
    if character in ("\\", "&", "\xa0"):
        return " "
    return f"&{named}" if character == f"&{named}" else character


def _removed(found: re.Match[str]) -> str:
    """The remark in place of an address, and the punctuation behind it, which is not a part of it."""
    address = found.group()
    end = len(address.rstrip(_ENDS))
    opened = address.count("(", 0, end) - address.count(")", 0, end)
    while opened > 0 and address[end : end + 1] == ")":
        opened, end = opened - 1, end + 1
    return REMOVED + address[end:]
