"""An app that signs and encrypts by libraries that nobody here wrote: http-message-signatures and
joserfc, and jwcrypto for the second opinion.

Not here: anything that knows how the host does it."""

import base64
import hashlib
import json
import secrets
import subprocess
import uuid
from datetime import datetime

import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from http_message_signatures import (
    HTTPMessageSigner, HTTPMessageVerifier, HTTPSignatureKeyResolver, algorithms)
from joserfc import jwe
from joserfc.jwk import OctKey, RSAKey

from host import SECONDS_MAX, TOLLGATE, written

PRIVATE = {
    "ed25519": lambda: ed25519.Ed25519PrivateKey.generate(),
    "p256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "rsa": lambda: rsa.generate_private_key(65537, 2048),
}
ALGORITHMS = {
    "hmac-sha256": algorithms.HMAC_SHA256,
    "ed25519": algorithms.ED25519,
    "ecdsa-p256-sha256": algorithms.ECDSA_P256_SHA256,
    "rsa-pss-sha512": algorithms.RSA_PSS_SHA512,
    "rsa-v1_5-sha256": algorithms.RSA_V1_5_SHA256,
}
JWE = jwe.JWERegistry(algorithms=["RSA-OAEP-256", "dir", "A256GCM"])


def digest(body):
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


def public_pem(key):
    return key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo).decode()


class Keys(HTTPSignatureKeyResolver):
    """One key, whatever its name."""

    def __init__(self, key):
        self.key = key

    def resolve_private_key(self, key_id):
        return self.key

    def resolve_public_key(self, key_id):
        return self.key


class App:
    """An app of the host, by its names and keys."""

    def __init__(self, folder, config, name, protection="bearer"):
        self.folder, self.config = folder, config
        shown = self.tollgate("app", "add", name, "--protection", protection)
        self.id = f"app_{shown.split('_')[1]}"

    def tollgate(self, *arguments):
        done = subprocess.run([TOLLGATE, *arguments, "--config", self.config],
                              capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def shared(self, name, kind):
        """A key that both sides hold: its bytes."""
        shown = self.tollgate("app", "key", "add", self.id, "--id", name, "--key", kind)
        return base64.b64decode(shown)

    def pair(self, name, kind, use="verify"):
        """A key pair, of which the host gets the public half."""
        key = PRIVATE[kind]()
        file = written(self.folder / f"{self.id}-{name}.pem", public_pem(key))
        self.tollgate("app", "key", "add", self.id, "--id", name, "--key", use, "--public", file)
        return key


def prepared(url, method, path, body=b"", media_type="application/json"):
    """A request without its signature."""
    headers = {}
    if body:
        headers = {"Content-Type": media_type, "Content-Digest": digest(body),
                   "Idempotency-Key": str(uuid.uuid4())}
    return requests.Request(method, url + path, headers=headers, data=body or None).prepare()


def signed(request, keyid, algorithm, key):
    covered = ["@method", "@target-uri"]
    covered += [name for name in ("content-digest", "content-type", "idempotency-key")
                if name in request.headers]
    signer = HTTPMessageSigner(signature_algorithm=ALGORITHMS[algorithm], key_resolver=Keys(key))
    signer.sign(request, key_id=keyid, created=datetime.now(), nonce=secrets.token_urlsafe(18),
                tag="tollgate", covered_component_ids=covered,
                body=request.body, use_existing_digest=bool(request.body))
    return request


def send(request):
    with requests.Session() as session:
        return session.send(request, timeout=SECONDS_MAX)


def attested(answer, key):
    """Whether the platform's signature on an answer holds, and what it covers."""
    verifier = HTTPMessageVerifier(signature_algorithm=algorithms.ED25519, key_resolver=Keys(key))
    results = verifier.verify(answer, expect_tag="tollgate-response", body=answer.content)
    assert answer.headers["Content-Digest"] == digest(answer.content)
    return results[0].covered_components


def platform_keys(url):
    """The platform's published keys, as two libraries read them."""
    published = requests.get(f"{url}/.well-known/jwks.json", timeout=SECONDS_MAX).json()["keys"]
    sign = next(key for key in published if key["use"] == "sig")
    decrypt = next(key for key in published if key["use"] == "enc")
    x = base64.urlsafe_b64decode(sign["x"] + "==")
    return ed25519.Ed25519PublicKey.from_public_bytes(x), decrypt


def payment(minor=1999):
    return json.dumps({
        "account": "cards", "amount": {"minor": minor, "currency": "EUR"},
        "merchant_reference": f"order-{uuid.uuid4()}",
        "instrument": {"type": "token", "token": "pm_card_visa"}}).encode()


def encrypted(plain, alg, kid, key):
    header = {"alg": alg, "enc": "A256GCM", "kid": kid, "cty": "json"}
    return jwe.encrypt_compact(header, plain, key, registry=JWE).encode()


def opened(text, key):
    return json.loads(jwe.decrypt_compact(text, key, registry=JWE).plaintext)


__all__ = ["App", "OctKey", "RSAKey", "attested", "digest", "encrypted", "opened", "payment",
           "platform_keys", "prepared", "send", "signed"]
