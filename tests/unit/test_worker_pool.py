"""``map`` over worker processes: the same results, and no process that outlives its work."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent

import pytest

import assistant
from assistant.adapters.hashing_embedder import HashingEmbedder
from assistant.adapters.worker_pool import WORTH_IT, WorkerPool
from assistant.domain.errors import ArticleRejected, WorkerLost
from assistant.ingest import Preparation
from assistant.testing import FullStopSegmenter, sample_article

LITTLE, ENOUGH = WORTH_IT - 1, WORTH_IT


def where_and_what(number: int) -> tuple[int, int]:
    """The process that works, and the square of the number."""
    return os.getpid(), number * number


def meets_another(task: tuple[str, int]) -> int:
    """The number, once two processes work; the first numbers take longest."""
    folder, number = Path(task[0]), task[1]
    (folder / str(os.getpid())).touch()
    while len(list(folder.iterdir())) < 2:
        time.sleep(0.01)
    time.sleep(0.05 if number < 2 else 0)
    return number


def fails_at_five(number: int) -> int:
    if number == 5:
        raise ArticleRejected("news/five.md", "has no text")
    return number


def ends_at_five(number: int) -> int:
    if number == 5:
        os._exit(3)
    return number


class Batches:
    """Numbers, counting how many were taken."""

    def __init__(self, count: int) -> None:
        self.count, self.taken = count, 0

    def __iter__(self) -> Iterator[int]:
        for number in range(self.count):
            self.taken += 1
            yield number


def test_results_come_in_order_whoever_is_first(tmp_path: Path) -> None:
    results = list(WorkerPool(2)(meets_another, [(str(tmp_path), number) for number in range(12)]))
    assert results == list(range(12))
    processes = {int(path.name) for path in tmp_path.iterdir()}
    assert len(processes) == 2
    assert os.getpid() not in processes


@pytest.mark.parametrize(
    ("processes", "count"), [(1, 30), (2, LITTLE), (8, 1), (8, 0)], ids=["alone", "little", "one", "nothing"]
)
def test_little_work_stays_in_this_process(processes: int, count: int) -> None:
    results = list(WorkerPool(processes)(where_and_what, range(count)))
    assert results == [(os.getpid(), number * number) for number in range(count)]


def test_as_many_batches_as_are_worth_it_are_spread() -> None:
    assert os.getpid() not in {process for process, _ in WorkerPool(2)(where_and_what, range(ENOUGH))}


def test_nothing_is_read_before_the_first_result_is_asked_for() -> None:
    batches = Batches(100)
    results = WorkerPool(2)(where_and_what, batches)
    assert batches.taken == 0
    assert next(results)[1] == 0
    assert batches.taken < 10
    assert isinstance(results, Iterator)
    del results


def test_prepared_articles_are_those_of_map() -> None:
    job = Preparation(FullStopSegmenter(), HashingEmbedder())
    batches = [
        [
            sample_article(f"a{at}", f"Number {at} is here. It is “{at}”.", title="日本")
            for at in range(n, n + 3)
        ]
        for n in range(0, 18, 3)
    ]
    mapped = [pair for batch in map(job, batches) for pair in batch]
    spread = [pair for batch in WorkerPool(2)(job, batches) for pair in batch]
    assert [prepared for prepared, _ in spread] == [prepared for prepared, _ in mapped]
    assert [vectors.tolist() for _, vectors in spread] == [vectors.tolist() for _, vectors in mapped]


@pytest.mark.parametrize("processes", [1, 2])
def test_an_error_reaches_the_caller_whole_after_the_results_before_it(processes: int) -> None:
    results = WorkerPool(processes)(fails_at_five, range(30))
    assert [next(results) for _ in range(5)] == [0, 1, 2, 3, 4]
    with pytest.raises(ArticleRejected) as caught:
        next(results)
    assert (caught.value.where, caught.value.reason) == ("news/five.md", "has no text")


def test_an_error_of_whoever_gives_the_batches_reaches_the_caller() -> None:
    def batches() -> Iterator[int]:
        yield from range(6)
        raise LookupError("no more")

    with pytest.raises(LookupError, match="no more"):
        list(WorkerPool(2)(where_and_what, batches()))


def test_a_worker_that_ends_is_told_and_not_waited_for() -> None:
    with pytest.raises(WorkerLost, match="has ended before its work was done"):
        list(WorkerPool(2)(ends_at_five, range(30)))


def test_workers_end_when_nobody_wants_more() -> None:
    results = WorkerPool(2)(where_and_what, range(1_000))
    processes = {next(results)[0] for _ in range(6)}
    results.close()  # type: ignore[attr-defined]
    assert [process for process in processes if is_alive(process)] == []


SCRIPT = """
    import os, sys, time

    from assistant.adapters.worker_pool import WorkerPool

    def work(number):
        time.sleep(0.01)
        return os.getpid()

    if __name__ == "__main__":
        seen = set()
        for process in WorkerPool(2)(work, iter(int, 1)):
            if process not in seen:
                seen.add(process)
                print(process, flush=True)
"""


@pytest.mark.parametrize("ending", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_workers_end_with_the_process_that_started_them(tmp_path: Path, ending: signal.Signals) -> None:
    (tmp_path / "script.py").write_text(dedent(SCRIPT))
    parent = subprocess.Popen(
        [sys.executable, tmp_path / "script.py"],
        env={**os.environ, "PYTHONPATH": str(Path(assistant.__file__).parents[1])},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert parent.stdout is not None
        workers = [int(parent.stdout.readline()) for _ in range(2)]
        parent.send_signal(ending)
        parent.wait(10)
        deadline = time.monotonic() + 10
        while any(map(is_alive, workers)) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert [worker for worker in workers if is_alive(worker)] == []
    finally:
        parent.kill()
        parent.communicate()


def is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{process}/stat")
    return not (state.exists() and state.read_text().rpartition(")")[2].split()[0] == "Z")
