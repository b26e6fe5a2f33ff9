"""Articles of RSS and Atom files."""

from __future__ import annotations

import sys
import time

import pytest

from assistant.adapters.article_formats import Draft, Facts, Unusable
from assistant.adapters.feed_articles import MAX_ENTRIES, entry_id, read_feed

RSS = """<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/"
 xmlns:dc="http://purl.org/dc/elements/1.1/"><channel>
<title>The Courier</title><link>https://courier.example/</link><language>en-gb</language>
<item><title>Dam &amp;amp; river</title><link>https://courier.example/dam</link>
<guid isPermaLink="false">17</guid><pubDate>Sun, 28 Jul 2024 10:00:00 +0900</pubDate>
<dc:creator>Ada Writer</dc:creator><description>In &lt;b&gt;short&lt;/b&gt;.</description>
<content:encoded><![CDATA[<p>The dam <a href="https://x.example">opened</a>.</p>
<p>It cost 4&nbsp;billion.</p>]]></content:encoded></item>
<item><title>Ferry</title><link>javascript:alert(1)</link><author>desk@courier.example (Bo Writer)</author>
<pubDate>03/04/2024</pubDate>
<description>Only &lt;i&gt;a summary&lt;/i&gt;, 3 &amp;lt; 4.</description></item>
</channel></rss>"""
ATOM = """<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom" xml:lang="de">
<title>Kurier</title><id>tag:kurier.example,2024:feed</id>
<entry><id>tag:kurier.example,2024:1</id><title type="html">Der &lt;i&gt;Damm&lt;/i&gt;</title>
<link href="https://kurier.example/1"/><published>2024-07-28T10:00:00Z</published>
<updated>2024-07-29T10:00:00Z</updated><author><name>A. B.</name></author><author><name>C. D.</name></author>
<summary>Kurz.</summary><content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>Eins
<b>zwei</b>.</p><p>Drei.</p></div></content></entry>
<entry><id>x</id><title>B</title><updated>2024-07-30</updated>
<summary type="text">a &lt;b&gt; c</summary></entry>
</feed>"""


def drafts(source: str | bytes) -> list[Draft]:
    found = read_feed(source if isinstance(source, bytes) else source.encode())
    return [one.draft() for one in found]


def item(inner: str, feed: str = "<title>The Courier</title>") -> Draft:
    content = 'xmlns:content="http://purl.org/rss/1.0/modules/content/"'
    (only,) = drafts(f"<rss version='2.0' {content}><channel>{feed}<item>{inner}</item></channel></rss>")
    return only


def reason(source: str | bytes) -> str:
    with pytest.raises(Unusable) as raised:
        drafts(source)
    return str(raised.value)


def test_an_rss_file_gives_its_entries() -> None:
    home = {"link": "https://courier.example/"}
    assert drafts(RSS) == [
        Draft(
            Facts(
                id=entry_id("17", home),
                title="Dam & river",
                outlet="The Courier",
                author="Ada Writer",
                url="https://courier.example/dam",
                published="Sun, 28 Jul 2024 10:00:00 +0900",
                language="en",
            ),
            "The dam opened.\n\nIt cost 4 billion.",
        ),
        Draft(
            Facts(
                id=entry_id("javascript:alert(1)", home),
                title="Ferry",
                outlet="The Courier",
                author="Bo Writer",
                language="en",
                summary_only=True,
            ),
            "Only a summary, 3 < 4.",
        ),
    ]


def test_an_atom_file_gives_its_entries() -> None:
    feed = {"id": "tag:kurier.example,2024:feed"}
    assert drafts(ATOM) == [
        Draft(
            Facts(
                id=entry_id("tag:kurier.example,2024:1", {}),
                title="Der Damm",
                outlet="Kurier",
                author="A. B., C. D.",
                url="https://kurier.example/1",
                published="2024-07-28T10:00:00Z",
                updated="2024-07-29T10:00:00Z",
                language="de",
            ),
            "Eins zwei.\n\nDrei.",
        ),
        Draft(
            Facts(
                id=entry_id("x", feed),
                title="B",
                outlet="Kurier",
                published="2024-07-30",
                language="de",
                summary_only=True,
            ),
            "a <b> c",
        ),
    ]


@pytest.mark.parametrize(
    "hidden",
    [
        "<p hidden>Secret.</p>",
        "<div style='display: none'><div>Secret.</div> Secret.</div>",
        "<span style=display:none>Secret.</span>",
        "<script>Secret.</script>",
        "<style>Secret.</style>",
        "<template><p>Secret.</p></template>",
        "<!-- Secret. -->",
        "<img alt='Secret.'>",
        "<a href='https://secret.example/Secret'></a>",
    ],
)
def test_what_is_not_shown_is_not_read(hidden: str) -> None:
    assert item(f"<content:encoded><![CDATA[<p>One.</p>{hidden}<p>Two.</p>]]></content:encoded>").text == (
        "One.\n\nTwo."
    )


