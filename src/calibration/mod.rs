//! The instrument's own error: what this client measured, held against what the simulator logged. Pure: truth × answers → errors.
//!
//! Both processes read one CLOCK_MONOTONIC, so that every difference is the client's own: on loopback, without a network or a network
//! card. Metrics are computed as tables compute them ([`crate::metric`]); the truth is read by a struct of this room's own, since the
//! simulator shares no code with what reads streams.

mod errors;
mod expected;
mod truth;

pub use errors::{Held, errors};
pub use truth::{Truth, Truths};
