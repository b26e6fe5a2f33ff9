"""A corpus is examined, tidied, written into one file and made again from it."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import zipfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from assistant.adapters.generation_manifest import FORMAT, read_record, write_record
from assistant.adapters.tantivy_index import TantivyIndex
from assistant.domain.errors import (
    ArchiveUnusable,
    FormatUnsupported,
    HomeUnusable,
    LibraryDamaged,
    LibraryLost,
)
from assistant.ports import Freed, IndexRow
from assistant.testing import sample_articles

if TYPE_CHECKING:
    from tests.contracts.conftest import Corpus

CorpusIn = Callable[..., "Corpus"]
BRIDGE, UPDATE, LIGHTHOUSE, NOTICE = sample_articles()


@pytest.fixture
def later(two: Path, folder: Path, corpus_in: CorpusIn) -> Corpus:
    """A corpus of two generations, of the bridge and of bridge and lighthouse."""
    return corpus_in(shutil.copytree(two, folder))


@pytest.fixture
def other(tmp_path: Path, corpus_in: CorpusIn) -> Corpus:
    """A corpus without a generation."""
    return corpus_in(tmp_path / "other" / "main")


def flip(path: Path) -> None:
    """Change one bit in the middle, in a new file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.unlink()
    path.write_bytes(content)


# Export and import


def test_an_export_makes_the_same_corpus_elsewhere(later: Corpus, other: Corpus, tmp_path: Path) -> None:
    later.publish(*sample_articles())
    with later.generations.writer() as writer:
        writer.library.link({"bridge": "bridge", "notice": "bridge"})
        writer.library.withdraw("old", "2031-04-01")
        writer.publish("a source")
    manifest = later.generations.export(tmp_path / "export.zip")
    done = other.rebuild(archive=tmp_path / "export.zip")
    assert (done.generation, done.articles, done.lost) == (1, 4, "")
    with later.generations.current() as one, other.generations.current() as new:
        assert one is not None
        assert new is not None
        assert new.manifest == one.manifest == manifest
        assert new.library.articles() == one.library.articles()
        assert new.library.withdrawn() == {"old": "2031-04-01"}
        assert [new.library.article(info.id) for info in new.library.articles()] == [
            one.library.article(info.id) for info in one.library.articles()
        ]
    for question in ("bridge library closed", "Who chose the colour of the lighthouse?"):
        assert other.hits(question) == later.hits(question)
    assert other.generations.verify() == {1: []}


def test_an_import_takes_the_place_of_what_was_there(later: Corpus, other: Corpus, tmp_path: Path) -> None:
    later.generations.export(tmp_path / "export.zip")
    other.publish(NOTICE)
    assert other.rebuild(archive=tmp_path / "export.zip").generation == 2
    assert (other.ids(), other.numbers()) == (["bridge", "lighthouse"], ["1", "2"])
    assert other.hits("town library")[0] == []
    other.publish(NOTICE)
    assert other.ids() == ["bridge", "lighthouse", "notice"]


def test_a_damaged_corpus_is_made_again_from_an_export(later: Corpus, tmp_path: Path) -> None:
    later.generations.export(tmp_path / "export.zip")
    for number in (1, 2):
        later.path("library.db", number).unlink()
    with pytest.raises(LibraryLost):
        later.rebuild()
    assert later.rebuild(archive=tmp_path / "export.zip").lost == ""
    assert (later.ids(), later.damage()) == (["bridge", "lighthouse"], "")


def test_an_export_holds_the_library_and_its_manifest_and_nothing_else(later: Corpus, tmp_path: Path) -> None:
    later.generations.export(tmp_path / "export.zip")
    with zipfile.ZipFile(tmp_path / "export.zip") as archive:
        assert sorted(archive.namelist()) == ["library.db", "manifest.json"]
    assert [path.name for path in tmp_path.glob("export*")] == ["export.zip"]


