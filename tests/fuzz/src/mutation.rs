//! Inputs out of kept ones: deterministic changes by a seed, in the ordinary build. No coverage
//! leads them; that is what the long form is for.

/// Bytes that begin, end or separate things in what is fuzzed here.
const TOKENS: [&[u8]; 24] = [
    b"\r\n",
    b"\n",
    b"\0",
    b"\"",
    b":",
    b";",
    b",",
    b".",
    b"{",
    b"}",
    b"[",
    b"]",
    b"=",
    b"%00",
    b"\\u0000",
    b"../",
    b"-1",
    b"18446744073709551616",
    b"1e400",
    b"\xff\xff\xff\xff",
    b"\xc3\xa9",
    b"Transfer-Encoding: chunked\r\n",
    b"@query",
    b"localhost",
];
/// An input does not grow beyond this.
const BYTES_MAX: usize = 4096;

/// An endless row of inputs, the same for the same seed and the same kept inputs.
#[derive(Clone, Debug)]
pub struct Mutations<'a> {
    kept: &'a [Vec<u8>],
    state: u64,
}

impl<'a> Mutations<'a> {
    /// Mutations of these.
    pub fn new(kept: &'a [Vec<u8>], seed: u64) -> Mutations<'a> {
        Mutations { kept, state: seed | 1 }
    }

    /// xorshift64* (Vigna, 2016).
    fn draw(&mut self) -> u64 {
        self.state ^= self.state >> 12;
        self.state ^= self.state << 25;
        self.state ^= self.state >> 27;
        self.state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 16
    }

    fn below(&mut self, most: usize) -> usize {
        match most {
            0 => 0,
            most => (self.draw() % most as u64) as usize,
        }
    }

    fn kept_one(&mut self) -> Vec<u8> {
        let which = self.below(self.kept.len());
        self.kept.get(which).cloned().unwrap_or_default()
    }

    fn span(&mut self, bytes: &[u8]) -> std::ops::Range<usize> {
        let start = self.below(bytes.len() + 1);
        let length = self.below((bytes.len() - start).min(32) + 1);
        start..start + length
    }

    fn change(&mut self, bytes: &mut Vec<u8>) {
        let span = self.span(bytes);
        match self.below(8) {
            0 => drop(bytes.drain(span)),
            1 => {
                let copy = bytes[span.clone()].to_vec();
                bytes.splice(span.start..span.start, copy);
            }
            2 => {
                let token = TOKENS[self.below(TOKENS.len())];
                bytes.splice(span, token.iter().copied());
            }
            3 => {
                let other = self.kept_one();
                let piece = self.span(&other);
                bytes.splice(span, other[piece].iter().copied());
            }
            4 => bytes.truncate(span.end),
            5 => {
                let byte = self.draw() as u8;
                bytes.insert(span.start, byte);
            }
            _ => {
                let bit = 1 << self.below(8);
                bytes.get_mut(span.start).into_iter().for_each(|byte| *byte ^= bit);
            }
        }
    }
}

impl Iterator for Mutations<'_> {
    type Item = Vec<u8>;

    fn next(&mut self) -> Option<Vec<u8>> {
        let mut bytes = self.kept_one();
        for _ in 0..=self.below(4) {
            self.change(&mut bytes);
        }
        bytes.truncate(BYTES_MAX);
        Some(bytes)
    }
}
