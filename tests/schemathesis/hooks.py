"""How schemathesis asks: every request of an app is signed, has an idempotency key of its own, and
names a provider and an instrument that exist.

A key that was used for another request is refused with a 422, rightly; drawing a fresh one for each
call keeps that refusal out of the run, where it would hide what the body was to show. Keys that break
their pattern are left as they are: refusing those is what the run looks at. In the same way a body
that keeps to its schema is given the test provider's account and one of its magic values, since
what a provider refuses is no fault of the document; a body that does not is sent as it was drawn.
"""

import json
import os
import re
import secrets
import uuid

import requests
import schemathesis
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)
from http_message_signatures import HTTPMessageSigner, MappingKeyResolver, algorithms
from joserfc import jwe
from joserfc.jwk import KeySet
from schemathesis import GenerationMode

KEY_ID = os.environ["TOLLGATE_KEY_ID"]
ADMIN_TOKEN = os.environ.get("TOLLGATE_ADMIN_TOKEN")
USABLE_KEY = re.compile(r"[!-~]([ -~]{0,253}[!-~])?")
JWE = ["RSA-OAEP-256", "A256GCM"]


def signer():
    with open(os.environ["TOLLGATE_SIGNING_KEY"], "rb") as file:
        key = load_pem_private_key(file.read(), None)
    resolver = MappingKeyResolver(public_keys={}, private_keys={KEY_ID: key})
    return HTTPMessageSigner(signature_algorithm=algorithms.ED25519, key_resolver=resolver)


class Signed(requests.auth.AuthBase):
    """Signs what is about to leave, to the byte."""

    def __init__(self):
        self.signer = signer()

    def __call__(self, request):
        if request.path_url.startswith("/admin/"):
            request.headers["Authorization"] = f"Bearer {ADMIN_TOKEN}"
        elif request.path_url.startswith("/v1/"):
            self.sign(request)
        return request

    def sign(self, request):
        # A case that is shown once more has been signed before; an API key is not to be there too.
        for name in ("Authorization", "Content-Digest", "Signature", "Signature-Input"):
            request.headers.pop(name, None)
        key = request.headers.get("Idempotency-Key")
        key = key.decode("latin-1") if isinstance(key, bytes) else key
        if key is not None and USABLE_KEY.fullmatch(key):
            request.headers["Idempotency-Key"] = str(uuid.uuid4())
        body = request.body.encode() if isinstance(request.body, str) else request.body
        # No signature can cover a value with control characters: such a one is refused unread.
        names = ("content-type", "idempotency-key")
        covered = [name for name in names if plain(request.headers.get(name))]
        self.signer.sign(
            request,
            key_id=KEY_ID,
            nonce=secrets.token_urlsafe(24),
            tag="tollgate",
            covered_component_ids=["@method", "@target-uri", *covered],
            body=body or None,
        )


def plain(value):
    value = value.decode("latin-1") if isinstance(value, bytes) else value
    return value is not None and re.fullmatch(r"[ -~]*", value) is not None


schemathesis.auth.set_from_requests(Signed())


def public_half(variable):
    with open(os.environ[variable], "rb") as file:
        public = load_pem_private_key(file.read(), None).public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


PUBLIC_KEY = public_half("TOLLGATE_SIGNING_KEY")
ENCRYPTION_KEY = public_half("TOLLGATE_OPENING_KEY")

# By what was drawn, so that a case which is repeated is the same.
WORDS = ["succeed", "decline-generic", "redirect", "pending", "unknown", "expire", "refund-pending"]
OWN_APP = KEY_ID.split("/")[0]


def magic(text):
    return "test-" + WORDS[sum(text.encode()) % len(WORDS)]


@schemathesis.hook
def before_load_schema(context, raw_schema):
    """Who asks is proven by what `Signed` adds: a case that lacks an `Authorization` header is no
    worse for it, and must not count as one that ought to be refused. That nobody is let in without
    a proof is held by the suite."""
    for path in raw_schema["paths"].values():
        for operation in path.values():
            operation.pop("security", None)


@schemathesis.hook
def before_call(context, case, kwargs):
    if case.path_parameters.get("app") == OWN_APP:
        # Whoever revokes the app that asks has nothing more to ask.
        case.path_parameters["app"] = OWN_APP[:-4] + "0000"
    mode = case.meta.generation.mode if case.meta else None
    if mode == GenerationMode.POSITIVE and isinstance(case.body, dict):
        of_test_provider(case.body)
        of_operator(case.body)
        of_endpoint(case.body)


def of_test_provider(body):
    if "account" in body and "instrument" in body:
        body["account"] = "sandbox"
        body.pop("extra", None)
        for kind in ("token", "wallet", "bank"):
            if kind in body["instrument"]:
                body["instrument"][kind] = magic(body["instrument"][kind])


def of_operator(body):
    """Keys and networks that exist, and no currency twice: no schema says which PEM texts are keys."""
    if isinstance(body.get("networks"), list):
        body["networks"] = ["192.0.2.0/24", "2001:db8::/32"][: len(body["networks"])]
    if "public_key" in body:
        body["public_key"] = ENCRYPTION_KEY if body.get("type") == "encrypt" else PUBLIC_KEY
    if isinstance(body.get("spending"), list):
        body["spending"] = list({one["currency"]: one for one in body["spending"]}.values())
    if isinstance(body.get("key"), dict):
        of_operator(body["key"])


def of_endpoint(body):
    """Where nobody listens, of names that there are."""
    if "url" in body and "events" in body:
        body["url"] = "http://127.0.0.1:9/" + str(len(body["url"]))
        names = ["*", "refund.*", "*.succeeded", "payout.declined"]
        body["events"] = names[: len(body["events"])]
    if "since" in body:
        # The pattern alone draws days that no calendar has.
        body["since"] = "2026-01-31T09:30:00.000Z"


def platform_key():
    keys = requests.get(os.environ["TOLLGATE_URL"] + "/.well-known/jwks.json", timeout=30).json()
    keys = KeySet.import_key_set(keys).keys
    return next(key for key in keys if key.as_dict().get("use") == "enc")


RECIPIENT = platform_key()


@schemathesis.serializer("application/jose")
def encrypted(ctx, value):
    """What the schema says of the text inside, encrypted to the platform."""
    if isinstance(value, bytes):
        return value
    header = {"alg": "RSA-OAEP-256", "enc": "A256GCM", "kid": RECIPIENT.kid, "cty": "json"}
    return jwe.encrypt_compact(header, json.dumps(value).encode(), RECIPIENT, algorithms=JWE).encode()
