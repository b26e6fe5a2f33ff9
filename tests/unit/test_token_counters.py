import base64
import hashlib
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from inspect import getsource
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tiktoken_ext import openai_public  # type: ignore[import-untyped]

from assistant.adapters import estimated_counter, tiktoken_counter
from assistant.adapters.estimated_counter import EstimatedCounter
from assistant.adapters.tiktoken_counter import (
    ENCODINGS,
    RankFile,
    RankState,
    cached_encoding,
    encoding_for,
    fetch,
    rank_state,
)
from assistant.domain.errors import HomeUnusable, ProviderUnreachable
from assistant.ports import TokenCounter

# A tokenizer of all bytes and four merges, cut as o200k_base cuts.
TOKENS = [bytes([byte]) for byte in range(256)] + [b"th", b"the", b" the", b"<|"]
RANKS = b"".join(base64.b64encode(token) + b" %d\n" % rank for rank, token in enumerate(TOKENS))
TOY = RankFile(
    "https://ranks.example/toy.tiktoken", hashlib.sha256(RANKS).hexdigest(), ENCODINGS["o200k_base"].pattern
)
KNOWN = {"toy": TOY}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / TOY.name).write_bytes(RANKS)
    return tmp_path


def test_a_cached_encoding_counts_exactly_and_needs_no_network(folder: Path) -> None:
    counter = cached_encoding(folder, "toy", known=KNOWN)
    assert counter is not None
    assert (counter.name, counter.exact) == ("toy", True)
    assert counter.count("the the there") == 1 + 1 + 3  # "the", " the", " the" + "r" + "e"
    assert counter.count("") == 0


def test_what_looks_like_a_special_token_is_counted_as_text(folder: Path) -> None:
    counter = cached_encoding(folder, "toy", known=KNOWN)
    assert counter is not None
    assert counter.count("<|endoftext|>") == 12


def test_without_its_file_there_is_no_exact_counter(tmp_path: Path) -> None:
    assert cached_encoding(tmp_path, "toy", known=KNOWN) is None
    assert cached_encoding(tmp_path / "nowhere", "o200k_base") is None
    assert rank_state(tmp_path, "toy", known=KNOWN) is RankState.MISSING


def test_a_damaged_file_is_not_used_and_left_alone(folder: Path) -> None:
    (folder / TOY.name).write_bytes(RANKS[:-5])
    assert cached_encoding(folder, "toy", known=KNOWN) is None
    assert rank_state(folder, "toy", known=KNOWN) is RankState.DAMAGED
    assert (folder / TOY.name).read_bytes() == RANKS[:-5]


