//! What the provider has booked: pages of movements.

use crate::{
    Call, Description, Money, Movement, MovementKind, MovementState, OperationKind, Page, Portion,
    References, Reports,
};

impl Description {
    /// It fetches reports from the provider's interface that hold movements of these operations.
    #[must_use]
    pub fn fetches_reports(mut self, operations: &[OperationKind]) -> Description {
        self.reports = Reports { fetched: true, operations: operations.to_vec(), ..self.reports };
        self
    }

    /// It reads report files that hold movements of these operations.
    #[must_use]
    pub fn reads_reports(mut self, operations: &[OperationKind]) -> Description {
        self.reports = Reports { read: true, operations: operations.to_vec(), ..self.reports };
        self
    }
}

impl Page {
    /// These movements, and nothing more to ask for.
    pub fn of(movements: impl Into<Vec<Movement>>) -> Page {
        Page { movements: movements.into(), is_file: false, next: None }
    }

    /// The reply is a file, for `read_report`.
    pub fn file() -> Page {
        Page { movements: Vec::new(), is_file: true, next: None }
    }

    /// And then this is to be asked, if anything.
    #[must_use]
    pub fn then(mut self, next: impl Into<Option<Call>>) -> Page {
        self.next = next.into().map(|call| call.exchange(false));
        self
    }
}

impl Portion {
    /// These movements, and what is kept for the next piece.
    pub fn of(movements: impl Into<Vec<Movement>>, state: impl Into<Vec<u8>>) -> Portion {
        Portion { movements: movements.into(), state: state.into() }
    }
}

impl Movement {
    /// Something that is booked.
    pub fn booked(
        id: impl Into<String>,
        kind: MovementKind,
        amount: Money,
        booked_at: u64,
    ) -> Movement {
        Movement {
            id: id.into(),
            kind,
            state: MovementState::Booked,
            entry: None,
            references: None,
            amount,
            fee: None,
            booked_at,
        }
    }

    /// In this state.
    #[must_use]
    pub fn state(mut self, state: MovementState) -> Movement {
        self.state = state;
        self
    }

    /// For this entry, as the report names it.
    #[must_use]
    pub fn entry(mut self, entry: impl Into<Option<String>>) -> Movement {
        self.entry = entry.into();
        self
    }

    /// By these references.
    #[must_use]
    pub fn references(mut self, references: impl Into<References>) -> Movement {
        self.references = Some(references.into());
        self
    }

    /// Of which the provider kept this.
    #[must_use]
    pub fn fee(mut self, fee: impl Into<Option<Money>>) -> Movement {
        self.fee = fee.into();
        self
    }
}
