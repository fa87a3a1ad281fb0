"""The Stripe adapter, unchanged, against localstripe 1.15.10: a stateful fake of Stripe that other
people wrote, run as a process of its own.

Proves: the host and the sandboxed adapter take, hold, capture, give back and cancel money at a
server that nobody here wrote, and leave in its books what the ledger says; 3-D Secure both ways;
events that localstripe signs move the ledger, and tampered ones do not; an answer that was lost is
found out by asking, and the money moves once.

Cannot prove: idempotency keys, for localstripe ignores them (so no answer to a first payment is
lost here: the host would repeat it under its key, and localstripe take it twice); the amounts of a
PaymentIntent (`localstripe_process.py` adds them from localstripe's charge); the shape of today's
declines (localstripe says `invalid_request_error` where Stripe says `card_error`, and no
`decline_code`); redirects (its 3-D Secure is always for Stripe's own library); events about refunds
and cancellations (it sends none); Stripe's parameters that it does not know (`STRIPPED`).
"""

import dataclasses
import json
import sys
from pathlib import Path
from urllib.parse import parse_qsl, urlencode

import pytest
import requests

from host import Account, Host, Program, entry
from wire import Inbox, Proxy

API_KEY = "sk_test_counterparty"
WEBHOOK_SECRET = "whsec_test_counterparty"
SIGNED_IN = {"authorization": f"Bearer {API_KEY}"}

# Parameters that Stripe documents and localstripe refuses with "Unexpected …". A proxy takes these,
# and nothing else, out of what the adapter sends.
STRIPPED = {
    # Which methods may be offered. localstripe has cards only, and asks for none to be named.
    "automatic_payment_methods[enabled]",
    "automatic_payment_methods[allow_redirects]",
    # Where the payer comes back to. localstripe sends nobody away.
    "return_url",
    # Text for receipts and the dashboard. localstripe has neither.
    "description",
}
# Documented for a capture, too; localstripe takes it only when a PaymentIntent is updated. There
# the proxy puts it, just before the capture.
MOVED_FROM_CAPTURE = "metadata[capture]"

APPROVED = "4242424242424242"
DECLINED = "4000000000000341"
AUTHENTICATED = "4000002500003155"
AUTHENTICATED_AND_DECLINED = "4000008400001629"


class Localstripe:
    """localstripe, as its own API and its own controls have it."""

    def __init__(self, folder):
        script = Path(__file__).with_name("localstripe_process.py")
        self.program = Program(folder, "localstripe", [sys.executable, "-u", script])
        self.url = self.program.address("localstripe listening on ")

    def stop(self):
        self.program.stop()

    def post(self, path, fields):
        url = f"{self.url}{path}"
        return requests.post(url, data=fields, headers=SIGNED_IN, timeout=60)

    def method(self, number):
        """A payment method of a card, as Stripe's library makes it in the payer's browser."""
        card = {"number": number, "exp_month": "12", "exp_year": "2040", "cvc": "123"}
        fields = {"type": "card"} | {f"card[{name}]": value for name, value in card.items()}
        return self.post("/v1/payment_methods", fields).json()["id"]

    def intent(self, payment):
        path = f"/v1/payment_intents/{entry(payment, 'authorize')['reference']['provider']}"
        return requests.get(f"{self.url}{path}", headers=SIGNED_IN, timeout=60).json()

    def refunds(self, payment):
        intent = entry(payment, "authorize")["reference"]["provider"]
        path = f"/v1/refunds?payment_intent={intent}&limit=100"
        return requests.get(f"{self.url}{path}", headers=SIGNED_IN, timeout=60).json()["data"]

    def kept(self, payment):
        """What the merchant has in the end."""
        intent = self.intent(payment)
        given = sum(refund["amount"] for refund in self.refunds(payment) if refund["metadata"])
        return intent["amount_received"] - given

    def authenticate(self, payment, success):
        """The payer answers the bank's question, known by the secret that the app was given."""
        action = payment["next_action"]
        assert action["type"] == "app"
        path = f"/v1/payment_intents/{action['link'].split('_secret_')[0]}/_authenticate"
        fields = {"client_secret": action["link"], "success": "true" if success else "false"}
        return self.post(path, fields)

    def tell(self, url, secret=WEBHOOK_SECRET):
        """Whom events go to from now on."""
        told = {"url": url, "secret": secret}
        path = f"{self.url}/_config/webhooks/counterparty"
        assert requests.post(path, json=told, timeout=60).status_code == 200

    def tell_nobody(self):
        told = {"url": "http://127.0.0.1", "secret": "-", "events": []}
        path = f"{self.url}/_config/webhooks/counterparty"
        assert requests.post(path, json=told, timeout=60).status_code == 200


