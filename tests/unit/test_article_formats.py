"""What front matter, Markdown and records say."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.adapters.article_formats import (
    Draft,
    Facts,
    Found,
    Unusable,
    parse_json,
    read_markdown,
    read_plain,
    read_record,
)
from assistant.domain.articles import Article, ArticleInfo, Origin, Timestamp, article_id

ORIGIN = Origin("root", "a.md")


def front(lines: str) -> Facts:
    return read_markdown(f"---\n{lines}\n---\nText.").facts


def text(markdown: str) -> str:
    return read_markdown(markdown).text


def reason(markdown: str) -> str:
    with pytest.raises(Unusable) as raised:
        read_markdown(markdown)
    return str(raised.value)


def record_reason(value: object) -> str:
    with pytest.raises(Unusable) as raised:
        read_record(value)
    return str(raised.value)


FULL = """\
---
id: dam-1
title: "The dam: it opened"
outlet: The Courier
url: https://example.org/dam?x=1#top
published: 2024-07-28
updated: 2024-07-29T11:20:00+09:00
author: [A. Writer, B. Writer]
corrects: dam-0
fiction: true
language: ja
tags: [water, power]
draft: {by: nobody}
---

The dam opened.
"""


def test_front_matter_states_the_facts() -> None:
    moment = datetime(2024, 7, 29, 11, 20, tzinfo=timezone(timedelta(hours=9)))
    info = ArticleInfo(
        id="dam-1",
        origin=ORIGIN,
        title="The dam: it opened",
        outlet="The Courier",
        author="A. Writer, B. Writer",
        url="https://example.org/dam?x=1#top",
        published=Timestamp(date(2024, 7, 28)),
        updated=Timestamp(moment.date(), moment),
        corrects="dam-0",
        language="ja",
        fiction=True,
    )
    assert read_markdown(FULL).article(ORIGIN) == Article(info, "The dam opened.")


@pytest.mark.parametrize("ends", ["\r\n", "\r"])
def test_line_ends_do_not_matter(ends: str) -> None:
    assert read_markdown(FULL.replace("\n", ends)) == read_markdown(FULL)


def test_facts_that_are_absent_stay_so() -> None:
    info = ArticleInfo(id=article_id("root", "a.md"), origin=ORIGIN)
    assert read_markdown("The dam opened.").article(ORIGIN) == Article(info, "The dam opened.")
    assert read_markdown("---\n---\nThe dam opened.").article(ORIGIN) == Article(info, "The dam opened.")
    assert read_markdown("---\ntitle:\nurl: ~\nauthor: ''\nid: null\n---\nThe dam opened.").facts == Facts()


@pytest.mark.parametrize(
    ("lines", "facts"),
    [
        ("title: 1984", {"title": "1984"}),
        ("title: 007", {"title": "007"}),
        ("title: yes", {"title": "yes"}),
        ("title: 2024-07-28", {"title": "2024-07-28"}),
        ("title: |\n  two\n  lines", {"title": "two lines"}),
        ('title: "hid\\u200bden\\u202e"', {"title": "hidden"}),
        ("id: 0123", {"id": "0123"}),
        ("id: ' x '", {"id": "x"}),
        ("language: no", {"language": "no"}),
        ("author: A", {"author": "A"}),
        ("author: []", {"author": None}),
        ("date: 2024-07-28", {"published": Timestamp(date(2024, 7, 28))}),
        ("date: 2023-01-01\npublished: 2024-07-28", {"published": Timestamp(date(2024, 7, 28))}),
        ("date: 2024-07-28\npublished:", {"published": Timestamp(date(2024, 7, 28))}),
        ("fiction: no", {"fiction": False}),
        ("fiction: 'True'", {"fiction": True}),
        ("title: a\ntitle: b", {"title": "b"}),
        ("# only a comment", {}),
        ("url: HTTP://example.org", {"url": "HTTP://example.org"}),
    ],
)
def test_values_are_read_as_written(lines: str, facts: dict[str, object]) -> None:
    assert {name: getattr(front(lines), name) for name in facts} == facts


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("published: foo", "published: 'foo' is no date; write YYYY-MM-DD"),
        ("date: 2024-02-30", "date: '2024-02-30' is no date; write YYYY-MM-DD"),
        ("updated: [2024-07-28]", "updated: must be one text, not a list or a mapping"),
        ("title: [a]", "title: must be one text, not a list or a mapping"),
        ("title: {a: b}", "title: must be one text, not a list or a mapping"),
        (f"title: {'x' * 3000}", "title: is longer than 2000 characters"),
        ("author: [{name: A}]", "author: must be one text, not a list or a mapping"),
        ("fiction: perhaps", "fiction: 'perhaps' is neither true nor false"),
        ("id: ''", "id: must be a text of 1 to 200 characters"),
        (f"id: {'x' * 201}", "id: must be a text of 1 to 200 characters"),
        ('id: "a\\nb"', r"id: 'a\nb' holds a line break or an invisible character"),
        ('id: "a\\eb"', r"id: 'a\x1bb' holds a line break or an invisible character"),
        ("id: [a]", "id: must be a text of 1 to 200 characters"),
        (
            "url: 7\npublished: soon",
            "url: '7' is no full http or https address; published: 'soon' is no date; write YYYY-MM-DD",
        ),
    ],
)
def test_a_fact_that_cannot_be_read_is_told(lines: str, expected: str) -> None:
    assert reason(f"---\n{lines}\n---\nText.") == expected


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
        "//example.org/a",
        "/a",
        "example.org",
        "http:",
        "http://",
        "http://[::1",
        "http://example.org:99999",
        "https://example.org/a b",
        "https://example.org/<x>",
        "ftp://example.org",
    ],
)
def test_only_full_web_addresses_are_taken(url: str) -> None:
    assert record_reason({"text": "x", "url": url}) == f"url: {url!r} is no full http or https address"


MOMENT = datetime(2024, 7, 28, 10, 0, 5)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2024-07-28T10:00:05", MOMENT),
        ("2024-07-28 10:00:05", MOMENT),
        ("2024-07-28T10:00:05Z", MOMENT.replace(tzinfo=UTC)),
        ("2024-07-28 10:00:05 UTC", MOMENT.replace(tzinfo=UTC)),
        ("2024-07-28T10:00:05.250Z", MOMENT.replace(microsecond=250_000, tzinfo=UTC)),
        ("2024-07-28 10:00:05 -0400", MOMENT.replace(tzinfo=timezone(timedelta(hours=-4)))),
        ("2024-07-28T10:00:05+09", MOMENT.replace(tzinfo=timezone(timedelta(hours=9)))),
        ("2024-07-28T10:00", MOMENT.replace(second=0)),
        ("2024/07/28 10:00", MOMENT.replace(second=0)),
        ("28 July 2024 10:00", MOMENT.replace(second=0)),
        ("28 July 2024 10:00 am", MOMENT.replace(second=0)),
        ("28 Jul 2024, 10:00 PM", MOMENT.replace(hour=22, second=0)),
        ("July 28, 2024 12:05 a.m.", MOMENT.replace(hour=0, minute=5, second=0)),
        ("July 28, 2024 at 12:05 p.m.", MOMENT.replace(hour=12, minute=5, second=0)),
        ("July 28, 2024, 10:00:05 EDT", MOMENT.replace(tzinfo=timezone(timedelta(hours=-4)))),
        ("July 28, 2024 10:00:05 +09:00", MOMENT.replace(tzinfo=timezone(timedelta(hours=9)))),
        ("July 28, 2024 10:00:05 -0330", MOMENT.replace(tzinfo=timezone(-timedelta(hours=3, minutes=30)))),
        ("28 July 2024 10:00:05 UTC", MOMENT.replace(tzinfo=UTC)),
        ("Sun, 28 Jul 2024 10:00:05 GMT", MOMENT.replace(tzinfo=UTC)),
        ("Sun, 28 Jul 2024 10:00:05 +0200", MOMENT.replace(tzinfo=timezone(timedelta(hours=2)))),
        ("28 Jul 2024 10:00", MOMENT.replace(second=0)),
    ],
)
def test_moments(written: str, expected: datetime) -> None:
    assert front(f"published: '{written}'").published == Timestamp(expected.date(), expected)


@pytest.mark.parametrize(
    "written",
    [
        "2024-07-28",
        " 2024-07-28 ",
        "2024/07/28",
        "2024.07.28",
        "July 28, 2024",
        "july 28 2024",
        "Jul. 28, 2024",
        "28 July 2024",
        "28. Jul 2024",
        "28th July 2024",
        "Sunday, July 28, 2024",
        "Sun, 28 Jul 2024",
    ],
)
def test_days_are_given_no_time(written: str) -> None:
    assert front(f"published: '{written}'").published == Timestamp(date(2024, 7, 28))


@pytest.mark.parametrize(
    "written",
    [
        "20240728",
        "1722124800",
        "28/07/2024",
        "03/04/2024",
        "2024-07/28",
        "28.07.2024",
        "28 July 2024 13:00 pm",
        "28 July 2024 0:30 am",
        "28 July 2024 24:00",
        "2024-7-5",
        "2024",
        "July 2024",
        "ju 3, 2024",
        "31 June 2024",
        "٢٠٢٤-٠٧-٢٨",
        "2024-07-28T25:00",
        "yesterday",
        "2024-W30",
        "Sun, 28 Jul 2024 10:00:05 +9999",
    ],
)
def test_what_is_no_date(written: str) -> None:
    assert record_reason({"text": "x", "date": written}) == f"date: {written!r} is no date; write YYYY-MM-DD"


@pytest.mark.parametrize("written", ["0024-07-28", "0001-01-01T00:00:00Z", "9999-12-31", "1599-12-31"])
def test_a_year_without_news_is_told(written: str) -> None:
    expected = f"date: {written!r} is no date of news: years go from 1600 to 2199"
    assert record_reason({"text": "x", "date": written}) == expected


def test_what_nobody_was_asked_for_is_absent_when_it_cannot_be_read() -> None:
    stated: dict[str, str | bool] = {
        "title": "A",
        "author": "x" * 3000,
        "url": "javascript:alert(1)",
        "published": "03/04/2024",
        "updated": "1970-01-01T01:00:00+01:00",
        "language": "EN-us",
        "summary_only": True,
    }
    assert Found(stated, " One\r\nline. ").draft() == Draft(
        Facts(title="A", language="en", summary_only=True), "One\nline."
    )


def test_front_matter_and_records_may_say_that_they_are_summaries() -> None:
    assert front("summary_only: yes").summary_only
    assert read_record({"text": "x", "summary_only": True}).article(ORIGIN).info.summary_only
    assert record_reason({"text": "x", "summary_only": 7}) == "summary_only: '7' is neither true nor false"


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("---\nid: x\ntitle: The dam: it opened\n---\nText.", "line 3: mapping values are not allowed here"),
        ("---\ntitle: *important*\n---\nText.", "line 2: expected alphabetic"),
        ("---\na: &a [x]\nb: *a\n---\nText.", "line 2: anchors (&) and aliases (*) are not read"),
        (
            "---\nx: 1\ntitle: !!python/name:os.system\n---\nText.",
            "line 3: could not determine a constructor",
        ),
        ("---\nfine: 1\nbell: \x07\n---\nText.", "line 3: a character that YAML does not allow"),
        ("---\n- a\n- b\n---\nText.", "front matter is no mapping"),
        ("---\njust words\n---\nText.", "front matter is no mapping"),
        ("---\n" + "[" * 5000 + "\n---\nText.", "front matter is nested too deeply"),
        ("---\n" + "a: b\n" * 20_000 + "---\nText.", "front matter is longer than 64,000 characters"),
        ("---\ntitle: never closed\n\nText.", "front matter has no closing line ---"),
    ],
)
def test_broken_front_matter_is_told_with_its_line(markdown: str, expected: str) -> None:
    assert expected in reason(markdown)


def test_a_ruled_line_at_the_top_is_no_front_matter() -> None:
    assert text("---\n\nText.") == "Text."
    assert text("Text.\n\n---\n\nid: x\n\n---\n") == "Text.\n\nid: x"


def test_three_dots_close_front_matter_as_well() -> None:
    assert read_markdown("---\ntitle: A\n...\nText.").article(ORIGIN).text == "Text."


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("One\ntwo.\n\n\n\nThree.", "One two.\n\nThree."),
        ("One.  \nTwo.\\\nThree.", "One.\nTwo.\nThree."),
        ("## Section\nWords.\n\nTop\n---\nMore.", "Section\n\nWords.\n\nTop\n\nMore."),
        ("*a* __b__ `c  d` ***e***", "a b c d e"),
        ("See [the report](http://x 'title') and [it][1].\n\n[1]: http://y", "See the report and it."),
        ("<https://example.org/a>", "https://example.org/a"),
        ("A ![picture](x.png) B", "A B"),
        ("![only a picture](x.png)\n\nWords.", "Words."),
        ("Tom &amp; Jerry &copy; &#8364; \\*stars\\*", "Tom & Jerry © € *stars*"),
        ("a&#13;b&#10;c", "a\nb\nc"),
        ("- one\n- two\n  lines\n- three", "- one\n- two lines\n- three"),
        ("- one\n\n- two", "- one\n- two"),
        ("Before:\n- one\n  - inner\n\nAfter.", "Before:\n\n- one\n- inner\n\nAfter."),
        ("- one\n\n  more\n- two", "- one\n\nmore\n\n- two"),
        ("- ![x](y)\n- two", "- two"),
        ("3. c\n3. d\n\n1) e", "3. c\n4. d\n\n1. e"),
        ("- a\n\n* b", "- a\n\n- b"),
        ("> quoted\n> words\n\nand more", "quoted words\n\nand more"),
        ("```py\nx  = 1\n\ny\n```\nAfter.", "x  = 1\n\ny\n\nAfter."),
        ("Before\n\n    code\n      more", "Before\n\ncode\n  more"),
        ("|City|Metres|\n|-|-:|\n|Ada|*12*|\n|Bo||", "City\tMetres\nAda\t12\nBo"),
        ("a <b>b</b><!-- c --> <span class='x'>d</span>e", "a b de"),
        ("a<br>b", "a\nb"),
        ("a <script>alert(1)</script> b <style>p {}</style> c", "a b c"),
        ("<!-- hidden\n\nwords -->\n\nSeen.", "Seen."),
        ("<script>\nalert(1)\n\n</script>\n\nSeen.", "Seen."),
        ("<div>\n\nSeen *here*.\n\n</div>", "Seen here."),
        ("<table><tr><td>a &lt; b</td><td><i>c</i>d</td></tr></table>", "a < b\n\ncd"),
        ("<p title='x > y'>a<!-- b --><style>c</style></p>", "a"),
        ("<p>a\n<script>never closed", "a"),
        ("a<b and 3 < 4 > 2", "a<b and 3 < 4 > 2"),
        ("a <span style='display: none'>b</span> c", "a c"),
        ("<p hidden>a</p>\n<p class='hidden'>b</p>", "b"),
        ("<div style=display:none><div>a</div> b</div><p>c</p>", "c"),
        ("<img hidden><p>c</p>", "c"),
        ("Fußball – 東京 😀", "Fußball – 東京 😀"),
    ],
)
def test_markdown_is_stored_as_the_words_that_one_sees(markdown: str, expected: str) -> None:
    assert text(markdown) == expected


@pytest.mark.parametrize(
    ("markdown", "title", "expected"),
    [
        ("# The *dam*\n\nIt opened.", "The dam", "It opened."),
        ("The dam\n=====\nIt opened.", "The dam", "It opened."),
        ("---\ntitle: The dam\n---\n# The dam\n\nIt opened.", "The dam", "It opened."),
        ("---\ntitle: Another\n---\n# The dam\n\nIt opened.", "Another", "The dam\n\nIt opened."),
        ("![x](y)\n\n# The dam\n\nIt opened.", "The dam", "It opened."),
        ("It opened.\n\n# Background\n\nOld.", None, "It opened.\n\nBackground\n\nOld."),
        ("## Section\n\nWords.", None, "Section\n\nWords."),
        ("# One\n\nA.\n\n# Two\n\nB.", "One", "A.\n\nTwo\n\nB."),
        (f"# {'x' * 3000}\n\nA.", None, f"{'x' * 3000}\n\nA."),
    ],
)
def test_the_heading_at_the_top_is_the_title(markdown: str, title: str | None, expected: str) -> None:
    draft = read_markdown(markdown)
    assert (draft.facts.title, draft.text) == (title, expected)


@pytest.mark.parametrize(
    "markdown",
    ["", " \n\t\n", "---\ntitle: A\n---\n", "# Only a title", "***", "!?…", "\u3164\u3164", "![alt](x)"],
)
def test_nothing_with_words_is_no_article(markdown: str) -> None:
    assert reason(markdown) == "has no text"


@pytest.mark.parametrize(
    ("markdown", "expected"),
    [
        ("[" * 50_000, "has more than 40,000 lines and marks of Markdown: too many for one article"),
        ("a\n" * 50_000, "has more than 40,000 lines and marks of Markdown: too many for one article"),
        ("> " * 30 + "deep", "has lists or quotes that are nested too deeply"),
        ("- " * 15 + "deep", "has lists or quotes that are nested too deeply"),
    ],
)
def test_markdown_beyond_all_measure_is_refused(markdown: str, expected: str) -> None:
    assert reason(markdown) == expected


@pytest.mark.parametrize(
    "markdown",
    [
        "a" + "[" * 30_000,
        "a" + "![" * 15_000,
        "a" + "[a](" * 10_000,
        "a" + "*b _c " * 15_000,
        "<div>\n<a" + " b='c'" * 100_000 + "\n\nb",
        "<div>" + "<a" * 30_000 + "\n\nb",
        "words and more words, " * 200_000,
    ],
)
def test_markdown_within_the_measure_is_read_in_time(markdown: str) -> None:
    began = time.perf_counter()
    assert text(markdown)
    assert time.perf_counter() - began < 5


def test_a_record_states_the_facts() -> None:
    value = {
        "id": 7,
        "title": "A",
        "date": "2024-07-28",
        "author": ["B", "C"],
        "fiction": True,
        "url": None,
        "text": " *One*\r\nline. ",
        "unknown": {"x": [1]},
    }
    published = Timestamp(date(2024, 7, 28))
    info = ArticleInfo(id="7", origin=ORIGIN, title="A", author="B, C", published=published, fiction=True)
    assert read_record(value).article(ORIGIN) == Article(info, "*One*\nline.")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"title": "A"}, "has no text"),
        ({"text": None}, "has no text"),
        ({"text": " \n"}, "has no text"),
        ({"text": "--"}, "has no text"),
        ({"text": ["x"]}, "text: must be a string"),
        ({"text": 5}, "text: must be a string"),
        ({"text": "a\0b"}, "contains NUL characters: not a text"),
        ({"text": "x", "title": {"a": 1}}, "title: must be one text, not a list or a mapping"),
        ("x", 'is no record: expected an object such as {"title": "…", "text": "…"}'),
        (None, 'is no record: expected an object such as {"title": "…", "text": "…"}'),
    ],
)
def test_a_record_without_text_is_rejected(value: object, expected: str) -> None:
    assert record_reason(value) == expected


def test_the_last_of_two_equal_keys_counts() -> None:
    assert read_record(parse_json('{"title": "a", "title": "b", "text": "x"}')).facts.title == "b"


def test_half_characters_are_replaced() -> None:
    draft = read_record(parse_json(r'{"title": "a\ud800", "id": "\udfff", "text": "x \ud83d\ude00 \udc00"}'))
    assert (draft.facts.title, draft.facts.id, draft.text) == ("a\ufffd", "\ufffd", "x 😀 \ufffd")


def test_plain_text_is_kept_as_it_is() -> None:
    assert read_plain("\n # Not *Markdown*\n\n\n<b>\tx ").text == "# Not *Markdown*\n\n\n<b>\tx"


@given(st.text(alphabet=st.sampled_from("ab \n-*_[]()<>!#&;`~|>:'\"\\=1.\t/?"), max_size=80))
def test_any_markdown_is_words_or_unusable(markdown: str) -> None:
    try:
        draft = read_markdown(markdown)
    except Unusable:
        return
    assert read_plain(draft.text).text == draft.text
