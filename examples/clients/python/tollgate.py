"""A client of Tollgate: signs what it asks, verifies what it is answered, encrypts what is secret.

    tollgate = Tollgate.from_environment()
    payment = tollgate.post("/v1/payments", {...}, key="order-1001")

Signatures are RFC 9421 (http-message-signatures), encryption is JWE (joserfc). Nothing else here is
of Tollgate's own making, so any library that speaks these will do.
"""

import json
import os
import secrets
import time

import requests
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from http_message_signatures import (
    HTTPMessageSigner,
    HTTPMessageVerifier,
    HTTPSignatureKeyResolver,
    algorithms,
)
from joserfc import jwe
from joserfc.jwk import KeySet, RSAKey

ALGORITHMS = {
    "OKP": algorithms.ED25519,
    "EC": algorithms.ECDSA_P256_SHA256,
    "RSA": algorithms.RSA_PSS_SHA512,
}
ENCRYPTED = "application/jose"
JWE = ["RSA-OAEP-256", "A256GCM"]
# Our signature's label, which the answer's signature names.
LABEL = "app"


class Problem(Exception):
    """The host did not do what was asked (RFC 9457). `code` never changes its meaning."""

    def __init__(self, body):
        super().__init__(f"{body['code']}: {body['detail']}")
        self.code, self.retry, self.body = body["code"], body["retry"], body


class Tollgate:
    """One app at one host."""

    def __init__(self, url, key_id, signing_key, opening_key=None):
        """`key_id` is `<app>/<key>`; the keys are PEM: Ed25519 to sign, RSA to open answers."""
        self.url, self.key_id = url.rstrip("/"), key_id
        self.http = requests.Session()
        self.opening_key = RSAKey.import_key(opening_key) if opening_key else None
        self.platform_keys = KeySet.import_key_set(self._published_keys())
        self.resolver = Keys(load_pem_private_key(signing_key.encode(), None), self.platform_keys)
        self.signer = HTTPMessageSigner(
            signature_algorithm=algorithms.ED25519, key_resolver=self.resolver
        )

    @classmethod
    def from_environment(cls):
        def read(name):
            path = os.environ.get(name)
            return open(path, encoding="ascii").read() if path else None

        return cls(
            os.environ["TOLLGATE_URL"],
            os.environ["TOLLGATE_KEY_ID"],
            read("TOLLGATE_SIGNING_KEY"),
            read("TOLLGATE_OPENING_KEY"),
        )

    def get(self, path):
        return self._send("GET", path, {}, b"")

    def delete(self, path):
        return self._send("DELETE", path, {}, b"")

    def post(self, path, body=None, key=None, encrypted=False):
        """`key` is the idempotency key: new for each operation, the same when you repeat one."""
        content, media_type = json.dumps(body or {}).encode(), "application/json"
        if encrypted:
            content, media_type = self._seal(content), ENCRYPTED
        headers = {"Content-Type": media_type}
        if key:
            headers["Idempotency-Key"] = key
        return self._send("POST", path, headers, content)

    def _published_keys(self):
        answer = self.http.get(self.url + "/.well-known/jwks.json", timeout=30)
        answer.raise_for_status()
        return answer.json()

    def _send(self, method, path, headers, content):
        request = requests.Request(method, self.url + path, headers=headers, data=content or None)
        request = self.http.prepare_request(request)
        self._sign(request, content)
        answer = self.http.send(request, timeout=60)
        return self._read(answer)

    def _sign(self, request, content):
        """Everything that decides about the request is covered; the nonce makes it good once."""
        covered = ["@method", "@target-uri"]
        for name in ("content-type", "idempotency-key"):
            if name in request.headers:
                covered.append(name)
        self.signer.sign(
            request,
            key_id=self.key_id,
            nonce=secrets.token_urlsafe(24),
            tag="tollgate",
            label=LABEL,
            covered_component_ids=covered,
            # Adds the Content-Digest (RFC 9530) and covers it.
            body=content if content else None,
        )

    def _read(self, answer):
        self._verify(answer)
        content = answer.content
        if answer.headers.get("Content-Type") == ENCRYPTED:
            content = self._open(content)
        body = json.loads(content) if content else None
        if answer.status_code >= 400:
            raise Problem(body)
        return body

    def _verify(self, answer):
        """That the host answered this, to this very request. Anything else is an exception."""
        claimed = self.resolver.key_named_in(answer.headers.get("Signature-Input", ""))
        verifier = HTTPMessageVerifier(
            signature_algorithm=ALGORITHMS[claimed.key_type], key_resolver=self.resolver
        )
        covered = ["@status", '"@method";req', '"@target-uri";req']
        covered.append(f'"signature";req;key="{LABEL}"')
        if answer.content:
            covered.append("content-type")
        verifier.verify(
            answer,
            expect_tag="tollgate-response",
            require_components=covered,
            body=answer.content,
        )

    def _seal(self, content):
        """To the platform's current key: the first of its keys that encrypts."""
        key = next(key for key in self.platform_keys.keys if key.as_dict().get("use") == "enc")
        header = {"alg": "RSA-OAEP-256", "enc": "A256GCM", "kid": key.kid, "cty": "json"}
        return jwe.encrypt_compact(header, content, key, algorithms=JWE).encode()

    def _open(self, content):
        return jwe.decrypt_compact(content, self.opening_key, algorithms=JWE).plaintext


class Keys(HTTPSignatureKeyResolver):
    """Our private key to sign with, and the platform's public ones to verify with."""

    def __init__(self, ours, platform):
        self.ours, self.platform = ours, platform

    def resolve_private_key(self, key_id):
        return self.ours

    def resolve_public_key(self, key_id):
        return self.platform.get_by_kid(key_id).public_key

    def key_named_in(self, signature_input):
        """The platform's signing key that the answer names."""
        for key in self.platform.keys:
            if key.as_dict().get("use") == "sig" and f'keyid="{key.kid}"' in signature_input:
                return key
        raise ValueError("the answer is not signed by a key of the platform")


def until(what, seconds=60):
    """Asks again until there is an answer."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = what()
        if found:
            return found
        time.sleep(0.1)
    raise TimeoutError("it did not happen in time")
