"""What ``assistant doctor`` looks at: is everything in place that an answer needs, and what is it?

Each check is one line. It opens what a question opens, so that what stops a question
shows here, too, but as a line that says what to do, and the next check goes on. Nothing
is written into the home but what any reader writes, and nothing touches the network
except ``examine_live``, which makes one real call, and ``examine_fetched``, which
downloads the tokenizer's file.
"""

from __future__ import annotations

import os
import platform
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path

from assistant import __version__
from assistant.bootstrap import (
    DEMO,
    build_chat,
    build_counter,
    build_embedder,
    build_parts,
    build_reranker,
    chosen_corpus,
    fetch_tokenizer,
    has_fallback,
    load_chat_packages,
    load_prompts,
    open_history,
    tokenizer_folder,
)
from assistant.content import content_folder
from assistant.domain.conversation import Completion, Finish, Message
from assistant.domain.errors import (
    AssistantError,
    ConfigurationError,
    ContentRefused,
    CorpusNotFound,
    EmbedderMismatch,
    FormatUnsupported,
    HomeUnusable,
    LibraryDamaged,
    ProviderError,
)
from assistant.domain.text import counted
from assistant.ports import ChatModel, Embedder, Generation, TokenCounter
from assistant.settings import CONFIG_FILE, DEFAULT_MODEL, Settings

# Bytes. A writer begins with a copy of the current generation, at 6.5 kB a passage: this is room for a
# library of some 70,000 passages.
LEAST_SPACE = 500_000_000
# Ten words, so that a server that streams sends several pieces.
_MESSAGES = (
    Message("system", "Do exactly what is asked and add nothing."),
    Message("user", "Write the numbers from one to ten as words, with commas between them."),
)
_TEXT = "The harbour closes on Monday."
_EXTRAS: Mapping[str, tuple[str, ...]] = {
    "html": ("trafilatura", "lxml_html_clean"),
    "pdf": ("pypdf",),
    "feed": ("feedparser",),
}


class State(StrEnum):
    """How a check ended: all is well; worth knowing; something has to be done."""

    OK = "ok"
    NOTE = "note"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the report. help: what to do about it. error: the problem as an error, if it is one."""

    name: str
    state: State
    text: str
    help: str = ""
    error: AssistantError | None = field(default=None, compare=False, repr=False)

    @classmethod
    def failed(cls, name: str, error: AssistantError) -> Check:
        """The problem that the error tells of."""
        return cls(name, State.PROBLEM, str(error), error.help, error)


def examine(settings: Settings) -> Iterator[Check]:
    """Every check that needs no network, one after another."""
    yield examine_program()
    yield examine_home(settings.home)
    yield examine_space(settings.home)
    yield from examine_corpus(settings)
    yield _guarded("history", lambda: _history(settings))
    yield _guarded("model", lambda: _model(settings))
    yield _key(settings)
    yield examine_tokens(settings, build_counter(settings, settings.chosen_model or DEFAULT_MODEL))
    yield _guarded("embedder", lambda: _embedder(settings))
    yield _guarded("reranker", lambda: _reranker(settings))
    yield examine_extras()


def examine_live(settings: Settings) -> Iterator[Check]:
    """What one real call to the model comes to, and to the embedder where that is behind an API."""

    def called() -> Check:
        chat = build_chat(settings, _required(settings))
        load_chat_packages()
        return call_model(chat, answer_tokens=settings.answer_tokens, seconds=settings.model_seconds)

    yield _guarded("live model", called)
    if _is_remote(settings):
        yield _guarded("live embedder", lambda: call_embedder(build_embedder(settings)))


def examine_fetched(settings: Settings) -> Check:
    """The tokenizer's file of the chosen model, or of the default one, downloaded unless it is there."""

    def fetched() -> Check:
        try:
            encoding, file = fetch_tokenizer(settings)
        except ProviderError as error:
            error.help = (
                "Connect to the network once, or point ASSISTANT_TOKENIZERS at a folder with the file."
            )
            raise
        return Check("fetched", State.OK, f"{encoding} is in {str(file.parent)!r}")

    return _guarded("fetched", fetched)


def examine_program() -> Check:
    """Which version runs on which Python."""
    python = f"{platform.python_implementation()} {platform.python_version()}, {platform.system()}"
    return Check("program", State.OK, f"assistant {__version__}, {python}")


def examine_home(home: Path, *, writable: Callable[[Path], bool] | None = None) -> Check:
    """Whether the home can be used, and by its owner alone. writable: of a folder."""
    return _guarded("home", lambda: _home(home, writable or _writable))


def examine_space(home: Path, *, free: Callable[[Path], int] | None = None) -> Check:
    """Whether there is room for an ingest. free: the bytes that are left on a folder's disk."""

    def space() -> Check:
        left = (free or _free)(_existing(home))
        if left >= LEAST_SPACE:
            return Check("space", State.OK, f"{left / 1e9:,.1f} GB free")
        return Check(
            "space",
            State.PROBLEM,
            f"{left / 1e6:,.0f} MB free on the home's disk, less than the {LEAST_SPACE / 1e6:.0f} MB that an"
            " ingest may take",
            "Free space there, or point --home at another disk.",
        )

    return _guarded("space", space)


