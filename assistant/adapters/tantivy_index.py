"""Full-text search with tantivy: BM25 over title and body of passages.

tantivy counts deleted documents in its scores, so an index with deletions would rank
differently from a fresh one: here nothing is ever deleted. An index is built anew, by
one thread, or a copy of one is extended by further segments, which score exactly as one
segment does; whatever is tied is ordered by passage id, so the order of writing does
not matter. Queries are built from terms, because its query language stumbles over apostrophes
and question marks.
"""

from __future__ import annotations

import math
import os
import re
import shutil
import tempfile
import weakref
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import tantivy
from tantivy import Document, Filter, Index, Occur, Query, SchemaBuilder, TextAnalyzerBuilder, Tokenizer

from assistant.domain.errors import HomeUnusable, LibraryDamaged
from assistant.domain.passages import Hit
from assistant.domain.text import counted
from assistant.ports import IndexRow

TITLE_BOOST = 0.5  # a headline's words help, and must not outrank the sentence itself
_ANALYZER = "news"
# By default a reader starts a thread that polls for commits and maps their files; there are none to wait for.
_NO_WATCHER = "Manual"
_HEAP_BYTES = 200_000_000  # enough for one segment of some hundred thousand passages
_MAX_TERM_LENGTH = 40
_TIES = 50  # hits beyond the limit that are looked at, so that no tie is cut by where a passage lies
# Each begins with the rare character that it is about, which is what makes it fast.
_INITIALS = re.compile(r"\.(?:(?<=\b[A-Za-z]\.)(?=[A-Za-z]\b)|(?<=\b[A-Za-z]\.[A-Za-z]\.))")
_THOUSANDS = re.compile(r",(?<=\d,)(?=\d{3}\b)")
_POSSESSIVE = re.compile(r"['’](?<=\w['’])s\b")


