"""What readers, writers and a rebuild do about files that are not as they were written."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from assistant.adapters.generation_manifest import CHECKED_AT_OPEN
from assistant.adapters.generation_stores import GenerationFolder, Stores
from assistant.bootstrap import stores
from assistant.domain.articles import Article
from assistant.domain.errors import LibraryDamaged, LibraryLost
from assistant.domain.passages import PreparedArticle
from assistant.testing import sample_article, sample_articles

if TYPE_CHECKING:
    from tests.contracts.conftest import Corpus

CorpusIn = Callable[..., "Corpus"]
BRIDGE, UPDATE, LIGHTHOUSE, NOTICE = sample_articles()
ANSWERS, TOLD, OLDER = "answers", "told", "the older one answers"
GOES_ON, REFUSES = "goes on", "refuses"


class Damage(NamedTuple):
    """Something done to a corpus and its current generation, and what comes of it.

    alone: what a reader does when there is no other generation. before: when a sound older one is there.
    """

    do: Callable[[Path, Path], object]
    alone: str
    before: str
    writer: str


def pointer(content: bytes, alone: str = ANSWERS, before: str = ANSWERS, writer: str = GOES_ON) -> Damage:
    return Damage(lambda main, current: (main / "current").write_bytes(content), alone, before, writer)


def file(name: str, do: Callable[[Path], object], writer: str) -> Damage:
    return Damage(lambda main, current: do(current / name), TOLD, OLDER, writer)


def cut(path: Path) -> None:
    rewrite(path, path.read_bytes()[:50])


def grow(path: Path) -> None:
    rewrite(path, path.read_bytes() + b"\0")


def flip(path: Path) -> None:
    """Change one bit in the middle."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    rewrite(path, bytes(content))


def garbage(path: Path) -> None:
    rewrite(path, b"garbage" * 999)


def empty(path: Path) -> None:
    rewrite(path, b"")


def rewrite(path: Path, content: bytes) -> None:
    path.unlink()  # a file that a reader still has mapped must not shrink under it
    path.write_bytes(content)


def without_embedder(path: Path) -> None:
    content = json.loads(path.read_text())
    del content["embedder"]
    path.write_text(json.dumps(content))


def with_another_count(path: Path) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), "articles": 7}))


def a_segment(current: Path, do: Callable[[Path], object]) -> None:
    do(next((current / "lexical").glob("*.term")))


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def a_file(path: Path) -> None:
    shutil.rmtree(path)
    path.touch()


DAMAGE: dict[str, Damage] = {
    # A pointer that holds no number is as good as none: the newest complete generation goes on.
    "the pointer is gone": Damage(
        lambda main, current: (main / "current").unlink(), ANSWERS, ANSWERS, GOES_ON
    ),
    "the pointer is empty": pointer(b""),
    "the pointer is blank": pointer(b" \n"),
    "the pointer is a word": pointer(b"latest\n"),
    "the pointer is no text": pointer(b"\xff\xfe\x00"),
    "the pointer is zeroed": pointer(b"\0\0"),
    "the pointer is nought": pointer(b"0\n"),
    "the pointer is negative": pointer(b"-1\n"),
    "the pointer is a digit that is no number": pointer("²".encode()),
    "the pointer points at nothing": pointer(b"5\n", OLDER, OLDER, REFUSES),
    "the generation is a file": Damage(lambda main, current: a_file(current), TOLD, OLDER, REFUSES),
    "the generation is gone": Damage(lambda main, current: shutil.rmtree(current), TOLD, OLDER, REFUSES),
    "the manifest is gone": file("manifest.json", Path.unlink, REFUSES),
    "the manifest is empty": file("manifest.json", empty, REFUSES),
    "the manifest is cut off": file("manifest.json", cut, REFUSES),
    "the manifest is no text": file("manifest.json", lambda path: rewrite(path, b"\xff\xff"), REFUSES),
    "the manifest is a list": file("manifest.json", lambda path: path.write_text("[]"), REFUSES),
    "the manifest lacks a key": file("manifest.json", without_embedder, REFUSES),
    "the manifest has another count": file("manifest.json", with_another_count, REFUSES),
    "the manifest is a folder": file("manifest.json", a_folder, REFUSES),
    "the library is gone": file("library.db", Path.unlink, REFUSES),
    "the library is empty": file("library.db", empty, REFUSES),
    "the library is cut off": file("library.db", cut, REFUSES),
    "the library is longer": file("library.db", grow, REFUSES),
    "the library has a wrong bit": file("library.db", flip, REFUSES),
    "the library is garbage": file("library.db", garbage, REFUSES),
    # Both indexes are derived: a writer builds anew what it cannot copy.
    "the vectors are cut off": file("chroma/vectors.npy", cut, GOES_ON),
    "the vectors have a wrong bit": file("chroma/vectors.npy", flip, GOES_ON),
    "the ids of the vectors are gone": file("chroma/ids.npy", Path.unlink, GOES_ON),
    "the state of the graph is empty": file("chroma/state.json", empty, GOES_ON),
    "the vectors are gone": file("chroma", shutil.rmtree, GOES_ON),
    "the lexical index is gone": file("lexical", shutil.rmtree, GOES_ON),
    "the lexical index has no list of its files": file("lexical/meta.json", Path.unlink, GOES_ON),
    "the lexical index has a damaged list": file("lexical/meta.json", cut, GOES_ON),
    "a segment has a wrong bit": Damage(lambda main, current: a_segment(current, flip), TOLD, OLDER, GOES_ON),
    "a segment is gone": Damage(lambda main, current: a_segment(current, Path.unlink), TOLD, OLDER, GOES_ON),
    "nothing marks the generation as in use": file("in-use", Path.unlink, GOES_ON),
    # Of a small corpus Chroma is never asked.
    "Chroma's database is garbage": Damage(
        lambda main, current: garbage(current / "chroma" / "chroma.sqlite3"), ANSWERS, ANSWERS, GOES_ON
    ),
}


