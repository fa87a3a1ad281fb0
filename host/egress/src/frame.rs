//! One framed message out and one back, on a connection of its own. Not here: what they say.

use tokio::io::{AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::time::timeout_at;
use zeroize::Zeroizing;

use crate::connect::Stream;
use crate::connection::{Bounds, Broken};
use crate::dial::Dialled;
use crate::error::{Error, Kind};
use crate::fill::{Fill, Filling};
use crate::gate::{Gate, Place};
use crate::reply::Reply;
use crate::request::{FrameRequest, Framing};
use crate::target::Target;

const STX: u8 = 0x02;
const ETX: u8 = 0x03;

/// A framed message with its secrets in it; wiped when dropped.
pub(crate) struct Framed {
    pub(crate) target: Target,
    framing: Framing,
    bytes: Zeroizing<Vec<u8>>,
}

impl Framed {
    pub(crate) fn new(
        gate: &Gate,
        values: &dyn Fill,
        request: &FrameRequest,
    ) -> Result<Framed, Error> {
        let target = Target::of_endpoint(&request.endpoint, &gate.hosts)?;
        let filling = Filling { grants: &gate.grants, target: &target, values };
        let body = filling.fill(&request.body, &Place::Body)?;
        let bytes = wrap(request.framing, &body)?;
        Ok(Framed { target, framing: request.framing, bytes })
    }

    /// Sends the message and reads the one that answers it.
    pub(crate) async fn exchange(&self, dialled: Dialled, bounds: Bounds) -> Result<Reply, Broken> {
        let Dialled { mut stream, meter, probe: _probe } = dialled;
        let before = meter.read();
        let answer = self.converse(&mut stream, bounds).await;
        drop(stream);
        answer.map_err(|error| Broken { error, left: meter.read() != before })
    }

    /// Reads while it writes: only reading tells that the other side is gone.
    async fn converse(&self, stream: &mut dyn Stream, bounds: Bounds) -> Result<Reply, Error> {
        let (reading, mut writing) = tokio::io::split(stream);
        let mut reading = BufReader::new(reading);
        let write = async {
            writing.write_all(&self.bytes).await.map_err(broken)?;
            writing.flush().await.map_err(broken)?;
            std::future::pending().await
        };
        let read = self.read(&mut reading, bounds);
        tokio::select! {
            biased;
            answer = read => answer.map(Reply::Frame),
            failed = write => failed,
        }
    }

    async fn read(
        &self,
        stream: &mut (impl AsyncReadExt + Unpin),
        bounds: Bounds,
    ) -> Result<Vec<u8>, Error> {
        let first = timeout_at(bounds.deadlines.head, stream.read_u8())
            .await
            .map_err(|_| Error::new(Kind::Timeout, "the answer did not begin in time"))?
            .map_err(broken)?;
        let bytes_max = bounds.response_bytes_max;
        let rest = async {
            match self.framing {
                Framing::LengthPrefix(width) => counted(stream, width, first, bytes_max).await,
                Framing::StxEtxLrc(initial) => enclosed(stream, initial, first, bytes_max).await,
            }
        };
        timeout_at(bounds.deadlines.whole, rest)
            .await
            .map_err(|_| Error::new(Kind::Timeout, "the answer was not whole in time"))?
    }
}

fn wrap(framing: Framing, body: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
    let mut bytes = Zeroizing::new(Vec::with_capacity(body.len().saturating_add(4)));
    match framing {
        Framing::LengthPrefix(width) => {
            bytes.extend(prefix(width, body.len())?);
            bytes.extend_from_slice(body);
        }
        Framing::StxEtxLrc(initial) => {
            if body.iter().any(|byte| [STX, ETX].contains(byte)) {
                let what = "the body holds STX or ETX, which this framing cannot carry";
                return Err(Error::new(Kind::Body, what));
            }
            bytes.push(STX);
            bytes.extend_from_slice(body);
            bytes.extend([ETX, vault::lrc(initial, body) ^ ETX]);
        }
    }
    Ok(bytes)
}

fn prefix(width: u8, length: usize) -> Result<Vec<u8>, Error> {
    let short = match width {
        1 => u8::try_from(length).map(|n| n.to_be_bytes().to_vec()),
        2 => u16::try_from(length).map(|n| n.to_be_bytes().to_vec()),
        4 => u32::try_from(length).map(|n| n.to_be_bytes().to_vec()),
        _ => {
            let what = format!("a length prefix of {width} bytes: it can have 1, 2 or 4");
            return Err(Error::new(Kind::Body, what));
        }
    };
    short.map_err(|_| {
        let what = format!("a body of {length} bytes is too long for a {width}-byte length");
        Error::new(Kind::Body, what)
    })
}

async fn counted(
    stream: &mut (impl AsyncReadExt + Unpin),
    width: u8,
    first: u8,
    bytes_max: usize,
) -> Result<Vec<u8>, Error> {
    let mut length = usize::from(first);
    for _ in 1..width {
        length = length << 8 | usize::from(stream.read_u8().await.map_err(broken)?);
    }
    if length > bytes_max {
        return Err(too_large(bytes_max));
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.map_err(broken)?;
    Ok(body)
}

async fn enclosed(
    stream: &mut (impl AsyncReadExt + Unpin),
    initial: u8,
    first: u8,
    bytes_max: usize,
) -> Result<Vec<u8>, Error> {
    if first != STX {
        return Err(Error::new(Kind::Garbled, "the answer does not begin with STX"));
    }
    let mut body = Vec::new();
    loop {
        match stream.read_u8().await.map_err(broken)? {
            ETX => break,
            _ if body.len() >= bytes_max => return Err(too_large(bytes_max)),
            byte => body.push(byte),
        }
    }
    let lrc = stream.read_u8().await.map_err(broken)?;
    match lrc == vault::lrc(initial, &body) ^ ETX {
        true => Ok(body),
        false => Err(Error::new(Kind::Garbled, "the answer's LRC does not hold")),
    }
}

fn too_large(bytes_max: usize) -> Error {
    Error::new(Kind::TooLarge, format!("the answer has more than {bytes_max} bytes"))
}

fn broken(source: std::io::Error) -> Error {
    Error::from_source(Kind::Broken, "the connection ended before the answer was whole", source)
}
