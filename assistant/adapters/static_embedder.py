"""Static word vectors that come with the wordllama package: no download, no GPU.

WordLlama (MIT, https://github.com/dleemiller/WordLlama) averages one trained
256-dimension vector per token. Its wheel carries weights and tokenizer, but its
loader looks for the tokenizer elsewhere unless it is told the package's folder.
Averaging here, text by text, is twice as fast as its own padded batches, and a text's
vector does not depend on its neighbours in the batch.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Sequence
from functools import cached_property
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

import numpy as np

from assistant.domain.errors import ConfigurationError

if TYPE_CHECKING:
    from assistant.ports import Vectors

DIMENSIONS = 256
_BATCH = 64  # texts that are cut into tokens together


class StaticEmbedder:
    """WordLlama vectors; the model is loaded (half a second) at the first text."""

    def __init__(self) -> None:
        self._loading = Lock()

    def __reduce__(self) -> tuple[Callable[[], StaticEmbedder], tuple[()]]:
        """A worker process loads a model of its own."""
        return _in_worker, ()

    @cached_property
    def fingerprint(self) -> str:
        """Names the package's release and the size."""
        return f"static/wordllama-{version('wordllama')}/{DIMENSIONS}"

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One unit row for each text; zeros for a text without words."""
        vectors = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
        with self._loading:  # two threads' first texts load one model
            model = self._model
        for start in range(0, len(texts), _BATCH):
            batch = list(texts[start : start + _BATCH])
            for at, encoded in enumerate(
                model.tokenizer.encode_batch_fast(batch, add_special_tokens=False), start
            ):
                if encoded.ids and texts[at].strip():  # blanks are tokens, too
                    vectors[at] = model.embedding[encoded.ids].sum(axis=0)
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        np.divide(vectors, lengths, out=vectors, where=lengths > 0)
        return vectors

    @cached_property
    def _model(self) -> Any:
        spec = find_spec("wordllama")
        if spec is None or spec.origin is None:
            raise ConfigurationError("the embedder 'static' needs the package wordllama, which is missing")
        root = logging.getLogger()
        level, handlers = root.level, root.handlers[:]
        from wordllama import WordLlama

        # Importing it calls logging.basicConfig(level=INFO); the caller's logging is the caller's.
        root.handlers[:], root.level = handlers, level
        model = WordLlama.load(dim=DIMENSIONS, cache_dir=Path(spec.origin).parent, disable_download=True)
        model.tokenizer.no_padding()
        return model


def _in_worker() -> StaticEmbedder:
    os.environ["TOKENIZERS_PARALLELISM"] = "false"  # the worker processes share the cores already
    return StaticEmbedder()
