//! What a request is refused for that says who sent it, and what the admin interface refuses.

use crate::problem::Code;
use crate::problem::Retry::{Later, Never, NewKey, SameKey};

pub static NETWORK_REFUSED: Code = Code::new(
    "network-refused",
    403,
    Never,
    [
        "The app may not ask from this address",
        "The app has a list of networks, and the request comes from none of them.",
        "Ask from a network the operator listed, or have yours added.",
    ],
);
pub static PROTECTION_REQUIRED: Code = Code::new(
    "protection-required",
    403,
    Never,
    [
        "The request has to be better protected",
        "The app is set to signed requests, or to encrypted ones, and this one is less.",
        "Sign each request (RFC 9421); with `encryption`, send each body as a JWE too.",
    ],
);
pub static RATE_LIMITED: Code = Code::new(
    "rate-limited",
    429,
    Later,
    [
        "The app asks too often",
        "The app has a limit of requests a second, and has used it up.",
        "Repeat after `Retry-After`, under the same key; nothing was done.",
    ],
);
pub static TOO_MANY_FAILURES: Code = Code::new(
    "too-many-failures",
    429,
    Later,
    [
        "Too many requests could not prove who sent them",
        "Your network sends requests that are not proven, faster than they are answered.",
        "Correct the key or the signature; requests that are proven are not held up.",
    ],
);
pub static SPENDING_LIMIT: Code = Code::new(
    "spending-limit",
    409,
    NewKey,
    [
        "The app would spend more than it may in a day",
        "Payments and payouts of this UTC day count, open ones too; this would exceed the sum.",
        "Ask for at most what `limit` says is left, or after `renews_at`; nothing was done.",
    ],
);
pub static ADMIN_TOKEN_WRONG: Code = Code::new(
    "admin-token-wrong",
    401,
    Never,
    [
        "The admin token is not valid",
        "The request carries no admin token, or another one.",
        "Send `Authorization: Bearer` and the token that [admin] of the configuration names.",
    ],
);
pub static NO_SUCH_APP: Code = Code::new(
    "no-such-app",
    404,
    Never,
    [
        "There is no such app",
        "The identifier names no app of this host.",
        "List the apps, and use an `id` of them.",
    ],
);
pub static NO_SUCH_KEY: Code = Code::new(
    "no-such-key",
    404,
    Never,
    [
        "The app has no such key",
        "The name is not that of a key of this app.",
        "Read the app, and use an `id` of its `keys`.",
    ],
);
pub static NO_SUCH_PLUGIN: Code = Code::new(
    "no-such-plugin",
    404,
    Never,
    [
        "There is no such plugin",
        "The name is not that of a plugin that an account of this host uses.",
        "List the plugins, and use a `name` of them.",
    ],
);
pub static APP_REVOKED: Code = Code::new(
    "app-revoked",
    409,
    Never,
    [
        "The app is revoked",
        "An app that is revoked stays so, and is not changed any more.",
        "Add another app.",
    ],
);
pub static APP_BUSY: Code = Code::new(
    "app-busy",
    409,
    SameKey,
    [
        "The app is being changed by somebody else",
        "Others changed the same app at the same time, several times over.",
        "Repeat the request.",
    ],
);
pub static KEY_ENDED: Code = Code::new(
    "key-ended",
    409,
    Never,
    ["The key is no longer good", "The key was revoked, or its time is over.", "Add another key."],
);
pub static KEY_EXISTS: Code = Code::new(
    "key-exists",
    409,
    Never,
    [
        "The app has a key of this name",
        "Each key of an app has a name of its own, those that have ended too.",
        "Name the new key otherwise, or leave the name to the host.",
    ],
);
pub static VAULT_CLOSED: Code = Code::new(
    "vault-closed",
    409,
    Never,
    [
        "The host has no master key",
        "What is asked has to be kept sealed, and the configuration names no master key that fits.",
        "Make one with `tollgate vault key`, and name it by [vault] in the configuration.",
    ],
);
