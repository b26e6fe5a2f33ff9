"""Everything that the assistant is put together from, on one page.

Each part can be replaced by keyword; what is not replaced is what a person gets. This
is the only module that knows the adapters.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from assistant import __version__
from assistant.answering import Assistant, Identity, verify
from assistant.content import content_folder
from assistant.domain.errors import (
    AssistantError,
    ConfigurationError,
    CorpusExists,
    CorpusNotFound,
    FormatUnsupported,
    InputNotFound,
    LibraryDamaged,
)
from assistant.domain.history import Record, Standing
from assistant.domain.prompts import Prompt
from assistant.extracting import weights_hash
from assistant.following import follow
from assistant.generating import Generator, Strictness
from assistant.ingest import IngestReport, Preparation, Progress, Workers, ingest, preparation
from assistant.ports import (
    Archives,
    ArticleSource,
    ChatModel,
    Clock,
    Embedder,
    Generations,
    History,
    Reranker,
    Segmenter,
    TokenCounter,
)
from assistant.pricing import load_prices, override
from assistant.prompting import MAX_SENTENCES, PHRASES, REQUIRED, Budget
from assistant.settings import CONFIG_FILE, DEFAULT_MODEL, Settings
from assistant.upkeep import Rebuilt, Withdrawal, readmit, rebuild, withdraw

if TYPE_CHECKING:
    from assistant.adapters.generation_stores import Stores
    from assistant.adapters.sqlite_vectors import SqliteVectors

DEMO = "demo"
MAIN = "main"
LOCAL_EMBEDDERS = ("static", "hashing")  # quick enough for single words, and as good in every worker
_OPENAI = "openai:"
_EMBED_SECONDS = 60.0  # for a request with up to 64 passages, all attempts together
_EMBED_SHARE = 1 / 3  # of an answer's time for its question, so that the model has some left when it hangs
_DEMO_PATIENCE = 60  # seconds to wait while another first question indexes the demo


@dataclass(frozen=True, slots=True)
class Parts:
    """What reading and writing a corpus need in common; embed_here: see ``Preparation``."""

    corpus: str
    generations: Generations
    segmenter: Segmenter
    embedder: Embedder
    embed_here: bool = False


def build_assistant(
    settings: Settings,
    *,
    generations: Generations | None = None,
    segmenter: Segmenter | None = None,
    embedder: Embedder | None = None,
    clock: Clock | None = None,
    history: History | None = None,
    chat: ChatModel | None = None,
    answering: bool = True,
    new_id: Callable[[], str] = lambda: uuid.uuid4().hex[:16],
    notice: Callable[[str], None] = lambda text: None,
) -> Assistant:
    """An assistant over the corpus that the settings choose, ready to be asked.

    The demo corpus is indexed here when it is chosen and new or changed. notice is told
    before, the first time what is sent to which model, and later when an answer cannot be kept
    in the history. chat: writes the answers, whatever model the settings choose; they can still
    choose none. answering: False for one that is only searched, and asks no model. Raises CorpusNotFound
    for a corpus without articles.
    """
    name = settings.corpus or chosen_corpus(settings)
    parts = build_parts(
        settings, name, generations=generations, segmenter=segmenter, embedder=embedder, warn=notice
    )
    if generations is None:
        if name == DEMO:
            _refresh_demo(settings, parts, notice)
        _require_corpus(settings, parts)
    generator = _generator(settings, chat, parts.segmenter) if answering else None
    if embedder is None:
        _tell_of_embedder(settings, "Questions", notice)
    if generator and chat is None:
        where = f"{generator.chat.name} at {generator.chat.host}"
        what = "Questions, what was said before them and the passages found for them are sent to"
        _tell_once(settings, f"{what} {where}; --no-model keeps them here.", notice)
    return Assistant(
        parts.generations,
        embedder=parts.embedder,
        clock=clock or _system_clock(),
        new_id=new_id,
        identity=Identity(__version__, name, f"{settings.fingerprint()}/{weights_hash()}"),
        passages=settings.passages,
        exact_dense=settings.exact_dense,
        generator=generator,
        require_model=settings.require_model,
        words=None if settings.embedder in LOCAL_EMBEDDERS else _static_embedder(),
        reranker=build_reranker(settings),
        history=(history or open_history(settings)) if settings.history else None,
        notice=notice,
    )


def build_chat(settings: Settings, name: str) -> ChatModel:
    """The model of this name as the settings reach it; nothing is sent before it is asked."""
    from assistant.adapters.langchain_models import LangchainModel

    return LangchainModel(
        name,
        base_url=settings.base_url,
        api_key=settings.api_key.get_secret_value() if settings.api_key else None,
        lacks=settings.model_lacks,
        effort=None if settings.model_effort == "default" else settings.model_effort,
    )


def build_counter(settings: Settings, model: str) -> TokenCounter:
    """Counts as the model does where the file for that is there, and estimates on the safe side elsewhere."""
    from assistant.adapters.estimated_counter import EstimatedCounter
    from assistant.adapters.tiktoken_counter import cached_encoding, encoding_for

    return (
        cached_encoding(tokenizer_folder(settings), encoding_for(model.removeprefix(_OPENAI)))
        or EstimatedCounter()
    )


def tokenizer_folder(settings: Settings) -> Path:
    """Where tiktoken's files are looked for and put."""
    return settings.tokenizers or settings.home / "tokenizers"


