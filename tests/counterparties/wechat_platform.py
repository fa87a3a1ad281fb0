"""A small WeChat Pay: what it says is ours, by its manual; whether a request is genuine, and how an
answer or a notification is signed, is PyPI `wechatpayv3`'s.

The library has no function that enciphers: notifications are enciphered with `cryptography`, and
`opened` says what the library makes of them. Keys are made here, for tests."""

import base64
import json
import re
import secrets
import threading
import time
from types import SimpleNamespace
from unittest import mock

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import (
    Encoding, NoEncryption, PrivateFormat, PublicFormat)
from wechatpayv3 import WeChatPay, WeChatPayType, utils

from wire import Server

MCHID, APPID = "1900000109", "wxd678efh567hg6787"
SERIAL = "5157F09EFDC096DE15EBE81A47057A7232F1B8E1"
KEY_ID = "PUB_KEY_ID_0119000001092024101100397200000006"
KEY_ID_OF_NOBODY = KEY_ID[:-1] + "7"


def new_key():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def private_pem(key):
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


def public_pem(key):
    spki = PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(Encoding.PEM, spki).decode()


def flipped(text):
    """Base64 with one bit of its first byte changed."""
    raw = bytearray(base64.b64decode(text))
    raw[0] ^= 1
    return base64.b64encode(raw).decode()


