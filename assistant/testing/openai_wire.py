"""The sockets below the loopback OpenAI server: whole and chunked responses, pauses, resets, TLS.

Built on the standard library's threading HTTP server. A handler waits only through
``Wire.pause``, and every open connection is known, so that closing is quick even while
handlers hang. What is answered is not decided here.
"""

from __future__ import annotations

import json
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

JSON, HTML, EVENTS = "application/json", "text/html; charset=utf-8", "text/event-stream"
_LAST_WORDS_S = 2.0  # how long closing waits for handlers that have been told to end


class _Closing(Exception):
    """The server is being closed while a handler waits."""


class Wire(BaseHTTPRequestHandler):
    """A connection, with the means to send in pieces, to wait and to break off."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # a piece is sent when it is there
    server: Listener
    _chunked = False

    def do_POST(self) -> None:
        """Answer a request with a body."""
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            body: object = json.loads(raw)
        except ValueError:
            body = None
        self._respond(body)

    def do_GET(self) -> None:
        """Answer a request without one."""
        self._respond(None)

    def _respond(self, body: object) -> None:
        try:
            self.server.respond(self, self.path, body)
        except (_Closing, OSError):  # the server closes, or the client has gone
            self.close_connection = True

    def answer(
        self, status: int, body: bytes, kind: str = JSON, headers: Mapping[str, str] | None = None
    ) -> None:
        """Send a whole response."""
        self.begin(kind, status=status, length=len(body), headers=headers)
        self.send(body)

    def begin(
        self,
        kind: str,
        *,
        status: int = 200,
        length: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Send the headers; without a length the body comes in chunks."""
        self._chunked = length is None
        self.send_response(status)
        self.send_header("Content-Type", kind)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if length is None:
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def send(self, data: bytes) -> None:
        """Send a piece of the body."""
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data) if self._chunked else data)

    def end(self) -> None:
        """The body is complete."""
        if self._chunked:
            self.wfile.write(b"0\r\n\r\n")

    def pause(self, seconds: float | None) -> None:
        """Wait, without a time for ever; ends at once when the server is closed."""
        if seconds != 0 and self.server.closing.wait(seconds):
            raise _Closing

    def reset(self) -> None:
        """Break the connection off so that the client sees a reset and no proper end."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.server.resets.add(self.connection)
        self.close_connection = True

    def version_string(self) -> str:
        """What stands in the Server header."""
        return "loopback"

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet; ``OpenAIServer.requests`` has what came."""


class Listener(ThreadingHTTPServer):
    """Accepts connections, and can end all of them at once.

    closing: set when handlers have to end. resets: connections that end without a proper close.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self,
        port: int,
        respond: Callable[[Wire, str, object], None],
        report: Callable[[str], None],
        certificate: Path | None,
    ) -> None:
        super().__init__(("127.0.0.1", port), Wire)
        self.respond = respond
        self.closing = threading.Event()
        self.resets: set[socket.socket] = set()
        self._report = report
        self._tls = _tls(certificate) if certificate else None
        self._open: set[socket.socket] = set()
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True)

    def start(self) -> None:
        """Accept connections in a thread."""
        self._thread.start()

    def stop(self) -> None:
        """Stop accepting, and end what is open."""
        if self._thread.is_alive():
            self.shutdown()
            self._thread.join()
        self.closing.set()
        self.server_close()
        with self._changed:
            for connection in self._open:
                _shut(connection)
            self._changed.wait_for(lambda: not self._open, _LAST_WORDS_S)

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept a connection; a TLS handshake is left to its thread."""
        connection, address = super().get_request()
        if self._tls is not None:
            connection = self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        with self._changed:
            self._open.add(connection)
        return connection, address

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Serve a connection until it ends."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            with self._changed:
                self._open.discard(request)
                self._changed.notify_all()

    def shutdown_request(self, request: Any) -> None:
        """End a connection: properly, or with a reset."""
        if request in self.resets:
            self.resets.discard(request)
            self.close_request(request)
        else:
            super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report what is wrong with the server; a client that breaks off is nothing wrong."""
        error = sys.exception()
        if not isinstance(error, OSError):
            self._report(f"the server failed: {error!r}")


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # the client was first


def _tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def expired_certificate(folder: Path) -> Path | None:
    """A PEM file with key and certificate of 127.0.0.1, which ran out yesterday; None without ``openssl``.

    It signs itself: a client that is told to trust this file finds nothing wrong but the date.
    """
    openssl = shutil.which("openssl")
    if openssl is None:
        return None
    key, request, certificate, pem = (folder / f"expired.{name}" for name in ("key", "csr", "crt", "pem"))
    subject = ("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1")
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key)
    ran_out = ("-days", "-1", "-copy_extensions", "copyall")
    commands: list[list[str | Path]] = [
        ["req", "-new", *curve, *subject, "-out", request],
        ["x509", "-req", *ran_out, "-in", request, "-signkey", key, "-out", certificate],
    ]
    for command in commands:
        subprocess.run([openssl, *command], check=True, capture_output=True)  # noqa: S603 -- nothing foreign
    pem.write_text(key.read_text() + certificate.read_text())
    return pem
