//! The payments of one transcript: what a command means, given what went before.
//!
//! Keeps just enough for a plugin to see its payment's history; the rules are the ledger's.

use std::collections::BTreeMap;

use crate::{
    Entry, Event, Instrument, Kind, Money, Operation, Order, Outcome, Payment, References, State,
};

#[derive(Debug, Default)]
pub(crate) struct Book {
    payments: BTreeMap<String, Payment>,
    /// Instruments by payment: a later operation has what the payment was authorized with.
    instruments: BTreeMap<String, Instrument>,
    pub now: u64,
}

impl Book {
    /// The operation that a command's words ask for.
    pub fn operation(&mut self, words: &[String]) -> Result<Operation, String> {
        let (verb, rest) = words.split_first().ok_or("an empty command")?;
        let (named, plain): (Vec<_>, Vec<_>) = rest.iter().partition(|word| is_named(word));
        let plain: Vec<&str> = plain.into_iter().map(String::as_str).collect();
        let (kind, capture) = match verb.as_str() {
            "charge" => (Kind::Authorize, true),
            verb => (Kind::named(verb).ok_or_else(|| format!("unknown command `{verb}`"))?, false),
        };
        let mut order = match kind {
            Kind::Sync => self.inquiry(&plain)?,
            kind => self.order(kind, &plain)?,
        };
        order.entry.capture |= capture;
        for word in named {
            name(&mut order, word)?;
        }
        Ok(Operation { kind, order })
    }

    fn inquiry(&mut self, words: &[&str]) -> Result<Order, String> {
        let [id] = words else { return Err("sync takes the entry to ask about".to_owned()) };
        let (payment, entry) = self.find(id).ok_or_else(|| format!("no entry {id}"))?;
        let mut payment = payment.clone();
        let entry = payment.entries.remove(entry);
        let instrument = self.instruments.get(&payment.id).cloned();
        Ok(order(payment, entry, instrument.unwrap_or(Instrument::None)))
    }

    fn order(&mut self, kind: Kind, words: &[&str]) -> Result<Order, String> {
        let (id, words) = words.split_first().ok_or("which payment?")?;
        let known = self.payments.get(*id);
        let (amount, words) = amount(words)?;
        let amount = amount.or_else(|| known.map(|payment| payment.amount.clone()));
        let amount = amount.ok_or("a first operation needs currency and minor units")?;
        let fresh = || Payment {
            id: (*id).to_owned(),
            merchant_reference: format!("order-{id}"),
            amount: amount.clone(),
            entries: Vec::new(),
        };
        let payment = known.cloned().unwrap_or_else(fresh);
        let given = instrument(words)?;
        let before = self.instruments.get(*id).cloned();
        let instrument = given.or(before).unwrap_or(Instrument::None);
        let entry = Entry {
            id: format!("{id}_{}", payment.entries.len() + 1),
            kind,
            amount,
            capture: false,
            state: State::Created,
            references: None,
            created_at: self.now,
        };
        Ok(order(payment, entry, instrument))
    }

    fn find(&self, entry: &str) -> Option<(&Payment, usize)> {
        let at = |payment: &Payment| payment.entries.iter().position(|each| each.id == entry);
        self.payments.values().find_map(|payment| Some((payment, at(payment)?)))
    }

    /// Records what became of an operation.
    pub fn conclude(&mut self, operation: &Operation, outcome: &Outcome) {
        let order = &operation.order;
        let payment =
            self.payments.entry(order.payment.id.clone()).or_insert(order.payment.clone());
        self.instruments.insert(payment.id.clone(), order.instrument.clone());
        if !payment.entries.iter().any(|each| each.id == order.entry.id) {
            payment.entries.push(order.entry.clone());
        }
        self.settle(&order.entry.id, outcome);
    }

    /// Records what a webhook says about an entry it names.
    pub fn learn(&mut self, event: &Event) {
        if let Some(entry) = &event.entry {
            self.settle(entry, &event.outcome);
        }
    }

