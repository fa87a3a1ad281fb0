//! Signing: components and parameters, and the two fields that come of them.

use sfv::{BareItem, Integer};

use super::base::{base, written};
use super::component::{Component, string};
use super::field::{self, named_bytes};
use super::message::Message;
use super::{Algorithm, Error, Parameters, malformed};

/// A signature that is to be made.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The label in both fields.
    pub label: String,
    /// What is covered, in order.
    pub components: Vec<Component>,
    /// The parameters; those that are there are written in the order of the struct.
    pub parameters: Parameters,
}

/// The two fields of a signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// The value of `Signature-Input`.
    pub input: String,
    /// The value of `Signature`.
    pub signature: String,
}

impl Draft {
    /// Signs this message. The key has to be one that signs by this algorithm.
    pub fn sign(
        &self,
        message: &Message<'_>,
        key: &vault::Key,
        by: Algorithm,
    ) -> Result<Signed, Error> {
        let parameters = self.parameters.written()?;
        let base = base(&self.components, &parameters, message)?;
        let bytes = by.sign(key, &base).map_err(|error| malformed(error.to_string()))?;
        Ok(Signed {
            input: format!("{}={}", self.label, written(&self.components, &parameters)),
            signature: named_bytes(&self.label, &bytes)?,
        })
    }
}

impl Parameters {
    fn written(&self) -> Result<field::Parameters, Error> {
        let mut all = field::Parameters::default();
        for (name, seconds) in [("created", self.created), ("expires", self.expires)] {
            if let Some(seconds) = seconds {
                let seconds = Integer::try_from(seconds).map_err(|_| malformed("a wild time"))?;
                all.add(name, BareItem::Integer(seconds))?;
            }
        }
        let texts = [
            ("keyid", &self.keyid),
            ("nonce", &self.nonce),
            ("alg", &self.alg),
            ("tag", &self.tag),
        ];
        for (name, text) in texts {
            if let Some(text) = text {
                all.add(name, string(text)?)?;
            }
        }
        Ok(all)
    }
}
