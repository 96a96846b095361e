//! photofinish compares LLM API providers the way a photo finish decides a race: with an instrument that can prove its own
//! accuracy, and a verdict that says how sure it is.
//!
//! Two wings meet at the record. The *measuring* wing (`plan`, `provider`, `wire`, `dialect`, `exchange`, `runner`) is expensive and
//! unrepeatable; the *reading* wing (`metric`, `stats`, `analysis`, `report`) is pure, seeded and repeatable for ever. They share
//! `record`, `timeline`, `ident` and `units`, and nothing else. ARCHITECTURE.md is the map; `tests/floors.rs` holds the walls.

pub mod analysis;
pub mod calibration;
pub mod cli;
pub mod clock;
pub mod dataset;
pub mod deploy;
pub mod dialect;
pub mod exchange;
pub mod grading;
pub mod ident;
pub mod measured;
pub mod metric;
pub mod plan;
pub mod provider;
pub mod record;
pub mod report;
pub mod runner;
pub mod secret;
pub mod sim;
pub mod stats;
pub mod store;
pub mod timeline;
pub mod tokens;
pub mod units;
pub mod wire;
