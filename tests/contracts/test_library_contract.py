"""What every library promises, SQLite and the fake."""

from __future__ import annotations

import sqlite3
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
from assistant.ports import Library, LibraryWriter, Visible
from assistant.testing import (
    FullStopSegmenter,
    MemoryLibrary,
    MemoryLibraryWriter,
    sample_article,
    sample_articles,
)

Store = Callable[..., Library]
Change = Callable[[LibraryWriter], object]
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
        summary_only=True,
    ),
    "Une phrase.\n\nA heading\n\nIts 𝐛ody holds\u200b emoji 👨\u200d👩\u200d👧 and more. The end.",
)


def put_all(writer: LibraryWriter, articles: Sequence[Article]) -> None:
    for prepared in prepare(articles, FullStopSegmenter()):
        writer.put(prepared, np.ones((len(prepared.passages), 2), dtype=np.float32))


@pytest.fixture(params=["sqlite", "memory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A library of the articles; with changes, a copy of it that was changed so."""
    opened: list[SqliteLibrary] = []

    def sqlite(articles: Sequence[Article], *changes: Change) -> SqliteLibrary:
        before, path = None, tmp_path / "library.db"
        for change in (lambda writer: put_all(writer, articles), *changes):
            with write_library(path, copy_of=before) as writer:
                writer.begin()
                change(writer)
            before, path = path, path.with_name(f"{path.name}.next")
        assert before is not None
        opened.append(SqliteLibrary(before))
        return opened[-1]

    def memory(articles: Sequence[Article], *changes: Change) -> MemoryLibrary:
        writer = MemoryLibraryWriter({})
        put_all(writer, articles)
        for change in changes:
            writer = MemoryLibraryWriter(writer.stored, writer.clusters, writer.withdrawals)
            change(writer)
        return MemoryLibrary(writer.stored, writer.clusters, writer.withdrawals)

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
    ("2031-02-19", Visible(1, None, None)),
    ("2031-02-20", Visible(2, date(2031, 2, 20), date(2031, 2, 20))),
    ("2031-03-10", Visible(3, date(2031, 2, 20), date(2031, 3, 4))),
    ("2031-03-11", Visible(4, date(2031, 2, 20), date(2031, 3, 11))),
    ("2099-01-01", Visible(4, date(2031, 2, 20), date(2031, 3, 11))),
]


@pytest.mark.parametrize(("as_of", "visible"), VISIBLE)
def test_what_is_visible_grows_with_the_date(store: Store, as_of: str, visible: Visible) -> None:
    assert store(sample_articles()).visible(date.fromisoformat(as_of)) == visible


def test_an_old_text_that_was_updated_late_makes_the_corpus_older_from_then_on(store: Store) -> None:
    old = sample_article("old", "It rained.", published="2030-05-01")
    info = replace(old.info, updated=Timestamp.parse("2031-05-02"))
    library = store([Article(info, old.text), sample_article("new", "It snowed.", published="2031-01-01")])
    assert library.visible(date(2031, 5, 1)) == (1, date(2031, 1, 1), date(2031, 1, 1))
    assert library.visible(date(2031, 5, 2)) == (2, date(2030, 5, 1), date(2031, 1, 1))


@pytest.mark.parametrize(("as_of", "count"), [("2031-05-01", 0), ("2031-05-02", 1)])
def test_a_text_that_was_updated_is_visible_from_then_on(store: Store, as_of: str, count: int) -> None:
    first = sample_article("a", "It rained.", published="2031-05-01")
    info = replace(first.info, updated=Timestamp.parse("2031-05-02T08:00:00"))
    assert store([Article(info, first.text)]).visible(date.fromisoformat(as_of)).articles == count


def test_an_article_nobody_stored_is_not_found(store: Store) -> None:
    library = store(sample_articles())
    with pytest.raises(ArticleNotFound, match="'no such'"):
        library.article("no such")
    with pytest.raises(ArticleNotFound, match="'no such'"):
        library.sentences("no such")


def test_an_empty_library_answers(store: Store) -> None:
    library = store([])
    assert (library.articles(), library.passages([]), library.owners([])) == ([], [], {})
    assert library.visible(date(2031, 1, 1)) == Visible(0, None, None)


def test_an_article_without_sentences_is_stored(store: Store) -> None:
    library = store([sample_article("signs", "* * *")])
    assert library.sentences("signs") == []
    assert library.article("signs").text == "* * *"


# Writing


@pytest.fixture(params=["sqlite", "memory"])
def writer(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LibraryWriter]:
    """A writer of a library that holds the sample articles."""
    if request.param == "memory":
        memory = MemoryLibraryWriter({})
        put_all(memory, sample_articles())
        yield memory
        return
    with write_library(tmp_path / "before.db") as first:
        put_all(first, sample_articles())
    with write_library(tmp_path / "library.db", copy_of=tmp_path / "before.db") as writer:
        yield writer


def test_a_writer_knows_what_is_stored(writer: LibraryWriter) -> None:
    articles = {article.id: article for article in sample_articles()}
    assert writer.hashes() == {one: article.content_hash() for one, article in articles.items()}
    assert writer.origins() == {one: article.info.origin for one, article in articles.items()}
    assert writer.signatures() == {one: prepared_of(article).signature for one, article in articles.items()}
    assert {one: writer.article(one) for one in articles} == articles
    assert (writer.article("no such"), writer.withdrawn()) == (None, {})


def test_putting_an_article_gives_the_ids_of_the_passages_that_it_replaces(writer: LibraryWriter) -> None:
    bridge = sample_articles()[0]
    before = [passage.id for passage in prepared_of(bridge).passages]
    new = prepared_of(Article(FULL.info, FULL.text))
    changed = prepared_of(Article(bridge.info, "A tram came. It was green."))
    vectors = np.ones((1, 2), dtype=np.float32)
    assert writer.put(new, vectors) == []
    assert writer.put(changed, vectors) == before
    assert writer.put(prepared_of(bridge), vectors) == [passage.id for passage in changed.passages]


def test_removing_an_article_gives_the_ids_of_its_passages(writer: LibraryWriter) -> None:
    bridge = sample_articles()[0]
    assert writer.remove("bridge") == [passage.id for passage in prepared_of(bridge).passages]
    assert writer.remove("bridge") == []
    assert writer.remove("no such") == []
    assert sorted(writer.hashes()) == ["bridge-update", "lighthouse", "notice"]
    assert writer.article("bridge") is None


def test_a_withdrawal_is_noted_with_its_day_until_the_article_is_readmitted(writer: LibraryWriter) -> None:
    writer.withdraw("bridge", "2031-04-01")
    writer.withdraw("never there", "2031-04-02")
    writer.withdraw("bridge", "2031-04-03")
    assert writer.withdrawn() == {"bridge": "2031-04-03", "never there": "2031-04-02"}
    writer.readmit("bridge")
    writer.readmit("unknown")
    assert writer.withdrawn() == {"never there": "2031-04-02"}


def test_withdrawals_and_hashes_can_be_read(store: Store) -> None:
    library = store(sample_articles(), lambda writer: writer.withdraw("old", "2031-04-01"))
    assert library.withdrawn() == {"old": "2031-04-01"}
    assert library.hashes() == {article.id: article.content_hash() for article in sample_articles()}


LINKED = {"bridge": "bridge", "bridge-update": "bridge", "notice": "bridge"}
COPIES: dict[str, tuple[list[Change], dict[str, list[str]]]] = {
    "none": ([], {"bridge": [], "no such": []}),
    "three of one": (
        [lambda writer: writer.link(LINKED)],
        {
            "bridge": ["bridge-update", "notice"],
            "notice": ["bridge", "bridge-update"],
            "lighthouse": [],
            "no such": [],
        },
    ),
    "linked anew": (
        [
            lambda writer: writer.link(LINKED),
            lambda writer: writer.link({"bridge": "bridge", "lighthouse": "bridge"}),
        ],
        {"bridge": ["lighthouse"], "notice": []},
    ),
    "unlinked": (
        [lambda writer: writer.link(LINKED), lambda writer: writer.link({})],
        {"bridge": [], "notice": []},
    ),
    "one removed": (
        [lambda writer: writer.link(LINKED), lambda writer: writer.remove("bridge")],
        {"bridge": [], "notice": ["bridge-update"]},
    ),
    "one replaced": (
        [lambda writer: writer.link(LINKED), lambda writer: put_all(writer, sample_articles()[:1])],
        {"bridge": [], "notice": ["bridge-update"]},
    ),
    "one that is not stored": (
        [lambda writer: writer.link({"bridge": "bridge", "gone": "bridge"})],
        {"bridge": [], "gone": []},
    ),
}


@pytest.mark.parametrize("case", COPIES)
def test_near_copies_are_what_was_linked_last(store: Store, case: str) -> None:
    changes, expected = COPIES[case]
    library = store(sample_articles(), *changes)
    assert {one: [info.id for info in library.copies(one)] for one in expected} == expected


def test_a_near_copy_is_told_with_all_that_is_known_of_it(store: Store) -> None:
    library = store([*sample_articles(), FULL], lambda writer: writer.link({"full": "x", "notice": "x"}))
    assert library.copies("notice") == [FULL.info]


def test_nothing_is_on_the_disk_before_the_first_change(tmp_path: Path) -> None:
    with write_library(tmp_path / "new" / "library.db") as writer:
        assert (writer.hashes(), writer.article("a"), writer.counts()) == ({}, None, (0, 0))
        assert writer.remove("a") == []
    assert list(tmp_path.iterdir()) == []


def test_an_empty_library_is_written_where_one_is_asked_for(tmp_path: Path) -> None:
    with write_library(tmp_path / "library.db") as writer:
        writer.begin()
    with closing(SqliteLibrary(tmp_path / "library.db")) as library:
        assert library.counts() == (0, 0)


def test_a_compacted_library_holds_nothing_of_what_was_removed(tmp_path: Path) -> None:
    secret = "Xanthippe" * 40
    articles = [sample_article(f"a{at}", f"{secret} {at} " * 40) for at in range(40)]
    with write_library(tmp_path / "before.db") as writer:
        put_all(writer, [*articles, *sample_articles()])
    assert secret.encode() in (tmp_path / "before.db").read_bytes()
    with write_library(tmp_path / "after.db", copy_of=tmp_path / "before.db") as writer:
        for article in articles:
            writer.remove(article.id)
        writer.commit(compact=True)
    assert b"Xanthippe" not in (tmp_path / "after.db").read_bytes()


def test_passages_and_vectors_must_be_as_many(tmp_path: Path) -> None:
    prepared = prepared_of(FULL)
    with write_library(tmp_path / "library.db") as sqlite:
        for writer in (sqlite, MemoryLibraryWriter({})):
            with pytest.raises(ValueError, match=r"vectors|zip"):
                writer.put(prepared, np.ones((len(prepared.passages) + 1, 2), dtype=np.float32))


def test_what_the_indexes_are_built_from_is_alike(tmp_path: Path) -> None:
    memory = MemoryLibraryWriter({})
    put_all(memory, [*sample_articles(), FULL])
    with write_library(tmp_path / "library.db") as sqlite:
        put_all(sqlite, [FULL, *sample_articles()])
        rows, (passage_ids, vectors) = list(sqlite.rows()), sqlite.vectors()
        some = list(sqlite.rows([passage_ids[3], passage_ids[1]]))
    by_id = {row.passage_id: row for row in rows}
    assert [by_id[one] for one in sorted(by_id)] == memory.rows()
    assert passage_ids == sorted(by_id)
    assert sorted(row.passage_id for row in some) == [passage_ids[1], passage_ids[3]]
    expected = memory.vectors()
    assert vectors.tolist() == [expected[one].tolist() for one in passage_ids]
    assert [row.body for row in rows if row.title == FULL.info.title] == [
        "Une phrase. A heading Its 𝐛ody holds emoji 👨\u200d👩\u200d👧 and more. The end."
    ]


def test_any_number_of_rows_can_be_named(tmp_path: Path) -> None:
    articles = [sample_article(f"a{at}", f"Number {at} is here.") for at in range(1_001)]
    with write_library(tmp_path / "library.db") as writer:
        put_all(writer, articles)
        wanted = writer.vectors()[0][::-1]
        assert sorted(row.passage_id for row in writer.rows(wanted)) == wanted[::-1]
        assert list(writer.rows([])) == []


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
        [writer.article(article.id) for article in sample_articles()]


def test_a_failure_of_whoever_fills_a_library_stays_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="an article's file"), write_library(tmp_path / "library.db"):
        raise FileNotFoundError("an article's file")


