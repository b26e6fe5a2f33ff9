"""A home of the first format is renewed by writers and told by readers; a newer one is left alone."""

from __future__ import annotations

import json
import shutil
import sqlite3
import zipfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from assistant.adapters.generation_manifest import FORMAT
from assistant.adapters.hashing_embedder import HashingEmbedder
from assistant.adapters.tantivy_index import TantivyIndex
from assistant.domain.articles import Article, Timestamp
from assistant.domain.errors import (
    FormatOutdated,
    FormatUnsupported,
    LibraryDamaged,
    LibraryError,
)
from assistant.ingest import IngestReport, prepare
from assistant.ports import IndexRow, Manifest
from assistant.testing import FullStopSegmenter, sample_articles

if TYPE_CHECKING:
    from tests.contracts.conftest import Corpus

CorpusIn = Callable[..., "Corpus"]
BRIDGE, UPDATE, LIGHTHOUSE, NOTICE = sample_articles()
STORED = [
    BRIDGE,
    Article(
        replace(
            UPDATE.info, author="A. Reporter", url="https://coast.example", corrects="bridge", language="fr"
        ),
        UPDATE.text,
    ),
    Article(replace(LIGHTHOUSE.info, updated=Timestamp.parse("2031-02-21"), fiction=False), LIGHTHOUSE.text),
    NOTICE,
]
FIRST_SCHEMA = """
CREATE TABLE articles (
    id TEXT PRIMARY KEY, root TEXT NOT NULL, path TEXT NOT NULL, title TEXT, outlet TEXT, author TEXT,
    url TEXT, published TEXT, updated TEXT, corrects TEXT, language TEXT NOT NULL, fiction INTEGER NOT NULL,
    day TEXT, hash TEXT NOT NULL, text TEXT NOT NULL
) STRICT;
CREATE INDEX articles_by_day ON articles (day);
CREATE TABLE sentences (
    article_id TEXT NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL, PRIMARY KEY (article_id, start)
) STRICT, WITHOUT ROWID;
CREATE TABLE passages (
    id TEXT PRIMARY KEY, article_id TEXT NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL,
    cleaned TEXT NOT NULL, vector BLOB NOT NULL
) STRICT;
CREATE INDEX passages_by_article ON passages (article_id, start);
"""


def write_first_format(folder: Path, *articles: Article) -> None:
    """A corpus as format 1 laid it out: no marks of files, no signatures, no withdrawals."""
    current = folder / "generations" / "1"
    (current / "chroma").mkdir(parents=True)
    (current / "in-use").touch()
    vectors: dict[str, bytes] = {}
    rows: list[IndexRow] = []
    with closing(sqlite3.connect(current / "library.db")) as connection, connection:
        connection.executescript(FIRST_SCHEMA)
        for prepared in prepare(articles, FullStopSegmenter()):
            info, text = prepared.article.info, prepared.article.text
            stamps = [stamp.isoformat() if stamp else None for stamp in (info.published, info.updated)]
            day = info.published.day.isoformat() if info.published else None
            values = (
                *(
                    info.id,
                    info.origin.root,
                    info.origin.path,
                    info.title,
                    info.outlet,
                    info.author,
                    info.url,
                ),
                *(*stamps, info.corrects, info.language, int(info.fiction), day, "a hash of then", text),
            )
            connection.execute(f"INSERT INTO articles VALUES ({', '.join('?' * 15)})", values)  # noqa: S608
            connection.executemany(
                "INSERT INTO sentences VALUES (?, ?, ?)",
                [(info.id, each.span.start, each.span.end) for each in prepared.sentences],
            )
            embedded = HashingEmbedder().embed([each.cleaned for each in prepared.passages])
            for each, vector in zip(prepared.passages, embedded, strict=True):
                vectors[each.id] = vector.tobytes()
                rows.append(IndexRow(each.id, info.title or "", each.cleaned))
                connection.execute(
                    "INSERT INTO passages VALUES (?, ?, ?, ?, ?, ?)",
                    (each.id, info.id, each.span.start, each.span.end, each.cleaned, vector.tobytes()),
                )
    TantivyIndex.build(current / "lexical", rows)
    np.save(current / "chroma" / "ids.npy", np.array(sorted(vectors), dtype="S16"))
    joined = b"".join(vectors[one] for one in sorted(vectors))
    np.save(current / "chroma" / "vectors.npy", np.frombuffer(joined, np.float32).reshape(len(vectors), -1))
    manifest = Manifest(1, "hashing/256", "full-stop/1/passages-1", len(articles), len(vectors), "c" * 64, "")
    (current / "manifest.json").write_text(json.dumps(asdict(manifest)))
    (folder / "current").write_text("1\n")


@pytest.fixture
def old(folder: Path, corpus: Corpus) -> Corpus:
    """A corpus of the first format."""
    write_first_format(folder, *STORED)
    return corpus


def everything(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("writer."))
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def articles(corpus: Corpus) -> list[Article]:
    with corpus.generations.current() as current:
        assert current is not None
        return [current.library.article(one) for one in sorted(current.library.hashes())]


READING: dict[str, Callable[[Corpus], object]] = {
    "asking": lambda corpus: corpus.ids(),
    "a dry run": lambda corpus: corpus.ingest(NOTICE, dry_run=True),
    "exporting": lambda corpus: corpus.generations.export(corpus.folder / "export.zip"),
}


