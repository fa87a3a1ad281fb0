//! What can go wrong with endpoints, notifications and streams.

use crate::problem::Code;
use crate::problem::Retry::{Later, Never, NewKey, SameKey};

pub static NO_SUCH_ENDPOINT: Code = Code::new(
    "no-such-endpoint",
    404,
    Never,
    [
        "There is no such endpoint",
        "The identifier names no endpoint, or one of another app.",
        "Use the `id` of an earlier answer to the same app; GET /v1/endpoints lists all.",
    ],
);
pub static NO_SUCH_NOTIFICATION: Code = Code::new(
    "no-such-notification",
    404,
    Never,
    [
        "There is no such notification to replay",
        "The endpoint has no notification of this identifier that was delivered or given up.",
        "Use an `id` of the endpoint's notifications; what waits is sent anyway.",
    ],
);
pub static ENDPOINT_BUSY: Code = Code::new(
    "endpoint-busy",
    409,
    SameKey,
    [
        "The endpoint is being changed by another request",
        "Another request changed the endpoint, or its notifications, at the same time.",
        "Repeat the request.",
    ],
);
pub static TOO_MANY_ENDPOINTS: Code = Code::new(
    "too-many-endpoints",
    409,
    Never,
    [
        "The app has as many endpoints as it may have",
        "An app may have a limited number of endpoints; the operator sets it.",
        "Delete one that is not needed any more.",
    ],
);
pub static ENDPOINT_REFUSED: Code = Code::new(
    "endpoint-refused",
    422,
    NewKey,
    [
        "Notifications cannot be sent to this URL",
        "The URL is not https, is oddly written, or its host is not on the public Internet.",
        "Use an https URL whose name resolves to public addresses alone; `detail` says more.",
    ],
);
pub static TOO_MANY_STREAMS: Code = Code::new(
    "too-many-streams",
    429,
    Later,
    [
        "The app has as many streams open as it may have",
        "Each stream of events holds a connection; an app may have a limited number of them.",
        "Close one, or read the feed by cursor; several readers can share one stream.",
    ],
);