def test_an_export_replaces_a_file_whole(later: Corpus, other: Corpus, tmp_path: Path) -> None:
    file = tmp_path / "export.zip"
    file.write_text("older")
    later.generations.export(file)
    assert other.rebuild(archive=file).articles == 2


def test_files_from_before_1980_can_be_exported(later: Corpus, other: Corpus, tmp_path: Path) -> None:
    """ZIP knows no such times, and whoever restores a home may leave none."""
    for name in ("library.db", "manifest.json"):
        os.utime(later.path(name, 2), (0, 0))
    later.generations.export(tmp_path / "export.zip")
    assert other.rebuild(archive=tmp_path / "export.zip").articles == 2


@pytest.mark.parametrize("below", ["missing/export.zip", "taken"])
def test_an_export_that_cannot_be_written_leaves_no_file(later: Corpus, tmp_path: Path, below: str) -> None:
    (tmp_path / "taken" / "by a folder").mkdir(parents=True)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(HomeUnusable, match="cannot be written"):
        later.generations.export(tmp_path / below)
    assert sorted(tmp_path.iterdir()) == before
    assert (later.ids(), later.damage()) == (["bridge", "lighthouse"], "")


def test_a_corpus_without_a_generation_cannot_be_exported(other: Corpus, tmp_path: Path) -> None:
    with pytest.raises(LibraryLost):
        other.generations.export(tmp_path / "export.zip")
    assert not (tmp_path / "export.zip").exists()


def test_a_damaged_library_is_not_exported(
    one: Path, folder: Path, corpus_in: CorpusIn, tmp_path: Path
) -> None:
    corpus = corpus_in(shutil.copytree(one, folder))
    assert corpus.ids() == ["bridge"]
    flip(corpus.path("library.db"))
    with pytest.raises(LibraryDamaged, match=r"library\.db is not as it was written"):
        corpus.generations.export(tmp_path / "export.zip")
    assert not (tmp_path / "export.zip").exists()


@pytest.fixture(scope="module")
def exported(two: Path, tmp_path_factory: pytest.TempPathFactory, corpus_in: CorpusIn) -> Path:
    """An export, to be spoilt in a copy."""
    file = tmp_path_factory.mktemp("exported") / "export.zip"
    corpus_in(two).generations.export(file)
    return file


def members(file: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(file) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(file: Path, contents: dict[str, bytes]) -> None:
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content)


def repacked(change: Callable[[dict[str, bytes]], dict[str, bytes]]) -> Callable[[Path], object]:
    return lambda file: packed(file, change(members(file)))


