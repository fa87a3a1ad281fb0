"""WeChat Pay's side of the transcripts, by libraries that nobody here wrote (PyPI cryptography and
wechatpayv3 2.0.4).

    wechat.py sign    fills in what WeChat would: a header `wechatpay-signature: ?` (`?certified`
                      with the certificate's key, `?tampered`, `?probe`), and a delivery's
                      ciphertext that is still an object
    wechat.py judge   lets wechatpayv3 sign each of our requests again and compares, and verifies
                      and opens whatever in the transcripts is said to hold
"""

import base64
import json
import re
import sys
from pathlib import Path
from unittest import mock

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from wechatpayv3 import utils

FOLDER = Path(__file__).parent.parent / "transcripts"
API_V3_KEY = "0123456789abcdef0123456789abcdef"


def private(name):
    return load_pem_private_key((FOLDER / f"{name}.test-key.pem").read_bytes(), None)


def blocks(text, marks):
    """Each run of lines with one of these marks: its span, headers, body and first line."""
    for found in re.finditer(rf"(?m)(?:^[{marks}](?: .*)?$\n?)+", text):
        lines = [line[2:] for line in found.group().splitlines()]
        headers = {}
        at = 1
        while at < len(lines) and (pair := re.fullmatch(r"([a-z0-9_-]+): (.*)", lines[at])):
            headers[pair[1]] = pair[2]
            at += 1
        if at < len(lines) and lines[at] == "":
            at += 1
        yield found, headers, "\n".join(lines[at:]), lines[0]


def sealed(body):
    """The body with its resource enciphered, if it is still plain."""
    told = json.loads(body)
    resource = told["resource"]
    if isinstance(resource["ciphertext"], dict):
        plain = json.dumps(resource["ciphertext"], ensure_ascii=False, separators=(",", ":"))
        nonce, associated = resource["nonce"].encode(), resource["associated_data"].encode()
        text = AESGCM(API_V3_KEY.encode()).encrypt(nonce, plain.encode(), associated)
        resource["ciphertext"] = base64.b64encode(text).decode()
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))


def signature(how, headers, body):
    if how == "probe":
        return "WECHATPAY/SIGNTEST/" + base64.b64encode(bytes(range(240))).decode()
    key = private("certified" if how == "certified" else "platform")
    said = body + " " if how == "tampered" else body
    message = f"{headers['wechatpay-timestamp']}\n{headers.get('wechatpay-nonce', '')}\n{said}\n"
    return base64.b64encode(key.sign(message.encode(), PKCS1v15(), hashes.SHA256())).decode()


def sign(text):
    """The transcript with every blank of WeChat's filled in."""
    for found, headers, body, _ in list(blocks(text, "<!")):
        block = found.group()
        if '"ciphertext":{' in body:
            block = block.replace(body, sealed(body))
            body = sealed(body)
        how = headers.get("wechatpay-signature", "")
        if how.startswith("?"):
            filled = signature(how[1:], headers, body)
            block = block.replace(f"wechatpay-signature: {how}", f"wechatpay-signature: {filled}")
        text = text.replace(found.group(), block, 1)
    return text


def judged_request(headers, body, first):
    """Whether wechatpayv3 signs the same request with the same signature."""
    said = dict(re.findall(r'(\w+)="([^"]*)"', headers["authorization"]))
    verb, url = first.split(" ", 1)
    path = re.sub(r"^https://[^/]+", "", url)
    with mock.patch("time.time", return_value=int(said["timestamp"])):
        names = (said["mchid"], said["serial_no"], private("merchant"))
        ours = utils.build_authorization(path, verb, *names, body, said["nonce_str"])
    assert dict(re.findall(r'(\w+)="([^"]*)"', ours)) == said, first


def judged_delivery(headers, body):
    """Whether wechatpayv3 finds the delivery genuine and can open it."""
    key = private("platform").public_key()
    said = [headers[f"wechatpay-{name}"] for name in ("timestamp", "nonce")]
    assert utils.rsa_verify(*said, body, headers["wechatpay-signature"], key)
    resource = json.loads(body)["resource"]
    names = ("nonce", "ciphertext", "associated_data")
    return utils.aes_decrypt(*(resource[name] for name in names), API_V3_KEY)


def judge(path):
    """Counts what was judged: requests, deliveries opened."""
    text, opened = path.read_text(), 0
    requests = [parts for parts in blocks(text, ">?")]
    for _, headers, body, first in requests:
        judged_request(headers, body, first)
    for found, headers, body, _ in blocks(text, "!"):
        after = text[found.end():].lstrip().splitlines()
        if after[0].endswith(": holds") and after[2].startswith("= event"):
            assert judged_delivery(headers, body)
            opened += 1
    return len(requests), opened


def main(verb):
    paths = sorted(FOLDER.glob("*.txt"))
    if verb == "sign":
        for path in paths:
            path.write_text(sign(path.read_text()))
    else:
        counts = [judge(path) for path in paths]
        requests, opened = (sum(column) for column in zip(*counts))
        print(f"{len(paths)} transcripts: {requests} requests, {opened} deliveries judged")


main(sys.argv[1])