def examine_corpus(settings: Settings) -> Iterator[Check]:
    """Whether the chosen corpus can be asked, what it holds, and what would stand in for it."""
    name = settings.corpus or DEMO
    try:
        name = settings.corpus or chosen_corpus(settings)
        if name == DEMO:
            content_folder("corpus", named=settings.content, working=Path.cwd(), marker=CONFIG_FILE)
        parts = build_parts(settings, name)
        with parts.generations.current() as current:
            if current is None:
                yield _no_corpus(name, settings)
                return
            yield _holds(name, current)
            yield _embedded(name, current, parts.embedder)
            yield _damage(name, current)
        if name != DEMO:
            yield _fallback(settings, name)
    except (LibraryDamaged, FormatUnsupported) as error:
        yield _made_anew("corpus", error) if name == DEMO else Check.failed("corpus", error)
    except AssistantError as error:
        yield Check.failed("corpus", error)
    except OSError as error:
        yield _unreadable("corpus", error)


def examine_tokens(settings: Settings, counter: TokenCounter) -> Check:
    """What tokens are counted with."""
    folder = str(tokenizer_folder(settings))
    if counter.exact:
        return Check("tokens", State.OK, f"{counter.name}, exact, from {folder!r}")
    return Check(
        "tokens",
        State.NOTE if settings.chosen_model else State.OK,
        f"an estimate on the safe side; there is no tokenizer's file in {folder!r}",
        "`assistant doctor --fetch-tokenizer` gets it." if settings.chosen_model else "",
    )


def examine_extras(
    *, installed: Callable[[str], bool] = lambda module: find_spec(module) is not None
) -> Check:
    """Which files can be read beside text, Markdown and JSON. installed: whether a module is."""
    missing = [extra for extra, modules in _EXTRAS.items() if not all(map(installed, modules))]
    there = ", ".join(extra for extra in _EXTRAS if extra not in missing) or "none"
    if not missing:
        return Check("extras", State.OK, there)
    return Check(
        "extras",
        State.NOTE,
        f"{there}; files that need {' or '.join(missing)} are rejected",
        f"pip install 'cited-assistant[{','.join(missing)}]'",
    )


def call_model(
    chat: ChatModel,
    *,
    answer_tokens: int,
    seconds: float,
    stopwatch: Callable[[], float] = time.monotonic,
) -> Check:
    """One short answer of the model: how long it took, whether it streamed, whether usage came.

    answer_tokens, seconds: what an answer may take; this one takes 20 tokens where nothing is thought
    about unseen. stopwatch: seconds; only differences mean something. Raises ProviderError.
    """
    pieces, first, end = 0, None, None
    started = stopwatch()
    for item in chat.stream(_MESSAGES, answer_tokens=answer_tokens, seconds=seconds):
        if isinstance(item, Completion):
            end = item
        else:
            first = stopwatch() if first is None else first
            pieces += 1
    took = stopwatch() - started
    where = f"{chat.name} at {chat.host}"
    if end and end.finish in (Finish.REFUSAL, Finish.CONTENT_FILTER):
        raise ContentRefused(f"{where} refused to count to ten")
    begun = f"the first piece after {first - started:.2f} s" if first is not None else "no text"
    streamed = f"streamed in {counted(pieces, 'piece')}" if pieces > 1 else "not streamed"
    text = f"{where}: {begun}, all after {took:.2f} s; {streamed}; {_usage(end)}"
    if end and end.finish is Finish.LENGTH:
        return Check("live model", State.NOTE, f"{text}; cut at {counted(answer_tokens, 'token')}")
    return Check("live model", State.OK, text)


def call_embedder(embedder: Embedder, *, stopwatch: Callable[[], float] = time.monotonic) -> Check:
    """One vector of the embedder: how long it took and how many numbers it has. Raises ProviderError."""
    started = stopwatch()
    (vector,) = embedder.embed([_TEXT])
    took = stopwatch() - started
    return Check(
        "live embedder", State.OK, f"{embedder.fingerprint}: {len(vector)} numbers after {took:.2f} s"
    )


def _guarded(name: str, check: Callable[[], Check]) -> Check:
    """The check, or what keeps it from being made."""
    try:
        return check()
    except AssistantError as error:
        return Check.failed(name, error)
    except OSError as error:
        return _unreadable(name, error)


def _unreadable(name: str, error: OSError) -> Check:
    path = f"{error.filename!r} " if error.filename else ""
    return Check.failed(name, HomeUnusable(f"{path}cannot be read: {error.strerror or error}"))


