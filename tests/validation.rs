//! The simulation study in small (`make validate` runs it whole): the same gates, each with the room that chance needs at this size.

mod study;

use study::gates::{Size, gates};

#[test]
fn intervals_and_words_are_worth_what_they_say_under_the_stated_model() {
    let mut missed = Vec::new();
    let mut all = 0;
    gates(Size::SMALL, |gate| {
        all += 1;
        if !gate.holds_within_chance() {
            missed.push(format!("{}: {:.3} of {}", gate.what, gate.share, gate.of));
        }
    });
    assert!(20 < all && missed.is_empty(), "{missed:#?}");
}
