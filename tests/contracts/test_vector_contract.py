"""What every vector index promises, Chroma and the fake."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from assistant.adapters.chroma_index import CANDIDATES, TOMBSTONES, ChromaIndex, ChromaWriter
from assistant.domain.errors import LibraryDamaged
from assistant.domain.passages import Hit
from assistant.ports import VectorIndex
from assistant.testing import MemoryVectorIndex

Vectors = NDArray[np.float32]
SIZE = 16


class Row(NamedTuple):
    """A passage and its vector."""

    passage_id: str
    vector: Vectors


Build = Callable[[Sequence[Row]], VectorIndex]


def row(passage_id: str, vector: Sequence[float]) -> Row:
    return Row(passage_id, unit(vector))


def unit(vector: Sequence[float]) -> Vectors:
    array = np.array(vector, dtype=np.float32)
    return array / np.linalg.norm(array) if array.any() else array


def ids(hits: Sequence[Hit]) -> list[str]:
    return [hit.passage_id for hit in hits]


def by_hand(listed: Sequence[Row], vector: Vectors, limit: int) -> list[str]:
    """What plain numpy finds."""
    scored = sorted((-float(np.dot(row.vector, vector)), row.passage_id) for row in listed)
    return [passage_id for _, passage_id in scored[:limit]]


def write(
    folder: Path,
    listed: Sequence[Row],
    *,
    copy_of: Path | None = None,
    add: Sequence[Row] | None = None,
    remove: Sequence[str] = (),
    fresh: bool = False,
) -> Path:
    """Write an index of the rows: a new one, or a copy to which some are added and others removed."""
    with closing(ChromaWriter(folder, copy_of)) as writer:
        if remove:
            writer.remove(remove)
        added = listed if add is None else add
        writer.add([one.passage_id for one in added], stacked(added))
        kept = sorted(listed)
        writer.finish([one.passage_id for one in kept], stacked(kept), fresh=fresh)
    return folder


def stacked(listed: Sequence[Row]) -> Vectors:
    return np.stack([one.vector for one in listed]) if listed else np.empty((0, 0), dtype=np.float32)


def state(folder: Path) -> dict[str, int]:
    found: dict[str, int] = json.loads((folder / "state.json").read_text())
    return found


@pytest.fixture(scope="module")
def clustered() -> list[Row]:
    """1,200 passages about 60 things: near each other within a thing, as texts are."""
    chance = np.random.default_rng(7)
    centres = chance.normal(size=(60, SIZE))
    return [row(f"{at:016x}", centres[at % 60] + 0.25 * chance.normal(size=SIZE)) for at in range(1_200)]


@pytest.fixture(scope="module")
def many(clustered: list[Row], tmp_path_factory: pytest.TempPathFactory) -> Iterator[ChromaIndex]:
    with closing(ChromaIndex(write(tmp_path_factory.mktemp("many") / "chroma", clustered))) as index:
        yield index


@pytest.fixture(params=["chroma", "memory"])
def build(request: pytest.FixtureRequest, tmp_path: Path) -> Build:
    def chroma(listed: Sequence[Row]) -> ChromaIndex:
        return ChromaIndex(write(tmp_path / "chroma", listed))

    def memory(listed: Sequence[Row]) -> MemoryVectorIndex:
        return MemoryVectorIndex(dict(listed))

    return memory if request.param == "memory" else chroma


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


@pytest.mark.parametrize("limit", [0, -1])
def test_no_room_is_no_hits(build: Build, limit: int) -> None:
    index = build([row("a", [1, 0]), row("b", [0, 1])])
    assert (index.search(unit([1, 0]), limit), index.search(unit([1, 0]), limit, exact=True)) == ([], [])


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


def test_exact_search_is_what_plain_numpy_finds(many: ChromaIndex, clustered: list[Row]) -> None:
    for asked in clustered[::97]:
        assert ids(many.search(asked.vector, 50, exact=True)) == by_hand(clustered, asked.vector, 50)


def test_chroma_proposes_the_ten_nearest_of_many(many: ChromaIndex, clustered: list[Row]) -> None:
    assert len(clustered) > CANDIDATES
    for asked in clustered[::97]:
        assert many.search(asked.vector, 10) == many.search(asked.vector, 10, exact=True)


@pytest.mark.parametrize(("count", "exact"), [(CANDIDATES, False), (CANDIDATES + 1, True)])
def test_chroma_is_not_asked_where_it_could_leave_nothing_out(
    clustered: list[Row], tmp_path: Path, count: int, exact: bool
) -> None:
    write(tmp_path / "chroma", clustered[:count])
    (tmp_path / "chroma" / "chroma.sqlite3").write_bytes(b"no database")
    with closing(ChromaIndex(tmp_path / "chroma")) as index:
        hits = index.search(clustered[0].vector, 10, exact=exact)
    assert ids(hits) == by_hand(clustered[:count], clustered[0].vector, 10)


@pytest.mark.parametrize("limit", [CANDIDATES, 800, 1_200, 100_000])
def test_a_wide_search_finds_as_many_as_it_asks_for(
    many: ChromaIndex, clustered: list[Row], limit: int
) -> None:
    hits = many.search(clustered[0].vector, limit)
    assert len(hits) == min(limit, len(clustered))
    assert ids(hits[:10]) == by_hand(clustered, clustered[0].vector, 10)


def test_closing_twice_is_closing_once(clustered: list[Row], tmp_path: Path) -> None:
    index = ChromaIndex(write(tmp_path / "chroma", clustered[: CANDIDATES + 1]))
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
    "state gone": lambda folder: (folder / "state.json").unlink(),
    "state cut off": lambda folder: (folder / "state.json").write_text('{"vectors": '),
    "state a list": lambda folder: (folder / "state.json").write_text("[]"),
}
DAMAGED_DATABASE: dict[str, Callable[[Path], object]] = {
    "garbage": lambda folder: (folder / "chroma.sqlite3").write_bytes(b"garbage" * 999),
    "empty": lambda folder: (folder / "chroma.sqlite3").write_bytes(b""),
    "half": lambda folder: halve(folder / "chroma.sqlite3"),
    "gone": lambda folder: (folder / "chroma.sqlite3").unlink(),
}


@pytest.fixture(scope="module")
def asked(clustered: list[Row], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index that is just large enough for Chroma to be asked. Copy it."""
    return write(tmp_path_factory.mktemp("asked") / "chroma", clustered[: CANDIDATES + 1])