@pytest.mark.parametrize(
    ("inner", "text", "summary_only"),
    [
        ("<description>A.</description><content:encoded>B.</content:encoded>", "B.", False),
        ("<content:encoded>B.</content:encoded><description>A.</description>", "B.", False),
        ("<description>A.</description><content:encoded> </content:encoded>", "A.", True),
        ("<description>A.</description>", "A.", True),
        ("<content:encoded>B.</content:encoded>", "B.", False),
    ],
)
def test_full_content_is_preferred_and_a_summary_is_marked(inner: str, text: str, summary_only: bool) -> None:
    draft = item(f"<title>T</title>{inner}")
    assert (draft.text, draft.facts.summary_only) == (text, summary_only)


@pytest.mark.parametrize(
    ("authors", "byline"),
    [
        ("<author>Bo Writer</author>", "Bo Writer"),
        ("<author>bo@courier.example (Bo Writer)</author>", "Bo Writer"),
        ("<author>Bo Writer &lt;bo@courier.example&gt;</author>", "Bo Writer"),
        ("<author>Bo Writer (Tokyo)</author>", "Bo Writer (Tokyo)"),
        ("<author>bo@courier.example</author>", None),
        ("<author></author>", None),
    ],
)
def test_a_byline_is_a_name(authors: str, byline: str | None) -> None:
    assert item(f"{authors}<description>A.</description>").facts.author == byline


@pytest.mark.parametrize("name", ["https://a.example/1", "tag:a.example,2024:1", "urn:uuid:1"])
def test_a_name_that_is_unique_in_the_world_is_one_article_in_all_feeds(name: str) -> None:
    assert entry_id(name, {"title": "World"}) == entry_id(name, {"title": "Europe"})
    assert len(entry_id(name, {})) == 16


def test_any_other_name_belongs_to_its_feed() -> None:
    assert entry_id("1", {"title": "World"}) != entry_id("1", {"title": "Europe"})
    assert entry_id("1", {"id": "x", "title": "old"}) == entry_id("1", {"id": "x", "title": "new"})
    assert entry_id("1", {}) == entry_id("", {"title": "World"}) == ""


def test_a_name_that_two_entries_of_a_file_have_names_none() -> None:
    entry = "<item><guid>1</guid><description>One.</description></item>"
    found = drafts(f"<rss><channel><title>T</title>{entry}{entry}</channel></rss>")
    assert [draft.facts.id for draft in found] == [None, None]


def test_a_feed_in_another_encoding() -> None:
    entry = "<item><description>café –</description></item>"
    source = f"<?xml version='1.0' encoding='iso-8859-1'?><rss><channel>{entry}</channel></rss>"
    assert [draft.text for draft in drafts(source.encode("cp1252"))] == ["café –"]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("<rss><channel></channel></rss>", "is a feed without entries"),
        ("", "is a feed without entries"),
        ("http://127.0.0.1:9/", "is a feed without entries"),
        ("/etc/hostname", "is a feed without entries"),
        ('<!DOCTYPE rss [<!ENTITY a "b">]><rss/>', "declares XML entities, which are not read"),
        (
            f"<rss><channel>{'<item><title>x</title></item>' * (MAX_ENTRIES + 1)}</channel></rss>",
            f"is a feed with more than {MAX_ENTRIES:,} entries",
        ),
    ],
)
def test_what_has_no_entries_is_refused(source: str, expected: str) -> None:
    assert reason(source) == expected


def test_no_file_is_opened_for_bytes_that_are_a_path() -> None:
    assert reason(__file__.encode()) == "is a feed without entries"


@pytest.mark.parametrize(
    "source",
    [
        "<?xml version='1.0'?>"
        + "\n" * 200_000
        + "<rss><channel><item><description>x</description></item></channel></rss>",
        "<rss><channel><item><description>x" + "&" * 300_000,
        "<rss><channel><item><description>x" + "<a " * 30_000,
        "<rss><channel><item><description>x" + "&lt;div hidden&gt;" * 30_000,
        "<rss><channel><item><description>x" + "<div>" * 10_000,
    ],
)
def test_a_hostile_feed_ends_in_time(source: str) -> None:
    began = time.perf_counter()
    assert read_feed(source.encode())
    assert time.perf_counter() - began < 5


def test_without_the_extra_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "feedparser", None)
    assert reason(RSS) == "needs the extra \"feed\": pip install 'cited-assistant[feed]'"
