"""A history in memory, and one that cannot be written."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from assistant.domain.errors import AssistantError, HistoryNotFound
from assistant.domain.history import Record


class MemoryHistory:
    """Keeps records in a list.

    error: what record raises, until it is set to None.
    records: what is kept, oldest first.
    calls: what was deleted and withdrawn, in order, as ("delete", id) and ("withdraw", article id).
    """

    def __init__(self, *, error: AssistantError | None = None) -> None:
        self.error = error
        self.records: list[Record] = []
        self.calls: list[tuple[str, str]] = []

    def record(self, record: Record) -> None:
        """Keep the record, in place of one with the same id."""
        if self.error:
            raise self.error
        self.records = [*self._others({record.result.id}), record]

    def newest(self, limit: int | None = None) -> list[Record]:
        """The records that were kept last, the newest first; all without a limit."""
        return self.records[::-1][:limit]

    def find(self, answer_id: str) -> Record:
        """The record of this answer; raises HistoryNotFound."""
        for record in self.records:
            if record.result.id == answer_id:
                return record
        raise HistoryNotFound(f"the history holds no answer {answer_id!r}")

    def delete(self, answer_ids: Collection[str]) -> None:
        """Forget these answers; raises HistoryNotFound, and forgets none, when one is not there."""
        for answer_id in answer_ids:
            self.find(answer_id)
        self.calls += [("delete", answer_id) for answer_id in answer_ids]
        self.records = self._others(answer_ids)

    def clear(self, before: datetime | None = None) -> int:
        """Forget everything, or what was asked before a moment; returns how many records that were."""
        kept = [record for record in self.records if before and record.at >= before]
        gone = len(self.records) - len(kept)
        self.records = kept
        return gone

    def withdraw(self, article_ids: Collection[str], *, corpus: str) -> int:
        """Take the words of these articles out of every record about the corpus; returns of how many."""
        self.calls += [("withdraw", article_id) for article_id in article_ids]
        stripped = [
            record.without(article_ids) if record.result.corpus.name == corpus else record
            for record in self.records
        ]
        changed = sum(new != old for new, old in zip(stripped, self.records, strict=True))
        self.records = stripped
        return changed

    def _others(self, answer_ids: Collection[str]) -> list[Record]:
        return [record for record in self.records if record.result.id not in answer_ids]