@pytest.fixture
def alone(one: Path, folder: Path, corpus_in: CorpusIn) -> Corpus:
    """A corpus of one generation, of one article."""
    return corpus_in(shutil.copytree(one, folder))


@pytest.fixture
def later(two: Path, folder: Path, corpus_in: CorpusIn) -> Corpus:
    """A corpus of two generations; the second one has the lighthouse, too."""
    return corpus_in(shutil.copytree(two, folder))


@pytest.mark.parametrize("name", DAMAGE)
def test_without_an_older_generation_damage_is_told_with_what_to_do(alone: Corpus, name: str) -> None:
    damage = DAMAGE[name]
    damage.do(alone.folder, alone.path(""))
    for _ in range(2):  # the second question fares no worse than the first
        if damage.alone == TOLD:
            with pytest.raises(LibraryDamaged) as caught:
                alone.ids()
            assert "assistant index rebuild" in caught.value.help
            assert "generation 1 of 'main'" in str(caught.value)
        else:
            assert alone.ids() == ["bridge"]
    assert len(alone.warnings) == (1 if damage.alone == OLDER else 0)


@pytest.mark.parametrize("name", DAMAGE)
def test_a_sound_older_generation_answers_in_its_place_and_says_so(later: Corpus, name: str) -> None:
    damage = DAMAGE[name]
    damage.do(later.folder, later.path("", 2))
    if damage.before == ANSWERS or name == "the pointer points at nothing":
        assert later.ids() == ["bridge", "lighthouse"]
        assert (later.damage() == "") == (damage.before == ANSWERS)
        return
    for _ in range(2):
        assert (later.ids(), later.number()) == (["bridge"], 1)
        assert later.hits("bridge") != ([], [], [])
    assert later.damage().startswith("generation 2 is damaged (")
    assert later.damage().endswith("); generation 1 answers")
    assert later.warnings == [f"{later.damage()}. {LibraryDamaged.help}"]


@pytest.mark.parametrize("name", DAMAGE)
def test_a_writer_goes_on_from_a_sound_library_and_refuses_a_damaged_one(later: Corpus, name: str) -> None:
    damage = DAMAGE[name]
    damage.do(later.folder, later.path("", 2))
    before = everything(later.folder)
    if damage.writer == REFUSES:
        with pytest.raises(LibraryDamaged) as caught:
            later.publish(NOTICE)
        assert "assistant index rebuild" in caught.value.help
        assert everything(later.folder) == before
    else:
        assert later.publish(NOTICE) == 3
        assert (later.ids(), later.damage()) == (["bridge", "lighthouse", "notice"], "")
        assert len(later.hits("town library")[0]) == 1
        assert later.generations.verify()[3] == []


def everything(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("writer."))
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


REBUILT = [
    *("the pointer is a word", "the pointer points at nothing", "the generation is gone"),
    *("the manifest is cut off", "the library has a wrong bit", "the library is gone"),
    *("the vectors are gone", "a segment has a wrong bit", "Chroma's database is garbage"),
]


@pytest.mark.parametrize("name", REBUILT)
def test_a_rebuild_mends_what_can_be_mended_and_says_what_is_lost(later: Corpus, name: str) -> None:
    damage = DAMAGE[name]
    damage.do(later.folder, later.path("", 2))
    done = later.rebuild()
    if damage.writer == GOES_ON or name == "the pointer points at nothing":
        assert later.ids() == ["bridge", "lighthouse"]
    else:
        assert later.ids() == ["bridge"]
        assert done.lost == (
            "the library of generation 2 is damaged, so that of generation 1 was taken;"
            " ingest again what was ingested since"
        )
    assert (done.lost == "") == (damage.writer == GOES_ON)
    assert (done.articles, done.generation) == (len(later.ids()), later.number())
    assert (later.damage(), later.warnings) == ("", [])
    assert later.generations.verify()[later.number()] == []


