//! What can go wrong when an operator looks into the books and settles something there.

use crate::problem::Code;
use crate::problem::Retry::{Later, Never, NewKey, SameKey};

pub static NO_SUCH_ENTRY: Code = Code::new(
    "no-such-entry",
    404,
    Never,
    [
        "There is no such entry",
        "The identifier names no entry of this host.",
        "List the open entries, or read a payment, and use an `id` of them.",
    ],
);
pub static NO_SUCH_ANOMALY: Code = Code::new(
    "no-such-anomaly",
    404,
    Never,
    [
        "There is no such anomaly",
        "The identifier names no anomaly of this host.",
        "List the anomalies, and use an `id` of them.",
    ],
);
pub static ENTRY_NOT_SETTLED: Code = Code::new(
    "entry-not-settled",
    409,
    Never,
    [
        "The entry was not settled",
        "The entry has ended, cannot end so from its state, or the word contradicts the ledger.",
        "Read the entry: `detail` says what stands against it. An ended entry stays as it is.",
    ],
);
pub static ENTRY_IN_HAND: Code = Code::new(
    "entry-in-hand",
    409,
    SameKey,
    [
        "Somebody is at the entry at this moment",
        "The entry is being sent, or the provider is being asked what became of it.",
        "Read the entry again in some seconds: it may be known by then.",
    ],
);
pub static ANOMALY_CLOSED: Code = Code::new(
    "anomaly-closed",
    409,
    Never,
    [
        "The anomaly is closed already",
        "Somebody has looked into it and closed it.",
        "Nothing is left to do; the anomaly says by whom and why it was closed.",
    ],
);
pub static REPORT_UNREADABLE: Code = Code::new(
    "report-unreadable",
    502,
    Later,
    [
        "The provider's report cannot be had or read",
        "The provider did not answer with a report, or the plugin cannot read it.",
        "`detail` says what came; repeat later, or compare a report file by the command line.",
    ],
);
pub static SPAN_REFUSED: Code = Code::new(
    "span-refused",
    422,
    NewKey,
    [
        "This span cannot be compared",
        "The span ends before it begins, or is not over yet.",
        "Compare a span whose end has passed; give the provider's report time to be complete.",
    ],
);
