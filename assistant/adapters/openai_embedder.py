"""Vectors from OpenAI, or from any server that speaks its protocol: ``POST /embeddings``.

The SDK sends the texts themselves. LangChain's embeddings send token numbers instead, for
which they download tiktoken's file and which most other servers do not understand, and take
vectors in the order in which they come.

A server is trusted with nothing: vectors are brought into the order of their ``index``, and
a reply with one too many or too few, or of another size than before, is refused whole. What
is not finite, or zero, is no vector of that one text (VectorsUnusable). Deadline, retries
and breaker are those of ProviderCalls; requests follow one another.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from assistant.adapters.openai_faults import OPENAI_URL, PLACEHOLDER_KEY, OpenAIFaults, host_of
from assistant.adapters.provider_calls import Attempt, Fault, ProviderCalls
from assistant.domain.errors import ConfigurationError, ModelUnknown, ReplyMalformed, VectorsUnusable
from assistant.domain.text import counted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from assistant.ports import Vectors

SETTING = "ASSISTANT_EMBEDDER"
# No tokenizer makes more tokens than a text has bytes, and OpenAI's models take 8,192 tokens a text and
# 300,000 a request. A passage has 800 bytes; what is longer is cut, and found by its beginning.
MAX_BYTES = 8_000
MAX_REQUEST_BYTES = 256_000
MAX_REQUEST_TEXTS = 64
REPLY_BYTES = 16_000_000  # 64 vectors of 8,192 numbers take 12 MB


class OpenAIEmbedder:
    """The vectors of one embedding model.

    base_url: an OpenAI-compatible server in place of OpenAI's own, which needs no key.
    dimensions: how many numbers a vector is to have, where the model leaves the choice.
    calls: what the requests go through; its own unless given, so that neither a chat model at the same
    host nor its faults hold it up. seconds: when all attempts of one request end: a question is one
    request, and many texts are one for every MAX_REQUEST_TEXTS, or MAX_REQUEST_BYTES, of them, each
    with as many seconds. Raises ConfigurationError where there is neither key nor server.
    """

    def __init__(
        self,
        model: str,
        *,
        base_url: str | None = None,
        api_key: str | None = None,
        dimensions: int | None = None,
        calls: ProviderCalls | None = None,
        seconds: float = 30,
    ) -> None:
        if not model:
            raise ConfigurationError(f"{SETTING} names no model: write openai:MODEL")
        if not (api_key or base_url):
            raise ConfigurationError(
                f"the embedder 'openai:{model}' needs a key: set OPENAI_API_KEY, or OPENAI_BASE_URL for a"
                " server without"
            )
        self._model = model
        self._url = base_url or OPENAI_URL
        self._key = api_key or PLACEHOLDER_KEY
        self._dimensions = dimensions
        self._size = dimensions
        self._seconds = seconds
        self.host = host_of(self._url)
        self._calls = calls or ProviderCalls(self.host)
        self._faults = OpenAIFaults(self.host, model, api_key or "", SETTING)

    @property
    def fingerprint(self) -> str:
        """Names the model, the server where it is not OpenAI's own, and the size that was asked for."""
        ours = host_of(OPENAI_URL)
        host = "" if self.host == ours or self.host.endswith(f".{ours}") else self.host
        return f"openai:{self._model}@{host}/{self._dimensions or 'default'}"

    def embed(self, texts: Sequence[str]) -> Vectors:
        """One unit row for each text; zeros for a blank one, which is not sent."""
        places = [at for at, text in enumerate(texts) if text.strip()]
        sent = [_cut(texts[at]) for at in places]
        if texts and not sent and self._size is None:
            self._asked(["a"])  # to learn how many zeros
        rows = [row for batch in _batches(sent) for row in self._asked(batch)]
        vectors = np.zeros((len(texts), self._size or 0))
        vectors[places] = rows if rows else np.empty((0, self._size or 0))
        with np.errstate(all="ignore"):  # what comes of NaN, of nothing and of numbers too large is looked at
            lengths = np.linalg.norm(vectors, axis=1)
            usable = np.isfinite(lengths) & (lengths > 0)
            vectors[usable] /= lengths[usable, np.newaxis]
        if unusable := [at for at in places if not usable[at]]:
            raise VectorsUnusable(tuple(unusable))
        return vectors.astype(np.float32)

    def _asked(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """The vectors of one request as they came, in the order of the texts."""
        client = self._client  # importing the vendor takes a second that is not the provider's

        def attempt(_: Attempt) -> NDArray[np.float64]:
            try:
                options = {"dimensions": self._dimensions} if self._dimensions else {}
                response = client.embeddings.with_raw_response.create(
                    model=self._model, input=list(texts), encoding_format="float", **options
                )
                return self._read(json.loads(response.content), len(texts))
            except Fault:
                raise
            except Exception as error:  # the table tells the vendor's from those of a reply that is none
                raise self._faults.fault(error) from error

        try:
            rows = self._calls.call(attempt, seconds=self._seconds)
        except ModelUnknown as error:
            error.help = f'Check the name after "openai:" given with --embedder, or {SETTING}.'
            raise
        self._size = rows.shape[1]
        return rows

    def _read(self, body: Any, expected: int) -> NDArray[np.float64]:
        items = body["data"]
        if len(items) != expected:
            raise self._malformed(f"{counted(len(items), 'vector')} for {counted(expected, 'text')}")
        places = [item.get("index", at) for at, item in enumerate(items)]
        if sorted(places) != list(range(expected)):
            raise self._malformed("vectors whose index says not which texts they are of")
        vectors = [item["embedding"] for _, item in sorted(zip(places, items, strict=True), key=_place)]
        sizes = {len(vector) for vector in vectors}
        if len(sizes) > 1 or sizes & {0} or not sizes <= {self._size or max(sizes)}:
            before = f" where {self._size} were expected" if self._size else ""
            raise self._malformed(f"vectors of {', '.join(map(str, sorted(sizes)))} numbers{before}")
        if not all(isinstance(number, float | int | None) for vector in vectors for number in vector):
            raise self._malformed("vectors of something else than numbers")
        return np.array(vectors, dtype=np.float64)  # None, which servers write for NaN, becomes NaN again

    def _malformed(self, what: str) -> Fault:
        return Fault(ReplyMalformed(f"{self.host} sent {what}"))

    @cached_property
    def _client(self) -> Any:
        import httpx2
        from openai import OpenAI

        from assistant.adapters.deadline_transport import DeadlineTransport

        transport = DeadlineTransport(most_bytes=REPLY_BYTES)
        return OpenAI(
            api_key=self._key,
            base_url=self._url,
            max_retries=0,
            http_client=httpx2.Client(transport=transport),
        )


def _place(item: tuple[int, Any]) -> int:
    return item[0]


def _cut(text: str) -> str:
    """The text up to MAX_BYTES, with "?" for half characters, which no JSON can hold."""
    return text.encode("utf-8", "replace")[:MAX_BYTES].decode("utf-8", "ignore")


def _batches(texts: Sequence[str]) -> Iterator[list[str]]:
    """The texts in order, as many in each request as it may have."""
    batch: list[str] = []
    size = 0
    for text in texts:
        more = len(text.encode())
        if batch and (len(batch) == MAX_REQUEST_TEXTS or size + more > MAX_REQUEST_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(text)
        size += more
    if batch:
        yield batch
