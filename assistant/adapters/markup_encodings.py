"""The characters of web pages and feeds, which declare an encoding and are often wrong about it."""

from __future__ import annotations

import codecs
import re

from assistant.adapters.article_formats import Unusable

_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_FIRST_BYTES = 4_096  # browsers look for a declaration in 1,024; real pages are less strict
_DECLARED = re.compile(
    rb"""<(?:meta|\?xml)[^>]{0,500}?(?:charset|encoding)\s*=\s*["']?\s*([\w.:-]+)""", re.IGNORECASE
)
# What may be declared, as browsers read it (https://encoding.spec.whatwg.org/#names-and-labels).
_ENCODINGS = {
    name: name
    for name in (
        *(f"windows-{number}" for number in range(1250, 1259)),
        *(f"iso-8859-{part}" for part in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)),
        *("gb18030", "euc-jp", "iso-2022-jp", "koi8-r", "koi8-u", "macintosh"),
    )
} | {
    "iso-8859-1": "cp1252",
    "latin1": "cp1252",
    "us-ascii": "cp1252",
    "ascii": "cp1252",
    "iso-8859-9": "cp1254",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "big5": "big5hkscs",
    "shift_jis": "cp932",
    "shift-jis": "cp932",
    "euc-kr": "cp949",
}
_FOREIGN = re.compile(
    rb"[\x80-\xff]{6}"
)  # in Western text, accents and quotation marks stand alone or in twos


def decode_markup(data: bytes) -> str:
    """The characters: by byte-order mark, as UTF-8, as the file declares, or as Windows-1252.

    What is valid UTF-8 is UTF-8, whatever it declares: no other text looks like it by chance. A file
    that says nothing is Windows-1252, as in browsers; one that is plainly no Western text is Unusable.
    NUL, where parsers would stop, and bytes that mean nothing become U+FFFD.
    """
    return _decoded(data).replace("\0", "\ufffd")


def _decoded(data: bytes) -> str:
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    declared = _DECLARED.search(data[:_FIRST_BYTES])
    label = declared[1].decode("ascii", "replace").lower() if declared else ""
    if label != "iso-2022-jp":  # whose bytes are all ASCII, and so valid UTF-8
        try:
            return data.decode()
        except UnicodeDecodeError:
            pass
    encoding = _ENCODINGS.get(label, "")
    if not encoding and _FOREIGN.search(data):
        raise Unusable("is neither UTF-8 nor in an encoding that it declares; convert it to UTF-8")
    return data.decode(encoding or "cp1252", "replace")
