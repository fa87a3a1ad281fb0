"""Stripe's own Python library (PyPI `stripe` 16.1.0) as the judge of both sides.

Proves: events that the simulator signs are genuine to `Webhook.construct_event`, and each tampered
twin is refused; events that the library signs are taken by the host, and each tampered twin is
refused and changes nothing; every form field that the adapter sends, by name, type and listed
value, is one that the library's parameter types know, in the API version that the library speaks;
every field that the adapter reads, and every event it listens to, is one that the library knows; the
library as a client pays, holds, captures, refunds and is declined at the simulator.

Cannot prove: what Stripe answers, for the library only writes requests and checks signatures; which
combinations of parameters Stripe takes (its types say what exists, not what goes together).
"""

import json
import re
import time
import types
import typing
from unittest import mock
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests
import stripe
import stripe.params
from stripe import SignatureVerificationError, Webhook, WebhookSignature
from stripe._request_options import RequestOptions
from typing_extensions import get_type_hints

from host import ROOT, Account, Host, entry, simulator, until
from wire import Inbox, Message, Proxy

API_KEY = "sk_test_simulator"
WEBHOOK_SECRET = "whsec_test_simulator"
PLUGIN = ROOT / "plugins" / "stripe"

# What the library calls the parameters of each request.
PARAMS = [
    ("POST", r"/v1/payment_intents", stripe.params.PaymentIntentCreateParams),
    ("POST", r"/v1/payment_intents/\w+/capture", stripe.params.PaymentIntentCaptureParams),
    ("POST", r"/v1/payment_intents/\w+/cancel", stripe.params.PaymentIntentCancelParams),
    ("GET", r"/v1/payment_intents/\w+", stripe.params.PaymentIntentRetrieveParams),
    ("POST", r"/v1/payment_methods", stripe.params.PaymentMethodCreateParams),
    ("POST", r"/v1/refunds", stripe.params.RefundCreateParams),
    ("GET", r"/v1/refunds", stripe.params.RefundListParams),
    ("GET", r"/v1/refunds/\w+", stripe.params.RefundRetrieveParams),
    ("GET", r"/v1/balance_transactions", stripe.params.BalanceTransactionListParams),
]
# Names that the library's modules use and import for type checkers alone.
FOR_TYPE_CHECKERS = {**vars(typing), "StripeContext": object}


@pytest.fixture(scope="module")
def inbox(running):
    return running(Inbox())


@pytest.fixture(scope="module")
def stage(folder, inbox, running):
    """The simulator, whose events go to the inbox, and a proxy in front of it."""
    program, url = simulator(folder, "stripe", "--webhook-url", inbox.url)
    running(program)
    return running(Proxy(url)), url


@pytest.fixture(scope="module")
def client(stage):
    return stripe.StripeClient(API_KEY, base_addresses={"api": stage[1]}, max_network_retries=0)


@pytest.fixture(scope="module")
def host(folder, stage, running):
    url = stage[0].url
    account = Account(
        "stripe", url, {"base-url": url}, {"api-key": (API_KEY, ["header:authorization"])},
        [("webhook", "text", WEBHOOK_SECRET, None)])
    host = running(Host(folder, {"cards": account}))
    yield host
    assert host.contradictions() == host.expected


def card_payment(client, **params):
    fixed = {"amount": 1999, "currency": "eur", "confirm": True, "payment_method": "pm_card_visa",
             "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"}}
    return client.v1.payment_intents.create(fixed | params)


def about(inbox, reference, kind):
    """The next delivery of this kind of event about this object."""
    def wanted(message):
        event = json.loads(message.body)
        return event["type"] == kind and event["data"]["object"]["id"] == reference
    return inbox.next(wanted)


def opened(body, header, secret=WEBHOOK_SECRET):
    return Webhook.construct_event(body, header, secret)


