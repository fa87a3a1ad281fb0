//! The routes of endpoints and their notifications.

use engine::Scope;

use crate::catalogue as known;
use crate::endpoints;
use crate::problem::Code;
use crate::route::{Call, Given, Intake, Reply, Route, Visit};
use crate::shape::Field;
use crate::vocabulary as shapes;

const PATH: &str = "/v1/endpoints";
const ONE: &str = "/v1/endpoints/{endpoint}";
const IN_PATH: &[Field] = &[shapes::ENDPOINT_IN_PATH];
const ENDPOINT: &[Given] =
    &[Given { status: 200, about: "The endpoint.", body: Some(("Endpoint", &shapes::ENDPOINT)) }];

const ROTATED: &[Given] = &[Given {
    status: 200,
    about: "The endpoint and its new secret.",
    body: Some(("EndpointWithSecret", &shapes::ENDPOINT_WITH_SECRET)),
}];

const READING: &[&Code] = &[&known::NO_SUCH_ENDPOINT];
const ROTATING: &[&Code] =
    &[&known::NO_SUCH_ENDPOINT, &known::ENDPOINT_BUSY, &known::VAULT_CLOSED, &known::MISCONFIGURED];
const REPLAYING: &[&Code] = &[
    &known::NO_SUCH_ENDPOINT,
    &known::NO_SUCH_NOTIFICATION,
    &known::NO_SUCH_CURSOR,
    &known::ENDPOINT_BUSY,
];

const REPLAY_EXAMPLE: &str = r#"{"type":"dead"}"#;
const ENDPOINT_EXAMPLE: &str = r#"{"url":"https://shop.example/told","events":["*"]}"#;

pub(super) const ADD: Route = Route {
    id: "createEndpoint",
    method: "POST",
    path: PATH,
    title: "Add an endpoint",
    about: "From now on every event of these names is sent there as a webhook (Standard Webhooks \
            1.0.0), at least once, in order for each payment. The secret is shown once.",
    call: Call::App(|visit, app| Box::pin(endpoints::add(visit, app))),
    scope: Some(Scope::Pay),
    parameters: &[],
    query: &[],
    intake: Intake::Json {
        name: "NewEndpoint",
        shape: &shapes::NEW_ENDPOINT,
        required: true,
        example: ENDPOINT_EXAMPLE,
    },
    given: &[Given {
        status: 201,
        about: "Added.",
        body: Some(("EndpointWithSecret", &shapes::ENDPOINT_WITH_SECRET)),
    }],
    own_problems: &[
        &known::ENDPOINT_REFUSED,
        &known::TOO_MANY_ENDPOINTS,
        &known::VAULT_CLOSED,
        &known::MISCONFIGURED,
    ],
};

pub(super) const LIST: Route = Route {
    parameters: &[],
    given: &[Given {
        status: 200,
        about: "All.",
        body: Some(("EndpointList", &shapes::ENDPOINT_LIST)),
    }],
    own_problems: &[],
    ..reading(["listEndpoints", PATH, "List endpoints"], "", |visit, app| {
        Box::pin(endpoints::list(visit, app))
    })
};

pub(super) const READ: Route =
    reading(["readEndpoint", ONE, "Read an endpoint"], "", |visit, app| {
        Box::pin(endpoints::read(visit, app))
    });

pub(super) const REMOVE: Route = Route {
    method: "DELETE",
    scope: Some(Scope::Pay),
    given: &[Given {
        status: 200,
        about: "It is told nothing more.",
        body: Some(("Nothing", &shapes::NOTHING)),
    }],
    own_problems: &[&known::NO_SUCH_ENDPOINT, &known::ENDPOINT_BUSY],
    ..reading(
        ["deleteEndpoint", ONE, "Delete an endpoint"],
        "What waits for it is not sent.",
        |visit, app| Box::pin(endpoints::remove(visit, app)),
    )
};

pub(super) const ROTATE: Route = changing(
    ["rotateEndpointSecret", "/v1/endpoints/{endpoint}/secret", "Rotate the secret"],
    "Gives the endpoint a new secret, shown once. The secrets before sign along for a while.",
    ("SecretRotation", &shapes::SECRET_ROTATION, r#"{"overlap_s":86400}"#),
    |visit, app| Box::pin(endpoints::rotate(visit, app)),
    ROTATING,
);

pub(super) const ENABLE: Route = Route {
    given: ENDPOINT,
    intake: Intake::None,
    ..changing(
        ["enableEndpoint", "/v1/endpoints/{endpoint}/enable", "Enable an endpoint"],
        "Tells it again after it was disabled for answering 410 Gone; what waits for it is sent. \
         What happened meanwhile is in the feed. Enabling one that is not disabled is no error.",
        ("Nothing", &crate::vocabulary::NOTHING, "{}"),
        |visit, app| Box::pin(endpoints::enable(visit, app)),
        ENABLING,
    )
};
const ENABLING: &[&Code] = &[&known::NO_SUCH_ENDPOINT, &known::ENDPOINT_BUSY];

pub(super) const NOTIFICATIONS: Route = Route {
    query: shapes::NOTIFICATION_QUERY,
    given: &[Given {
        status: 200,
        about: "A page.",
        body: Some(("NotificationPage", &shapes::NOTIFICATION_PAGE)),
    }],
    own_problems: &[&known::NO_SUCH_ENDPOINT, &known::NO_SUCH_CURSOR],
    ..reading(
        ["listNotifications", "/v1/endpoints/{endpoint}/notifications", "List notifications"],
        "What was sent, is to be sent, or was given up, newest first.",
        |visit, app| Box::pin(endpoints::notifications(visit, app)),
    )
};

pub(super) const REPLAY: Route = Route {
    intake: Intake::Json {
        name: "Replay",
        shape: &shapes::REPLAY,
        required: true,
        example: REPLAY_EXAMPLE,
    },
    given: &[Given {
        status: 200,
        about: "They wait to be sent.",
        body: Some(("Replayed", &shapes::REPLAYED)),
    }],
    ..changing(
        ["replayNotifications", "/v1/endpoints/{endpoint}/replays", "Replay"],
        "Sends notifications again that were delivered or given up, under the same webhook-id.",
        ("Replay", &shapes::REPLAY, REPLAY_EXAMPLE),
        |visit, app| Box::pin(endpoints::replay(visit, app)),
        REPLAYING,
    )
};

const fn reading(
    [id, path, title]: [&'static str; 3],
    about: &'static str,
    call: fn(Visit, ledger::Id) -> Reply,
) -> Route {
    Route {
        id,
        method: "GET",
        path,
        title,
        about,
        call: Call::App(call),
        scope: Some(Scope::Read),
        parameters: IN_PATH,
        query: &[],
        intake: Intake::None,
        given: ENDPOINT,
        own_problems: READING,
    }
}

const fn changing(
    [id, path, title]: [&'static str; 3],
    about: &'static str,
    (name, shape, example): (&'static str, &'static crate::shape::Shape, &'static str),
    call: fn(Visit, ledger::Id) -> Reply,
    own_problems: &'static [&'static Code],
) -> Route {
    Route {
        id,
        method: "POST",
        path,
        title,
        about,
        call: Call::App(call),
        scope: Some(Scope::Pay),
        parameters: IN_PATH,
        query: &[],
        intake: Intake::Json { name, shape, required: false, example },
        given: ROTATED,
        own_problems,
    }
}
