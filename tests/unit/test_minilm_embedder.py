"""MiniLM: a folder that is complete is used as it is, and what cannot be had is told in seconds.

The model here is a toy of four words in the real one's files, so that Chroma's own code runs.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from time import monotonic

import numpy as np
import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from assistant.adapters.minilm_embedder import DIMENSIONS, MinilmEmbedder
from assistant.domain.errors import ConfigurationError, ProviderTimedOut, ProviderUnreachable
from tests.toy_models import FLOAT, INT64, described, field

WORDS = ["bridge", "closed", "lighthouse", "blue"]
FILES = ["config.json", "special_tokens_map.json", "tokenizer_config.json", "vocab.txt"]
NOWHERE = "http://127.0.0.1:9/onnx.tar.gz"  # the discard port; asking it would be refused


def toy_model() -> bytes:
    """An ONNX model that looks each token up in a table: one axis for each word, none for padding."""
    table = np.eye(len(WORDS) + 2, DIMENSIONS, k=-2, dtype=np.float32)
    tensor = field(1, len(table)) + field(1, DIMENSIONS) + field(2, 1) + field(8, "table")
    look_up = field(1, "table") + field(1, "input_ids") + field(2, "last_hidden_state") + field(4, "Gather")
    inputs = ("input_ids", "attention_mask", "token_type_ids")
    graph = (
        field(1, look_up)
        + field(2, "toy")
        + field(5, tensor + field(9, table.tobytes()))
        + b"".join(field(11, described(name, INT64, ["batch", "tokens"])) for name in inputs)
        + field(12, described("last_hidden_state", FLOAT, ["batch", "tokens", "size"]))
    )
    return field(1, 8) + field(8, field(1, "") + field(2, 17)) + field(7, graph)


def toy_files() -> Mapping[str, bytes]:
    vocabulary = {word: at for at, word in enumerate(["[PAD]", "[UNK]", *WORDS])}
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="[UNK]"))  # noqa: S106 -- of words, not of access
    tokenizer.pre_tokenizer = Whitespace()
    others = dict.fromkeys(FILES, b"{}")
    return {"model.onnx": toy_model(), "tokenizer.json": tokenizer.to_str().encode(), **others}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where a complete model lies."""
    (tmp_path / "onnx").mkdir()
    for name, content in toy_files().items():
        (tmp_path / "onnx" / name).write_bytes(content)
    return tmp_path


def test_a_complete_folder_is_used_and_nothing_is_asked(folder: Path) -> None:
    embedder = MinilmEmbedder(folder, url=NOWHERE)
    vectors = embedder.embed(["bridge closed", "bridge", "", "lighthouse blue", " \n"])
    assert (vectors.shape, str(vectors.dtype)) == ((5, DIMENSIONS), "float32")
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 1, 0, 1, 0])
    assert (vectors @ vectors[1]).tolist() == pytest.approx([0.5**0.5, 1, 0, 0, 0])


def test_long_texts_and_half_characters_are_taken(folder: Path) -> None:
    embedder = MinilmEmbedder(folder, url=NOWHERE)
    long, half = embedder.embed(["bridge " * 2_000 + "blue", "bridge \ud83d"])
    assert long.tolist() == half.tolist() == embedder.embed(["bridge"])[0].tolist()


def test_no_texts_load_no_model(tmp_path: Path) -> None:
    assert MinilmEmbedder(tmp_path, url=NOWHERE).embed([]).shape == (0, DIMENSIONS)
    assert MinilmEmbedder(tmp_path, url=NOWHERE).embed(["", " "]).tolist() == [[0.0] * DIMENSIONS] * 2
    assert list(tmp_path.iterdir()) == []


def test_the_fingerprint_names_model_and_size() -> None:
    assert MinilmEmbedder().fingerprint == "minilm/all-MiniLM-L6-v2/384"