def twins_of(body, header):
    """The delivery with one thing about it changed, each time another."""
    parts = dict(part.split("=") for part in header.split(",") if not part.startswith("v0"))
    at, tag = int(parts["t"]), parts["v1"]
    flipped = ("0" if tag[0] != "0" else "1") + tag[1:]
    return {
        "another body": (body.replace(b"1999", b"9999", 1), header),
        "a longer body": (body + b"\n", header),
        "a later time": (body, f"t={at + 1},v1={tag}"),
        "another signature": (body, f"t={at},v1={flipped}"),
        "half a signature": (body, f"t={at},v1={tag[:32]}"),
        "another scheme": (body, f"t={at},v0={tag}"),
        "no time": (body, f"v1={tag}"),
        "no signature": (body, f"t={at}"),
        "an empty header": (body, ""),
    }


def test_the_library_takes_what_the_simulator_signs_and_none_of_its_twins(client, inbox):
    intent = card_payment(client)
    message = about(inbox, intent.id, "payment_intent.succeeded")
    header = message.headers["stripe-signature"]
    event = opened(message.body, header)
    assert (event.type, event.data.object.id) == ("payment_intent.succeeded", intent.id)
    assert event.data.object.amount_received == 1999
    for name, (body, signature) in twins_of(message.body, header).items():
        assert (body, signature) != (message.body, header), name
        with pytest.raises(SignatureVerificationError):
            opened(body, signature)
    with pytest.raises(SignatureVerificationError):
        opened(message.body, header, "whsec_of_another")


def test_the_library_refuses_an_event_of_the_simulator_that_grew_old(client, inbox):
    intent = card_payment(client)
    message = about(inbox, intent.id, "payment_intent.succeeded")
    header = message.headers["stripe-signature"]
    signed_at = int(header.split(",")[0].removeprefix("t="))
    for age, taken in [(299, True), (301, False)]:
        with mock.patch("stripe._webhook.time.time", return_value=float(signed_at + age)):
            if taken:
                opened(message.body, header)
            else:
                with pytest.raises(SignatureVerificationError, match="tolerance"):
                    opened(message.body, header)


def test_the_library_refuses_what_the_simulator_breaks_on_purpose(client, inbox, stage):
    intent = card_payment(client)
    message = about(inbox, intent.id, "payment_intent.succeeded")
    order = {"id": json.loads(message.body)["id"], "broken": True}
    answer = requests.post(f"{stage[1]}/_simulator/redeliver", json=order, timeout=60)
    assert answer.status_code == 200
    again = about(inbox, intent.id, "payment_intent.succeeded")
    assert again.body == message.body
    with pytest.raises(SignatureVerificationError):
        opened(again.body, again.headers["stripe-signature"])


def test_the_library_is_served_by_the_simulator(client, inbox, stage):
    intent = card_payment(client, capture_method="manual")
    assert (intent.status, intent.amount_capturable) == ("requires_capture", 1999)
    intent = client.v1.payment_intents.capture(intent.id, {"amount_to_capture": 1500})
    assert (intent.status, intent.amount_received) == ("succeeded", 1500)
    refund = client.v1.refunds.create({"payment_intent": intent.id, "amount": 500})
    assert (refund.status, refund.amount) == ("succeeded", 500)
    message = about(inbox, refund.id, "refund.created")
    assert opened(message.body, message.headers["stripe-signature"]).data.object.amount == 500
    with pytest.raises(stripe.CardError) as declined:
        card_payment(client, payment_method="pm_card_chargeDeclinedInsufficientFunds")
    assert declined.value.error.decline_code == "insufficient_funds"
    assert declined.value.error.payment_intent.status == "requires_payment_method"
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.payment_intents.retrieve("pi_of_nobody")
    stranger = stripe.StripeClient("sk_test_stranger", base_addresses={"api": stage[1]})
    with pytest.raises(stripe.AuthenticationError):
        card_payment(stranger)


