"""Following: a round at the start, one for each batch, and no error that ends it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from assistant.domain.errors import AssistantError, InputNotFound, LibraryBusy
from assistant.following import follow
from assistant.ingest import IngestReport, Rejection

Outcome = IngestReport | AssistantError
BAD, WORSE = Rejection("bad.txt", "has no text"), Rejection("worse.txt", "is a program, not a text file")


def rounds(*outcomes: Outcome) -> Callable[[], IngestReport]:
    """An ingest with these outcomes, one after the other."""
    remaining: Iterator[Outcome] = iter(outcomes)

    def ingest_once() -> IngestReport:
        outcome = next(remaining)
        if isinstance(outcome, AssistantError):
            raise outcome
        return outcome

    return ingest_once


def told(changes: list[bool], *outcomes: Outcome) -> list[Outcome]:
    heard: list[Outcome] = []
    follow(changes, rounds(*outcomes), heard.append)
    return heard


def test_the_first_round_needs_no_change_but_comes_once_watching_has_begun() -> None:
    first = IngestReport(added=("a",))
    assert told([]) == []
    assert told([False], first) == [first]


def test_each_batch_is_a_round_and_a_pause_is_none() -> None:
    first, second, third = (IngestReport(added=(name,)) for name in "abc")
    assert told([False, True, False, False, True], first, second, third) == [first, second, third]


def test_an_error_is_told_and_the_next_batch_is_read_all_the_same() -> None:
    first, gone, later = IngestReport(), InputNotFound("'news' does not exist"), IngestReport(added=("a",))
    assert told([False, True, False, True], first, gone, later) == [first, gone, later]


def test_a_first_round_that_cannot_work_is_an_error() -> None:
    with pytest.raises(InputNotFound):
        told([False, True], InputNotFound("'news' does not exist"))


def test_what_may_work_later_is_tried_again_in_the_next_pause() -> None:
    busy, later = LibraryBusy("another process is writing"), IngestReport(added=("a",))
    assert told([False, False, False], busy, busy, later) == [busy, later]


def test_a_rejection_is_told_once_as_long_as_it_stays() -> None:
    reports = [IngestReport(rejected=rejected) for rejected in ((BAD,), (BAD, WORSE), (), (BAD,))]
    heard = told([False, True, True, True], *reports)
    assert [report.rejected for report in heard if isinstance(report, IngestReport)] == [
        (BAD,),
        (WORSE,),
        (),
        (BAD,),
    ]
