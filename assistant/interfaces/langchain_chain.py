"""The assistant for LangChain programs: its retrieval as a retriever, the whole as a Runnable.

Callbacks that the caller passes see the chain, or the retriever, and the model's own calls;
nothing is traced that the caller does not ask for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.runnables.utils import AddableDict
from pydantic import ConfigDict, Field

from assistant.answering import Assistant
from assistant.domain.articles import Timestamp
from assistant.domain.errors import InvalidQuestion
from assistant.domain.events import Delta, Done, Event, Failed, Retracted, Sources
from assistant.domain.passages import RankedPassage


class AssistantRetriever(BaseRetriever):
    """Finds the passages that an answer would rest on, best first.

    within: as_of, since, until, outlet, as ``Assistant.search`` takes them.
    A document's text is the passage's stored text; its metadata name the article and the score.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    assistant: Assistant
    within: dict[str, Any] = Field(default_factory=dict)

    def _get_relevant_documents(
        self, query: str, *, run_manager: CallbackManagerForRetrieverRun
    ) -> list[Document]:
        within: Any = {name: _dated(value) for name, value in self.within.items()}
        return [_document(found) for found in self.assistant.search(query, **within)]


class Part(AddableDict):
    """A part of an answer. Parts add up, and with ``retracted`` what was answered before it is gone."""

    def __add__(self, other: AddableDict) -> Part:
        """Both, without the ``answer`` of the first where the second takes it back."""
        kept = {name: self[name] for name in self if name != "answer" or "retracted" not in other}
        return Part(AddableDict(kept) + AddableDict(other))


class AssistantRunnable(Runnable[str | Mapping[str, Any], dict[str, Any]]):
    """Answers a question: a string, or a mapping with ``question`` and what ``Assistant.ask`` takes.

    Gives a mapping: ``answer``, the text with its markers; ``context``, the passages as documents;
    ``result``, the Answer or Abstention with citations, verdicts and costs. ``stream`` gives it in
    parts that add up: ``context``, one ``answer`` for each checked statement, last ``result``. A part
    ``retracted`` says that the ``answer`` parts before it are void. Raises AssistantError.
    """

    def __init__(self, assistant: Assistant) -> None:
        self._assistant = assistant

    def invoke(
        self, input: str | Mapping[str, Any], config: RunnableConfig | None = None, **kwargs: Any
    ) -> dict[str, Any]:
        """The whole answer."""
        return self._call_with_config(self._whole, input, config)

    def stream(
        self, input: str | Mapping[str, Any], config: RunnableConfig | None = None, **kwargs: Any
    ) -> Iterator[dict[str, Any]]:
        """The answer in parts."""
        yield from self._transform_stream_with_config(iter([input]), self._parts, config)

    def _whole(self, asked: str | Mapping[str, Any]) -> dict[str, Any]:
        whole: dict[str, Any] = {}
        for event in self._events(asked):
            if isinstance(event, Sources):
                whole["context"] = [_document(found) for found in event.passages]
            elif isinstance(event, Done):
                whole |= {"answer": event.result.text, "result": event.result}
        return whole

    def _parts(self, asked: Iterator[str | Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
        for question in asked:
            for event in self._events(question):
                if isinstance(event, Sources):
                    yield Part(context=[_document(found) for found in event.passages])
                elif isinstance(event, Delta):
                    yield Part(answer=event.text)
                elif isinstance(event, Retracted):
                    yield Part(retracted=event.reason)
                elif isinstance(event, Done):
                    yield Part(result=event.result)

    def _events(self, asked: str | Mapping[str, Any]) -> Iterator[Event]:
        given = {"question": asked} if isinstance(asked, str) else dict(asked)
        question = given.pop("question", None)
        if not isinstance(question, str):
            raise InvalidQuestion("there is no question: give a text, or a mapping with 'question'")
        for event in self._assistant.stream(question, **{name: _dated(given[name]) for name in given}):
            if isinstance(event, Failed):
                raise event.error
            yield event


def _dated(value: Any) -> Any:
    """A day written as text, as chains pass it on, as the date that it is."""
    if isinstance(value, str):
        with suppress(ValueError):
            return Timestamp.parse(value).day
    return value


def _document(found: RankedPassage) -> Document:
    article = found.article
    return Document(
        id=found.passage.id,
        page_content=found.passage.text,
        metadata={
            "article_id": article.id,
            "title": article.title,
            "outlet": article.outlet,
            "source": article.location,
            "published": article.published.isoformat() if article.published else None,
            "start": found.passage.span.start,
            "end": found.passage.span.end,
            "score": found.score,
        },
    )
