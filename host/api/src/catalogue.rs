//! The catalogue of problems, as data: the OpenAPI document and `/problems` are made of it.
//!
//! A code never changes its meaning; a new cause gets a new code. What is wrong with the form of a
//! request is a 400 or a 422, what names nothing a 404, what the state forbids a 409.

use crate::problem::Code;
use crate::problem::Retry::{Later, Never, NewKey, SameKey};

mod admitted;
mod books;
mod endpoints;
mod loaded;
mod proofs;
mod refused;

pub use admitted::*;
pub use books::*;
pub use endpoints::*;
pub use loaded::*;
pub use proofs::*;
pub use refused::*;

pub static MALFORMED: Code = Code::new(
    "malformed-request",
    400,
    Never,
    [
        "The request is malformed",
        "The path or query holds a broken percent-encoding, or the body breaks off.",
        "Encode special bytes as % and two hexadecimal digits, in UTF-8, and send whole bodies.",
    ],
);
pub static HEADER_INVALID: Code = Code::new(
    "header-invalid",
    400,
    Never,
    [
        "A header is missing, repeated or ill-formed",
        "A header that decides about the request is absent, stands twice, or breaks its pattern.",
        "Send each header that `errors` names exactly once, in the form it says.",
    ],
);
pub static QUERY_INVALID: Code = Code::new(
    "query-invalid",
    400,
    Never,
    [
        "A query parameter is unknown or wrong",
        "A parameter is not one of this operation, stands twice, or is out of its bounds.",
        "Leave out or correct the parameters that `errors` names.",
    ],
);
pub static CARD_NOT_ENCRYPTED: Code = Code::new(
    "card-not-encrypted",
    422,
    Never,
    [
        "A card is taken from an encrypted body alone",
        "The body was not a JWE: proxies on the way could read the card number.",
        "Encrypt the body to the host's key (GET /.well-known/jwks.json) and send it as \
         application/jose. Treat the card as exposed if the body was sent in the clear.",
    ],
);
pub static NOT_JSON: Code = Code::new(
    "not-json",
    400,
    NewKey,
    [
        "The body is not JSON that can be taken",
        "The body is not UTF-8 JSON (RFC 8259), nests deeply, or holds a name twice in one object.",
        "Send one JSON object whose names are unique; `detail` says where reading stopped.",
    ],
);
pub static API_KEY_MISSING: Code = Code::new(
    "api-key-missing",
    401,
    Never,
    [
        "An API key is needed",
        "The request has no `Authorization: Bearer` header.",
        "Send `Authorization: Bearer` and an API key, which begins with tgk_.",
    ],
);
pub static API_KEY_WRONG: Code = Code::new(
    "api-key-wrong",
    401,
    Never,
    [
        "The API key is not valid",
        "The key is ill-formed, revoked, or was never given out here.",
        "Use a key that the operator gave for this host, unshortened.",
    ],
);
pub static SCOPE_MISSING: Code = Code::new(
    "scope-missing",
    403,
    Never,
    [
        "The app may not do this",
        "The operation needs a scope that the operator has not given the app.",
        "Ask the operator for the scope that `detail` names, or use another app.",
    ],
);
pub static NOTHING_HERE: Code = Code::new(
    "nothing-here",
    404,
    Never,
    [
        "There is nothing at this path",
        "No operation has this path.",
        "Compare the path with /openapi.json; there is no slash at its end.",
    ],
);
pub static NO_SUCH_PROBLEM: Code = Code::new(
    "no-such-problem",
    404,
    Never,
    [
        "There is no such problem",
        "The catalogue has no problem of this code.",
        "Ask /problems for all codes.",
    ],
);
pub static NO_SUCH_PAGE: Code = Code::new(
    "no-such-page",
    404,
    Never,
    ["There is no such page", "The documentation has no page of this name.", "Begin at /docs/."],
);
pub static METHOD_NOT_ALLOWED: Code = Code::new(
    "method-not-allowed",
    405,
    Never,
    [
        "The path does not take this method",
        "The path exists, and its operations have other methods.",
        "Use a method of the `Allow` header.",
    ],
);
pub static BODY_TOO_SLOW: Code = Code::new(
    "body-too-slow",
    408,
    SameKey,
    [
        "The body did not arrive in time",
        "The whole body has a deadline, counted from the end of the headers.",
        "Send the request again; nothing was done.",
    ],
);
pub static BODY_TOO_LARGE: Code = Code::new(
    "body-too-large",
    413,
    Never,
    [
        "The body is too large",
        "The body has more bytes than this host takes.",
        "Send less; no operation needs that many bytes.",
    ],
);
pub static TARGET_TOO_LONG: Code = Code::new(
    "target-too-long",
    414,
    Never,
    [
        "The path and query are too long",
        "The request target has more bytes than this host takes.",
        "Use a path and parameters of /openapi.json.",
    ],
);
pub static MEDIA_TYPE: Code = Code::new(
    "media-type-unsupported",
    415,
    Never,
    [
        "The body is not declared as JSON",
        "`Content-Type` is not application/json in UTF-8, or `Content-Encoding` is set.",
        "Send `Content-Type: application/json` and the body as it is, uncompressed.",
    ],
);
pub static FIELDS_INVALID: Code = Code::new(
    "fields-invalid",
    422,
    NewKey,
    [
        "Some fields are wrong",
        "Fields are missing, unknown, of the wrong type or out of their bounds.",
        "Correct every field that `errors` names; all faults of the body are listed.",
    ],
);
pub static HEADERS_TOO_LARGE: Code = Code::new(
    "headers-too-large",
    431,
    Never,
    [
        "The headers are too many or too large",
        "The request has more headers, or more bytes of headers, than this host takes.",
        "Send only the headers that the operation needs; look for cookies.",
    ],
);
pub static INTERNAL: Code = Code::new(
    "internal",
    500,
    SameKey,
    [
        "The host failed",
        "Something went wrong inside the host. What it had begun is recorded and will be resolved.",
        "Repeat under the same key; if it persists, give the operator the `Request-Id`.",
    ],
);
pub static TOO_MANY_CONNECTIONS: Code = Code::new(
    "too-many-connections",
    503,
    Later,
    [
        "There are too many connections",
        "The host, or your address alone, holds as many connections as are allowed.",
        "Use fewer connections and keep them open; repeat after `Retry-After`.",
    ],
);
pub static DEADLINE_PASSED: Code = Code::new(
    "deadline-passed",
    504,
    SameKey,
    [
        "The answer is not there yet",
        "The operation takes longer than a request may. It goes on, and will be recorded.",
        "Repeat the same request under the same key to have its answer, or read the payment.",
    ],
);

