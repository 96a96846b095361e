//! The connection, the response's head, and the provider's own count.

use super::latency::ttft;
use super::{Better, Metric, Observation, Reply, Undefined, Unit};
use crate::tokens::Counts;

/// The metrics of this family.
pub const METRICS: &[Metric] = &[
    Metric {
        name: "conn",
        title: "connect",
        unit: Unit::Milliseconds,
        better: Better::Lower,
        formula: "DNS + TCP + proxy + TLS; never inside another latency",
        undefined_when: "the connection was kept alive",
        of: conn,
    },
    Metric {
        name: "ttfb",
        title: "time to the response's head",
        unit: Unit::Milliseconds,
        better: Better::Neither,
        formula: "end of the response's head; a server may send it long before it has a token",
        undefined_when: "no response came, or the client does not tell when it wrote",
        of: ttfb,
    },
    Metric {
        name: "cold_ttft",
        title: "time to first token, cold",
        unit: Unit::Milliseconds,
        better: Better::Lower,
        formula: "conn + ttft, where the request opened its connection",
        undefined_when: "the connection was kept alive, or as ttft",
        of: cold_ttft,
    },
    Metric {
        name: "usage_ratio",
        title: "reported by counted tokens",
        unit: Unit::Ratio,
        better: Better::Neither,
        formula: "reported completion tokens / tokens of the streamed text by the reference tokenizer",
        undefined_when: "no usage, no text, or no token",
        of: usage_ratio,
    },
];

fn conn(reply: &Reply<'_>) -> Result<Observation, Undefined> {
    let ns = reply.answer.connect.total_ns().ok_or(Undefined::Reused)?;
    Ok(Observation::exact(ns as f64 / 1e6 * reply.rules.scale))
}

fn ttfb(reply: &Reply<'_>) -> Result<Observation, Undefined> {
    let head = reply.answer.stamps.head.ok_or(Undefined::NoResponse)?;
    Ok(Observation::exact(reply.since_write(head)?))
}

fn cold_ttft(reply: &Reply<'_>) -> Result<Observation, Undefined> {
    let (conn, ttft) = (conn(reply)?.value, ttft(reply)?);
    Ok(Observation::between(conn + ttft.value, conn + ttft.low, conn + ttft.high))
}

fn usage_ratio(reply: &Reply<'_>) -> Result<Observation, Undefined> {
    let completion = reply.answer.usage.as_ref().and_then(|usage| usage.completion).ok_or(Undefined::NoUsage)?;
    let counted = reply.tally.reference.as_ref().map(Counts::total).map_err(|why| Undefined::NoCounts(*why))?;
    if counted < 1.0 {
        return Err(Undefined::TooFewTokens);
    }
    Ok(Observation::exact(completion as f64 / counted))
}
