"""Signed and encrypted requests and answers, both ways, against libraries that nobody here wrote."""

import subprocess

import pytest
from http_message_signatures.exceptions import InvalidSignature
from joserfc.errors import JoseError
from jwcrypto import jwe as other_jwe
from jwcrypto import jwk as other_jwk

from app import (
    App, OctKey, RSAKey, attested, encrypted, opened, payment, platform_keys, prepared, send,
    signed)
from host import TOLLGATE, Account, Host, simulator, written

SECTIONS = """
[vault]
master = [{ id = "1", file = "master" }]
[[platform.key]]
use = "sign"
id = "s1"
file = "sign.pem"
[[platform.key]]
use = "decrypt"
id = "d1"
file = "decrypt.pem"
"""
PAIRS = [("ed", "ed25519", "ed25519"), ("ec", "p256", "ecdsa-p256-sha256"),
         ("rsa", "rsa", "rsa-pss-sha512")]


def tollgate(*arguments, cwd=None):
    done = subprocess.run([TOLLGATE, *arguments], capture_output=True, text=True, cwd=cwd)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


class Shop:
    """A host with keys, and an app with every kind of key."""

    def __init__(self, folder, running):
        stripe, url = simulator(folder, "stripe")
        running(stripe)
        written(folder / "master", tollgate("vault", "key"))
        for use in ("sign", "decrypt"):
            tollgate("platform", "key", "--use", use, "--out", str(folder / f"{use}.pem"))
        account = Account("stripe", url, {"base-url": url},
                          secrets={"api-key": ("sk_test_x", ["header:authorization"])},
                          keys=[("webhook", "text", "whsec_test", None)])
        keys = []

        def before(config):
            app = App(folder, config, "python")
            keys.append((app, {
                "mac": ("hmac-sha256", app.shared("mac", "hmac")),
                **{name: (algorithm, app.pair(name, kind)) for name, kind, algorithm in PAIRS},
            }, app.shared("aes", "aes"), app.pair("reads", "rsa", "encrypt")))

        self.host = running(Host(folder, {"cards": account}, sections=SECTIONS, before=before))
        self.app, self.keys, self.aes, self.reads = keys[0]
        self.url = self.host.url
        self.sign, self.decrypt = platform_keys(self.url)

    def ask(self, name, body=b"", media_type="application/json", path="/v1/payments"):
        algorithm, key = self.keys[name]
        request = prepared(self.url, "POST" if body else "GET", path, body, media_type)
        return signed(request, f"{self.app.id}/{name}", algorithm, key)


@pytest.fixture(scope="module")
def shop(folder, running):
    return Shop(folder, running)


@pytest.mark.parametrize("name", ["mac", "ed", "ec", "rsa"])
def test_what_the_library_signs_is_taken_and_its_tampered_twin_is_not(shop, name):
    answer = send(shop.ask(name, payment()))
    assert answer.status_code == 201, answer.text
    covered = attested(answer, shop.sign)
    assert '"@status"' in covered and '"signature";req;key="pyhms"' in covered
    for change in (lambda request: request.headers.update({"Idempotency-Key": "another"}),
                   lambda request: request.headers.update({"Content-Digest": "sha-256=:AAAA:"})):
        request = shop.ask(name, payment())
        change(request)
        refused = send(request)
        assert (refused.status_code, refused.json()["code"]) == (401, "signature-wrong")
    request = shop.ask(name, payment(100))
    request.body = payment(100)
    assert send(request).json()["code"] == "content-digest-mismatch"


@pytest.mark.parametrize("name", ["mac", "ed", "ec", "rsa"])
def test_the_library_finds_every_change_of_an_answer(shop, name):
    answer = send(shop.ask(name, path="/v1/payments?limit=1"))
    assert answer.status_code == 200, answer.text
    attested(answer, shop.sign)
    genuine = answer.status_code
    answer.status_code = 201
    with pytest.raises(InvalidSignature):
        attested(answer, shop.sign)
    answer.status_code = genuine
    answer.request.headers["Signature"] = send(shop.ask(name)).request.headers["Signature"]
    with pytest.raises(InvalidSignature):
        attested(answer, shop.sign)


def flipped(jwe, part):
    parts = jwe.decode().split(".")
    other = "B" if parts[part][0] == "A" else "A"
    parts[part] = other + parts[part][1:]
    return ".".join(parts).encode()


def test_what_joserfc_encrypts_by_the_shared_key_is_taken_and_answered_in_kind(shop):
    key = OctKey.import_key(shop.aes)
    body = encrypted(payment(), "dir", f"{shop.app.id}/aes", key)
    answer = send(shop.ask("ed", body, "application/jose"))
    assert answer.headers["Content-Type"] == "application/jose", answer.text
    attested(answer, shop.sign)
    assert opened(answer.text, key)["amount"]["minor"] == 1999
    with pytest.raises(JoseError):
        opened(flipped(answer.content, 3).decode(), key)
    for part in (2, 3, 4):
        refused = send(shop.ask("ed", flipped(body, part), "application/jose"))
        assert refused.json()["code"] == "jwe-not-opened"


def test_what_joserfc_encrypts_to_the_platform_is_answered_to_the_newest_key(shop):
    public = RSAKey.import_key(shop.decrypt)
    body = encrypted(payment(), "RSA-OAEP-256", shop.decrypt["kid"], public)
    answer = send(shop.ask("ec", body, "application/jose"))
    assert answer.status_code == 201, answer.text
    attested(answer, shop.sign)
    private = RSAKey.import_key(shop.reads)
    assert opened(answer.text, private)["amount"]["minor"] == 1999
    refused = send(shop.ask("ec", flipped(body, 1), "application/jose"))
    assert refused.json()["code"] == "jwe-not-opened"


def test_jwcrypto_is_understood_both_ways(shop):
    platform = other_jwk.JWK(**shop.decrypt)
    header = {"alg": "RSA-OAEP-256", "enc": "A256GCM", "kid": shop.decrypt["kid"]}
    token = other_jwe.JWE(payment(), recipient=platform, protected=header)
    answer = send(shop.ask("mac", token.serialize(compact=True).encode(), "application/jose"))
    assert answer.status_code == 201, answer.text
    read = other_jwe.JWE()
    read.deserialize(answer.text, other_jwk.JWK.from_pyca(shop.reads))
    assert b'"minor":1999' in read.payload
