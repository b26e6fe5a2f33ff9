"""Fakes for the ports, for your own tests: small, deterministic and strict.

A call that was not foreseen raises UnexpectedCall, and what was called is kept for
inspection. The contract tests of this repository hold each fake to what the real
adapter does, so a test that passes with a fake means something.

    generations = MemoryGenerations(embedder=embedder.fingerprint, segmenter=preparation(segmenter))
    ingest(ListSource(sample_articles()), generations, segmenter=segmenter, embedder=embedder)
"""

from __future__ import annotations

from assistant.testing.articles import ListSource, sample_article, sample_articles
from assistant.testing.chat import ChatCall, ScriptedChatModel
from assistant.testing.embedder import BlindEmbedder, ScriptedEmbedder
from assistant.testing.generations import MemoryGeneration, MemoryGenerations, MemoryWriter
from assistant.testing.history import MemoryHistory
from assistant.testing.indexes import MemoryLexicalIndex, MemoryVectorIndex
from assistant.testing.library import MemoryLibrary, MemoryLibraryWriter
from assistant.testing.reranker import ScriptedReranker
from assistant.testing.small import FixedClock, FullStopSegmenter, LineSegmenter
from assistant.testing.strict import UnexpectedCall

__all__ = [
    "BlindEmbedder",
    "ChatCall",
    "FixedClock",
    "FullStopSegmenter",
    "LineSegmenter",
    "ListSource",
    "MemoryGeneration",
    "MemoryGenerations",
    "MemoryHistory",
    "MemoryLexicalIndex",
    "MemoryLibrary",
    "MemoryLibraryWriter",
    "MemoryVectorIndex",
    "MemoryWriter",
    "ScriptedChatModel",
    "ScriptedEmbedder",
    "ScriptedReranker",
    "UnexpectedCall",
    "sample_article",
    "sample_articles",
]