/// Every problem there is, by status.
pub static CATALOGUE: &[&Code] = &[
    &MALFORMED,
    &HEADER_INVALID,
    &QUERY_INVALID,
    &NOT_JSON,
    &PROOF_TWICE,
    &SIGNATURE_MALFORMED,
    &CONTENT_DIGEST_MALFORMED,
    &CONTENT_DIGEST_MISMATCH,
    &JWE_MALFORMED,
    &JWE_NOT_OPENED,
    &API_KEY_MISSING,
    &API_KEY_WRONG,
    &SIGNATURE_MISSING,
    &SIGNATURE_COMPONENTS,
    &SIGNATURE_STALE,
    &SIGNATURE_REPLAYED,
    &SIGNATURE_WRONG,
    &ADMIN_TOKEN_WRONG,
    &READER_MISSING,
    &SCOPE_MISSING,
    &NETWORK_REFUSED,
    &PROTECTION_REQUIRED,
    &NOTHING_HERE,
    &NO_SUCH_PAYMENT,
    &NO_SUCH_CARD,
    &NO_SUCH_ACCOUNT,
    &NO_SUCH_CURSOR,
    &NO_SUCH_ENDPOINT,
    &NO_SUCH_NOTIFICATION,
    &NO_SUCH_APP,
    &NO_SUCH_KEY,
    &NO_SUCH_PLUGIN,
    &NO_SUCH_ENTRY,
    &NO_SUCH_ANOMALY,
    &NO_SUCH_PROBLEM,
    &NO_SUCH_PAGE,
    &METHOD_NOT_ALLOWED,
    &BODY_TOO_SLOW,
    &IN_PROGRESS,
    &PAYMENT_BUSY,
    &ENDPOINT_BUSY,
    &TOO_MANY_ENDPOINTS,
    &OTHER_CURRENCY,
    &ALREADY_AUTHORIZED,
    &NOT_AUTHORIZED,
    &OVER_CAPTURE,
    &NOT_CAPTURED,
    &OVER_REFUND,
    &ALREADY_CAPTURED,
    &ALREADY_CANCELLED,
    &NOTHING_TO_CANCEL,
    &NOT_FOR_PAYOUTS,
    &CARD_GONE,
    &SPENDING_LIMIT,
    &APP_REVOKED,
    &APP_BUSY,
    &KEY_ENDED,
    &KEY_EXISTS,
    &ENTRY_NOT_SETTLED,
    &ENTRY_IN_HAND,
    &ANOMALY_CLOSED,
    &VAULT_CLOSED,
    &BODY_TOO_LARGE,
    &TARGET_TOO_LONG,
    &MEDIA_TYPE,
    &MISDIRECTED,
    &FIELDS_INVALID,
    &ENDPOINT_REFUSED,
    &SPAN_REFUSED,
    &KEY_REUSED,
    &CARD_NOT_ENCRYPTED,
    &SECRET_MISPLACED,
    &CARD_REFUSED,
    &UNSUPPORTED,
    &REFUSED_BY_PLUGIN,
    &TOO_MANY_STREAMS,
    &RATE_LIMITED,
    &TOO_MUCH_IN_HAND,
    &TOO_MANY_FAILURES,
    &HEADERS_TOO_LARGE,
    &INTERNAL,
    &REPORT_UNREADABLE,
    &MISCONFIGURED,
    &PLUGIN_FAILED,
    &PLUGIN_QUARANTINED,
    &STORE_UNAVAILABLE,
    &STORAGE_FULL,
    &OVERLOADED,
    &ACCOUNT_OVERLOADED,
    &STOPPING,
    &TOO_MANY_CONNECTIONS,
    &DEADLINE_PASSED,
];
