"""A process that answers while another one ingests."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.torture.conftest import Server

Pairs = list[list[int]]


def test_500_questions_during_20_ingests_are_each_answered_from_one_generation(
    forks: Server, home: Path
) -> None:
    seen = asked_while_publishing(forks, home, articles=7, sentences=3, publishes=20, questions=500)
    assert seen["answers"] >= 500
    assert seen["generations"] >= 10  # it does not look so fast that it sees each


@pytest.mark.slow
def test_2000_questions_during_100_ingests_are_each_answered_from_one_generation(
    forks: Server, home: Path
) -> None:
    """With so many passages that Chroma is asked."""
    seen = asked_while_publishing(forks, home, articles=400, sentences=12, publishes=100, questions=2_000)
    assert seen["answers"] >= 2_000
    assert seen["generations"] >= 50
    assert_stays(seen["open"])


def test_descriptors_and_threads_do_not_grow_with_the_generations_that_are_opened(
    forks: Server, begun: Callable[..., Path]
) -> None:
    """The pointer moves often; both generations are so large that Chroma is asked."""
    many: Pairs = [[number, 0] for number in range(260)]
    assert_stays(forks.do("follow", home=begun(many, [[300, 0]]), moves=40))


def asked_while_publishing(
    forks: Server, home: Path, *, articles: int, sentences: int, publishes: int, questions: int
) -> dict[str, Any]:
    """What a reader saw that asked while another process published."""
    log, begun, done = (home.with_name(name) for name in ("log", "begun", "done"))
    there = [[number, 0] for number in range(articles)]
    forks.do("ingest", home=home, stories=there, sentences=sentences)
    log.write_text(f"[1, {there}]\n")
    reader = forks.start(
        "ask_often", home=home, log=log, questions=questions, sentences=sentences, begun=begun, done=done
    )
    forks.do("publish_often", home=home, log=log, publishes=publishes, sentences=sentences, after=begun)
    done.touch()
    seen: dict[str, Any] = reader.value()
    return seen


def assert_stays(counts: list[list[int]]) -> None:
    """Descriptors and threads are as many in the end as they soon were; Chroma's end a little later."""
    early, late = counts[5:15], counts[-10:]
    assert median(files for files, _ in late) <= median(files for files, _ in early) + 3, counts
    assert median(threads for _, threads in late) <= median(threads for _, threads in early) + 7, counts
