"""What only folders can get wrong: crashes, leftovers, damage, other processes, readers that stay."""

from __future__ import annotations

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest

import assistant
from assistant.adapters.chroma_index import ChromaIndex
from assistant.adapters.generation_folders import FORMAT, GenerationFolders, Stores
from assistant.adapters.sqlite_library import SqliteLibrary, write_library
from assistant.adapters.tantivy_index import TantivyIndex
from assistant.domain.articles import Article
from assistant.domain.errors import FormatUnsupported, HomeUnusable, LibraryBusy, LibraryDamaged, LibraryError
from assistant.ingest import prepare
from assistant.ports import IndexRow
from assistant.testing import FullStopSegmenter, MemoryVectorIndex, sample_articles

BRIDGE, UPDATE, LIGHTHOUSE, NOTICE = sample_articles()
REAL = Stores(
    write_library=write_library,
    open_library=SqliteLibrary,
    build_lexical=TantivyIndex.build,
    open_lexical=TantivyIndex,
    build_vectors=ChromaIndex.build,
    open_vectors=ChromaIndex,
)


class Vectors(MemoryVectorIndex):
    """A vector index without vectors that tells when it is closed: these tests are about folders."""

    def __init__(self, folder: Path, closed: list[str]) -> None:
        super().__init__([])
        self._name = folder.parent.name
        self._closed = closed

    def close(self) -> None:
        self._closed.append(self._name)


@pytest.fixture
def closed() -> list[str]:
    """The generations whose vectors were closed, in order."""
    return []


@pytest.fixture
def light(closed: list[str]) -> Stores:
    """The real library and lexical index, and no vectors."""

    def build_vectors(folder: Path, rows: Iterable[IndexRow]) -> None:
        folder.mkdir()

    return replace(REAL, build_vectors=build_vectors, open_vectors=lambda folder: Vectors(folder, closed))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "home" / "corpora" / "main"


@pytest.fixture
def generations(folder: Path, light: Stores) -> GenerationFolders:
    return opened(folder, light)


def opened(folder: Path, stores: Stores, *, patience: float = 0) -> GenerationFolders:
    return GenerationFolders(folder, stores, embedder="e", segmenter="s", patience=patience)


def publish(generations: GenerationFolders, *articles: Article) -> int:
    with generations.writer() as writer:
        for prepared in prepare(articles, FullStopSegmenter()):
            writer.library.put(prepared, np.ones((len(prepared.passages), 2), dtype=np.float32))
        return writer.publish()


def ids(generations: GenerationFolders) -> list[str]:
    with generations.current() as current:
        assert current is not None
        return sorted(info.id for info in current.library.articles())


def numbers(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "generations").iterdir())


# Layout


def test_a_corpus_is_a_pointer_and_a_folder_for_each_generation(
    folder: Path, generations: GenerationFolders
) -> None:
    publish(generations, BRIDGE)
    assert (folder / "current").read_text() == "1\n"
    assert numbers(folder) == ["1"]
    held = sorted(path.name for path in (folder / "generations" / "1").iterdir())
    assert held == ["chroma", "in-use", "lexical", "library.db", "manifest.json"]


