//! The routes, as a table. What is not here is not answered.

mod cards;
mod endpoints;

use engine::Scope;

use crate::admin::books::routes as books;
use crate::admin::reconcile::routes as reconcile;
use crate::admin::routes as admin;
use crate::catalogue as known;
use crate::problem::Code;
use crate::route::{Call, Given, Intake, Route};
use crate::shape::Field;
use crate::vocabulary as shapes;
use crate::{about, events, pages, payments, webhooks};

const OPERATED: &[Given] = &[Given {
    status: 201,
    about: "Begun and recorded. The status says what became of it; a decline is recorded too.",
    body: Some(("Operated", &shapes::OPERATED)),
}];
/// What an operation can meet that begins a payment or a payout.
const PAYS: &[&Code] =
    &[&known::SPENDING_LIMIT, &known::NO_SUCH_CARD, &known::CARD_GONE, &known::VAULT_CLOSED];
const PAYMENT: &[Given] =
    &[Given { status: 200, about: "The payment.", body: Some(("Payment", &shapes::PAYMENT)) }];

const HTML: &[Given] = &[Given { status: 200, about: "A page for people.", body: None }];

const PAYMENT_EXAMPLE: &str = r#"{"account":"sandbox","amount":{"minor":1999,"currency":"EUR"},
"merchant_reference":"order-1001","instrument":{"type":"token","token":"test-succeed"},
"capture":"manual","description":"Two books","return_url":"https://shop.example/done?o=1001",
"customer":{"ip":"203.0.113.7"}}"#;
const PAYOUT_EXAMPLE: &str = r#"{"account":"sandbox","amount":{"minor":5000,"currency":"EUR"},
"merchant_reference":"payout-7","instrument":{"type":"bank","bank":"test-succeed"},
"beneficiary":{"name":"Ada Lovelace"},"description":"March"}"#;
const PART_EXAMPLE: &str = r#"{"amount":{"minor":500,"currency":"EUR"}}"#;

const PAYMENT_PATH: &[Field] = &[shapes::PAYMENT_IN_PATH];

const PART: Intake =
    Intake::Json { name: "Part", shape: &shapes::PART, required: false, example: PART_EXAMPLE };
const NOTHING: Intake =
    Intake::Json { name: "Nothing", shape: &shapes::NOTHING, required: false, example: "{}" };

