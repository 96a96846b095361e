//! How a request is judged, from the facts on record and the plan's rule on capped replies.

use crate::record::Answer;
use crate::timeline::{Ended, ErrorKind, Finish, Limit, Phase, ProviderError};
use serde::Serialize;

/// What came of a request that was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A whole reply with an answer, or cut where the plan allows it.
    Ok,
    /// Cut by the length limit where the plan wanted an answer.
    LengthCapped,
    /// It ended properly, without an answer.
    Empty,
    /// It ended without its end, or was no reply that we can read.
    Broken,
    /// No first token in time, or not done in time.
    Timeout,
    /// Texts stopped coming; keep-alives do not count.
    Stalled,
    /// Over the quota (429).
    RateLimited,
    /// The server failed or shed load (5xx, or an error within the stream).
    ServerError,
    /// The request was refused as wrong (4xx).
    ClientError,
    /// No connection came about.
    ConnectError,
    /// A content filter refused.
    Refused,
    /// We stopped it: no sample.
    Cancelled,
}

impl Outcome {
    /// Every outcome, the good one first.
    pub const ALL: [Outcome; 12] = [
        Outcome::Ok,
        Outcome::LengthCapped,
        Outcome::Empty,
        Outcome::Broken,
        Outcome::Timeout,
        Outcome::Stalled,
        Outcome::RateLimited,
        Outcome::ServerError,
        Outcome::ClientError,
        Outcome::ConnectError,
        Outcome::Refused,
        Outcome::Cancelled,
    ];

    /// Its name in tables and files.
    pub const fn name(self) -> &'static str {
        self.entry().0
    }
    /// What it means, in a line.
    pub const fn meaning(self) -> &'static str {
        self.entry().1
    }
    const fn entry(self) -> (&'static str, &'static str) {
        match self {
            Outcome::Ok => ("ok", "a whole reply with an answer, or cut by the cap on tokens where the plan allows it"),
            Outcome::LengthCapped => ("length_capped", "cut by the cap on tokens where the plan wanted an answer"),
            Outcome::Empty => ("empty", "it ended properly, without an answer"),
            Outcome::Broken => ("broken", "the stream ended without its end, or was no reply that can be read; a redirect is one"),
            Outcome::Timeout => ("timeout", "no first token in time, or not done in time"),
            Outcome::Stalled => ("stalled", "texts stopped coming; keep-alives do not count"),
            Outcome::RateLimited => ("rate_limited", "over the quota (429): counts as a failure and is listed apart"),
            Outcome::ServerError => ("server_error", "the server failed or shed load: 5xx, or an error within the stream"),
            Outcome::ClientError => ("client_error", "the request was refused as wrong (4xx)"),
            Outcome::ConnectError => ("connect_error", "no connection came about"),
            Outcome::Refused => ("refused", "a content filter refused or stopped it"),
            Outcome::Cancelled => ("cancelled", "this client stopped it: no sample"),
        }
    }
}

/// Judges the facts of an exchange.
///
/// What the provider said comes first, then our limits, then how the stream ended: an error event inside a response of status 200 is an
/// error even when `[DONE]` follows, and `[DONE]` after half a reply proves nothing if a limit or an error is on record.
pub fn judge(answer: &Answer, capped_is_ok: bool) -> Outcome {
    if let Some(outcome) = without_reply(&answer.ended) {
        return outcome;
    }
    if let Some(error) = &answer.error {
        return of_error(error, answer.status);
    }
    if let Some(status) = answer.status.filter(|status| !(200..300).contains(status)) {
        return of_status(status);
    }
    match answer.ended {
        Ended::Complete => {}
        // The end mark had come: what failed is the farewell, not the reply (flagged `unclosed`).
        _ if !answer.end_marks.is_empty() => {}
        Ended::TimedOut { limit: Limit::Idle } => return Outcome::Stalled,
        Ended::TimedOut { .. } => return Outcome::Timeout,
        _ => return Outcome::Broken,
    }
    of_reply(answer, capped_is_ok)
}