def build_embedder(settings: Settings, *, writing: bool = False) -> Embedder:
    """The embedder that the settings choose; each of its calls is one, without a cache in between.

    writing: for articles, which have more time than a question, of which an answer's may be a third.
    """
    if settings.embedder == "hashing":
        from assistant.adapters.hashing_embedder import HashingEmbedder

        return HashingEmbedder()
    if settings.embedder == "minilm":
        from assistant.adapters.minilm_embedder import MinilmEmbedder

        return MinilmEmbedder(download=writing)
    if settings.embedder.startswith(_OPENAI):
        from assistant.adapters.openai_embedder import OpenAIEmbedder

        key = settings.api_key.get_secret_value() if settings.api_key else None
        return OpenAIEmbedder(
            settings.embedder.removeprefix(_OPENAI),
            base_url=settings.base_url,
            api_key=key,
            seconds=_EMBED_SECONDS if writing else settings.model_seconds * _EMBED_SHARE,
        )
    return _static_embedder()


def build_reranker(settings: Settings) -> Reranker | None:
    """The cross-encoder that the settings name, loaded when it is first asked; None where they name none.

    Raises ConfigurationError where its folder lacks a file.
    """
    if settings.reranker is None:
        return None
    from assistant.adapters.onnx_reranker import OnnxReranker

    return OnnxReranker(settings.reranker)


def load_chat_packages() -> None:
    """Import what the first call to a model imports, so that this is not taken for the model's time."""
    for name in ("langchain.chat_models", "langchain_openai", "langsmith"):
        import_module(name)


def fetch_tokenizer(settings: Settings) -> tuple[str, Path]:
    """The encoding of the chosen model, or the default one, and its file, downloaded unless it is there.

    Raises ProviderUnreachable where it does not come, and HomeUnusable where it cannot be kept.
    """
    from assistant.adapters.tiktoken_counter import encoding_for, fetch

    encoding = encoding_for((settings.chosen_model or DEFAULT_MODEL).removeprefix(_OPENAI))
    folder = tokenizer_folder(settings)
    with suppress(OSError):  # what is wrong with the folder is told when the file is to be kept
        settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    return encoding, fetch(folder, encoding)


def load_prompts(settings: Settings) -> Mapping[str, Prompt]:
    """All prompts that a model is asked with, by id; raises PromptInvalid."""
    from assistant.adapters.prompt_files import PromptFiles

    files = PromptFiles(
        _content_folder("prompts", settings), required=REQUIRED, phrases=PHRASES, examples_above=MAX_SENTENCES
    )
    return {prompt_id: files.prompt(prompt_id) for prompt_id in REQUIRED}


def has_fallback(settings: Settings, corpus: str) -> bool:
    """Whether the corpus has a generation beside its current one."""
    complete = _corpus_folder(settings.home, corpus).glob("generations/*/manifest.json")
    return sum(path.parent.name.isdigit() for path in complete) > 1


