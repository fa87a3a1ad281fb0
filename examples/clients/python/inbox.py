"""Where notifications arrive: a small web server that takes nothing it cannot verify."""

import json
import queue
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks.webhooks import Webhook, WebhookVerificationError


class Inbox:
    """Keeps verified notifications until somebody asks for them."""

    def __init__(self):
        self.secret = None
        self.arrived = queue.Queue()
        self.refused = 0
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._receiver())
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server.server_port}/tollgate"

    def _receiver(inbox):
        class Receiver(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                try:
                    Webhook(inbox.secret).verify(body, dict(self.headers.items()))
                except WebhookVerificationError:
                    inbox.refused += 1
                    self.send_response(400)
                else:
                    # Answer at once; what there is to do is done later.
                    inbox.arrived.put(json.loads(body))
                    self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        return Receiver

    def wait_for(self, name, payment):
        """The notification of this event of this payment. Others are of no concern here."""
        while True:
            event = self.arrived.get(timeout=60)
            if (event["name"], event["payment"]["id"]) == (name, payment["id"]):
                return event
