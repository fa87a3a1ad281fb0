//! Cards: handed over once, then known by their token.
//!
//! A card number is taken from an encrypted body alone: TLS ends at load balancers and proxies, and
//! those must not see it. Answers never hold more than brand, last four digits and expiry.

use engine::{Card, NewCard};
use http::{HeaderMap, HeaderValue, StatusCode};
use ledger::Id;

use crate::answer::Answer;
use crate::catalogue::CARD_NOT_ENCRYPTED;
use crate::forms::{self, CardForm};
use crate::problem::Problem;
use crate::route::{Intake, Route, Visit};
use crate::{sealed, views};

type Outcome = Result<Answer, Problem>;

pub(crate) async fn tokenise(visit: Visit, app: Id) -> Outcome {
    if !visit.encrypted {
        return Err(Problem::new(&CARD_NOT_ENCRYPTED, CARD_NOT_ENCRYPTED.remedy));
    }
    let form: CardForm = forms::read(visit.json)?;
    let card = visit.payments.tokenise(&app, NewCard::from(form)).await?;
    let mut answer = Answer::json(StatusCode::CREATED, &views::card(&card));
    if let Ok(place) = HeaderValue::from_str(&format!("/v1/cards/{}", card.id)) {
        answer.set("location", place);
    }
    Ok(answer)
}

pub(crate) async fn read(visit: Visit, app: Id) -> Outcome {
    shown(&visit.payments.card(&app, &visit.card()?).await?)
}

pub(crate) async fn erase(visit: Visit, app: Id) -> Outcome {
    shown(&visit.payments.erase_card(&app, &visit.card()?).await?)
}

/// Whether the body of such a request holds a card number.
pub(crate) fn holds_card(route: &Route) -> bool {
    matches!(route.intake, Intake::Json { name: "NewCard", .. })
}

/// The one rule about bodies that hold a card: those that are no JWE are not read, and so neither
/// logged nor digested for the audit trail, where a number could be found by trying all.
pub(crate) fn only_encrypted(route: &Route, headers: &HeaderMap) -> Result<(), Problem> {
    if holds_card(route) && !sealed::is_declared(headers) {
        return Err(Problem::new(&CARD_NOT_ENCRYPTED, CARD_NOT_ENCRYPTED.remedy));
    }
    Ok(())
}

fn shown(card: &Card) -> Outcome {
    Ok(Answer::json(StatusCode::OK, &views::card(card)))
}
