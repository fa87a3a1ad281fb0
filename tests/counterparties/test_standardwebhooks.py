"""What an app's endpoint is told, judged by the library `standardwebhooks`: it takes what comes, and
refuses every tampered twin."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from host import Account, Host, SECONDS_MAX, simulator, until

VAULT_KEY = "8d0b3b6a5b0f4e2c9a7d1e3f5a6b7c8d9e0f1a2b3c4d5e6f708192a3b4c5d6e7"
MORE = f"""
[vault]
master = [{{ id = "test", command = ["echo", "{VAULT_KEY}"] }}]
[notifications]
allow_networks = ["127.0.0.0/8"]
allow_http = true
"""


class Inbox:
    """An endpoint that keeps what it is told."""

    def __init__(self):
        told = self.told = []

        class Keep(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                told.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Keep)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/told"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def hears(self, count):
        return until(f"{count} notifications", lambda: len(self.told) >= count and self.told)

    def stop(self):
        self.server.shutdown()


@pytest.fixture(scope="module")
def stripe(folder, running):
    program, url = simulator(folder, "stripe")
    running(program)
    return Account(
        "stripe", url, {"base-url": url},
        {"api-key": ("sk_test_simulator", ["header:authorization"])},
        [("webhook", "text", "whsec_test_simulator", None)])


@pytest.fixture(scope="module")
def host(folder, running, stripe):
    return running(Host(folder, {"cards": stripe}, sections=MORE))


@pytest.fixture
def inbox():
    inbox = Inbox()
    yield inbox
    inbox.stop()


def call(host, method, path, body=None):
    answer = host.app.request(method, f"{host.url}{path}", json=body, timeout=SECONDS_MAX)
    assert answer.status_code in (200, 201), answer.text
    return answer.json()


def endpoint(host, inbox):
    return call(host, "POST", "/v1/endpoints", {"url": inbox.url, "events": ["*"]})


def pay(host):
    return host.pay("cards", 1999, "EUR", {"type": "token", "token": "pm_card_visa"})


def test_every_notification_is_taken_by_the_library_and_is_the_event_of_the_feed(host, inbox):
    before = len(host.everything()[0])
    secret = endpoint(host, inbox)["secret"]
    payment = pay(host)
    host.part(payment, "refunds", 500)
    host.part(payment, "refunds")
    told = inbox.hears(3)
    verified = [Webhook(secret).verify(body, headers) for headers, body in told]
    events = [event for event in feed(host) if event["payment"]["id"] == payment["id"]]
    assert verified == events and before < len(host.everything()[0])
    assert [headers["webhook-id"] for headers, _ in told] == [event["id"] for event in events]


def feed(host):
    return host.app.get(f"{host.url}/v1/events?limit=100", timeout=SECONDS_MAX).json()["events"]


def flipped(text, at):
    # A digit stays one, and what may be base64 stays so: the library says nothing of what is neither.
    other = chr(ord(text[at]) ^ 1) if text[at].isdigit() else "c" if text[at] == "b" else "b"
    return text[:at] + other + text[at + 1:]


def test_every_tampered_twin_is_refused_by_the_library(host, inbox):
    added = endpoint(host, inbox)
    other = endpoint(host, Inbox())["secret"]
    pay(host)
    headers, body = inbox.hears(1)[0]
    hook = Webhook(added["secret"])
    hook.verify(body, headers)
    text = body.decode()
    twins = [(headers, flipped(text, at).encode()) for at in range(0, len(text), 37)]
    twins += [(headers, body + b" "), (headers, body[:-1]), (headers, b"")]
    for name in ("webhook-id", "webhook-timestamp", "webhook-signature"):
        value = headers[name]
        for at in (len(value) // 2, len(value) - 3):
            twins.append((headers | {name: flipped(value, at)}, body))
        twins.append(({key: each for key, each in headers.items() if key != name}, body))
    later = str(int(headers["webhook-timestamp"]) + 1)
    twins.append((headers | {"webhook-timestamp": later}, body))
    for tampered, content in twins:
        with pytest.raises(WebhookVerificationError):
            hook.verify(content, tampered)
    with pytest.raises(WebhookVerificationError):
        Webhook(other).verify(body, headers)
    assert len(twins) > 30


def test_while_a_secret_is_rotated_the_library_takes_both_and_after_it_only_the_new(host, inbox):
    added = endpoint(host, inbox)
    path = f"/v1/endpoints/{added['id']}/secret"
    second = call(host, "POST", path, {"overlap_s": 3600})["secret"]
    pay(host)
    headers, body = inbox.hears(1)[0]
    for secret in (added["secret"], second):
        Webhook(secret).verify(body, headers)
    third = call(host, "POST", path, {"overlap_s": 0})["secret"]
    pay(host)
    headers, body = inbox.hears(2)[1]
    Webhook(third).verify(body, headers)
    for secret in (added["secret"], second):
        with pytest.raises(WebhookVerificationError):
            Webhook(secret).verify(body, headers)
