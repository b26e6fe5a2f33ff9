"""all-MiniLM-L6-v2, as Chroma carries it: an ONNX model of 80 MB that is downloaded once.

Chroma's function (https://docs.trychroma.com/docs/embeddings/embedding-functions) knows the
address, the hash and the folder, and does the arithmetic. It would try to download at any
time, without a word and with no limit but that between two bytes. Here a folder that is
complete is loaded and nothing is asked; otherwise the host has to answer in seconds, and
the download to end in minutes; who answers questions does without a download.

The model reads the first 256 tokens of a text; a passage rarely has more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock, Thread
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

import numpy as np

from assistant.domain.errors import ConfigurationError, ProviderError, ProviderTimedOut, ProviderUnreachable

if TYPE_CHECKING:
    from assistant.ports import Vectors

DIMENSIONS = 384
ANSWER_SECONDS = 5.0  # for the host to answer at all, name look-up and proxy included
DOWNLOAD_SECONDS = 600.0  # 80 MB at 1 Mbit/s
_FILES = (
    "config.json",
    "model.onnx",
    "special_tokens_map.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.txt",
)


class MinilmEmbedder:
    """MiniLM vectors; the model is loaded at the first text.

    folder: where the model lies or is to lie; Chroma's own in the home of the user when None.
    download: whether it may be fetched where it is missing. url: where it comes from; Chroma's own
    address when None.
    answer_seconds, download_seconds: how long that may take.
    """

    fingerprint = f"minilm/all-MiniLM-L6-v2/{DIMENSIONS}"

    def __init__(
        self,
        folder: Path | None = None,
        *,
        download: bool = True,
        url: str | None = None,
        answer_seconds: float = ANSWER_SECONDS,
        download_seconds: float = DOWNLOAD_SECONDS,
    ) -> None:
        self._folder = folder
        self._download = download
        self._url = url
        self._answer_seconds = answer_seconds
        self._download_seconds = download_seconds
        self._loading = Lock()
        self._function: Any = None

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One unit row for each text; zeros for a blank one.

        Raises ProviderUnreachable or ProviderTimedOut where the model is missing and does not come,
        ConfigurationError where it cannot be loaded.
        """
        vectors = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
        rows = [at for at, text in enumerate(texts) if text.strip()]
        if rows:
            with self._loading:  # two threads' first texts load one model
                self._function = self._function or self._loaded()
            # The tokenizer takes no half characters.
            whole = [texts[at].encode("utf-8", "replace").decode() for at in rows]
            vectors[rows] = self._function(whole)
        return vectors

    def _loaded(self) -> Any:
        from chromadb.utils.embedding_functions.onnx_mini_lm_l6_v2 import ONNXMiniLM_L6_V2

        function = ONNXMiniLM_L6_V2(preferred_providers=["CPUExecutionProvider"])
        folder = self._folder or function.DOWNLOAD_PATH
        function.DOWNLOAD_PATH = folder
        function.MODEL_DOWNLOAD_URL = self._url or function.MODEL_DOWNLOAD_URL
        model = folder / function.EXTRACTED_FOLDER_NAME
        if not all((model / name).exists() for name in _FILES):
            self._fetch(function, folder)
        try:
            function(["a"])
        except Exception as error:  # onnxruntime and tokenizers have their own, below nothing in common
            raise ConfigurationError(
                f"the model in {str(model)!r} cannot be loaded ({type(error).__name__}); remove that folder,"
                " or use --embedder static"
            ) from error
        return function

    def _fetch(self, function: Any, folder: Path) -> None:
        url = function.MODEL_DOWNLOAD_URL
        host = urlsplit(url).netloc
        needed = f"the embedder 'minilm' needs a model, about 80 MB from {host}, in {str(folder)!r}"
        if not self._download:
            raise _missing(ProviderUnreachable(f"{needed}: `assistant ingest` fetches it"))
        try:
            _within(self._answer_seconds, lambda: _require_answer(url))
            _within(self._download_seconds, function._download_model_if_not_exists)
        except TimeoutError as error:
            raise _missing(ProviderTimedOut(f"{needed}: it did not come in time")) from error
        except HTTPError as error:
            error.close()
            raise _missing(ProviderUnreachable(f"{needed}: the host answered {error.code}")) from error
        except Exception as error:  # httpx's, tarfile's and the system's
            reason = getattr(error, "reason", error)
            raise _missing(ProviderUnreachable(f"{needed}: {reason}")) from error


def _missing(error: ProviderError) -> ProviderError:
    error.help = "Connect to the network once, copy the folder from elsewhere, or use --embedder static."
    return error


def _require_answer(url: str) -> None:
    """Raises unless the host has the file to give; goes through a proxy where the environment names one."""
    with urlopen(Request(url, method="HEAD")):  # noqa: S310 -- Chroma's own https address
        pass


def _within(seconds: float, work: Callable[[], object]) -> None:
    """Do it, and raise what it raises; TimeoutError when it takes longer, and it is then left alone."""
    failures: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:
            failures.append(error)

    worker = Thread(target=run, daemon=True)
    worker.start()
    worker.join(seconds)
    if worker.is_alive():
        raise TimeoutError
    if failures:
        raise failures[0]
