//! The route of reconciliation.

use super::{reconcile, shapes};
use crate::catalogue as known;
use crate::route::{Call, Given, Intake, Route};

const EXAMPLE: &str = r#"{"account":"cards","from":"2026-11-01T00:00:00.000Z",
"to":"2026-11-02T00:00:00.000Z"}"#;

pub(crate) const RECONCILE: Route = Route {
    id: "reconcile",
    method: "POST",
    path: "/admin/v1/reconciliations",
    title: "Compare with what the provider has booked",
    about: "Fetches the provider's report of the span and lists what differs. Nothing is changed \
            without `resolve`.",
    call: Call::Admin(|visit| Box::pin(reconcile(visit))),
    scope: None,
    parameters: &[],
    query: &[],
    intake: Intake::Json {
        name: "NewReconciliation",
        shape: &shapes::NEW_RECONCILIATION,
        required: true,
        example: EXAMPLE,
    },
    given: &[Given {
        status: 200,
        about: "What differs, and the sums of both sides.",
        body: Some(("Reconciliation", &shapes::RECONCILIATION)),
    }],
    own_problems: &[
        &known::NO_SUCH_ACCOUNT,
        &known::UNSUPPORTED,
        &known::SPAN_REFUSED,
        &known::REPORT_UNREADABLE,
        &known::PLUGIN_FAILED,
    ],
};
