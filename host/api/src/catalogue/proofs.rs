//! What keeps a request from being proven or opened: signatures, digests, encrypted bodies.

use crate::problem::Code;
use crate::problem::Retry::{Never, NewKey};

pub static PROOF_TWICE: Code = Code::new(
    "proof-twice",
    400,
    Never,
    [
        "The request proves itself twice",
        "It carries both an API key and a signature, and it would be open which of them counts.",
        "Send either `Authorization` or `Signature-Input` and `Signature`.",
    ],
);
pub static SIGNATURE_MALFORMED: Code = Code::new(
    "signature-malformed",
    400,
    Never,
    [
        "The signature cannot be read",
        "A field is not formed as RFC 9421 says, a name stands twice, or a component has no value.",
        "`detail` says what; `tollgate sign` shows a right one for the same request.",
    ],
);
pub static CONTENT_DIGEST_MALFORMED: Code = Code::new(
    "content-digest-malformed",
    400,
    Never,
    [
        "The digest of the body cannot be read",
        "`Content-Digest` is not a dictionary of byte sequences, or has no algorithm known here.",
        "Send `Content-Digest: sha-256=:<base64>:` over the bytes of the body as they are sent.",
    ],
);
pub static CONTENT_DIGEST_MISMATCH: Code = Code::new(
    "content-digest-mismatch",
    400,
    Never,
    [
        "The body is not the one that was meant",
        "The body has another digest than `Content-Digest` says: it was changed on its way.",
        "Send the request again; digest the very bytes that are sent, after encrypting.",
    ],
);
pub static JWE_MALFORMED: Code = Code::new(
    "jwe-malformed",
    400,
    NewKey,
    [
        "The encrypted body cannot be read",
        "The body is not a compact JWE with `alg` RSA-OAEP-256 or dir and `enc` A256GCM.",
        "`detail` says what; /v1/platform lists what is taken.",
    ],
);
pub static JWE_NOT_OPENED: Code = Code::new(
    "jwe-not-opened",
    400,
    NewKey,
    [
        "The encrypted body does not open",
        "It is encrypted to another key, or was changed. Which of them is not told.",
        "Take the key of /.well-known/jwks.json, or a key of the app, and name it by `kid`.",
    ],
);
pub static SIGNATURE_MISSING: Code = Code::new(
    "signature-missing",
    401,
    Never,
    [
        "A signature is missing",
        "One of `Signature-Input` and `Signature` is absent, or none has a fitting tag.",
        "Send both, without a tag or with the tag `tollgate`.",
    ],
);
pub static SIGNATURE_COMPONENTS: Code = Code::new(
    "signature-components-missing",
    401,
    Never,
    [
        "The signature covers too little",
        "Something of the request is not covered and could be changed on its way.",
        "Cover what `detail` names; `Accept-Signature` shows all that is asked.",
    ],
);
pub static SIGNATURE_STALE: Code = Code::new(
    "signature-stale",
    401,
    Never,
    [
        "The signature is not of this time",
        "`created` is too long ago or ahead of the host's clock, or `expires` is over.",
        "Sign anew, with the time of now; set the clock.",
    ],
);
pub static SIGNATURE_REPLAYED: Code = Code::new(
    "signature-replayed",
    401,
    Never,
    [
        "The signature was used before",
        "A signed request is taken once; this nonce has come before.",
        "Draw a new nonce and sign anew; the idempotency key stays the same.",
    ],
);
pub static SIGNATURE_WRONG: Code = Code::new(
    "signature-wrong",
    401,
    Never,
    [
        "The signature does not hold",
        "The key is not known, is not good, or it did not sign this. Which of them is not told.",
        "Compare the key, its name, the algorithm, and the signature base line by line.",
    ],
);
pub static READER_MISSING: Code = Code::new(
    "reader-key-missing",
    403,
    Never,
    [
        "The answer could not be encrypted",
        "The app has no key that answers can be encrypted to; nothing was done.",
        "Ask the operator to add a key of use `encrypt` to the app.",
    ],
);
pub static MISDIRECTED: Code = Code::new(
    "misdirected",
    421,
    Never,
    [
        "The request is for another host",
        "A signed request names its host, and `Host` is none of this one's.",
        "Use the public URL of this host; a proxy in between has to leave `Host` alone.",
    ],
);
pub static SECRET_MISPLACED: Code = Code::new(
    "secret-misplaced",
    422,
    NewKey,
    [
        "A secret stands where it would be kept in the clear",
        "What looks like a card number, an API key or the secret of an endpoint is in the path, \
         the query, a header that is kept, or a field that is no secret one.",
        "Hand a card over by POST /v1/cards, encrypted, and name it by its token; send an API key \
         as `Authorization: Bearer` alone. Nothing of the request was kept.",
    ],
);