def test_making_one_imports_nothing_heavy() -> None:
    program = (
        "import sys; from assistant.adapters.minilm_embedder import MinilmEmbedder as E;"
        "E(); print({'chromadb', 'onnxruntime', 'tokenizers'} & sys.modules.keys())"
    )
    ours = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=ours
    )
    assert done.stdout == "set()\n"


@pytest.mark.parametrize("broken", ["model.onnx", "tokenizer.json"])
def test_a_folder_that_cannot_be_loaded_is_told(broken: str, folder: Path) -> None:
    (folder / "onnx" / broken).write_bytes(b"cut off")
    with pytest.raises(ConfigurationError) as caught:
        MinilmEmbedder(folder, url=NOWHERE).embed(["bridge"])
    assert str(caught.value).startswith(f"the model in {str(folder / 'onnx')!r} cannot be loaded (")
    assert str(caught.value).endswith("); remove that folder, or use --embedder static")


# Where it is missing


@contextmanager
def serving(status: int) -> Iterator[str]:
    """A host that answers every request with this status and nothing else; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        do_GET = do_HEAD  # noqa: N815 -- http.server's names

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/onnx.tar.gz"
        server.shutdown()
        thread.join()


@pytest.mark.enable_socket
def test_a_host_that_refuses_is_told_in_one_line_at_once(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    begun = monotonic()
    with pytest.raises(ProviderUnreachable) as caught:
        MinilmEmbedder(tmp_path / "models", url=f"http://127.0.0.1:{port}/onnx.tar.gz").embed(["bridge"])
    assert monotonic() - begun < 6
    line = str(caught.value)
    needed = f"the embedder 'minilm' needs a model, about 80 MB from 127.0.0.1:{port}, in"
    assert line.startswith(f"{needed} {str(tmp_path / 'models')!r}: ")
    assert line.endswith("Connection refused")
    assert "--embedder static" in caught.value.help
    assert not (tmp_path / "models").exists()


@pytest.mark.enable_socket
def test_a_host_that_accepts_and_says_nothing_is_left_after_the_time_it_has(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}/onnx.tar.gz"
        begun = monotonic()
        with pytest.raises(ProviderTimedOut, match="did not come in time"):
            MinilmEmbedder(tmp_path, url=url, answer_seconds=0.2).embed(["bridge"])
        assert monotonic() - begun < 3


@pytest.mark.enable_socket
def test_a_host_without_the_file_is_told(tmp_path: Path) -> None:
    with serving(403) as url, pytest.raises(ProviderUnreachable, match="the host answered 403"):
        MinilmEmbedder(tmp_path, url=url).embed(["bridge"])


@pytest.mark.enable_socket
def test_a_download_of_other_bytes_than_the_models_is_not_waited_for_without_end(tmp_path: Path) -> None:
    """Chroma tries it three times, with a second or more in between."""
    with serving(200) as url:
        embedder = MinilmEmbedder(tmp_path, url=url, download_seconds=0.3)
        with pytest.raises(ProviderTimedOut, match="did not come in time"):
            embedder.embed(["bridge"])


def test_where_nothing_may_be_downloaded_nothing_is_asked_and_the_command_is_told(tmp_path: Path) -> None:
    with pytest.raises(ProviderUnreachable) as caught:
        MinilmEmbedder(tmp_path / "models", url=NOWHERE, download=False).embed(["bridge"])
    assert str(caught.value).endswith(f"in {str(tmp_path / 'models')!r}: `assistant ingest` fetches it")
    assert "--embedder static" in caught.value.help


def test_what_needs_no_download_is_used_where_none_is_allowed(folder: Path) -> None:
    assert MinilmEmbedder(folder, url=NOWHERE, download=False).embed(["bridge"]).any()


def test_a_question_can_be_asked_again_once_the_model_is_there(folder: Path) -> None:
    model = folder / "onnx" / "model.onnx"
    aside = model.rename(folder / "aside")
    embedder = MinilmEmbedder(folder, url="http://")
    with pytest.raises(ProviderUnreachable):
        embedder.embed(["bridge"])
    aside.rename(model)
    assert embedder.embed(["bridge"]).any()
