//! What the engine refuses, or cannot do now. What the edge finds by itself stands above.

use crate::problem::Code;
use crate::problem::Retry::{Later, Never, NewKey, SameKey};

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
pub static NO_SUCH_CARD: Code = Code::new(
    "no-such-card",
    404,
    NewKey,
    [
        "There is no such card",
        "The token names no card, or one of another app.",
        "Use the `id` that the card was given when the same app handed it over.",
    ],
);
pub static CARD_GONE: Code = Code::new(
    "card-gone",
    409,
    NewKey,
    [
        "The card is erased",
        "The app had the card erased, or its expiry or its keeping time is over.",
        "Ask the payer for the card again; nothing of its number is left here.",
    ],
);
pub static CARD_REFUSED: Code = Code::new(
    "card-refused",
    422,
    Never,
    [
        "This cannot be a card",
        "The check digit of the number is wrong, or the expiry is over or too far ahead.",
        "Have the payer correct the field that `errors` names.",
    ],
);
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
