//! Conditions on a stage of load, as a user writes them: `ttft_p95<1s,tpot_p95<50ms`, `success>=99%@100`. A service level, a gate and the
//! condition to stop are all written so; both wings read them.

use serde::{Deserialize, Serialize};
use std::str::FromStr;

/// One condition.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Condition {
    /// What is looked at.
    pub of: Looked,
    /// How it is compared.
    pub sense: Sense,
    /// With what: seconds, a share from 0 to 1, or so many a second.
    pub bound: f64,
    /// At this stage only, by its users or its arrivals a second; at every stage where none is named.
    pub at: Option<f64>,
}

/// What a condition looks at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Looked {
    /// A time of the requests, failures infinite: of each, or a quantile or mean over them.
    Time(TimeOf, Over),
    /// The share of requests that were good.
    Success,
    /// The share that were not.
    Failures,
    /// The share that were refused for the sake of a rate limit.
    RateLimited,
    /// Good replies a second.
    Rps,
    /// Good replies within the service level, a second.
    Goodput,
}

/// A time of a request, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TimeOf {
    /// To the first text of any phase.
    Ttft,
    /// To the first text of the answer.
    Ttfa,
    /// To the end.
    Latency,
    /// A token after the first arrival.
    Tpot,
}

/// Over which requests of a stage.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Over {
    /// Of each request by itself.
    Each,
    /// The type-1 quantile of this order, between 0 and 1.
    Quantile(f64),
    /// The arithmetic mean.
    Mean,
}

/// How a value is compared with a bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Sense {
    /// Less.
    Less,
    /// Less or equal.
    AtMost,
    /// More.
    More,
    /// More or equal.
    AtLeast,
}

/// A text that is no condition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}`: {why}; write it as `ttft_p95<1s`, `tpot_p95<50ms`, `latency_mean<=8s`, `success>=99%`, `goodput>20`, or `ttft_p95<1s@100` for one stage"
)]
pub struct NotACondition {
    text: String,
    why: String,
}

impl Condition {
    /// Whether it holds for a value. Infinity stands for a request that never got there; NaN holds nowhere.
    pub fn holds(&self, value: f64) -> bool {
        match self.sense {
            Sense::Less => value < self.bound,
            Sense::AtMost => value <= self.bound,
            Sense::More => self.bound < value,
            Sense::AtLeast => self.bound <= value,
        }
    }
    /// Whether it speaks of a stage of so many users or arrivals a second.
    pub fn speaks_of(&self, stage: f64) -> bool {
        self.at.is_none_or(|at| at == stage)
    }
}

/// Conditions with commas between them; at least one.
pub fn conditions(text: &str) -> Result<Vec<Condition>, NotACondition> {
    text.split(',').map(str::parse).collect()
}

const NAMES: [(&str, TimeOf); 4] = [("ttft", TimeOf::Ttft), ("ttfa", TimeOf::Ttfa), ("latency", TimeOf::Latency), ("tpot", TimeOf::Tpot)];
const SENSES: [(&str, Sense); 4] = [("<=", Sense::AtMost), (">=", Sense::AtLeast), ("<", Sense::Less), (">", Sense::More)];