class TantivyIndex:
    """One generation's lexical index, open for reading."""

    def __init__(self, folder: Path) -> None:
        self._name = folder.name
        if not os.access(folder, os.W_OK):
            folder = self._copied(folder)
        with _translated(f"the lexical index {self._name!r} cannot be opened"):
            self._index = Index.open(str(folder))
            self._index.register_tokenizer(_ANALYZER, _analyzer())
            self._index.config_reader(_NO_WATCHER)
            self._index.reload()
            self._searcher = self._index.searcher()
        self._terms = _analyzer()

    def _copied(self, folder: Path) -> Path:
        """A private copy that lives as long as this index: tantivy takes a lock file even to read."""
        copy = tempfile.TemporaryDirectory(prefix="assistant-")
        weakref.finalize(self, copy.cleanup)
        return Path(shutil.copytree(folder, Path(copy.name) / folder.name))

    @classmethod
    def build(cls, folder: Path, rows: Iterable[IndexRow]) -> None:
        """Write a new index into the folder, which must not exist yet."""
        folder.mkdir()
        cls._write(Index(_schema(), path=str(folder)), rows)

    @classmethod
    def extend(cls, folder: Path, copy_of: Path, rows: Iterable[IndexRow]) -> None:
        """Write a copy of another index with further passages into the folder, which must not exist yet."""
        shutil.copytree(copy_of, folder)
        try:
            index = Index.open(str(folder))
        except ValueError as error:
            raise LibraryDamaged(f"the lexical index {copy_of.name!r} cannot be opened: {error}") from error
        cls._write(index, rows)

    @staticmethod
    def _write(index: Index, rows: Iterable[IndexRow]) -> None:
        index.register_tokenizer(_ANALYZER, _analyzer())
        index.config_reader(_NO_WATCHER)
        writer = index.writer(heap_size=_HEAP_BYTES, num_threads=1)
        try:
            for row in rows:
                writer.add_document(Document(id=row.passage_id, title=fold(row.title), body=fold(row.body)))
            writer.commit()
        except ValueError as error:
            raise HomeUnusable(f"the lexical index cannot be written: {error}") from error
        writer.wait_merging_threads()

    @property
    def passages(self) -> int:
        """How many passages it holds."""
        return int(self._searcher.num_docs)

    def search(self, text: str, limit: int) -> list[Hit]:
        """Passages that share a term with the text, best first, ties by passage id."""
        query = self._query(text)
        if query is None or limit <= 0:
            return []
        wanted = limit + _TIES
        with _translated(f"the lexical index {self._name!r} cannot be read"):
            found = self._searcher.search(query, wanted).hits
            while len(found) == wanted and found[-1][0] == found[limit - 1][0]:  # a tie that may be cut
                wanted *= 4
                found = self._searcher.search(query, wanted).hits
            tied = [each for each in found if each[0] >= found[min(limit, len(found)) - 1][0]]
            hits = [
                Hit(str(self._searcher.doc(address).to_dict()["id"][0]), score) for score, address in tied
            ]
        return sorted(hits, key=lambda hit: (-hit.score, hit.passage_id))[:limit]

    def problems(self, passage_ids: Iterable[str]) -> Iterator[str]:
        """What is wrong with the index, a line each: it must hold these passages, each once."""
        with _translated(f"the lexical index {self._name!r} cannot be read"):
            missing = [
                one
                for one in passage_ids
                if len(self._searcher.search(Query.term_query(self._index.schema, "id", one), 2).hits) != 1
            ]
        if missing:
            yield f"the lexical index lacks {counted(len(missing), 'passage')}, the first {missing[0]!r}"

    def terms(self, text: str) -> list[str]:
        """The text's index terms, in order, with repetitions."""
        return list(self._terms.analyze(fold(text)))

    def idf(self, terms: Iterable[str]) -> Mapping[str, float]:
        """BM25's idf of each term over passage bodies: ln(1 + (N - n + .5) / (n + .5)).

        A word that no passage has counts as one that a single passage has: in a small
        corpus it would outweigh all others, and mostly it is only another wording.
        """
        total = max(1, self._searcher.num_docs)
        counts = {term: max(1, self._searcher.doc_freq("body", term)) for term in set(terms)}
        return {term: math.log(1 + (total - count + 0.5) / (count + 0.5)) for term, count in counts.items()}

    def _query(self, text: str) -> Query | None:
        schema = self._index.schema
        parts: list[tuple[Occur, Query]] = []
        for term in dict.fromkeys(self.terms(text)):
            parts.append((Occur.Should, Query.term_query(schema, "body", term, "freq")))
            title = Query.term_query(schema, "title", term, "freq")
            parts.append((Occur.Should, Query.boost_query(title, TITLE_BOOST)))
        return Query.boolean_query(parts) if parts else None


@contextmanager
def _translated(what: str) -> Iterator[None]:
    """A damaged file as LibraryDamaged, whether tantivy refuses it or panics over it."""
    try:
        yield
    except ValueError as error:
        raise LibraryDamaged(f"{what}: {error}") from error
    except BaseException as error:  # a panic is no Exception; anything else goes its way
        if type(error).__name__ != "PanicException":
            raise
        raise LibraryDamaged(f"{what}: {error}") from error


def fold(text: str) -> str:
    """One spelling for what is written in several ways, before words are cut.

    >>> fold("The U.S. has 54,000 troops in Japan’s bases")
    'The US has 54000 troops in Japan bases'
    """
    return _POSSESSIVE.sub("", _THOUSANDS.sub("", _INITIALS.sub("", text)))


def _analyzer() -> tantivy.TextAnalyzer:
    builder = TextAnalyzerBuilder(Tokenizer.simple()).filter(Filter.remove_long(_MAX_TERM_LENGTH))
    builder = builder.filter(Filter.lowercase()).filter(Filter.ascii_fold())
    return builder.filter(Filter.stopword("english")).filter(Filter.stemmer("english")).build()


def _schema() -> tantivy.Schema:
    builder = SchemaBuilder()
    builder.add_text_field("id", stored=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("title", tokenizer_name=_ANALYZER, index_option="freq")
    builder.add_text_field("body", tokenizer_name=_ANALYZER, index_option="freq")
    return builder.build()
