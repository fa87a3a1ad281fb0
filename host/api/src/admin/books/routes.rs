//! The routes of the books.

use super::{anomalies, ask, close, entries, entry, settle, shapes};
use crate::catalogue as known;
use crate::route::{Call, Given, Intake, Route};
use crate::shape::Field;

const ENTRY_PATH: &[Field] = &[shapes::ENTRY_IN_PATH];
const THE_ENTRY: &[Given] = &[Given {
    status: 200,
    about: "The entry.",
    body: Some(("EntryRecord", &shapes::ENTRY_RECORD)),
}];
const SETTLING_EXAMPLE: &str = r#"{"as":"succeeded","reference":"pi_3Nx",
"reason":"the dashboard shows it as paid","by":"Ada Lovelace"}"#;
const CLOSING_EXAMPLE: &str = r#"{"reason":"a charge made by hand in the dashboard","by":"Ada"}"#;

const SETTLING: Intake = Intake::Json {
    name: "Settling",
    shape: &shapes::SETTLING,
    required: true,
    example: SETTLING_EXAMPLE,
};
const CLOSING: Intake = Intake::Json {
    name: "Closing",
    shape: &shapes::CLOSING,
    required: true,
    example: CLOSING_EXAMPLE,
};

pub(crate) const LIST: Route = Route {
    id: "listOpenEntries",
    method: "GET",
    path: "/admin/v1/entries",
    title: "List open entries",
    about: "Entries of which it is not known how they end: money may still move, or have moved.",
    call: Call::Admin(|visit| Box::pin(entries(visit))),
    scope: None,
    parameters: &[],
    query: shapes::ENTRIES_QUERY,
    intake: Intake::None,
    given: &[Given {
        status: 200,
        about: "A page.",
        body: Some(("EntryPage", &shapes::ENTRY_PAGE)),
    }],
    own_problems: &[&known::NO_SUCH_CURSOR],
};

pub(crate) const READ: Route = Route {
    id: "readEntry",
    method: "GET",
    path: "/admin/v1/entries/{entry}",
    title: "Read an entry",
    about: "With the requests that were made for it.",
    own_problems: &[&known::NO_SUCH_ENTRY],
    ..of_entry(Call::Admin(|visit| Box::pin(entry(visit))), Intake::None)
};

pub(crate) const ASK: Route = Route {
    id: "askAboutEntry",
    path: "/admin/v1/entries/{entry}/sync",
    title: "Ask the provider about an entry",
    about: "Now, whatever the schedule says. An entry that somebody is at is left to them.",
    own_problems: &[&known::NO_SUCH_ENTRY, &known::PAYMENT_BUSY, &known::STOPPING],
    ..of_entry(Call::Admin(|visit| Box::pin(ask(visit))), Intake::None)
};

pub(crate) const SETTLE: Route = Route {
    id: "settleEntry",
    path: "/admin/v1/entries/{entry}/resolution",
    title: "Settle an entry by a person's word",
    about: "Who said it, when and why stays with the entry and is told in the feed. What the \
            provider says later is compared with it: a contradiction becomes an anomaly.",
    own_problems: &[
        &known::NO_SUCH_ENTRY,
        &known::ENTRY_NOT_SETTLED,
        &known::ENTRY_IN_HAND,
        &known::PAYMENT_BUSY,
        &known::STOPPING,
    ],
    ..of_entry(Call::Admin(|visit| Box::pin(settle(visit))), SETTLING)
};

pub(crate) const ANOMALIES: Route = Route {
    id: "listAnomalies",
    method: "GET",
    path: "/admin/v1/anomalies",
    title: "List anomalies",
    about: "What contradicts the ledger, oldest first. An anomaly changes no entry.",
    call: Call::Admin(|visit| Box::pin(anomalies(visit))),
    scope: None,
    parameters: &[],
    query: shapes::ANOMALIES_QUERY,
    intake: Intake::None,
    given: &[Given {
        status: 200,
        about: "A page.",
        body: Some(("AnomalyPage", &shapes::ANOMALY_PAGE)),
    }],
    own_problems: &[&known::NO_SUCH_CURSOR],
};

pub(crate) const CLOSE: Route = Route {
    id: "closeAnomaly",
    method: "POST",
    path: "/admin/v1/anomalies/{anomaly}/closure",
    title: "Close an anomaly",
    about: "Says that a person has looked into it, and what they found. No entry is changed.",
    call: Call::Admin(|visit| Box::pin(close(visit))),
    scope: None,
    parameters: &[shapes::ANOMALY_IN_PATH],
    query: &[],
    intake: CLOSING,
    given: &[Given {
        status: 200,
        about: "The anomaly.",
        body: Some(("Anomaly", &shapes::ANOMALY)),
    }],
    own_problems: &[&known::NO_SUCH_ANOMALY, &known::ANOMALY_CLOSED],
};

const fn of_entry(call: Call, intake: Intake) -> Route {
    Route {
        id: "",
        method: "POST",
        path: "",
        title: "",
        about: "",
        call,
        scope: None,
        parameters: ENTRY_PATH,
        query: &[],
        intake,
        given: THE_ENTRY,
        own_problems: &[],
    }
}
