"""A withdrawn article is gone: from answers, from every file, and from the next ingest."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.torture.conftest import Server

Pairs = list[list[int]]
THERE: Pairs = [[number, 0] for number in range(40)]
GONE = 20
OTHERS = [number for number, _ in [*THERE, [50, 0]] if number != GONE]
LEFT: Pairs = [[number, 0] for number in OTHERS]


@pytest.fixture
def there(begun: Callable[..., Path]) -> Path:
    """A home with two generations that hold the story."""
    return begun(THERE, [[50, 0]])


def test_no_file_under_the_home_holds_a_withdrawn_article(forks: Server, there: Path) -> None:
    answer = forks.do("ask_and_keep", home=there, number=GONE)
    assert len(forks.do("traces", home=there, number=GONE, others=OTHERS)) >= 3  # two libraries, the history
    assert forks.do("withdraw_story", home=there, number=GONE) == []
    assert forks.do("traces", home=there, number=GONE, others=OTHERS) == []
    assert forks.do("kept", home=there, answer_id=answer) == [f"story-{GONE}"]
    assert_sound(forks, there, LEFT)


def test_the_next_ingest_rejects_it_until_it_is_readmitted(forks: Server, there: Path) -> None:
    forks.do("withdraw_story", home=there, number=GONE)
    (reason,) = forks.do("rejections", home=there, stories=[[GONE, 0], [60, 0]])
    assert "was withdrawn on 2024-05-06" in reason
    assert_sound(forks, there, [*LEFT, [60, 0]])
    forks.do("readmit_story", home=there, number=GONE)
    assert forks.do("rejections", home=there, stories=[[GONE, 0]]) == []
    assert_sound(forks, there, [*LEFT, [GONE, 0], [60, 0]])


def test_it_waits_for_a_reader_of_an_older_generation_and_then_deletes_that(
    forks: Server, there: Path, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    reader = forks.start("hold", home=there, until=go)
    forks.until(go.with_name("go.waiting").exists)
    main = there / "corpora" / "main"
    withdrawal = forks.start("withdraw_story", home=there, number=GONE)
    forks.until(lambda: not (main / "generations" / "1").exists() and (main / "current").read_text() == "3\n")
    assert (main / "generations" / "2" / "library.db").exists()
    go.touch()
    assert (reader.value(), withdrawal.value()) == (None, [])
    assert forks.do("traces", home=there, number=GONE, others=OTHERS) == []


def test_a_reader_that_stays_is_reported_and_calling_it_again_finishes(
    forks: Server, there: Path, tmp_path: Path
) -> None:
    go = tmp_path / "go"
    reader = forks.start("hold", home=there, until=go)
    forks.until(go.with_name("go.waiting").exists)
    assert forks.do("withdraw_story", home=there, number=GONE, patience=0) == [2]
    go.touch()
    reader.value()
    assert forks.do("withdraw_story", home=there, number=GONE) == []
    assert forks.do("traces", home=there, number=GONE, others=OTHERS) == []
    assert_sound(forks, there, LEFT)


KILLED_AT = ["begun", "vectors", "renamed", "published", "cleaned", "forgotten"]


@pytest.mark.parametrize("step", KILLED_AT)
def test_one_that_is_killed_is_finished_by_calling_it_again(forks: Server, there: Path, step: str) -> None:
    answer = forks.do("ask_and_keep", home=there, number=GONE)
    killed = forks.attempt("withdraw_story", home=there, number=GONE, end=(step, signal.SIGKILL))
    assert killed.code == -signal.SIGKILL
    assert forks.do("withdraw_story", home=there, number=GONE) == []
    assert forks.do("traces", home=there, number=GONE, others=OTHERS) == []
    assert forks.do("kept", home=there, answer_id=answer) == [f"story-{GONE}"]
    assert_sound(forks, there, LEFT)


def assert_sound(forks: Server, home: Path, stories: Pairs) -> None:
    seen = forks.do("look", home=home)
    assert (seen["stories"], seen["problems"]) == (sorted(stories), {})
