"""The process in which foreign files are parsed: files pass through, trouble stays inside."""

from __future__ import annotations

import time

import pytest

from assistant.adapters.article_formats import Found, Unusable
from assistant.adapters.parser_process import ParserProcess, _refuse

ENTRY = b"<item><title>A</title><description>Words.</description></item>"
FEED = b"<rss><channel><title>T</title>" + ENTRY + b"</channel></rss>"
FOUND = Found({"title": "A", "outlet": "T", "summary_only": True}, "Words.")


def test_files_pass_through_one_process() -> None:
    with ParserProcess() as parsers:
        assert parsers.read("feed", FEED) == [FOUND]
        began = time.perf_counter()
        assert parsers.read("feed", FEED) == [FOUND]
        assert time.perf_counter() - began < 1
        with pytest.raises(Unusable, match="has no text"):
            parsers.read("html", b"<script>x</script>")
        with pytest.raises(Unusable, match="cannot be read as PDF"):
            parsers.read("pdf", b"%PDF-1.7\n")


def test_a_file_that_takes_too_long_is_given_up_and_the_next_one_is_read() -> None:
    slow = "<p " + " ".join(f"a{number}='>'" for number in range(200_000)) + ">"  # minutes
    with ParserProcess(seconds=3) as parsers:
        with pytest.raises(Unusable) as raised:
            parsers.read("html", slow.encode())
        assert parsers.read("feed", FEED) == [FOUND]
    assert str(raised.value) == "takes longer than 3 seconds to read"


def test_a_process_that_breaks_off_is_replaced() -> None:
    with ParserProcess() as parsers:
        parsers.read("feed", FEED)
        assert parsers._child
        parsers._child.kill()
        with pytest.raises(Unusable, match="broke off"):
            parsers.read("feed", FEED)
        assert parsers.read("feed", FEED) == [FOUND]


@pytest.mark.parametrize("event", ["socket.connect", "socket.getaddrinfo", "subprocess.Popen", "os.system"])
def test_parsers_have_no_network_and_start_no_program(event: str) -> None:
    with pytest.raises(PermissionError):
        _refuse(event, ())


def test_nothing_starts_before_a_file_needs_it() -> None:
    with ParserProcess() as parsers:
        assert parsers._child is None
