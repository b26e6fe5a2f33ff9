"""The text layer of PDF files, by pypdf.

Owns how lines become paragraphs again, and what a document says about itself that can be
believed. A PDF knows where each line stands and not where a paragraph ends, so a line
that is short and closes a sentence ends one; what cannot be told stays together.

Runs in the parser process: a PDF is a program, and some never end.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from assistant.adapters.article_formats import Facts, Found, Unusable, read_facts

MAX_PAGES = 300  # a newspaper has 20 to 100; pypdf takes 5 ms for a page of text
MAX_CHARACTERS = 5_000_000  # ten long novels
# Bytes of one unpacked stream, and what is read in it: the fullest newspaper page has a tenth of these.
_LIMITS: Mapping[str, Any] = {
    "zlib_maximum_output_length": 10_000_000,
    "lzw_maximum_output_length": 10_000_000,
    "run_length_maximum_output_length": 10_000_000,
    "array_based_stream_maximum_output_length": 20_000_000,
    "zlib_maximum_recovery_input_length": 1_000_000,
    "stream_parsing_work_maximum_count": 500_000,
    "page_tree_maximum_entries": 10_000,
    "xform_maximum_invocations_per_extraction": 500,
    "jbig2dec_binary": None,  # no program of the machine is called
}
NEEDS = "needs the extra \"pdf\": pip install 'cited-assistant[pdf]'"


def read_pdf(data: bytes) -> list[Found]:
    """The one article of a PDF; raises Unusable without a text layer, and when it is encrypted."""
    try:
        import pypdf
    except ImportError:
        raise Unusable(NEEDS) from None
    try:
        with pypdf.apply_configuration(**_LIMITS):
            reader = pypdf.PdfReader(io.BytesIO(data))
            if reader.is_encrypted:
                raise Unusable("is an encrypted PDF; save or print it anew without protection")
            if len(reader.pages) > MAX_PAGES:
                raise Unusable(f"has more than {MAX_PAGES} pages")
            pages = list(_page_texts(reader.pages))
            info = reader.metadata
            stated = _stated({key: info.get(key) for key in info} if info else {}, pages)
    except Unusable:
        raise
    except Exception as error:  # pypdf meets broken objects with errors of every type
        raise Unusable(f"cannot be read as PDF: {type(error).__name__}") from error
    text = "\n\n".join(paragraphs(pages))
    if not any(map(str.isalnum, text)):
        raise Unusable("has no text layer (pictures of pages?); run it through OCR first")
    if sum(map(_UNREADABLE.__contains__, text)) > len(text) / 10:
        raise Unusable("has a text layer whose letters cannot be read")
    return [Found(stated, text)]


def _page_texts(pages: Sequence[Any]) -> Iterator[str]:
    total = 0
    for page in pages:
        text = page.extract_text()
        total += len(text)
        if total > MAX_CHARACTERS:
            raise Unusable(f"has more than {MAX_CHARACTERS:,} characters")
        yield text.translate(_LIGATURES)


_LIGATURES = str.maketrans({"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "st", "ﬆ": "st"})
_UNREADABLE = frozenset([*map(chr, range(0xE000, 0xF900)), "\ufffd", *map(chr, (*range(9), *range(14, 32)))])

_PROGRAM_TITLE = re.compile(
    r"^(?:untitled|title|document|microsoft word\b.*"
    r"|.*\.(?:docx?|pdf|indd|qxd|qxp|rtf|odt|tex|html?|pptx?))\d*$",
    re.IGNORECASE,
)
_NO_PERSON = re.compile(
    r"^(?:user|admin\w*|owner|author|unknown|anonymous|scanner|windows.*|microsoft.*)$", re.IGNORECASE
)


def _stated(info: Mapping[str, Any], pages: Sequence[str]) -> dict[str, str | bool]:
    """Title, author and day, as far as a person and not a program seems to have set them.

    A file is made when somebody prints or saves it, perhaps years after the article. So the day
    of its making is that of publication only when the first page writes the same day.
    """
    title, author = (" ".join(str(info.get(key) or "").split()) for key in ("/Title", "/Author"))
    stated = {
        "title": "" if _PROGRAM_TITLE.match(title) else title,
        "author": "" if _NO_PERSON.match(author) else author,
        "published": _confirmed_day(str(info.get("/CreationDate") or ""), pages[0] if pages else ""),
    }
    return {name: value for name, value in stated.items() if value}


_MADE = re.compile(r"(?:D:)?(\d{4})(\d\d)(\d\d)")
_WRITTEN_DAY = re.compile(
    r"\d{4}-\d\d-\d\d|[A-Z][a-z]{2,8}\.?\s+\d{1,2}(?:st|nd|rd|th)?,?\s+\d{4}|\d{1,2}(?:st|nd|rd|th)?\.?\s+[A-Z][a-z]{2,8}\.?,?\s+\d{4}"
)


def _confirmed_day(made: str, page: str) -> str:
    match = _MADE.match(made)
    day = "-".join(match.groups()) if match else ""
    written = (" ".join(found.split()) for found in _WRITTEN_DAY.findall(page))
    return day if day and any(_day(date) == day for date in written) else ""


def _day(written: str) -> str:
    facts = Facts()
    with suppress(Unusable):
        facts = read_facts({"published": written})
    return facts.published.day.isoformat() if facts.published else ""


def paragraphs(pages: Sequence[str]) -> list[str]:
    r"""The paragraphs of the pages' lines, with words put together again that a line end cut.

    >>> paragraphs(["The dam was com-\npleted on Mon-\nday."])
    ['The dam was completed on Monday.']
    """
    lines = list(_lines(pages))
    widths = sorted(map(len, filter(None, lines)))
    width = widths[len(widths) * 3 // 4] if widths else 0  # three quarters of the lines are no longer
    hyphenated = _Words(lines)
    found: list[str] = []
    ended = True
    for line in lines:
        if not line or ended or _ITEM.match(line) or _is_heading(found[-1], line, width):
            found += [line] if line else []
        else:
            found[-1] = hyphenated.joined(found[-1], line)
        ended = not line or (len(line) < _SHORT * width and _CLOSED.search(line) is not None)
    return found


_SHORT = 0.85  # of the usual width: the last line of a paragraph, but for one in six
_CLOSED = re.compile(r"[.!?:…][\"'”’»)\]]*$")
_ITEM = re.compile(r"[•▪◦‣●○■–—-]\s+\S|\(?\d{1,2}[.)]\s+\S")


def _is_heading(before: str, line: str, width: int) -> bool:
    """Whether what stands before is a heading: short, no sentence, and what follows begins anew."""
    return len(before) < width * 0.6 and before[-1:].isalnum() and line[:1].isupper() and before[:1].isupper()


def _lines(pages: Sequence[str]) -> Iterator[str]:
    """The lines of all pages, blank ones empty, without what stands at the top or foot of each page."""
    texts = [[" ".join(line.split()) for line in page.splitlines()] for page in pages]
    repeated = Counter(edge for lines in texts for edge in {_without_numbers(line) for line in _edges(lines)})
    for lines in texts:
        edges = set(_edges(lines))
        for line in lines:
            times = repeated[_without_numbers(line)] if line in edges else 0
            if times < 2 or times * 2 < len(pages):  # noqa: PLR2004 - once is no repetition
                yield line


def _edges(lines: Sequence[str]) -> list[str]:
    """The first two and last two lines that are not blank."""
    written = [line for line in lines if line]
    return [*written[:2], *written[-2:]]


def _without_numbers(line: str) -> str:
    return re.sub(r"\d+", "0", line)


class _Words:
    """Knows which words a document writes whole and which with a hyphen, to mend those at line ends."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._known = {word.lower() for line in lines for word in re.findall(r"[\w-]*\w", line)}

    def joined(self, before: str, line: str) -> str:
        r"""Both lines as one; a hyphen at the end goes, unless the document writes the word with it."""
        if before.endswith("\u00ad"):
            return before[:-1] + line
        first = re.search(r"[^\W\d_]+$", before[:-1]) if before.endswith(("-", "‐")) else None
        second = re.match(r"[^\W\d_]+", line)
        if not first or not second or not second[0][0].islower():
            return f"{before}{line}" if before.endswith(("-", "‐")) and first else f"{before} {line}"
        whole, split = f"{first[0]}{second[0]}".lower(), f"{first[0]}-{second[0]}".lower()
        keeps = split in self._known and whole not in self._known
        return f"{before}{line}" if keeps else f"{before[:-1]}{line}"
