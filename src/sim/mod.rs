//! Simulated providers with known truth: a raw-socket server in a process of its own, and its own writer of each dialect.
//!
//! It shares no code with `wire/` or `dialect/`: an oracle that shares the parser cannot catch it. A reply is planned whole when its
//! request has been read (`script`), its faults are put in (`distort`), and then it is only written: each token, or bundle, is one
//! HTTP chunk in one `write(2)`, at an absolute time, with CLOCK_MONOTONIC taken just before and after (`line`, `truth`).
//!
//! docs/sim.md describes the behaviour file, every fault by its name, and the truth log.

mod answer;
mod behaviour;
mod body;
mod certificate;
mod compose;
mod dist;
mod distort;
mod fault;
mod head;
mod http2;
mod line;
mod play;
mod reply;
mod request;
mod schedule;
mod script;
mod server;
mod template;
mod truth;
mod wording;
pub mod words;

pub use behaviour::{BUILTIN, Behaviour, BehaviourError};
pub use server::{Detail, Http2, Options, Ready, serve};
