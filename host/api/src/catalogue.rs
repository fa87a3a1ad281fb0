//! The catalogue of problems, as data: the OpenAPI document and `/problems` are made of it.
//!
//! A code never changes its meaning; a new cause gets a new code. What is wrong with the form of a
//! request is a 400 or a 422, what names nothing a 404, what the state forbids a 409.

use crate::problem::Code;
use crate::problem::Retry::{Later, Never, NewKey, SameKey};

/// The request line, target or framing cannot be understood.
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
/// A header is missing, repeated or ill-formed.
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
/// A query parameter is unknown, repeated or out of bounds.
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
/// The body is no JSON object in our sense.
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
/// The key is missing.
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
/// The key is wrong.
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
/// Nothing at this path.
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
/// No such payment.
pub static NO_SUCH_PAYMENT: Code = Code::new(
    "no-such-payment",
    404,
    Never,
    [
        "There is no such payment",
        "The identifier names no payment, or one of another app.",
        "Use the `id` of an earlier answer to the same app.",
    ],
);
/// No such account.
pub static NO_SUCH_ACCOUNT: Code = Code::new(
    "no-such-account",
    404,
    NewKey,
    [
        "There is no such account",
        "No account of this name is configured on this host.",
        "Use a name from the operator's configuration, in the same case.",
    ],
);
/// No such cursor.
pub static NO_SUCH_CURSOR: Code = Code::new(
    "no-such-cursor",
    404,
    Never,
    [
        "The cursor is not one of this list",
        "A cursor is only valid for the list that gave it, to the app it was given to.",
        "Use the `cursor` of an earlier answer unchanged, or none to begin at the start.",
    ],
);
/// No such problem.
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
/// The path has other methods.
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
/// The body did not arrive in time.
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
/// The same key is being worked on.
pub static IN_PROGRESS: Code = Code::new(
    "request-in-progress",
    409,
    SameKey,
    [
        "This request is still being worked on",
        "An earlier request with the same idempotency key is not answered yet.",
        "Repeat the same request under the same key until it is answered.",
    ],
);
/// Concurrent changes.
pub static PAYMENT_BUSY: Code = Code::new(
    "payment-busy",
    409,
    SameKey,
    [
        "The payment is being changed by another request",
        "Other operations changed the same payment at the same time, several times over.",
        "Repeat the same request under the same key.",
    ],
);
/// Another currency.
pub static OTHER_CURRENCY: Code = Code::new(
    "other-currency",
    409,
    NewKey,
    [
        "The payment is in another currency",
        "The amount asked is not in the currency of the payment.",
        "Ask in the currency of the payment's `amount`.",
    ],
);
/// Authorised already.
pub static ALREADY_AUTHORIZED: Code = Code::new(
    "already-authorized",
    409,
    Never,
    [
        "The payment is authorised already, or may be",
        "An authorisation is done, or open and not known to have failed.",
        "Wait for the open entry to end; begin another payment only after it was declined.",
    ],
);
/// Nothing authorised.
pub static NOT_AUTHORIZED: Code = Code::new(
    "not-authorized",
    409,
    NewKey,
    [
        "Nothing is authorised that could be captured",
        "The authorisation is not done, or was captured at once.",
        "Wait until the payment's status is `authorized`.",
    ],
);
/// Capture beyond the authorisation.
pub static OVER_CAPTURE: Code = Code::new(
    "over-capture",
    409,
    NewKey,
    [
        "Captures would exceed the authorised amount",
        "Captures done, or that may still be done, are counted, and this one would exceed the sum.",
        "Capture at most `authorized_minor` less `captured_minor` and what is open.",
    ],
);
/// Nothing captured.
pub static NOT_CAPTURED: Code = Code::new(
    "not-captured",
    409,
    NewKey,
    [
        "Nothing is captured that could be refunded",
        "No capture has succeeded yet.",
        "Wait for the capture; cancel a payment that is only authorised.",
    ],
);
/// Refund beyond the capture.
pub static OVER_REFUND: Code = Code::new(
    "over-refund",
    409,
    NewKey,
    [
        "Refunds would exceed the captured amount",
        "Refunds done, or that may still be done, are counted, and this one would exceed the sum.",
        "Refund at most `captured_minor` less `refunded_minor` and what is open.",
    ],
);
/// Captured already.
pub static ALREADY_CAPTURED: Code = Code::new(
    "already-captured",
    409,
    Never,
    [
        "The payment is captured, or is being captured",
        "Money that was taken cannot be released.",
        "Refund the payment instead.",
    ],
);
/// Cancelled already.
pub static ALREADY_CANCELLED: Code = Code::new(
    "already-cancelled",
    409,
    Never,
    [
        "The payment is cancelled, or is being cancelled",
        "A cancellation is done, or open and not known to have failed.",
        "Read the payment; begin another one if money is still wanted.",
    ],
);
/// Nothing to cancel.
pub static NOTHING_TO_CANCEL: Code = Code::new(
    "nothing-to-cancel",
    409,
    Never,
    [
        "There is nothing left to cancel",
        "The payment is neither authorised nor on the way to it.",
        "Nothing needs to be done: no money is held.",
    ],
);
/// An operation of payments asked of a payout.
pub static NOT_FOR_PAYOUTS: Code = Code::new(
    "not-for-payouts",
    409,
    Never,
    [
        "A payout takes no other operation",
        "A payout is one entry: it cannot be captured, cancelled or refunded.",
        "Ask the person who was paid to pay back.",
    ],
);
/// Too large a body.
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
/// Too long a target.
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
/// Not JSON by its header.
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
/// Fields are wrong.
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
/// The key was used for another request.
pub static KEY_REUSED: Code = Code::new(
    "idempotency-key-reused",
    422,
    NewKey,
    [
        "The idempotency key was used for a different request",
        "An earlier request of this app had the same key and another method, path or body.",
        "Draw a new key for each new operation, and repeat the very same bytes when you retry.",
    ],
);
/// The provider cannot do this.
pub static UNSUPPORTED: Code = Code::new(
    "unsupported-by-provider",
    422,
    NewKey,
    [
        "The provider cannot do this",
        "The account's provider does not offer the operation, the instrument or the currency.",
        "`detail` says what it offers; use that, or another account.",
    ],
);
/// The provider does not take it so.
pub static REFUSED_BY_PLUGIN: Code = Code::new(
    "not-taken-by-provider",
    422,
    NewKey,
    [
        "The provider does not take this request",
        "The request holds something that the provider has no place for, or lacks what it needs.",
        "Change what `detail` names.",
    ],
);
/// Too large a head.
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
/// Our fault.
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
/// The operator's fault.
pub static MISCONFIGURED: Code = Code::new(
    "account-misconfigured",
    503,
    Later,
    [
        "The account cannot be used as it is configured",
        "The operator's configuration of the account is incomplete or contradicts itself.",
        "Give the operator the `Request-Id`; nothing was sent to the provider.",
    ],
);
/// The plugin's fault.
pub static PLUGIN_FAILED: Code = Code::new(
    "plugin-failed",
    503,
    Later,
    [
        "The provider's plugin failed",
        "The plugin broke before anything was sent to the provider.",
        "Repeat later under the same key; if it persists, give the operator the `Request-Id`.",
    ],
);
/// The store's fault.
pub static STORE_UNAVAILABLE: Code = Code::new(
    "store-unavailable",
    503,
    Later,
    [
        "The store did not answer",
        "The host could not record or read what it needs.",
        "Repeat later under the same key, which makes repeating safe.",
    ],
);
/// Going away.
pub static STOPPING: Code = Code::new(
    "stopping",
    503,
    Later,
    [
        "The host is stopping",
        "The host is being restarted or replaced, and begins nothing new.",
        "Repeat under the same key; a load balancer will have found another host.",
    ],
);
/// Too many connections.
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
/// It takes too long.
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
    &API_KEY_MISSING,
    &API_KEY_WRONG,
    &NOTHING_HERE,
    &NO_SUCH_PAYMENT,
    &NO_SUCH_ACCOUNT,
    &NO_SUCH_CURSOR,
    &NO_SUCH_PROBLEM,
    &METHOD_NOT_ALLOWED,
    &BODY_TOO_SLOW,
    &IN_PROGRESS,
    &PAYMENT_BUSY,
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
    &BODY_TOO_LARGE,
    &TARGET_TOO_LONG,
    &MEDIA_TYPE,
    &FIELDS_INVALID,
    &KEY_REUSED,
    &UNSUPPORTED,
    &REFUSED_BY_PLUGIN,
    &HEADERS_TOO_LARGE,
    &INTERNAL,
    &MISCONFIGURED,
    &PLUGIN_FAILED,
    &STORE_UNAVAILABLE,
    &STOPPING,
    &TOO_MANY_CONNECTIONS,
    &DEADLINE_PASSED,
];
