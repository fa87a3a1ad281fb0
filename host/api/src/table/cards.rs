//! The routes of cards. Not here: paying with one.

use engine::Scope;

use crate::cards;
use crate::catalogue as known;
use crate::problem::Code;
use crate::route::{Call, Given, Intake, Route};
use crate::vocabulary as shapes;

const CARD_EXAMPLE: &str = r#"{"number":"4242424242424242","expiry_month":12,"expiry_year":2030,
"security_code":"123","holder":"Ada Lovelace"}"#;
const CARD: &[Given] =
    &[Given { status: 200, about: "The card.", body: Some(("Card", &shapes::CARD)) }];

const NO_CARD: &[&Code] = &[&known::NO_SUCH_CARD];
const NOT_ERASED: &[&Code] = &[&known::NO_SUCH_CARD, &known::PAYMENT_BUSY];

pub(super) const CREATE: Route = Route {
    id: "createCard",
    method: "POST",
    path: "/v1/cards",
    title: "Hand over a card",
    about: "Keeps the card sealed and answers a token to pay with. The body has to be a JWE; \
                handing the same card over again gives another token.",
    call: Call::App(|visit, app| Box::pin(cards::tokenise(visit, app))),
    scope: Some(Scope::Pay),
    parameters: &[],
    query: &[],
    intake: Intake::Json {
        name: "NewCard",
        shape: &shapes::NEW_CARD,
        required: true,
        example: CARD_EXAMPLE,
    },
    given: &[Given { status: 201, about: "Kept.", body: Some(("Card", &shapes::CARD)) }],
    own_problems: &[
        &known::CARD_NOT_ENCRYPTED,
        &known::CARD_REFUSED,
        &known::VAULT_CLOSED,
        &known::PAYMENT_BUSY,
    ],
};

pub(super) const READ: Route = on_card(
    "GET",
    ["readCard", "Read a card", "What may be known of a card; its number is not."],
    (Call::App(|visit, app| Box::pin(cards::read(visit, app))), Scope::Read),
    NO_CARD,
);

pub(super) const ERASE: Route = on_card(
    "DELETE",
    [
        "eraseCard",
        "Erase a card",
        "Erases the sealed data and the security code; brand and last four digits stay for the \
             payments made with it. Repeating it is harmless.",
    ],
    (Call::App(|visit, app| Box::pin(cards::erase(visit, app))), Scope::Pay),
    NOT_ERASED,
);

/// An operation on a card that was handed over.
const fn on_card(
    method: &'static str,
    [id, title, about]: [&'static str; 3],
    (call, scope): (Call, Scope),
    own_problems: &'static [&'static Code],
) -> Route {
    Route {
        id,
        method,
        path: "/v1/cards/{card}",
        title,
        about,
        call,
        scope: Some(scope),
        parameters: &[shapes::CARD_IN_PATH],
        query: &[],
        intake: Intake::None,
        given: CARD,
        own_problems,
    }
}