def with_bit(content: bytes) -> bytes:
    changed = bytearray(content)
    changed[len(changed) // 2] ^= 1
    return bytes(changed)


def in_place(change: Callable[[bytes], bytes]) -> Callable[[Path], object]:
    return lambda file: file.write_bytes(change(file.read_bytes()))


def a_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


UNUSABLE: dict[str, Callable[[Path], object]] = {
    "no ZIP file": lambda file: file.write_text("---\ntitle: An article\n---\nIt rained.\n"),
    "empty": lambda file: file.write_bytes(b""),
    "gone": lambda file: file.unlink(),
    "a folder": a_folder,
    "cut off": in_place(lambda content: content[: len(content) // 2]),
    "with a wrong bit": in_place(with_bit),
    "zeroed in the middle": in_place(lambda content: content[:100] + bytes(400) + content[500:]),
    "of other files": lambda file: packed(file, {"articles.csv": b"a,b", "../library.db": b"x"}),
    "without a library": repacked(lambda held: {"manifest.json": held["manifest.json"]}),
    "without a manifest": repacked(lambda held: {"library.db": held["library.db"]}),
    "with names below a folder": repacked(lambda held: {f"main/{name}": held[name] for name in held}),
    "with a damaged library": repacked(lambda held: {**held, "library.db": with_bit(held["library.db"])}),
    "with another library": repacked(lambda held: {**held, "library.db": b"x" * len(held["library.db"])}),
    "with a damaged manifest": repacked(
        lambda held: {
            **held,
            "manifest.json": held["manifest.json"].replace(b'"articles": 2', b'"articles": 3'),
        }
    ),
    "with a manifest that is none": repacked(lambda held: {**held, "manifest.json": b"[]"}),
}


@pytest.mark.parametrize("how", UNUSABLE)
def test_a_file_that_is_no_sound_export_is_refused_and_leaves_nothing(
    exported: Path, other: Corpus, tmp_path: Path, how: str
) -> None:
    file = Path(shutil.copy(exported, tmp_path / "export.zip"))
    UNUSABLE[how](file)
    with pytest.raises(ArchiveUnusable, match=r"export\.zip' is no export of a corpus") as caught:
        other.rebuild(archive=file)
    assert "assistant index export" in caught.value.help
    assert (other.ids(), other.numbers()) == ([], [])


def test_a_corpus_stays_as_it_was_when_an_import_is_refused(later: Corpus, tmp_path: Path) -> None:
    (tmp_path / "export.zip").write_text("no ZIP file")
    with pytest.raises(ArchiveUnusable):
        later.rebuild(archive=tmp_path / "export.zip")
    assert (later.ids(), later.numbers()) == (["bridge", "lighthouse"], ["1", "2"])


def test_an_export_of_a_newer_version_is_told_as_such(exported: Path, other: Corpus, tmp_path: Path) -> None:
    held = members(exported)
    manifest = json.loads(held["manifest.json"])
    del manifest["checksum"]
    packed(
        tmp_path / "new.zip",
        {**held, "manifest.json": json.dumps({**manifest, "format": FORMAT + 1}).encode()},
    )
    with pytest.raises(FormatUnsupported, match="format 3"):
        other.rebuild(archive=tmp_path / "new.zip")
    assert other.numbers() == []


def test_what_goes_wrong_after_unpacking_stays_what_it_is(exported: Path, other: Corpus) -> None:
    with pytest.raises(KeyError, match="later"), other.generations.writer(archive=exported):
        raise KeyError("later")
    assert other.numbers() == []


# Collecting


def test_collecting_deletes_leftovers_and_keeps_current_and_previous(later: Corpus) -> None:
    for name in ("3.building", "1.doomed", "export.archive", "9"):
        (later.folder / "generations" / name).mkdir()
        (later.folder / "generations" / name / "library.db").write_bytes(bytes(1_000))
    assert later.generations.collect() == Freed(1, 4_000)
    assert later.numbers() == ["1", "2"]
    assert later.generations.collect() == Freed(0, 0)
    assert later.ids() == ["bridge", "lighthouse"]


def test_collecting_the_previous_generation_leaves_the_current_one(later: Corpus) -> None:
    size = sum(path.stat().st_size for path in later.path("").rglob("*") if path.is_file())
    assert later.generations.collect(previous=True) == Freed(1, size)
    assert (later.numbers(), later.ids()) == (["2"], ["bridge", "lighthouse"])


def test_what_was_held_by_a_reader_is_collected_later(folder: Path, corpus_in: CorpusIn, one: Path) -> None:
    corpus, reader = corpus_in(shutil.copytree(one, folder)), corpus_in(folder)
    with reader.generations.current():
        corpus.publish(LIGHTHOUSE)
        corpus.publish(NOTICE)
        assert corpus.numbers() == ["1", "2", "3"]
        assert corpus.generations.collect() == Freed(0, 0)
        assert corpus.numbers() == ["1", "2", "3"]
    assert reader.ids() == ["bridge", "lighthouse", "notice"]
    assert corpus.generations.collect().generations == 1
    assert corpus.numbers() == ["2", "3"]


def test_collecting_an_empty_corpus_frees_nothing(other: Corpus) -> None:
    assert other.generations.collect(previous=True) == Freed(0, 0)


# Verifying


def test_a_sound_corpus_has_no_problems(later: Corpus) -> None:
    later.publish(NOTICE, without=["bridge"])
    assert later.generations.verify() == {3: [], 2: []}


def test_a_large_sound_corpus_has_no_problems(many: Path, folder: Path, corpus_in: CorpusIn) -> None:
    corpus = corpus_in(shutil.copytree(many, folder))
    assert corpus.generations.verify() == {1: []}
    (graph,) = corpus.path("chroma").glob("*/data_level0.bin")
    flip(graph)
    ((number, problems),) = corpus.generations.verify().items()
    assert number == 1
    assert "data_level0.bin is not as it was written" in problems[0]


def segment(current: Path) -> Path:
    return next((current / "lexical").glob("*.term"))


def statement(text: str) -> Callable[[Path], object]:
    """Changes the library and gives it a fitting manifest, as an error in this program would."""

    def change(current: Path) -> None:
        with closing(sqlite3.connect(current / "library.db")) as connection, connection:
            connection.execute(text)
        write_record(current, read_record(current).manifest)

    return change


def other_lexical(current: Path) -> None:
    shutil.rmtree(current / "lexical")
    TantivyIndex.build(current / "lexical", [IndexRow("a", "", "rain"), IndexRow("b", "", "snow")])
    write_record(current, read_record(current).manifest)


def other_vectors(current: Path) -> None:
    vectors = np.load(current / "chroma" / "vectors.npy")
    np.save(current / "chroma" / "vectors.npy", vectors[::-1])
    write_record(current, read_record(current).manifest)


def other_count(current: Path) -> None:
    write_record(current, replace(read_record(current).manifest, articles=3))


PLANTED: dict[str, tuple[Callable[[Path], object], str]] = {
    "a wrong bit in the library": (
        lambda current: flip(current / "library.db"),
        "library.db is not as it was",
    ),
    "a wrong bit in a segment": (lambda current: flip(segment(current)), ".term is not as it was written"),
    "a segment that is gone": (lambda current: segment(current).unlink(), ".term cannot be read"),
    "a wrong bit in the vectors": (
        lambda current: flip(current / "chroma" / "vectors.npy"),
        "vectors.npy is not as it was written",
    ),
    "a wrong bit in the manifest": (lambda current: flip(current / "manifest.json"), "manifest.json"),
    "no generation": (shutil.rmtree, "generation 2 is incomplete"),
    "Chroma without its database": (
        lambda current: (current / "chroma" / "chroma.sqlite3").write_bytes(b"garbage" * 999),
        "the vector index 'chroma' cannot be opened",
    ),
    "a changed text": (
        statement("UPDATE articles SET text = text || ' No.' WHERE id = 'bridge'"),
        "the stored article 'bridge' does not match its hash",
    ),
    "a passage of another id": (
        statement("UPDATE passages SET id = '0123456789abcdef' WHERE article_id = 'bridge'"),
        "does not match its text",
    ),
    "a sentence beyond its text": (
        statement("UPDATE sentences SET end = 9999 WHERE article_id = 'bridge' AND start = 0"),
        "a sentence of article 'bridge' lies outside its text",
    ),
    "another number of articles": (other_count, "the library holds 2 articles with 2 passages"),
    "a lexical index of other passages": (other_lexical, "the lexical index lacks 2 passages"),
    "vectors in another order": (other_vectors, "the vectors differ from the library's"),
}


@pytest.mark.parametrize("what", PLANTED)
def test_verifying_finds_what_is_planted_and_nothing_in_the_other_generation(
    later: Corpus, what: str
) -> None:
    plant, told = PLANTED[what]
    plant(later.path("", 2))
    found = later.generations.verify()
    assert list(found) == [2, 1]
    assert [line for line in found[2] if told in line], found[2]
    assert found[1] == []


def test_nothing_is_verified_where_nothing_is(other: Corpus) -> None:
    assert other.generations.verify() == {}
