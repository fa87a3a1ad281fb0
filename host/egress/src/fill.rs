//! Where sensitive values come from, and the one place where they meet a request. Not here: how a
//! value is written (`encode`).

use vault::Secret;
use zeroize::Zeroizing;

use crate::encode;
use crate::error::{Error, Kind};
use crate::gate::{Grant, Place};
use crate::request::{CardField, Encoding, Part, Source};
use crate::target::Target;

/// The sensitive values of one operation. Asked only while a request is being filled.
pub trait Fill: Send + Sync {
    /// The account's secret of this name.
    fn secret(&self, name: &str) -> Option<&Secret>;
    /// A field of the card the operation is paid with.
    fn card(&self, field: CardField) -> Option<&Secret>;
    /// The result of a computation, by its number within the step.
    fn derived(&self, number: u32) -> Option<&Secret>;
}

/// What one request may be filled with.
pub(crate) struct Filling<'a> {
    pub(crate) grants: &'a [Grant],
    pub(crate) target: &'a Target,
    pub(crate) values: &'a dyn Fill,
}

impl Filling<'_> {
    /// The bytes of `parts`. The buffer is sized beforehand, so that it never moves and leaves a
    /// copy behind, and is wiped when dropped.
    pub(crate) fn fill(&self, parts: &[Part], place: &Place) -> Result<Zeroizing<Vec<u8>>, Error> {
        let mut length = 0_usize;
        for part in parts {
            length = length.saturating_add(match part {
                Part::Text(text) => text.len(),
                Part::Bytes(bytes) => bytes.len(),
                Part::Sensitive { source, encoding } => {
                    encode::bound(*encoding, self.value(source, place)?.expose().len())
                }
            });
        }
        let mut out = Zeroizing::new(Vec::with_capacity(length));
        for part in parts {
            match part {
                Part::Text(text) => out.extend_from_slice(text.as_bytes()),
                Part::Bytes(bytes) => out.extend_from_slice(bytes),
                Part::Sensitive { source, encoding } => {
                    self.write(source, *encoding, place, &mut out)?;
                }
            }
        }
        Ok(out)
    }

    fn write(
        &self,
        source: &Source,
        encoding: Encoding,
        place: &Place,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        encode::write(encoding, self.value(source, place)?.expose(), out).map_err(|why| {
            let target = self.target;
            let what = format!(
                "{source} cannot be written as {encoding:?} in {place} towards {target}: {why}"
            );
            Error::new(Kind::Encoding, what)
        })
    }

    /// The grant is looked at first: what is not granted is not even known to exist.
    fn value(&self, source: &Source, place: &Place) -> Result<&Secret, Error> {
        let target = self.target;
        if !self.grants.iter().any(|grant| self.grants_this(grant, source, place)) {
            let what = format!(
                "{source} is not granted for {place} towards {target}: if it is to travel there, \
                 add a grant with this place and host to the account"
            );
            return Err(Error::new(Kind::NotGranted, what));
        }
        let (value, remedy) = match source {
            Source::Secret(name) => {
                (self.values.secret(name), "give it a value among the account's secrets")
            }
            Source::Card(field) => {
                (self.values.card(*field), "the order has to come with this field of the card")
            }
            Source::Derived(number) => {
                (self.values.derived(*number), "the plugin has to derive it within the same step")
            }
        };
        value.ok_or_else(|| {
            let what = format!("{source}, asked for in {place} towards {target}, is not there: ");
            Error::new(Kind::MissingValue, what + remedy)
        })
    }

    fn grants_this(&self, grant: &Grant, source: &Source, place: &Place) -> bool {
        let here = match &grant.hosts {
            Some(hosts) => hosts.iter().any(|host| self.target.is(host)),
            None => true,
        };
        here && grant.value.covers(source) && grant.places.iter().any(|granted| granted.is(place))
    }
}

#[cfg(test)]
mod tests;
