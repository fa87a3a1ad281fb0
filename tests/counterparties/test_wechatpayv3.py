"""PyPI `wechatpayv3` 2.0.4 on WeChat Pay's side of the host, and as a client of the simulator.

Proves: the library, given the same key, time and nonce, signs each of the adapter's requests with
the same signature (and not its tampered twins); the host believes answers that the library signs,
and none of their tampered twins: money is then `unknown` until an honest answer is had; it takes
notifications that the library opens, and tampered twins change nothing; a name that the adapter
seals is opened by the library. The library as a client pays, is paid back and pays out at the simulator,
verifies its answers and opens its notifications, in both of the platform's identities.

Cannot prove: what WeChat Pay answers (`wechat_platform.py` says that, by the manual); how old a
signature may be (the library looks at no time: those twins are judged by the host alone).
"""

import base64
import dataclasses
import json
import re
import secrets
import shutil
import time
import uuid

import pytest
import requests
from wechatpayv3 import WeChatPay, WeChatPayType, utils

import wechat_platform
from host import Account, Host, entry, free_port, simulator, until
from wechat_platform import KEY_ID, KEY_ID_OF_NOBODY, SERIAL, Platform, flipped
from wire import Inbox

QR = {"type": "qr"}
REPORTS = json.dumps([{"info_type": "岗位类型", "info_content": "推广员"}])
FORGED, UNREADABLE = "none of its signatures holds", "the plugin cannot read it"
STALE, NO_KEY = "it was signed", "no key of slot `platform` fits"


@pytest.fixture(scope="module")
def platform(running):
    return running(Platform())


@pytest.fixture(scope="module")
def host(folder, platform, running):
    settings = {"base-url": platform.url, "mchid": wechat_platform.MCHID,
                "appid": wechat_platform.APPID}
    account = Account("wechatpay", platform.url, settings, keys=[
        ("merchant", "pem", wechat_platform.private_pem(platform.merchant), SERIAL),
        ("platform", "pem", wechat_platform.public_pem(platform.key), KEY_ID),
        ("api-v3-key", "text", platform.api_v3_key, None)])
    host = running(Host(folder, {"wechat": account}, free_port()))
    yield host
    assert host.contradictions() == host.expected
    assert platform.refused == []


@pytest.fixture(autouse=True)
def honest(platform):
    yield
    platform.be_honest()


def order(host, minor=1234):
    return host.pay("wechat", minor, "CNY", QR, description="茶 & Tea")


def number(payment, kind="authorize"):
    return entry(payment, kind)["id"]


def paid(host, platform):
    payment = order(host)
    platform.pay(number(payment))
    return host.find_out(payment, "authorize", "succeeded")


def pay_out(host, **more):
    body = {"account": "wechat", "amount": {"minor": 5000, "currency": "CNY"},
            "merchant_reference": f"payout-{uuid.uuid4()}", "description": "Commission",
            "instrument": {"type": "wallet", "wallet": "o-MYE42l80oelYMDE34nYD456Xoy"},
            "extra": {"transfer_scene_id": "1005", "transfer_scene_report_infos": REPORTS}}
    return host.post("/v1/payouts", body | more)


def bill(payment):
    return number(payment, "payout").replace("_", "")


def test_a_signed_order_is_taken_and_its_signed_answer_believed(host, platform):
    payment = order(host)
    assert payment["status"] == "needs-action"
    asked = json.loads(platform.seen[-1].body)
    assert (asked["out_trade_no"], asked["amount"]["total"]) == (number(payment), 1234)
    assert asked["description"] == "茶 & Tea"
    assert asked["notify_url"] == f"{host.url}/webhooks/wechat"
    assert payment["next_action"]["text"].startswith("weixin://wxpay/bizpayurl?pr=")


def test_a_paid_order_is_found_out_by_a_signed_query(host, platform):
    payment = paid(host, platform)
    assert (payment["status"], payment["captured_minor"]) == ("captured", 1234)
    known = platform.kept[number(payment)]["transaction_id"]
    assert entry(payment, "authorize")["reference"]["secondary"] == known


def test_an_order_is_closed(host, platform):
    payment = host.cancel(order(host))
    assert payment["status"] == "cancelled"
    assert platform.kept[number(payment)]["trade_state"] == "CLOSED"


def test_a_payment_is_given_back(host, platform):
    payment = host.part(paid(host, platform), "refunds", 234)
    assert entry(payment, "refund")["state"] == "pending"
    platform.kept[number(payment, "refund")]["status"] = "SUCCESS"
    payment = host.find_out(payment, "refund", "succeeded")
    assert (payment["status"], payment["refunded_minor"]) == ("partially-refunded", 234)


