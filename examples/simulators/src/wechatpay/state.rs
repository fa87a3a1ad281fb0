//! What the simulated WeChat Pay knows of one merchant: orders, refunds, transfers, its balance and
//! the books.

use std::collections::HashMap;

use jiff::Timestamp;
use jiff::tz::{self, TimeZone};
use serde_json::Value;

use crate::books::{Books, Movement, MovementKind};

use super::refusal::Refusal;

/// Where an order stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum OrderState {
    Unpaid,
    Paid { transaction_id: String, at_s: i64, openid: String },
    Closed,
}

#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub out_trade_no: String,
    pub appid: String,
    pub attach: Option<String>,
    pub notify_url: String,
    pub total: i64,
    pub code_url: String,
    /// When the code can no longer be paid.
    pub payable_until_s: i64,
    pub state: OrderState,
    /// Refunded or about to be.
    pub refunded: i64,
    /// The request that made it, for repeats.
    pub request: Value,
}

impl Order {
    pub fn transaction_id(&self) -> Option<&str> {
        match &self.state {
            OrderState::Paid { transaction_id, .. } => Some(transaction_id),
            OrderState::Unpaid | OrderState::Closed => None,
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Refund {
    pub out_refund_no: String,
    pub refund_id: String,
    pub out_trade_no: String,
    pub transaction_id: String,
    pub amount: i64,
    pub total: i64,
    pub notify_url: Option<String>,
    pub created_s: i64,
    pub success_s: Option<i64>,
    pub status: &'static str,
    pub request: Value,
}

#[derive(Clone, Debug)]
pub(crate) struct Transfer {
    pub out_bill_no: String,
    pub transfer_bill_no: String,
    pub appid: String,
    pub openid: String,
    pub amount: i64,
    pub remark: String,
    pub notify_url: Option<String>,
    pub package: String,
    pub created_s: i64,
    pub updated_s: i64,
    pub state: &'static str,
    pub fail_reason: Option<&'static str>,
    /// The request that made it, with the name in clear, for repeats.
    pub request: Value,
}

/// Something to tell the merchant.
pub(crate) struct Notice {
    pub event: &'static str,
    pub summary: &'static str,
    pub kind: &'static str,
    pub url: String,
    pub resource: Value,
}

#[derive(Default)]
pub(crate) struct State {
    pub orders: HashMap<String, Order>,
    pub refunds: HashMap<String, Refund>,
    /// Refunds under way, oldest first.
    pub refunds_open: Vec<String>,
    pub transfers: HashMap<String, Transfer>,
    /// Transfers being canceled.
    pub cancellations_open: Vec<String>,
    pub outbox: Vec<Notice>,
    pub books: Books,
    /// What the merchant may spend, in fen; without it, there is always enough.
    pub balance: Option<i64>,
}

impl State {
    pub fn order(&self, out_trade_no: &str) -> Result<&Order, Refusal> {
        self.orders.get(out_trade_no).ok_or_else(Refusal::no_order)
    }

    /// Takes money from the merchant's account.
    pub fn spend(&mut self, amount: i64) -> Result<(), Refusal> {
        match &mut self.balance {
            Some(balance) if *balance < amount => Err(Refusal::not_enough()),
            Some(balance) => {
                *balance -= amount;
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Puts money on the merchant's account.
    pub fn earn(&mut self, amount: i64) {
        if let Some(balance) = &mut self.balance {
            *balance += amount;
        }
    }

    pub fn record(&mut self, kind: MovementKind, line: Line<'_>, at_s: i64) {
        self.books.record(Movement {
            kind,
            reference: line.reference.to_owned(),
            payment: line.payment.to_owned(),
            key: line.key.to_owned(),
            entry: line.entry.map(str::to_owned),
            amount: line.amount,
            currency: "CNY".to_owned(),
            at_s,
        });
    }
}

/// What a line of the books says, besides its kind and time.
pub(crate) struct Line<'a> {
    pub reference: &'a str,
    pub payment: &'a str,
    pub key: &'a str,
    pub entry: Option<&'a str>,
    pub amount: i64,
}

/// RFC 3339 in Beijing time, as WeChat Pay writes all its times.
pub(crate) fn beijing(at_s: i64) -> String {
    let zone = TimeZone::fixed(tz::offset(8));
    let time = Timestamp::from_second(at_s).unwrap_or_default().to_zoned(zone);
    time.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
}
