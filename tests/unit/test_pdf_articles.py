"""The text layer of a PDF: paragraphs again, and no more facts than can be believed."""

from __future__ import annotations

import sys
import zlib
from collections.abc import Sequence

import pytest

from assistant.adapters.article_formats import Unusable
from assistant.adapters.pdf_articles import MAX_PAGES, paragraphs, read_pdf

SIGNS = str.maketrans({"\\": r"\\", "(": r"\(", ")": r"\)"})


def pdf(*pages: Sequence[str] | bytes, info: str = "", trailer: str = "", packed: bool = False) -> bytes:
    """A PDF with these lines on each page, or with these drawing commands."""
    kids = " ".join(f"{10 + 2 * number} 0 R" for number in range(len(pages)))
    objects = {
        1: b"<</Type/Catalog/Pages 2 0 R>>",
        2: f"<</Type/Pages/Count {len(pages)}/Kids[{kids}]>>".encode(),
        3: b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
        4: f"<<{info}>>".encode(),
    }
    for number, page in enumerate(pages):
        content = page if isinstance(page, bytes) else _drawn(page)
        data = zlib.compress(content) if packed else content
        coding = "/Filter/FlateDecode" if packed else ""
        objects[10 + 2 * number] = (
            "<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Resources<</Font<</F1 3 0 R>>>>"
            f"/Contents {11 + 2 * number} 0 R>>"
        ).encode()
        objects[11 + 2 * number] = f"<</Length {len(data)}{coding}>>stream\n".encode() + data + b"\nendstream"
    file = b"%PDF-1.4\n"
    table = "xref\n"
    for number, value in objects.items():
        table += f"{number} 1\n{len(file):010} 00000 n \n"
        file += f"{number} 0 obj".encode() + value + b"endobj\n"
    end = f"trailer<</Root 1 0 R/Info 4 0 R/Size {max(objects) + 1}{trailer}>>\nstartxref\n{len(file)}\n%%EOF"
    return file + table.encode() + end.encode()


def _drawn(lines: Sequence[str]) -> bytes:
    shown = " ".join(f"({line.translate(SIGNS)}) Tj T*" for line in lines)
    return f"BT /F1 12 Tf 14 TL 72 720 Td {shown} ET".encode("cp1252")


def reason(data: bytes) -> str:
    with pytest.raises(Unusable) as raised:
        read_pdf(data)
    return str(raised.value)


STORY = [
    "July 28, 2024",
    "Dam opens",
    "The dam was com-",
    "pleted on Monday after ten years of work, officials",
    "said. It cost 4 billion.",
    "A second paragraph begins here and it is longer, too.",
]
TEXT = (
    "July 28, 2024\n\nDam opens\n\n"
    "The dam was completed on Monday after ten years of work, officials said. It cost 4 billion.\n\n"
    "A second paragraph begins here and it is longer, too."
)
INFO = "/Title(Dam opens)/Author(Ada Writer)/CreationDate(D:20240728100000+09'00')"


def test_a_pdf_gives_its_text_and_what_it_says_of_itself() -> None:
    (found,) = read_pdf(pdf(STORY, info=INFO))
    assert found.text == TEXT
    assert found.stated == {"title": "Dam opens", "author": "Ada Writer", "published": "2024-07-28"}


@pytest.mark.parametrize(
    ("info", "stated"),
    [
        ("", {}),
        ("/Title(Microsoft Word - dam.docx)/Author(user)", {}),
        ("/Title(untitled)/Author(Administrator)", {}),
        ("/Title(dam_final2.indd)/Author( )", {}),
        ("/CreationDate(D:20250101)", {}),
        ("/CreationDate(nonsense)/Title 7/Author[1 2]", {"title": "7", "author": "[1, 2]"}),
        ("/CreationDate(D:20240728)", {"published": "2024-07-28"}),
    ],
)
def test_what_a_program_wrote_is_no_fact(info: str, stated: dict[str, str]) -> None:
    assert read_pdf(pdf(STORY, info=info))[0].stated == stated


@pytest.mark.parametrize(
    ("pages", "expected"),
    [
        (["One two\nthree."], ["One two three."]),
        (["One.\n\nTwo."], ["One.", "Two."]),
        (["The infor-\nmation is here."], ["The information is here."]),
        (["A well-\nknown man, well-known."], ["A well-known man, well-known."]),
        (["The North-\nSouth line."], ["The North-South line."]),
        (["The soft\u00ad\nware runs."], ["The software runs."]),
        (["From 1990-\n1995 it ran."], ["From 1990- 1995 it ran."]),
        (
            ["A list of things that we have here:\n• one thing\n• two"],
            ["A list of things that we have here:", "• one thing", "• two"],
        ),
        (
            ["a long line of the page and\nit ends", "on the next."],
            ["a long line of the page and it ends on the next."],
        ),
        (
            ["Courier 1\nWords run on\n1/3", "Courier 2\nand on\n2/3", "Courier 3\nto the end.\n3/3"],
            ["Words run on and on to the end."],
        ),
        (["", " \n "], []),
    ],
)
def test_lines_become_paragraphs(pages: list[str], expected: list[str]) -> None:
    assert paragraphs(pages) == expected


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"%PDF-1.7\n", "cannot be read as PDF: PdfStreamError"),
        (pdf([]), "has no text layer (pictures of pages?); run it through OCR first"),
        (pdf(["Words."]).replace(b"/Kids[10", b"/Kids[2"), None),
        (
            pdf(
                ["x"],
                trailer=f"/Encrypt<</Filter/Standard/V 1/R 2/O({'x' * 32})/U({'x' * 32})/P -4>>/ID[(a)(a)]",
            ),
            "is an encrypted PDF; save or print it anew without protection",
        ),
        (pdf(*[["x"]] * (MAX_PAGES + 1)), f"has more than {MAX_PAGES} pages"),
        (pdf(b" " * 50_000_000, packed=True), "cannot be read as PDF: LimitReachedError"),
        (pdf(b"[" * 2_000_000, packed=True), None),
    ],
    ids=["header", "no text", "loop", "encrypted", "pages", "bomb", "brackets"],
)
def test_what_cannot_be_read_is_told_in_one_line(data: bytes, expected: str | None) -> None:
    told = reason(data)
    assert expected is None or told == expected
    assert told.isprintable()


def test_letters_without_a_character_are_no_text() -> None:
    font = b"<</Type/Font/Subtype/Type1/BaseFont/X/Encoding<</Differences[65/uniE001/uniE002]>>>>"
    plain = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>"
    data = pdf(["ABABABABAB a"]).replace(plain, font + b" " * (len(plain) - len(font)))
    assert reason(data) == "has a text layer whose letters cannot be read"


def test_without_the_extra_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pypdf", None)
    assert reason(pdf(STORY)) == "needs the extra \"pdf\": pip install 'cited-assistant[pdf]'"