@pytest.fixture(scope="module")
def stripe(folder, running):
    return running(Localstripe(folder))


@pytest.fixture(scope="module")
def between(stripe, running):
    def change(message):
        fields = parse_qsl(message.body.decode(), keep_blank_values=True)
        kept = [(name, value) for name, value in fields if name not in STRIPPED]
        if message.path.endswith("/capture"):
            moved = [field for field in kept if field[0] == MOVED_FROM_CAPTURE]
            kept = [field for field in kept if field[0] != MOVED_FROM_CAPTURE]
            answer = stripe.post(message.path.removesuffix("/capture"), moved)
            assert answer.status_code == 200, answer.text
        return dataclasses.replace(message, body=urlencode(kept).encode())
    return running(Proxy(stripe.url, change))


@pytest.fixture(scope="module")
def host(folder, between, running):
    def account(api_key):
        return Account(
            "stripe", between.url, {"base-url": between.url},
            {"api-key": (api_key, ["header:authorization"])},
            [("webhook", "text", WEBHOOK_SECRET, None)])
    accounts = {"cards": account(API_KEY), "strangers": account("rk_test_of_another")}
    host = running(Host(folder, accounts))
    yield host
    assert host.contradictions() == host.expected


@pytest.fixture(autouse=True)
def all_well(between, stripe):
    """Each test begins with nothing lost, nothing refused and no event on its way to the host."""
    between.lose_nothing()
    stripe.tell_nobody()


def pay(host, stripe, number=APPROVED, minor=1999, **more):
    token = {"type": "token", "token": stripe.method(number)}
    return host.pay("cards", minor, "EUR", token, **more)


def hold(host, stripe, **more):
    payment = pay(host, stripe, capture="manual", **more)
    assert payment["status"] == "authorized"
    return payment


def is_query(message):
    return message.method == "GET"


def test_a_payment_is_taken_at_once(host, stripe):
    payment = pay(host, stripe, description="Two books", return_url="https://shop.example/done")
    assert payment["status"] == "captured"
    assert (payment["authorized_minor"], payment["captured_minor"]) == (1999, 1999)
    intent = stripe.intent(payment)
    assert (intent["status"], intent["amount"], intent["currency"]) == ("succeeded", 1999, "eur")
    assert intent["metadata"] == {
        "entry": entry(payment, "authorize")["id"],
        "payment": payment["id"],
        "reference": payment["merchant_reference"],
    }
    assert stripe.kept(payment) == 1999


def test_a_declined_card_is_declined_and_nothing_is_kept(host, stripe):
    payment = pay(host, stripe, DECLINED)
    assert payment["status"] == "declined"
    decline = payment["decline"]
    assert (decline["code"], decline["provider_code"]) == ("generic", "card_declined")
    assert decline["provider_message"] == "Your card was declined."
    assert payment["captured_minor"] == 0


def test_an_unknown_payment_method_is_declined(host):
    payment = host.pay("cards", 500, "EUR", {"type": "token", "token": "pm_of_nobody"})
    assert payment["status"] == "declined"
    assert payment["decline"]["code"] == "invalid-request"


def test_a_refused_api_key_is_declined_towards_another_provider(host, stripe):
    token = {"type": "token", "token": stripe.method(APPROVED)}
    payment = host.pay("strangers", 500, "EUR", token)
    assert payment["status"] == "declined"
    assert payment["decline"]["code"] == "provider-unavailable"
    assert payment["decline"]["retry"] == "other-provider"


def test_a_hold_is_captured_whole(host, stripe):
    payment = hold(host, stripe)
    assert stripe.intent(payment)["status"] == "requires_capture"
    assert stripe.kept(payment) == 0
    payment = host.part(payment, "captures")
    assert (payment["status"], payment["captured_minor"]) == ("captured", 1999)
    assert stripe.intent(payment)["status"] == "succeeded"
    assert stripe.kept(payment) == 1999


def test_a_hold_is_captured_in_part(host, stripe):
    payment = host.part(hold(host, stripe), "captures", 1500)
    assert (payment["status"], payment["captured_minor"]) == ("partially-captured", 1500)
    # localstripe gives the rest back by a refund, as Stripe did before it had `amount_captured`.
    assert [refund["amount"] for refund in stripe.refunds(payment)] == [499]
    assert stripe.kept(payment) == 1500


