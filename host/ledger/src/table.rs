//! The state table: what an entry may become when something is told of it. Data, not code.

use serde::{Deserialize, Serialize};

/// The state of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Asked, nothing recorded as sent.
    Created,
    /// The request is recorded; a byte of it may have left.
    Sending,
    /// The payer has to act.
    NeedsAction,
    /// The provider has it and will decide.
    Pending,
    /// A request left and its answer was lost or says nothing definite.
    Unknown,
    /// Done as asked.
    Succeeded,
    /// The provider refused and moved nothing.
    Declined,
    /// Proven that the provider never got it.
    NotSent,
    /// The provider closed it unpaid.
    Expired,
}

/// What can be told of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Told {
    /// A request is about to leave.
    Sending,
    /// The payer has to act.
    NeedsAction,
    /// The provider will decide later.
    Pending,
    /// The answer was lost, or the host stopped while it was out.
    Lost,
    /// Done.
    Succeeded,
    /// Refused.
    Declined,
    /// It never reached the provider.
    NotSent,
    /// Closed unpaid.
    Expired,
}

/// One line of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Transition {
    /// The state before.
    pub from: State,
    /// What is told.
    pub told: Told,
    /// The state after.
    pub to: State,
}

const fn line(from: State, told: Told, to: State) -> Transition {
    Transition { from, told, to }
}

/// Every change there is. What does not stand here does not happen; no line leaves a terminal
/// state.
pub const TABLE: &[Transition] = &[
    line(State::Created, Told::Sending, State::Sending),
    line(State::Created, Told::Declined, State::Declined),
    line(State::Created, Told::NotSent, State::NotSent),
    // An operation of several requests is sending until its last answer.
    line(State::Sending, Told::Sending, State::Sending),
    line(State::Sending, Told::NeedsAction, State::NeedsAction),
    line(State::Sending, Told::Pending, State::Pending),
    line(State::Sending, Told::Lost, State::Unknown),
    line(State::Sending, Told::Succeeded, State::Succeeded),
    line(State::Sending, Told::Declined, State::Declined),
    line(State::Sending, Told::NotSent, State::NotSent),
    line(State::Sending, Told::Expired, State::Expired),
    line(State::NeedsAction, Told::NeedsAction, State::NeedsAction),
    line(State::NeedsAction, Told::Pending, State::Pending),
    line(State::NeedsAction, Told::Succeeded, State::Succeeded),
    line(State::NeedsAction, Told::Declined, State::Declined),
    line(State::NeedsAction, Told::Expired, State::Expired),
    line(State::Pending, Told::NeedsAction, State::NeedsAction),
    line(State::Pending, Told::Pending, State::Pending),
    line(State::Pending, Told::Succeeded, State::Succeeded),
    line(State::Pending, Told::Declined, State::Declined),
    line(State::Pending, Told::Expired, State::Expired),
    line(State::Unknown, Told::NeedsAction, State::NeedsAction),
    line(State::Unknown, Told::Pending, State::Pending),
    line(State::Unknown, Told::Lost, State::Unknown),
    line(State::Unknown, Told::Succeeded, State::Succeeded),
    line(State::Unknown, Told::Declined, State::Declined),
    line(State::Unknown, Told::NotSent, State::NotSent),
    line(State::Unknown, Told::Expired, State::Expired),
];

/// The state after `told`, or none where the table has no such line.
pub fn after(from: State, told: Told) -> Option<State> {
    TABLE.iter().find(|line| line.from == from && line.told == told).map(|line| line.to)
}

impl State {
    /// Its name in records, events and answers.
    pub fn name(self) -> &'static str {
        match self {
            State::Created => "created",
            State::Sending => "sending",
            State::NeedsAction => "needs-action",
            State::Pending => "pending",
            State::Unknown => "unknown",
            State::Succeeded => "succeeded",
            State::Declined => "declined",
            State::NotSent => "not-sent",
            State::Expired => "expired",
        }
    }

    /// Whether nothing changes it any more.
    pub fn is_terminal(self) -> bool {
        matches!(self, State::Succeeded | State::Declined | State::NotSent | State::Expired)
    }

    /// Whether money may still move, or have moved, without our knowing.
    pub fn is_open(self) -> bool {
        !self.is_terminal()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_line_leaves_a_terminal_state_and_none_stands_twice() {
        for (n, line) in TABLE.iter().enumerate() {
            assert!(line.from.is_open(), "{line:?}");
            let same = |other: &&Transition| other.from == line.from && other.told == line.told;
            assert_eq!(TABLE.iter().filter(same).count(), 1, "line {n} stands twice: {line:?}");
        }
    }

    #[test]
    fn what_was_sent_is_never_again_unsent_without_proof() {
        for from in [State::NeedsAction, State::Pending] {
            assert_eq!(after(from, Told::NotSent), None);
            assert_eq!(after(from, Told::Sending), None);
        }
    }
}
