//! The routes of the admin interface.

use super::plugins::{clear, list as list_plugins, measure};
use super::{add, add_key, audit, list, read, revoke, revoke_key, rotate_key, set, shapes};
use crate::catalogue as known;
use crate::route::{Call, Given, Intake, Route};
use crate::shape::Field;
use crate::vocabulary::PAGE;

const NEW_APP_EXAMPLE: &str = r#"{"name":"shop","scopes":["pay","read"],
"networks":["203.0.113.0/24"],"accounts":["acme-eu"],"rate":{"per_second":20,"burst":40},
"spending":[{"currency":"EUR","amount_minor_max":10000000}],"key":{"type":"bearer"}}"#;
const CHANGE_EXAMPLE: &str = r#"{"protection":"signature","rate":null}"#;

const THE_APP: &[Given] =
    &[Given { status: 200, about: "The app.", body: Some(("App", &shapes::APP)) }];
const WITH_KEY: &[Given] = &[Given {
    status: 201,
    about: "The app, and the key that was made: its secret is in this answer alone.",
    body: Some(("AppWithKey", &shapes::APP_WITH_KEY)),
}];
const PAGE_OF_APPS: &[Given] =
    &[Given { status: 200, about: "A page.", body: Some(("AppPage", &shapes::APP_PAGE)) }];
const APP_PATH: &[Field] = &[shapes::APP_IN_PATH];
const KEY_PATH: &[Field] = &[shapes::APP_IN_PATH, shapes::KEY_IN_PATH];

const NEW_APP: Intake = Intake::Json {
    name: "NewApp",
    shape: &shapes::NEW_APP,
    required: true,
    example: NEW_APP_EXAMPLE,
};
const CHANGE: Intake = Intake::Json {
    name: "AppChange",
    shape: &shapes::APP_CHANGE,
    required: true,
    example: CHANGE_EXAMPLE,
};
const NEW_KEY: Intake = Intake::Json {
    name: "NewAppKey",
    shape: &shapes::NEW_KEY,
    required: true,
    example: r#"{"type":"hmac","id":"2026-11"}"#,
};
const ROTATION: Intake = Intake::Json {
    name: "Rotation",
    shape: &shapes::ROTATION,
    required: false,
    example: r#"{"overlap_s":3600}"#,
};

pub(crate) const LIST: Route = Route {
    id: "listApps",
    method: "GET",
    path: "/admin/v1/apps",
    title: "List apps",
    about: "Oldest first, revoked ones too.",
    call: Call::Admin(|visit| Box::pin(list(visit))),
    scope: None,
    parameters: &[],
    query: PAGE,
    intake: Intake::None,
    given: PAGE_OF_APPS,
    own_problems: &[&known::NO_SUCH_CURSOR],
};

pub(crate) const ADD: Route = Route {
    id: "addApp",
    method: "POST",
    path: "/admin/v1/apps",
    title: "Add an app",
    about: "What is left out is open: every scope, network, account, amount. Not idempotent: \
            revoke what a lost answer made.",
    call: Call::Admin(|visit| Box::pin(add(visit))),
    scope: None,
    parameters: &[],
    query: &[],
    intake: NEW_APP,
    given: WITH_KEY,
    own_problems: &[&known::VAULT_CLOSED],
};

pub(crate) const READ: Route = Route {
    id: "readApp",
    method: "GET",
    path: "/admin/v1/apps/{app}",
    title: "Read an app",
    about: "",
    call: Call::Admin(|visit| Box::pin(read(visit))),
    scope: None,
    parameters: APP_PATH,
    query: &[],
    intake: Intake::None,
    given: THE_APP,
    own_problems: &[&known::NO_SUCH_APP],
};

pub(crate) const SET: Route = Route {
    id: "changeApp",
    method: "PATCH",
    path: "/admin/v1/apps/{app}",
    title: "Change an app",
    about: "What is left out stays. It holds from the next request on.",
    call: Call::Admin(|visit| Box::pin(set(visit))),
    scope: None,
    parameters: APP_PATH,
    query: &[],
    intake: CHANGE,
    given: THE_APP,
    own_problems: &[&known::NO_SUCH_APP, &known::APP_REVOKED, &known::APP_BUSY],
};

pub(crate) const REVOKE: Route = Route {
    id: "revokeApp",
    method: "POST",
    path: "/admin/v1/apps/{app}/revocation",
    title: "Revoke an app",
    about: "At once and for good, with all its keys. Again is no error.",
    call: Call::Admin(|visit| Box::pin(revoke(visit))),
    scope: None,
    parameters: APP_PATH,
    query: &[],
    intake: Intake::None,
    given: THE_APP,
    own_problems: &[&known::NO_SUCH_APP, &known::APP_BUSY],
};

