"""The article of a web page: what one sees, and what the page says of it."""

from __future__ import annotations

import sys
import time
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from assistant.adapters.article_formats import Draft, Facts, Unusable
from assistant.adapters.html_articles import MAX_ATTRIBUTES, MAX_DEPTH, MAX_TAGS, read_html
from assistant.domain.articles import Timestamp

WORDS = "The dam opened on Monday, officials said, after ten years of work on the river."


def draft(source: str | bytes) -> Draft:
    (found,) = read_html(source if isinstance(source, bytes) else source.encode())
    return found.draft()


def page(body: str, head: str = "") -> Draft:
    return draft(f"<!doctype html><html><head>{head}</head><body><article>{body}</article></body></html>")


def reason(source: str) -> str:
    with pytest.raises(Unusable) as raised:
        read_html(source.encode())
    return str(raised.value)


PAGE = f"""<!DOCTYPE html>
<html lang="en-GB"><head><meta charset="utf-8"><title>The dam opens | The Courier</title>
<link rel="canonical" href="https://courier.example/dam"><base href="https://courier.example/">
<meta property="og:title" content="The dam opens"><meta property="og:site_name" content="The Courier">
<script type="application/ld+json">{{"@context": "https://schema.org", "@graph": [
 {{"@type": "WebSite", "name": "The Courier", "datePublished": "2001-01-01"}},
 {{"@type": "NewsArticle", "headline": "The dam opens", "datePublished": "2024-07-28T10:00:00+09:00",
   "dateModified": "2024-07-29", "author": [{{"@type": "Person", "name": "Ada Writer"}},
   {{"@type": "Person", "name": "Bo Writer"}}], "articleBody": "Words that nobody sees."}}]}}</script>
</head><body><nav><a href="/">Home</a> <a href="/world">World</a></nav>
<article><h1>The dam opens</h1><p>{WORDS}</p>
<p>It <a href="https://elsewhere.example/x">cost 4 billion</a>,<br>twice the plan.</p>
<ul><li>Ten years</li><li>Two <b>rivers</b></li></ul><h2>Background</h2>
<blockquote><p>“It is a great day.”</p></blockquote>
<table><tr><th>City</th><th>Metres</th></tr><tr><td>Ada</td><td>12</td></tr></table>
<p>Rain had fallen for weeks before, and the river had risen by three metres in the valley.</p></article>
<div id="comments"><p>First! I never believed in this dam, and neither does my neighbour.</p></div>
<footer>© 2019 The Courier</footer></body></html>"""


def test_a_page_gives_title_dates_outlet_authors_and_address() -> None:
    moment = datetime(2024, 7, 28, 10, tzinfo=timezone(timedelta(hours=9)))
    assert draft(PAGE).facts == Facts(
        title="The dam opens",
        outlet="The Courier",
        author="Ada Writer, Bo Writer",
        url="https://courier.example/dam",
        published=moment.isoformat(),
        updated="2024-07-29",
        language="en",
    )
    assert draft(PAGE).facts.published == Timestamp(moment.date(), moment)


def test_the_text_is_the_article_with_its_paragraphs_lists_and_tables() -> None:
    assert draft(PAGE).text.split("\n\n") == [
        WORDS,
        "It cost 4 billion,\ntwice the plan.",
        "- Ten years\n- Two rivers",
        "Background",
        "“It is a great day.”",
        "City\tMetres\nAda\t12",
        "Rain had fallen for weeks before, and the river had risen by three metres in the valley.",
    ]


@pytest.mark.parametrize(
    "hidden",
    [
        "<p hidden>Secret.</p>",
        "<p HIDDEN=''>Secret.</p>",
        "<div hidden=until-found><p>Secret.</p></div>",
        "<p style='display:none'>Secret.</p>",
        "<div style='color: red; DISPLAY : none !important'><div><p>Secret.</p></div></div>",
        "<p style='display/**/:none'>Secret.</p>",
        "<p style='display&#58;none'>Secret.</p>",
        "<p style='visibility: hidden'>Secret.</p>",
        "<p style='font-size:0px'>Secret.</p>",
        "<template><p>Secret.</p></template>",
        "<script>Secret.</script>",
        "<style>Secret.</style>",
        "<noscript><p>Secret.</p></noscript>",
        "<!-- <p>Secret.</p> -->",
        "<!--[if IE]><p>Secret.</p><![endif]-->",
        "<svg><text>Secret.</text></svg>",
        "<iframe>Secret.</iframe>",
        "<textarea>Secret.</textarea>",
        "<img alt='Secret.' src=x>",
        "<?php Secret. ?>",
    ],
)
def test_what_is_not_shown_is_not_read(hidden: str) -> None:
    text = page(f"<p>{WORDS}</p>{hidden}<p>{WORDS} Again.</p>").text
    assert "Secret" not in text
    assert text.startswith(WORDS)
    assert text.endswith("Again.")


@pytest.mark.parametrize(
    "style", ["display:block", "font-size:0.9em", "font-size:10px", "visibility:visible"]
)
def test_what_is_shown_is_read(style: str) -> None:
    assert "Shown." in page(f"<p>{WORDS}</p><p style='{style}'>Shown.</p><p>{WORDS} Again.</p>").text


