//! A mobile wallet: the app shows a code, the payer scans it, and pays or does not.

use serde_json::{Value, json};
use tollgate_client_example::payer::decide;
use tollgate_client_example::{Error, Tollgate, fresh, until};

/// The payment; `next_action.text` is the text of its code, which any QR library draws.
fn show_code(tollgate: &Tollgate, minor: u64) -> Result<Value, Error> {
    let order = fresh("table");
    let request = json!({
        "account": "sandbox",
        "amount": {"minor": minor, "currency": "CNY"},
        "merchant_reference": order,
        "description": "Tea",
        "instrument": {"type": "qr"},
    });
    let payment = tollgate.post("/v1/payments", &request, Some(&order))?;
    assert_eq!(payment["next_action"]["type"], "qr");
    Ok(payment)
}

fn text<'a>(value: &'a Value, pointer: &str) -> Result<&'a str, Error> {
    value.pointer(pointer).and_then(Value::as_str).ok_or_else(|| format!("no {pointer}").into())
}

/// The payment as soon as the payer has decided.
fn ends(tollgate: &Tollgate, payment: &Value) -> Result<Value, Error> {
    let path = format!("/v1/payments/{}", text(payment, "/id")?);
    until(|| Ok(Some(tollgate.get(&path)?).filter(|now| now["status"] != "needs-action")))
}

fn main() -> Result<(), Error> {
    let tollgate = Tollgate::from_environment()?;

    let payment = show_code(&tollgate, 1234)?;
    decide(text(&payment, "/next_action/text")?, "paid")?;
    assert_eq!(ends(&tollgate, &payment)?["status"], "captured");
    println!("12.34 CNY by a code: paid");

    let payment = show_code(&tollgate, 1234)?;
    decide(text(&payment, "/next_action/text")?, "refused")?;
    assert_eq!(ends(&tollgate, &payment)?["decline"]["provider_code"], "payer-refused");
    println!("12.34 CNY by a code: refused");

    // Nobody came: the code is closed, so that nobody can pay it later.
    let payment = show_code(&tollgate, 1234)?;
    let path = format!("/v1/payments/{}/cancellation", text(&payment, "/id")?);
    let closed = tollgate.post(&path, &json!({}), Some(&fresh("close")))?;
    assert_eq!(closed["status"], "cancelled");
    println!("12.34 CNY by a code: closed");
    Ok(())
}
