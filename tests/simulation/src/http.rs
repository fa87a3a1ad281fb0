//! As much of HTTP/1.1 as the servers of the simulation need. Not the host's: that is hyper.

use std::collections::BTreeMap;

/// A whole request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    pub method: String,
    pub path: String,
    /// By names in lower case.
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

impl Request {
    /// The first whole request in `bytes`, and how long it is.
    pub fn read(bytes: &[u8]) -> Option<(Request, usize)> {
        let head = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
        let text = std::str::from_utf8(&bytes[..head]).ok()?;
        let mut lines = text.split("\r\n");
        let mut first = lines.next()?.split(' ');
        let (method, path) = (first.next()?.to_owned(), first.next()?.to_owned());
        let header = |line: &str| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_ascii_lowercase(), value.trim().to_owned()))
        };
        let headers: BTreeMap<String, String> = lines.filter_map(header).collect();
        let length = headers.get("content-length").map_or(Ok(0), |text| text.parse()).ok()?;
        let body = bytes.get(head + 4..head + 4 + length)?.to_vec();
        Some((Request { method, path, headers, body }, head + 4 + length))
    }
}

/// An answer, as it travels.
pub fn answer(status: u16, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status} So\r\ncontent-length: {length}\r\n\r\n");
    [head.as_bytes(), body].concat()
}