@pytest.mark.parametrize(
    ("head", "facts"),
    [
        ('<meta property="article:published_time" content="2024-07-28">', {"published": "2024-07-28"}),
        ('<meta name="DC.date.issued" content="28 July 2024">', {"published": "2024-07-28"}),
        ('<meta itemprop="datePublished" content="2024/07/28">', {"published": "2024-07-28"}),
        ('<meta name="date" content="03/04/2024">', {"published": None}),
        ('<meta name="date" content="1970-01-01T00:00:00Z">', {"published": None}),
        ('<meta name="date" content="0001-01-01">', {"published": None}),
        ('<meta name="copyright-year" content="2024"><title>28 July 2024</title>', {"published": None}),
        ('<meta property="article:modified_time" content="2024-07-28">', {"updated": "2024-07-28"}),
        ('<script type="application/ld+json">{"datePublished": "2024-0</script>', {"published": None}),
        ('<script type="application/ld+json">[7, "x", null]</script>', {"published": None}),
        ('<link rel="canonical" href="/dam">', {"url": None}),
        ('<link rel="canonical" href="javascript:alert(1)">', {"url": None}),
        ('<base href="https://courier.example/">', {"url": None}),
        (
            '<meta property="og:url" content="https://courier.example/a">',
            {"url": "https://courier.example/a"},
        ),
        ('<link rel="canonical" href="https://courier.example/a">', {"outlet": None}),
        (f'<meta name="author" content="{"x y " * 1000}">', {"author": None}),
    ],
)
def test_what_a_page_states_badly_is_absent(head: str, facts: dict[str, str | None]) -> None:
    read = page(f"<p>{WORDS}</p>", head).facts
    known: dict[str, Any] = {name: getattr(read, name) for name in facts}
    assert {
        name: value.isoformat() if isinstance(value, Timestamp) else value for name, value in known.items()
    } == facts


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("<p>café".encode(), "café"),
        ("<meta charset=utf-8><p>café".encode("latin-1"), "café"),
        ("<meta charset=iso-8859-1><p>“café”".encode("cp1252"), "“café”"),
        ("<meta charset=latin1><p>café".encode(), "café"),
        ("<p>café".encode("utf-16"), "café"),
        ("<meta http-equiv=Content-Type content='text/html; charset=GB2312'><p>你好".encode("gbk"), "你好"),
        ("<?xml version='1.0' encoding='Shift_JIS'?><html><p>ダム".encode("cp932"), "ダム"),
        ("<meta charset=iso-2022-jp><p>ダム".encode("iso-2022-jp"), "ダム"),
        (b"<meta charset=utf-7><p>+ADw-b+AD4-", "+ADw-b+AD4-"),
        (b"<meta charset=zlib><p>words", "words"),
        (b"<p>a&#xD800;b &#0; c\0d \xed\xa0\x80", None),
    ],
)
def test_encodings(source: bytes, text: str | None) -> None:
    read = draft(source).text
    assert "\0" not in read
    assert read.encode()
    assert text is None or read == text


def test_an_encoding_that_nobody_declares_is_not_guessed() -> None:
    with pytest.raises(Unusable, match="convert it to UTF-8"):
        read_html("<p>Плотина открылась".encode("koi8-r"))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("", "has no text"),
        ("<html></html>", "has no text"),
        ("<script>document.write('x')</script>", "has no text"),
        ("<frameset><frame src='file:///etc/passwd'></frameset>", "has no text"),
        ("<p>" * (MAX_TAGS + 1), f"has more than {MAX_TAGS:,} HTML tags: too many for one article"),
        ("<div>" * (MAX_DEPTH + 9) + "x", f"has more than {MAX_DEPTH} HTML elements inside each other"),
        (
            f"<p {' '.join(f'a{number}=1' for number in range(MAX_ATTRIBUTES + 1))}>x",
            f"has an HTML element with more than {MAX_ATTRIBUTES:,} attributes",
        ),
    ],
)
def test_a_page_without_an_article_or_beyond_measure_is_refused(source: str, expected: str) -> None:
    assert reason(source) == expected


@pytest.mark.parametrize(
    "source",
    [
        "<p>" + "a@" * 100_000,
        "<p>" + " \n" * 500_000 + "x",
        "<p>x" + "<p" * 30_000,
        "<title>" + " - " * 50_000 + f"</title><p>{WORDS}",
        '<script type="application/ld+json">{"author":"' + '\\"' * 200_000 + f"</script><p>{WORDS}",
        f"<p title='{'x ' * 50_000}'>{WORDS}",
    ],
)
def test_a_hostile_page_is_read_in_time(source: str) -> None:
    began = time.perf_counter()
    assert draft(source).text
    assert time.perf_counter() - began < 5


def test_entities_and_files_are_not_expanded() -> None:
    source = f'<!DOCTYPE html [<!ENTITY e SYSTEM "file:///etc/hostname">]><html><p>{WORDS} [&e;]</p></html>'
    assert "[&e;]" in draft(source).text


def test_without_the_extra_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "trafilatura", None)
    assert reason(PAGE) == "needs the extra \"html\": pip install 'cited-assistant[html]'"
