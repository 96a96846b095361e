//! What the raw server writes in the tests of the timed path.

use super::{Step, chunk, end, event, head, one};

/// A stream whose events come one a write, `gap_us` apart.
pub fn paced(events: usize, text: usize, gap_us: u64) -> Vec<Step> {
    let mut steps = vec![head()];
    for _ in 0..events {
        steps.extend([Step::Wait(gap_us), one(text)]);
    }
    steps.extend([Step::Wait(gap_us), end()]);
    steps
}
/// A stream in bursts: writes without a pause, several events a chunk, several chunks a write; a pause after sixteen events.
pub fn bursts(events: usize, text: usize, pause_us: u64) -> Vec<Step> {
    let mut steps = vec![head()];
    for i in 0..events / 8 {
        let two_in_one = chunk(format!("data: a\n\ndata: {}\n\n", "y".repeat(text)).as_bytes());
        let three_in_one_write = [event(text), event(text + 1), event(3)].concat();
        steps.extend([one(text), one(text), one(1)]);
        steps.push(Step::Write { bytes: two_in_one, events: 2 });
        steps.push(Step::Write { bytes: three_in_one_write, events: 3 });
        if i % 2 == 0 {
            steps.push(Step::Wait(pause_us));
        }
    }
    steps.push(end());
    steps
}
/// Each chunk (under TLS: each record) in two writes, 300 us apart.
pub fn in_pieces(events: usize, gap_us: u64) -> Vec<Step> {
    let mut steps = vec![head()];
    for _ in 0..events {
        steps.extend([Step::Wait(gap_us), Step::InTwo { bytes: event(120), events: 1, pause_us: 300 }]);
    }
    steps.extend([Step::Wait(gap_us), end()]);
    steps
}
