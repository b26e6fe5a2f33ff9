"""Full-text search with tantivy: BM25 over title and body of passages.

The index is built once, in passage-id order, by one thread, into one segment, and
never written again: tantivy counts deleted documents in its scores, so an index
with a history would rank differently from a fresh one. Queries are built from
terms, because its query language stumbles over apostrophes and question marks.
"""

from __future__ import annotations

import math
import os
import re
import shutil
import tempfile
import weakref
from collections.abc import Iterable, Mapping
from pathlib import Path

import tantivy
from tantivy import Document, Filter, Index, Occur, Query, SchemaBuilder, TextAnalyzerBuilder, Tokenizer

from assistant.domain.errors import HomeUnusable, LibraryDamaged
from assistant.domain.passages import Hit
from assistant.ports import IndexRow

TITLE_BOOST = 0.5  # a headline's words help, and must not outrank the sentence itself
_ANALYZER = "news"
# By default a reader starts a thread that polls for commits and maps their files; there are none to wait for.
_NO_WATCHER = "Manual"
_HEAP_BYTES = 200_000_000  # enough for one segment of some hundred thousand passages
_MAX_TERM_LENGTH = 40
_INITIALS = re.compile(r"\b(?:[A-Za-z]\.)+[A-Za-z]\b\.?")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}\b)")
_POSSESSIVE = re.compile(r"(?<=\w)['’]s\b")


class TantivyIndex:
    """One generation's lexical index, open for reading."""

    def __init__(self, folder: Path) -> None:
        if not os.access(folder, os.W_OK):
            folder = self._copied(folder)
        try:
            self._index = Index.open(str(folder))
            self._index.register_tokenizer(_ANALYZER, _analyzer())
            self._index.config_reader(_NO_WATCHER)
            self._index.reload()
            self._searcher = self._index.searcher()
        except ValueError as error:
            raise LibraryDamaged(f"the lexical index {folder.name!r} cannot be opened: {error}") from error
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
        index = Index(_schema(), path=str(folder))
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

    def search(self, text: str, limit: int) -> list[Hit]:
        """Passages that share a term with the text, best first, ties by passage id."""
        query = self._query(text)
        if query is None or limit <= 0:
            return []
        try:
            found = self._searcher.search(query, limit).hits
            hits = [
                Hit(str(self._searcher.doc(address).to_dict()["id"][0]), score) for score, address in found
            ]
        except ValueError as error:
            raise LibraryDamaged(f"the lexical index cannot be read: {error}") from error
        return sorted(hits, key=lambda hit: (-hit.score, hit.passage_id))

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


def fold(text: str) -> str:
    """One spelling for what is written in several ways, before words are cut.

    >>> fold("The U.S. has 54,000 troops in Japan’s bases")
    'The US has 54000 troops in Japan bases'
    """
    text = _INITIALS.sub(lambda match: match.group().replace(".", ""), text)
    return _POSSESSIVE.sub("", _THOUSANDS.sub("", text))


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
