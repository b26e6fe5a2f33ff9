"""Files of a published generation that are cut off, emptied, garbled or gone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.torture.conftest import Server

Pairs = list[list[int]]
HOW = ["halved", "emptied", "garbled", "removed"]
FEW: Pairs = [[number, 0] for number in range(5)]
MANY: Pairs = [[number, 0] for number in range(800)]  # 1,600 passages: Chroma has written its graph
UNHARMED = {"facts": 4, "generations": [2], "degraded": [""], "errors": []}


@pytest.mark.parametrize("how", HOW)
def test_each_damaged_file_is_gone_round_and_told(
    forks: Server, prepared: Callable[..., Path], home: Path, how: str
) -> None:
    template = prepared(FEW, [[9, 0]])
    found = {(Path(file).parent.name, Path(file).suffix): file for file in forks.do("files", home=template)}
    for file in found.values():  # one of each kind; all with `slow`
        forks.do("damage", home=home, template=template, file=file, how=how)
        seen = inspected(forks, home, [1, 9], file)
        if file.endswith(("library.db", "ids.npy", "manifest.json")) or "/lexical/" in file:
            assert seen["generations"] == [1], file
        if file.endswith(("library.db", "sqlite3", "meta.json", "vectors.npy")):  # the others with `slow`
            assert_repaired(forks, home, file)


@pytest.mark.slow
@pytest.mark.parametrize("how", HOW)
def test_each_damaged_file_of_a_larger_library_is_mended(
    forks: Server, prepared: Callable[..., Path], home: Path, how: str
) -> None:
    template = prepared(MANY, [[900, 0]])
    for file in forks.do("files", home=template):
        forks.do("damage", home=home, template=template, file=file, how=how)
        inspected(forks, home, [400, 900], file)
        assert_repaired(forks, home, file)


@pytest.mark.parametrize(
    "seeds",
    [pytest.param(range(1, 2), id="once"), pytest.param(range(2, 80), id="78 times", marks=pytest.mark.slow)],
)
def test_chromas_database_may_be_garbled_anywhere(
    forks: Server, prepared: Callable[..., Path], home: Path, seeds: range
) -> None:
    """The one file whose sum is not known, since opening it changes it; asked when a library is large."""
    template = prepared(MANY, [[900, 0]])
    (file,) = (each for each in forks.do("files", home=template) if each.endswith("sqlite3"))
    for seed in seeds:
        forks.do("damage", home=home, template=template, file=file, how="garbled", seed=seed)
        seen = inspected(forks, home, [400, 900], f"{file}, {seed}")
        assert (seen["generations"], seen["facts"]) == ([2], 4), seed
        assert_repaired(forks, home, f"{file}, {seed}")


@pytest.mark.parametrize(
    "how", [pytest.param(how, marks=() if how == "garbled" else pytest.mark.slow) for how in HOW]
)
def test_a_graph_whose_file_is_damaged_ends_no_process(
    forks: Server, prepared: Callable[..., Path], home: Path, how: str
) -> None:
    """Chroma's own code may crash over such a file, so it must not be handed one."""
    template = prepared(MANY, [[900, 0]])
    graph = [file for file in forks.do("files", home=template) if file.endswith((".bin", ".pickle"))]
    assert len(graph) == 5
    for file in graph:
        forks.do("damage", home=home, template=template, file=file, how=how)
        inspected(forks, home, [400, 900], file)


def inspected(forks: Server, home: Path, stories: list[int], what: str) -> dict[str, Any]:
    """What came of asking: as if nothing were wrong, or with a notice, or an error that says so."""
    seen: dict[str, Any] = forks.do("inspect", home=home, questions=stories)
    if seen != UNHARMED:
        assert seen["errors"] == ["LibraryDamaged"] or all(seen["degraded"]), (what, seen)
    if not seen["errors"]:
        assert seen["facts"] == (4 if seen["generations"] == [2] else 2), (what, seen)
    return seen


def assert_repaired(forks: Server, home: Path, what: str) -> None:
    """The next ingest mends it, or says that a rebuild is needed, which does."""
    forks.do("repair", home=home, stories=[[2_000, 0]])
    seen = forks.do("look", home=home)
    assert seen["problems"] == {}, what
    assert [2_000, 0] in seen["stories"], what