def test_without_tiktoken_there_is_no_exact_counter(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tiktoken", None)
    assert cached_encoding(folder, "toy", known=KNOWN) is None
    assert rank_state(folder, "toy", known=KNOWN) is RankState.USABLE


@pytest.mark.parametrize(
    ("model", "encoding"),
    [
        ("gpt-5.4-mini", "o200k_base"),
        ("gpt-4o-2024-08-06", "o200k_base"),
        ("gpt-4", "cl100k_base"),
        ("text-embedding-3-small", "cl100k_base"),
        ("gpt-oss-20b", "o200k_base"),  # its o200k_harmony has the same ranks, and more special tokens
        ("gpt-6-luna", "o200k_base"),
        ("llama3.3:70b", "o200k_base"),
        ("", "o200k_base"),
    ],
)
def test_every_model_has_an_encoding(model: str, encoding: str) -> None:
    assert encoding_for(model) == encoding


@pytest.mark.parametrize("name", sorted(ENCODINGS))
def test_addresses_hashes_and_patterns_are_those_of_tiktoken(name: str) -> None:
    theirs, ours = getsource(getattr(openai_public, name)), ENCODINGS[name]
    assert f'"{ours.url}"' in theirs
    assert f'"{ours.sha256}"' in theirs
    parts = [part.split('"""')[0] for part in theirs.split('r"""')[1:]]
    assert ours.pattern == "|".join(parts)


def test_files_have_the_names_of_tiktokens_cache() -> None:
    assert ENCODINGS["o200k_base"].name == "fb374d419588a4632f3f557e76b4b70aebbca790"
    assert ENCODINGS["cl100k_base"].name == "9b5ad71b2ce5302211f9c61530b329a4922fc6a4"


Respond = Callable[[BaseHTTPRequestHandler], None]


def whole(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.send_header("Content-Length", str(len(RANKS)))
    request.end_headers()
    request.wfile.write(RANKS)


def cut(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.send_header("Content-Length", str(len(RANKS)))
    request.end_headers()
    request.wfile.write(RANKS[:100])


def other(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.end_headers()
    request.wfile.write(b"<html>Please log in</html>")


def missing(request: BaseHTTPRequestHandler) -> None:
    request.send_error(404)


def no_http(request: BaseHTTPRequestHandler) -> None:
    request.wfile.write(b"220 mail.example ready\r\n")


def dripping(request: BaseHTTPRequestHandler) -> None:
    request.send_response(200)
    request.end_headers()
    for byte in RANKS[:100]:
        request.wfile.write(bytes([byte]))
        request.wfile.flush()
        time.sleep(0.02)


@contextmanager
def serving(respond: Respond) -> Iterator[dict[str, RankFile]]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            try:
                respond(self)
            except OSError:  # the client has gone
                self.close_connection = True

        def log_message(self, *_: object) -> None:
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield {"toy": replace(TOY, url=f"http://127.0.0.1:{server.server_port}/toy.tiktoken")}
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture
def _directly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.mark.enable_socket
@pytest.mark.usefixtures("_directly")
def test_a_fetched_file_makes_an_exact_counter(tmp_path: Path) -> None:
    home = tmp_path / "new" / "tokenizers"
    with serving(whole) as known:
        path = fetch(home, "toy", seconds=10, known=known)
    assert list(home.iterdir()) == [path]
    assert path.read_bytes() == RANKS
    assert rank_state(home, "toy", known=known) is RankState.USABLE


@pytest.mark.enable_socket
@pytest.mark.usefixtures("_directly")
def test_a_damaged_file_is_replaced_by_the_fetched_one(tmp_path: Path) -> None:
    with serving(whole) as known:
        (tmp_path / known["toy"].name).write_bytes(b"damaged")
        assert fetch(tmp_path, "toy", seconds=10, known=known).read_bytes() == RANKS


def test_the_right_file_is_not_fetched_again(folder: Path) -> None:
    assert fetch(folder, "toy", known=KNOWN) == folder / TOY.name  # sockets are forbidden here


@pytest.mark.enable_socket
@pytest.mark.usefixtures("_directly")
@pytest.mark.parametrize(
    ("respond", "seconds", "why"),
    [
        (cut, 5.0, "another file than the tokenizer toy: 100 bytes"),
        (other, 5.0, "another file than the tokenizer toy: 26 bytes"),
        (missing, 5.0, "404"),
        (no_http, 5.0, "220 mail.example"),
        (dripping, 0.3, r"within 0\.3 seconds"),
    ],
    ids=["cut", "other", "missing", "no http", "dripping"],
)
def test_whatever_goes_wrong_is_said_in_time_and_leaves_no_file(
    respond: Respond, seconds: float, why: str, tmp_path: Path
) -> None:
    started = time.monotonic()
    with serving(respond) as known, pytest.raises(ProviderUnreachable, match=why) as raised:
        fetch(tmp_path, "toy", seconds=seconds, known=known)
    assert time.monotonic() - started < 3
    assert "127.0.0.1" in str(raised.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.enable_socket
@pytest.mark.usefixtures("_directly")
def test_a_host_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with serving(whole) as known:
        pass
    with pytest.raises(ProviderUnreachable, match=r"did not send the tokenizer: .*refused"):
        fetch(tmp_path, "toy", seconds=5, known=known)


@pytest.mark.enable_socket
@pytest.mark.usefixtures("_directly")
def test_a_folder_that_cannot_be_made_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with serving(whole) as known, pytest.raises(HomeUnusable, match="tokenizer toy could not be written"):
        fetch(tmp_path / "file", "toy", seconds=10, known=known)


def test_an_estimate_says_that_it_is_one() -> None:
    counter: TokenCounter = EstimatedCounter()
    assert (counter.name, counter.exact) == ("estimate", False)


# Counts of o200k_base, by tiktoken. The shorter a text, the further the estimate may be over.
COUNTED = [
    ("The prime minister told reporters on Tuesday that talks would resume within days.", 14),
    ("Der Bundestag hat am Donnerstag ein Gesetz zur Reform der Krankenhäuser beschlossen.", 15),
    ("Премьер-министр заявил журналистам, что переговоры возобновятся.", 15),
    ("See https://example.com/2026/11/25/a-long-story?id=48213&ref=home for 1,234,567 details.", 32),
]


@pytest.mark.parametrize(("text", "tokens"), COUNTED)
def test_an_estimate_is_a_little_over(text: str, tokens: int) -> None:
    assert tokens <= EstimatedCounter().count(text) <= tokens * 1.5


def test_rare_words_cost_more_than_common_ones() -> None:
    counter = EstimatedCounter()
    assert counter.count(" government") < counter.count(" Zbqwjxkvyh")
    assert counter.count("the people " * 50) < counter.count("xqz pvwkle " * 50)


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("The EU's 27 members", ["The", " EU's", " ", "27", " members"]),
        ("1234567", ["123", "456", "7"]),
        ("don't  stop!\n\nNow", ["don't", " ", " stop", "!\n\n", "Now"]),
        ("HelloWorld (x)", ["Hello", "World", " (", "x", ")"]),
        ("हिन्दी में 🎉🎉", ["हिन्दी", " में", " 🎉🎉"]),
    ],
)
def test_text_is_cut_where_tiktoken_cuts_it(text: str, pieces: list[str]) -> None:
    assert estimated_counter.pieces(text) == pieces


@given(st.text(max_size=200))
def test_no_text_is_estimated_beyond_its_bytes_or_below_its_pieces(text: str) -> None:
    count = EstimatedCounter().count(text)
    assert len(estimated_counter.pieces(text)) <= count <= len(text.encode())


@given(st.text(max_size=200))
def test_pieces_make_up_the_text(text: str) -> None:
    assert "".join(estimated_counter.pieces(text)) == text


# Counts of o200k_base, by tiktoken.
@pytest.mark.parametrize(
    ("text", "tokens"), [(" " * 10_000, 79), ("-" * 10_000, 156), ("\n" * 10_000, 625), ("🎉" * 1_000, 2_000)]
)
def test_a_long_run_of_one_sign_is_not_estimated_too_low(text: str, tokens: int) -> None:
    assert EstimatedCounter().count(text) >= tokens


def test_half_a_surrogate_pair_does_no_harm() -> None:
    assert EstimatedCounter().count("broken \ud83d emoji") >= 3


def test_a_million_letters_without_a_blank_are_counted_in_time() -> None:
    started = time.monotonic()
    assert EstimatedCounter().count("a" * 1_000_000) > 10_000
    assert time.monotonic() - started < 10


def test_an_exact_counter_can_never_fetch() -> None:
    assert "get_encoding" not in getsource(tiktoken_counter).split('"""', 2)[2]
