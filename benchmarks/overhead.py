"""What an answer by a model costs beside the model: the whole ask, less retrieval and the bare call.

    python -m benchmarks.overhead --data FOLDER [--home FOLDER] [--questions N]

FOLDER holds ``realtimeqa/``: its articles are the library (built first, unless the home
has it), its questions are asked. The model is the loopback server in a process of its own.
It answers at once and without a thought, from a script, so that none of our work hides
behind its waiting: four sentences of the prompt and a quotation, with their markers, a
piece for each word. The same reply goes to both sides: to ``ask``, and to LangChain's
``init_chat_model(…).stream`` with the same messages (all but the fence's number). Overhead
is a question's whole time, less its retrieval and its bare call; ways alternate and take
turns at being first. Stages are timed by themselves, with the same texts, and show where
it goes; some of it passes while the reply still comes.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from pydantic import SecretStr

from assistant.adapters.estimated_counter import EstimatedCounter
from assistant.adapters.sqlite_history import SqliteHistory
from assistant.adapters.system_clock import SystemClock
from assistant.answering import Assistant
from assistant.bootstrap import (
    Parts,
    build_assistant,
    build_chat,
    build_counter,
    build_parts,
    load_chat_packages,
    load_prompts,
)
from assistant.condensing import is_english
from assistant.domain.answers import Answer
from assistant.domain.events import Delta, Done
from assistant.domain.history import Record
from assistant.domain.passages import RankedPassage, Scope
from assistant.generating import is_weak
from assistant.grounding import ground
from assistant.grounding.statements import StatementReader
from assistant.ingest import ingest
from assistant.prompting import ABSTAIN, Budget, Rendered, render, sources
from assistant.retrieval import retrieve
from assistant.settings import Settings
from assistant.testing import ListSource
from assistant.testing.openai_script import Reply
from benchmarks.datasets import realtimeqa

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from assistant.ports import ChatModel, Generation, TokenCounter

WARM = 20  # questions that are asked before the clock runs
STATEMENTS = 4  # of a reply, and one with a quotation: about 150 words, as the answer prompt asks for
QUOTED = slice(2, 12)  # the words of a sentence that are quoted
NONCE = "0badcafe"  # as long as those of bootstrap
ASK, KEPT, BARE, ADAPTER = "ask", "ask, history on", "bare LangChain call", "our model adapter"
RETRIEVAL, FIRST, BARE_FIRST = "retrieval", "ask, first statement", "bare call, first piece"
REQUESTS = (ASK, KEPT, BARE, ADAPTER)  # each way that asks the server, once for each question


@dataclass(frozen=True, slots=True)
class Prepared:
    """A question with what is found for it, the prompt made of that, and what the server answers."""

    question: str
    ranked: Sequence[RankedPassage]
    rendered: Rendered
    reply: str


@dataclass(frozen=True, slots=True)
class Sides:
    """All that is compared, over one corpus and one server."""

    parts: Parts
    plain: Assistant
    keeping: Assistant
    chat: ChatModel
    bare: BaseChatModel
    history: SqliteHistory
    settings: Settings


def main() -> None:
    """Build, ask, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--home", type=Path, default=None, help="a folder in which the library stays")
    parser.add_argument("--questions", type=int, default=200)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = options.home or Path(folder)
        settings = Settings(
            home=home, corpus="main", model="loopback", api_key=SecretStr("any"), history=False
        )
        parts = build_parts(settings, "main")
        articles, questions = realtimeqa(options.data)
        with parts.generations.current() as current:
            is_there = current is not None
        if not is_there:
            ingest(
                ListSource(articles), parts.generations, segmenter=parts.segmenter, embedder=parts.embedder
            )
        wanted = [question.text for question in questions]
        with parts.generations.current() as generation:
            assert generation is not None
            prepared = list(prepare(wanted, generation, parts, settings, WARM + options.questions))
            with serving(prepared, Path(folder)) as base_url:
                sides = compared(settings.model_copy(update={"base_url": base_url}), parts, Path(folder))
                times = measured(prepared, generation, sides)
            print(f"{len(prepared) - WARM} questions, {generation.manifest.articles:,} articles")
    print_table(times)


