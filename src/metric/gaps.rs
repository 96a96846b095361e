//! Silence between arrivals, and how large they are.
//!
//! Two arrivals of one read bear one time although they did not come at one: their gap is never taken. What is known is the time
//! between the last arrivals of two reads, in which the gaps of all arrivals of the second read lie; the gaps of the first read lie in its
//! own interval.

use super::arrivals::Arrival;
use super::{Better, Metric, Observation, Reply, Undefined, Unit};

/// The metrics of this family.
pub const METRICS: &[Metric] = &[
    Metric {
        name: "max_gap",
        title: "longest gap",
        unit: Unit::Milliseconds,
        better: Better::Lower,
        formula: "the longest time between two arrivals; arrivals of one read are not told apart, and widen it to an interval",
        undefined_when: "fewer than two arrivals, or all in one read",
        of: max_gap,
    },
    Metric {
        name: "stall_time",
        title: "time in stalls",
        unit: Unit::Milliseconds,
        better: Better::Lower,
        formula: "Σ max(0, gap − τ) with τ = 500 ms unless the plan says otherwise",
        undefined_when: "as max_gap",
        of: stall_time,
    },
    Metric {
        name: "stalls",
        title: "stalls",
        unit: Unit::Count,
        better: Better::Lower,
        formula: "number of gaps longer than τ; without a gap there are none",
        undefined_when: "never",
        of: stalls,
    },
    Metric {
        name: "tokens_per_arrival",
        title: "tokens an arrival",
        unit: Unit::Tokens,
        better: Better::Neither,
        formula: "N / m",
        undefined_when: "no token came, or no counts",
        of: tokens_per_arrival,
    },
    Metric {
        name: "largest_arrival_share",
        title: "share of the largest arrival",
        unit: Unit::Share,
        better: Better::Neither,
        formula: "max n_i / N; above one half the reply is bundled",
        undefined_when: "no token came, or no counts",
        of: largest_arrival_share,
    },
];

/// The time between the last arrivals of two reads, in which `parts` gaps lie.
struct Step {
    value: f64,
    low: f64,
    high: f64,
    parts: f64,
}

fn steps(arrivals: &[Arrival]) -> Vec<Step> {
    let mut ends: Vec<(Arrival, f64)> = Vec::new();
    for arrival in arrivals {
        match ends.last_mut().filter(|(last, _)| last.read == arrival.read) {
            Some((last, parts)) => (*last, *parts) = (*arrival, *parts + 1.0),
            None => ends.push((*arrival, 1.0)),
        }
    }
    let between = |two: &[(Arrival, f64)]| {
        let ((from, _), (to, parts)) = (two[0], two[1]);
        let low = (to.moment.earliest - from.moment.at).max(0.0);
        Step { value: to.moment.at - from.moment.at, low, high: to.moment.at - from.moment.earliest, parts }
    };
    ends.windows(2).map(between).collect()
}

/// The gaps of the arrivals of the first read. None of them is taken, and any may be as long as the time in which they came.
fn within_first(arrivals: &[Arrival]) -> Option<Step> {
    let first = arrivals.first()?;
    let of_first = arrivals.iter().take_while(|arrival| arrival.read == first.read);
    let last = of_first.clone().last()?;
    let parts = of_first.count().saturating_sub(1) as f64;
    (0.0 < parts).then(|| Step { value: 0.0, low: 0.0, high: last.moment.at - first.moment.earliest, parts })
}

fn known_steps(reply: &Reply<'_>) -> Result<Vec<Step>, Undefined> {
    if reply.arrivals.len() < 2 {
        return Err(if reply.arrivals.is_empty() { Undefined::NoArrival } else { Undefined::TooFewArrivals });
    }
    let mut steps = steps(&reply.arrivals);
    if steps.is_empty() {
        return Err(Undefined::OneRead);
    }
    steps.extend(within_first(&reply.arrivals));
    Ok(steps)
}

fn max_gap(reply: &Reply<'_>) -> Result<Observation, Undefined> {
    let steps = known_steps(reply)?;
    let most = |of: fn(&Step) -> f64| steps.iter().map(of).fold(0.0, f64::max);
    // Of k gaps that fill a step, the longest is at least a k-th of it.
    Ok(Observation::between(most(|step| step.value), most(|step| step.low / step.parts), most(|step| step.high)))
}

fn stall_time(reply: &Reply<'_>) -> Result<Observation, Undefined> {
    let (steps, stall) = (known_steps(reply)?, reply.rules.stall_ms);
    let over = |time: f64, parts: f64| (time - parts * stall).max(0.0);
    let sum = |of: &dyn Fn(&Step) -> f64| steps.iter().map(of).sum::<f64>();
    let low = sum(&|step| over(step.low, step.parts));
    Ok(Observation::between(sum(&|step| over(step.value, 1.0)), low, sum(&|step| over(step.high, 1.0))))
}

fn stalls(reply: &Reply<'_>) -> Result<Observation, Undefined> {
    let stall = reply.rules.stall_ms;
    let mut steps = steps(&reply.arrivals);
    steps.extend(within_first(&reply.arrivals));
    let count = |long: &dyn Fn(&Step) -> f64| steps.iter().map(long).sum::<f64>();
    let one = |long: bool| if long { 1.0 } else { 0.0 };
    let low = count(&|step| one(step.parts * stall < step.low));
    let high = count(&|step| (step.high / stall).ceil().min(step.parts + 1.0).max(1.0) - 1.0);
    let value = count(&|step| one(stall < step.value));
    Ok(Observation::between(value, low, high.max(value)))
}

fn tokens_per_arrival(reply: &Reply<'_>) -> Result<Observation, Undefined> {
    let tokens = some_tokens(reply)?;
    Ok(Observation::exact(tokens / reply.arrivals.len() as f64))
}

fn largest_arrival_share(reply: &Reply<'_>) -> Result<Observation, Undefined> {
    let tokens = some_tokens(reply)?;
    let largest = reply.arrivals.iter().filter_map(|arrival| arrival.tokens).fold(0.0, f64::max);
    Ok(Observation::exact(largest / tokens))
}

fn some_tokens(reply: &Reply<'_>) -> Result<f64, Undefined> {
    if reply.arrivals.is_empty() {
        return Err(Undefined::NoArrival);
    }
    let tokens = reply.tokens()?;
    if 0.0 < tokens { Ok(tokens) } else { Err(Undefined::TooFewTokens) }
}
