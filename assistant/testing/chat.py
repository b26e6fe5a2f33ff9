"""A model that says what the test wrote for it."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass

from assistant.domain.conversation import Completion, Finish, Message
from assistant.domain.errors import ProviderError
from assistant.testing.strict import UnexpectedCall

Piece = str | Completion | ProviderError


@dataclass(frozen=True, slots=True)
class ChatCall:
    """What a model was asked."""

    messages: tuple[Message, ...]
    answer_tokens: int
    seconds: float


class ScriptedChatModel:
    """Plays one reply for each call, in order; a call more raises UnexpectedCall.

    A reply is a text, which ends well, or the pieces that come: texts, and last a Completion
    or the ProviderError that it breaks off with. ``calls`` keeps what was asked; ``closed``
    counts the replies that were not read to their end.
    """

    def __init__(
        self, *replies: str | Sequence[Piece], name: str = "scripted:model", host: str = "scripted"
    ) -> None:
        self._replies = [_pieces(reply) for reply in replies]
        self.name = name
        self.host = host
        self.calls: list[ChatCall] = []
        self.closed = 0

    def stream(
        self, messages: Sequence[Message], *, answer_tokens: int, seconds: float
    ) -> Generator[str | Completion, None, None]:
        """The next reply."""
        self.calls.append(ChatCall(tuple(messages), answer_tokens, seconds))
        if len(self.calls) > len(self._replies):
            raise UnexpectedCall(f"the script has {len(self._replies)} replies, this is one call more")
        return self._played(self._replies[len(self.calls) - 1])

    def assert_complete(self) -> None:
        """Raises UnexpectedCall when a reply was never asked for."""
        if left := len(self._replies) - len(self.calls):
            raise UnexpectedCall(f"{left} replies were never asked for")

    def _played(self, pieces: Sequence[Piece]) -> Generator[str | Completion, None, None]:
        try:
            for piece in pieces:
                if isinstance(piece, ProviderError):
                    raise piece
                yield piece
        except GeneratorExit:
            self.closed += 1
            raise


def _pieces(reply: str | Sequence[Piece]) -> Sequence[Piece]:
    if isinstance(reply, str):
        return [reply, Completion(Finish.STOP, prompt_tokens=100, cached_tokens=0, completion_tokens=10)]
    if not reply or isinstance(reply[-1], str):
        raise ValueError("a reply ends with a Completion or a ProviderError")
    return reply
