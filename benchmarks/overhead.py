"""What an answer by a model costs beside the model: the whole ask, less retrieval and the bare call.

    python -m benchmarks.overhead --data FOLDER [--home FOLDER] [--questions N]

FOLDER holds ``realtimeqa/``: its articles are the library (built first, unless the home
has it), its questions are asked, those for which a model is asked at all. The model is the
loopback server in a process of its own. It answers from a script, at once, so that none of
our work hides behind its waiting: four sentences of the prompt and a quotation, with their
markers, a piece for each word. The same reply goes to both sides, to ``ask`` and to
LangChain's ``init_chat_model(…).stream`` with the same messages (all but the fence's
number). Overhead is a question's whole time, less its retrieval and its bare call; the ways
take turns at being first. Our adapter may be quicker than the bare call: what is ours without
that gain is the last line. Stages are timed by themselves afterwards, with the same texts.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from pydantic import SecretStr

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
from assistant.condensing import is_english, standalone
from assistant.domain.answers import Answer
from assistant.domain.events import Delta, Done
from assistant.domain.history import Record
from assistant.domain.passages import RankedPassage, Scope
from assistant.generating import is_weak
from assistant.grounding import ground
from assistant.grounding.statements import StatementReader
from assistant.ingest import ingest
from assistant.ports import Generation, TokenCounter
from assistant.prompting import ABSTAIN, Budget, Rendered, Source, render, sources
from assistant.retrieval import retrieve
from assistant.settings import Settings
from assistant.testing import ListSource
from assistant.testing.openai_script import Reply
from benchmarks.datasets import realtimeqa

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

MODEL = "loopback"
WARM = 20  # questions that are asked before the clock runs
STATEMENTS = 4  # of a reply, beside the one with a quotation
QUOTED = slice(2, 12)  # the words of a sentence that are quoted
NONCE = "0badcafe"  # as long as those that the program makes
RETRIEVAL, BARE, ADAPTER = "retrieval alone", "bare LangChain call", "our model adapter alone"
ASK, KEPT = "ask", "ask, history kept"
REQUESTS = 4  # for each question: all of these ways but the first
FIRST = ", until something shows"


@dataclass(frozen=True, slots=True)
class Prepared:
    """A question with what is found for it, the prompt made of that, and what the server answers."""

    question: str
    ranked: Sequence[RankedPassage]
    rendered: Rendered
    reply: Reply


def main() -> None:
    """Build, ask, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--home", type=Path, default=None, help="a folder in which the library stays")
    parser.add_argument("--questions", type=int, default=200)
    options = parser.parse_args()
    articles, questions = realtimeqa(options.data)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = Settings(
            home=options.home or folder, corpus="main", model=MODEL, api_key=SecretStr("any"), history=False
        )
        parts = build_parts(settings, "main")
        with parts.generations.current() as current:
            is_there = current is not None
        if not is_there:
            source = ListSource(articles)
            ingest(source, parts.generations, segmenter=parts.segmenter, embedder=parts.embedder)
        with parts.generations.current() as generation:
            assert generation is not None
            asked = [question.text for question in questions]
            prepared = list(prepare(asked, generation, parts, settings, WARM + options.questions))
            with serving(prepared, folder) as base_url:
                settings = settings.model_copy(update={"base_url": base_url})
                bench = Bench(settings, parts, generation, SqliteHistory(folder / "history.db"))
                times = measured(bench, prepared)
            show(bench, prepared[WARM:], times)


def prepare(
    questions: Sequence[str], generation: Generation, parts: Parts, settings: Settings, wanted: int
) -> Iterator[Prepared]:
    """The first questions for which the model is asked at all, and once."""
    prompt, counter = load_prompts(settings)["answer"], build_counter(settings, MODEL)
    for question in questions:
        ranked = retrieve(question, generation, parts.embedder, everything()).passages
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


def everything() -> Scope:
    """What a question without restrictions may use."""
    return Scope(as_of=SystemClock().today())


