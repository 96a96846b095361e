//! Tokens by time.
//!
//! A phase's speed is (N − n₁) / (t_m − t₁) over its own arrivals, as the whole reply's is: tokens that came *with* the first arrival
//! were made before this interval began. With N − 1 instead, a server that writes five tokens at once would look four tokens faster.

use super::arrivals::Arrival;
use super::latency::e2e;
use super::{Better, Metric, Observation, Reply, Undefined, Unit};

/// The metrics of this family.
pub const METRICS: &[Metric] = &[
    Metric {
        name: "reasoning_speed",
        title: "reasoning speed",
        unit: Unit::TokensPerSecond,
        better: Better::Higher,
        formula: "(N − n₁) / (t_m − t₁) over the arrivals of reasoning; between the first and the last exact arrival",
        undefined_when: "fewer than two arrivals of reasoning, no token after the first, no time between them, bundled, or no counts",
        of: |reply| phase_speed(reply, &reply.reasoning, Undefined::NoReasoning),
    },
    Metric {
        name: "content_speed",
        title: "content speed",
        unit: Unit::TokensPerSecond,
        better: Better::Higher,
        formula: "(N − n₁) / (t_m − t₁) over the arrivals of the answer; between the first and the last exact arrival",
        undefined_when: "fewer than two arrivals of the answer, no token after the first, no time between them, bundled, or no counts",
        of: |reply| phase_speed(reply, &reply.content, Undefined::NoContent),
    },
    Metric {
        name: "decode",
        title: "decode speed",
        unit: Unit::TokensPerSecond,
        better: Better::Higher,
        formula: "(N − n₁) / (t_m − t₁) over all arrivals; between the first and the last exact arrival",
        undefined_when: "fewer than two arrivals, no token after the first, no time between them, bundled, or no counts",
        of: decode,
    },
    Metric {
        name: "overall_speed",
        title: "overall speed",
        unit: Unit::TokensPerSecond,
        better: Better::Higher,
        formula: "N / e2e: all streamed tokens over the reply time, the wait for the first one included",
        undefined_when: "no text came, the reply took no time, or no counts",
        of: overall_speed,
    },
    Metric {
        name: "spt",
        title: "seconds a token",
        unit: Unit::SecondsPerToken,
        better: Better::Lower,
        formula: "e2e / N: overall_speed turned over, the form that can be ranked with failures charged",
        undefined_when: "as overall_speed",
        of: spt,
    },
    Metric {
        name: "billed_speed",
        title: "billed speed",
        unit: Unit::TokensPerSecond,
        better: Better::Neither,
        formula: "reported completion tokens, hidden ones included, / e2e; shown only beside overall_speed",
        undefined_when: "no usage, or as overall_speed",
        of: billed_speed,
    },
    Metric {
        name: "tpot",
        title: "time per output token",
        unit: Unit::Milliseconds,
        better: Better::Lower,
        formula: "1000 / decode",
        undefined_when: "as decode",
        of: tpot,
    },
];

fn decode(reply: &Reply<'_>) -> Result<Observation, Undefined> {
    phase_speed(reply, &reply.arrivals, Undefined::NoArrival)
}

fn phase_speed(reply: &Reply<'_>, arrivals: &[Arrival], absent: Undefined) -> Result<Observation, Undefined> {
    if arrivals.is_empty() {
        return Err(absent);
    }
    reply.counts()?;
    if reply.bundled() {
        return Err(Undefined::Bundled);
    }
    pace(arrivals)
}

/// Tokens after the first arrival over the time since it, per second.
///
/// The last token of a reply nearly always shares its read with the end marks, so that its time is an interval: the speed is then taken
/// between the first and the last *exact* arrival. Where those span less than half of the tokens (the client lagged), it is taken between
/// the ends as they are, with the bounds that their intervals give, and there is none where nothing bounds it. A client that knows no
/// kernel times at all (reqwest) takes it between the times at which it saw them, open above.
fn pace(arrivals: &[Arrival]) -> Result<Observation, Undefined> {
    let [first, .., last] = arrivals else { return Err(Undefined::TooFewArrivals) };
    let tokens = |from: usize, to: usize| arrivals[from + 1..=to].iter().filter_map(|arrival| arrival.tokens).sum::<f64>();
    let all = tokens(0, arrivals.len() - 1);
    if all < 1.0 {
        return Err(Undefined::TooFewTokens);
    }
    let from = arrivals.iter().position(|arrival| arrival.moment.exact());
    let to = arrivals.iter().rposition(|arrival| arrival.moment.exact());
    if let Some((from, to)) = from.zip(to).filter(|(from, to)| from < to) {
        let (some, time) = (tokens(from, to), arrivals[to].moment.at - arrivals[from].moment.at);
        if 1.0 <= some && all <= 2.0 * some && 0.0 < time {
            return Ok(Observation::exact(1e3 * some / time));
        }
    }
    let time = last.moment.at - first.moment.at;
    if time <= 0.0 {
        return Err(if first.read == last.read && !first.moment.exact() { Undefined::OneRead } else { Undefined::NoTime });
    }
    let (shortest, longest) = (last.moment.earliest - first.moment.at, last.moment.at - first.moment.earliest);
    let unstamped = arrivals.iter().all(|arrival| !arrival.moment.exact()) && first.read != last.read;
    if shortest <= 0.0 && !unstamped {
        return Err(Undefined::OneRead);
    }
    let most = if shortest <= 0.0 { f64::INFINITY } else { 1e3 * all / shortest };
    Ok(Observation::between(1e3 * all / time, 1e3 * all / longest, most))
}

fn overall_speed(reply: &Reply<'_>) -> Result<Observation, Undefined> {
    per_reply_time(reply, |reply| reply.tokens())
}

fn billed_speed(reply: &Reply<'_>) -> Result<Observation, Undefined> {
    per_reply_time(reply, |reply| {
        let completion = reply.answer.usage.as_ref().and_then(|usage| usage.completion);
        completion.map(|tokens| tokens as f64).ok_or(Undefined::NoUsage)
    })
}

fn spt(reply: &Reply<'_>) -> Result<Observation, Undefined> {
    let speed = overall_speed(reply)?;
    if speed.value <= 0.0 {
        return Err(Undefined::TooFewTokens);
    }
    Ok(turned_over(speed, 1.0))
}

fn tpot(reply: &Reply<'_>) -> Result<Observation, Undefined> {
    Ok(turned_over(decode(reply)?, 1e3))
}

fn per_reply_time(reply: &Reply<'_>, tokens: fn(&Reply<'_>) -> Result<f64, Undefined>) -> Result<Observation, Undefined> {
    let time = e2e(reply)?;
    let tokens = tokens(reply)?;
    if time.value <= 0.0 {
        return Err(Undefined::NoTime);
    }
    // A reply whose every byte may have come at once has no upper bound of speed.
    let most = if time.low <= 0.0 { f64::INFINITY } else { 1e3 * tokens / time.low };
    Ok(Observation::between(1e3 * tokens / time.value, 1e3 * tokens / time.high, most))
}

fn turned_over(speed: Observation, factor: f64) -> Observation {
    Observation::between(factor / speed.value, factor / speed.high, factor / speed.low)
}
