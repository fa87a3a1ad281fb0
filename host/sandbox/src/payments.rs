//! The interface `payments`: settings, the time, small values kept, amount text, the log.

use crate::Remembered;
use crate::call::View;
use crate::contract::bindings::tollgate::adapter::payments::Host;
use crate::contract::{Level, Money};
use crate::decimal;
use crate::fault::Trip;

/// A remembered value is at most this long.
const VALUE_BYTES_MAX: usize = 16 << 10;
/// The name of one is at most this long.
const NAME_BYTES_MAX: usize = 64;

impl View<'_> {
    fn places(&self, currency: &str) -> Result<u8, String> {
        let unknown = || format!("`{}` is no ISO 4217 currency", currency.escape_debug());
        (self.0.plugin.decimals)(currency).ok_or_else(unknown)
    }

    /// The values of this call, once this one is added or put in the place of its namesake.
    fn kept_bytes(&self, name: &str, value: &[u8]) -> usize {
        let others = self.0.remembered.iter().filter(|kept| kept.name != name);
        others.map(|kept| kept.value.len()).sum::<usize>() + value.len()
    }
}

impl Host for View<'_> {
    fn setting(&mut self, name: String) -> wasmtime::Result<Option<String>> {
        self.0.enter(name.len())?;
        if !self.0.plugin.asked.settings.contains(&name) {
            return Ok(None);
        }
        Ok(self.0.around.as_ref().and_then(|around| around.settings.get(&name).cloned()))
    }

    fn now(&mut self) -> wasmtime::Result<(u64, u32)> {
        self.0.enter(0)?;
        Ok(self.0.around.as_ref().map_or((0, 0), |around| around.now))
    }

    fn recall(&mut self, name: String) -> wasmtime::Result<Option<Vec<u8>>> {
        self.0.enter(name.len())?;
        if let Some(kept) = self.0.remembered.iter().find(|kept| kept.name == name) {
            return Ok(Some(kept.value.clone()));
        }
        Ok(self.0.around.as_ref().and_then(|around| around.kept.get(&name).cloned()))
    }

    fn remember(
        &mut self,
        name: String,
        value: Vec<u8>,
        seconds: Option<u32>,
    ) -> wasmtime::Result<()> {
        self.0.enter(name.len() + value.len())?;
        let broken = |what: String| Err(Trip::Contract(format!("remember: {what}")).into());
        if name.is_empty() || name.len() > NAME_BYTES_MAX {
            return broken(format!(
                "a name of {} bytes, 1 to {NAME_BYTES_MAX} allowed",
                name.len()
            ));
        }
        if value.len() > VALUE_BYTES_MAX {
            return broken(format!("{} bytes, {VALUE_BYTES_MAX} allowed", value.len()));
        }
        let max = self.0.plugin.limits.remembered_bytes_max;
        if self.kept_bytes(&name, &value) > max {
            return broken(format!("more than {max} bytes in one call"));
        }
        if self.0.remembered.len() >= self.0.plugin.limits.handles_max {
            return broken(format!("more than {} values in one call", self.0.remembered.len()));
        }
        self.0.remembered.retain(|kept| kept.name != name);
        self.0.remembered.push(Remembered { name, value, seconds });
        Ok(())
    }

    fn to_decimal(&mut self, amount: Money) -> wasmtime::Result<Result<String, String>> {
        self.0.enter(amount.currency.len())?;
        let places = self.places(&amount.currency);
        Ok(places.map(|places| decimal::to_text(amount.minor, places)))
    }

    fn from_decimal(
        &mut self,
        text: String,
        currency: String,
    ) -> wasmtime::Result<Result<Money, String>> {
        self.0.enter(text.len() + currency.len())?;
        let minor = self.places(&currency).and_then(|places| decimal::from_text(&text, places));
        Ok(minor.map(|minor| Money { minor, currency }))
    }

    fn log(&mut self, level: Level, message: String) -> wasmtime::Result<()> {
        self.0.enter(message.len())?;
        self.0.log(level, &message);
        Ok(())
    }
}