def written(rendered: Rendered) -> Reply:
    """A reply as models write them: statements that cite sentences from all over the prompt."""
    numbers = list(rendered.sentences)
    chosen = numbers[:: max(1, len(numbers) // STATEMENTS)][:STATEMENTS]
    told = [f"{rendered.sentences[number].cleaned} [{number}]" for number in chosen]
    words = " ".join(rendered.sentences[chosen[0]].cleaned.replace('"', "").split()[QUOTED])
    return Reply(" ".join([*told, f'One article says "{words}" about it. [{chosen[0]}]']))


@contextmanager
def serving(prepared: Sequence[Prepared], folder: Path) -> Iterator[str]:
    """The base URL of a server in a process of its own that gives every way a question's own reply."""
    script = folder / "script.jsonl"
    steps = (json.dumps({"reply": one.reply.text}) for one in prepared for _ in range(REQUESTS))
    script.write_text("\n".join(steps), encoding="utf-8")
    command = [sys.executable, "-m", "assistant.testing.openai_server", "--script", str(script)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield server.stdout.readline().strip()
        finally:
            server.terminate()


class Bench:
    """Every way and every stage, over one corpus and one server; each method returns milliseconds by name.

    The assistants are wired as the program is; LangChain's model is made as its documentation shows.
    """

    def __init__(
        self, settings: Settings, parts: Parts, generation: Generation, history: SqliteHistory
    ) -> None:
        load_chat_packages()
        from langchain.chat_models import init_chat_model

        self.counter = build_counter(settings, MODEL)
        self._settings = settings
        self._generation = generation
        self._parts = parts
        self._history = history
        self._prompt = load_prompts(settings)["answer"]
        self._chat = build_chat(settings, MODEL)
        self._bare: BaseChatModel = init_chat_model(
            MODEL,
            model_provider="openai",
            base_url=settings.base_url,
            api_key="any",
            temperature=0.0,
            max_tokens=settings.answer_tokens,
            stream_usage=True,
        )
        self._plain = self._assistant(settings)
        self._keeping = self._assistant(settings.model_copy(update={"history": True}))
        self._result: Answer | None = None

    def _assistant(self, settings: Settings) -> Assistant:
        return build_assistant(
            settings,
            generations=self._parts.generations,
            segmenter=self._parts.segmenter,
            embedder=self._parts.embedder,
            history=self._history,
            chat=self._chat,
        )

    def ways(self) -> Sequence[Callable[[Prepared], Mapping[str, float]]]:
        """All that is compared."""
        return (
            self.retrieval,
            lambda one: self.ask(one, self._plain, ASK),
            self.bare,
            lambda one: self.ask(one, self._keeping, KEPT),
            self.adapter,
        )

    def retrieval(self, one: Prepared) -> dict[str, float]:
        """The passages alone."""
        find = (one.question, self._generation, self._parts.embedder, everything())
        return {RETRIEVAL: timed(lambda: retrieve(*find))}

    def ask(self, one: Prepared, assistant: Assistant, name: str) -> dict[str, float]:
        """The whole answer, and its first statement; the answer has to be the model's."""
        started, first, result = time.perf_counter(), None, None
        for event in assistant.stream(one.question):
            if isinstance(event, Delta):
                first = first or since(started)
            elif isinstance(event, Done):
                result = event.result
        taken = since(started)
        assert first
        assert isinstance(result, Answer)
        assert result.provenance.model == f"openai:{MODEL}"
        assert result.degraded is None
        self._result = result
        return {name: taken, name + FIRST: first}

    def bare(self, one: Prepared) -> dict[str, float]:
        """LangChain's own call with the same messages, and its first piece."""
        started, first, pieces = time.perf_counter(), None, []
        for message in self._bare.stream([(each.role, each.text) for each in one.rendered.messages]):
            first = first or since(started)
            pieces.append(message.text)
        taken = since(started)
        assert first
        assert "".join(pieces) == one.reply.text
        return {BARE: taken, BARE + FIRST: first}

    def adapter(self, one: Prepared) -> dict[str, float]:
        """The same call through our port: deadline, watchdog, a connection of its own."""
        settings = self._settings
        call = self._chat.stream(
            one.rendered.messages, answer_tokens=settings.answer_tokens, seconds=settings.model_seconds
        )
        return {ADAPTER: timed(lambda: list(call))}

    def stages(self, one: Prepared) -> dict[str, float]:
        """Our own steps, each by itself."""
        library, lexical = self._generation.library, self._generation.lexical
        shown, result = sources(one.ranked, library), self._result
        assert result
        uncounted = timed(lambda: self._render(one, shown, ByLength()))
        return {
            "generation opened, question looked at": timed(lambda: self._open(one)),
            "is_weak": timed(lambda: is_weak(one.question, one.ranked, lexical)),
            "sources": timed(lambda: sources(one.ranked, library)),
            "render": uncounted,
            "count tokens": timed(lambda: self._render(one, shown, self.counter)) - uncounted,
            "statements and grounding": timed(lambda: self._ground(one)),
            "record kept (history only)": timed(
                lambda: self._history.record(Record.of(result, SystemClock().now()))
            ),
        }

    def _open(self, one: Prepared) -> None:
        with self._parts.generations.current():
            standalone(one.question, ())
            is_english(one.question)

    def _render(self, one: Prepared, shown: Sequence[Source], counter: TokenCounter) -> Rendered:
        return render(
            self._prompt,
            one.question,
            shown,
            as_of=SystemClock().today(),
            nonce=NONCE,
            counter=counter,
            budget=Budget(self._settings.context_tokens, self._settings.history_tokens),
        )

    def _ground(self, one: Prepared) -> None:
        reader = StatementReader(self._parts.segmenter.segment)
        found = [statement for piece in one.reply.in_pieces() for statement in reader.feed(piece)]
        for statement in (*found, *reader.end()):
            ground(statement, one.rendered.sentences, one.question, token=ABSTAIN)


class ByLength:
    """Counts in no time, to time what else rendering does; about as many, so that as much is shown."""

    name, exact = "length", False

    def count(self, text: str) -> int:
        """A token for each four characters."""
        return len(text) // 4


def measured(bench: Bench, prepared: Sequence[Prepared]) -> Mapping[str, Sequence[float]]:
    """Milliseconds of each way and stage, one figure for each question."""
    ways, times = bench.ways(), defaultdict[str, list[float]](list)
    for number, one in enumerate(prepared):
        first = number % len(ways)
        for way in (*ways[first:], *ways[:first], bench.stages):
            for name, taken in way(one).items():
                if number >= WARM:
                    times[name].append(taken)
    return times


def show(bench: Bench, prepared: Sequence[Prepared], times: Mapping[str, Sequence[float]]) -> None:
    """Print p50 and p95 of everything, and what is ours."""
    tokens = statistics.median(one.rendered.prompt_tokens for one in prepared)
    words = statistics.median(len(one.reply.in_pieces()) for one in prepared)
    print(
        f"{len(prepared)} questions; prompts of {tokens:.0f} tokens by {bench.counter.name!r},"
        f" replies of {words:.0f} pieces, at p50"
    )
    for name, taken in times.items():
        row(name, taken)
    print("overhead, question by question:")
    for name in (ASK, KEPT):
        both = [sum(pair) for pair in zip(times[RETRIEVAL], times[BARE], strict=True)]
        row(f"{name} - retrieval - bare call", less(times[name], both))
        first = [sum(pair) for pair in zip(times[RETRIEVAL], times[BARE + FIRST], strict=True)]
        row(f"{name}{FIRST}, likewise", less(times[name + FIRST], first))
        print(
            f"  {name} is {statistics.median(times[name]) / statistics.median(both):.2f} x the two together"
        )
    row("our model adapter - bare call", less(times[ADAPTER], times[BARE]))
    without_adapter = less(less(times[ASK], times[RETRIEVAL]), times[ADAPTER])
    row("ask - retrieval - our model adapter", without_adapter)


def row(name: str, taken: Sequence[float]) -> None:
    """One line of the table."""
    print(f"  {name:52} p50 {statistics.median(taken):7.2f} ms   p95 {np.percentile(taken, 95):7.2f} ms")


def less(whole: Sequence[float], part: Sequence[float]) -> list[float]:
    """The difference for each question."""
    return [one - other for one, other in zip(whole, part, strict=True)]


def timed(do: Callable[[], object]) -> float:
    """Milliseconds that it takes."""
    started = time.perf_counter()
    do()
    return since(started)


def since(started: float) -> float:
    """Milliseconds since then."""
    return (time.perf_counter() - started) * 1_000


if __name__ == "__main__":
    main()
