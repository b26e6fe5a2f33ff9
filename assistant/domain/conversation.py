"""What is said before a question, and what passes between the assistant and a model."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


@dataclass(frozen=True, slots=True)
class Turn:
    """An earlier question of the same conversation, with the text of its answer."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class Message:
    """One message to a model."""

    role: Literal["system", "user"]
    text: str


class Finish(StrEnum):
    """Why a model's reply ended, in the words of the OpenAI protocol."""

    STOP = "stop"
    LENGTH = "length"
    CONTENT_FILTER = "content_filter"
    REFUSAL = "refusal"


@dataclass(frozen=True, slots=True)
class Completion:
    """The end of a model's reply: why, and how many tokens it took (None: the server does not say).

    prompt_tokens counts the cached ones, too; completion_tokens the hidden ones of reasoning models.
    """

    finish: Finish
    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    completion_tokens: int | None = None
