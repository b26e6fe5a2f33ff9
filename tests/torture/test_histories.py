"""The same articles give the same answers, however the library came about."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.torture.conftest import Server

REALTIMEQA = Path(__file__).parents[3] / "shared" / "data" / "realtimeqa" / "articles-2023.jsonl.gz"
QUESTIONS = 200


@pytest.mark.parametrize(
    ("source", "count"),
    [
        pytest.param("newsroom", 260, id="invented"),
        pytest.param(
            str(REALTIMEQA),
            400,
            id="realtimeqa",
            marks=[
                pytest.mark.slow,
                pytest.mark.skipif(not REALTIMEQA.exists(), reason="needs ../shared/data/realtimeqa"),
            ],
        ),
    ],
)
def test_built_at_once_in_ten_increments_or_rebuilt_it_is_the_same_library(
    forks: Server, tmp_path: Path, source: str, count: int
) -> None:
    homes = [str(tmp_path / name) for name in ("at once", "in increments", "rebuilt")]
    forks.do("build", home=homes[0], source=source, count=count)
    forks.do("build", home=homes[1], source=source, count=count, increments=10)
    forks.do("build_anew", home=homes[2], copy_of=homes[1])
    found = forks.do("compare", homes=homes, source=source, count=count, questions=QUESTIONS)
    assert found["asked"] == 2 * QUESTIONS
    assert found["agree"] >= 0.98 * found["asked"], found
    assert found["deleted"] == [0, 0, 0]
    assert max(found["tombstones"]) <= 0.2