@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_vectors_are_told(asked: Path, tmp_path: Path, damage: str) -> None:
    folder = shutil.copytree(asked, tmp_path / "chroma")
    DAMAGE[damage](folder)
    with pytest.raises(LibraryDamaged, match="chroma"):
        ChromaIndex(folder)


@pytest.mark.parametrize("damage", DAMAGED_DATABASE)
def test_where_chroma_is_damaged_every_vector_is_compared_and_that_is_said(
    asked: Path, clustered: list[Row], tmp_path: Path, damage: str
) -> None:
    folder = shutil.copytree(asked, tmp_path / "chroma")
    DAMAGED_DATABASE[damage](folder)
    with closing(ChromaIndex(folder)) as index:
        assert index.damage == ""
        for _ in range(2):
            hits = index.search(clustered[0].vector, 10)
            assert ids(hits) == by_hand(clustered[: CANDIDATES + 1], clustered[0].vector, 10)
            assert "chroma" in index.damage or "Chroma" in index.damage


def test_chroma_reads_nothing_before_its_files_are_checked(
    asked: Path, clustered: list[Row], tmp_path: Path
) -> None:
    folder = shutil.copytree(asked, tmp_path / "chroma")
    before = everything(folder)

    def check() -> None:
        raise LibraryDamaged("the graph is not as it was written")

    with closing(ChromaIndex(folder, check)) as index:
        hits = index.search(clustered[0].vector, 10)
        assert index.damage == "the graph is not as it was written"
    assert ids(hits) == by_hand(clustered[: CANDIDATES + 1], clustered[0].vector, 10)
    assert everything(folder) == before


def test_the_files_are_checked_once_and_only_when_chroma_is_asked(
    asked: Path, clustered: list[Row], tmp_path: Path
) -> None:
    checks: list[str] = []
    folder = shutil.copytree(asked, tmp_path / "chroma")
    with closing(ChromaIndex(folder, lambda: checks.append("checked"))) as index:
        index.search(clustered[0].vector, 10, exact=True)
        assert checks == []
        index.search(clustered[0].vector, 10)
        index.search(clustered[1].vector, 10)
    assert checks == ["checked"]


# Writing


