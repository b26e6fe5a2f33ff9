"""Static word vectors that come with the wordllama package: no download, no GPU.

WordLlama (MIT, https://github.com/dleemiller/WordLlama) averages one trained
256-dimension vector per token. Its wheel carries weights and tokenizer, but its
loader looks for the tokenizer elsewhere unless it is told the package's folder.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
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


class StaticEmbedder:
    """WordLlama vectors; the model is loaded (half a second) at the first text."""

    def __init__(self) -> None:
        self._loading = Lock()

    @property
    def fingerprint(self) -> str:
        """Names the package's release and the size."""
        return f"static/wordllama-{version('wordllama')}/{DIMENSIONS}"

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One unit row for each text; zeros for a text without words."""
        vectors = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
        wordy = [at for at, text in enumerate(texts) if text.strip()]
        if wordy:
            with self._loading:  # two threads' first texts load one model
                model = self._model
            vectors[wordy] = model.embed([texts[at] for at in wordy], norm=True)
        return np.nan_to_num(vectors, copy=False)

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
        return WordLlama.load(dim=DIMENSIONS, cache_dir=Path(spec.origin).parent, disable_download=True)
