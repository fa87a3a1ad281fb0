//! Stripe.

use sdk::prelude::*;

/// Stripe.
pub struct Stripe;

impl Adapter for Stripe {
    fn describe() -> Description {
        Description::new("stripe", "0", &[])
    }
    fn start(host: &dyn Host, operation: &Operation) -> Result<Step, Failure> {
        let tag = host.key("a")?.mac(MacAlgorithm::HmacSha256, &Content::from("x"))?;
        Ok(post("http://a")
            .header("x", hex(tag))
            .json(&serde_json::json!({"a":operation.order().entry.id}))?
            .send())
    }
    fn resume(_: &dyn Host, _: &Operation, _: &[u8], reply: &Reply) -> Result<Step, Failure> {
        let s: serde_json::Value = reply.http()?.json()?;
        Ok(done(Outcome::unknown(s.to_string())))
    }
    fn prove(_: &dyn Host, _: &Delivery) -> Result<Proof, Failure> {
        Ok(proof("a", MacAlgorithm::HmacSha256, "x"))
    }
    fn interpret(_: &dyn Host, _: &Delivery) -> Result<Vec<Event>, Failure> {
        Ok(vec![])
    }
    fn acknowledge(_: bool) -> HttpResponse {
        HttpResponse::new(200, "")
    }
}
sdk::export!(Stripe);
