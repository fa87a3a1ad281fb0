//! The parameters of one request, checked: the names an endpoint knows, and what values mean.
//!
//! The names are those of Stripe's published parameter types (PyPI `stripe` 16.1.0). A parameter
//! Stripe knows and this simulator does not model is refused loudly rather than ignored.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::refusal::Refusal;

const METADATA_KEYS_MAX: usize = 50;
const METADATA_KEY_LENGTH_MAX: usize = 40;
const METADATA_VALUE_LENGTH_MAX: usize = 500;

/// The parameter names of one endpoint.
pub(crate) struct Known {
    /// Names that have an effect here, or are kept and shown.
    pub modelled: &'static [&'static str],
    /// Names that change nothing the simulator shows.
    pub ignored: &'static [&'static str],
    /// Names Stripe knows and the simulator does not model.
    pub refused: &'static [&'static str],
}

/// Checked parameters.
pub(crate) struct Params<'a> {
    tree: &'a Map<String, Value>,
    /// The name of the hash they are in, for messages; empty at the top.
    within: String,
}

impl<'a> Params<'a> {
    pub fn checked(tree: &'a Map<String, Value>, known: &Known) -> Result<Self, Refusal> {
        let named = |names: &[&str], name: &String| names.contains(&name.as_str());
        let unknown: Vec<String> = tree
            .keys()
            .filter(|name| !named(known.modelled, name) && !named(known.ignored, name))
            .cloned()
            .collect();
        let (unmodelled, unknown): (Vec<_>, Vec<_>) =
            unknown.into_iter().partition(|name| named(known.refused, name));
        if !unknown.is_empty() {
            return Err(Refusal::unknown_parameters(&unknown));
        }
        if let Some(name) = unmodelled.first() {
            return Err(Refusal::invalid(format!("The simulator does not model {name}"))
                .code("simulator_unsupported")
                .param(name));
        }
        Ok(Self { tree, within: String::new() })
    }

    fn name(&self, name: &str) -> String {
        if self.within.is_empty() { name.to_owned() } else { format!("{}[{name}]", self.within) }
    }

    pub fn text(&self, name: &str) -> Result<Option<&'a str>, Refusal> {
        match self.tree.get(name) {
            None => Ok(None),
            Some(Value::String(text)) if text.is_empty() => Err(self.empty(name)),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(Refusal::invalid("Invalid string: {...}").param(&self.name(name))),
        }
    }

    pub fn required(&self, name: &str) -> Result<&'a str, Refusal> {
        let missing = || {
            let name = self.name(name);
            Refusal::invalid(format!("Missing required param: {name}."))
                .code("parameter_missing")
                .param(&name)
        };
        self.text(name)?.ok_or_else(missing)
    }

    pub fn integer(&self, name: &str) -> Result<Option<i64>, Refusal> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let refusal = |why: String| {
            Refusal::invalid(why).code("parameter_invalid_integer").param(&self.name(name))
        };
        match text.parse::<i64>() {
            // "+5" and "05" parse in Rust; no client writes them and none is let through.
            Ok(value) if value.to_string() == text => Ok(Some(value)),
            _ => Err(refusal(format!("Invalid integer: {text}"))),
        }
    }

    /// An amount: a whole number of minor units, at least one, at most eight digits.
    pub fn amount(&self, name: &str) -> Result<Option<i64>, Refusal> {
        let Some(amount) = self.integer(name)? else { return Ok(None) };
        let named = self.name(name);
        if amount < 1 {
            let why = "This value must be greater than or equal to 1.";
            return Err(Refusal::invalid(why).code("parameter_invalid_integer").param(&named));
        }
        if amount > 99_999_999 {
            let why = "Amount must be no more than 999,999.99";
            return Err(Refusal::invalid(why).code("amount_too_large").param(&named));
        }
        Ok(Some(amount))
    }

    pub fn boolean(&self, name: &str) -> Result<Option<bool>, Refusal> {
        match self.text(name)? {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(other) => {
                Err(Refusal::invalid(format!("Invalid boolean: {other}")).param(&self.name(name)))
            }
        }
    }

    /// One of a few words.
    pub fn one_of(&self, name: &str, words: &[&str]) -> Result<Option<&'a str>, Refusal> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        if words.contains(&text) {
            return Ok(Some(text));
        }
        let named = self.name(name);
        let why = format!("Invalid {named}: must be one of {}", words.join(", "));
        Err(Refusal::invalid(why).param(&named))
    }

    /// The texts of a list, `name[]=…`.
    pub fn list(&self, name: &str) -> Result<Option<Vec<&'a str>>, Refusal> {
        let wrong = || Refusal::invalid("Invalid array").param(&self.name(name));
        match self.tree.get(name) {
            None => Ok(None),
            Some(Value::Object(items)) => {
                let texts = items.values().map(|item| item.as_str().ok_or_else(wrong));
                texts.collect::<Result<_, _>>().map(Some)
            }
            Some(_) => Err(wrong()),
        }
    }

    /// The parameters inside a hash, `name[…]=…`.
    pub fn hash(&self, name: &str) -> Result<Option<Params<'a>>, Refusal> {
        let within = self.name(name);
        match self.tree.get(name) {
            None => Ok(None),
            Some(Value::Object(tree)) => Ok(Some(Params { tree, within })),
            Some(_) => Err(Refusal::invalid("Invalid object").param(&within)),
        }
    }

    /// Refuses names inside a hash that are not among `known`.
    pub fn only(self, known: &[&str]) -> Result<Self, Refusal> {
        let unknown: Vec<String> = self
            .tree
            .keys()
            .filter(|name| !known.contains(&name.as_str()))
            .map(|name| self.name(name))
            .collect();
        if unknown.is_empty() { Ok(self) } else { Err(Refusal::unknown_parameters(&unknown)) }
    }

    pub fn metadata(&self) -> Result<BTreeMap<String, String>, Refusal> {
        let mut metadata = BTreeMap::new();
        let Some(given) = self.hash("metadata")? else { return Ok(metadata) };
        for (key, value) in given.tree {
            let Some(value) = value.as_str() else {
                return Err(Refusal::invalid("Metadata values must be strings").param("metadata"));
            };
            let lengths = [
                (key.chars().count(), METADATA_KEY_LENGTH_MAX, "keys"),
                (value.chars().count(), METADATA_VALUE_LENGTH_MAX, "values"),
            ];
            for (length, max, what) in lengths {
                if length > max {
                    let why = format!("Metadata {what} can have up to {max} characters");
                    return Err(Refusal::invalid(why).param("metadata"));
                }
            }
            metadata.insert(key.clone(), value.to_owned());
        }
        if metadata.len() > METADATA_KEYS_MAX {
            return Err(Refusal::invalid("Metadata can have up to 50 keys").param("metadata"));
        }
        Ok(metadata)
    }

    /// Refuses to expand anything but `supported`.
    pub fn expands(&self, supported: &str) -> Result<bool, Refusal> {
        let wanted = self.list("expand")?.unwrap_or_default();
        match wanted.iter().find(|path| **path != supported) {
            Some(path) => {
                let why = format!("This property cannot be expanded ({path}).");
                Err(Refusal::invalid(why).param("expand"))
            }
            None => Ok(!wanted.is_empty()),
        }
    }

    fn empty(&self, name: &str) -> Refusal {
        let name = self.name(name);
        let why = format!(
            "You passed an empty string for '{name}'. We assume empty values are an attempt to \
             unset a parameter; however '{name}' cannot be unset. You should remove '{name}' from \
             your request or supply a non-empty value."
        );
        Refusal::invalid(why).code("parameter_invalid_empty").param(&name)
    }
}