fn without_reply(ended: &Ended) -> Option<Outcome> {
    match ended {
        Ended::Cancelled => Some(Outcome::Cancelled),
        Ended::ConnectFailed { .. } | Ended::TimedOut { limit: Limit::Connect } => Some(Outcome::ConnectError),
        Ended::SendFailed { .. } => Some(Outcome::Broken),
        _ => None,
    }
}

fn of_error(error: &ProviderError, status: Option<u16>) -> Outcome {
    match error.kind {
        ErrorKind::Auth | ErrorKind::Billing | ErrorKind::NotFound | ErrorKind::BadRequest | ErrorKind::ContextLength => {
            Outcome::ClientError
        }
        ErrorKind::ContentFilter => Outcome::Refused,
        ErrorKind::RateLimit => Outcome::RateLimited,
        ErrorKind::Overloaded | ErrorKind::Server => Outcome::ServerError,
        // Words that fit no dialect: the status still tells whose fault it is, where it tells anything.
        ErrorKind::Protocol => match status {
            Some(status) if 400 <= status => of_status(status),
            _ => Outcome::Broken,
        },
    }
}

fn of_status(status: u16) -> Outcome {
    match status {
        429 => Outcome::RateLimited,
        400..=499 => Outcome::ClientError,
        500..=599 => Outcome::ServerError,
        // A redirect is not followed and gives no reply: a prompt sent elsewhere would not be this target's.
        _ => Outcome::Broken,
    }
}

fn of_reply(answer: &Answer, capped_is_ok: bool) -> Outcome {
    let finish = answer.finish.as_ref().map(|finish| finish.normal);
    let any = !answer.timeline.is_empty();
    let answered = answer.timeline.phases().any(|phase| phase != Phase::Reasoning);
    match finish {
        Some(Finish::ContentFilter) => return Outcome::Refused,
        Some(Finish::Error) => return Outcome::ServerError,
        Some(Finish::Length) if any => return if capped_is_ok { Outcome::Ok } else { Outcome::LengthCapped },
        None if answer.end_marks.is_empty() => return Outcome::Broken,
        _ => {}
    }
    if answered { Outcome::Ok } else { Outcome::Empty }
}

/// Whether the request failed by the set-up rather than by the service: a refused key, an unpaid bill, a model or path that does not
/// exist. Such a request is no sample and is not charged.
pub fn is_configuration(answer: &Answer) -> bool {
    match &answer.error {
        Some(error) if error.kind != ErrorKind::Protocol => {
            matches!(error.kind, ErrorKind::Auth | ErrorKind::Billing | ErrorKind::NotFound)
        }
        _ => matches!(answer.status, Some(401..=404)),
    }
}

