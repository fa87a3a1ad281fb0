//! What is said of a panic: where it was, and its text where the program's own source says it.
//!
//! A panic's text may hold what the code was working on: the text that an index did not fit, the
//! error that was not expected, and so a card or a key. A text that is not a literal is not said.
//! Where it happened is enough to find it.

use std::panic::PanicHookInfo;

/// From now on.
pub fn tell() {
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        let thread = std::thread::current();
        let thread = thread.name().unwrap_or("unnamed");
        tracing::error!(target: "panic", place, thread, "panicked: {}", text(info));
    }));
}

fn text<'a>(info: &'a PanicHookInfo<'_>) -> &'a str {
    info.payload().downcast_ref::<&'static str>().copied().unwrap_or("its text is not said")
}

#[cfg(test)]
mod tests;