@pytest.mark.parametrize("what", READING)
def test_readers_say_that_a_corpus_is_of_an_older_format_and_what_to_do(old: Corpus, what: str) -> None:
    before = everything(old.folder)
    for _ in range(2):
        with pytest.raises(FormatOutdated, match="the older format 1; this version writes 2") as caught:
            READING[what](old)
        assert "assistant index rebuild" in caught.value.help
    assert everything(old.folder) == before


def test_verifying_says_it_too(old: Corpus) -> None:
    assert old.generations.verify() == {1: ["the library has the older format 1; this version writes 2"]}


def test_an_ingest_takes_over_every_article_beside_what_it_reads(old: Corpus) -> None:
    changed = Article(NOTICE.info, "The town library opens at ten.")
    assert old.ingest(BRIDGE, changed) == IngestReport(unchanged=("bridge",), changed=("notice",))
    assert articles(old) == [STORED[0], STORED[1], STORED[2], changed]


def test_a_rebuild_takes_over_every_article_and_answers_as_a_new_corpus_does(
    old: Corpus, corpus_in: CorpusIn, tmp_path: Path
) -> None:
    new = corpus_in(tmp_path / "new")
    new.publish(*STORED)
    done = old.rebuild()
    assert (done.generation, done.articles, done.lost) == (2, 4, "")
    assert articles(old) == articles(new) == STORED
    for question in ("bridge library closed", "Who chose the colour?"):
        assert old.hits(question) == new.hits(question)
    with old.generations.current() as one, new.generations.current() as other:
        assert one is not None
        assert other is not None
        assert one.manifest == other.manifest
    assert old.generations.verify()[2] == []


def test_a_corpus_that_was_embedded_otherwise_is_embedded_anew_when_it_is_renewed(
    folder: Path, corpus: Corpus
) -> None:
    write_first_format(folder, *STORED)
    path = corpus.path("manifest.json")
    path.write_text(path.read_text().replace("hashing/256", "an older embedder"))
    corpus.rebuild()
    with corpus.generations.current() as current:
        assert current is not None
        assert current.manifest.embedder == "hashing/256"


def test_a_writer_says_that_it_starts_from_an_older_format_and_renewing_gives_its_articles(
    old: Corpus,
) -> None:
    with old.generations.writer() as writer:
        assert writer.outdated
        assert writer.before is not None
        assert writer.before.format == 1
        assert dict(writer.library.hashes()) == {}
        assert list(writer.renew()) == STORED
        assert old.numbers() == ["1"]


def test_the_format_before_stays_until_the_next_publish(old: Corpus) -> None:
    old.rebuild()
    assert old.numbers() == ["1", "2"]
    assert (old.ids(), old.damage()) == ([each.id for each in STORED], "")
    old.publish(without=["notice"])
    assert old.numbers() == ["2", "3"]


def test_where_the_renewed_generation_is_damaged_the_older_format_does_not_answer_and_is_renewed_again(
    old: Corpus,
) -> None:
    old.rebuild()
    old.path("library.db", 2).unlink()
    with pytest.raises(LibraryDamaged, match=r"generation 2 of 'main': library\.db"):
        old.ids()
    assert "generation 1 was taken" in old.rebuild().lost
    assert articles(old) == STORED


def test_an_older_library_that_cannot_be_read_is_told_and_stays(old: Corpus) -> None:
    old.path("library.db").write_bytes(b"garbage" * 999)
    before = everything(old.folder)
    with pytest.raises(LibraryDamaged, match="library"):
        old.rebuild()
    assert everything(old.folder) == before


def test_an_export_of_the_older_format_is_taken_over(
    old: Corpus, corpus_in: CorpusIn, tmp_path: Path
) -> None:
    with zipfile.ZipFile(tmp_path / "old.zip", "w") as archive:
        for name in ("manifest.json", "library.db"):
            archive.write(old.path(name), name)
    other = corpus_in(tmp_path / "other")
    assert other.rebuild(archive=tmp_path / "old.zip").articles == 4
    assert articles(other) == STORED


# Other versions


def change_manifest(corpus: Corpus, key: str, value: object) -> None:
    path = corpus.path("manifest.json")
    content = {**json.loads(path.read_text()), key: value}
    del content["checksum"]  # it would say, rightly, that somebody else has changed the manifest
    path.write_text(json.dumps(content))


VERSIONS: dict[str, tuple[object, type[LibraryError]]] = {
    "the next": (FORMAT + 1, FormatUnsupported),
    "a far one": (1_000, FormatUnsupported),
    "nought": (0, FormatUnsupported),
    "a word": ("1", FormatUnsupported),
    "a fraction": (1.5, FormatUnsupported),
    "none": (None, FormatUnsupported),
}


@pytest.mark.parametrize("version", VERSIONS)
def test_a_format_that_is_not_known_is_told_to_readers_and_writers_and_left_alone(
    one: Path, folder: Path, corpus_in: CorpusIn, version: str
) -> None:
    corpus = corpus_in(shutil.copytree(one, folder))
    value, expected = VERSIONS[version]
    change_manifest(corpus, "format", value)
    before = everything(folder)
    for use in (corpus.ids, corpus.publish, corpus.rebuild):
        with pytest.raises(expected, match="format") as caught:
            use()
        assert "Update the assistant" in caught.value.help
        assert not isinstance(caught.value, FormatOutdated)
    assert everything(folder) == before
