"""What every library promises, SQLite and the fake."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from assistant.adapters.sqlite_library import SqliteLibrary, write_library
from assistant.domain.articles import Article, ArticleInfo, Origin, Timestamp
from assistant.domain.errors import ArticleNotFound, LibraryDamaged
from assistant.domain.passages import Passage, PreparedArticle
from assistant.ingest import prepare
from assistant.ports import Library, LibraryWriter
from assistant.testing import (
    FullStopSegmenter,
    MemoryLibrary,
    MemoryLibraryWriter,
    sample_article,
    sample_articles,
)

Store = Callable[[Sequence[Article]], Library]
FULL = Article(
    ArticleInfo(
        id="full",
        origin=Origin("/news", "2031/full story.md"),
        title="Tout: «Ça» — 東京",
        outlet="Coast Herald",
        author="A. Reporter",
        url="https://coast.example/full",
        published=Timestamp.parse("2031-03-04T23:30:00+09:00"),
        updated=Timestamp.parse("2031-03-05"),
        corrects="bridge",
        language="fr",
        fiction=True,
    ),
    "Une phrase.\n\nA heading\n\nIts 𝐛ody holds\u200b emoji 👨\u200d👩\u200d👧 and more. The end.",
)


def put_all(writer: LibraryWriter, articles: Sequence[Article]) -> None:
    for prepared in prepare(articles, FullStopSegmenter()):
        writer.put(prepared, np.ones((len(prepared.passages), 2), dtype=np.float32))


@pytest.fixture(params=["sqlite", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    opened: list[SqliteLibrary] = []

    def sqlite(articles: Sequence[Article]) -> SqliteLibrary:
        with write_library(tmp_path / "library.db") as writer:
            put_all(writer, articles)
        opened.append(SqliteLibrary(tmp_path / "library.db"))
        return opened[-1]

    def memory(articles: Sequence[Article]) -> MemoryLibrary:
        writer = MemoryLibraryWriter({})
        put_all(writer, articles)
        return MemoryLibrary(writer.stored)

    yield sqlite if request.param == "sqlite" else memory
    for library in opened:
        library.close()


def prepared_of(article: Article) -> PreparedArticle:
    return prepare([article], FullStopSegmenter())[0]


@pytest.mark.parametrize("article", [FULL, *sample_articles()], ids=lambda article: article.id)
def test_an_article_comes_back_as_it_was_stored(store: Store, article: Article) -> None:
    assert store([*sample_articles(), FULL]).article(article.id) == article


@pytest.mark.parametrize("article", [FULL, *sample_articles()], ids=lambda article: article.id)
def test_its_sentences_come_back_in_order(store: Store, article: Article) -> None:
    expected = list(prepared_of(article).sentences)
    assert store([*sample_articles(), FULL]).sentences(article.id) == expected


def test_passages_come_back_whole_in_the_order_asked_for(store: Store) -> None:
    library = store([*sample_articles(), FULL])
    passages = [*prepared_of(FULL).passages, *prepared_of(sample_articles()[0]).passages]
    assert library.passages([one.id for one in passages]) == passages
    assert library.passages([one.id for one in reversed(passages)]) == passages[::-1]


def test_a_passage_keeps_its_text_and_its_cleaned_text_apart(store: Store) -> None:
    (kept,) = store([FULL]).passages([prepared_of(FULL).passages[0].id])
    assert kept.text == kept.span.of(FULL.text)
    assert "\n\n" in kept.text
    assert "\u200b" in kept.text
    assert "\n" not in kept.cleaned
    assert "\u200b" not in kept.cleaned


def test_unknown_passages_are_left_out(store: Store) -> None:
    passage = prepared_of(FULL).passages[0]
    assert store([FULL]).passages(["0000000000000000", passage.id]) == [passage]


def test_every_passage_has_its_article_as_owner(store: Store) -> None:
    articles = [*sample_articles(), FULL]
    expected = {passage.id: article.info for article in articles for passage in prepared_of(article).passages}
    assert store(articles).owners([*expected, "0000000000000000"]) == expected


def test_a_thousand_and_one_passages_can_be_asked_for_at_once(store: Store) -> None:
    articles = [sample_article(f"a{at}", f"Number {at} is here.") for at in range(1_001)]
    library = store(articles)
    wanted: list[Passage] = [passage for one in articles for passage in prepared_of(one).passages]
    wanted.reverse()
    assert library.passages([one.id for one in wanted]) == wanted
    assert len(library.owners([one.id for one in wanted])) == len(wanted)


def test_articles_are_listed_newest_first_undated_last_then_by_id(store: Store) -> None:
    articles = [
        sample_article("undated-b", "B."),
        sample_article("undated-a", "A."),
        sample_article("old", "Old.", published="2030-12-31"),
        sample_article("day-b", "Day.", published="2031-03-04"),
        sample_article("day-a", "Day.", published="2031-03-04"),
        sample_article("noon", "Noon.", published="2031-03-04T12:00:00"),
        sample_article("new", "New.", published="2031-03-05"),
    ]
    ids = [info.id for info in store(articles).articles()]
    assert ids == ["new", "noon", "day-a", "day-b", "old", "undated-a", "undated-b"]


VISIBLE = [
    ("2031-02-19", 1, None),
    ("2031-02-20", 2, date(2031, 2, 20)),
    ("2031-03-10", 3, date(2031, 3, 4)),
    ("2031-03-11", 4, date(2031, 3, 11)),
    ("2099-01-01", 4, date(2031, 3, 11)),
]


@pytest.mark.parametrize(("as_of", "count", "newest"), VISIBLE)
def test_what_is_visible_grows_with_the_date(
    store: Store, as_of: str, count: int, newest: date | None
) -> None:
    assert store(sample_articles()).visible(date.fromisoformat(as_of)) == (count, newest)


@pytest.mark.parametrize(("as_of", "count"), [("2031-05-01", 0), ("2031-05-02", 1)])
def test_a_text_that_was_updated_is_visible_from_then_on(store: Store, as_of: str, count: int) -> None:
    first = sample_article("a", "It rained.", published="2031-05-01")
    info = replace(first.info, updated=Timestamp.parse("2031-05-02T08:00:00"))
    assert store([Article(info, first.text)]).visible(date.fromisoformat(as_of))[0] == count


def test_an_article_nobody_stored_is_not_found(store: Store) -> None:
    library = store(sample_articles())
    with pytest.raises(ArticleNotFound, match="'no such'"):
        library.article("no such")
    with pytest.raises(ArticleNotFound, match="'no such'"):
        library.sentences("no such")


def test_an_empty_library_answers(store: Store) -> None:
    library = store([])
    assert (library.articles(), library.passages([]), library.owners([])) == ([], [], {})
    assert library.visible(date(2031, 1, 1)) == (0, None)


def test_an_article_without_sentences_is_stored(store: Store) -> None:
    library = store([sample_article("signs", "* * *")])
    assert library.sentences("signs") == []
    assert library.article("signs").text == "* * *"


def test_passages_and_vectors_must_be_as_many(tmp_path: Path) -> None:
    prepared = prepared_of(FULL)
    with write_library(tmp_path / "library.db") as sqlite:
        for writer in (sqlite, MemoryLibraryWriter({})):
            with pytest.raises(ValueError, match=r"vectors|zip"):
                writer.put(prepared, np.ones((len(prepared.passages) + 1, 2), dtype=np.float32))


def test_the_rows_for_the_indexes_are_alike_and_in_the_order_of_ids(tmp_path: Path) -> None:
    memory = MemoryLibraryWriter({})
    put_all(memory, [*sample_articles(), FULL])
    with write_library(tmp_path / "library.db") as sqlite:
        put_all(sqlite, [FULL, *sample_articles()])
        rows = [(row.passage_id, row.title, row.body, row.vector.tolist()) for row in sqlite.rows()]
    assert rows == [(row.passage_id, row.title, row.body, row.vector.tolist()) for row in memory.rows()]
    assert [row[0] for row in rows] == sorted(row[0] for row in rows)
    assert [body for _, title, body, _ in rows if title == FULL.info.title] == [
        "Une phrase. A heading Its 𝐛ody holds emoji 👨\u200d👩\u200d👧 and more. The end."
    ]


def test_a_published_library_is_not_written_by_reading(tmp_path: Path) -> None:
    path = tmp_path / "library.db"
    with write_library(path) as writer:
        put_all(writer, sample_articles())
    before = path.read_bytes()
    with closing(SqliteLibrary(path)) as library:
        library.articles()
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["library.db"]


DAMAGE: dict[str, Callable[[Path], object]] = {
    "gone": lambda path: path.unlink(),
    "empty": lambda path: path.write_bytes(b""),
    "garbage": lambda path: path.write_bytes(b"garbage" * 1_000),
    "cut off": lambda path: path.write_bytes(path.read_bytes()[: 4096 + 100]),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_library_is_told_when_read(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "library.db"
    with write_library(path) as writer:
        put_all(writer, sample_articles())
    DAMAGE[damage](path)
    with pytest.raises(LibraryDamaged, match="library"), closing(SqliteLibrary(path)) as library:
        library.articles()


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_library_is_told_when_copied(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "library.db"
    with write_library(path) as writer:
        put_all(writer, sample_articles())
    DAMAGE[damage](path)
    with (
        pytest.raises(LibraryDamaged, match="library"),
        write_library(tmp_path / "new.db", copy_of=path) as writer,
    ):
        list(writer.articles())


def test_the_fake_keeps_what_was_put_and_removed() -> None:
    writer = MemoryLibraryWriter({})
    put_all(writer, sample_articles()[:1])
    writer.remove("gone")
    assert writer.calls == [("put", "bridge"), ("remove", "gone")]