def _generator(settings: Settings, chat: ChatModel | None, segmenter: Segmenter) -> Generator | None:
    """What a model writes answers with; None when the settings choose none."""
    name = chat.name if chat and not settings.no_model else settings.chosen_model
    if name is None:
        return None
    chat = chat or build_chat(settings, name)
    prices = load_prices()
    if settings.model_price:
        prices = replace(prices, own=override(settings.model_price))
    clock = _system_clock()
    return Generator(
        chat=chat,
        prompts=load_prompts(settings),
        counter=build_counter(settings, name),
        segmenter=segmenter,
        budget=Budget(settings.context_tokens, settings.history_tokens),
        answer_tokens=settings.answer_tokens,
        seconds=settings.model_seconds,
        cost=lambda completion: prices.cost(name, completion, clock.today(), host=chat.host),
        new_nonce=lambda: uuid.uuid4().hex[:8],
        strictness=Strictness(settings.support),
        judge=settings.judge,
    )


def _tell_of_embedder(settings: Settings, what: str, notice: Callable[[str], None]) -> None:
    """Say, the first time, what an embedder behind an API is sent."""
    if settings.embedder.startswith(_OPENAI):
        where = f"{settings.embedder} at {settings.host}"
        _tell_once(settings, f"{what} are sent to {where}; --embedder static keeps them here.", notice)


def _tell_once(settings: Settings, told: str, notice: Callable[[str], None]) -> None:
    """Say what is sent where, the first time in this home."""
    file = settings.home / "told.txt"
    try:
        if told in file.read_text(encoding="utf-8").splitlines():
            return
    except OSError:
        pass
    notice(told)
    with suppress(OSError):  # a home that cannot be written is told again
        settings.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.touch(mode=0o600)
        with file.open("a", encoding="utf-8") as lines:
            lines.write(f"{told}\n")


def open_history(settings: Settings) -> History:
    """The history of the home, whether or not it is switched on for new answers."""
    from assistant.adapters.sqlite_history import SqliteHistory

    return SqliteHistory(settings.home / "history.db")


def verify_record(record: Record, settings: Settings) -> tuple[Standing, ...]:
    """What has become of each sentence that a kept answer quotes, in the corpus that it was asked of."""
    parts = build_parts(settings, record.result.corpus.name)
    with parts.generations.current() as current:
        return verify(record, current.library if current else None)


def build_parts(
    settings: Settings,
    corpus: str,
    *,
    generations: Generations | None = None,
    segmenter: Segmenter | None = None,
    embedder: Embedder | None = None,
    writing: bool = False,
    warn: Callable[[str], None] = lambda text: None,
) -> Parts:
    """The parts that ingest and answering share, for one corpus.

    writing: whether articles are to be embedded. warn: told in one line of damage that is gone round.
    """
    segmenter = segmenter or _segmenter()
    embedder = embedder or _embedder(settings, warn, writing=writing)
    generations = generations or _folders(settings, corpus, segmenter, embedder, warn)
    return Parts(corpus, generations, segmenter, embedder, settings.embedder not in LOCAL_EMBEDDERS)


def chosen_corpus(settings: Settings) -> str:
    """The corpus in use when none is named: one's own once it has articles, else the demo."""
    own = _corpus_folder(settings.home, MAIN)
    return MAIN if (own / "current").exists() or any(own.glob("generations/*/manifest.json")) else DEMO


def ingest_paths(
    paths: Sequence[Path],
    settings: Settings,
    *,
    rebuild: bool = False,
    prune: bool = False,
    dry_run: bool = False,
    workers: int | None = 1,
    progress: Progress = lambda stage, articles: None,
    notice: Callable[[str], None] = lambda text: None,
) -> tuple[str, IngestReport]:
    """Read articles from files and folders into a corpus; returns its name and the report.

    workers: processes that prepare articles, one for each core when None; with more than
        one, a script needs the usual ``if __name__ == "__main__"``. notice: told the first time
        what an embedder behind an API is sent. The rest: see ``ingest``.

    The corpus is the one that the settings name, else one's own. Raises InputNotFound
    for a path that does not exist, CorpusNotFound when there is neither a path nor a
    corpus, ConfigurationError for the demo, which mirrors its folder and takes nothing else.
    """
    name = _own_corpus(settings)
    parts = build_parts(settings, name, writing=True)
    if not paths:
        _require_corpus(settings, parts)
    if not dry_run:
        _tell_of_embedder(settings, "Articles", notice)
    report = ingest(
        _article_files(paths, ignored=settings.home),
        parts.generations,
        segmenter=parts.segmenter,
        embedder=parts.embedder,
        rebuild=rebuild,
        prune=prune,
        dry_run=dry_run,
        embed_here=parts.embed_here,
        workers=_workers(workers),
        progress=progress,
    )
    return name, report


