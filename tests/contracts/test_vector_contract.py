"""What every vector index promises, Chroma and the fake."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from assistant.adapters.chroma_index import CANDIDATES, ChromaIndex
from assistant.domain.errors import LibraryDamaged
from assistant.domain.passages import Hit
from assistant.ports import IndexRow, VectorIndex
from assistant.testing import MemoryVectorIndex

Build = Callable[[Sequence[IndexRow]], VectorIndex]
Vectors = NDArray[np.float32]
SIZE = 16


def row(passage_id: str, vector: Sequence[float]) -> IndexRow:
    return IndexRow(passage_id, "", "", unit(vector))


def unit(vector: Sequence[float]) -> Vectors:
    array = np.array(vector, dtype=np.float32)
    return array / np.linalg.norm(array) if array.any() else array


def ids(hits: Sequence[Hit]) -> list[str]:
    return [hit.passage_id for hit in hits]


def by_hand(listed: Sequence[IndexRow], vector: Vectors, limit: int) -> list[str]:
    """What plain numpy finds."""
    scored = sorted((-float(np.dot(row.vector, vector)), row.passage_id) for row in listed)
    return [passage_id for _, passage_id in scored[:limit]]


@pytest.fixture(scope="module")
def clustered() -> list[IndexRow]:
    """1,200 passages about 60 things: near each other within a thing, as texts are."""
    chance = np.random.default_rng(7)
    centres = chance.normal(size=(60, SIZE))
    return [row(f"{at:016x}", centres[at % 60] + 0.25 * chance.normal(size=SIZE)) for at in range(1_200)]


@pytest.fixture(scope="module")
def many(clustered: list[IndexRow], tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChromaIndex]:
    folder = tmp_path_factory.mktemp("many") / "chroma"
    ChromaIndex.build(folder, clustered)
    with closing(ChromaIndex(folder)) as index:
        yield index


@pytest.fixture(params=["chroma", "memory"])
def build(request: pytest.FixtureRequest, tmp_path: Path) -> Build:
    def chroma(listed: Sequence[IndexRow]) -> ChromaIndex:
        ChromaIndex.build(tmp_path / "chroma", listed)
        return ChromaIndex(tmp_path / "chroma")

    return MemoryVectorIndex if request.param == "memory" else chroma


def test_the_nearest_come_first_with_their_cosine(build: Build) -> None:
    index = build([row("a", [1, 0]), row("b", [1, 1]), row("c", [0, 1]), row("d", [-1, 0])])
    hits = index.search(unit([1, 0]), 4)
    assert ids(hits) == ["a", "b", "c", "d"]
    assert [hit.score for hit in hits] == pytest.approx([1, 0.5**0.5, 0, -1])


def test_equal_cosines_come_in_the_order_of_ids(build: Build) -> None:
    index = build([row(f"{at:03}", [3, 4] if at % 3 else [1, 0]) for at in range(300)])
    expected = [f"{at:03}" for at in range(0, 300, 3)] + [f"{at:03}" for at in range(300) if at % 3]
    assert ids(index.search(unit([1, 0]), 250)) == expected[:250]


@pytest.mark.parametrize("exact", [False, True])
@pytest.mark.parametrize("limit", [1, 3, 100])
def test_a_limit_is_kept(build: Build, limit: int, exact: bool) -> None:
    index = build([row(one, [at, 1]) for at, one in enumerate("abcde")])
    assert len(index.search(unit([1, 0]), limit, exact=exact)) == min(limit, 5)


def test_a_question_without_a_vector_finds_nothing(build: Build) -> None:
    index = build([row("a", [1, 0])])
    assert (index.search(unit([0, 0]), 5), index.search(unit([0, 0]), 5, exact=True)) == ([], [])


def test_a_passage_without_a_vector_is_near_nothing(build: Build) -> None:
    index = build([row("a", [0, 0]), row("b", [1, 0])])
    assert index.search(unit([1, 0]), 5) == [Hit("b", 1.0), Hit("a", 0.0)]
    assert index.cosines(unit([1, 0]), ["a"]) == {"a": 0.0}


def test_named_passages_have_their_cosine_in_any_order(build: Build) -> None:
    index = build([row("a", [1, 0]), row("b", [0, 1]), row("c", [1, 1])])
    cosines = index.cosines(unit([1, 0]), ["c", "a"])
    assert list(cosines) == ["c", "a"]
    assert list(cosines.values()) == pytest.approx([0.5**0.5, 1])


def test_cosines_are_the_scores_of_the_search(build: Build) -> None:
    index = build([row(one, [at, 2, 1]) for at, one in enumerate("abcde")])
    question = unit([1, 2, 3])
    hits = index.search(question, 5)
    assert index.cosines(question, ids(hits)) == pytest.approx({hit.passage_id: hit.score for hit in hits})


def test_no_passages_named_have_no_cosines(build: Build) -> None:
    assert build([row("a", [1, 0])]).cosines(unit([1, 0]), []) == {}


@pytest.mark.parametrize("unknown", ["0", "b", "zz"])
def test_a_passage_that_the_index_lacks_is_told(build: Build, unknown: str) -> None:
    index = build([row("a", [1, 0]), row("c", [0, 1])])
    with pytest.raises(LibraryDamaged, match="does not hold every passage"):
        index.cosines(unit([1, 0]), ["a", unknown])


def test_an_empty_index_answers(build: Build) -> None:
    index = build([])
    question = unit([1, 0])
    assert (index.search(question, 5), index.search(question, 5, exact=True)) == ([], [])
    assert index.cosines(question, []) == {}
    with pytest.raises(LibraryDamaged):
        index.cosines(question, ["a"])


def test_exact_search_is_what_plain_numpy_finds(many: ChromaIndex, clustered: list[IndexRow]) -> None:
    for asked in clustered[::97]:
        assert ids(many.search(asked.vector, 50, exact=True)) == by_hand(clustered, asked.vector, 50)


def test_chroma_proposes_the_ten_nearest_of_many(many: ChromaIndex, clustered: list[IndexRow]) -> None:
    assert len(clustered) > CANDIDATES
    for asked in clustered[::97]:
        assert many.search(asked.vector, 10) == many.search(asked.vector, 10, exact=True)


@pytest.mark.parametrize(("count", "exact"), [(CANDIDATES, False), (CANDIDATES + 1, True)])
def test_chroma_is_not_asked_where_it_could_leave_nothing_out(
    clustered: list[IndexRow], tmp_path: Path, count: int, exact: bool
) -> None:
    ChromaIndex.build(tmp_path / "chroma", clustered[:count])
    (tmp_path / "chroma" / "chroma.sqlite3").write_bytes(b"no database")
    with closing(ChromaIndex(tmp_path / "chroma")) as index:
        hits = index.search(clustered[0].vector, 10, exact=exact)
    assert ids(hits) == by_hand(clustered[:count], clustered[0].vector, 10)


@pytest.mark.parametrize("limit", [CANDIDATES, 800, 1_200, 100_000])
def test_a_wide_search_finds_as_many_as_it_asks_for(
    many: ChromaIndex, clustered: list[IndexRow], limit: int
) -> None:
    hits = many.search(clustered[0].vector, limit)
    assert len(hits) == min(limit, len(clustered))
    assert ids(hits[:10]) == by_hand(clustered, clustered[0].vector, 10)


def test_closing_twice_is_closing_once(clustered: list[IndexRow], tmp_path: Path) -> None:
    ChromaIndex.build(tmp_path / "chroma", clustered[: CANDIDATES + 1])
    index = ChromaIndex(tmp_path / "chroma")
    index.close()
    found = index.search(clustered[0].vector, 1)
    index.close()
    index.close()
    assert index.search(clustered[0].vector, 1) == found != []


DAMAGE: dict[str, Callable[[Path], object]] = {
    "vectors cut off": lambda folder: cut(folder / "vectors.npy"),
    "vectors gone": lambda folder: (folder / "vectors.npy").unlink(),
    "vectors empty": lambda folder: empty(folder / "vectors.npy"),
    "vectors pickled": lambda folder: np.save(folder / "vectors.npy", np.array([{"a": 1}])),
    "fewer vectors than ids": lambda folder: np.save(folder / "vectors.npy", np.ones((3, SIZE), np.float32)),
    "ids cut off": lambda folder: cut(folder / "ids.npy"),
    "ids gone": lambda folder: (folder / "ids.npy").unlink(),
    "database garbage": lambda folder: (folder / "chroma.sqlite3").write_bytes(b"garbage" * 999),
    "database gone": lambda folder: (folder / "chroma.sqlite3").unlink(),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_index_is_told(
    many: ChromaIndex, clustered: list[IndexRow], tmp_path: Path, damage: str
) -> None:
    ChromaIndex.build(tmp_path / "chroma", clustered[: CANDIDATES + 1])
    DAMAGE[damage](tmp_path / "chroma")
    with pytest.raises(LibraryDamaged, match="chroma"), closing(ChromaIndex(tmp_path / "chroma")) as index:
        index.search(clustered[0].vector, 10)


def empty(path: Path) -> None:
    path.unlink()
    path.touch()


def cut(path: Path) -> None:
    start = path.read_bytes()[:200]
    path.unlink()  # a file that a reader still has mapped must not shrink under it
    path.write_bytes(start)


def test_the_fake_keeps_its_calls() -> None:
    index = MemoryVectorIndex([row("a", [1, 0])])
    index.search(unit([1, 0]), 3)
    index.search(unit([1, 0]), 4, exact=True)
    assert index.calls == [(3, False), (4, True)]
