"""A generation under construction: its library, its vectors, and the way to a complete folder.

The graph grows while articles come in; the lexical index is written at the end, extended
where passages were only added and built anew otherwise. Whatever of the generation before
is not as it was written is not copied but built again from the library.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from assistant.adapters.generation_manifest import FORMAT, Record, write_record
from assistant.adapters.generation_stores import (
    GenerationFolder,
    LibraryUnderConstruction,
    Stores,
    VectorsUnderConstruction,
    sync_tree,
)
from assistant.domain.articles import Article, Origin
from assistant.domain.errors import HomeUnusable, LibraryDamaged
from assistant.domain.passages import PreparedArticle
from assistant.ports import Manifest

if TYPE_CHECKING:
    from assistant.ports import Vectors

_ROOM = 1.5  # free space that is asked for, as a multiple of the generation that is copied


@dataclass(frozen=True, slots=True)
class Base:
    """The generation that the next one starts from, its library checked."""

    folder: Path
    record: Record

    @property
    def outdated(self) -> bool:
        """Whether its format is older, so that its articles alone can be taken over."""
        return self.record.manifest.format < FORMAT

    def is_sound(self, below: str) -> bool:
        """Whether the files below a folder are as they were written."""
        names = self.record.below(below)
        try:
            self.record.check(self.folder, names)
        except LibraryDamaged:
            return False
        return bool(names)


class Building:
    """The library of the next generation with its indexes; a ``LibraryWriter``.

    stack: what has to be closed is put there.
    step: told the name of each step towards the complete folder, for tests that end the process there.
    """

    def __init__(
        self, folder: Path, stores: Stores, base: Base | None, stack: ExitStack, step: Callable[[str], None]
    ) -> None:
        self._folder = folder
        self._stores = stores
        self._base = base
        self._stack = stack
        self._step = step
        self._renewed = False
        self._added: set[str] = set()
        self._removed = False
        self._graph: VectorsUnderConstruction | None = None
        self._library = self._opened(base.folder / "library.db" if base and not base.outdated else None)

    def hashes(self) -> Mapping[str, str]:
        """Content hash by article id."""
        return self._library.hashes()

    def article(self, article_id: str) -> Article | None:
        """The stored article with this id, if there is one."""
        return self._library.article(article_id)

    def origins(self) -> Mapping[str, Origin]:
        """Where each article was read from, by article id."""
        return self._library.origins()

    def signatures(self) -> Mapping[str, bytes]:
        """What near copies are recognised by, by article id."""
        return self._library.signatures()

    def withdrawn(self) -> Mapping[str, str]:
        """The day of each withdrawal, by article id."""
        return self._library.withdrawn()

    def put(self, prepared: PreparedArticle, vectors: Vectors) -> list[str]:
        """Store and index the article whole, in place of one with the same id."""
        with _translated():
            self._begin()
            gone = self._library.put(prepared, vectors)
            self._forget(gone)
            ids = [passage.id for passage in prepared.passages]
            self._vectors().add(ids, vectors)
        self._added.update(ids)
        return gone

    def remove(self, article_id: str) -> list[str]:
        """Forget the article; returns the ids of its passages."""
        if self._library.article(article_id) is None:
            return []
        with _translated():
            self._begin()
            gone = self._library.remove(article_id)
            self._forget(gone)
        return gone

    def relocate(self, article_id: str, origin: Origin) -> None:
        """Write down that the article, unchanged, is now read from elsewhere."""
        with _translated():
            self._begin()
            self._library.relocate(article_id, origin)

    def link(self, clusters: Mapping[str, str]) -> None:
        """Write down which articles are near copies of each other."""
        with _translated():
            self._begin()
            self._library.link(clusters)

    def withdraw(self, article_id: str, day: str) -> None:
        """Write down that the article was withdrawn on this day."""
        with _translated():
            self._begin()
            self._library.withdraw(article_id, day)

    def readmit(self, article_id: str) -> None:
        """Forget that the article was withdrawn."""
        with _translated():
            self._begin()
            self._library.readmit(article_id)

    def renew(self) -> Iterator[Article]:
        """Empty the library; every article that it had."""
        if self._base is None:
            return
        stored = self._base.folder / "library.db"
        self._renewed = True
        self._library.close()
        self._library = self._opened(None)
        for article_id, day in self._stores.stored_withdrawals(stored).items():
            self._library.withdraw(article_id, day)
        yield from self._stores.stored_articles(stored)

    def complete(self, source: str, made_with: tuple[str, str], *, fresh: bool) -> Manifest:
        """Have the whole folder on the disk, probed; made_with: embedder and preparation of what is new."""
        self._begin()
        self._library.begin()
        self._step("stored")
        base = None if self._renewed or fresh else self._base
        lexical = self._folder / "lexical"
        if base is None or self._removed or not base.is_sound("lexical/"):
            self._stores.build_lexical(lexical, self._library.rows())
        else:
            self._stores.extend_lexical(
                lexical, base.folder / "lexical", self._library.rows(list(self._added))
            )
        self._step("lexical")
        ids, vectors = self._library.vectors()
        self._vectors().finish(ids, vectors, fresh=fresh)
        self._step("vectors")
        if self._base and not self._renewed:
            made_with = (self._base.record.manifest.embedder, self._base.record.manifest.segmenter)
        manifest = Manifest(FORMAT, *made_with, *self._library.counts(), self._library.content(), source)
        self._library.commit(compact=fresh)
        self._library.close()
        (self._folder / "in-use").touch()
        write_record(self._folder, manifest)
        self._step("manifest")
        repairs = [{"fresh": True}, {"graph": False}]
        while problems := self._problems():
            if not repairs:
                raise LibraryDamaged(f"the new generation is not sound: {problems[0]}")
            self._vectors().finish(ids, vectors, **repairs.pop(0))
            write_record(self._folder, manifest)
        self._step("probed")
        sync_tree(self._folder)
        self._step("synced")
        return manifest

    def _problems(self) -> list[str]:
        try:
            with closing(GenerationFolder(self._folder, 0, self._stores)) as built:
                return list(built.problems(thorough=False))
        except LibraryDamaged as error:
            return [str(error)]

    def _begin(self) -> None:
        if self._folder.exists():
            return
        if self._base:
            size = sum(path.stat().st_size for path in self._base.folder.rglob("*") if path.is_file())
            free = shutil.disk_usage(self._folder.parent).free
            if free < size * _ROOM:
                needed, there = (f"{each / 1_000_000:,.0f} MB" for each in (size * _ROOM, free))
                raise HomeUnusable(f"the next generation needs {needed} of free space, and there are {there}")
        self._folder.mkdir(mode=0o700)
        self._step("begun")

    def _forget(self, passage_ids: list[str]) -> None:
        if passage_ids:
            self._vectors().remove(passage_ids)
            self._added.difference_update(passage_ids)
            self._removed = True

    def _vectors(self) -> VectorsUnderConstruction:
        if self._graph is None:
            copied = self._base and not self._renewed and self._base.is_sound("chroma/")
            self._graph = self._stores.write_vectors(
                self._folder / "chroma", self._base.folder / "chroma" if self._base and copied else None
            )
            self._stack.callback(self._graph.close)
        return self._graph

    def _opened(self, copy_of: Path | None) -> LibraryUnderConstruction:
        path = self._folder / "library.db"
        return self._stack.enter_context(self._stores.write_library(path, copy_of=copy_of))


@contextmanager
def _translated() -> Iterator[None]:
    """A disk that is full or cannot be written, as HomeUnusable."""
    try:
        yield
    except OSError as error:
        raise HomeUnusable(f"the new generation cannot be written: {error.strerror or error}") from error
