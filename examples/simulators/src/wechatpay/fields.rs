//! The JSON body of a request, checked field by field, with WeChat Pay's messages.

use serde_json::{Map, Value};

use super::refusal::Refusal;

/// The fields of one object of the body.
pub(crate) struct Fields<'a> {
    object: &'a Map<String, Value>,
    /// The JSON pointer to it; empty for the body itself.
    at: String,
}

impl<'a> Fields<'a> {
    /// The body's fields, all of which must be among `known`.
    pub fn of(body: &'a Value, known: &[&str]) -> Result<Self, Refusal> {
        let object =
            body.as_object().ok_or_else(|| Refusal::malformed("请求体不是合法的JSON对象"))?;
        Self { object, at: String::new() }.only(known)
    }

    /// An object within, which must be there.
    pub fn object(&self, name: &str, label: &str, known: &[&str]) -> Result<Fields<'a>, Refusal> {
        let at = self.pointer(name);
        match self.object.get(name) {
            Some(Value::Object(object)) => Fields { object, at }.only(known),
            Some(_) => Err(wrong(&at, label, "类型规则校验失败，应为对象")),
            None => Err(missing(&at, label)),
        }
    }

    /// A text of `min` to `max` characters, if it is there.
    pub fn text(
        &self,
        name: &str,
        label: &str,
        (min, max): (usize, usize),
    ) -> Result<Option<&'a str>, Refusal> {
        let at = self.pointer(name);
        let text = match self.object.get(name) {
            None | Some(Value::Null) => return Ok(None),
            Some(Value::String(text)) => text,
            Some(_) => return Err(wrong(&at, label, "类型规则校验失败，应为字符串")),
        };
        let length = text.chars().count();
        if length < min {
            let rule = format!("字符串规则校验失败，字符数 {length}，小于最小值 {min}");
            return Err(wrong(&at, label, &rule));
        }
        if length > max {
            let rule = format!("字符串规则校验失败，字符数 {length}，大于最大值 {max}");
            return Err(wrong(&at, label, &rule));
        }
        Ok(Some(text))
    }

    /// A text that must be there.
    pub fn required(
        &self,
        name: &str,
        label: &str,
        lengths: (usize, usize),
    ) -> Result<&'a str, Refusal> {
        self.text(name, label, lengths)?.ok_or_else(|| missing(&self.pointer(name), label))
    }

    /// A whole number of fen, at least one, that must be there.
    pub fn fen(&self, name: &str, label: &str) -> Result<i64, Refusal> {
        let at = self.pointer(name);
        let value = match self.object.get(name) {
            None | Some(Value::Null) => return Err(missing(&at, label)),
            Some(value) => value,
        };
        let number =
            value.as_i64().ok_or_else(|| wrong(&at, label, "类型规则校验失败，应为整数"))?;
        if number < 1 {
            return Err(wrong(&at, label, "规则校验失败，值低于最小值 1"));
        }
        Ok(number)
    }

    /// A text of the given characters only.
    pub fn identifier(
        &self,
        name: &str,
        label: &str,
        lengths: (usize, usize),
        marks: &str,
    ) -> Result<&'a str, Refusal> {
        let text = self.required(name, label, lengths)?;
        let allowed = |letter: char| letter.is_ascii_alphanumeric() || marks.contains(letter);
        if text.chars().all(allowed) {
            return Ok(text);
        }
        Err(wrong(&self.pointer(name), label, "字符串规则校验失败，含有不允许的字符"))
    }

    /// An address for notifications: absolute, http or https, without a query.
    ///
    /// The real platform takes https only, for want of a private line; a simulator on loopback
    /// could then never be used.
    pub fn notify_url(&self, required: bool) -> Result<Option<&'a str>, Refusal> {
        let (name, label) = ("notify_url", "通知地址");
        let text = if required {
            Some(self.required(name, label, (1, 255))?)
        } else {
            self.text(name, label, (1, 255))?
        };
        let Some(text) = text else { return Ok(None) };
        let url = url::Url::parse(text).ok().filter(|url| {
            matches!(url.scheme(), "http" | "https") && url.query().is_none() && url.has_host()
        });
        match url {
            Some(_) => Ok(Some(text)),
            None => Err(wrong(&self.pointer(name), label, "规则校验失败，不是合法的URL")),
        }
    }

    /// The currency, which is always CNY here.
    pub fn currency(&self, required: bool) -> Result<(), Refusal> {
        let (name, label) = ("currency", "货币类型");
        let currency = self.text(name, label, (1, 16))?;
        match currency {
            Some("CNY") => Ok(()),
            None if !required => Ok(()),
            None => Err(missing(&self.pointer(name), label)),
            Some(_) => Err(wrong(&self.pointer(name), label, "规则校验失败，仅支持CNY")),
        }
    }

    fn pointer(&self, name: &str) -> String {
        format!("{}/{name}", self.at)
    }

    fn only(self, known: &[&str]) -> Result<Self, Refusal> {
        match self.object.keys().find(|name| !known.contains(&name.as_str())) {
            Some(name) => {
                let at = self.pointer(name);
                let message = "请求中含有未在API文档中定义的参数".to_owned();
                Err(Refusal::field(&at, "unknown field", message))
            }
            None => Ok(self),
        }
    }
}

fn missing(at: &str, label: &str) -> Refusal {
    let message = format!("输入源“/body{at}”映射到字段“{label}”必填性规则校验失败，此字段为必填项");
    Refusal::field(at, "required", message)
}

/// A field that breaks a rule.
pub(crate) fn wrong(at: &str, label: &str, rule: &str) -> Refusal {
    Refusal::field(at, "invalid", format!("输入源“/body{at}”映射到值字段“{label}”{rule}"))
}
