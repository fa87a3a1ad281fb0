//! What a request is refused for that asks for more than there is: of places, of room, of a plugin.

use crate::problem::Code;
use crate::problem::Retry::Later;

pub static TOO_MUCH_IN_HAND: Code = Code::new(
    "too-much-in-hand",
    429,
    Later,
    [
        "The app has as many requests in hand as it may",
        "One app takes at most a share of the host's places, so that the others find one too.",
        "Wait for answers before asking more; repeat after `Retry-After`, under the same key.",
    ],
);
pub static OVERLOADED: Code = Code::new(
    "overloaded",
    503,
    Later,
    [
        "The host has as much in hand as it can",
        "All places for requests of this kind are taken, or its first step waited too long.",
        "Repeat after `Retry-After`, under the same key; nothing was done.",
    ],
);
pub static ACCOUNT_OVERLOADED: Code = Code::new(
    "account-overloaded",
    503,
    Later,
    [
        "The account has as much in hand as it may",
        "The account's provider is slower than requests come; other accounts are not affected.",
        "Repeat after `Retry-After`, under the same key, or use another account; nothing was done.",
    ],
);
pub static STORAGE_FULL: Code = Code::new(
    "storage-full",
    503,
    Later,
    [
        "The host's disk is full",
        "Nothing can be recorded, so nothing is begun. What was begun is not lost; reading works.",
        "Repeat later under the same key. Operator: free space on the disk of [store]; the host \
         goes on by itself.",
    ],
);
pub static PLUGIN_QUARANTINED: Code = Code::new(
    "plugin-quarantined",
    503,
    Later,
    [
        "The provider's plugin is quarantined",
        "The plugin failed too often and is not called; nothing was sent to the provider.",
        "Repeat later under the same key. Operator: GET /admin/v1/plugins says why; correct it, \
         then POST /admin/v1/plugins/{plugin}/clear.",
    ],
);