def test_a_payment_is_refunded_in_parts_until_nothing_is_left(host, stripe, between):
    payment = host.part(pay(host, stripe), "refunds", 500)
    assert (payment["status"], payment["refunded_minor"]) == ("partially-refunded", 500)
    assert stripe.kept(payment) == 1499
    sent = len(between.seen)
    with pytest.raises(AssertionError, match="over-refund"):
        host.part(payment, "refunds", 1500)
    assert len(between.seen) == sent
    payment = host.part(payment, "refunds")
    assert (payment["status"], payment["refunded_minor"]) == ("refunded", 1999)
    assert sorted(refund["amount"] for refund in stripe.refunds(payment)) == [500, 1499]
    assert stripe.kept(payment) == 0


def test_a_hold_captured_in_part_is_refunded_by_that_part(host, stripe):
    payment = host.part(hold(host, stripe), "captures", 1500)
    payment = host.part(payment, "refunds")
    assert (payment["status"], payment["refunded_minor"]) == ("refunded", 1500)
    assert stripe.kept(payment) == 0


def test_a_hold_is_cancelled(host, stripe):
    payment = host.cancel(hold(host, stripe))
    assert (payment["status"], payment["captured_minor"]) == ("cancelled", 0)
    assert stripe.intent(payment)["status"] == "canceled"


def test_a_payment_that_waits_for_its_payer_is_cancelled(host, stripe):
    payment = host.cancel(pay(host, stripe, AUTHENTICATED))
    assert payment["status"] == "cancelled"
    assert entry(payment, "authorize")["state"] == "expired"
    assert stripe.intent(payment)["status"] == "canceled"


def test_an_authenticated_payment_is_taken_by_its_event_alone(host, stripe, between):
    between.refuses = is_query
    stripe.tell(f"{host.url}/webhooks/cards")
    payment = pay(host, stripe, AUTHENTICATED)
    assert payment["status"] == "needs-action"
    assert stripe.authenticate(payment, success=True).status_code == 200
    payment = host.until(payment, "captured")
    assert payment["captured_minor"] == 1999
    assert stripe.kept(payment) == 1999
    delivered = 'webhook "payment_intent.succeeded" successfully delivered'
    stripe.program.wait_for("localstripe's word", lambda: delivered in stripe.program.said())


def test_an_authenticated_payment_is_found_out_by_asking(host, stripe):
    payment = pay(host, stripe, AUTHENTICATED)
    assert host.sync(payment)["status"] == "needs-action"
    assert stripe.authenticate(payment, success=True).status_code == 200
    assert host.find_out(payment, "authorize", "succeeded")["status"] == "captured"


def test_an_authenticated_hold_is_held_and_captured(host, stripe):
    payment = pay(host, stripe, AUTHENTICATED, capture="manual")
    assert payment["status"] == "needs-action"
    assert stripe.authenticate(payment, success=True).status_code == 200
    payment = host.find_out(payment, "authorize", "succeeded")
    assert (payment["status"], stripe.kept(payment)) == ("authorized", 0)
    payment = host.part(payment, "captures", 1000)
    assert (payment["status"], stripe.kept(payment)) == ("partially-captured", 1000)


def test_a_failed_authentication_is_declined(host, stripe):
    payment = pay(host, stripe, AUTHENTICATED)
    assert stripe.authenticate(payment, success=False).status_code == 200
    payment = host.find_out(payment, "authorize", "declined")
    assert payment["status"] == "declined"
    assert payment["decline"]["code"] == "authentication-required"
    assert payment["decline"]["provider_code"] == "payment_intent_authentication_failure"


def test_a_card_declined_after_authentication_is_declined_by_its_event(host, stripe, between):
    between.refuses = is_query
    stripe.tell(f"{host.url}/webhooks/cards")
    payment = pay(host, stripe, AUTHENTICATED_AND_DECLINED)
    assert stripe.authenticate(payment, success=True).status_code == 402
    payment = host.until(payment, "declined")
    assert payment["decline"]["code"] == "generic"
    assert payment["decline"]["provider_code"] == "card_declined"


def test_the_event_of_a_capture_is_known_already(host, stripe):
    stripe.tell(f"{host.url}/webhooks/cards")
    delivered = 'webhook "payment_intent.succeeded" successfully delivered'
    before = stripe.program.said().count(delivered)
    payment = host.part(hold(host, stripe), "captures", 1500)
    stripe.program.wait_for(
        "the event", lambda: stripe.program.said().count(delivered) > before)
    assert host.read(payment)["entries"] == payment["entries"]