/// Whether a request failed before it reached the service, so that the client's own line may be at fault.
pub fn is_line_failure(answer: &Answer) -> bool {
    judge(answer, true) == Outcome::ConnectError
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timeline::{EndMark, FinishSeen, Point, Stage};
    use crate::units::Offset;

    fn reply(finish: Option<Finish>, phases: &[Phase]) -> Answer {
        let finish = finish.map(|normal| FinishSeen { raw: "as sent".into(), normal });
        let mut answer = Answer { status: Some(200), finish, frames: 1, ..Answer::empty(Ended::Complete) };
        for (i, phase) in phases.iter().enumerate() {
            let number = i as u32 + 1;
            answer.timeline.push(Point { at: Offset(number.into()), width_ns: 0, phase: *phase, bytes: 1, chunk: number, read: number });
        }
        answer
    }

    fn error(kind: ErrorKind) -> ProviderError {
        let message = "as sent".to_owned();
        ProviderError { kind, code: None, kind_raw: None, message, http_status: None, retry_after_s: None, in_stream: true }
    }

    use Phase::{Content, Reasoning, Tool};

    #[test]
    fn a_stream_that_just_ends_is_broken_whatever_it_held() {
        assert_eq!(judge(&reply(None, &[Content, Content]), true), Outcome::Broken);
        assert_eq!(judge(&reply(Some(Finish::Stop), &[Content]), true), Outcome::Ok);
        let mut done = reply(None, &[Content]);
        done.end_marks.push(EndMark::Done);
        assert_eq!(judge(&done, true), Outcome::Ok);
    }

    #[test]
    fn an_error_event_counts_even_when_done_follows() {
        let mut answer = reply(Some(Finish::Stop), &[Content]);
        answer.end_marks.push(EndMark::Done);
        answer.error = Some(error(ErrorKind::Server));
        assert_eq!(judge(&answer, true), Outcome::ServerError);
    }

    #[test]
    fn a_capped_reply_fails_only_where_an_answer_was_wanted() {
        let capped = reply(Some(Finish::Length), &[Reasoning]);
        assert_eq!((judge(&capped, true), judge(&capped, false)), (Outcome::Ok, Outcome::LengthCapped));
        assert_eq!(judge(&reply(Some(Finish::Length), &[]), true), Outcome::Empty);
    }

    #[test]
    fn a_reply_without_an_answer_is_empty() {
        assert_eq!(judge(&reply(Some(Finish::Stop), &[Reasoning]), true), Outcome::Empty);
        assert_eq!(judge(&reply(Some(Finish::ToolCalls), &[Tool]), true), Outcome::Ok);
        assert_eq!(judge(&reply(Some(Finish::ContentFilter), &[Content]), true), Outcome::Refused);
    }

    #[test]
    fn limits_and_breaks_have_their_own_names() {
        let ended = |ended| Answer { ended, ..reply(None, &[Reasoning]) };
        let timed_out = |limit| ended(Ended::TimedOut { limit });
        assert_eq!(judge(&timed_out(Limit::Idle), true), Outcome::Stalled);
        assert_eq!(judge(&timed_out(Limit::FirstToken), true), Outcome::Timeout);
        assert_eq!(judge(&timed_out(Limit::Total), true), Outcome::Timeout);
        assert_eq!(judge(&timed_out(Limit::Connect), true), Outcome::ConnectError);
        assert_eq!(judge(&ended(Ended::ClosedEarly { message: "reset".into() }), true), Outcome::Broken);
        let refused = Ended::ConnectFailed { stage: Stage::Tcp, message: "refused".into(), local: false };
        assert_eq!(judge(&ended(refused), true), Outcome::ConnectError);
    }

    #[test]
    fn a_connection_that_breaks_after_the_end_mark_spoils_nothing() {
        let mut answer = reply(Some(Finish::Stop), &[Content]);
        answer.end_marks.push(EndMark::Done);
        answer.ended = Ended::ClosedEarly { message: "reset".into() };
        assert_eq!(judge(&answer, true), Outcome::Ok);
    }

    #[test]
    fn the_code_in_the_body_comes_before_the_status() {
        let with = |status, kind| Answer { status: Some(status), error: Some(error(kind)), ..reply(None, &[]) };
        assert_eq!(judge(&with(200, ErrorKind::RateLimit), true), Outcome::RateLimited);
        assert_eq!(judge(&with(429, ErrorKind::Overloaded), true), Outcome::ServerError);
        assert_eq!(judge(&with(503, ErrorKind::Protocol), true), Outcome::ServerError);
        assert_eq!(judge(&with(200, ErrorKind::Protocol), true), Outcome::Broken);
        assert!(is_configuration(&with(429, ErrorKind::Billing)) && !is_configuration(&with(400, ErrorKind::BadRequest)));
    }

    #[test]
    fn a_status_without_words_is_judged_by_itself() {
        let with = |status| Answer { status: Some(status), ..reply(None, &[]) };
        let judged: Vec<Outcome> = [302, 401, 429, 503].map(|status| judge(&with(status), true)).into();
        assert_eq!(judged, [Outcome::Broken, Outcome::ClientError, Outcome::RateLimited, Outcome::ServerError]);
        assert!(is_configuration(&with(401)) && !is_configuration(&with(429)));
    }
}
