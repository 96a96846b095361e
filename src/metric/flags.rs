//! What a reader should know of a reply beside its numbers.

use super::{Outcome, Reply};
use crate::timeline::{Ended, Finish, Phase, Timeline};
use crate::tokens::Doubt;
use serde::Serialize;

/// A remark on a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Flag {
    /// Few tokens.
    TooShort,
    /// Came in bundles.
    Bundled,
    /// Thinking was billed but not shown.
    Hidden,
    /// Thinking may have gone on unseen.
    ThinkingUnknown,
    /// The length limit cut it.
    LengthCapped,
    /// Reasoning came after answer had begun.
    Interleaved,
    /// No answer came.
    NoAnswer,
    /// It ended without its end.
    Broken,
    /// The phases' token counts are split by characters.
    Estimated,
    /// `reasoning_tokens: 0` beside streamed reasoning.
    UsageZeroReasoning,
    /// The reported total leaves the reasoning out.
    UsageExcludesReasoning,
    /// The reported counts cannot belong to the text.
    UsageImpossible,
    /// The provider took prompt tokens from a cache.
    Cached,
    /// It had to open a connection.
    Cold,
    /// Text was relabelled as reasoning by a late closing tag.
    Relabelled,
    /// The connection broke after the reply's end mark.
    Unclosed,
    /// The finish reason is a word that this version does not know.
    UnknownFinish,
    /// Some frames could not be read.
    Unreadable,
    /// The wall clock was stepped meanwhile.
    ClockStepped,
}

impl Flag {
    /// Every flag.
    pub const ALL: [Flag; 19] = [
        Flag::TooShort,
        Flag::Bundled,
        Flag::Hidden,
        Flag::ThinkingUnknown,
        Flag::LengthCapped,
        Flag::Interleaved,
        Flag::NoAnswer,
        Flag::Broken,
        Flag::Estimated,
        Flag::UsageZeroReasoning,
        Flag::UsageExcludesReasoning,
        Flag::UsageImpossible,
        Flag::Cached,
        Flag::Cold,
        Flag::Relabelled,
        Flag::Unclosed,
        Flag::UnknownFinish,
        Flag::Unreadable,
        Flag::ClockStepped,
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
            Flag::TooShort => ("too_short", "fewer tokens than a speed needs: kept out of the speeds"),
            Flag::Bundled => ("bundled", "the reply in fewer than four writes, or half of it in one: no decode or phase speed"),
            Flag::Hidden => ("hidden", "thinking was billed but not shown: TTFT includes it"),
            Flag::ThinkingUnknown => ("thinking_unknown", "a model that thinks showed and reported no thinking: TTFT may include it"),
            Flag::LengthCapped => ("length_capped", "cut by the limit on tokens"),
            Flag::Interleaved => ("interleaved", "reasoning came after the answer had begun"),
            Flag::NoAnswer => ("no_answer", "not one token of an answer"),
            Flag::Broken => ("broken", "the stream ended without its end"),
            Flag::Estimated => ("estimated", "the provider told no share of reasoning: phases are split by characters"),
            Flag::UsageZeroReasoning => {
                ("usage_zero_reasoning", "reasoning_tokens: 0 reported beside streamed reasoning: share not believed")
            }
            Flag::UsageExcludesReasoning => ("usage_excludes_reasoning", "the reported total leaves reasoning out"),
            Flag::UsageImpossible => ("usage_impossible", "the reported counts cannot belong to the streamed text"),
            Flag::Cached => ("cached", "the provider took part of the prompt from a cache"),
            Flag::Cold => ("cold", "the request opened a connection; the connect time is kept apart"),
            Flag::Relabelled => ("relabelled", "text counted as reasoning after a closing tag without an opening one"),
            Flag::Unclosed => ("unclosed", "the connection broke or hung after the reply's end mark"),
            Flag::UnknownFinish => ("unknown_finish", "a finish reason that this version does not know"),
            Flag::Unreadable => ("unreadable", "some frames could not be read"),
            Flag::ClockStepped => ("clock_stepped", "the wall clock was stepped meanwhile: marks fall back to user time"),
        }
    }
}

/// The flags of a reply, in the order of [`Flag::ALL`].
pub fn flags(reply: &Reply<'_>) -> Vec<Flag> {
    Flag::ALL.into_iter().filter(|flag| raised(*flag, reply)).collect()
}

fn raised(flag: Flag, reply: &Reply<'_>) -> bool {
    let (answer, doubts) = (reply.answer, &reply.tally.doubts);
    let reasoned = !reply.reasoning.is_empty();
    let finish = answer.finish.as_ref().map(|finish| finish.normal);
    match flag {
        Flag::TooShort => reply.too_short(),
        Flag::Bundled => reply.bundled(),
        Flag::Hidden => !reasoned && answer.usage.as_ref().and_then(|usage| usage.reasoning).is_some_and(|tokens| 0 < tokens),
        Flag::ThinkingUnknown => reply.tally.thinking_unknown && !reply.arrivals.is_empty(),
        Flag::LengthCapped => finish == Some(Finish::Length),
        Flag::Interleaved => interleaved(&answer.timeline),
        Flag::NoAnswer => reply.content.is_empty() && matches!(reply.outcome, Outcome::Ok | Outcome::Empty | Outcome::LengthCapped),
        Flag::Broken => reply.outcome == Outcome::Broken,
        Flag::Estimated => reply.counts().is_ok_and(|counts| counts.estimated),
        Flag::UsageZeroReasoning => doubts.contains(&Doubt::ZeroReasoning),
        Flag::UsageExcludesReasoning => doubts.contains(&Doubt::Mended) || doubts.contains(&Doubt::ExcludesReasoning),
        Flag::UsageImpossible => doubts.contains(&Doubt::Impossible),
        Flag::Cached => {
            let by_usage = answer.usage.as_ref().and_then(|usage| usage.cached);
            let by_timing = answer.timing.as_ref().and_then(|timing| timing.cached);
            by_usage.or(by_timing).is_some_and(|tokens| 0 < tokens)
        }
        Flag::Cold => reply.rules.warm_up && answer.connect.total_ns().is_some(),
        Flag::Relabelled => answer.relabelled,
        Flag::Unclosed => !answer.end_marks.is_empty() && answer.ended != Ended::Complete,
        Flag::UnknownFinish => finish == Some(Finish::Unknown),
        Flag::Unreadable => 0 < answer.unreadable,
        Flag::ClockStepped => 0 < answer.reads.clock_steps,
    }
}

fn interleaved(line: &Timeline) -> bool {
    line.phases().skip_while(|phase| *phase == Phase::Reasoning).any(|phase| phase == Phase::Reasoning)
}
