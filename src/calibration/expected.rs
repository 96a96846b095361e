//! What a request should be judged as, told from the simulator's log alone.

use super::Truth;
use crate::metric::Outcome;

/// The outcome that a reply of this truth deserves: a healthy one is `ok`, one fault gives its own. None where the log does not say it: a
/// fault that is none of these, or several at once.
pub(super) fn expected(truth: &Truth) -> Option<Outcome> {
    match truth.faults.as_slice() {
        [] => (truth.ended == "clean").then_some(Outcome::Ok),
        [fault] => of_fault(fault),
        _ => None,
    }
}

fn of_fault(fault: &str) -> Option<Outcome> {
    Some(match fault {
        "rate_limited" => Outcome::RateLimited,
        "server_error" | "error_event" | "error_event_then_done" => Outcome::ServerError,
        "bad_request" => Outcome::ClientError,
        "empty_reply" => Outcome::Empty,
        "ends_early" | "body_cut" | "reset_midstream" | "close_before_headers" => Outcome::Broken,
        _ => return None,
    })
}
