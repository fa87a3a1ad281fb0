//! A web shop: the payer is sent to a page, pays, and a notification says so. Later, 5.00 goes
//! back.

use serde_json::json;
use tollgate_client_example::inbox::Inbox;
use tollgate_client_example::payer::decide;
use tollgate_client_example::{Error, Problem, Tollgate, fresh};

fn main() -> Result<(), Error> {
    let tollgate = Tollgate::from_environment()?;
    let inbox = Inbox::open()?;

    let platform = tollgate.get("/v1/platform")?;
    let accounts = platform["accounts"].as_array().ok_or("no accounts")?;
    let account = accounts.iter().find(|one| one["mode"] == "test").ok_or("no test account")?;
    println!("{}: account {} at {}", platform["name"], account["account"], account["provider"]);

    let endpoint = json!({"url": inbox.url, "events": ["*"]});
    let endpoint = tollgate.post("/v1/endpoints", &endpoint, None)?;
    inbox.believe(endpoint["secret"].as_str().ok_or("no secret")?)?;

    let order = fresh("order");
    let request = json!({
        "account": account["account"],
        "amount": {"minor": 1999, "currency": "EUR"},
        "merchant_reference": order,
        "description": "Two books",
        "return_url": "https://shop.example/done",
        "instrument": {"type": "token", "token": "test-redirect"},
    });
    let payment = tollgate.post("/v1/payments", &request, Some(&order))?;
    assert_eq!(payment["status"], "needs-action");
    // A network that loses the answer makes you ask again: same key, same request, one payment.
    let again = tollgate.post("/v1/payments", &request, Some(&order))?;
    assert_eq!(again["id"], payment["id"]);

    decide(payment["next_action"]["url"].as_str().ok_or("no page")?, "paid")?;
    let event = inbox.wait_for("authorize.succeeded", &payment)?;
    assert_eq!(event["payment"]["status"], "captured");
    println!("{order}: paid 19.99 EUR");

    let refunds = format!("/v1/payments/{}/refunds", payment["id"].as_str().ok_or("no id")?);
    let amount = json!({"amount": {"minor": 500, "currency": "EUR"}});
    let refunded = tollgate.post(&refunds, &amount, Some(&format!("{order}-refund")))?;
    assert_eq!(refunded["refunded_minor"], 500);
    inbox.wait_for("refund.succeeded", &payment)?;
    let more = json!({"amount": request["amount"]});
    let refused = tollgate.post(&refunds, &more, Some(&format!("{order}-2")));
    let refused = refused.expect_err("more was given back than was taken");
    assert_eq!(refused.downcast_ref().map(Problem::code), Some("over-refund"));
    println!("{order}: 5.00 EUR given back");

    tollgate.delete(&format!("/v1/endpoints/{}", endpoint["id"].as_str().ok_or("no id")?))?;
    Ok(())
}
