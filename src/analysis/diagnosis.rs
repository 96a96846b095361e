//! What this client says of itself over the rounds of a table, or the passes of a ramp.

use crate::record::SelfLag;
use crate::stats::median;
use serde::Serialize;

/// What this client says of itself. Percentiles cannot be pooled: a middle is the median of the rounds' middles, a 99th percentile and a share
/// are those of the worst round. What no record tells is absent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Diagnosis {
    /// Rounds, or cells of a load, that tell of it.
    pub of: usize,
    /// Kernel stamp to user space, µs; absent where no kernel stamped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_p50_us: Option<f64>,
    /// The same, 99th percentile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_p99_us: Option<f64>,
    /// How late a timer of the measuring thread rang, 99th percentile over time, µs.
    pub runtime_p99_us: f64,
    /// The latest that it rang, µs.
    pub runtime_max_us: f64,
    /// Share of one processor; absent where the system does not tell.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu_share: Option<f64>,
    /// Steps of the wall clock that were noticed.
    pub clock_steps: u32,
    /// Socket reads.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reads: Option<u64>,
    /// Texts that came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub texts: Option<u64>,
    /// Texts a read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub texts_a_read: Option<f64>,
    /// Texts whose time is an interval since the end of the reply came in their read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval_end: Option<u64>,
    /// Texts whose time is an interval since further texts came in their read: this client looked too late, or the network merged them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interval_merged: Option<u64>,
    /// How wide the intervals of the latter are, µs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width_p50_us: Option<f64>,
    /// The same, 99th percentile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width_p99_us: Option<f64>,
    /// How late requests left, µs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub send_p50_us: Option<f64>,
    /// The same, 99th percentile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub send_p99_us: Option<f64>,
    /// Requests that left more than 20 ms late.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub late: Option<u64>,
    /// Requests that this client did not get to send.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unsent: Option<u64>,
}

impl Diagnosis {
    /// Over rounds or cells; nothing where none tells of it.
    pub fn over<'a>(lags: impl Iterator<Item = &'a SelfLag>) -> Option<Diagnosis> {
        let lags: Vec<&SelfLag> = lags.collect();
        let each = |of: fn(&SelfLag) -> Option<f64>| lags.iter().filter_map(|lag| of(lag)).collect::<Vec<f64>>();
        let worst = |of: fn(&SelfLag) -> Option<f64>| each(of).into_iter().reduce(f64::max);
        let sum = |of: fn(&SelfLag) -> Option<u64>| lags.iter().filter_map(|lag| of(lag)).reduce(u64::saturating_add);
        // Without a stamp of the kernel the record holds zeros, and so does a system that does not tell of processors.
        let told = |value: f64| Some(value).filter(|value| 0.0 < *value);
        let (reads, texts) = (sum(|lag| lag.reads), sum(|lag| lag.texts));
        (!lags.is_empty()).then(|| Diagnosis {
            of: lags.len(),
            read_p50_us: median(&each(|lag| Some(lag.read_p50_us))).and_then(told),
            read_p99_us: worst(|lag| Some(lag.read_p99_us)).and_then(told),
            runtime_p99_us: worst(|lag| Some(lag.runtime_p99_us)).unwrap_or(0.0),
            runtime_max_us: worst(|lag| Some(lag.runtime_max_us)).unwrap_or(0.0),
            cpu_share: worst(|lag| Some(lag.cpu_share)).and_then(told),
            clock_steps: lags.iter().map(|lag| lag.clock_steps).fold(0, u32::saturating_add),
            reads,
            texts,
            texts_a_read: reads.zip(texts).filter(|(reads, _)| 0 < *reads).map(|(reads, texts)| texts as f64 / reads as f64),
            interval_end: sum(|lag| lag.interval_end),
            interval_merged: sum(|lag| lag.interval_merged),
            width_p50_us: median(&each(|lag| lag.width_p50_us)),
            width_p99_us: worst(|lag| lag.width_p99_us),
            send_p50_us: median(&each(|lag| lag.send_p50_us)),
            send_p99_us: worst(|lag| lag.send_p99_us),
            late: sum(|lag| lag.late),
            unsent: sum(|lag| lag.unsent),
        })
    }

    /// Of all texts, those whose time is an interval, and those of them that the end of a reply made so.
    pub fn intervals(&self) -> Option<(f64, f64)> {
        let texts = self.texts.filter(|texts| 0 < *texts)? as f64;
        let (end, merged) = (self.interval_end? as f64, self.interval_merged? as f64);
        Some(((end + merged) / texts, end / texts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_tells_the_middle_round_the_worst_round_and_all_texts() {
        let lag = |p50, p99, texts| SelfLag {
            read_p50_us: p50,
            read_p99_us: p99,
            reads: Some(10),
            texts: Some(texts),
            interval_end: Some(2),
            interval_merged: Some(1),
            ..SelfLag::default()
        };
        let old = SelfLag { read_p50_us: 25.0, read_p99_us: 80.0, ..SelfLag::default() };
        let seen = Diagnosis::over([lag(20.0, 90.0, 40), lag(30.0, 70.0, 60), old.clone()].iter()).unwrap();
        assert_eq!((seen.of, seen.read_p50_us, seen.read_p99_us), (3, Some(25.0), Some(90.0)));
        assert_eq!((seen.texts, seen.texts_a_read, seen.intervals()), (Some(100), Some(5.0), Some((0.06, 0.04))));
        assert_eq!((seen.send_p99_us, seen.cpu_share), (None, None), "what no record tells is not zero");
        assert_eq!(Diagnosis::over([old].iter()).unwrap().intervals(), None);
        assert_eq!(Diagnosis::over([].iter()), None);
    }
}
