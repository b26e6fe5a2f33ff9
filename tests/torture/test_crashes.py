"""Ingests that are ended at every step, and at any moment."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.torture.conftest import Server

KILL, TERM = signal.SIGKILL, signal.SIGTERM
Pairs = list[list[int]]

OLD: Pairs = [[1, 0], [2, 0], [3, 0]]
# What was there, what is ingested, what is there afterwards. All but the first are pruned.
KINDS: dict[str, tuple[Pairs, Pairs, Pairs]] = {
    "first": ([], OLD, OLD),
    "addition": (OLD, [*OLD, [4, 0]], [*OLD, [4, 0]]),
    "change and removal": (OLD, [[1, 1], [3, 0]], [[1, 1], [3, 0]]),
}
# The signal, whether the program's handler is installed, how the process then ends.
ENDINGS = {
    "kill": (KILL, False, -KILL),
    "SIGTERM as the program takes it": (TERM, True, 143),
    "SIGTERM by default": (TERM, False, -TERM),
}
IN_SHORT = [*(("kill", kind) for kind in KINDS), ("SIGTERM as the program takes it", "change and removal")]


@pytest.mark.parametrize(
    ("ending", "kind"),
    [
        pytest.param(ending, kind, marks=() if (ending, kind) in IN_SHORT else pytest.mark.slow)
        for ending in ENDINGS
        for kind in KINDS
    ],
)
def test_an_ingest_that_is_ended_at_any_step_has_happened_or_not(
    forks: Server, home: Path, begun: Callable[..., Path], kind: str, ending: str
) -> None:
    before, ingested, after = KINDS[kind]
    number, terminable, code = ENDINGS[ending]
    for step in steps_of(forks, home, before, ingested):
        if before:
            begun(before)
        how: dict[str, Any] = {"home": home, "stories": ingested, "prune": bool(before)}
        ended = forks.start("ingest", **how, end=(step, number), terminable=terminable).wait()
        assert (ended.code, ended.value) == (code, None), (step, ended)
        states = [after] if step in ("published", "cleaned") else [before, after]
        assert forks.do("stories", home=home) in states, step
        forks.do("ingest", home=home, stories=[*ingested, [9, 0]], prune=bool(before))
        assert_whole(forks.do("look", home=home), [*after, [9, 0]])
        forks.do("clear", home=home)


def test_an_ingest_that_is_ended_at_some_moment_has_happened_or_not(forks: Server, home: Path) -> None:
    end_at_random(forks, home, times=10)


@pytest.mark.slow
def test_an_ingest_that_is_ended_at_any_of_200_moments_has_happened_or_not(forks: Server, home: Path) -> None:
    end_at_random(forks, home, times=200)


def end_at_random(forks: Server, home: Path, *, times: int) -> None:
    """One home lives through them all: articles come, change and go, and each ingest is ended somewhere."""
    draw = Random(times)  # noqa: S311 -- nothing is kept secret
    there: Pairs = []
    killed = 0
    for trial in range(times):
        number, terminable, _ = draw.choice(list(ENDINGS.values()))
        wanted = [[n, e] for n, e in there if draw.random() > 0.2]
        wanted = [[n, e + (draw.random() < 0.2)] for n, e in wanted]
        wanted.append([trial, 0])
        child = forks.start("ingest", home=home, stories=wanted, prune=True, terminable=terminable)
        time.sleep(draw.uniform(0, 0.2))  # the moment, not a synchronisation
        child.signal(number)
        ended = child.wait()
        assert ended.code in (0, 143, -number), ended
        killed += ended.code != 0
        found = forks.do("stories", home=home)
        assert found in ([wanted] if ended.code == 0 else [there, wanted]), trial
        there = found
    assert killed > times / 3
    forks.do("ingest", home=home, stories=[*there, [9999, 0]], prune=True)
    assert_whole(forks.do("look", home=home), [*there, [9999, 0]])


def steps_of(forks: Server, home: Path, before: Pairs, ingested: Pairs) -> list[str]:
    """The steps that such an ingest takes, by asking it."""
    if before:
        forks.do("ingest", home=home, stories=before)
    record = home.with_name("steps")
    record.unlink(missing_ok=True)
    forks.do("ingest", home=home, stories=ingested, prune=bool(before), steps=record)
    forks.do("clear", home=home)
    steps = record.read_text().split()
    assert len(steps) == len(set(steps)) >= 10
    return steps


def assert_whole(seen: dict[str, Any], stories: Pairs) -> None:
    assert seen["stories"] == sorted(stories)
    assert seen["problems"] == {}
    number = seen["generation"]
    kept = [f"generations/{each}" for each in (number - 1, number) if each]
    assert seen["files"] == sorted(["current", "generations", "writer.lock", *kept])
