"""Everything that the assistant is put together from, on one page.

Each part can be replaced by keyword; what is not replaced is what a person gets. This
is the only module that knows the adapters.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from assistant import __version__
from assistant.answering import Assistant, Identity
from assistant.content import content_folder
from assistant.domain.errors import ConfigurationError, CorpusNotFound, FormatUnsupported, LibraryDamaged
from assistant.extracting import weights_hash
from assistant.ingest import IngestReport, Progress, ingest, preparation
from assistant.ports import ArticleSource, Clock, Embedder, Generations, Segmenter
from assistant.settings import CONFIG_FILE, Settings

DEMO = "demo"
MAIN = "main"
_DEMO_PATIENCE = 60  # seconds to wait while another first question indexes the demo
_NO_MODEL_YET = "this version has no model to write answers; these are extracts"


@dataclass(frozen=True, slots=True)
class Parts:
    """What reading and writing a corpus need in common."""

    corpus: str
    generations: Generations
    segmenter: Segmenter
    embedder: Embedder


def build_assistant(
    settings: Settings,
    *,
    generations: Generations | None = None,
    segmenter: Segmenter | None = None,
    embedder: Embedder | None = None,
    clock: Clock | None = None,
    new_id: Callable[[], str] = lambda: uuid.uuid4().hex[:16],
    notice: Callable[[str], None] = lambda text: None,
) -> Assistant:
    """An assistant over the corpus that the settings choose, ready to be asked.

    The demo corpus is indexed here when it is chosen and new or changed; notice is
    told before. Raises CorpusNotFound for a corpus without articles.
    """
    name = settings.corpus or chosen_corpus(settings)
    parts = build_parts(settings, name, generations=generations, segmenter=segmenter, embedder=embedder)
    if generations is None:
        if name == DEMO:
            _refresh_demo(settings, parts, notice)
        _require_corpus(settings, parts)
    wanted = settings.model and not settings.no_model
    return Assistant(
        parts.generations,
        embedder=parts.embedder,
        clock=clock or _system_clock(),
        new_id=new_id,
        identity=Identity(
            __version__, name, f"{settings.fingerprint()}/{weights_hash()}", _NO_MODEL_YET if wanted else None
        ),
        passages=settings.passages,
        exact_dense=settings.exact_dense,
    )


def build_parts(
    settings: Settings,
    corpus: str,
    *,
    generations: Generations | None = None,
    segmenter: Segmenter | None = None,
    embedder: Embedder | None = None,
) -> Parts:
    """The parts that ingest and answering share, for one corpus."""
    segmenter = segmenter or _segmenter()
    embedder = embedder or _embedder(settings)
    generations = generations or _generations(settings.home, corpus, segmenter, embedder)
    return Parts(corpus, generations, segmenter, embedder)


def chosen_corpus(settings: Settings) -> str:
    """The corpus in use when none is named: one's own once it has articles, else the demo."""
    own = _corpus_folder(settings.home, MAIN)
    return MAIN if (own / "current").exists() or any(own.glob("generations/*/manifest.json")) else DEMO


def ingest_paths(
    paths: Sequence[Path],
    settings: Settings,
    *,
    rebuild: bool = False,
    progress: Progress = lambda stage, articles: None,
) -> tuple[str, IngestReport]:
    """Read articles from files and folders into a corpus; returns its name and the report.

    The corpus is the one that the settings name, else one's own. Raises InputNotFound
    for a path that does not exist, CorpusNotFound when there is neither a path nor a
    corpus, ConfigurationError for the demo, which mirrors its folder and takes nothing else.
    """
    name = settings.corpus or MAIN
    if name == DEMO:
        raise ConfigurationError(
            "the corpus 'demo' mirrors the demo articles; choose another name with --corpus"
        )
    parts = build_parts(settings, name)
    if not paths:
        _require_corpus(settings, parts)
    report = ingest(
        _article_files(paths),
        parts.generations,
        segmenter=parts.segmenter,
        embedder=parts.embedder,
        rebuild=rebuild,
        progress=progress,
    )
    return name, report


def _require_corpus(settings: Settings, parts: Parts) -> None:
    with parts.generations.current() as current:
        if current is None:
            raise CorpusNotFound(f"there is no corpus {parts.corpus!r} in {str(settings.home)!r}")


def _refresh_demo(settings: Settings, parts: Parts, notice: Callable[[str], None]) -> None:
    """Index the demo folder unless the current generation mirrors it already."""
    folder = content_folder("corpus", named=settings.content, working=Path.cwd(), marker=CONFIG_FILE)
    state = _folder_state(folder, parts)
    rebuild = False
    try:
        with parts.generations.current() as current:
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
    )
    for rejection in report.rejected:
        notice(f"{rejection.where}: {rejection.reason}")


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


def _generations(home: Path, corpus: str, segmenter: Segmenter, embedder: Embedder) -> Generations:
    from assistant.adapters.chroma_index import ChromaIndex
    from assistant.adapters.generation_folders import GenerationFolders, Stores
    from assistant.adapters.sqlite_library import SqliteLibrary, write_library
    from assistant.adapters.tantivy_index import TantivyIndex

    stores = Stores(
        write_library=write_library,
        open_library=SqliteLibrary,
        build_lexical=TantivyIndex.build,
        open_lexical=TantivyIndex,
        build_vectors=ChromaIndex.build,
        open_vectors=ChromaIndex,
    )
    folder = _corpus_folder(home, corpus)
    return GenerationFolders(
        folder,
        stores,
        embedder=embedder.fingerprint,
        segmenter=preparation(segmenter),
        patience=_DEMO_PATIENCE if corpus == DEMO else 0,
    )


def _segmenter() -> Segmenter:
    from assistant.adapters.sentencex_segmenter import SentencexSegmenter

    return SentencexSegmenter()


def _embedder(settings: Settings) -> Embedder:
    if settings.embedder == "hashing":
        from assistant.adapters.hashing_embedder import HashingEmbedder

        return HashingEmbedder()
    from assistant.adapters.static_embedder import StaticEmbedder

    return StaticEmbedder()


def _article_files(paths: Sequence[Path], *, root_name: str | None = None) -> ArticleSource:
    from assistant.adapters.article_files import ArticleFiles

    return ArticleFiles(paths, root_name=root_name)


def _system_clock() -> Clock:
    from assistant.adapters.system_clock import SystemClock

    return SystemClock()
