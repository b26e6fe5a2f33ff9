"""Exact token counts by tiktoken, from a rank file that is already on disk.

tiktoken's own ``get_encoding`` downloads without a timeout and deletes a file whose hash
is wrong. Here the encoding is built from a file that we have read and checked, so that
counting never touches the network; `fetch` is the one function that does, and it ends
within its time. Files have the names that tiktoken gives them, so that its cache folder
(``TIKTOKEN_CACHE_DIR``) can serve both. Patterns, addresses and hashes are those of
https://github.com/openai/tiktoken/blob/main/tiktoken_ext/openai_public.py (MIT).
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import os
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import urlopen

from assistant.domain.errors import HomeUnusable, ProviderUnreachable

if TYPE_CHECKING:
    import tiktoken

_HEAVIEST = 32 * 1024 * 1024  # bytes; the largest rank file has 3.6 MB


@dataclass(frozen=True, slots=True)
class RankFile:
    """Where an encoding's ranks come from, what they hash to, and how text is cut before merging."""

    url: str
    sha256: str
    pattern: str

    @property
    def name(self) -> str:
        """The file's name in a cache folder of tiktoken."""
        return hashlib.sha1(self.url.encode(), usedforsecurity=False).hexdigest()


class RankState(StrEnum):
    """What a folder holds of an encoding."""

    USABLE = "usable"
    MISSING = "missing"
    DAMAGED = "damaged"


_ENDING = "(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
_ADDRESS = "https://openaipublic.blob.core.windows.net/encodings/"

ENCODINGS: Mapping[str, RankFile] = MappingProxyType(
    {
        "o200k_base": RankFile(
            _ADDRESS + "o200k_base.tiktoken",
            "446a9538cb6c348e3516120d7c08b09f57c36495e2acfffe59a5bf8b0cfb1a2d",
            r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+" + _ENDING + "|"
            r"[^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*" + _ENDING + "|"
            r"\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+",
        ),
        "cl100k_base": RankFile(
            _ADDRESS + "cl100k_base.tiktoken",
            "223921b76ee99bde995b7ff738513eef100fb51d18c93597a113bcffe865b2a7",
            r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+"
            r"|\s++$|\s*[\r\n]|\s+(?!\S)|\s",
        ),
    }
)
_NEWEST = "o200k_base"


class TiktokenCounter:
    """Counts tokens as OpenAI's models see them."""

    exact = True

    def __init__(self, encoding: tiktoken.Encoding) -> None:
        self._encoding = encoding
        self.name = encoding.name

    def count(self, text: str) -> int:
        """How many tokens the text has; what looks like a special token is text, too."""
        return len(self._encoding.encode_ordinary(text))


def encoding_for(model_name: str) -> str:
    """The encoding of a model; the newest for one that tiktoken does not know."""
    from tiktoken.model import encoding_name_for_model

    try:
        name = encoding_name_for_model(model_name)
    except KeyError:
        return _NEWEST
    return name if name in ENCODINGS else _NEWEST


def cached_encoding(
    folder: Path, name: str, *, known: Mapping[str, RankFile] = ENCODINGS
) -> TiktokenCounter | None:
    """A counter from the folder's rank file; None when it is missing, damaged or tiktoken is not installed.

    `rank_state` tells which of the first two. The file is only read.
    """
    data = _read(folder, known[name])
    if data is None or _differs(data, known[name]):
        return None
    try:
        import tiktoken
    except ImportError:
        return None
    ranks = {
        base64.b64decode(token): int(rank) for token, rank in (line.split() for line in data.splitlines())
    }
    return TiktokenCounter(
        tiktoken.Encoding(name, pat_str=known[name].pattern, mergeable_ranks=ranks, special_tokens={})
    )


def rank_state(folder: Path, name: str, *, known: Mapping[str, RankFile] = ENCODINGS) -> RankState:
    """Whether the folder's rank file is there, and is the right one."""
    data = _read(folder, known[name])
    if data is None:
        return RankState.MISSING
    return RankState.DAMAGED if _differs(data, known[name]) else RankState.USABLE


def fetch(
    folder: Path, name: str, *, seconds: float = 60.0, known: Mapping[str, RankFile] = ENCODINGS
) -> Path:
    """Download the rank file into the folder, unless the right one is there; returns its path.

    Raises ProviderUnreachable when it has not come whole and right within the seconds, and
    HomeUnusable when it cannot be written. Nothing is written before it has been checked.
    """
    wanted = known[name]
    path = folder / wanted.name
    if rank_state(folder, name, known=known) is RankState.USABLE:
        return path
    data = _downloaded(wanted.url, seconds)
    if _differs(data, wanted):
        raise ProviderUnreachable(
            f"{_host(wanted.url)} sent another file than the tokenizer {name}: {len(data)} bytes, not kept"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write(path, data)
    except OSError as error:
        raise HomeUnusable(
            f"the tokenizer {name} could not be written to {str(folder)!r}: {error}"
        ) from error
    return path


def _read(folder: Path, wanted: RankFile) -> bytes | None:
    try:
        return (folder / wanted.name).read_bytes()
    except OSError:
        return None


def _differs(data: bytes, wanted: RankFile) -> bool:
    return hashlib.sha256(data).hexdigest() != wanted.sha256


def _downloaded(url: str, seconds: float) -> bytes:
    """The file's bytes.

    In a thread that is left behind when time is up: a timeout of the socket bounds the gap between
    two bytes only, and none bounds the look-up of the host's name.
    """
    come: list[bytes] = []
    failed: list[Exception] = []

    def download() -> None:
        try:
            with urlopen(url, timeout=seconds) as response:  # noqa: S310 -- an address of ENCODINGS
                come.append(response.read(_HEAVIEST))
        except (OSError, http.client.HTTPException) as error:  # URLError and time-outs are OSErrors
            if isinstance(error, HTTPError):
                error.close()  # it holds the connection
            failed.append(error)

    thread = threading.Thread(target=download, name="fetch-tokenizer", daemon=True)
    thread.start()
    thread.join(seconds)
    if come:
        return come[0]
    if failed:
        raise ProviderUnreachable(f"{_host(url)} did not send the tokenizer: {failed[0]}") from failed[0]
    raise ProviderUnreachable(f"{_host(url)} did not send the tokenizer within {seconds:g} seconds")


def _host(url: str) -> str:
    return urlsplit(url).netloc


def _write(path: Path, data: bytes) -> None:
    """The file is there whole or not at all."""
    handle, unfinished = tempfile.mkstemp(dir=path.parent, prefix=f"{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    except BaseException:
        os.unlink(unfinished)
        raise