pub(crate) const ADD_KEY: Route = Route {
    id: "addAppKey",
    method: "POST",
    path: "/admin/v1/apps/{app}/keys",
    title: "Add a key",
    about: "Keys may overlap. Name the key, and a repetition adds no second one.",
    call: Call::Admin(|visit| Box::pin(add_key(visit))),
    scope: None,
    parameters: APP_PATH,
    query: &[],
    intake: NEW_KEY,
    given: WITH_KEY,
    own_problems: &[
        &known::NO_SUCH_APP,
        &known::APP_REVOKED,
        &known::APP_BUSY,
        &known::KEY_EXISTS,
        &known::VAULT_CLOSED,
    ],
};

pub(crate) const ROTATE_KEY: Route = Route {
    id: "rotateAppKey",
    method: "POST",
    path: "/admin/v1/apps/{app}/keys/{key}/rotation",
    title: "Rotate a key",
    about: "Adds a key of the same form; the old one stays good for the overlap.",
    call: Call::Admin(|visit| Box::pin(rotate_key(visit))),
    scope: None,
    parameters: KEY_PATH,
    query: &[],
    intake: ROTATION,
    given: WITH_KEY,
    own_problems: &[
        &known::NO_SUCH_APP,
        &known::NO_SUCH_KEY,
        &known::APP_REVOKED,
        &known::APP_BUSY,
        &known::KEY_ENDED,
        &known::VAULT_CLOSED,
    ],
};

pub(crate) const REVOKE_KEY: Route = Route {
    id: "revokeAppKey",
    method: "POST",
    path: "/admin/v1/apps/{app}/keys/{key}/revocation",
    title: "Revoke a key",
    about: "At once and for good. Again is no error.",
    call: Call::Admin(|visit| Box::pin(revoke_key(visit))),
    scope: None,
    parameters: KEY_PATH,
    query: &[],
    intake: Intake::None,
    given: THE_APP,
    own_problems: &[&known::NO_SUCH_APP, &known::NO_SUCH_KEY, &known::APP_BUSY],
};

pub(crate) const AUDIT: Route = Route {
    id: "readAudit",
    method: "GET",
    path: "/admin/v1/audit",
    title: "Read the audit trail",
    about: "Keep the cursor and ask again: the trail loses nothing and repeats nothing.",
    call: Call::Admin(|visit| Box::pin(audit(visit))),
    scope: None,
    parameters: &[],
    query: PAGE,
    intake: Intake::None,
    given: &[Given {
        status: 200,
        about: "A page.",
        body: Some(("AuditPage", &shapes::AUDIT_PAGE)),
    }],
    own_problems: &[&known::NO_SUCH_CURSOR],
};

pub(crate) const PLUGINS: Route = Route {
    id: "listPlugins",
    method: "GET",
    path: "/admin/v1/plugins",
    title: "List plugins",
    about: "How each stands: whether it is called, and if not, why.",
    call: Call::Admin(|visit| Box::pin(list_plugins(visit))),
    scope: None,
    parameters: &[],
    query: &[],
    intake: Intake::None,
    given: &[Given {
        status: 200,
        about: "All, by name.",
        body: Some(("PluginList", &shapes::PLUGIN_LIST)),
    }],
    own_problems: &[],
};

pub(crate) const CLEAR_PLUGIN: Route = Route {
    id: "clearPlugin",
    method: "POST",
    path: "/admin/v1/plugins/{plugin}/clear",
    title: "End a quarantine",
    about: "The plugin is called again from the next request on, and what was counted against it \
            is forgotten. Again is no error.",
    call: Call::Admin(|visit| Box::pin(clear(visit))),
    scope: None,
    parameters: &[shapes::PLUGIN_IN_PATH],
    query: &[],
    intake: Intake::None,
    given: &[Given { status: 200, about: "It.", body: Some(("Plugin", &shapes::PLUGIN)) }],
    own_problems: &[&known::NO_SUCH_PLUGIN],
};

pub(crate) const METRICS: Route = Route {
    id: "readMetrics",
    method: "GET",
    path: "/admin/v1/metrics",
    title: "The host in numbers",
    about: "What is in hand, the most that may be, what was refused, and how plugins stand, in the \
            text format of Prometheus.",
    call: Call::Admin(|visit| Box::pin(measure(visit))),
    scope: None,
    parameters: &[],
    query: &[],
    intake: Intake::None,
    given: &[Given { status: 200, about: "Metrics.", body: None }],
    own_problems: &[],
};
