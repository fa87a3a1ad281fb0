//! Faults put in on purpose: the next requests that match are delayed, cut off or answered wrongly.
//!
//! Each fault says on which side of the effect it strikes, because that is what a caller must not
//! guess.

use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::exchange::Asked;

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "snake_case")]
pub enum Fault {
    /// The effect happens, the answer comes so many milliseconds later.
    Delay {
        /// Milliseconds.
        ms: u64,
    },
    /// The request lies about so many milliseconds before anything happens.
    Stall {
        /// Milliseconds.
        ms: u64,
    },
    /// The provider answers this status in its own error format.
    Status {
        /// An HTTP status, such as 500.
        status: u16,
        /// Whether the effect happened before the provider failed.
        #[serde(default)]
        executed: bool,
    },
    /// The effect happens, then the connection is reset without an answer.
    Reset,
    /// The connection is reset and nothing happens.
    Drop,
    /// The effect happens, the answer is 200 with a body nobody can read.
    Garbage,
    /// The effect happens, the answer ends in the middle of its body.
    Torn,
    /// The effect happens once, the same answer is written twice on the connection.
    Twice,
}

/// A fault and the requests it is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultRule {
    /// What goes wrong.
    #[serde(flatten)]
    pub fault: Fault,
    /// Requests whose path begins with this.
    #[serde(default = "any_path")]
    pub path: String,
    /// Requests of this method only.
    #[serde(default)]
    pub method: Option<String>,
    /// How many requests it is for.
    #[serde(default = "once")]
    pub times: u32,
}

impl FaultRule {
    /// `fault` for the next request whose path begins with `path`.
    pub fn next(fault: Fault, path: &str) -> Self {
        Self { fault, path: path.to_owned(), method: None, times: 1 }
    }

    fn matches(&self, asked: &Asked) -> bool {
        let method = self.method.as_deref().is_none_or(|m| asked.method.as_str() == m);
        method && asked.path.starts_with(&self.path)
    }
}

/// The faults still to come, oldest first.
#[derive(Default)]
pub(crate) struct Faults(Mutex<Vec<FaultRule>>);

impl Faults {
    pub(crate) fn add(&self, rule: FaultRule) {
        self.rules().push(rule);
    }

    pub(crate) fn clear(&self) {
        self.rules().clear();
    }

    pub(crate) fn pending(&self) -> Vec<FaultRule> {
        self.rules().clone()
    }

    /// The fault for this request, which uses it up.
    pub(crate) fn take(&self, asked: &Asked) -> Option<Fault> {
        let mut rules = self.rules();
        let rule = rules.iter_mut().find(|rule| rule.times > 0 && rule.matches(asked))?;
        rule.times -= 1;
        let fault = rule.fault.clone();
        rules.retain(|rule| rule.times > 0);
        Some(fault)
    }

    fn rules(&self) -> std::sync::MutexGuard<'_, Vec<FaultRule>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn any_path() -> String {
    "/".to_owned()
}

fn once() -> u32 {
    1
}