def test_the_library_opens_the_name_that_the_adapter_seals(host, platform):
    name = "张三·Ada"
    payment = pay_out(host, beneficiary={"name": name})
    assert entry(payment, "payout")["state"] == "pending"
    sealed = platform.kept[bill(payment)]["user_name"]
    assert utils.rsa_decrypt(sealed, platform.key) == name
    assert name not in sealed and name.encode() not in platform.seen[-1].body
    platform.kept[bill(payment)]["state"] = "SUCCESS"
    assert host.find_out(payment, "payout", "succeeded")["status"] == "paid-out"


def test_the_library_refuses_every_twin_of_a_request(host, platform):
    payment = paid(host, platform)
    host.part(payment, "refunds", 100)
    request = [each for each in platform.seen if each.path.endswith("/refunds")][-1]
    assert platform.is_genuine(request)
    said = request.headers["authorization"]
    at = re.search(r'timestamp="(\d+)"', said)[1]

    def with_header(name, value):
        return dataclasses.replace(request, headers=request.headers | {name: value})

    def with_authorization(old, new):
        assert old in said
        return with_header("authorization", said.replace(old, new))

    signature = re.search(r',signature="([^"]*)"', said)[1]
    serial_of_nobody = SERIAL[:-1] + "2"
    twins = [
        dataclasses.replace(request, body=request.body.replace(b"100", b"900", 1)),
        dataclasses.replace(request, body=request.body + b" "),
        dataclasses.replace(request, target=request.target + "?a=b"),
        dataclasses.replace(request, method="PUT"),
        with_authorization(f'timestamp="{at}"', f'timestamp="{int(at) + 1}"'),
        with_authorization('nonce_str="', 'nonce_str="0'),
        with_authorization(signature, flipped(signature)),
        with_authorization(SERIAL, serial_of_nobody),
        with_authorization(wechat_platform.MCHID, "1900000110"),
        with_authorization("WECHATPAY2-SHA256-RSA2048", "WECHATPAY2-SM2-WITH-SM3"),
        with_header("wechatpay-serial", KEY_ID_OF_NOBODY),
        with_header("authorization", ""),
    ]
    for twin in twins:
        assert twin != request
        assert not platform.is_genuine(twin), twin


def other(body):
    """What somebody in the middle would rather have said."""
    told = body.replace(b"PROCESSING", b"SUCCESS").replace(b"ACCEPTED", b"SUCCESS")
    told = told.replace(b"NOTPAY", b"SUCCESS").replace(b"?pr=", b"?pr=x")
    assert told != body
    return told


def later(headers):
    at = int(headers["wechatpay-timestamp"])
    return headers | {"wechatpay-timestamp": str(at + 1)}


def resigned(headers):
    return headers | {"wechatpay-signature": flipped(headers["wechatpay-signature"])}


def without(headers, name):
    return {each: value for each, value in headers.items() if each != name}


# Each gives the headers and the body of an answer that is not what WeChat said, or not now.
ANSWERS = {
    "another body": lambda wechat, body: (wechat.stamp(body), other(body)),
    "a body in other bytes": lambda wechat, body: (wechat.stamp(body), body + b"\n"),
    "another signature": lambda wechat, body: (resigned(wechat.stamp(body)), body),
    "another key": lambda wechat, body: (wechat.stamp(body, key=wechat.stranger), body),
    "another serial": lambda wechat, body:
        (wechat.stamp(body) | {"wechatpay-serial": KEY_ID_OF_NOBODY}, body),
    "another nonce": lambda wechat, body:
        (wechat.stamp(body) | {"wechatpay-nonce": secrets.token_hex(16)}, body),
    "another time": lambda wechat, body: (later(wechat.stamp(body)), body),
    "no signature": lambda wechat, body:
        (without(wechat.stamp(body), "wechatpay-signature"), body),
    "no header at all": lambda wechat, body: ({}, body),
}
# The library has no opinion on these.
ANSWERS_OUT_OF_TIME = {
    "long ago": lambda wechat, body: (wechat.stamp(body, int(time.time()) - 400), body),
    "ahead": lambda wechat, body: (wechat.stamp(body, int(time.time()) + 400), body),
}


def asked(host, platform, kind, twin):
    """Asks for money while every answer is such a twin."""
    payment = paid(host, platform) if kind == "refund" else None
    platform.sign_answer = twin
    match kind:
        case "authorize":
            return order(host)
        case "refund":
            return host.part(payment, "refunds", 100)
        case "payout":
            return pay_out(host)


