//! Striking out of an answer what its request was filled with.
//!
//! A provider may send back what it was given: an error that quotes the API key, a gateway that
//! shows the request, a card object with its number. The plugin must not see it then either, nor
//! the journal. Not here: values too short to be told from other text (an expiry, a security code).

use vault::Secret;
use zeroize::Zeroizing;

use crate::encode;
use crate::fill::Fill;
use crate::reply::Reply;
use crate::request::{Encoding, Part, Request, Source};

/// Shorter values stand in answers by chance.
const BYTES_MIN: usize = 8;
/// What is put in the place of each byte: as many bytes as before, so that what is around it stays
/// readable.
const STRUCK: u8 = b'*';

/// The values that one request was filled with, as they are and as they were written.
pub(crate) struct Strike(Vec<(String, Zeroizing<Vec<u8>>)>);

impl Strike {
    pub(crate) fn of(request: &Request, values: &dyn Fill) -> Strike {
        let mut all = Vec::new();
        for part in parts(request) {
            let Part::Sensitive { source, encoding } = part else { continue };
            let Some(value) = value(source, values) else { continue };
            for written in [Encoding::Raw, *encoding, Encoding::Base64, Encoding::Hex] {
                let mut out = Zeroizing::new(Vec::with_capacity(encode::bound(
                    written,
                    value.expose().len(),
                )));
                let fits = encode::write(written, value.expose(), &mut out).is_ok();
                if fits && out.len() >= BYTES_MIN && !all.iter().any(|(_, known)| *known == out) {
                    all.push((source.to_string(), out));
                }
            }
        }
        Strike(all)
    }

    /// The answer without them.
    pub(crate) fn out_of(&self, reply: Reply) -> Reply {
        match reply {
            Reply::Frame(body) => Reply::Frame(self.struck(body)),
            Reply::Http { status, headers, body } => {
                let header = |(name, value): (String, String)| {
                    let value = self.struck(value.into_bytes());
                    (name, String::from_utf8_lossy(&value).into_owned())
                };
                let headers = headers.into_iter().map(header).collect();
                Reply::Http { status, headers, body: self.struck(body) }
            }
        }
    }

    fn struck(&self, mut bytes: Vec<u8>) -> Vec<u8> {
        for (source, value) in &self.0 {
            let mut from = 0;
            while let Some(at) = position(bytes.get(from..).unwrap_or_default(), value) {
                let (start, end) = (from + at, from + at + value.len());
                bytes.get_mut(start..end).unwrap_or_default().fill(STRUCK);
                from = end;
                tracing::warn!(source, "the provider sent back what it was given: struck out");
            }
        }
        bytes
    }
}

fn position(bytes: &[u8], value: &[u8]) -> Option<usize> {
    bytes.windows(value.len()).position(|window| window == value)
}

fn parts(request: &Request) -> impl Iterator<Item = &Part> {
    let (headers, body): (&[_], _) = match request {
        Request::Http(http) => (&http.headers, &http.body),
        Request::Frame(frame) => (&[], &frame.body),
    };
    headers.iter().flat_map(|header| &header.value).chain(body)
}

fn value<'a>(source: &Source, values: &'a dyn Fill) -> Option<&'a Secret> {
    match source {
        Source::Secret(name) => values.secret(name),
        Source::Card(field) => values.card(*field),
        Source::Derived(number) => values.derived(*number),
    }
}
