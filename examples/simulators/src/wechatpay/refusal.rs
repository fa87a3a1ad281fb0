//! WeChat Pay's errors: a status, a code, a message for people, and for a wrong parameter where it
//! is. <https://pay.weixin.qq.com/doc/v3/merchant/4012081670>

use http::StatusCode;
use serde_json::{Value, json};

use crate::exchange::Answer;

/// A request that was not carried out, in WeChat Pay's words.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    code: &'static str,
    message: String,
    detail: Option<Value>,
}

impl Refusal {
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), detail: None }
    }

    /// 400 `INVALID_REQUEST`: well-formed, and against a rule.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "INVALID_REQUEST", message)
    }

    /// 401 `SIGN_ERROR`.
    pub fn unsigned(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "SIGN_ERROR", message)
    }

    /// 400 `PARAM_ERROR` about the whole request.
    pub fn malformed(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "PARAM_ERROR", message)
    }

    /// 400 `PARAM_ERROR` about one field, named by its JSON pointer.
    pub fn field(pointer: &str, issue: &str, message: String) -> Self {
        let detail = json!({ "location": "body", "field": pointer, "issue": issue });
        Self { detail: Some(detail), ..Self::malformed(message) }
    }

    /// 404 for an order.
    pub fn no_order() -> Self {
        Self::new(StatusCode::NOT_FOUND, "ORDER_NOT_EXIST", "订单不存在")
    }

    /// 403 for an empty account.
    pub fn not_enough() -> Self {
        let message = "基本账户余额不足，请充值后重新发起";
        Self::new(StatusCode::FORBIDDEN, "NOT_ENOUGH", message)
    }

    pub fn with_detail(mut self, detail: Value) -> Self {
        self.detail = Some(detail);
        self
    }

    /// Whether the caller could not be told who it is: such an answer is not signed.
    pub fn is_unsigned(&self) -> bool {
        self.status == StatusCode::UNAUTHORIZED
    }

    pub fn answer(&self) -> Answer {
        let mut body = json!({ "code": self.code, "message": self.message });
        if let (Some(fields), Some(detail)) = (body.as_object_mut(), &self.detail) {
            fields.insert("detail".into(), detail.clone());
        }
        Answer::json(self.status, &body)
    }
}
