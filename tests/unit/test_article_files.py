"""Which files are read, what their articles are called, and what becomes of the others."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.adapters.article_files import MAX_BYTES, ArticleFiles, decode, printable_path
from assistant.adapters.article_formats import Unusable
from assistant.domain.articles import Article, ArticleInfo, Origin, Timestamp, article_id
from assistant.domain.errors import ArticleRejected, InputNotFound
from assistant.ports import ArticleSource

TEXT = "The dam opened on Monday."


def write(path: Path, content: str | bytes = TEXT) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def read(*paths: Path, max_bytes: int = MAX_BYTES) -> list[Article | ArticleRejected]:
    return list(ArticleFiles(paths, max_bytes=max_bytes).read())


def articles(*paths: Path) -> list[Article]:
    found = read(*paths)
    assert [str(entry) for entry in found if isinstance(entry, ArticleRejected)] == []
    return [entry for entry in found if isinstance(entry, Article)]


def names(*paths: Path) -> list[str]:
    return [article.info.origin.path for article in articles(*paths)]


def rejections(*paths: Path, max_bytes: int = MAX_BYTES) -> list[str]:
    return [str(entry) for entry in read(*paths, max_bytes=max_bytes) if isinstance(entry, ArticleRejected)]


def test_it_is_an_article_source(tmp_path: Path) -> None:
    source: ArticleSource = ArticleFiles([write(tmp_path / "a.txt")])
    assert isinstance(source.read(), Iterator)


def test_a_text_file_is_an_article_without_title_and_date(tmp_path: Path) -> None:
    path = write(tmp_path / "2024-07-28 dam.txt", f"\n{TEXT}\r\nMore.\r\n\n")
    root = str(tmp_path.resolve())
    origin = Origin(root, "2024-07-28 dam.txt")
    info = ArticleInfo(id=article_id(root, "2024-07-28 dam.txt"), origin=origin)
    assert read(path) == [Article(info, f"{TEXT}\nMore.")]


def test_a_folder_is_read_with_its_subfolders_by_relative_path(tmp_path: Path) -> None:
    for name in ("b.md", "a/z.txt", "a.txt", "a/b/c.markdown", "Z.TXT"):
        write(tmp_path / name)
    assert names(tmp_path) == ["Z.TXT", "a.txt", "a/b/c.markdown", "a/z.txt", "b.md"]


def test_a_folder_passes_over_what_is_not_meant_to_be_read(tmp_path: Path) -> None:
    for name in (
        "a.md",
        "README.md",
        "sub/readme.MD",
        ".hidden.md",
        ".git/x.md",
        "page.css",
        "x.docx",
        "no_suffix",
    ):
        write(tmp_path / name)
    write(tmp_path / "settings.xml", "<?xml version='1.0'?><project/>")
    assert names(tmp_path) == ["a.md"]


def test_xml_that_is_no_feed_is_told_when_it_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "settings.xml", "<?xml version='1.0'?><project/>")
    assert rejections(path) == [f"{path}: is XML, but no feed and no web page"]


def test_what_a_browser_saved_beside_a_page_is_passed_over(tmp_path: Path) -> None:
    for name in ("page_files/frame.html", "other_files/a.txt", "sub/page_files/b.txt"):
        write(tmp_path / name)
    write(tmp_path / "page.html", "<p>Words.")
    assert names(tmp_path) == ["other_files/a.txt", "page.html", "sub/page_files/b.txt"]


@pytest.mark.parametrize(
    "name", ["README.md", ".hidden.md", "page.html", "no_suffix", "x.pdf", ".folder/a.txt"]
)
def test_what_is_named_itself_is_read(tmp_path: Path, name: str) -> None:
    assert [article.text for article in articles(write(tmp_path / name))] == [TEXT]


def test_a_hidden_folder_that_is_named_itself_is_read(tmp_path: Path) -> None:
    write(tmp_path / ".drafts/a.md")
    assert names(tmp_path / ".drafts") == ["a.md"]


def test_file_and_folder_give_the_same_article(tmp_path: Path) -> None:
    path = write(tmp_path / "a.md")
    assert articles(path) == articles(tmp_path)


def test_the_same_folder_gives_the_same_ids_however_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "corpus/sub/a.md")
    (tmp_path / "link").symlink_to("corpus")
    monkeypatch.chdir(tmp_path)
    whole = articles(tmp_path / "corpus")
    assert articles(Path("corpus")) == articles(Path("corpus/../corpus")) == articles(Path("link")) == whole


def test_a_root_name_stands_for_the_folder(tmp_path: Path) -> None:
    for machine in ("one", "two"):
        write(tmp_path / machine / "a.md")
    one, two = (
        list(ArticleFiles([tmp_path / machine], root_name="demo").read()) for machine in ("one", "two")
    )
    assert one == two
    assert isinstance(one[0], Article)
    assert one[0].info.origin == Origin("demo", "a.md")


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*.md", ["a.md", "b.md"]),
        ("?.txt", ["c.txt"]),
        ("[ab].md", ["a.md", "b.md"]),
        ("**/*.md", ["a.md", "b.md", "d.md"]),
        ("su*", ["d.md"]),
    ],
)
def test_a_pattern_stands_for_what_it_matches(tmp_path: Path, pattern: str, expected: list[str]) -> None:
    for name in ("a.md", "b.md", "c.txt", "sub/d.md"):
        write(tmp_path / name)
    assert names(tmp_path / pattern) == expected


def test_a_file_that_exists_is_no_pattern(tmp_path: Path) -> None:
    write(tmp_path / "a.md")
    assert names(write(tmp_path / "[a].md")) == ["[a].md"]


@pytest.mark.parametrize("name", ["missing.md", "missing/", "*.nothing", "x" * 300])
def test_a_path_that_does_not_exist_is_an_error_before_anything_is_read(tmp_path: Path, name: str) -> None:
    source = ArticleFiles([write(tmp_path / "a.md"), tmp_path / name])
    with pytest.raises(InputNotFound) as raised:
        source.read()
    assert repr(str(tmp_path / name)) in str(raised.value)


def test_a_file_that_is_reached_twice_is_read_once(tmp_path: Path) -> None:
    path = write(tmp_path / "z.md")
    (tmp_path / "a.md").symlink_to("z.md")
    assert names(tmp_path, path, tmp_path, tmp_path / "*.md") == ["z.md"]


def test_where_repeats_how_the_folder_was_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "corpus/sub/bad.md", "")
    monkeypatch.chdir(tmp_path)
    assert rejections(Path("corpus")) == ["corpus/sub/bad.md: has no text"]
    assert rejections(Path()) == ["corpus/sub/bad.md: has no text"]
    assert rejections(Path("corpus/sub/bad.md")) == ["corpus/sub/bad.md: has no text"]


def test_a_rejected_file_does_not_stop_the_others(tmp_path: Path) -> None:
    write(tmp_path / "a.md", "---\ntitle: [\n---\n")
    write(tmp_path / "b.txt", b"\xff")
    write(tmp_path / "c.json", "{")
    write(tmp_path / "d.md")
    *rejected, article = read(tmp_path)
    assert [type(entry) for entry in rejected] == [ArticleRejected] * 3
    assert isinstance(article, Article)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_front_matter_is_found_behind_a_byte_order_mark(tmp_path: Path, encoding: str, end: str) -> None:
    source = end.join(["---", "title: Café", "date: 28 July 2024", "---", "One.", "", "Two."])
    (article,) = articles(write(tmp_path / "a.md", source.encode(encoding)))
    assert (article.info.title, article.info.published) == ("Café", Timestamp(date(2024, 7, 28)))
    assert article.text == "One.\n\nTwo."


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"caf\xc3\xa9", "café"),
        (b"\xef\xbb\xbfcaf\xc3\xa9", "café"),
        ("\ufeffcafé".encode("utf-16-le"), "café"),
        ("\ufeffcafé".encode("utf-16-be"), "café"),
        (b"", ""),
    ],
)
def test_decoding(data: bytes, text: str) -> None:
    assert decode(data) == text


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"caf\xe9 ok", "not UTF-8 text (byte 0xe9 at offset 3); convert it to UTF-8"),
        (b"\xef\xbb\xbfcaf\xe9 ok", "not UTF-8 text (byte 0xe9 at offset 6); convert it to UTF-8"),
        (b"\xed\xa0\xbd", "not UTF-8 text (byte 0xed at offset 0); convert it to UTF-8"),
        (b"\xff\xfea", "not UTF-16 text (at offset 2); convert it to UTF-8"),
        (b"Hello\0world", "contains NUL bytes: not a text file"),
        ("The dam".encode("utf-16-le"), "contains NUL bytes: not a text file"),
        ("The dam".encode("utf-32"), "contains NUL bytes: not a text file"),
        (b"%PDF-1.7\n", "is a PDF file, not a text file"),
        (b"PK\x03\x04garbage", "is a ZIP archive or an office document, not a text file"),
        (b"\x89PNG\r\n\x1a\n", "is a PNG picture, not a text file"),
        (b"\x7fELF", "is a program, not a text file"),
        (b"\x1f\x8b\x08", "is a gzip archive, not a text file"),
    ],
)
def test_what_is_no_text(data: bytes, reason: str) -> None:
    with pytest.raises(Unusable) as raised:
        decode(data)
    assert str(raised.value) == reason


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.json", "a.html"])
def test_a_file_beyond_the_limit_is_rejected(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, "x" * 2_000_001)
    assert rejections(path, max_bytes=2_000_000) == [f"{path}: is larger than 2 MB"]


@pytest.mark.skipif(
    not os.path.exists("/proc/self/status"), reason="needs a file that is longer than its size"
)
def test_a_file_that_grows_is_read_to_the_limit_only() -> None:
    assert rejections(Path("/proc/self/status"), max_bytes=100) == [
        "/proc/self/status: is larger than 0.0001 MB"
    ]


def test_jsonl_is_an_article_a_line(tmp_path: Path) -> None:
    lines = [json.dumps({"title": "A", "text": "One."}), "", json.dumps({"id": "b", "text": "Two."}), " \r"]
    root = str(tmp_path.resolve())
    one, two = articles(write(tmp_path / "news.jsonl", "\n".join(lines)))
    assert (one.id, one.info.origin) == (article_id(root, "news.jsonl#1"), Origin(root, "news.jsonl#1"))
    assert (two.id, two.info.origin) == ("b", Origin(root, "news.jsonl#3"))


def test_a_bad_line_is_one_rejection(tmp_path: Path) -> None:
    lines = [
        '{"text": "One."}',
        "{bad}",
        '{"text": "Two."}',
        '{"title": "A"}',
        "[" * 100_000,
        '{"n": ' + "9" * 5000 + "}",
    ]
    path = write(
        tmp_path / "news.jsonl", "\n".join(lines).encode() + b'\n{"text": "\xff"}\n{"text": "One\0."}\n7'
    )
    assert rejections(path) == [
        f"{path}:2: is no JSON: Expecting property name enclosed in double quotes (column 2)",
        f"{path}:4: has no text",
        f"{path}:5: is nested too deeply",
        f"{path}:6: has a number with too many digits",
        f"{path}:7: not UTF-8 text (byte 0xff at offset 10); convert it to UTF-8",
        f"{path}:8: contains NUL bytes: not a text file",
        f'{path}:9: is no record: expected an object such as {{"title": "…", "text": "…"}}',
    ]


def test_a_bad_line_of_a_short_file_does_not_spoil_the_others(tmp_path: Path) -> None:
    path = write(tmp_path / "news.jsonl", '{"text": "One."}\n{"text": "T\0wo."}\n{"text": "Three."}\n')
    one, two, three = read(path)
    assert str(two) == f"{path}:2: contains NUL bytes: not a text file"
    assert isinstance(one, Article)
    assert isinstance(three, Article)


def test_jsonl_is_cut_at_line_feeds_alone(tmp_path: Path) -> None:
    path = write(tmp_path / "news.jsonl", '{"text": "a\u2028b\u0085c"}\r\n{"text": "d"}\r{"text": "e"}\n')
    article, rejected = read(path)
    assert isinstance(article, Article)
    assert article.text == "a\u2028b\u0085c"
    assert str(rejected) == f"{path}:2: is no JSON: Extra data (column 15)"


def test_a_line_beyond_the_limit_is_passed_over(tmp_path: Path) -> None:
    path = write(tmp_path / "news.jsonl", '{"text": "a"}\n' + "x" * 1000 + '\n{"text": "b"}\n' + "y" * 1000)
    result = [
        str(entry) if isinstance(entry, ArticleRejected) else entry.text
        for entry in read(path, max_bytes=100)
    ]
    assert result == ["a", f"{path}:2: is larger than 0.0001 MB", "b", f"{path}:4: is larger than 0.0001 MB"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_jsonl_with_a_byte_order_mark(tmp_path: Path, encoding: str) -> None:
    path = write(tmp_path / "news.jsonl", '{"text": "café"}\r\n{"text": "dam"}\r\n'.encode(encoding))
    assert [article.text for article in articles(path)] == ["café", "dam"]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.jsonl", "", "has no text"),
        ("a.jsonl", "\n \n", "has no text"),
        ("a.jsonl", "%PDF-1.7\n{}\n", "cannot be read as PDF: PdfStreamError"),
        ("a.jsonl", "PK\x03\x04{}\n", "is a ZIP archive or an office document, not a text file"),
        ("a.json", "[]", "has no text"),
        ("a.json", "{", "is no JSON: Expecting property name enclosed in double quotes (column 2)"),
        ("a.json", '{\n"text": x}', "is no JSON: Expecting value (line 2, column 9)"),
        ("a.json", '{"text": "x", "n": NaN}', "is no JSON: NaN"),
        ("a.json", '{"text": "x", "n": -Infinity}', "is no JSON: -Infinity"),
        ("a.json", "[" * 100_000, "is nested too deeply"),
    ],
)
def test_json_that_is_no_article(tmp_path: Path, name: str, content: str, reason: str) -> None:
    path = write(tmp_path / name, content)
    assert rejections(path) == [f"{path}: {reason}"]


def test_json_holds_one_record_or_a_list(tmp_path: Path) -> None:
    one = write(tmp_path / "one.json", '{"text": "One."}')
    many = write(tmp_path / "many.json", '[{"text": "Two."}, 3, {"text": "Four."}]')
    result = [
        str(entry) if isinstance(entry, ArticleRejected) else entry.info.origin.path
        for entry in read(one, many)
    ]
    reason = 'is no record: expected an object such as {"title": "…", "text": "…"}'
    assert result == ["one.json", "many.json#1", f"{many}#2: {reason}", "many.json#3"]


@pytest.mark.parametrize(
    ("path", "printable"),
    [
        ("a b/c.md", "a b/c.md"),
        ("café/東京.md", "café/東京.md"),
        ("new\nline\t.md", r"new\nline\t.md"),
        ("\u202egpj.txt", r"\u202egpj.txt"),
        ("\udcff.txt", r"\udcff.txt"),
    ],
)
def test_odd_names_are_written_with_escapes(path: str, printable: str) -> None:
    assert printable_path(path) == printable


HTML = "<!doctype html><meta name=date content=2024-07-28><h1>The dam</h1><p>It opened.</p>"


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("a.txt", HTML, "It opened."),
        ("a.md", HTML, "It opened."),
        ("a.html", "It opened.", "It opened."),
        ("a.pdf", HTML, "It opened."),
        ("a.md", '{"text": "It opened."}', "It opened."),
        ("a.json", '{"text": "It opened."}\n{"text": "It opened."}\n', "It opened."),
        ("a.jsonl", '{\n"text": "It opened."\n}', "It opened."),
        ("a.md", "*It* <b>opened</b>.", "It opened."),
        ("a.txt", "<p> is a tag.", "<p> is a tag."),
    ],
)
def test_the_content_decides_how_a_file_is_read(tmp_path: Path, name: str, content: str, text: str) -> None:
    assert {article.text for article in articles(write(tmp_path / name, content))} == {text}


@pytest.mark.parametrize("name", ["a.html", "a.rss", "a.txt", "a.pdf"])
def test_a_picture_is_no_article_whatever_it_is_called(tmp_path: Path, name: str) -> None:
    path = write(tmp_path / name, b"\x89PNG\r\n\x1a\n<p>Words.")
    assert rejections(path) == [f"{path}: is a PNG picture, not a text file"]


def test_a_page_is_the_article_of_its_file(tmp_path: Path) -> None:
    (article,) = articles(write(tmp_path / "dam.html", HTML))
    root = str(tmp_path.resolve())
    info = ArticleInfo(
        id=article_id(root, "dam.html"),
        origin=Origin(root, "dam.html"),
        title="The dam",
        published=Timestamp(date(2024, 7, 28)),
    )
    assert article == Article(info, "It opened.")


def feed(*entries: str) -> str:
    items = "".join(f"<item>{entry}</item>" for entry in entries)
    return f"<rss version='2.0'><channel><title>The Courier</title>{items}</channel></rss>"


def test_the_entries_of_a_feed_are_articles(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.xml", feed("<title>A</title><description>One.</description>", "<title>B</title>")
    )
    rejected, article = read(path)
    assert isinstance(article, Article)
    assert (article.info.origin.path, article.info.summary_only) == ("a.xml#1", True)
    assert str(rejected) == f"{path}#2: has no text"


def test_an_entry_in_two_feeds_is_read_once_in_its_newest_version(tmp_path: Path) -> None:
    def entry(text: str, day: int) -> str:
        return f"<guid>tag:x,1</guid><pubDate>2024-07-{day}</pubDate><description>{text}</description>"

    write(tmp_path / "1.xml", feed(entry("Newer.", 29), "<description>Without a name.</description>"))
    write(tmp_path / "2.xml", feed(entry("Older.", 28)))
    write(tmp_path / "z.txt")
    assert [article.text for article in articles(tmp_path)] == [TEXT, "Newer.", "Without a name."]


@settings(max_examples=50)  # some start a process
@given(st.sampled_from([".md", ".txt", ".json", ".jsonl", ".bin", ".pdf", ".xml"]), st.binary(max_size=200))
def test_any_bytes_are_an_article_or_rejected_in_one_line(
    tmp_path_factory: pytest.TempPathFactory, suffix: str, data: bytes
) -> None:
    path = write(tmp_path_factory.getbasetemp() / f"any{suffix}", data)
    for entry in read(path):
        if isinstance(entry, ArticleRejected):
            assert str(entry).isprintable()
        else:
            assert entry.text.strip() == entry.text != ""
