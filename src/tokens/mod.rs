//! How many tokens came with each event: as the provider reported, by one reference tokenizer for all, or as characters.
//!
//! A table never mixes these bases. Nothing here runs on the timed path.

mod basis;
mod reference;
mod reported;

pub use basis::{Basis, Counts, NoCounts, char_counts, chars_of_events, reference_counts};
pub use reference::{Reference, TokenizerError, count_events};
pub use reported::{Doubt, believe, reported_counts};