@pytest.fixture(scope="module")
def base(clustered: list[Row], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of 600 passages. Copy it."""
    return write(tmp_path_factory.mktemp("base") / "chroma", clustered[:600])


def test_nothing_is_written_before_the_first_change(base: Path, tmp_path: Path) -> None:
    with closing(ChromaWriter(tmp_path / "new", base)) as writer:
        writer.add([], stacked([]))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("slice_added", "slice_removed"),
    [
        (slice(600, 700), slice(0, 0)),
        (slice(0, 0), slice(0, 100)),
        (slice(600, 700), slice(0, 100)),
        (slice(600, 1_200), slice(0, 600)),
        (slice(0, 0), slice(0, 0)),
    ],
    ids=["more", "fewer", "more and fewer", "all others", "the same"],
)
def test_a_changed_copy_finds_what_a_new_index_finds_and_its_base_stays(
    base: Path, clustered: list[Row], tmp_path: Path, slice_added: slice, slice_removed: slice
) -> None:
    before = everything(base)
    removed = [one.passage_id for one in clustered[slice_removed]]
    kept = [one for one in clustered[:600] if one.passage_id not in removed] + clustered[slice_added]
    copy = write(tmp_path / "copy", kept, copy_of=base, add=clustered[slice_added], remove=removed)
    with closing(ChromaIndex(copy)) as index:
        assert list(index.problems([one.passage_id for one in kept], stacked(kept))) == []
        for asked in clustered[::199]:
            assert ids(index.search(asked.vector, 10)) == by_hand(kept, asked.vector, 10)
        assert index.damage == ""
    assert {name: content for name, content in everything(base).items() if name in before} == before


def test_a_graph_is_built_anew_when_too_much_of_it_is_tombstones(
    base: Path, clustered: list[Row], tmp_path: Path
) -> None:
    least = int(TOMBSTONES * 600)
    few = [one.passage_id for one in clustered[:least]]
    kept = write(tmp_path / "kept", clustered[least:600], copy_of=base, add=[], remove=few)
    assert state(kept) == {"vectors": 600 - least, "tombstones": least}
    one_more = [clustered[least].passage_id]
    anew = write(tmp_path / "anew", clustered[least + 1 : 600], copy_of=kept, add=[], remove=one_more)
    assert state(anew) == {"vectors": 600 - least - 1, "tombstones": 0}


def test_a_graph_is_built_anew_when_that_is_asked_for(
    base: Path, clustered: list[Row], tmp_path: Path
) -> None:
    changed = write(
        tmp_path / "changed", clustered[1:600], copy_of=base, add=[], remove=[clustered[0].passage_id]
    )
    fresh = write(tmp_path / "fresh", clustered[1:600], copy_of=changed, add=[], fresh=True)
    assert (state(changed)["tombstones"], state(fresh)["tombstones"]) == (1, 0)


@pytest.mark.parametrize(
    ("damage", "change"),
    [("garbage", "more"), ("garbage", "the same"), ("half", "more"), ("gone", "fewer"), ("gone", "the same")],
)
def test_a_copy_that_turns_out_damaged_is_built_anew(
    asked: Path, clustered: list[Row], tmp_path: Path, damage: str, change: str
) -> None:
    damaged = shutil.copytree(asked, tmp_path / "damaged")
    DAMAGED_DATABASE[damage](damaged)
    first, rest, last = clustered[0], clustered[1 : CANDIDATES + 1], clustered[-1]
    kept = {"more": [first, *rest, last], "fewer": rest, "the same": [first, *rest]}[change]
    new = write(
        tmp_path / "new",
        kept,
        copy_of=damaged,
        add=[last] if change == "more" else [],
        remove=[first.passage_id] if change == "fewer" else [],
    )
    assert state(new) == {"vectors": len(kept), "tombstones": 0}
    with closing(ChromaIndex(new)) as index:
        assert list(index.problems([one.passage_id for one in kept], stacked(kept))) == []


def test_without_a_graph_every_vector_is_compared(clustered: list[Row], asked: Path, tmp_path: Path) -> None:
    listed = clustered[: CANDIDATES + 1]
    passage_ids = [one.passage_id for one in listed]
    with closing(ChromaWriter(tmp_path / "plain", asked)) as writer:
        writer.remove(passage_ids[:1])
        writer.finish(passage_ids, stacked(listed), graph=False)
    assert sorted(path.name for path in (tmp_path / "plain").iterdir()) == [
        "ids.npy",
        "state.json",
        "vectors.npy",
    ]
    with closing(ChromaIndex(tmp_path / "plain")) as index:
        assert list(index.problems(passage_ids, stacked(listed))) == []
        assert ids(index.search(listed[0].vector, 10)) == by_hand(listed, listed[0].vector, 10)
        assert index.damage == ""
    again = write(tmp_path / "again", listed[1:], copy_of=tmp_path / "plain", add=[], remove=passage_ids[:1])
    assert state(again)["vectors"] == CANDIDATES


@pytest.mark.parametrize("fresh", [False, True])
def test_the_last_passage_can_be_removed(tmp_path: Path, fresh: bool) -> None:
    first = write(tmp_path / "first", [row("a", [1, 0])])
    empty = write(tmp_path / "empty", [], copy_of=first, remove=["a"], fresh=fresh)
    more = write(tmp_path / "more", [row("b", [1, 0])], copy_of=empty)
    with closing(ChromaIndex(empty)) as index:
        assert index.passages == 0
        assert list(index.problems([], stacked([]))) == []
    with closing(ChromaIndex(more)) as index:
        assert index.search(unit([1, 0]), 3) == [Hit("b", 1.0)]
        assert list(index.problems(["b"], stacked([row("b", [1, 0])]))) == []


def test_a_passage_without_a_vector_stays_out_of_the_graph_and_can_be_removed(tmp_path: Path) -> None:
    blank, worded = row("a", [0, 0]), row("b", [1, 0])
    first = write(tmp_path / "first", [blank, worded])
    assert state(first)["vectors"] == 1
    with closing(ChromaIndex(first)) as index:
        assert list(index.problems(["a", "b"], stacked([blank, worded]))) == []
    second = write(tmp_path / "second", [worded], copy_of=first, add=[], remove=["a"])
    with closing(ChromaIndex(second)) as index:
        assert list(index.problems(["b"], stacked([worded]))) == []


def test_a_passage_can_be_replaced_under_its_id(tmp_path: Path) -> None:
    first = write(tmp_path / "first", [row("a", [1, 0]), row("b", [0, 1])])
    turned = row("a", [0, -1])
    second = write(tmp_path / "second", [turned, row("b", [0, 1])], copy_of=first, add=[turned], remove=["a"])
    with closing(ChromaIndex(second)) as index:
        assert list(index.problems(["a", "b"], stacked([turned, row("b", [0, 1])]))) == []


# Examining


def test_a_sound_index_has_no_problems(many: ChromaIndex, clustered: list[Row]) -> None:
    passage_ids = [one.passage_id for one in clustered]
    assert list(many.problems(passage_ids, stacked(clustered))) == []
    assert list(many.problems(passage_ids, stacked(clustered), every=7)) == []


def other_graph(folder: Path, clustered: list[Row]) -> None:
    """A graph of the same passages with other vectors, beside the right vectors."""
    turned = [
        Row(one.passage_id, other.vector) for one, other in zip(clustered, clustered[::-1], strict=True)
    ]
    replace_graph(folder, write(folder.parent / "other", turned))


def smaller_graph(folder: Path, clustered: list[Row]) -> None:
    replace_graph(folder, write(folder.parent / "other", clustered[1:]))


def replace_graph(folder: Path, other: Path) -> None:
    for name in ("vectors.npy", "ids.npy", "state.json"):
        shutil.copy(folder / name, other / name)
    shutil.rmtree(folder)
    other.rename(folder)


PROBLEMS: dict[str, tuple[Callable[[Path, list[Row]], object], str]] = {
    "a graph of other vectors": (other_graph, r"Chroma cannot give back \d+ vectors"),
    "a graph that lacks one": (smaller_graph, r"Chroma holds \d+ of \d+ vectors"),
    "a database that is none": (
        lambda folder, listed: DAMAGED_DATABASE["garbage"](folder),
        "cannot be opened",
    ),
    "vectors of another embedder": (
        lambda folder, listed: np.save(folder / "vectors.npy", -stacked(listed)),
        "the vectors differ from the library's",
    ),
    "other passages": (
        lambda folder, listed: np.save(
            folder / "ids.npy", np.array([f"{at:016d}" for at in range(len(listed))], dtype="S16")
        ),
        "belong to other passages",
    ),
}


@pytest.mark.parametrize("planted", PROBLEMS)
def test_what_is_wrong_with_an_index_is_found(
    asked: Path, clustered: list[Row], tmp_path: Path, planted: str
) -> None:
    listed = clustered[: CANDIDATES + 1]
    folder = shutil.copytree(asked, tmp_path / "chroma")
    plant, told = PROBLEMS[planted]
    plant(folder, listed)
    with closing(ChromaIndex(folder)) as index:
        problems = list(index.problems([one.passage_id for one in listed], stacked(listed)))
    assert [line for line in problems if re.search(told, line)]


def empty(path: Path) -> None:
    path.unlink()
    path.touch()


def halve(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def everything(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def cut(path: Path) -> None:
    start = path.read_bytes()[:200]
    path.unlink()  # a file that a reader still has mapped must not shrink under it
    path.write_bytes(start)


def test_the_fake_keeps_its_calls() -> None:
    index = MemoryVectorIndex({"a": unit([1, 0])})
    index.search(unit([1, 0]), 3)
    index.search(unit([1, 0]), 4, exact=True)
    assert index.calls == [(3, False), (4, True)]
