//! One request from send to end: frames become events, events become a timeline, limits are kept. Failure is data: whatever happens,
//! an [`Answer`] with everything that had come is the result.

mod headers;
mod limits;
mod watching;

use crate::clock::Clock;
use crate::dialect::Decoder;
use crate::record::{Answer, Limits};
use crate::timeline::{Ended, Limit};
use crate::wire::{ConnectFailure, Connection, WireRequest};
use limits::Patience;
use watching::Watching;

/// Makes one request over an open connection and reads its reply to the end, or until a limit runs out. Limits begin with this call;
/// the request is written at once.
pub async fn exchange(
    connection: &mut dyn Connection,
    request: &WireRequest,
    decoder: Box<dyn Decoder>,
    limits: &Limits,
    clock: &Clock,
) -> Answer {
    let patience = Patience::new(limits, clock.now());
    let mut watching = Watching::new(decoder, request.framing, &patience);
    // The reading comes first: what is there already has come, however late this client looks at it.
    let ended = tokio::select! {
        biased;
        ended = connection.exchange(request, &mut watching) => ended,
        limit = patience.run_out(clock) => Ended::TimedOut { limit },
    };
    watching.answer(connection.facts(), ended, clock)
}

/// The answer of a request that found no connection.
pub fn connect_failed(failure: ConnectFailure) -> Answer {
    let ConnectFailure { stage, message, timed_out, local, connect } = failure;
    let ended = match timed_out {
        true => Ended::TimedOut { limit: Limit::Connect },
        false => Ended::ConnectFailed { stage, message, local },
    };
    Answer { connect, ..watching::unanswered(ended) }
}

#[cfg(test)]
mod tests;
