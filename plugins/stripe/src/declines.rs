//! Stripe's codes for a refusal, and what they mean (docs.stripe.com/declines/codes,
//! docs.stripe.com/error-codes and docs.stripe.com/refunds, read 2026-11-23).

use RetryAdvice::{AfterChange, Later, Never};
use sdk::prelude::{Decline, DeclineCode as D, RetryAdvice, decline};

use crate::wire::Fault;

/// Codes of declines, of errors and of failed refunds.
#[rustfmt::skip]
const CODES: &[(D, RetryAdvice, &str)] = &[
    (D::Generic, Later, "approve_with_id reenter_transaction try_again_later declined"),
    (D::Generic, AfterChange, "call_issuer card_declined do_not_honor generic_decline \
        no_action_taken"),
    (D::Generic, Never, "do_not_try_again merchant_request"),
    (D::InsufficientFunds, Later, "insufficient_funds balance_insufficient"),
    (D::Expired, AfterChange, "expired_card"),
    (D::Expired, Never, "expired_or_canceled_card"),
    (D::IncorrectDetails, AfterChange, "incorrect_address incorrect_cvc incorrect_number \
        incorrect_pin incorrect_zip invalid_account invalid_cvc invalid_expiry_month \
        invalid_expiry_year invalid_number invalid_pin new_account_information_available"),
    (D::LimitExceeded, Later, "card_decline_rate_limit_exceeded card_velocity_exceeded \
        withdrawal_count_limit_exceeded"),
    (D::LimitExceeded, AfterChange, "amount_too_large amount_too_small invalid_amount \
        pin_try_exceeded"),
    (D::SuspectedFraud, Never, "fraudulent lost_card merchant_blacklist pickup_card \
        security_violation stolen_card"),
    (D::AuthenticationRequired, AfterChange, "authentication_not_handled \
        authentication_required mobile_device_authentication_required offline_pin_required \
        online_or_offline_pin_required payment_intent_authentication_failure"),
    (D::NotPermitted, AfterChange, "card_not_supported currency_not_supported not_permitted \
        service_not_allowed transaction_not_allowed"),
    (D::NotPermitted, Never, "charge_disputed charge_expired_for_capture \
        charge_for_pending_refund_disputed lost_or_stolen_card restricted_card \
        revocation_of_all_authorizations revocation_of_authorization stop_payment_order"),
    (D::Duplicate, Never, "charge_already_captured charge_already_refunded duplicate_transaction"),
    (D::InvalidRequest, Never, "testmode_decline"),
    (D::ProviderUnavailable, Later, "issuer_not_available lock_timeout processing_error"),
];

/// The issuer's own advice, which outranks the table.
const ADVICE: &[(&str, RetryAdvice)] =
    &[("confirm_card_data", AfterChange), ("do_not_try_again", Never), ("try_again_later", Later)];

/// A refusal as the contract has it. Of a code in no row, Stripe's type says whose refusal it is.
pub fn of_fault(fault: &Fault) -> Decline {
    let (code, message) = said(fault);
    let issuer = fault.kind.as_deref() == Some("card_error");
    let unknown = if issuer { (D::Generic, AfterChange) } else { (D::InvalidRequest, Never) };
    let (meaning, retry) = meaning(code).unwrap_or(unknown);
    let advice = ADVICE.iter().find(|(advice, _)| fault.advice_code.as_deref() == Some(advice));
    decline(meaning, advice.map_or(retry, |(_, retry)| *retry), code, message)
}

/// A refund that failed after it was accepted, for this reason.
pub fn of_refund(reason: Option<&str>) -> Decline {
    let reason = reason.unwrap_or("unknown");
    let (meaning, retry) = meaning(reason).unwrap_or((D::Generic, Never));
    decline(meaning, retry, reason, "the refund failed")
}

/// Stripe's most exact code and its message, to the letter.
pub fn said(fault: &Fault) -> (&str, &str) {
    let code = fault.decline_code.as_deref().or(fault.code.as_deref()).or(fault.kind.as_deref());
    (code.unwrap_or_default(), fault.message.as_deref().unwrap_or_default())
}

fn meaning(code: &str) -> Option<(D, RetryAdvice)> {
    let row = CODES.iter().find(|(.., codes)| codes.split(' ').any(|each| each == code))?;
    Some((row.0, row.1))
}
