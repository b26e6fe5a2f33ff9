"""What a caller sees while an answer is made, in this order.

``Status* Sources? (Delta* Retracted)? Delta* (Done | Failed)``. A consumer that has seen
no Done must not show the text as complete.
"""

from __future__ import annotations

from dataclasses import dataclass

from assistant.domain.answers import Abstention, Answer
from assistant.domain.errors import AssistantError
from assistant.domain.passages import RankedPassage


@dataclass(frozen=True, slots=True)
class Status:
    """A stage has begun: "condense", "retrieve" or "answer"."""

    stage: str


@dataclass(frozen=True, slots=True)
class Sources:
    """The passages that the answer will rest on, best first."""

    passages: tuple[RankedPassage, ...]


@dataclass(frozen=True, slots=True)
class Delta:
    """A finished, checked piece of the answer's text."""

    text: str


@dataclass(frozen=True, slots=True)
class Retracted:
    """What was shown so far is no answer, and why; what follows takes its place."""

    reason: str


@dataclass(frozen=True, slots=True)
class Done:
    """The result. Its text is the deltas since the last Retracted, joined."""

    result: Answer | Abstention


@dataclass(frozen=True, slots=True)
class Failed:
    """No result: why."""

    error: AssistantError


Event = Status | Sources | Delta | Retracted | Done | Failed