def test_an_event_is_refused_while_anything_about_it_is_tampered_with(
        host, stripe, between, running):
    between.refuses = is_query
    inbox = running(Inbox())
    stripe.tell(inbox.url)
    payment = pay(host, stripe, AUTHENTICATED)
    stripe.authenticate(payment, success=True)
    event = inbox.next(lambda message: payment["id"].encode() in message.body)
    signature = event.headers["stripe-signature"]
    at, tag = (part.split("=")[1] for part in signature.split(","))
    last = "0" if tag[-1] != "0" else "1"
    assert event.body.count(b'"amount_received": 1999') == 1
    more = event.body.replace(b'"amount_received": 1999', b'"amount_received": 9999')
    forged, unreadable = "none of its signatures holds", "the plugin cannot read it"
    twins = [
        (signature, more, forged),
        (signature, event.body + b" ", forged),
        (f"t={int(at) + 1},v1={tag}", event.body, forged),
        (f"t={at},v1={tag[:-1]}{last}", event.body, forged),
        (f"t={at},v1={tag[:-2]}", event.body, forged),
        (f"t={at},v0={tag}", event.body, unreadable),
        (f"v1={tag}", event.body, unreadable),
        ("", event.body, unreadable),
    ]
    for header, body, why in twins:
        assert host.refuses("cards", {"stripe-signature": header}, body, why)
    assert host.refuses("cards", {}, event.body, unreadable)
    genuine = {"stripe-signature": signature}
    assert host.deliver("cards", genuine, event.body) == 200
    assert host.read(payment)["status"] == "captured"
    after = host.everything()
    assert host.deliver("cards", genuine, event.body) == 200
    assert host.everything() == after


def test_an_event_signed_with_another_secret_is_refused(host, stripe, between, running):
    between.refuses = is_query
    inbox = running(Inbox())
    stripe.tell(inbox.url, "whsec_of_another")
    payment = pay(host, stripe, AUTHENTICATED)
    stripe.authenticate(payment, success=True)
    event = inbox.next(lambda message: payment["id"].encode() in message.body)
    header = {"stripe-signature": event.headers["stripe-signature"]}
    assert host.refuses("cards", header, event.body, "none of its signatures holds")
    between.lose_nothing()
    assert host.find_out(payment, "authorize", "succeeded")["status"] == "captured"


def test_a_refund_whose_answer_was_lost_is_found_and_made_once(host, stripe, between):
    payment = pay(host, stripe)
    between.loses = lambda message: message.path == "/v1/refunds" and message.method == "POST"
    between.refuses = is_query
    payment = host.part(payment, "refunds", 700)
    assert entry(payment, "refund")["state"] == "unknown"
    between.lose_nothing()
    payment = host.find_out(payment, "refund", "succeeded")
    assert [refund["amount"] for refund in stripe.refunds(payment)] == [700]
    assert payment["refunded_minor"] == 700


@pytest.mark.parametrize("verb, state", [("capture", "captured"), ("cancel", "cancelled")])
def test_a_lost_answer_about_a_hold_is_found_out(host, stripe, between, verb, state):
    payment = hold(host, stripe)
    between.loses = lambda message: message.path.endswith(f"/{verb}")
    between.refuses = is_query
    payment = host.part(payment, "captures") if verb == "capture" else host.cancel(payment)
    assert entry(payment, verb)["state"] == "unknown"
    between.lose_nothing()
    assert host.find_out(payment, verb, "succeeded")["status"] == state


@pytest.mark.parametrize("name", sorted(STRIPPED))
def test_only_what_localstripe_refuses_is_stripped(stripe, name):
    fields = {"amount": "100", "currency": "eur", "payment_method": stripe.method(APPROVED)}
    assert stripe.post("/v1/payment_intents", fields).status_code == 200
    answer = stripe.post("/v1/payment_intents", fields | {name: "true"})
    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == f"Unexpected {name.split('[')[0]}"


def test_metadata_of_a_capture_is_moved_because_localstripe_refuses_it(host, stripe):
    intent = stripe.intent(hold(host, stripe))
    path = f"/v1/payment_intents/{intent['id']}/capture"
    answer = stripe.post(path, {MOVED_FROM_CAPTURE: "x"})
    assert answer.status_code == 400
    assert answer.json()["error"]["message"] == "Unexpected metadata"


def test_all_that_is_stripped_was_sent_and_nothing_else_is_missing(host, stripe, between):
    from_here = len(between.seen)
    host.part(hold(host, stripe, description="Two books"), "captures")
    pay(host, stripe, return_url="https://shop.example/done")
    sent = {}
    for message in between.seen[from_here:]:
        sent |= parse_qsl(message.body.decode())
    assert STRIPPED | {MOVED_FROM_CAPTURE} <= sent.keys()
    assert sent["return_url"] == "https://shop.example/done"
