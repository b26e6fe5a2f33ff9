"""Dates as precise as their source, and what makes an article another one."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.domain.articles import Article, ArticleInfo, Origin, Timestamp, article_id
from assistant.testing import sample_articles

TOKYO = timezone(timedelta(hours=9))
PARSED = [
    ("2024-07-28", Timestamp(date(2024, 7, 28))),
    (" 2024-07-28\n", Timestamp(date(2024, 7, 28))),
    ("2024-07-28T09:05", Timestamp(date(2024, 7, 28), datetime(2024, 7, 28, 9, 5))),
    ("2024-07-28 09:05:06", Timestamp(date(2024, 7, 28), datetime(2024, 7, 28, 9, 5, 6))),
    ("2024-07-28T00:00:00", Timestamp(date(2024, 7, 28), datetime(2024, 7, 28))),
    ("2024-07-28T23:30:00Z", Timestamp(date(2024, 7, 28), datetime(2024, 7, 28, 23, 30, tzinfo=UTC))),
    ("2024-07-28T01:30:00+09:00", Timestamp(date(2024, 7, 28), datetime(2024, 7, 28, 1, 30, tzinfo=TOKYO))),
    ("0001-01-01", Timestamp(date(1, 1, 1))),
]


@pytest.mark.parametrize(("text", "expected"), PARSED)
def test_a_date_is_read_as_precisely_as_it_is_written(text: str, expected: Timestamp) -> None:
    assert Timestamp.parse(text) == expected


ROUND_TRIPS = [
    "2024-07-28",
    "2024-07-28T09:05:00",
    "2024-07-28T09:05:06.789000",
    "2024-07-28T00:00:00",
    "2024-07-28T23:30:00+00:00",
    "2024-07-28T01:30:00-11:00",
]


@pytest.mark.parametrize("text", ROUND_TRIPS)
def test_a_date_is_written_as_it_was_read(text: str) -> None:
    assert Timestamp.parse(text).isoformat() == text


@given(day=st.dates())
def test_a_day_never_gets_a_time(day: date) -> None:
    assert Timestamp.parse(day.isoformat()) == Timestamp(day, None)


@given(moment=st.datetimes(timezones=st.sampled_from([None, UTC, TOKYO])))
def test_a_moment_keeps_its_time_and_its_zone(moment: datetime) -> None:
    read = Timestamp.parse(moment.isoformat())
    assert (read.day, read.moment, read.isoformat()) == (moment.date(), moment, moment.isoformat())


NO_DATES = [
    "",
    "today",
    "2024",
    "2024-07",
    "20240728",
    "2024-W30",
    "2024W307",
    "2024-13-01",
    "2024-02-30",
    "28.07.2024",
    "2024-07-28T25:00",
    "٢٠٢٤-٠٧-٢٨",
]


@pytest.mark.parametrize("text", NO_DATES)
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Timestamp.parse(text)


IN_ORDER = [
    "2024-07-27",
    "2024-07-27T23:59:59",
    "2024-07-28",
    "2024-07-28T00:00:01",
    "2024-07-28T12:00:00+02:00",
    "2024-07-28T11:00:00",
    "2024-07-28T23:00:00Z",
    "2024-07-29T01:00:00+09:00",
]


@pytest.mark.parametrize("at", range(len(IN_ORDER) - 1))
def test_order_is_by_day_then_by_moment(at: int) -> None:
    earlier, later = (Timestamp.parse(text) for text in IN_ORDER[at : at + 2])
    assert earlier.order() < later.order()


def test_a_day_without_a_time_comes_before_every_time_of_that_day() -> None:
    assert Timestamp.parse("2024-07-28").order() < Timestamp.parse("2024-07-28T00:30:00+09:00").order()


STORY = Article(
    ArticleInfo(
        id="a",
        origin=Origin("/news", "story.md"),
        title="A tram",
        outlet="Gazette",
        author="A. Reporter",
        url="https://gazette.example/a",
        published=Timestamp.parse("2031-03-04"),
        updated=Timestamp.parse("2031-03-05"),
        corrects="b",
        language="en",
        fiction=True,
    ),
    "A tram came.",
)
CHANGES: dict[str, object] = {
    "id": "b",
    "origin": Origin("/news", "moved.md"),
    "title": None,
    "outlet": "Herald",
    "author": None,
    "url": None,
    "published": Timestamp.parse("2031-03-04T00:00:00"),
    "updated": None,
    "corrects": None,
    "language": "fr",
    "fiction": False,
    "summary_only": True,
}


def test_equal_articles_have_equal_hashes() -> None:
    assert Article(replace(STORY.info), "A tram came.").content_hash() == STORY.content_hash()


def test_a_hash_stays_the_same_over_releases() -> None:
    """Otherwise every stored article would count as changed, and be embedded again."""
    assert STORY.content_hash() == "6ea2657e917c2c0547913b828df9848e113460ffeb75738fa40ee2df2ecd4f6a"


def test_every_fact_about_an_article_is_in_its_hash_but_where_it_was_read() -> None:
    assert CHANGES.keys() == set(ArticleInfo.__dataclass_fields__)
    hashes = {
        Article(replace(STORY.info, **{name: value}), STORY.text).content_hash()  # type: ignore[arg-type]
        for name, value in CHANGES.items()
    }
    assert STORY.content_hash() in hashes  # it has only moved
    hashes |= {Article(STORY.info, "A tram came. ").content_hash()}
    assert len(hashes) == len(CHANGES) + 1


def test_a_text_with_a_lone_surrogate_has_a_hash() -> None:
    assert Article(STORY.info, "\ud800").content_hash() != Article(STORY.info, "\udfff").content_hash()


def test_the_id_of_a_file_is_the_same_each_time_and_tells_root_from_path() -> None:
    assert article_id("/news", "a.md") == "1b5af617fa6e31b1"
    ids = [article_id("/news", "a.md"), article_id("/news/a", ".md"), article_id("/news", "b.md")]
    assert len({*ids}) == len(ids)


def test_an_article_is_where_its_url_or_else_its_file_is() -> None:
    assert STORY.info.location == "https://gazette.example/a"
    assert replace(STORY.info, url=None).location == "news/story.md"
    assert replace(STORY.info, url=None, origin=Origin("", "story.md")).location == "story.md"


def test_an_article_is_called_by_its_title_or_else_its_file() -> None:
    assert [article.info.label for article in sample_articles()] == [
        "Quill Bridge closed",
        "More cracks found in bridge",
        "Blue for Gull Rock",
        "notice.md",
    ]
