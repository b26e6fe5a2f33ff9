"""Following files: what changes there is ingested, round by round, for as long as somebody watches."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import replace

from assistant.domain.errors import AssistantError
from assistant.ingest import IngestReport, Rejection


def follow(
    changes: Iterable[bool],
    ingest_once: Callable[[], IngestReport],
    told: Callable[[IngestReport | AssistantError], None],
) -> None:
    """Ingest once, and again after each batch of changes; ends with the changes.

    changes: true for a batch, false when for a while there was none. Watching has begun
        when the first of either comes, so that the first round misses nothing.
    told: gets the report of each round, without the rejections that the round before had
        too, or the error that it failed with, unless the round before failed with it too.

    The error of a first round is raised, unless it may go away by itself. A later round that
    fails is tried again when the pause comes, if it may work then without a
    change (somebody else was writing), else with the next changes.
    """
    rejected: Collection[Rejection] = ()
    failed, again, first = "", True, True
    for changed in changes:
        if not (changed or again):
            continue
        try:
            report = ingest_once()
        except AssistantError as error:
            if first and not error.retryable:
                raise
            said = type(error).__name__ if error.retryable else str(error)  # how long somebody writes, grows
            if said != failed:
                told(error)
            failed, again = said, error.retryable
        else:
            told(replace(report, rejected=tuple(each for each in report.rejected if each not in rejected)))
            rejected, failed, again, first = report.rejected, "", False, False
