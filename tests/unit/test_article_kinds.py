"""What a file is: the beginning decides, the name is a hint."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.adapters.article_kinds import HEAD, SUFFIXES, Kind, kind_of, root_at

RECORD = '{"title": "A", "text": "One."}'


@pytest.mark.parametrize(
    ("suffix", "head", "kind"),
    [
        (".txt", "The dam opened.", Kind.PLAIN),
        (".md", "The dam opened.", Kind.MARKDOWN),
        (".markdown", "---\ntitle: A\n---\n", Kind.MARKDOWN),
        ("", "The dam opened.", Kind.PLAIN),
        (".log", "The dam opened.", Kind.PLAIN),
        (".txt", "", Kind.PLAIN),
        (".txt", "<!DOCTYPE html>\n<p>Words", Kind.HTML),
        (".txt", "\ufeff\n <html lang=en><p>Words", Kind.HTML),
        (".txt", "<!-- saved -->\n<!-- twice --><!doctype HTML>", Kind.HTML),
        (".md", '<?xml version="1.0"?><!DOCTYPE html PUBLIC "x"><html>', Kind.HTML),
        (".xml", "<html xmlns='x'>", Kind.HTML),
        (".html", "<p>The dam", Kind.HTML),
        (".htm", "Words <b>and</b> more", Kind.HTML),
        (".html", "The dam opened; 3 < 4 and 5 > 2.", Kind.PLAIN),
        (".html", RECORD, Kind.JSON),
        (".md", "<div align=center>\n\n# The dam\n", Kind.MARKDOWN),
        (".md", "<htmlish> is no tag", Kind.MARKDOWN),
        (".md", "<p>\nWords.", Kind.MARKDOWN),
        (".txt", "<p> is a tag.", Kind.PLAIN),
        (".txt", "A text about <!DOCTYPE html> and <rss>.", Kind.PLAIN),
        (".xml", '<?xml version="1.0"?>\n<rss version="2.0">', Kind.FEED),
        (".xml", "<rss>", Kind.FEED),
        (".txt", "<?xml version='1.0'?><!-- x --><feed xmlns='http://www.w3.org/2005/Atom'>", Kind.FEED),
        (".rss", "<?xml-stylesheet href='x'?><rdf:RDF xmlns='x'>", Kind.FEED),
        (".atom", "<atom:feed xmlns:atom='http://www.w3.org/2005/Atom'>", Kind.FEED),
        (".xml", '<!DOCTYPE rss PUBLIC "-//Netscape//DTD RSS 0.91//EN" "x.dtd"><rss>', Kind.FEED),
        (".html", "<rss version='2.0'>", Kind.FEED),
        (".rss", "The dam opened.", Kind.PLAIN),
        (".xml", '<!DOCTYPE rss [<!ENTITY a "b">]><rss>', Kind.XML),
        (".xml", "<?xml version='1.0'?><project>", Kind.XML),
        (".xml", "<urlset>", Kind.XML),
        (".txt", "<?xml version='1.0'?><feedback>", Kind.XML),
        (".pdf", "%PDF-1.7\n", Kind.PDF),
        (".txt", "%PDF-1.7\n", Kind.PDF),
        (".pdf", "The dam opened.", Kind.PLAIN),
        (".pdf", "<!doctype html>", Kind.HTML),
        (".json", RECORD, Kind.JSON),
        (".json", "no json", Kind.JSON),
        (".json", f"{RECORD}\n{RECORD}\n", Kind.JSON_LINES),
        (".json", '{\n"text": "One."}', Kind.JSON),
        (".json", f"[\n{RECORD}]", Kind.JSON),
        (".jsonl", f"{RECORD}\n", Kind.JSON_LINES),
        (".jsonl", "no json", Kind.JSON_LINES),
        (".jsonl", '{"text": "a line without an end', Kind.JSON_LINES),
        (".jsonl", '{"text": broken}\n{}', Kind.JSON_LINES),
        (".jsonl", '{\n  "text": "One."\n}', Kind.JSON),
        (".jsonl", f"[{RECORD}]", Kind.JSON),
        (".md", RECORD, Kind.JSON),
        (".txt", f"\n{RECORD}\n{RECORD}", Kind.JSON_LINES),
        (".txt", '{"text": "One."', Kind.JSON),
        (".md", "{curly} words", Kind.MARKDOWN),
        (".md", "[a link](x) and words", Kind.MARKDOWN),
        (".txt", '"quoted": words', Kind.PLAIN),
        (".txt", "[1] A note.", Kind.PLAIN),
    ],
)
def test_the_beginning_decides(suffix: str, head: str, kind: Kind) -> None:
    assert kind_of(suffix, head.encode()) is kind


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_does_not_hide_it(encoding: str) -> None:
    assert kind_of(".txt", "<!doctype html><p>é".encode(encoding)) is Kind.HTML


def test_the_root_is_found_behind_what_stands_before_it() -> None:
    text = "<?xml version='1.0'?>\n<!-- <rss> -->\n<!DOCTYPE rss SYSTEM 'x'>\n<rss>"
    assert text[root_at(text) :] == "<rss>"


@given(st.sampled_from([*sorted(SUFFIXES), ""]), st.binary(max_size=100))
def test_any_bytes_have_a_kind(suffix: str, head: bytes) -> None:
    assert isinstance(kind_of(suffix, head), Kind)


@pytest.mark.parametrize("head", ["<!--", "<?", "<", "[{", '{"', '{"\\', " ", "<!doctype x ", "<a"])
def test_no_beginning_takes_long(head: str) -> None:
    for suffix in (".html", ".jsonl", ".txt"):
        kind_of(suffix, (head * HEAD)[:HEAD].encode())