@pytest.mark.parametrize("name", [each for each in DAMAGE if DAMAGE[each][1:] == (TOLD, OLDER, REFUSES)])
def test_a_library_without_any_sound_generation_is_lost_and_that_is_told(alone: Corpus, name: str) -> None:
    DAMAGE[name].do(alone.folder, alone.path(""))
    before = everything(alone.folder)
    with pytest.raises(LibraryLost, match="generation 1 of 'main'") as caught:
        alone.rebuild()
    assert "assistant index import" in caught.value.help
    assert everything(alone.folder) == before


def test_of_two_damaged_generations_the_newer_one_is_told(later: Corpus) -> None:
    (later.path("library.db", 2)).unlink()
    flip(later.path("library.db", 1))
    with pytest.raises(LibraryDamaged, match=r"generation 2 of 'main': library\.db cannot be read"):
        later.ids()
    with pytest.raises(LibraryLost, match="generation 2 of 'main'"):
        later.rebuild()


def test_a_generation_that_cannot_be_opened_is_let_go_of(alone: Corpus, corpus_in: CorpusIn) -> None:
    """Nothing keeps the folder in use, so that a later writer can remove it."""
    alone.path("chroma/vectors.npy").unlink()
    with pytest.raises(LibraryDamaged) as caught:
        alone.ids()
    for article in (NOTICE, UPDATE):
        corpus_in(alone.folder).publish(article)
    assert caught.value.help
    assert alone.numbers() == ["2", "3"]


def test_a_pointer_to_a_generation_that_is_long_gone_is_as_good_as_none(later: Corpus) -> None:
    """One wrong bit makes a 1 of a 3; a writer must not take the newer generations for leftovers."""
    later.publish(NOTICE)
    (later.folder / "current").write_text("1\n")
    assert (later.number(), later.damage()) == (3, "")
    with later.generations.writer():
        assert later.numbers() == ["2", "3"]
    assert later.publish(UPDATE) == 4
    assert later.ids() == ["bridge", "bridge-update", "lighthouse", "notice"]


# Recovery


def test_the_next_publish_after_damage_to_an_index_ends_the_notice(
    later: Corpus, corpus_in: CorpusIn
) -> None:
    shutil.rmtree(later.path("lexical", 2))
    assert later.number() == 1
    corpus_in(later.folder).publish(NOTICE)
    assert (later.number(), later.damage()) == (3, "")
    assert later.ids() == ["bridge", "lighthouse", "notice"]
    assert len(later.warnings) == 1


def test_a_reader_is_warned_once_for_each_damaged_generation(later: Corpus) -> None:
    shutil.rmtree(later.path("lexical", 2))
    for _ in range(3):
        later.ids()
    assert len(later.warnings) == 1
    later.publish(NOTICE)
    later.path("library.db", 3).unlink()
    for _ in range(3):
        later.ids()
    assert [line.split(" (")[0] for line in later.warnings] == [
        "generation 2 is damaged",
        "generation 3 is damaged",
    ]


def test_salvaging_starts_from_the_newest_sound_library_and_keeps_that_generation(later: Corpus) -> None:
    flip(later.path("library.db", 2))
    with later.generations.writer(salvage=True) as writer:
        assert set(writer.library.hashes()) == {"bridge"}
        assert "generation 2 is damaged" in writer.salvaged
        assert writer.before is not None
        assert writer.before.articles == 1
        assert writer.publish() == 3
    assert later.ids() == ["bridge"]
    assert later.numbers() == ["1", "3"]


def test_salvaging_a_library_that_is_sound_loses_nothing_whatever_else_is_damaged(later: Corpus) -> None:
    shutil.rmtree(later.path("lexical", 2))
    with later.generations.writer(salvage=True) as writer:
        assert (set(writer.library.hashes()), writer.salvaged) == ({"bridge", "lighthouse"}, "")


def test_a_discarded_corpus_remembers_no_damage(alone: Corpus) -> None:
    for _ in range(3):
        with pytest.raises(LibraryDamaged), alone.generations.current():
            raise LibraryDamaged("found while reading")
        with pytest.raises(LibraryDamaged, match="found while reading"):
            alone.ids()
        alone.generations.discard()
        alone.publish(NOTICE)
        assert alone.ids() == ["notice"]


# Damage that opening does not find

LONG = sample_article("long", "Rain fell on the hills. " * 2_000)


