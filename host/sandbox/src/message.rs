//! A message gathered from parts, the sensitive ones filled in, in memory the guest never sees.

use zeroize::Zeroizing;

use crate::call::Call;
use crate::contract::{CryptoError, Part, Sensitive, Source};
use vault::Secret;

/// Parts put together. Wiped when dropped.
pub(crate) struct Message {
    pub(crate) bytes: Zeroizing<Vec<u8>>,
    /// Whether anything in it is sensitive.
    pub(crate) sensitive: bool,
    /// Whether a card field is in it, or a result computed from one.
    pub(crate) card: bool,
}

/// One part: bytes of the guest, or a value of the host.
enum Piece<'a> {
    Open(&'a [u8]),
    Closed(Secret),
}

impl Piece<'_> {
    fn bytes(&self) -> &[u8] {
        match self {
            Piece::Open(bytes) => bytes,
            Piece::Closed(secret) => secret.expose(),
        }
    }
}

/// The bytes that came over from the guest in these parts.
pub(crate) fn length(parts: &[Part]) -> usize {
    let length = |part: &Part| match part {
        Part::Text(text) => text.len(),
        Part::Bytes(bytes) => bytes.len(),
        Part::Sensitive(_) => 0,
    };
    parts.iter().map(length).fold(0, usize::saturating_add)
}

impl Message {
    /// Gathers `parts`, which the call may draw on.
    pub(crate) fn gather(call: &Call, parts: &[Part]) -> Result<Message, CryptoError> {
        let mut pieces = Vec::with_capacity(parts.len());
        let (mut sensitive, mut card) = (false, false);
        for part in parts {
            pieces.push(match part {
                Part::Text(text) => Piece::Open(text.as_bytes()),
                Part::Bytes(bytes) => Piece::Open(bytes),
                Part::Sensitive(named) => {
                    let (value, of_card) = filled(call, named)?;
                    (sensitive, card) = (true, card || of_card);
                    Piece::Closed(value)
                }
            });
        }
        // Reserved whole, since a buffer that grows leaves copies behind.
        let length = pieces.iter().map(|piece| piece.bytes().len()).sum();
        let mut bytes = Zeroizing::new(Vec::with_capacity(length));
        for piece in &pieces {
            bytes.extend_from_slice(piece.bytes());
        }
        Ok(Message { bytes, sensitive, card })
    }
}

/// The value of a sensitive part as it would leave, and whether it comes from a card.
fn filled(call: &Call, named: &Sensitive) -> Result<(Secret, bool), CryptoError> {
    let around = call.around.as_ref().ok_or_else(|| bad("`describe` has no account"))?;
    let (value, card) = match &named.source {
        Source::Secret(name) if !call.plugin.asked.secrets.contains(name) => {
            return Err(bad(format!("secret `{name}` is not one the description asks for")));
        }
        Source::Secret(name) => {
            let absent = || bad(format!("the account has no secret `{name}`"));
            (around.sensitive.secret(name).ok_or_else(absent)?, false)
        }
        Source::Card(field) => {
            let absent = || bad(format!("there is no card {field:?} in this operation"));
            (around.sensitive.card(*field).ok_or_else(absent)?, true)
        }
        Source::Derived(number) => {
            let derived = usize::try_from(*number).ok().and_then(|at| call.derived.get(at));
            let derived = derived.ok_or_else(|| bad(format!("nothing derived as {number}")))?;
            (derived.value.clone(), derived.card)
        }
    };
    let value = around.sensitive.encode(&value, named.encoding).map_err(bad)?;
    Ok((value, card))
}

fn bad(what: impl Into<String>) -> CryptoError {
    CryptoError::BadInput(what.into())
}