@pytest.mark.parametrize("kind", ["authorize", "refund", "payout"])
@pytest.mark.parametrize("twin", ANSWERS | ANSWERS_OUT_OF_TIME)
def test_a_tampered_answer_leaves_money_unknown_until_an_honest_one(host, platform, kind, twin):
    payment = asked(host, platform, kind, (ANSWERS | ANSWERS_OUT_OF_TIME)[twin])
    found = entry(payment, kind)
    assert found["state"] == "unknown", found
    assert "not believed" in found["why"]
    assert entry(host.sync(payment), kind)["state"] == "unknown"
    assert (payment["refunded_minor"], payment["status"]) != (100, "paid-out")
    platform.be_honest()
    stands = "needs-action" if kind == "authorize" else "pending"
    payment = host.find_out(payment, kind, stands)
    match kind:
        case "authorize":
            platform.pay(number(payment))
        case "refund":
            platform.kept[number(payment, "refund")]["status"] = "SUCCESS"
        case "payout":
            platform.kept[bill(payment)]["state"] = "SUCCESS"
    host.find_out(payment, kind, "succeeded")


@pytest.mark.parametrize("twin", ANSWERS | ANSWERS_OUT_OF_TIME)
def test_a_tampered_answer_to_a_query_pays_no_order(host, platform, twin):
    payment = order(host)
    platform.sign_answer = (ANSWERS | ANSWERS_OUT_OF_TIME)[twin]
    asked_before = len(platform.seen)
    assert host.sync(payment)["status"] == "needs-action"
    until("a query", lambda: len(platform.seen) > asked_before)
    assert host.sync(payment)["status"] == "needs-action"
    platform.be_honest()
    platform.pay(number(payment))
    host.find_out(payment, "authorize", "succeeded")


@pytest.mark.parametrize("twin", ANSWERS)
def test_the_library_as_a_client_refuses_the_same_answers(platform, twin):
    body = b'{"status": "PROCESSING"}'
    assert platform.believes(platform.stamp(body), body)
    headers, body = ANSWERS[twin](platform, body)
    try:
        believed = platform.believes(headers, body)
    except Exception:  # Of a serial number that is none, the library raises what `int` does.
        believed = False
    assert not believed


def news(platform, payment):
    """What WeChat tells of this order, paid. To queries it says that it is not: only the
    notification can move the ledger."""
    kept = platform.kept[number(payment)]
    return kept | {"trade_state": "SUCCESS", "trade_state_desc": "支付成功",
                   "transaction_id": f"42{secrets.randbelow(10**26):026}"}


def told(platform, payment):
    """The notification that this order is paid: headers and body."""
    body = platform.notice("TRANSACTION.SUCCESS", platform.resource(news(platform, payment)))
    return platform.stamp(body), body


def test_a_notification_that_the_library_opens_is_taken_once(host, platform):
    payment = order(host)
    headers, body = told(platform, payment)
    assert platform.opened(headers, body)["resource"]["out_trade_no"] == number(payment)
    assert host.deliver("wechat", headers, body) == 204
    payment = host.read(payment)
    assert (payment["status"], payment["captured_minor"]) == ("captured", 1234)
    after = host.everything()
    assert host.deliver("wechat", headers, body) == 204
    assert host.everything() == after


# Each gives the headers and the body of a delivery that is not what WeChat sent, and why the host
# refuses it.
DELIVERIES = {
    "another body": lambda headers, body: (headers, body.replace(b"SUCCESS", b"SUCCESs"), FORGED),
    "a body in other bytes": lambda headers, body: (headers, body + b"\n", FORGED),
    "another signature": lambda headers, body: (resigned(headers), body, FORGED),
    "another time": lambda headers, body: (later(headers), body, FORGED),
    "another nonce": lambda headers, body:
        (headers | {"wechatpay-nonce": secrets.token_hex(16)}, body, FORGED),
    "another serial": lambda headers, body:
        (headers | {"wechatpay-serial": KEY_ID_OF_NOBODY}, body, NO_KEY),
    # WeChat sends such signatures itself, to see whether they are refused.
    "a probe": lambda headers, body:
        (headers | {"wechatpay-signature": "WECHATPAY/SIGNTEST/" + base64.b64encode(
            secrets.token_bytes(240)).decode()}, body, UNREADABLE),
    "no signature": lambda headers, body:
        (without(headers, "wechatpay-signature"), body, UNREADABLE),
    "no serial": lambda headers, body: (without(headers, "wechatpay-serial"), body, UNREADABLE),
    "no time": lambda headers, body: (without(headers, "wechatpay-timestamp"), body, UNREADABLE),
    "no header at all": lambda headers, body: ({}, body, UNREADABLE),
}


