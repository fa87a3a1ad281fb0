//! Payouts of a financial service: what names an account of somebody travels encrypted.

use serde_json::{Value, json};
use tollgate_client_example::{Error, Tollgate, fresh};

fn pay_out(tollgate: &Tollgate, bank: &str) -> Result<Value, Error> {
    let reference = fresh("payout");
    let request = json!({
        "account": "sandbox",
        "amount": {"minor": 250_000, "currency": "EUR"},
        "merchant_reference": reference,
        "instrument": {"type": "bank", "bank": bank},
        "beneficiary": {"name": "Ada Lovelace"},
        "description": "Settlement of March",
    });
    tollgate.post_encrypted("/v1/payouts", &request, Some(&reference))
}

/// The provider decides later; the host asks by itself, and at once when it is told to.
fn asked(tollgate: &Tollgate, payment: &Value) -> Result<Value, Error> {
    let path = format!("/v1/payments/{}/sync", payment["id"].as_str().ok_or("no id")?);
    tollgate.post_encrypted(&path, &json!({}), None)
}

fn main() -> Result<(), Error> {
    let tollgate = Tollgate::from_environment()?;

    let payment = pay_out(&tollgate, "test-pending")?;
    assert_eq!(payment["status"], "pending");
    assert_eq!(asked(&tollgate, &payment)?["status"], "paid-out");
    println!("2500.00 EUR paid out, after a while");

    let payment = pay_out(&tollgate, "test-decline-incorrect-details")?;
    assert_eq!(payment["decline"]["code"], "incorrect-details");
    assert_eq!(payment["decline"]["retry"], "after-change");
    println!("2500.00 EUR refused: the account is wrong, and has to be changed");

    // The answer is lost. Whoever pays again now may pay twice: the host finds out instead.
    let payment = pay_out(&tollgate, "test-unknown")?;
    assert_eq!(payment["status"], "unknown");
    assert_eq!(asked(&tollgate, &payment)?["status"], "paid-out");
    println!("2500.00 EUR paid out, as was found out");
    Ok(())
}