# Damage that SQLite does not see


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A library of the sample articles and a long one, whose pages can be garbled."""
    with write_library(tmp_path / "library.db") as writer:
        put_all(writer, [*sample_articles(), sample_article("long", "Rain fell on the hills. " * 2_000)])
    return tmp_path / "library.db"


def change(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)


CHANGED = {
    "a letter of the text": "UPDATE articles SET text = replace(text, 'fell', 'fall') WHERE id = 'long'",
    "the text": "UPDATE articles SET text = '' WHERE id = 'long'",
    "the title": "UPDATE articles SET title = 'Drought' WHERE id = 'long'",
    "the hash": "UPDATE articles SET hash = 'x' WHERE id = 'long'",
}


@pytest.mark.parametrize("changed", CHANGED)
def test_an_article_is_held_against_its_hash_when_it_is_read(path: Path, changed: str) -> None:
    change(path, CHANGED[changed])
    with closing(SqliteLibrary(path)) as library:
        for read in (library.article, library.sentences):
            with pytest.raises(LibraryDamaged, match="'long' does not match its hash"):
                read("long")
        assert library.article("bridge") == sample_articles()[0]


def test_a_sound_library_has_no_problems(path: Path) -> None:
    with closing(SqliteLibrary(path)) as library:
        assert list(library.problems()) == []


PROBLEMS = {
    CHANGED["a letter of the text"]: "the stored article 'long' does not match its hash",
    "UPDATE passages SET start = start + 1 WHERE article_id = 'notice'": "of article 'notice' does not match",
    "UPDATE passages SET id = '0123456789abcdef' WHERE article_id = 'notice'": "'0123456789abcdef' of",
    "UPDATE sentences SET end = 9999 WHERE article_id = 'bridge' AND start = 0": "a sentence of article",
    "UPDATE sentences SET start = -1 WHERE article_id = 'bridge' AND start = 0": "a sentence of article",
}


@pytest.mark.parametrize("statement", PROBLEMS)
def test_what_is_wrong_with_a_library_is_found(path: Path, statement: str) -> None:
    change(path, statement)
    with closing(SqliteLibrary(path)) as library:
        (problem,) = library.problems()
    assert PROBLEMS[statement] in problem


def test_a_garbled_page_is_told_when_it_is_read_and_found_when_looked_for(path: Path) -> None:
    garble(path, b"Rain fell on the hills. ")
    with closing(SqliteLibrary(path)) as library:
        assert library.article("bridge") == sample_articles()[0]
        with pytest.raises(LibraryDamaged):
            library.article("long")
        assert list(library.problems()) != []


def garble(path: Path, words: bytes) -> None:
    """Overwrite the second page of those that hold the words."""
    pages = [at for at in range(0, path.stat().st_size, 4096) if words in path.read_bytes()[at : at + 4096]]
    with path.open("r+b") as file:
        file.seek(pages[1])
        file.write(bytes(range(256)) * 16)


def test_the_fake_keeps_what_was_put_and_removed() -> None:
    writer = MemoryLibraryWriter({})
    put_all(writer, sample_articles()[:1])
    writer.remove("gone")
    assert writer.calls == [("put", "bridge"), ("remove", "gone")]