def garble(path: Path, words: bytes) -> None:
    """Overwrite a page in the middle of those that hold the words, in place, as a failing disk does."""
    content = path.read_bytes()
    pages = [at for at in range(0, len(content), 4096) if words in content[at : at + 4096]]
    with path.open("r+b") as file:
        file.seek(pages[1])
        file.write(bytes(range(256)) * 16)


def read(corpus: Corpus, article_id: str) -> Article:
    with corpus.generations.current() as current:
        assert current is not None
        return current.library.article(article_id)


def test_a_generation_that_turns_out_damaged_while_it_is_read_is_not_given_out_again(later: Corpus) -> None:
    later.publish(LONG)
    assert later.ids() == ["bridge", "lighthouse", "long"]
    garble(later.path("library.db", 3), b"Rain fell on the hills. ")
    with later.generations.current() as other_reader:
        with pytest.raises(LibraryDamaged):
            read(later, "long")
        assert (later.number(), later.ids()) == (2, ["bridge", "lighthouse"])
        assert other_reader is not None
        assert len(other_reader.lexical.search("bridge", 5)) == 1
    assert later.damage().startswith("generation 3 is damaged (")
    assert len(later.warnings) == 1
    with pytest.raises(LibraryDamaged):
        later.publish(NOTICE)
    assert later.rebuild().lost != ""
    assert (later.ids(), later.damage()) == (["bridge", "lighthouse"], "")


def test_a_page_beyond_what_opening_checks_is_found_when_it_is_read(
    folder: Path, light: Stores, corpus_in: CorpusIn
) -> None:
    corpus = corpus_in(folder, light)
    corpus.publish(BRIDGE)
    text = "Rain fell on the hills. "
    large = sample_article("large", text * (CHECKED_AT_OPEN // len(text) + 1))
    with corpus.generations.writer() as writer:
        writer.library.put(PreparedArticle(large, (), ()), vectors_of_nothing())
        writer.publish()
    garble(corpus.path("library.db", 2), text.encode())
    assert (corpus.number(), corpus.damage()) == (2, "")
    with pytest.raises(LibraryDamaged):
        read(corpus, "large")
    assert (corpus.number(), corpus.ids()) == (1, ["bridge"])
    with pytest.raises(LibraryDamaged, match="not as it was written"):
        corpus.publish(NOTICE)


def vectors_of_nothing() -> NDArray[np.float32]:
    return np.empty((0, 256), dtype=np.float32)


# Chroma's files


@pytest.fixture
def large(many: Path, folder: Path, corpus_in: CorpusIn) -> Corpus:
    """A corpus of one generation, so large that Chroma is asked."""
    return corpus_in(shutil.copytree(many, folder))


def test_where_chromas_database_is_damaged_all_vectors_are_compared_and_that_is_said(large: Corpus) -> None:
    question = read(large, "a0000").text
    garbage(large.path("chroma/chroma.sqlite3"))
    for _ in range(2):
        _, proposed, exact = large.hits(question)
        assert proposed == exact
        assert "the vector index 'chroma' cannot be opened" in large.damage()
    assert large.publish(NOTICE) == 2
    _, proposed, exact = large.hits(question)
    assert (proposed, large.damage()) == (exact, "")


def test_a_graph_that_is_damaged_under_an_open_generation_is_not_read(large: Corpus) -> None:
    with large.generations.current() as current:
        assert current is not None
        (graph,) = large.path("chroma").glob("*/data_level0.bin")
        flip(graph)
        _, proposed, exact = large.hits(current.library.article("a0000").text)
        assert proposed == exact
        assert "data_level0.bin is not as it was written" in current.damage


def test_a_damaged_graph_is_built_anew_by_the_next_publish(large: Corpus) -> None:
    (graph,) = large.path("chroma").glob("*/data_level0.bin")
    flip(graph)
    assert large.publish(NOTICE) == 2
    assert large.damage() == ""
    assert large.generations.verify()[2] == []


def test_a_corpus_that_is_made_anew_after_a_withdrawal_has_a_generation_to_go_back_to(later: Corpus) -> None:
    for article in (NOTICE, UPDATE):
        later.publish(article)
    later.generations.forget(patience=0)
    later.generations.discard()
    for article in (BRIDGE, LIGHTHOUSE):
        later.publish(article)
    garbage(later.path("library.db", 2))
    assert (later.ids(), later.number()) == (["bridge"], 1)


def test_nobody_goes_back_behind_a_withdrawal_while_its_text_is_still_read(later: Corpus) -> None:
    with closing(GenerationFolder(later.path("", 1), 1, stores())):  # so that it cannot be deleted yet
        assert later.generations.forget(patience=0) == [1]
        garbage(later.path("library.db", 2))
        with pytest.raises(LibraryDamaged):
            later.ids()
        with pytest.raises(LibraryLost):
            later.rebuild()