def waiting(host, client):
    """A payment that waits for its payer, and the event that says it was paid. It was not: only
    the event can move the ledger, asking the simulator cannot."""
    token = {"type": "token", "token": "pm_card_authenticationRequired"}
    payment = host.pay("cards", 1999, "EUR", token, return_url="https://shop.example/done")
    assert payment["status"] == "needs-action"
    known = entry(payment, "authorize")["reference"]["provider"]
    intent = client.v1.payment_intents.retrieve(known)
    paid = intent.to_dict() | {
        "status": "succeeded", "amount_received": 1999, "next_action": None,
        "latest_charge": "ch_counterparty"}
    event = {
        "id": f"evt_{intent.id}", "object": "event", "api_version": stripe.api_version,
        "created": int(time.time()), "data": {"object": paid}, "livemode": False,
        "pending_webhooks": 1, "request": {"id": None, "idempotency_key": None},
        "type": "payment_intent.succeeded"}
    return payment, json.dumps(event, indent=2)


def signed(body, at=None):
    return WebhookSignature.generate_signature_header(body, WEBHOOK_SECRET, at)


def test_the_host_takes_what_the_library_signs_and_none_of_its_twins(host, client):
    payment, body = waiting(host, client)
    header = signed(body)
    opened(body, header)
    for name, (twin, signature) in twins_of(body.encode(), header).items():
        with pytest.raises(SignatureVerificationError):
            opened(twin, signature)
        plain = "another scheme", "no time", "no signature", "an empty header"
        why = "the plugin cannot read it" if name in plain else "none of its signatures holds"
        assert host.refuses("cards", {"stripe-signature": signature}, twin, why), name
    assert host.deliver("cards", {"stripe-signature": header}, body) == 200
    payment = host.read(payment)
    assert (payment["status"], payment["captured_minor"]) == ("captured", 1999)


@pytest.mark.parametrize("seconds", [-400, 400])
def test_the_host_refuses_what_the_library_signed_at_another_time(host, client, seconds):
    payment, body = waiting(host, client)
    stale = signed(body, int(time.time()) + seconds)
    assert host.refuses("cards", {"stripe-signature": stale}, body, "it was signed")
    host.cancel(payment)


def test_the_host_takes_either_signature_while_a_secret_is_rolled(host, client):
    payment, body = waiting(host, client)
    at = int(time.time())
    tags = [WebhookSignature._compute_signature(f"{at}.{body}", secret)
            for secret in ("whsec_of_tomorrow", WEBHOOK_SECRET)]
    header = f"t={at},v1={tags[0]},v1={tags[1]}"
    opened(body, header)
    alone = {"stripe-signature": f"t={at},v1={tags[0]}"}
    assert host.refuses("cards", alone, body, "none of its signatures holds")
    assert host.deliver("cards", {"stripe-signature": header}, body) == 200
    assert host.read(payment)["status"] == "captured"


def test_an_event_of_the_library_about_another_amount_moves_nothing(host, client):
    payment, body = waiting(host, client)
    more = body.replace('"amount_received": 1999', '"amount_received": 2999')
    assert more != body
    before = host.everything()
    assert host.deliver("cards", {"stripe-signature": signed(more)}, more) == 200
    assert host.everything() == before
    assert "2999" in host.contradiction_expected()
    host.cancel(payment)


def params_of(method, path):
    found = [params for verb, pattern, params in PARAMS
             if verb == method and re.fullmatch(pattern, path)]
    assert len(found) == 1, f"{method} {path}"
    return found[0]


def hints(params):
    """The fields of a request. What steers the library itself is not sent in a body."""
    known = get_type_hints(params, None, FOR_TYPE_CHECKERS)
    return {name: hint for name, hint in known.items()
            if name not in RequestOptions.__annotations__}


