//! What a message claims: one label of `Signature-Input` with its signature (RFC 9421, section 4).

use http::HeaderMap;
use sfv::BareItem;

use super::base::base;
use super::component::Component;
use super::field::{self, Dictionary, InnerList, Member, dictionary};
use super::message::Message;
use super::{Algorithm, Error, malformed};

const COMPONENTS_MAX: usize = 32;

/// A signature as it was sent: nothing of it is believed yet.
#[derive(Clone, Debug)]
pub struct Claim {
    /// The label; it is not signed, and means nothing.
    pub label: String,
    /// What is covered, in order.
    pub components: Vec<Component>,
    /// The parameters.
    pub parameters: Parameters,
    written: field::Parameters,
    signature: Vec<u8>,
}

/// The parameters of a signature (RFC 9421, section 2.3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters {
    /// When it was made, seconds of Unix time.
    pub created: Option<i64>,
    /// When it ends, seconds of Unix time.
    pub expires: Option<i64>,
    /// Drawn once for each message.
    pub nonce: Option<String>,
    /// Which key.
    pub keyid: Option<String>,
    /// By which algorithm, by its registered name.
    pub alg: Option<String>,
    /// What for.
    pub tag: Option<String>,
}

impl Claim {
    /// The one signature whose tag `fits`; a message with two of them is refused, since it could be
    /// read in two ways.
    ///
    /// # Errors
    /// `Missing` without the fields or such a signature, `Malformed` when they cannot be read.
    pub fn find(headers: &HeaderMap, fits: fn(Option<&str>) -> bool) -> Result<Claim, Error> {
        let missing = Error::Missing;
        let inputs = dictionary(headers, "signature-input")?.ok_or(missing("Signature-Input"))?;
        let signatures = dictionary(headers, "signature")?.ok_or(missing("Signature"))?;
        let mut found = Vec::new();
        for (label, input) in inputs.iter() {
            let Member::List(list) = input else {
                return Err(malformed(format!("`{label}` is not a list")));
            };
            let parameters = Parameters::read(&list.parameters)?;
            if fits(parameters.tag.as_deref()) {
                found.push((label, list, parameters));
            }
        }
        match <[_; 1]>::try_from(found) {
            Ok([(label, list, parameters)]) => Claim::read(label, list, parameters, &signatures),
            Err(found) if found.is_empty() => Err(missing("Signature-Input of a fitting tag")),
            Err(_) => Err(malformed("two signatures claim to be the request's; send one")),
        }
    }

    fn read(
        label: &str,
        list: &InnerList,
        parameters: Parameters,
        signatures: &Dictionary,
    ) -> Result<Claim, Error> {
        let signature = signatures.get(label).and_then(Member::bytes).ok_or_else(|| {
            malformed(format!("`Signature` has no bytes under the label `{label}`"))
        })?;
        if list.items.len() > COMPONENTS_MAX {
            return Err(malformed(format!("more than {COMPONENTS_MAX} components")));
        }
        let components = list.items.iter().map(Component::read).collect::<Result<_, _>>()?;
        Ok(Claim {
            label: label.to_owned(),
            components,
            parameters,
            written: list.parameters.clone(),
            signature: signature.to_vec(),
        })
    }

    /// The text that has to be signed.
    pub fn base(&self, message: &Message<'_>) -> Result<String, Error> {
        base(&self.components, &self.written, message)
    }

    /// Whether this base was signed by this key. The caller has chosen the algorithm by the key.
    pub fn verify(&self, base: &str, key: &vault::Key, by: Algorithm) -> Result<(), Error> {
        by.verify(key, base, &self.signature)
    }

    /// Whether the component of this name, without parameters, is covered.
    pub fn covers(&self, name: &str) -> bool {
        self.components.iter().any(|component| component.is(name))
    }
}

impl Parameters {
    fn read(written: &field::Parameters) -> Result<Parameters, Error> {
        let mut read = Parameters::default();
        for (name, value) in written.iter() {
            match name {
                "created" => read.created = Some(seconds(name, value)?),
                "expires" => read.expires = Some(seconds(name, value)?),
                "nonce" => read.nonce = Some(text(name, value)?),
                "keyid" => read.keyid = Some(text(name, value)?),
                "alg" => read.alg = Some(text(name, value)?),
                "tag" => read.tag = Some(text(name, value)?),
                other => return Err(malformed(format!("the parameter `{other}` is not known"))),
            }
        }
        Ok(read)
    }
}

fn seconds(name: &str, value: &BareItem) -> Result<i64, Error> {
    let seconds = value.as_integer().map(i64::from).filter(|seconds| *seconds >= 0);
    seconds.ok_or_else(|| malformed(format!("`{name}` is a number of seconds since 1970")))
}

fn text(name: &str, value: &BareItem) -> Result<String, Error> {
    let text = value.as_string().map(|text| text.as_str().to_owned());
    text.ok_or_else(|| malformed(format!("`{name}` is a string")))
}
