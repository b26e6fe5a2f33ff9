"""HTTP that ends with its attempt: a transport for httpx2 that knows the deadline.

It belongs between a vendor's client and the network. The connection has five seconds and
everything after it the rest of the deadline; the body is read up to a limit, plain (a
compressed one could be a bomb); and when nobody waits any more, its socket is shut down
from outside, which ends a read at once. No connection is kept for the next request: only
of a new one is the socket known before the response begins, and a kept one may have died.
That costs a handshake where a reply takes seconds.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import httpx2

from assistant.adapters.openai_faults import scrubbed
from assistant.adapters.provider_calls import CONNECT_SECONDS, Attempt, Fault, current_attempt
from assistant.domain.errors import ProviderTimedOut, ReplyMalformed, RequestRejected

if TYPE_CHECKING:
    import ssl

CHAT_BYTES = 2_000_000  # a reply of 8,000 tokens streams as 2 MB at worst: 250 bytes of wrapping for each
_PROXIES = "HTTP_PROXY, HTTPS_PROXY or ALL_PROXY"


class DeadlineTransport(httpx2.BaseTransport):
    """Sends a request as part of the current attempt; raises a Fault for a body that must not be read.

    most_bytes: how much of a body is read. verify: the certificates that are trusted, the system's
    own unless told. Proxies are those of the environment, as with httpx2 itself.
    Raises RequestRejected where the environment names a proxy or certificates that cannot be used.
    """

    def __init__(self, *, most_bytes: int = CHAT_BYTES, verify: ssl.SSLContext | bool = True) -> None:
        self._most_bytes = most_bytes
        # A client and not an HTTPTransport, since the client is what finds the proxies.
        try:
            self._client = httpx2.Client(verify=verify, limits=httpx2.Limits(max_keepalive_connections=0))
        except OSError as error:
            raise _unusable("certificates", "SSL_CERT_FILE or SSL_CERT_DIR", error.strerror or "") from error
        except ImportError as error:
            raise _unusable("proxy", _PROXIES, "SOCKS needs the package 'socksio'") from error
        except (ValueError, httpx2.InvalidURL) as error:
            raise _unusable("proxy", _PROXIES, str(error)) from error

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """The response, whose body ends with the attempt."""
        attempt = current_attempt()
        _require_time(attempt)
        remaining = attempt.remaining()
        request.headers["Accept-Encoding"] = "identity"
        request.extensions = {
            **request.extensions,
            "timeout": {
                "connect": min(CONNECT_SECONDS, remaining),
                "read": remaining,
                "write": remaining,
                "pool": remaining,
            },
            "trace": _Watch(attempt),
        }
        response = self._client.send(request, stream=True, follow_redirects=False)
        if wrong := _misfit(response):
            response.close()
            raise Fault(ReplyMalformed(f"{_host(request)} sent {wrong}"))
        return httpx2.Response(
            response.status_code,
            headers=response.headers,
            stream=_Body(response, attempt, self._most_bytes),
            extensions=response.extensions,
        )

    def close(self) -> None:
        """Close what is open."""
        self._client.close()


def _unusable(what: str, variables: str, reason: str) -> RequestRejected:
    """A ProviderError, so that what needs no request, the extractive answer, comes all the same."""
    error = RequestRejected(f"the {what} named by {variables} cannot be used: {scrubbed(reason)}")
    error.help = f"Correct or unset {variables}."
    return error


def _misfit(response: httpx2.Response) -> str:
    """What the body is, when that can be no reply; or empty."""
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        return "a compressed body, which was not asked for"
    if response.is_success and response.headers.get("Content-Type", "").startswith("text/html"):
        return "a web page in place of a reply"
    return ""


class _Watch:
    """Learns from httpcore's trace when there is a connection, and how to cut it."""

    def __init__(self, attempt: Attempt) -> None:
        self._attempt = attempt

    def __call__(self, event: str, info: dict[str, Any]) -> None:
        _, _, step = event.partition(".")
        if step in ("connect_tcp.complete", "start_tls.complete"):
            stream = info["return_value"]
            self._attempt.on_cancel(lambda: stream.get_extra_info("socket").shutdown(socket.SHUT_RDWR))
        elif step == "send_request_headers.started" and info["request"].method != b"CONNECT":
            self._attempt.connected()


class _Body(httpx2.SyncByteStream):
    """The bytes of a response, as long as the attempt lasts and no more than the limit."""

    def __init__(self, response: httpx2.Response, attempt: Attempt, most_bytes: int) -> None:
        self._response = response
        self._attempt = attempt
        self._most_bytes = most_bytes

    def __iter__(self) -> Iterator[bytes]:
        read = 0
        for chunk in self._response.iter_raw():
            _require_time(self._attempt)
            read += len(chunk)
            if read > self._most_bytes:
                raise Fault(
                    ReplyMalformed(
                        f"{_host(self._response.request)} sent more than {self._most_bytes:,} bytes"
                    )
                )
            yield chunk

    def close(self) -> None:
        self._response.close()


def _host(request: httpx2.Request) -> str:
    return request.url.netloc.decode("ascii")


def _require_time(attempt: Attempt) -> None:
    if attempt.cancelled or not attempt.remaining():
        raise Fault(ProviderTimedOut("the deadline passed"))