def _home(home: Path, writable: Callable[[Path], bool]) -> Check:
    where = str(home.absolute())
    if not home.exists():
        above = _existing(home)
        if not above.is_dir() or not writable(above):
            raise HomeUnusable(f"{where!r} cannot be created in {str(above)!r}")
        return Check("home", State.OK, f"{where}, which the first question creates")
    if not home.is_dir():
        raise HomeUnusable(f"{where!r} is no folder")
    if not writable(home):
        if not (home / "corpora").is_dir():
            raise HomeUnusable(f"{where!r} cannot be written")
        return Check("home", State.NOTE, f"{where} cannot be written: it answers, and keeps nothing")
    mode = home.stat().st_mode & 0o777
    if mode & 0o077 and os.name != "nt":
        return Check(
            "home",
            State.NOTE,
            f"{where} is open to others on this machine (mode {mode:04o})",
            f"chmod 700 {where}",
        )
    return Check("home", State.OK, where)


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that is there."""
    return next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())


def _writable(folder: Path) -> bool:
    return os.access(folder, os.W_OK | os.X_OK)


def _free(folder: Path) -> int:
    return shutil.disk_usage(folder).free


def _no_corpus(name: str, settings: Settings) -> Check:
    if name != DEMO:
        raise CorpusNotFound(f"there is no corpus {name!r} in {str(settings.home)!r}")
    return Check(
        "corpus",
        State.NOTE,
        "no articles yet; the demo is indexed with the first question",
        "`assistant ingest PATH` takes in your own.",
    )


def _holds(name: str, current: Generation) -> Check:
    manifest = current.manifest
    newest = current.library.visible(date.max).newest
    return Check(
        "corpus",
        State.OK,
        f"{name}, generation {current.number}: {counted(manifest.articles, 'article')},"
        f" {counted(manifest.passages, 'passage')}, {f'newest {newest}' if newest else 'all undated'}",
    )


def _embedded(name: str, current: Generation, embedder: Embedder) -> Check:
    try:
        current.manifest.require_embedder(embedder.fingerprint)
    except EmbedderMismatch as error:
        return _made_anew("index", error) if name == DEMO else Check.failed("index", error)
    return Check("index", State.OK, f"embedded with {embedder.fingerprint}, which is the embedder in use")


def _damage(name: str, current: Generation) -> Check:
    if current.damage:
        error = LibraryDamaged(current.damage)
        return _made_anew("damage", error) if name == DEMO else Check.failed("damage", error)
    return Check("damage", State.OK, "none found on opening; `assistant index verify` reads everything")


def _made_anew(name: str, error: AssistantError) -> Check:
    return Check(name, State.NOTE, f"{error}; the next question indexes the demo anew")


def _fallback(settings: Settings, name: str) -> Check:
    if has_fallback(settings, name):
        return Check("fallback", State.OK, "an older generation answers if this one is damaged")
    return Check(
        "fallback",
        State.NOTE,
        "no older generation could answer if this one were damaged; the next change to the corpus keeps one",
        "`assistant index export FILE` makes a copy.",
    )


def _history(settings: Settings) -> Check:
    newest = open_history(settings).newest(1)
    kept = f"the newest answer is of {newest[0].at:%Y-%m-%d}" if newest else "empty"
    off = "" if settings.history else "; switched off for new answers"
    return Check("history", State.OK, kept + off)


def _model(settings: Settings) -> Check:
    if settings.chosen_model is None:
        return Check("model", State.OK, "none: answers are extracts")
    chat = build_chat(settings, settings.chosen_model)
    load_prompts(settings)
    needed = ", and required" if settings.require_model else ""
    return Check("model", State.OK, f"{chat.name} at {chat.host}{needed}")


def _required(settings: Settings) -> str:
    if settings.chosen_model:
        return settings.chosen_model
    error = ConfigurationError("no model is chosen that could be called")
    error.help = f"Name one with --model or ASSISTANT_MODEL, or set OPENAI_API_KEY for {DEFAULT_MODEL}."
    if settings.no_model:
        error.help = "Leave out --no-model, or unset ASSISTANT_NO_MODEL."
    raise error


def _key(settings: Settings) -> Check:
    """Whether there is a key. Whether one is needed the model and the embedder say, when they are built."""
    return Check("key", State.OK, "present" if settings.api_key else "absent")


def _embedder(settings: Settings) -> Check:
    embedder = build_embedder(settings)
    if _is_remote(settings):
        told = "articles and questions are sent there"
    elif settings.embedder == "minilm":
        told = "works without a network once its model is downloaded"
    else:
        told = "works without a network"
    return Check("embedder", State.OK, f"{embedder.fingerprint}: {told}")


def _reranker(settings: Settings) -> Check:
    reranker = build_reranker(settings)
    if reranker is None:
        return Check("reranker", State.OK, "none: passages are ranked as they were found")
    reranker.score("When does the harbour close?", [_TEXT, "It rained."])  # two, of different length
    return Check("reranker", State.OK, f"{reranker.name}: scores passages, without a network")


def _is_remote(settings: Settings) -> bool:
    """Whether the embedder is behind an API."""
    return settings.embedder.startswith("openai:")


def _usage(end: Completion | None) -> str:
    if end is None or end.prompt_tokens is None or end.completion_tokens is None:
        return "usage is not told"
    return f"{end.prompt_tokens} tokens sent, {end.completion_tokens} written"
