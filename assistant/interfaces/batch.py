"""Many questions from a JSONL file, in one process, in order, one line of JSON each.

A line is ``{"id": …, "question": …, "as_of": "YYYY-MM-DD"?}``. A line that cannot be
read or answered gives ``{"id": …, "error": {"type": …, "message": …}}``; the others
are answered all the same.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from datetime import date
from typing import Any

from pydantic import BaseModel, ConfigDict, StrictInt, StrictStr, ValidationError, field_validator

from assistant.domain.articles import Timestamp
from assistant.domain.errors import InvalidQuestion
from assistant.interfaces.json_output import error_json


class BatchQuestion(BaseModel):
    """One line of a batch."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: StrictStr | StrictInt | None = None
    question: str
    as_of: date | None = None

    @field_validator("as_of", mode="before")
    @classmethod
    def _written_date(cls, value: object) -> date | None:
        """A date as people write it; pydantic would take 20240728 for seconds since 1970."""
        if value is None:
            return None
        with suppress(ValueError):
            if isinstance(value, str):
                return Timestamp.parse(value).day
        raise ValueError(f'{value!r} is no date; write it like "2024-07-28"')


def run_batch(
    lines: Iterable[str], answer: Callable[[BatchQuestion], dict[str, Any]]
) -> Iterator[tuple[dict[str, Any], bool]]:
    """For each line that is not blank: the object to print, and whether it got a result."""
    for line in lines:
        if line.strip():
            yield _answered(line, answer)


def _answered(line: str, answer: Callable[[BatchQuestion], dict[str, Any]]) -> tuple[dict[str, Any], bool]:
    asked_id: Any = None
    started = time.perf_counter()
    try:
        raw = _object(line)
        asked_id = raw.get("id") if type(raw.get("id")) in (str, int) else None
        result = answer(BatchQuestion.model_validate(raw))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        reason = InvalidQuestion(f"{'.'.join(map(str, first['loc']))}: {first['msg']}")
        return {"id": asked_id, "error": error_json(reason)}, False
    except Exception as error:  # whatever is wrong with this line, the others get their answers
        return {"id": asked_id, "error": error_json(error)}, False
    elapsed = round((time.perf_counter() - started) * 1000, 3)
    return {"id": asked_id, **result, "elapsed_ms": elapsed}, True


def _object(line: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InvalidQuestion(f"the line is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise InvalidQuestion('the line is no JSON object like {"id": 1, "question": "…"}')
    return value