def variants(hint):
    """The types that a hint admits."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType, list):
        return [each for one in typing.get_args(hint) for each in variants(one)]
    return [hint]


def is_known(params, name, value):
    """Whether a form field is one of these parameters: `a[b][c]` by the types that are nested."""
    first, *inner = re.findall(r"[^\[\]]+", name)
    hint = hints(params).get(first)
    if hint is None:
        return False
    if inner:
        rest = inner[0] + "".join(f"[{each}]" for each in inner[1:])
        return any(takes_field(each, rest, value) for each in variants(hint))
    return takes_value(variants(hint), value)


def takes_field(hint, name, value):
    if typing.get_origin(hint) is dict:
        return "[" not in name
    return hasattr(hint, "__total__") and is_known(hint, name, value)


def takes_value(hints_of_it, value):
    """Where values are listed, it has to be one of them, although `str` may stand beside. An empty
    text alone is no list: it is how a field is unset."""
    listed = [each for each in hints_of_it if typing.get_origin(each) is typing.Literal
              and typing.get_args(each) != ("",)]
    if listed:
        return any(value in typing.get_args(each) for each in listed)
    takes = {int: str.isdigit, bool: ("true", "false").__contains__, str: lambda text: True}
    return any(each in takes and takes[each](value) for each in hints_of_it)


def judged(message):
    """Every field of a request, judged. Gives how many there were."""
    target = urlsplit(message.target)
    fields = parse_qsl(target.query) + parse_qsl(message.body.decode(), keep_blank_values=True)
    params = params_of(message.method, target.path)
    for name, value in fields:
        assert is_known(params, name, value), f"{params.__name__}: {name}={value}"
    return len(fields)


def test_every_field_that_leaves_the_host_is_one_that_the_library_knows(host, stage, client):
    proxy, _ = stage
    from_here = len(proxy.seen)
    token = {"type": "token", "token": "pm_card_visa"}
    extra = {"receipt_email": "ada@shop.example", "statement_descriptor_suffix": "BOOKS"}
    held = host.pay("cards", 1999, "EUR", token, capture="manual", description="Two books",
                    return_url="https://shop.example/done", extra=extra)
    host.part(held, "captures", 1500)
    host.part(host.read(held), "refunds", 500)
    host.cancel(host.pay("cards", 700, "EUR", token, capture="manual"))
    payment, _ = waiting(host, client)
    until("a query", lambda: host.sync(payment) and
          any(message.method == "GET" for message in proxy.seen[from_here:]))
    host.cancel(payment)
    proxy.loses = lambda message: message.path == "/v1/refunds" and message.method == "POST"
    host.part(held, "refunds", 100)
    proxy.lose_nothing()
    host.find_out(held, "refund", "succeeded")
    sent = proxy.seen[from_here:]
    assert sum(judged(message) for message in sent) > 30
    assert {params_of(message.method, message.path) for message in sent} >= {
        stripe.params.PaymentIntentCreateParams, stripe.params.PaymentIntentCaptureParams,
        stripe.params.PaymentIntentCancelParams, stripe.params.PaymentIntentRetrieveParams,
        stripe.params.RefundCreateParams, stripe.params.RefundListParams}
    versions = {message.headers["stripe-version"] for message in sent}
    assert versions == {stripe.api_version}


def requests_of_transcripts():
    """What the adapter is held to send, by its transcripts: also what no payment here brings up."""
    for path in sorted((PLUGIN / "transcripts").glob("*.txt")):
        for block in re.findall(r"(?m)(?:^[>?] .*$\n?)+", path.read_text()):
            first, *lines = [line[2:] for line in block.splitlines()]
            method, url = first.split(" ", 1)
            headers = [line for line in lines if re.match(r"[a-z-]+: ", line)]
            body = "".join(line for line in lines if line not in headers)
            yield path.name, Message(method, urlsplit(url)._replace(scheme="", netloc="").geturl(),
                                     {}, re.sub(r"\{.*?\}", "1", body).encode())


def test_every_field_in_the_transcripts_is_one_that_the_library_knows():
    found = list(requests_of_transcripts())
    fields = sum(judged(message) for _, message in found)
    assert len(found) > 50 and fields > 500
    used = {params_of(message.method, message.path) for _, message in found}
    assert used == {params for _, _, params in PARAMS}


@pytest.mark.parametrize("name, value", [
    ("amout", "1999"), ("automatic_payment_methods[enable]", "true"), ("amount", "19.99"),
    ("automatic_payment_methods[allow_redirects]", "sometimes"), ("confirm", "yes"),
    ("capture_method", "later"), ("metadata[a][b]", "c"), ("idempotency_key", "K1"),
    ("payment_method[id]", "pm_1"),
])
def test_a_field_that_stripe_does_not_have_is_found(name, value):
    assert not is_known(stripe.params.PaymentIntentCreateParams, name, value)


def fields_read():
    """The fields that the adapter reads, by the name of its structure."""
    text = (PLUGIN / "src" / "wire.rs").read_text()
    for name, body in re.findall(r"pub struct (\w+)(?:<T>)? \{\n(.*?)\n\}", text, re.S):
        fields = re.findall(r'(?:#\[serde\(rename = "(\w+)"\)\]\s*)?pub (\w+):', body)
        yield name, [at_stripe or here for at_stripe, here in fields]


def test_every_field_that_the_adapter_reads_is_one_that_the_library_knows():
    objects = {
        "Intent": stripe.PaymentIntent, "Refund": stripe.Refund, "List": stripe.ListObject,
        "PaymentMethod": stripe.PaymentMethod, "Fault": stripe.ErrorObject, "Event": stripe.Event}
    read = dict(fields_read())
    assert read.pop("Problem") == ["error"]
    assert read.keys() == objects.keys()
    for name, fields in read.items():
        assert fields, name
        for one in fields:
            assert one in objects[name].__annotations__, f"{name}.{one}"


def test_every_event_that_the_adapter_listens_to_is_one_that_the_library_knows():
    text = (PLUGIN / "src" / "webhook.rs").read_text()
    listened = set(re.findall(r'"((?:payment_intent|refund|charge)\.[a-z_.]+)"', text))
    assert len(listened) >= 10
    assert listened <= set(typing.get_args(stripe.Event.__annotations__["type"]))


def test_every_booking_that_the_adapter_reads_is_one_that_the_library_knows():
    text = (PLUGIN / "src" / "settlement.rs").read_text()
    body = re.search(r"struct Booking \{\n(.*?)\n\}", text, re.S)[1]
    fields = re.findall(r'(?:#\[serde\(rename = "(\w+)"\)\]\s*)?(\w+):', body)
    for at_stripe, here in fields:
        assert (at_stripe or here) in stripe.BalanceTransaction.__annotations__, here
    assert len(fields) == 7
    kinds = re.findall(r'MovementKind::\w+, "([a-z_ ]+)"', text)
    read = {kind for one in kinds for kind in one.split(" ")}
    hint = stripe.BalanceTransaction.__annotations__["type"]
    known = {value for one in variants(hint) for value in typing.get_args(one)}
    assert len(read) == 7 and read <= known


def test_the_library_reads_the_balance_of_the_simulator_to_its_end(client):
    since = int(time.time())
    intent = card_payment(client)
    client.v1.refunds.create({"payment_intent": intent.id, "amount": 500})
    asked = {"created": {"gte": since}, "limit": 1, "expand": ["data.source"]}
    found = list(client.v1.balance_transactions.list(asked).auto_paging_iter())
    assert [one.created for one in found] == sorted((one.created for one in found), reverse=True)
    own = [one for one in found if one.source.payment_intent == intent.id]
    assert [(one.type, one.amount, one.net) for one in own] == [
        ("refund", -500, -500), ("charge", 1999, 1999 - one_and_a_half_percent(1999) - 25)]
    nothing = {"created": {"gte": since + 3600}}
    assert list(client.v1.balance_transactions.list(nothing).auto_paging_iter()) == []


def one_and_a_half_percent(amount):
    return amount * 15 // 1000