def follow_paths(
    paths: Sequence[Path],
    settings: Settings,
    *,
    workers: int | None = 1,
    told: Callable[[str, IngestReport | AssistantError], None],
    notice: Callable[[str], None] = lambda text: None,
) -> None:
    """Ingest files and folders, and again whenever something changes there, until interrupted.

    told: gets the corpus's name with the report of each round, or the error that it failed with.
    notice: see ``ingest_paths``.
    What is removed from the folders is removed from the corpus. Raises as ``ingest_paths``
    does when the first round fails, unless somebody else is writing.
    """
    from assistant.adapters.file_watcher import FileWatcher

    name = _own_corpus(settings)
    parts = build_parts(settings, name, writing=True)
    source = _article_files(paths, ignored=settings.home)
    for path in paths:
        if not path.exists():
            raise InputNotFound(f"{str(path)!r} does not exist, or is a pattern, and cannot be watched")
    _tell_of_embedder(settings, "Articles", notice)
    follow(
        FileWatcher(paths, ignored=settings.home).changes(),
        lambda: ingest(
            source,
            parts.generations,
            segmenter=parts.segmenter,
            embedder=parts.embedder,
            prune=True,
            embed_here=parts.embed_here,
            workers=_workers(workers),
        ),
        lambda outcome: told(name, outcome),
    )


def withdraw_articles(article_ids: Sequence[str], settings: Settings) -> tuple[str, Withdrawal]:
    """Take articles out of a corpus and the history for good; returns its name and what was done.

    Raises as ``upkeep.withdraw`` does, and ConfigurationError for the demo.
    """
    name = _own_corpus(settings)
    parts = build_parts(settings, name)
    _require_corpus(settings, parts)
    done = withdraw(
        article_ids,
        parts.generations,
        today=_system_clock().today(),
        forget_quotes=lambda ids: open_history(settings).withdraw(ids, corpus=name),
        forget_vectors=lambda: _vector_cache(settings, lambda text: None).clear(),
    )
    return name, done


def readmit_articles(article_ids: Sequence[str], settings: Settings) -> str:
    """Let later ingests accept withdrawn articles again; returns the corpus's name."""
    name = _own_corpus(settings)
    parts = build_parts(settings, name)
    _require_corpus(settings, parts)
    readmit(article_ids, parts.generations)
    return name


@dataclass(frozen=True, slots=True)
class Care:
    """One corpus, to be examined, tidied, rebuilt, exported and imported."""

    corpus: str
    archives: Archives
    job: Preparation

    def rebuild(
        self, *, workers: int | None = 1, progress: Progress = lambda stage, articles: None
    ) -> Rebuilt:
        """Build both indexes anew from the library; see ``upkeep.rebuild``."""
        return rebuild(self.archives, self.job, _workers(workers), progress=progress)

    def take_over(
        self,
        file: Path,
        *,
        replace: bool = False,
        workers: int | None = 1,
        progress: Progress = lambda stage, articles: None,
    ) -> Rebuilt:
        """Make the export in the file the corpus; see ``upkeep.rebuild``.

        Raises CorpusExists where there is one already, unless it is to be replaced.
        """
        if not file.is_file():
            raise InputNotFound(f"{str(file)!r} does not exist")
        if not replace and self.archives.is_published():
            raise CorpusExists(f"the corpus {self.corpus!r} has articles")
        return rebuild(self.archives, self.job, _workers(workers), archive=file, progress=progress)


def take_care(settings: Settings) -> Care:
    """What keeps the chosen corpus in order; one's own where none is named."""
    name = settings.corpus or MAIN
    segmenter, embedder = _segmenter(), _embedder(settings, lambda text: None, writing=True)
    archives = _folders(settings, name, segmenter, embedder, lambda text: None)
    return Care(name, archives, Preparation(segmenter, embedder, settings.embedder not in LOCAL_EMBEDDERS))


def _own_corpus(settings: Settings) -> str:
    name = settings.corpus or MAIN
    if name == DEMO:
        raise ConfigurationError(
            "the corpus 'demo' mirrors the demo articles; choose another name with --corpus"
        )
    return name


def _require_corpus(settings: Settings, parts: Parts) -> None:
    with parts.generations.current() as current:
        if current is None:
            raise CorpusNotFound(f"there is no corpus {parts.corpus!r} in {str(settings.home)!r}")


