"""The cache of vectors: what it gives back, who may use it at once, and that it never stands in the way."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from assistant.adapters.cached_embedder import CachedEmbedder
from assistant.adapters.hashing_embedder import HashingEmbedder
from assistant.adapters.sqlite_vectors import SqliteVectors
from assistant.domain.errors import HomeUnusable, ProviderUnreachable, ReplyMalformed, VectorsUnusable

if TYPE_CHECKING:
    from assistant.ports import Vectors

TEXTS = [f"Text {number} of a hundred." for number in range(100)]
EMBEDDER = HashingEmbedder()
ROWS = dict(zip(TEXTS, EMBEDDER.embed(TEXTS), strict=True))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "home" / "cache.db"


@pytest.fixture
def warnings() -> list[str]:
    return []


@pytest.fixture
def cache(path: Path, warnings: list[str]) -> SqliteVectors:
    return SqliteVectors(path, warn=warnings.append)


def same(found: dict[str, Vectors], expected: dict[str, Vectors]) -> bool:
    return {text: row.tobytes() for text, row in found.items()} == {
        text: row.tobytes() for text, row in expected.items()
    }


# The file


def test_what_is_kept_is_given_back_as_it_was(cache: SqliteVectors) -> None:
    cache.put("one/1", ROWS)
    found = cache.get("one/1", [*TEXTS, "unknown"])
    assert same(found, ROWS)
    assert {str(row.dtype) for row in found.values()} == {"float32"}


def test_vectors_of_two_embedders_are_kept_apart(cache: SqliteVectors) -> None:
    cache.put("one/1", {"a": ROWS[TEXTS[0]]})
    cache.put("two/1", {"a": ROWS[TEXTS[1]][:64] / np.linalg.norm(ROWS[TEXTS[1]][:64])})
    assert same(cache.get("one/1", ["a"]), {"a": ROWS[TEXTS[0]]})
    assert (cache.size("one/1"), cache.size("two/1"), cache.size("three/1")) == (256, 64, None)


def test_a_text_may_hold_half_characters(cache: SqliteVectors) -> None:
    cache.put("one/1", {"\ud83d": ROWS[TEXTS[0]]})
    assert list(cache.get("one/1", ["\ud83d", "?"])) == ["\ud83d"]


def test_no_word_of_a_text_is_in_the_file(cache: SqliteVectors, path: Path) -> None:
    cache.put("one/1", ROWS)
    assert b"hundred" not in path.read_bytes()


def test_looking_creates_nothing(cache: SqliteVectors, path: Path, warnings: list[str]) -> None:
    assert (cache.get("one/1", TEXTS), cache.size("one/1")) == ({}, None)
    cache.clear()
    assert (path.parent.exists(), warnings) == (False, [])


def test_a_file_that_somebody_is_just_beginning_is_empty(
    cache: SqliteVectors, path: Path, warnings: list[str]
) -> None:
    path.parent.mkdir()
    path.touch()
    assert (cache.get("one/1", TEXTS), cache.size("one/1")) == ({}, None)
    cache.put("one/1", ROWS)
    assert len(cache.get("one/1", TEXTS)) == 100
    assert warnings == []


def test_the_file_is_its_owners_alone(cache: SqliteVectors, path: Path) -> None:
    cache.put("one/1", ROWS)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [file.name for file in path.parent.iterdir()] == ["cache.db"]


def test_no_byte_of_a_vector_is_left_once_it_is_cleared(cache: SqliteVectors, path: Path) -> None:
    cache.put("one/1", ROWS)
    path.with_name("cache.db-journal").write_bytes(path.read_bytes())  # another process was killed here
    cache.clear()
    assert list(path.parent.iterdir()) == []
    cache.put("one/1", {"a": ROWS[TEXTS[0]]})
    assert list(cache.get("one/1", ["a", *TEXTS])) == ["a"]


def test_a_file_that_cannot_be_removed_is_told(cache: SqliteVectors, path: Path) -> None:
    path.mkdir(parents=True)
    with pytest.raises(HomeUnusable, match=r"'cache\.db' cannot be removed"):
        cache.clear()


def test_threads_may_keep_and_look_at_once(cache: SqliteVectors, warnings: list[str]) -> None:
    def work(number: int) -> int:
        cache.put("one/1", {TEXTS[number]: ROWS[TEXTS[number]]})
        return len(cache.get("one/1", TEXTS[number : number + 1]))

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(work, range(40))) == [1] * 40
    assert (len(cache.get("one/1", TEXTS)), warnings) == (40, [])


def test_processes_may_keep_at_once(cache: SqliteVectors, path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; import numpy as np;"
        "from assistant.adapters.sqlite_vectors import SqliteVectors;"
        "cache = SqliteVectors(Path(sys.argv[1]), warn=sys.exit); row = np.eye(1, 8, dtype=np.float32)[0];"
        "[cache.put('one/1', {f'{sys.argv[2]} {at}': row}) for at in range(30)]"
    )
    ours = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    processes = [subprocess.Popen([sys.executable, "-c", program, path, name], env=ours) for name in "ab"]
    assert [process.wait(30) for process in processes] == [0, 0]
    assert len(cache.get("one/1", [f"{name} {at}" for name in "ab" for at in range(30)])) == 60


def rot(path: Path, blob: bytes) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE vectors SET vector = ?", [blob])


@pytest.mark.parametrize(
    "blob",
    [
        b"",
        b"abc",
        bytes(32),
        np.full(8, np.nan, dtype=np.float32).tobytes(),
        np.full(8, 2, dtype=np.float32).tobytes(),
    ],
    ids=["empty", "no number", "zero", "NaN", "too long"],
)
def test_a_vector_that_rotted_is_as_if_it_were_not_there(
    cache: SqliteVectors, path: Path, blob: bytes
) -> None:
    cache.put("one/1", {"a": np.eye(1, 8, dtype=np.float32)[0]})
    rot(path, blob)
    assert cache.get("one/1", ["a"]) == {}
    cache.put("one/1", {"a": np.eye(1, 8, dtype=np.float32)[0]})
    assert list(cache.get("one/1", ["a"])) == ["a"]


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def foreign(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE vectors (other TEXT)")


DAMAGES: dict[str, Callable[[Path], object]] = {
    "garbage": lambda path: path.write_bytes(b"garbage" * 1_000),
    "cut off": lambda path: os.truncate(path, 5_000),
    "overwritten": lambda path: path.write_bytes(path.read_bytes()[:4_096] + b"\xff" * 12_288),
    "a folder": folder,
    "another program's": foreign,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_not_used_and_that_is_told_once(
    damage: str, cache: SqliteVectors, path: Path, warnings: list[str]
) -> None:
    cache.put("one/1", ROWS)
    DAMAGES[damage](path)
    embedder = CachedEmbedder(EMBEDDER, cache)
    for _ in range(2):
        assert embedder.embed(TEXTS).tobytes() == EMBEDDER.embed(TEXTS).tobytes()
    (warning,) = warnings
    assert warning.startswith("vectors are not kept: 'cache.db' cannot be used: ")


@pytest.mark.parametrize("damage", [damage for damage in DAMAGES if damage != "a folder"])
def test_a_damaged_file_is_cleared_all_the_same(damage: str, cache: SqliteVectors, path: Path) -> None:
    cache.put("one/1", ROWS)
    DAMAGES[damage](path)
    cache.clear()
    assert list(path.parent.iterdir()) == []


def test_a_file_that_is_in_use_for_too_long_is_not_waited_for_again(path: Path, warnings: list[str]) -> None:
    cache = SqliteVectors(path, warn=warnings.append, patience=0.05)
    cache.put("one/1", ROWS)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        assert cache.get("one/1", TEXTS) == {}
    assert cache.get("one/1", TEXTS) == {}
    assert warnings == ["vectors are not kept: 'cache.db' cannot be used: database is locked"]


# The embedder


class Counted:
    """Hashing vectors; calls: what was asked for, a tuple each. Fails where it is told to."""

    def __init__(
        self, *, dimensions: int = 256, unusable: Sequence[str] = (), fails_at: str | None = None
    ) -> None:
        self._inner = HashingEmbedder(dimensions)
        self._unusable = unusable
        self.fails_at = fails_at
        self.fingerprint = "counted/1"
        self.calls: list[tuple[str, ...]] = []

    def embed(self, texts: Sequence[str]) -> Vectors:
        self.calls.append(tuple(texts))
        if self.fails_at in texts:
            raise ProviderUnreachable("gone")
        if bad := tuple(at for at, text in enumerate(texts) if text in self._unusable):
            raise VectorsUnusable(bad)
        return self._inner.embed(texts)


def test_only_what_is_missing_is_asked_for_and_each_text_once(cache: SqliteVectors) -> None:
    inner = Counted()
    embedder = CachedEmbedder(inner, cache)
    first = embedder.embed(["a", "b", "a"])
    second = embedder.embed(["b", "c", "", "a"])
    assert inner.calls == [("a", "b"), ("c",)]
    assert first.tobytes() == EMBEDDER.embed(["a", "b", "a"]).tobytes()
    assert second.tobytes() == EMBEDDER.embed(["b", "c", "", "a"]).tobytes()
    assert embedder.fingerprint == "counted/1"


def test_blank_texts_and_none_are_the_embedders_own_affair(cache: SqliteVectors) -> None:
    inner = Counted(dimensions=8)
    embedder = CachedEmbedder(inner, cache)
    assert embedder.embed(["", " "]).tolist() == [[0.0] * 8] * 2
    assert embedder.embed([]).shape == (0, 8)
    assert inner.calls == [("", " "), ()]


def test_a_text_without_a_direction_is_asked_for_again(cache: SqliteVectors) -> None:
    inner = Counted()
    for _ in range(2):
        assert not CachedEmbedder(inner, cache).embed(["..."]).any()
    assert inner.calls == [("...",)] * 2


def test_what_was_embedded_before_a_failure_is_not_asked_for_again(cache: SqliteVectors) -> None:
    inner = Counted(fails_at=TEXTS[99])
    with pytest.raises(ProviderUnreachable):
        CachedEmbedder(inner, cache).embed(TEXTS)
    inner.fails_at = None
    CachedEmbedder(inner, cache).embed(TEXTS)
    assert [len(call) for call in inner.calls] == [64, 36, 36]


def test_texts_without_a_usable_vector_are_named_once_all_others_are_kept(cache: SqliteVectors) -> None:
    inner = Counted(unusable=[TEXTS[3], TEXTS[70]])
    with pytest.raises(VectorsUnusable) as caught:
        CachedEmbedder(inner, cache).embed([*TEXTS, TEXTS[3]])
    assert caught.value.at == (3, 70, 100)
    assert len(cache.get("counted/1", TEXTS)) == 98


def test_where_no_text_has_a_usable_vector_all_are_named(cache: SqliteVectors) -> None:
    with pytest.raises(VectorsUnusable) as caught:
        CachedEmbedder(Counted(unusable=["a", "b"]), cache).embed(["a", "", "b"])
    assert caught.value.at == (0, 2)


def test_vectors_of_another_size_than_the_kept_ones_are_refused_and_not_kept(cache: SqliteVectors) -> None:
    CachedEmbedder(Counted(), cache).embed(["a"])
    with pytest.raises(ReplyMalformed, match=r"of 8 numbers came where earlier ones have 256; .* --rebuild"):
        CachedEmbedder(Counted(dimensions=8), cache).embed(["b"])
    assert list(cache.get("counted/1", ["a", "b"])) == ["a"]


def test_one_that_keeps_nothing_looks_and_compares_all_the_same(cache: SqliteVectors) -> None:
    CachedEmbedder(Counted(), cache).embed(["a"])
    inner = Counted()
    asking = CachedEmbedder(inner, cache, keep=False)
    asking.embed(["a", "Who was it?"])
    asking.embed(["Who was it?"])
    assert inner.calls == [("Who was it?",)] * 2
    with pytest.raises(ReplyMalformed):
        CachedEmbedder(Counted(dimensions=8), cache, keep=False).embed(["Who was it?"])