/// Every operation.
pub(crate) static ROUTES: &[Route] = &[
    Route {
        id: "createPayment",
        method: "POST",
        path: "/v1/payments",
        title: "Begin a payment",
        about: "Answers when the provider has, or when its answer is known to be lost: then the \
                status is `unknown`, and the host finds out.",
        call: Call::Ask(|visit, ask| Box::pin(payments::pay(visit, ask))),
        scope: Some(Scope::Pay),
        parameters: &[],
        query: &[],
        intake: Intake::Json {
            name: "NewPayment",
            shape: &shapes::NEW_PAYMENT,
            required: true,
            example: PAYMENT_EXAMPLE,
        },
        given: OPERATED,
        own_problems: PAYS,
    },
    Route {
        id: "listPayments",
        method: "GET",
        path: "/v1/payments",
        title: "List payments",
        about: "The payments of the app, newest first.",
        call: Call::App(|visit, app| Box::pin(payments::list(visit, app))),
        scope: Some(Scope::Read),
        parameters: &[],
        query: shapes::PAGE,
        intake: Intake::None,
        given: &[Given {
            status: 200,
            about: "A page.",
            body: Some(("PaymentPage", &shapes::PAYMENT_PAGE)),
        }],
        own_problems: &[&known::NO_SUCH_CURSOR],
    },
    Route {
        id: "createPayout",
        method: "POST",
        path: "/v1/payouts",
        title: "Pay out",
        about: "A payout is read as a payment, and takes no other operation.",
        call: Call::Ask(|visit, ask| Box::pin(payments::pay_out(visit, ask))),
        scope: Some(Scope::Payout),
        parameters: &[],
        query: &[],
        intake: Intake::Json {
            name: "NewPayout",
            shape: &shapes::NEW_PAYOUT,
            required: true,
            example: PAYOUT_EXAMPLE,
        },
        given: OPERATED,
        own_problems: PAYS,
    },
    Route {
        id: "readPayment",
        method: "GET",
        path: "/v1/payments/{payment}",
        title: "Read a payment",
        about: "Reads the ledger; the provider is not asked.",
        call: Call::App(|visit, app| Box::pin(payments::read(visit, app))),
        scope: Some(Scope::Read),
        parameters: PAYMENT_PATH,
        query: &[],
        intake: Intake::None,
        given: PAYMENT,
        own_problems: &[&known::NO_SUCH_PAYMENT],
    },
    on_payment(
        ["capturePayment", "/v1/payments/{payment}/captures", "Capture"],
        "Takes this amount, or all that is authorised and not captured.",
        PART,
        (Call::Ask(|visit, ask| Box::pin(payments::capture(visit, ask))), Scope::Pay),
        &[
            &known::NO_SUCH_PAYMENT,
            &known::OTHER_CURRENCY,
            &known::NOT_AUTHORIZED,
            &known::OVER_CAPTURE,
            &known::ALREADY_CANCELLED,
            &known::NOT_FOR_PAYOUTS,
        ],
    ),
    on_payment(
        ["cancelPayment", "/v1/payments/{payment}/cancellation", "Cancel"],
        "Releases an authorisation, or closes a payment that was not paid yet.",
        NOTHING,
        (Call::Ask(|visit, ask| Box::pin(payments::cancel(visit, ask))), Scope::Pay),
        &[
            &known::NO_SUCH_PAYMENT,
            &known::ALREADY_CAPTURED,
            &known::ALREADY_CANCELLED,
            &known::NOTHING_TO_CANCEL,
            &known::NOT_FOR_PAYOUTS,
        ],
    ),
    on_payment(
        ["refundPayment", "/v1/payments/{payment}/refunds", "Refund"],
        "Gives back this amount, or all that is captured and not refunded.",
        PART,
        (Call::Ask(|visit, ask| Box::pin(payments::refund(visit, ask))), Scope::Refund),
        &[
            &known::NO_SUCH_PAYMENT,
            &known::OTHER_CURRENCY,
            &known::NOT_CAPTURED,
            &known::OVER_REFUND,
            &known::NOT_FOR_PAYOUTS,
        ],
    ),
    Route {
        given: PAYMENT,
        ..on_payment(
            ["syncPayment", "/v1/payments/{payment}/sync", "Ask the provider"],
            "Asks the provider what became of every open entry, now. Repeating it is harmless.",
            NOTHING,
            (Call::App(|visit, app| Box::pin(payments::sync(visit, app))), Scope::Read),
            &[
                &known::NO_SUCH_PAYMENT,
                &known::NO_SUCH_ACCOUNT,
                &known::UNSUPPORTED,
                &known::MISCONFIGURED,
                &known::PLUGIN_FAILED,
                &known::ACCOUNT_OVERLOADED,
                &known::PAYMENT_BUSY,
                &known::STOPPING,
            ],
        )
    },
    cards::CREATE,
    cards::READ,
    cards::ERASE,
    Route {
        id: "listEvents",
        method: "GET",
        path: "/v1/events",
        title: "Read the feed",
        about: "What happened to the payments of the app, oldest first. Keep the cursor and ask \
                again: the feed loses nothing and repeats nothing. With `Accept: \
                text/event-stream` it is a stream of server-sent events, which goes on after \
                `Last-Event-ID`.",
        call: Call::App(|visit, app| Box::pin(events::list(visit, app))),
        scope: Some(Scope::Read),
        parameters: &[],
        query: shapes::PAGE,
        intake: Intake::None,
        given: &[
            Given { status: 200, about: "A page.", body: Some(("EventPage", &shapes::EVENT_PAGE)) },
            Given {
                status: 200,
                about: "A stream.",
                body: Some(("EventStream", &shapes::EVENT_STREAM)),
            },
        ],
        own_problems: &[&known::NO_SUCH_CURSOR, &known::TOO_MANY_STREAMS],
    },
    endpoints::ADD,
    endpoints::LIST,
    endpoints::READ,
    endpoints::REMOVE,
    endpoints::ROTATE,
    endpoints::ENABLE,
    endpoints::NOTIFICATIONS,
    endpoints::REPLAY,
    Route {
        id: "readPlatform",
        method: "GET",
        path: "/v1/platform",
        title: "What can be done here",
        about: "The platform's keys and clock, what it takes for proof, and the accounts open to \
                the app.",
        call: Call::App(|visit, _| Box::pin(about::platform(visit))),
        scope: Some(Scope::Read),
        parameters: &[],
        query: &[],
        intake: Intake::None,
        given: &[Given { status: 200, about: "It.", body: Some(("Platform", &about::PLATFORM)) }],
        own_problems: &[],
    },
    Route {
        id: "deliverWebhook",
        method: "POST",
        path: "/webhooks/{account}",
        title: "Deliver a webhook",
        about: "For providers alone. Whatever is not proven by the account's own keys is refused \
                in the provider's own manner.",
        call: Call::Open(|visit| Box::pin(webhooks::deliver(visit))),
        scope: None,
        parameters: &[shapes::ACCOUNT_IN_PATH],
        query: &[],
        intake: Intake::Raw,
        given: &[],
        own_problems: &[
            &known::NO_SUCH_ACCOUNT,
            &known::OVERLOADED,
            &known::PLUGIN_FAILED,
            &known::PLUGIN_QUARANTINED,
            &known::STORE_UNAVAILABLE,
            &known::STORAGE_FULL,
            &known::STOPPING,
        ],
    },
    admin::LIST,
    admin::ADD,
    admin::READ,
    admin::SET,
    admin::REVOKE,
    admin::ADD_KEY,
    admin::ROTATE_KEY,
    admin::REVOKE_KEY,
    admin::AUDIT,
    admin::PLUGINS,
    admin::CLEAR_PLUGIN,
    admin::METRICS,
    books::LIST,
    books::READ,
    books::ASK,
    books::SETTLE,
    books::ANOMALIES,
    books::CLOSE,
    reconcile::RECONCILE,
    page(
        "/health",
        ["health", "Whether the process answers"],
        |visit| Box::pin(pages::health(visit)),
        &[Given { status: 200, about: "It does.", body: Some(("Health", &shapes::HEALTH)) }],
    ),
    page(
        "/.well-known/jwks.json",
        ["keys", "The platform's public keys"],
        |visit| Box::pin(about::keys(visit)),
        &[Given { status: 200, about: "A JWK set.", body: Some(("KeySet", &about::KEY_SET)) }],
    ),
    page(
        "/ready",
        ["ready", "Whether payments can be taken"],
        |visit| Box::pin(pages::ready(visit)),
        &[
            Given {
                status: 200,
                about: "They can.",
                body: Some(("Readiness", &shapes::READINESS)),
            },
            Given {
                status: 503,
                about: "They cannot.",
                body: Some(("Readiness", &shapes::READINESS)),
            },
        ],
    ),
    page(
        "/openapi.json",
        ["openapi", "This document"],
        |visit| Box::pin(pages::document(visit)),
        &[Given {
            status: 200,
            about: "OpenAPI 3.1.",
            body: Some(("Document", &shapes::DOCUMENT)),
        }],
    ),
    page(
        "/problems",
        ["listProblems", "Every problem"],
        |visit| Box::pin(pages::problems(visit)),
        &[Given { status: 200, about: "All.", body: Some(("CodeList", &shapes::CODE_LIST)) }],
    ),
    page("/docs/", ["docs", "The documentation"], |visit| Box::pin(pages::docs(visit)), HTML),
    Route {
        parameters: &[shapes::PAGE_IN_PATH],
        own_problems: &[&known::NO_SUCH_PAGE],
        ..page(
            "/docs/{page}",
            ["docsPage", "A page of the documentation"],
            |visit| Box::pin(pages::docs(visit)),
            HTML,
        )
    },
    Route {
        query: shapes::TEST_PAYMENT,
        ..page(
            "/test-payment",
            ["testPayment", "Where a test payer decides"],
            |visit| Box::pin(pages::test_payment(visit)),
            HTML,
        )
    },
    Route {
        parameters: &[shapes::CODE_IN_PATH],
        own_problems: &[&known::NO_SUCH_PROBLEM],
        ..page(
            "/problems/{code}",
            ["readProblem", "One problem"],
            |visit| Box::pin(pages::problem(visit)),
            &[Given { status: 200, about: "It.", body: Some(("Code", &shapes::CODE)) }],
        )
    },
];

/// An operation on a payment that exists.
const fn on_payment(
    [id, path, title]: [&'static str; 3],
    about: &'static str,
    intake: Intake,
    (call, scope): (Call, Scope),
    own_problems: &'static [&'static Code],
) -> Route {
    Route {
        id,
        method: "POST",
        path,
        title,
        about,
        call,
        scope: Some(scope),
        parameters: PAYMENT_PATH,
        query: &[],
        intake,
        given: OPERATED,
        own_problems,
    }
}

/// A page that anybody may read.
const fn page(
    path: &'static str,
    [id, title]: [&'static str; 2],
    call: fn(crate::route::Visit) -> crate::route::Reply,
    given: &'static [Given],
) -> Route {
    Route {
        id,
        method: "GET",
        path,
        title,
        about: "",
        call: Call::Open(call),
        scope: None,
        parameters: &[],
        query: &[],
        intake: Intake::None,
        given,
        own_problems: &[],
    }
}