def _refresh_demo(settings: Settings, parts: Parts, notice: Callable[[str], None]) -> None:
    """Index the demo folder unless the current generation mirrors it already."""
    folder = _content_folder("corpus", settings)
    state = _folder_state(folder, parts)
    rebuild = False
    try:
        with parts.generations.current() as current:
            if current and current.damage:
                raise LibraryDamaged(current.damage)
            if current and current.manifest.source == state:
                return
            rebuild = current is not None and current.manifest.embedder != parts.embedder.fingerprint
    except (LibraryDamaged, FormatUnsupported):  # nothing is lost: the demo is made from its folder
        parts.generations.discard()
    notice("Indexing the demo articles, once.")
    report = ingest(
        _article_files([folder], root_name="corpus"),
        parts.generations,
        segmenter=parts.segmenter,
        embedder=parts.embedder,
        mirror=state,
        rebuild=rebuild,
        embed_here=parts.embed_here,
    )
    for rejection in report.rejected:
        notice(f"{rejection.where}: {rejection.reason}")


def _content_folder(name: str, settings: Settings) -> Path:
    return content_folder(name, named=settings.content, working=Path.cwd(), marker=CONFIG_FILE)


def _folder_state(folder: Path, parts: Parts) -> str:
    """A hash over everything that the demo's index is made from."""
    digest = sha256(f"{__version__} {preparation(parts.segmenter)} {parts.embedder.fingerprint}".encode())
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest.update(f"\0{path.relative_to(folder).as_posix()}\0".encode("utf-8", "surrogateescape"))
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _corpus_folder(home: Path, corpus: str) -> Path:
    return home / "corpora" / corpus


def _folders(
    settings: Settings, corpus: str, segmenter: Segmenter, embedder: Embedder, warn: Callable[[str], None]
) -> Archives:
    from assistant.adapters.generation_folders import GenerationFolders

    return GenerationFolders(
        _corpus_folder(settings.home, corpus),
        stores(),
        embedder=embedder.fingerprint,
        segmenter=preparation(segmenter),
        patience=_DEMO_PATIENCE if corpus == DEMO else 0,
        warn=warn,
    )


def stores() -> Stores:
    """The three stores of a generation: SQLite, tantivy, Chroma."""
    from assistant.adapters.chroma_index import ChromaIndex, ChromaWriter
    from assistant.adapters.generation_stores import Stores
    from assistant.adapters.sqlite_library import (
        SqliteLibrary,
        stored_articles,
        stored_withdrawals,
        write_library,
    )
    from assistant.adapters.tantivy_index import TantivyIndex

    return Stores(
        write_library=write_library,
        open_library=SqliteLibrary,
        stored_articles=stored_articles,
        stored_withdrawals=stored_withdrawals,
        build_lexical=TantivyIndex.build,
        extend_lexical=TantivyIndex.extend,
        open_lexical=TantivyIndex,
        write_vectors=ChromaWriter,
        open_vectors=ChromaIndex,
    )


def _workers(processes: int | None) -> Workers:
    from assistant.adapters.worker_pool import WorkerPool

    return WorkerPool(processes)


def _segmenter() -> Segmenter:
    from assistant.adapters.sentencex_segmenter import SentencexSegmenter

    return SentencexSegmenter()


def _embedder(settings: Settings, warn: Callable[[str], None], *, writing: bool) -> Embedder:
    """The embedder, with the vectors of articles kept where each costs money; those of questions are not.

    One for questions downloads nothing.
    """
    embedder = build_embedder(settings, writing=writing)
    if not settings.embedder.startswith(_OPENAI):
        return embedder
    from assistant.adapters.cached_embedder import CachedEmbedder

    return CachedEmbedder(embedder, _vector_cache(settings, warn), keep=writing)


def _vector_cache(settings: Settings, warn: Callable[[str], None]) -> SqliteVectors:
    from assistant.adapters.sqlite_vectors import SqliteVectors

    return SqliteVectors(settings.home / "cache.db", warn=warn)


def _static_embedder() -> Embedder:
    from assistant.adapters.static_embedder import StaticEmbedder

    return StaticEmbedder()


def _article_files(
    paths: Sequence[Path], *, root_name: str | None = None, ignored: Path | None = None
) -> ArticleSource:
    from assistant.adapters.article_files import ArticleFiles

    return ArticleFiles(paths, root_name=root_name, ignored=ignored)


def _system_clock() -> Clock:
    from assistant.adapters.system_clock import SystemClock

    return SystemClock()
