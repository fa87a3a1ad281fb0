//! The pure part by a hand clock: order, schedule, circuit, patterns.