def test_its_folders_are_private(folder: Path, generations: GenerationFolders, tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        publish(generations, BRIDGE)
    finally:
        os.umask(before)
    made = [tmp_path / "home", folder.parent, folder, folder / "generations", folder / "generations" / "1"]
    assert [oct(stat.S_IMODE(path.stat().st_mode)) for path in made] == [oct(0o700)] * len(made)


def test_a_folder_that_was_there_keeps_its_mode(
    folder: Path, generations: GenerationFolders, tmp_path: Path
) -> None:
    (tmp_path / "home").mkdir(mode=0o755)
    (tmp_path / "home").chmod(0o755)
    publish(generations, BRIDGE)
    assert stat.S_IMODE((tmp_path / "home").stat().st_mode) == 0o755


def test_reading_makes_no_folder(folder: Path, generations: GenerationFolders) -> None:
    with generations.current() as current:
        assert current is None
    assert not folder.exists()


@pytest.mark.parametrize("below", ["", "main", "corpora/main"])
def test_a_home_that_is_a_file_cannot_be_read(tmp_path: Path, light: Stores, below: str) -> None:
    (tmp_path / "home").write_text("a file")
    generations = opened(tmp_path / "home" / below, light)
    with pytest.raises(HomeUnusable, match="cannot be read"), generations.current():
        pass


def test_a_home_that_is_a_file_cannot_be_written(tmp_path: Path, light: Stores) -> None:
    (tmp_path / "home").write_text("a file")
    with (
        pytest.raises(HomeUnusable, match="cannot be written"),
        opened(tmp_path / "home" / "main", light).writer(),
    ):
        pass


# Readers and old generations


def test_the_generation_before_is_kept_and_older_ones_go(
    folder: Path, generations: GenerationFolders
) -> None:
    kept = []
    for article in (BRIDGE, UPDATE, LIGHTHOUSE, NOTICE):
        publish(generations, article)
        kept.append(numbers(folder))
    assert kept == [["1"], ["1", "2"], ["2", "3"], ["3", "4"]]


def test_a_generation_stays_while_a_reader_holds_it(folder: Path, light: Stores) -> None:
    reader, writer = opened(folder, light), opened(folder, light)
    publish(writer, BRIDGE)
    with reader.current() as held:
        for article in (UPDATE, LIGHTHOUSE, NOTICE):
            publish(writer, article)
        assert numbers(folder) == ["1", "3", "4"]
        assert held is not None
        assert [info.id for info in held.library.articles()] == ["bridge"]
    assert ids(reader) == ["bridge", "bridge-update", "lighthouse", "notice"]
    publish(writer, BRIDGE)
    assert numbers(folder) == ["4", "5"]


def test_a_generation_is_closed_when_its_last_reader_leaves_after_a_publish(
    generations: GenerationFolders, closed: list[str]
) -> None:
    publish(generations, BRIDGE)
    with generations.current():
        with generations.current():
            publish(generations, NOTICE)
            assert ids(generations) == ["bridge", "notice"]
        assert closed == []
    assert closed == ["1"]
    publish(generations, LIGHTHOUSE)
    assert ids(generations) == ["bridge", "lighthouse", "notice"]
    assert closed == ["1", "2"]


def test_a_generation_that_nobody_refers_to_any_more_is_closed(
    folder: Path, light: Stores, closed: list[str]
) -> None:
    publish(opened(folder, light), BRIDGE)
    assert ids(opened(folder, light)) == ["bridge"]
    assert closed == ["1"]


def test_a_reader_that_comes_late_finds_the_generation_that_the_pointer_left(
    folder: Path, light: Stores
) -> None:
    """A writer publishes and cleans up between a reader's look at the pointer and its opening."""
    writer = opened(folder, light)
    publish(writer, BRIDGE)

    def open_after_two_publishes(path: Path) -> SqliteLibrary:
        if path.parent.name == "1":
            publish(writer, NOTICE)
            publish(writer, UPDATE)
            shutil.rmtree(path.parent)
            raise FileNotFoundError(path)
        return SqliteLibrary(path)

    assert ids(opened(folder, replace(light, open_library=open_after_two_publishes))) == [
        "bridge",
        "bridge-update",
        "notice",
    ]


# Writers


def test_a_second_writer_in_another_process_is_told_that_the_corpus_is_busy(
    folder: Path, light: Stores
) -> None:
    with (
        another_writer(folder),
        pytest.raises(LibraryBusy, match="'main'") as caught,
        opened(folder, light).writer(),
    ):
        pass
    assert caught.value.retryable


def test_a_patient_writer_waits_for_the_other_process(folder: Path, light: Stores) -> None:
    with another_writer(folder, seconds=1):
        assert publish(opened(folder, light, patience=30), BRIDGE) == 1


def test_the_lock_of_a_killed_writer_is_free(folder: Path, light: Stores) -> None:
    with another_writer(folder) as other:
        other.kill()
        other.wait()
        assert publish(opened(folder, light), BRIDGE) == 1


def test_a_corpus_can_be_read_while_another_process_writes(
    folder: Path, generations: GenerationFolders
) -> None:
    publish(generations, BRIDGE)
    with another_writer(folder):
        assert ids(generations) == ["bridge"]


@contextmanager
def another_writer(folder: Path, *, seconds: float = 60) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the writer of the corpus for so many seconds."""
    code = f"""
        with generations.writer():
            print("writing", flush=True)
            time.sleep({seconds})
    """
    process = subprocess.Popen(python(folder, code), stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "writing\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def python(folder: Path, code: str) -> list[str]:
    """A command that runs the code with the corpus as ``generations``."""
    opening = f"""
        import os, signal, sys, time
        from dataclasses import replace
        from pathlib import Path
        sys.path[:0] = {[str(Path(assistant.__file__).parents[1]), str(Path(__file__).parent)]!r}
        from test_generation_folders import REAL, GenerationFolders, opened, publish, NOTICE, sample_articles
        folder = Path({str(folder)!r})
        generations = opened(folder, REAL)
    """
    return [sys.executable, "-c", dedent(opening) + dedent(code)]


# Crashes

KILLED = {
    "before the lexical index": "build_lexical=die",
    "after the lexical index": "build_lexical=lambda *a: (REAL.build_lexical(*a), die())",
    "before the vectors": "build_vectors=die",
    "after the vectors": "build_vectors=lambda *a: (REAL.build_vectors(*a), die())",
}


@pytest.mark.parametrize("moment", KILLED)
def test_a_writer_killed_while_it_publishes_leaves_the_old_generation_answering(
    folder: Path, moment: str
) -> None:
    generations = opened(folder, REAL)
    publish(generations, BRIDGE)
    code = f"""
        def die(*args):
            os.kill(os.getpid(), signal.SIGKILL)
        publish(opened(folder, replace(REAL, {KILLED[moment]})), NOTICE)
    """
    killed = subprocess.run(python(folder, code), check=False)
    assert killed.returncode == -signal.SIGKILL
    assert numbers(folder) == ["1", "2.building"]
    with generations.current() as current:
        assert current is not None
        assert current.number == 1
        assert [info.id for info in current.library.articles()] == ["bridge"]
        assert len(current.lexical.search("Who closed the bridge?", 5)) == 1
    assert publish(generations, NOTICE) == 2
    assert numbers(folder) == ["1", "2"]
    assert ids(generations) == ["bridge", "notice"]


LEFTOVERS: dict[str, list[str]] = {
    "a folder under construction": ["2.building"],
    "a generation that was never pointed at": ["2"],
    "higher generations from a pointer that went back": ["2", "7"],
}


@pytest.mark.parametrize("left", LEFTOVERS)
def test_the_next_writer_removes_what_a_crash_left(
    folder: Path, generations: GenerationFolders, left: str
) -> None:
    publish(generations, BRIDGE)
    for name in LEFTOVERS[left]:
        (folder / "generations" / name / "lexical").mkdir(parents=True)
        (folder / "generations" / name / "library.db").write_text("half a library")
    assert ids(generations) == ["bridge"]
    with generations.writer():
        assert numbers(folder) == ["1", "2.building"]
    assert numbers(folder) == ["1"]
    assert publish(generations, NOTICE) == 2
    assert ids(generations) == ["bridge", "notice"]


def test_a_half_written_pointer_is_not_the_pointer(folder: Path, generations: GenerationFolders) -> None:
    publish(generations, BRIDGE)
    (folder / "current.new").write_text("9")
    assert ids(generations) == ["bridge"]
    assert publish(generations, NOTICE) == 2


def test_a_failure_while_publishing_leaves_nothing_behind(folder: Path, light: Stores) -> None:
    def full(folder: Path, rows: Iterable[IndexRow]) -> None:
        raise OSError(28, "No space left on device")

    publish(opened(folder, light), BRIDGE)
    with pytest.raises(HomeUnusable, match="No space left"):
        publish(opened(folder, replace(light, build_lexical=full)), NOTICE)
    assert numbers(folder) == ["1"]
    assert ids(opened(folder, light)) == ["bridge"]


# Damage

CURRENT = "generations/1"
DAMAGE: dict[str, Callable[[Path], object]] = {
    "the pointer is empty": lambda main: (main / "current").write_text(""),
    "the pointer is a word": lambda main: (main / "current").write_text("latest\n"),
    "the pointer is no text": lambda main: (main / "current").write_bytes(b"\xff\xfe\x00"),
    "the pointer is a digit that is no number": lambda main: (main / "current").write_text("²"),
    "the pointer points at nothing": lambda main: (main / "current").write_text("5\n"),
    "the generation is a file": lambda main: make_a_file_of(main / CURRENT),
    "the generation is gone": lambda main: shutil.rmtree(main / CURRENT),
    "the manifest is gone": lambda main: (main / CURRENT / "manifest.json").unlink(),
    "the manifest is cut off": lambda main: (main / CURRENT / "manifest.json").write_text('{"format": 1,'),
    "the manifest is no text": lambda main: (main / CURRENT / "manifest.json").write_bytes(b"\xff\xff"),
    "the manifest is a list": lambda main: (main / CURRENT / "manifest.json").write_text("[]"),
    "the manifest lacks a key": lambda main: change_manifest(main, "embedder", None),
    "the library is gone": lambda main: (main / CURRENT / "library.db").unlink(),
    "the library is garbage": lambda main: (main / CURRENT / "library.db").write_bytes(b"garbage" * 999),
    "the vectors are cut off": lambda main: cut(main / CURRENT / "chroma" / "vectors.npy"),
    "the vectors are gone": lambda main: shutil.rmtree(main / CURRENT / "chroma"),
    "the lexical index has no list of its files": lambda main: (
        main / CURRENT / "lexical" / "meta.json"
    ).unlink(),
    "the lexical index has a damaged list": lambda main: cut(main / CURRENT / "lexical" / "meta.json"),
}
# What only reading sees: a writer copies the library and builds the indexes from it.
UNSEEN_BY_WRITERS = ("the vectors", "the lexical index")


def make_a_file_of(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.touch()


def change_manifest(main: Path, key: str, value: object) -> None:
    path = main / CURRENT / "manifest.json"
    values = json.loads(path.read_text())
    if value is None:
        del values[key]
    else:
        values[key] = value
    path.write_text(json.dumps(values))


def cut(path: Path) -> None:
    start = path.read_bytes()[:50]
    path.unlink()  # a file that a reader still has mapped must not shrink under it
    path.write_bytes(start)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus of one article, to be copied."""
    folder = tmp_path_factory.mktemp("sound") / "main"
    publish(opened(folder, REAL), BRIDGE)
    return folder


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_told_to_a_reader_with_what_to_do(sound: Path, folder: Path, damage: str) -> None:
    shutil.copytree(sound, folder)
    DAMAGE[damage](folder)
    generations = opened(folder, REAL)
    for _ in range(2):  # the second question fares no worse than the first
        with pytest.raises(LibraryDamaged) as caught, generations.current():
            pass
        assert caught.value.help


@pytest.mark.parametrize("damage", [each for each in DAMAGE if not each.startswith(UNSEEN_BY_WRITERS)])
def test_damage_is_told_to_a_writer_and_stays_as_it_is(sound: Path, folder: Path, damage: str) -> None:
    shutil.copytree(sound, folder)
    DAMAGE[damage](folder)
    before = everything(folder)
    with pytest.raises(LibraryDamaged):
        publish(opened(folder, REAL), NOTICE)
    assert everything(folder) == before


def everything(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != "writer.lock")
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


@pytest.mark.parametrize("damage", [each for each in DAMAGE if each.startswith(UNSEEN_BY_WRITERS)])
def test_a_damaged_index_is_mended_by_the_next_publish(sound: Path, folder: Path, damage: str) -> None:
    shutil.copytree(sound, folder)
    DAMAGE[damage](folder)
    generations = opened(folder, REAL)
    publish(generations, NOTICE)
    assert ids(generations) == ["bridge", "notice"]


@pytest.mark.parametrize("version", [FORMAT + 1, 0, "1", None])
def test_a_format_of_another_version_is_told(sound: Path, folder: Path, version: object) -> None:
    shutil.copytree(sound, folder)
    change_manifest(folder, "format", version)
    expected: type[LibraryError] = LibraryDamaged if version is None else FormatUnsupported
    with pytest.raises(expected, match="format") as caught, opened(folder, REAL).current():
        pass
    assert caught.value.help
    with pytest.raises(expected), opened(folder, REAL).writer():
        pass


def test_a_generation_that_cannot_be_opened_is_let_go_of(sound: Path, folder: Path) -> None:
    """Nothing keeps the folder in use, so that a later writer can remove it."""
    shutil.copytree(sound, folder)
    (folder / CURRENT / "chroma" / "vectors.npy").unlink()
    generations = opened(folder, REAL)
    with pytest.raises(LibraryDamaged) as caught, generations.current():
        pass
    for article in (NOTICE, UPDATE):
        publish(opened(folder, REAL), article)
    assert caught.value.help
    assert numbers(folder) == ["2", "3"]


def test_a_corpus_that_lost_its_pointer_goes_on_with_its_newest_generation(
    folder: Path, light: Stores
) -> None:
    publish(opened(folder, light), BRIDGE)
    publish(opened(folder, light), NOTICE)
    (folder / "current").unlink()
    assert ids(opened(folder, light)) == ["bridge", "notice"]
    publish(opened(folder, light), UPDATE)
    assert ids(opened(folder, light)) == ["bridge", "bridge-update", "notice"]


def test_a_discarded_corpus_has_no_generation(folder: Path, light: Stores) -> None:
    generations = opened(folder, light)
    publish(generations, BRIDGE)
    generations.discard()
    with generations.current() as current:
        assert current is None
    publish(generations, NOTICE)
    assert ids(generations) == ["notice"]


def test_a_reader_notices_that_a_corpus_was_made_anew_under_the_same_number(
    folder: Path, light: Stores
) -> None:
    reader = opened(folder, light)
    publish(reader, BRIDGE)
    assert ids(reader) == ["bridge"]
    other = opened(folder, light)
    other.discard()
    publish(other, NOTICE)
    assert numbers(folder) == ["1"]
    assert ids(reader) == ["notice"]