impl FromStr for Condition {
    type Err = NotACondition;
    fn from_str(text: &str) -> Result<Condition, NotACondition> {
        let bad = |why: &str| NotACondition { text: text.trim().to_owned(), why: why.to_owned() };
        let split = |(sign, sense): (&'static str, Sense)| text.split_once(sign).map(|(name, rest)| (name, sense, rest));
        let (name, sense, rest) = SENSES.into_iter().find_map(split).ok_or_else(|| bad("there is no <, <=, > or >= in it"))?;
        let of = looked(name.trim()).ok_or_else(|| {
            bad("what it looks at is not known; known are ttft, ttfa, latency and tpot (each also with _p50, _p95, _p99 or _mean), success, \
                 failures, rate_limited, rps and goodput")
        })?;
        let (bound, at) = rest.split_once('@').map_or((rest, None), |(bound, at)| (bound, Some(at)));
        let at = at.map(|at| at.trim().parse::<f64>().map_err(|_| bad("behind @ stands a number of users or arrivals a second")));
        Ok(Condition {
            of,
            sense,
            bound: bound_of(of, bound.trim()).ok_or_else(|| bad("its bound does not fit what it looks at"))?,
            at: at.transpose()?,
        })
    }
}

fn looked(name: &str) -> Option<Looked> {
    match name {
        "success" => return Some(Looked::Success),
        "failures" => return Some(Looked::Failures),
        "rate_limited" => return Some(Looked::RateLimited),
        "rps" => return Some(Looked::Rps),
        "goodput" => return Some(Looked::Goodput),
        _ => {}
    }
    let (time, over) = match name.rsplit_once('_') {
        Some((time, "mean")) => (time, Over::Mean),
        Some((time, quantile)) => {
            let digits = quantile.strip_prefix('p')?;
            let percent: f64 = digits.parse().ok().filter(|_| digits.bytes().all(|b| b.is_ascii_digit() || b == b'.'))?;
            (time, Over::Quantile(percent / 100.0))
        }
        None => (name, Over::Each),
    };
    if matches!(over, Over::Quantile(p) if !(0.0 < p && p < 1.0)) {
        return None;
    }
    NAMES.iter().find(|(known, _)| *known == time).map(|(_, time)| Looked::Time(*time, over))
}

/// A bound in the unit of what is looked at; a time needs a unit, so that `ttft<1` is no riddle.
fn bound_of(of: Looked, text: &str) -> Option<f64> {
    let number = |text: &str| text.trim().parse::<f64>().ok().filter(|n| n.is_finite() && 0.0 <= *n);
    match of {
        Looked::Time(..) => match text.strip_suffix("ms") {
            Some(ms) => number(ms).map(|ms| ms / 1000.0),
            None => number(text.strip_suffix('s')?),
        },
        Looked::Success | Looked::Failures | Looked::RateLimited => match text.strip_suffix('%') {
            Some(percent) => number(percent).map(|percent| percent / 100.0),
            None => number(text),
        }
        .filter(|share| *share <= 1.0),
        Looked::Rps | Looked::Goodput => number(text),
    }
}

impl std::fmt::Display for Condition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = SENSES.iter().find(|(_, sense)| *sense == self.sense).map_or("", |(sign, _)| sign);
        match self.of {
            Looked::Time(time, over) => {
                let name = NAMES.iter().find(|(_, known)| *known == time).map_or("", |(name, _)| name);
                match over {
                    Over::Each => write!(f, "{name}{sign}")?,
                    Over::Quantile(p) => write!(f, "{name}_p{}{sign}", rounded(p * 100.0))?,
                    Over::Mean => write!(f, "{name}_mean{sign}")?,
                }
                if self.bound < 1.0 { write!(f, "{}ms", rounded(self.bound * 1000.0))? } else { write!(f, "{}s", self.bound)? }
            }
            Looked::Success => write!(f, "success{sign}{}%", rounded(self.bound * 100.0))?,
            Looked::Failures => write!(f, "failures{sign}{}%", rounded(self.bound * 100.0))?,
            Looked::RateLimited => write!(f, "rate_limited{sign}{}%", rounded(self.bound * 100.0))?,
            Looked::Rps => write!(f, "rps{sign}{}", self.bound)?,
            Looked::Goodput => write!(f, "goodput{sign}{}", self.bound)?,
        }
        self.at.map_or(Ok(()), |at| write!(f, "@{at}"))
    }
}

/// Without the dust of binary fractions.
fn rounded(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

impl TryFrom<String> for Condition {
    type Error = NotACondition;
    fn try_from(text: String) -> Result<Condition, NotACondition> {
        text.parse()
    }
}

impl From<Condition> for String {
    fn from(condition: Condition) -> String {
        condition.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_read_and_written() {
        let both = conditions("ttft_p95<1s, tpot_p99.9 <= 50ms@300").unwrap();
        assert_eq!(both[0].of, Looked::Time(TimeOf::Ttft, Over::Quantile(0.95)));
        assert_eq!((both[0].bound, both[0].at, both[1].at), (1.0, None, Some(300.0)));
        assert!(both[0].holds(0.999) && !both[0].holds(1.0) && !both[0].holds(f64::INFINITY) && !both[0].holds(f64::NAN));
        for text in [
            "ttft<800ms",
            "ttft_p95<1s",
            "latency_mean<=8s",
            "success>=99%@100",
            "failures>0.5%",
            "rate_limited>0%",
            "goodput>20",
            "tpot_p99.9<50ms",
        ] {
            assert_eq!(text.parse::<Condition>().unwrap().to_string(), text);
        }
        assert_eq!("success>=0.99".parse::<Condition>().unwrap().to_string(), "success>=99%");
    }

    #[test]
    fn what_is_no_condition_is_told_apart() {
        for (text, why) in [
            ("ttft", "no <"),
            ("ttfb<1s", "not known"),
            ("ttft<1", "bound"),
            ("success>120%", "bound"),
            ("ttft_p0<1s", "not known"),
            ("ttft<1s@a", "number"),
            ("", "no <"),
            ("ttft_p95<-1s", "bound"),
        ] {
            let told = text.parse::<Condition>().unwrap_err().to_string();
            assert!(told.contains(why), "{text}: {told}");
        }
    }
}
