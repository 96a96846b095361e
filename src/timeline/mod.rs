//! What a response *is*: the events a decoder reads in a stream, the mark that says when each arrived and how sure that is, the
//! timeline they add up to, and the facts of its end. Outcomes are judged from these facts when they are read (`metric::outcome`).

mod ended;
mod event;
mod line;
mod usage;

pub use ended::{Ended, ErrorCode, ErrorKind, Finish, FinishSeen, Limit, ProviderError, Stage};
pub use event::{EndMark, Phase, StreamEvent};
pub use line::{Held, Mark, Point, TextOfPhases, Timeline, UsagePoint};
pub use usage::{ServerTiming, Usage};
