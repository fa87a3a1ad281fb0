//! Counts what a call uses and ends it where a limit is passed.

use wasmtime::ResourceLimiter;

use crate::Limits;
use crate::fault::Trip;

/// The memory and tables of one call, summed over all of its core instances.
#[derive(Debug)]
pub(crate) struct Meter {
    memory_bytes: usize,
    memory_bytes_max: usize,
    table_elements: usize,
    table_elements_max: usize,
    /// What was allowed last, to take back when the runtime could not do it after all.
    last: usize,
}

impl Meter {
    pub(crate) fn new(limits: &Limits) -> Meter {
        Meter {
            memory_bytes: 0,
            memory_bytes_max: limits.memory_bytes_max,
            table_elements: 0,
            table_elements_max: limits.table_elements_max,
            last: 0,
        }
    }
}

// A refusal is an error and not a quiet -1: the operator then reads which limit it was, instead of
// the guest's own out-of-memory abort.
impl ResourceLimiter for Meter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        self.last = desired.saturating_sub(current);
        let wanted = self.memory_bytes.saturating_add(self.last);
        if wanted > self.memory_bytes_max {
            return Err(Trip::Memory { wanted, max: self.memory_bytes_max }.into());
        }
        self.memory_bytes = wanted;
        Ok(true)
    }

    fn memory_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        self.memory_bytes = self.memory_bytes.saturating_sub(self.last);
        Ok(())
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        self.last = desired.saturating_sub(current);
        let wanted = self.table_elements.saturating_add(self.last);
        if wanted > self.table_elements_max {
            return Err(Trip::Table { wanted, max: self.table_elements_max }.into());
        }
        self.table_elements = wanted;
        Ok(true)
    }

    fn table_grow_failed(&mut self, _error: wasmtime::Error) -> wasmtime::Result<()> {
        self.table_elements = self.table_elements.saturating_sub(self.last);
        Ok(())
    }
}
