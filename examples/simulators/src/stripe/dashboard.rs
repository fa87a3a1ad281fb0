//! What people do at Stripe itself, in its dashboard, without the host: they take payments, and in
//! tests they write other books than those that came about.

use serde_json::{Value, json};

use crate::books::Books;

use super::events::Origin;
use super::{Stripe, StripeSimulator, intents, lock};

impl StripeSimulator {
    /// Somebody takes a payment by hand; gives the intent.
    ///
    /// # Errors
    /// Stripe's message.
    pub fn charge_by_hand(
        &self,
        method: &str,
        amount: i64,
        currency: &str,
    ) -> Result<String, String> {
        self.stripe.charge_by_hand(method, amount, currency)
    }

    /// Rewrites the books, and so what the balance reports: a test makes them differ.
    pub fn rewrite_books(&self, rewrite: impl FnOnce(&mut Books)) {
        rewrite(&mut lock(&self.stripe.state).books);
    }
}

impl Stripe {
    fn charge_by_hand(&self, method: &str, amount: i64, currency: &str) -> Result<String, String> {
        let form = json!({
            "amount": amount.to_string(),
            "currency": currency,
            "payment_method": method,
            "confirm": "true",
            "automatic_payment_methods": { "enabled": "true", "allow_redirects": "never" },
        });
        let form = form.as_object().cloned().unwrap_or_default();
        let created = intents::create(&mut lock(&self.state), &form, &self.call("dashboard"));
        self.emit(&Origin { request: None, key: None });
        let created = created.map_err(|refusal| refusal.error().to_string())?;
        let id = created.get("id").and_then(Value::as_str);
        Ok(id.unwrap_or_default().to_owned())
    }
}