def prepare(
    questions: Sequence[str], generation: Generation, parts: Parts, settings: Settings, wanted: int
) -> Iterator[Prepared]:
    """The first questions for which the model is asked at all."""
    prompt = load_prompts(settings)["answer"]
    counter = build_counter(settings, "loopback")
    for question in questions:
        ranked = retrieve(question, generation, parts.embedder, Scope(as_of=SystemClock().today())).passages
        if wanted and is_english(question) and not is_weak(question, ranked, generation.lexical):
            wanted -= 1
            rendered = render(
                prompt,
                question,
                sources(ranked, generation.library),
                as_of=SystemClock().today(),
                nonce=NONCE,
                counter=counter,
                budget=Budget(settings.context_tokens, settings.history_tokens),
            )
            yield Prepared(question, ranked, rendered, written(rendered))


def written(rendered: Rendered) -> str:
    """A reply as a model would write it: sentences from all over the prompt, and a quotation."""
    numbers = list(rendered.sentences)
    chosen = numbers[:: max(1, len(numbers) // STATEMENTS)][:STATEMENTS]
    told = [f"{rendered.sentences[number].cleaned} [{number}]" for number in chosen]
    words = " ".join(rendered.sentences[chosen[0]].cleaned.split()[QUOTED])
    return " ".join([*told, f'One article says "{words}" about it. [{chosen[0]}]'])


@contextmanager
def serving(prepared: Sequence[Prepared], folder: Path) -> Iterator[str]:
    """The base URL of a server in a process of its own that gives each question's reply to every way."""
    script = folder / "script.jsonl"
    steps = (json.dumps({"reply": each.reply}) for each in prepared for _ in REQUESTS)
    script.write_text("\n".join(steps), encoding="utf-8")
    command = [sys.executable, "-m", "assistant.testing.openai_server", "--script", str(script)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield server.stdout.readline().strip()
        finally:
            server.terminate()


def compared(settings: Settings, parts: Parts, folder: Path) -> Sides:
    """Ours without and with a history, wired as the program is, and LangChain's model as its documents have it."""
    load_chat_packages()
    from langchain.chat_models import init_chat_model

    assert settings.model is not None
    chat = build_chat(settings, settings.model)
    history = SqliteHistory(folder / "history.db")
    bare: BaseChatModel = init_chat_model(
        settings.model,
        model_provider="openai",
        base_url=settings.base_url,
        api_key="any",
        temperature=0.0,
        max_tokens=settings.answer_tokens,
        stream_usage=True,
    )
    wired: dict[str, Any] = {"generations": parts.generations, "embedder": parts.embedder, "chat": chat}
    plain = build_assistant(settings, **wired)
    keeping = build_assistant(settings.model_copy(update={"history": True}), history=history, **wired)
    return Sides(parts, plain, keeping, chat, bare, history, settings)


def measured(
    prepared: Sequence[Prepared], generation: Generation, sides: Sides
) -> Mapping[str, Sequence[float]]:
    """Milliseconds of each way and stage, one for each question."""
    times: dict[str, list[float]] = {}
    scope = Scope(as_of=SystemClock().today())
    for number, each in enumerate(prepared):
        taken: dict[str, float] = {}
        kept: list[Answer] = []

        def ask(name: str, assistant: Assistant, first: str) -> None:
            started = time.perf_counter()
            for event in assistant.stream(each.question):
                if isinstance(event, Delta):
                    taken.setdefault(first, since(started))
                elif isinstance(event, Done):
                    taken[name] = since(started)
                    assert isinstance(event.result, Answer) and event.result.degraded is None
                    kept.append(event.result)

    ...