@pytest.mark.parametrize("twin", DELIVERIES)
def test_a_tampered_notification_changes_nothing(host, platform, twin):
    payment = order(host)
    genuine = told(platform, payment)
    headers, body, why = DELIVERIES[twin](*genuine)
    assert (headers, body) != genuine
    assert platform.opened(headers, body) is None
    assert host.refuses("wechat", headers, body, why)
    assert host.deliver("wechat", *genuine) == 204
    assert host.read(payment)["status"] == "captured"


@pytest.mark.parametrize("seconds", [-400, 400])
def test_a_notification_signed_at_another_time_changes_nothing(host, platform, seconds):
    payment = order(host)
    _, body = told(platform, payment)
    stale = platform.stamp(body, int(time.time()) + seconds)
    assert platform.opened(stale, body) is not None
    assert host.refuses("wechat", stale, body, STALE)
    host.cancel(payment)


def middle(text):
    """Base64 with a bit in its middle changed: of the ciphertext, not of the tag at its end."""
    raw = bytearray(base64.b64decode(text))
    raw[len(raw) // 2] ^= 1
    return base64.b64encode(raw).decode()


def tag(text):
    raw = bytearray(base64.b64decode(text))
    raw[-1] ^= 1
    return base64.b64encode(raw).decode()


def cut(text):
    return base64.b64encode(base64.b64decode(text)[:-16]).decode()


# Each gives a resource that is not what WeChat enciphered. Its signature holds all the same: here
# only the cipher stands between.
RESOURCES = {
    "another ciphertext": lambda kept: kept | {"ciphertext": middle(kept["ciphertext"])},
    "another tag": lambda kept: kept | {"ciphertext": tag(kept["ciphertext"])},
    "no tag": lambda kept: kept | {"ciphertext": cut(kept["ciphertext"])},
    "another nonce": lambda kept: kept | {"nonce": secrets.token_hex(6)},
    "another text beside it": lambda kept: kept | {"associated_data": "refund"},
    "no text beside it": lambda kept: kept | {"associated_data": ""},
    "another cipher": lambda kept: kept | {"algorithm": "AEAD_AES_128_GCM"},
    "no ciphertext": lambda kept: kept | {"ciphertext": ""},
}


@pytest.mark.parametrize("twin", RESOURCES)
def test_a_signed_notification_whose_seal_is_broken_changes_nothing(host, platform, twin):
    payment = order(host)
    genuine = platform.resource(news(platform, payment))
    broken = RESOURCES[twin](genuine)
    assert broken != genuine
    body = platform.notice("TRANSACTION.SUCCESS", broken)
    headers = platform.stamp(body)
    assert platform.opened(headers, body) is None
    assert host.refuses("wechat", headers, body, UNREADABLE)
    host.cancel(payment)


def test_a_notification_sealed_with_another_key_changes_nothing(host, platform):
    payment = order(host)
    resource = platform.resource(news(platform, payment), key=secrets.token_hex(16))
    body = platform.notice("TRANSACTION.SUCCESS", resource)
    assert platform.opened(platform.stamp(body), body) is None
    assert host.refuses("wechat", platform.stamp(body), body, UNREADABLE)
    host.cancel(payment)


def test_a_genuine_notification_of_another_amount_moves_nothing(host, platform):
    payment = order(host)
    said = news(platform, payment)
    said |= {"amount": said["amount"] | {"total": 1}}
    body = platform.notice("TRANSACTION.SUCCESS", platform.resource(said))
    before = host.everything()
    assert host.deliver("wechat", platform.stamp(body), body) == 204
    assert host.everything() == before
    assert "1234" in host.contradiction_expected()
    host.cancel(payment)


def test_a_notification_of_a_refund_ends_it(host, platform):
    payment = host.part(paid(host, platform), "refunds", 100)
    kept = platform.kept[number(payment, "refund")]
    said = kept | {"refund_status": "SUCCESS", "success_time": "2026-11-23T20:00:00+08:00"}
    del said["status"]
    body = platform.notice("REFUND.SUCCESS", platform.resource(said))
    headers = platform.stamp(body)
    assert host.refuses("wechat", resigned(headers), body, FORGED)
    assert host.deliver("wechat", headers, body) == 204
    payment = host.read(payment)
    assert (entry(payment, "refund")["state"], payment["refunded_minor"]) == ("succeeded", 100)


# The library as a client of the simulator


@dataclasses.dataclass
class Client:
    """The library, set up by the files that the simulator makes."""

    library: WeChatPay
    url: str
    inbox: Inbox

    def order(self):
        number = f"order{secrets.token_hex(8)}"
        status, body = self.library.pay(
            "茶", number, {"total": 1234}, notify_url=f"{self.inbox.url}/here")
        assert status == 200, body
        assert json.loads(body)["code_url"].startswith("weixin://")
        return number

    def control(self, name, body):
        answer = requests.post(f"{self.url}/_simulator/{name}", json=body, timeout=60)
        assert answer.status_code == 200, answer.text

    def told(self, kind):
        return self.inbox.next(lambda message: json.loads(message.body)["event_type"] == kind)


@pytest.fixture(scope="module", params=["public key", "certificate"])
def client(request, folder, running):
    certified = request.param == "certificate"
    keys = folder / request.param.replace(" ", "-")
    program, url = simulator(keys.parent, "wechatpay", "--keys", keys,
                             *["--certificate"] * certified)
    running(program)

    def read(name):
        return (keys / name).read_text().strip()

    identity = {"public_key": read("pub_key.pem"), "public_key_id": read("pub_key_id.txt")}
    if certified:
        certificates = folder / "certificates"
        certificates.mkdir()
        shutil.copy(keys / "platform_cert.pem", certificates)
        identity = {"cert_dir": str(certificates)}
    library = WeChatPay(
        WeChatPayType.NATIVE, read("mchid.txt"), read("apiclient_key.pem"),
        read("apiclient_serial.txt"), "wx_simulator", read("apiv3_key.txt"), **identity)
    # The one thing that the library does not let be set.
    library._core._gate_way = url
    return Client(library, url, running(Inbox()))


def test_the_library_pays_and_opens_the_notification(client):
    number = client.order()
    client.control("pay", {"reference": number})
    message = client.told("TRANSACTION.SUCCESS")
    resource = client.library.callback(message.headers, message.body)["resource"]
    assert (resource["out_trade_no"], resource["trade_state"]) == (number, "SUCCESS")
    assert resource["amount"]["total"] == 1234
    status, body = client.library.query(out_trade_no=number)
    assert (status, json.loads(body)["trade_state"]) == (200, "SUCCESS")
    headers = {name: message.headers[name] for name in message.headers
               if name.startswith("wechatpay-")}
    parts = json.loads(message.body)["resource"]["ciphertext"].encode()
    twins = [
        (headers, message.body + b" "),
        (headers, message.body.replace(parts, middle(parts).encode())),
        (resigned(headers), message.body),
        (later(headers), message.body),
        (headers | {"wechatpay-nonce": secrets.token_hex(16)}, message.body),
    ]
    for twin in twins:
        assert twin != (headers, message.body)
        assert client.library.callback(*twin) is None


def test_the_library_is_paid_back_by_the_simulator(client):
    number = client.order()
    client.control("pay", {"reference": number})
    client.told("TRANSACTION.SUCCESS")
    back = f"refund{secrets.token_hex(8)}"
    status, body = client.library.refund(
        back, {"refund": 234, "total": 1234, "currency": "CNY"}, out_trade_no=number,
        notify_url=f"{client.inbox.url}/here")
    assert (status, json.loads(body)["status"]) == (200, "PROCESSING")
    message = client.told("REFUND.SUCCESS")
    resource = client.library.callback(message.headers, message.body)["resource"]
    assert (resource["out_refund_no"], resource["amount"]["refund"]) == (back, 234)
    assert client.library.callback(resigned(message.headers), message.body) is None


def test_the_library_pays_out_by_the_simulator(client):
    bill = f"bill{secrets.token_hex(8)}"
    status, body = client.library.mch_transfer_bills(
        bill, "1005", "o-MYE42l80oelYMDE34nYD456Xoy", 5000, "Commission", user_name="张三",
        transfer_scene_report_infos=json.loads(REPORTS))
    assert status == 200, body
    assert json.loads(body)["out_bill_no"] == bill


def test_the_simulator_takes_no_request_of_a_stranger(client):
    genuine = client.library._core._private_key
    client.library._core._private_key = wechat_platform.new_key()
    try:
        status, body = client.library.query(out_trade_no="order0")
    finally:
        client.library._core._private_key = genuine
    assert (status, json.loads(body)["code"]) == (401, "SIGN_ERROR")


def test_the_certificates_of_the_simulator_are_opened_by_the_library(client):
    core = client.library._core
    if core._public_key:
        assert core.request("/v3/certificates")[0] == 404
        return
    before = [certificate.serial_number for certificate in core._certificates]
    core._update_certificates()
    assert [certificate.serial_number for certificate in core._certificates] == before