    fn settle(&mut self, entry: &str, outcome: &Outcome) {
        let entries = self.payments.values_mut().flat_map(|payment| &mut payment.entries);
        for entry in entries.filter(|each| each.id == entry) {
            let (state, references) = result(outcome);
            entry.state = state.unwrap_or(entry.state);
            entry.references = references.cloned().or(entry.references.take());
        }
    }
}

fn result(outcome: &Outcome) -> (Option<State>, Option<&References>) {
    match outcome {
        Outcome::Succeeded { references, .. } => (Some(State::Succeeded), Some(references)),
        Outcome::NeedsAction { references, .. } => (Some(State::NeedsAction), Some(references)),
        Outcome::Pending(references) => (Some(State::Pending), Some(references)),
        Outcome::Declined(decline) => (Some(State::Declined), decline.references.as_ref()),
        Outcome::Expired(references) => (Some(State::Expired), Some(references)),
        Outcome::Unknown(_) => (Some(State::Unknown), None),
        // Believed late: it says nothing yet.
        Outcome::Absent => (None, None),
    }
}

fn order(payment: Payment, entry: Entry, instrument: Instrument) -> Order {
    Order {
        payment,
        entry,
        instrument,
        description: "Two books".to_owned(),
        return_url: None,
        notify_url: "https://pay.example/v1/deliveries/test".to_owned(),
        customer_ip: None,
        beneficiary: None,
        extra: Vec::new(),
    }
}

fn amount<'a>(words: &'a [&'a str]) -> Result<(Option<Money>, &'a [&'a str]), String> {
    let is_currency = |word: &str| word.len() == 3 && word.chars().all(|c| c.is_ascii_uppercase());
    match words {
        [currency, minor, rest @ ..] if is_currency(currency) => {
            let minor = minor.parse().map_err(|_| format!("`{minor}` is no amount"))?;
            Ok((Some(Money { minor, currency: (*currency).to_owned() }), rest))
        }
        rest => Ok((None, rest)),
    }
}

fn instrument(words: &[&str]) -> Result<Option<Instrument>, String> {
    Ok(Some(match words {
        [] => return Ok(None),
        ["card", brand, last4, more @ ..] => {
            if let Some(word) = more.iter().find(|word| !["no-code", "holder"].contains(word)) {
                return Err(format!("`{word}` says nothing about a card: no-code, holder"));
            }
            Instrument::Card {
                brand: (*brand).to_owned(),
                last4: (*last4).to_owned(),
                security_code: !more.contains(&"no-code"),
                holder: more.contains(&"holder"),
            }
        }
        ["token", token] => Instrument::Token((*token).to_owned()),
        ["wallet", account] => Instrument::Wallet((*account).to_owned()),
        ["bank", account] => Instrument::Bank((*account).to_owned()),
        ["qr"] => Instrument::Qr,
        ["none"] => Instrument::None,
        other => return Err(format!("`{}` is no instrument", other.join(" "))),
    }))
}

fn is_named(word: &str) -> bool {
    let name = word.split_once('=').map(|(name, _)| name);
    name.is_some_and(|name| {
        name.starts_with("extra.")
            || ["id", "state", "description", "return", "notify", "ip", "beneficiary", "merchant"]
                .contains(&name)
    })
}

fn name(order: &mut Order, word: &str) -> Result<(), String> {
    let (name, value) = word.split_once('=').ok_or("name=value")?;
    let value = value.to_owned();
    match name {
        "id" => order.entry.id = value,
        "state" => {
            let state = State::named(&value).ok_or_else(|| format!("`{value}` is no state"))?;
            order.entry.state = state;
        }
        "description" => order.description = value,
        "return" => order.return_url = Some(value),
        "notify" => order.notify_url = value,
        "ip" => order.customer_ip = Some(value),
        "beneficiary" => order.beneficiary = Some(value),
        "merchant" => order.payment.merchant_reference = value,
        other => {
            let field = other.strip_prefix("extra.").ok_or_else(|| format!("`{other}`?"))?;
            order.extra.push((field.to_owned(), value));
        }
    }
    Ok(())
}
