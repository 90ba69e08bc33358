"""A local server that answers as a provider would, event by event, from a script."""

from __future__ import annotations

import json
import socket
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

#: Instead of an event: the connection breaks.
CUT = "cut"

#: The bytes of an event, something to do between two events, or `CUT`.
Step = bytes | Callable[[], Any] | str


def sse(data: Any, event: str | None = None) -> bytes:
    """One server-sent event."""
    name = f"event: {event}\n" if event else ""
    return f"{name}data: {data if isinstance(data, str) else json.dumps(data)}\n\n".encode()


def pieces(text: str, size: int = 6) -> list[str]:
    return [text[start : start + size] for start in range(0, len(text), size)]


@dataclass
class Script:
    """The answer to one request: `events` where it asks to stream, else `whole`."""

    events: list[Step]
    whole: Any

    def stopped(self, after: bytes, by: Step) -> Script:
        """The same answer, ended by an error or a cut after the event that has these bytes."""
        last = next(i for i, event in enumerate(self.events) if _has(event, after))
        return replace(self, events=[*self.events[: last + 1], by])

    def paused(self, after: bytes, step: Callable[[], Any]) -> Script:
        """The same answer with something done after the event that has these bytes."""
        at = next(i for i, event in enumerate(self.events) if _has(event, after)) + 1
        return replace(self, events=[*self.events[:at], step, *self.events[at:]])


def _has(event: Step, some: bytes) -> bool:
    return isinstance(event, bytes) and some in event


class Replay(ThreadingHTTPServer):
    """Answers the n-th request with the n-th script; `requests` are the bodies it got."""

    daemon_threads = True

    def __init__(self, *scripts: Script) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.scripts = list(scripts)
        self.requests: list[dict[str, Any]] = []
        self.errors: list[BaseException] = []
        self.lock = threading.Lock()
        self.url = f"http://127.0.0.1:{self.server_port}"
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    def script(self, request: dict[str, Any]) -> Script | None:
        with self.lock:
            self.requests.append(request)
            asked = len(self.requests)
        return self.scripts[asked - 1] if asked <= len(self.scripts) else None

    def handle_error(self, request: Any, client_address: Any) -> None:
        error = sys.exception()
        if error is not None and not isinstance(error, ConnectionError):  # the client went away
            self.errors.append(error)

    def close(self) -> None:
        self.shutdown()
        self.server_close()


class _Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # each event leaves at once
    server: Replay

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        request = json.loads(self.rfile.read(length))
        script = self.server.script(request)
        if script is None:
            self.send_error(400, "There are no more scripts.")
            return
        self.send_response(200)
        if request.get("stream"):
            self._stream(script)
        else:
            self._whole(script)

    def _whole(self, script: Script) -> None:
        body = json.dumps(script.whole).encode()
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, script: Script) -> None:
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for step in script.events:
            if step == CUT:
                self.close_connection = True
                self.connection.shutdown(socket.SHUT_RDWR)
                return
            if isinstance(step, bytes):
                self.wfile.write(b"%x\r\n%s\r\n" % (len(step), step))
            elif callable(step):
                step()
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing is printed."""
