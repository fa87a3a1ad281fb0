//! The test cards: <https://docs.stripe.com/testing>.
//!
//! By Stripe's names (`pm_card_visa`) or by number, given as `payment_method_data`. A number is
//! matched and forgotten: nothing here keeps more than its last four digits.

use super::refusal::Refusal;

/// What the issuer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Approves,
    /// Asks the payer to authenticate first.
    Challenges,
    Declines(&'static Decline),
}

/// What becomes of a refund to this card.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refunding {
    Succeeds,
    /// Begins as pending and succeeds when settled.
    Pends,
    /// Begins as succeeded and fails when settled.
    FailsLater,
}

/// A card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Card {
    /// The payment method's identifier.
    pub id: String,
    pub brand: &'static str,
    pub last4: String,
    pub verdict: Verdict,
    pub refunding: Refunding,
}

/// Stripe's words for a refusal by the issuer.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Decline {
    pub code: &'static str,
    pub decline_code: Option<&'static str>,
    pub message: &'static str,
}

impl Decline {
    pub fn refusal(&self) -> Refusal {
        let refusal = Refusal::card(self.message).code(self.code);
        match self.decline_code {
            Some(code) => refusal.field("decline_code", code.into()),
            None => refusal,
        }
    }
}

const fn declined(decline_code: &'static str, message: &'static str) -> Decline {
    Decline { code: "card_declined", decline_code: Some(decline_code), message }
}

static GENERIC: Decline = declined("generic_decline", "Your card was declined.");
static FUNDS: Decline = declined("insufficient_funds", "Your card has insufficient funds.");
static LOST: Decline = declined("lost_card", "Your card was declined.");
static STOLEN: Decline = declined("stolen_card", "Your card was declined.");
static FRAUD: Decline = declined("fraudulent", "Your card was declined.");
static VELOCITY: Decline = declined(
    "card_velocity_exceeded",
    "Your card was declined for making repeated attempts too frequently or exceeding its amount \
     limit.",
);
static EXPIRED: Decline =
    Decline { code: "expired_card", decline_code: None, message: "Your card has expired." };
static CVC: Decline = Decline {
    code: "incorrect_cvc",
    decline_code: None,
    message: "Your card's security code is incorrect.",
};
static PROCESSING: Decline = Decline {
    code: "processing_error",
    decline_code: None,
    message: "An error occurred while processing your card. Try again in a little bit.",
};
/// An off-session payment, or one that must not wait, met a card that wants authentication.
pub(crate) static AUTHENTICATION: Decline = Decline {
    code: "authentication_required",
    decline_code: Some("authentication_required"),
    message: "Your card was declined. This transaction requires authentication.",
};

/// Name (after `pm_card_`), number, brand, verdict.
type Row = (&'static str, &'static str, &'static str, Verdict);

static CARDS: &[Row] = &[
    ("visa", "4242424242424242", "visa", Verdict::Approves),
    ("visa_debit", "4000056655665556", "visa", Verdict::Approves),
    ("mastercard", "5555555555554444", "mastercard", Verdict::Approves),
    ("mastercard_debit", "5200828282828210", "mastercard", Verdict::Approves),
    ("amex", "378282246310005", "amex", Verdict::Approves),
    ("discover", "6011111111111117", "discover", Verdict::Approves),
    ("diners", "3056930009020004", "diners", Verdict::Approves),
    ("jcb", "3566002020360505", "jcb", Verdict::Approves),
    ("unionpay", "6200000000000005", "unionpay", Verdict::Approves),
    ("pendingRefund", "4000000000007726", "visa", Verdict::Approves),
    ("refundFail", "4000000000005126", "visa", Verdict::Approves),
    ("chargeDeclined", "4000000000000002", "visa", Verdict::Declines(&GENERIC)),
    ("chargeDeclinedInsufficientFunds", "4000000000009995", "visa", Verdict::Declines(&FUNDS)),
    ("chargeDeclinedLostCard", "4000000000009987", "visa", Verdict::Declines(&LOST)),
    ("chargeDeclinedStolenCard", "4000000000009979", "visa", Verdict::Declines(&STOLEN)),
    ("chargeDeclinedFraudulent", "4100000000000019", "visa", Verdict::Declines(&FRAUD)),
    (
        "chargeDeclinedVelocityLimitExceeded",
        "4000000000006975",
        "visa",
        Verdict::Declines(&VELOCITY),
    ),
    ("chargeDeclinedExpiredCard", "4000000000000069", "visa", Verdict::Declines(&EXPIRED)),
    ("chargeDeclinedIncorrectCvc", "4000000000000127", "visa", Verdict::Declines(&CVC)),
    ("chargeDeclinedProcessingError", "4000000000000119", "visa", Verdict::Declines(&PROCESSING)),
    ("chargeCustomerFail", "4000000000000341", "visa", Verdict::Declines(&GENERIC)),
    ("authenticationRequired", "4000002760003184", "visa", Verdict::Challenges),
    ("threeDSecure2Required", "4000000000003220", "visa", Verdict::Challenges),
    ("threeDSecureRequired", "4000000000003063", "visa", Verdict::Challenges),
];

/// The card of a payment method's identifier. `pm_card_visa_chargeDeclined…` is the same card as
/// `pm_card_chargeDeclined…`: both spellings are in use.
pub(crate) fn by_name(id: &str) -> Option<Card> {
    let name = id.strip_prefix("pm_card_")?;
    let short = name.strip_prefix("visa_").unwrap_or(name);
    let row = CARDS.iter().find(|row| row.0 == name).or_else(|| {
        CARDS.iter().find(|row| row.0 == short && short.starts_with("chargeDeclined"))
    })?;
    Some(card(id.to_owned(), row))
}

/// The card of a number, as `card[number]` gives it. Without a security code none can be wrong.
pub(crate) fn by_number(id: String, number: &str, with_code: bool) -> Result<Card, Refusal> {
    let row = CARDS.iter().find(|row| row.1 == number).ok_or_else(|| {
        Refusal::card("Your card number is incorrect.").code("incorrect_number").param("number")
    })?;
    let card = card(id, row);
    let verdict = match card.verdict {
        Verdict::Declines(decline) if *decline == CVC && !with_code => Verdict::Approves,
        verdict => verdict,
    };
    Ok(Card { verdict, ..card })
}

fn card(id: String, row: &Row) -> Card {
    let (name, number, brand, verdict) = *row;
    let last4 = number.get(number.len().saturating_sub(4)..).unwrap_or_default().to_owned();
    let refunding = match name {
        "pendingRefund" => Refunding::Pends,
        "refundFail" => Refunding::FailsLater,
        _ => Refunding::Succeeds,
    };
    Card { id, brand, last4, verdict, refunding }
}
