"""Servers on loopback that stand between the two sides: one that keeps deliveries, and one that
passes requests on and can lose or refuse them. Neither knows a provider."""

import http.client
import queue
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Message:
    """A request as it came; header names in lower case."""

    method: str
    target: str
    headers: dict
    body: bytes

    @property
    def path(self):
        return urlsplit(self.target).path


class Server:
    """Answers each request with `answer(message)`: status, headers and body; `None` hangs up."""

    def __init__(self):
        outer = self

        class Connection(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def serve_one(self):
                length = int(self.headers.get("content-length", 0))
                headers = {name.lower(): value for name, value in self.headers.items()}
                body = self.rfile.read(length)
                answer = outer.answer(Message(self.command, self.path, headers, body))
                if answer is None:
                    self.close_connection = True
                    return
                status, headers, body = answer
                self.send_response_only(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                if status != 204:
                    self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_DELETE = serve_one

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Connection)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def answer(self, message):
        raise NotImplementedError

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Inbox(Server):
    """Accepts every delivery and keeps it."""

    def __init__(self):
        self.deliveries = queue.Queue()
        super().__init__()

    def answer(self, message):
        self.deliveries.put(message)
        return 200, {}, b""

    def next(self, wanted=lambda message: True):
        while True:
            message = self.deliveries.get(timeout=60)
            if wanted(message):
                return message


class Proxy(Server):
    """Passes requests on to a provider and keeps them.

    `change(message)` may rewrite a request. While `loses` holds for one, it is passed on and its
    answer is lost; while `refuses` holds, it is answered with 503 and not passed on."""

    def __init__(self, to, change=lambda message: message):
        self.to = urlsplit(to).netloc
        self.change = change
        self.seen = []
        self.lose_nothing()
        super().__init__()

    def lose_nothing(self):
        self.loses = self.refuses = lambda message: False

    def answer(self, message):
        self.seen.append(message)
        if self.refuses(message):
            return 503, {}, b""
        lost = self.loses(message)
        answer = self.forward(self.change(message))
        return None if lost else answer

    def forward(self, message):
        onward = http.client.HTTPConnection(self.to, timeout=60)
        of_the_connection = ("host", "connection", "content-length", "transfer-encoding")
        headers = {name: value for name, value in message.headers.items()
                   if name not in of_the_connection}
        onward.request(message.method, message.target, message.body or None, headers)
        reply = onward.getresponse()
        body = reply.read()
        kept = {name: value for name, value in reply.getheaders()
                if name.lower() not in of_the_connection}
        onward.close()
        return reply.status, kept, body