class Platform(Server):
    """Takes orders, refunds and transfers, and keeps them by the merchant's number."""

    def __init__(self):
        self.merchant, self.key, self.stranger = new_key(), new_key(), new_key()
        self.api_v3_key = secrets.token_hex(16)
        self.library = WeChatPay(
            WeChatPayType.NATIVE, MCHID, private_pem(self.merchant), SERIAL, APPID, self.api_v3_key,
            public_key=public_pem(self.key), public_key_id=KEY_ID)
        self.kept, self.seen, self.refused = {}, [], []
        self.one_at_a_time = threading.Lock()
        self.be_honest()
        super().__init__()
        # Should the library want to ask somebody, then this server.
        self.library._core._gate_way = self.url

    def be_honest(self):
        self.sign_answer = lambda platform, body: (platform.stamp(body), body)

    # Requests and answers

    def answer(self, message):
        with self.one_at_a_time:
            if not self.is_genuine(message):
                self.refused.append(message)
                said = {"code": "SIGN_ERROR", "message": "错误的签名，验签失败"}
                return 401, {"content-type": "application/json"}, json.dumps(said).encode()
            self.seen.append(message)
            status, told = self.act(message)
            body = json.dumps(told, ensure_ascii=False).encode() if told else b""
            headers, body = self.sign_answer(self, body)
            return status, headers | {"content-type": "application/json"}, body

    def is_genuine(self, message):
        """Whether the library, asked to send this very request at that time, writes the same."""
        scheme, _, rest = message.headers.get("authorization", "").partition(" ")
        said = dict(re.findall(r'(\w+)="([^"]*)"', rest))
        if not said.get("timestamp", "").isdigit() or "nonce_str" not in said:
            return False
        clock = SimpleNamespace(time=lambda: int(said["timestamp"]))
        with mock.patch.object(utils, "time", clock):
            own = utils.build_authorization(
                message.target, message.method, MCHID, SERIAL, self.merchant,
                message.body.decode(), said["nonce_str"])
        own_scheme, _, own_rest = own.partition(" ")
        fresh = abs(int(said["timestamp"]) - time.time()) < 300
        same = (scheme, said) == (own_scheme, dict(re.findall(r'(\w+)="([^"]*)"', own_rest)))
        return fresh and same and message.headers.get("wechatpay-serial") == KEY_ID

    def stamp(self, body, at=None, key=None):
        """What WeChat signs a body with."""
        at, nonce = str(at or int(time.time())), secrets.token_hex(16)
        signature = utils.rsa_sign(key or self.key, f"{at}\n{nonce}\n{body.decode()}\n")
        return {
            "wechatpay-timestamp": at, "wechatpay-nonce": nonce, "wechatpay-serial": KEY_ID,
            "wechatpay-signature": signature,
            "wechatpay-signature-type": "WECHATPAY2-SHA256-RSA2048"}

    # Orders, refunds, transfers

    def act(self, message):
        asked = json.loads(message.body) if message.body else {}
        asking = message.method == "GET"
        *folder, number = message.path.split("/")
        match folder[2:], number:
            case ["pay", "transactions"], "native":
                return self.order(asked)
            case ["pay", "transactions", "out-trade-no", number], "close":
                self.kept[number]["trade_state"] = "CLOSED"
                return 204, None
            case ["refund", "domestic"], "refunds":
                return self.refund(asked)
            case ["fund-app", "mch-transfer"], "transfer-bills":
                return self.transfer(asked)
            case _ if asking and number in self.kept:
                return 200, self.kept[number]
        return 404, {"code": "RESOURCE_NOT_EXISTS", "message": "查询的资源不存在"}

    def order(self, asked):
        number = asked["out_trade_no"]
        assert (asked["mchid"], asked["appid"]) == (MCHID, APPID)
        self.kept.setdefault(number, {
            "appid": APPID, "mchid": MCHID, "out_trade_no": number, "trade_type": "NATIVE",
            "trade_state": "NOTPAY", "trade_state_desc": "订单未支付", "amount": asked["amount"]})
        return 200, {"code_url": f"weixin://wxpay/bizpayurl?pr={number[-9:]}"}

    def refund(self, asked):
        number = asked["out_refund_no"]
        self.kept.setdefault(number, {
            "refund_id": f"50{secrets.randbelow(10**26):026}", "out_refund_no": number,
            "transaction_id": self.kept[asked["out_trade_no"]]["transaction_id"],
            "out_trade_no": asked["out_trade_no"], "status": "PROCESSING",
            "amount": asked["amount"] | {"payer_refund": asked["amount"]["refund"]}})
        return 200, self.kept[number]

    def transfer(self, asked):
        number = asked["out_bill_no"]
        self.kept.setdefault(number, {
            "out_bill_no": number, "transfer_bill_no": f"13{secrets.randbelow(10**26):026}",
            "mch_id": MCHID, "appid": APPID, "state": "ACCEPTED", "openid": asked["openid"],
            "transfer_amount": asked["transfer_amount"], "user_name": asked.get("user_name")})
        return 200, self.kept[number]

    def pay(self, number):
        """The payer scans and pays."""
        self.kept[number] |= {
            "trade_state": "SUCCESS", "trade_state_desc": "支付成功",
            "transaction_id": f"42{secrets.randbelow(10**26):026}"}

    # Notifications

    def resource(self, told, key=None):
        """What is told, enciphered."""
        nonce, associated = secrets.token_hex(6), "transaction"
        plain = json.dumps(told, ensure_ascii=False).encode()
        cipher = AESGCM((key or self.api_v3_key).encode())
        text = cipher.encrypt(nonce.encode(), plain, associated.encode())
        return {
            "original_type": "transaction", "algorithm": "AEAD_AES_256_GCM", "nonce": nonce,
            "associated_data": associated, "ciphertext": base64.b64encode(text).decode()}

    def notice(self, kind, resource):
        """A notification's body."""
        said = {
            "id": f"EV-{secrets.token_hex(12)}", "create_time": "2026-11-23T20:00:00+08:00",
            "resource_type": "encrypt-resource", "event_type": kind, "summary": "支付成功",
            "resource": resource}
        return json.dumps(said, ensure_ascii=False).encode()

    def opened(self, headers, body):
        """What the library makes of a delivery or an answer: none when it is not genuine."""
        try:
            return self.library.callback(headers, body)
        except Exception:  # The library raises plain `Exception`, and whatever its parsers raise.
            return None

    def believes(self, headers, body):
        """Whether the library, as a client, would take this answer."""
        return self.library._core._verify_signature(headers, body.decode())
