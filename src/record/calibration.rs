//! `calibrations/<UTC time>.json`: how far this client was off when it was held against a simulator whose truth is known, and the short
//! form in which a run's manifest cites it.

use super::{Tool, TransportKind};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The schema version of a calibration file that this build writes.
pub const CALIBRATION_SCHEMA: u32 = 1;

/// One calibration: this machine, this build, on loopback.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// Version of the file's schema.
    pub schema: u32,
    /// The tool that was measured.
    pub tool: Tool,
    /// When it began.
    pub created: jiff::Timestamp,
    /// Where.
    pub machine: Machine,
    /// How the measuring process was scheduled.
    pub client: Scheduling,
    /// How the simulator's process was.
    pub simulator: Scheduling,
    /// Load average of the last minute when it began: what else the machine was doing.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub load_average: Option<f64>,
    /// What the simulator served.
    pub behaviour: String,
    /// One entry a load level, transport and kind of connection.
    pub levels: Vec<CalibrationLevel>,
}

/// The machine, as far as a client's error depends on it. Absent is not known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Machine {
    /// The processor's model.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cpu: Option<String>,
    /// Processors that are switched on, whether or not this process may use them, such as `0-1`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub processors: Option<String>,
    /// Operating system and kernel release.
    pub os: String,
    /// Processor architecture.
    pub arch: String,
    /// The hypervisor, where the machine is a guest; `unnamed` where it does not say its name.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub hypervisor: Option<String>,
    /// SHA-256 over the facts above, hexadecimal: two calibrations with one digest are of machines that nothing here tells apart.
    pub digest: String,
}

/// How a process was scheduled. Absent is not known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scheduling {
    /// The policy: `other`, `fifo`, `rr`, `batch`, `idle` or `deadline`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub policy: Option<String>,
    /// The real-time priority, 1 to 99; absent at ordinary priority.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub priority: Option<u32>,
    /// Processors that it may use, such as `0-1`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub processors: Option<String>,
}

/// One level: how it was loaded, what it cost, and the errors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CalibrationLevel {
    /// How it was loaded.
    #[serde(flatten)]
    pub load: CalibrationLoad,
    /// What it cost this process.
    #[serde(flatten)]
    pub cost: CalibrationCost,
    /// The errors.
    #[serde(flatten)]
    pub errors: CalibrationErrors,
}

/// How a level was loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CalibrationLoad {
    /// Streams at once.
    pub streams: u32,
    /// Which client read them.
    pub transport: TransportKind,
    /// Over HTTP/2.
    #[serde(default)]
    pub http2: bool,
    /// Over TLS.
    #[serde(default)]
    pub tls: bool,
    /// Each timed request opened a connection of its own; else an untimed request had opened it before.
    pub new_connections: bool,
}

/// What a level cost this process, from the first request to the last end. Absent is not known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct CalibrationCost {
    /// How long it took, seconds.
    pub seconds: f64,
    /// Share of one processor that this process used.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cpu_share: Option<f64>,
    /// Processor time of the measuring thread for each text, microseconds; connecting and handshakes are in it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cpu_us_a_text: Option<f64>,
}

/// Errors of a level: absolute differences from the truth. Absent where nothing could be compared.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CalibrationErrors {
    /// Timed requests.
    pub requests: u64,
    /// Of those, with a reply whose every text could be held against a write of the simulator.
    pub compared: u64,
    /// Requests, timed or not, that are missing in the simulator's log.
    #[serde(default)]
    pub unmatched: u64,
    /// Time to first token, microseconds; the truth counts from this client's first write to the simulator's write of the first token.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ttft_us: Option<Errors>,
    /// The same, but the truth counts from the simulator's read of the request: in it is how long the request was under way and lay unread.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ttft_from_read_us: Option<Errors>,
    /// Gap between two texts whose times are both exact, microseconds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub gap_exact_us: Option<Errors>,
    /// Gap between any two texts of two reads, microseconds; an interval by its later end.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub gap_us: Option<Errors>,
    /// Gaps that are not told at all, since both texts came with one read.
    #[serde(default)]
    pub gaps_untold: u64,
    /// Decode speed, as a share of the true one.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub speed: Option<Errors>,
    /// Tokens of a reply.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub tokens: Option<Errors>,
    /// Outcomes of all requests, those to faulty systems included.
    pub outcomes: OutcomeErrors,
    /// What the timeline claims of each text.
    pub claims: Claims,
    /// From the kernel's stamp to this client's return from the read, microseconds: what times taken in user space would have added.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub lag_us: Option<Errors>,
}

/// Quantiles of absolute errors, by type 1: each is an error that occurred.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Errors {
    /// How many.
    pub n: u64,
    /// Median.
    pub p50: f64,
    /// 95th percentile.
    pub p95: f64,
    /// 99th percentile.
    pub p99: f64,
    /// The largest.
    pub max: f64,
}

/// How many requests were judged as they went.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OutcomeErrors {
    /// Judged as they went.
    pub right: u64,
    /// Judged otherwise.
    pub wrong: u64,
    /// Of the wrong ones: `judged, was true`, and how many.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub wrong_as: BTreeMap<String, u64>,
}

/// What timelines claim, held against the simulator's writes: an exact time lies within the write call, an interval overlaps it, both
/// with a microsecond of slack.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Texts that could be held against a write.
    pub checked: u64,
    /// Of those, with an exact time.
    pub exact: u64,
    /// Of those checked, whose claim excludes the truth.
    pub wrong: u64,
    /// Of the wrong ones, that say the text came after its write had returned. A segment that the simulator's kernel held back, because this
    /// client had not acknowledged earlier ones, does come later than it was written.
    #[serde(default)]
    pub late: u64,
}

/// A calibration as a run's manifest cites it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CitedCalibration {
    /// Its file in the folder of runs.
    pub file: String,
    /// When it was made.
    pub created: jiff::Timestamp,
    /// Present where another version of the tool made it.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub by_version: Option<String>,
    /// Its levels, in the file's order.
    pub levels: Vec<CitedLevel>,
}

/// One level of a cited calibration.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CitedLevel {
    /// How it was loaded.
    #[serde(flatten)]
    pub load: CalibrationLoad,
    /// Error of TTFT, 99th percentile, microseconds.
    pub ttft_p99_us: f64,
    /// Requests behind it.
    pub requests: u64,
}

impl Calibration {
    /// As a manifest cites it; levels without a TTFT are left out.
    pub fn cited(&self, file: String, version: &str) -> CitedCalibration {
        let level = |level: &CalibrationLevel| {
            let ttft = level.errors.ttft_us?;
            Some(CitedLevel { load: level.load, ttft_p99_us: ttft.p99, requests: ttft.n })
        };
        CitedCalibration {
            file,
            created: self.created,
            by_version: (self.tool.version != version).then(|| self.tool.version.clone()),
            levels: self.levels.iter().filter_map(level).collect(),
        }
    }
}

impl CitedCalibration {
    /// The level that says most of so many streams at once by a client: the lightest that is not lighter, else the heaviest there is. TLS
    /// and plain stand in for each other where one of them was not measured.
    pub fn level(&self, streams: u32, transport: TransportKind, http2: bool, tls: bool) -> Option<&CitedLevel> {
        let of_client = |level: &&CitedLevel| level.load.transport == transport && level.load.http2 == http2;
        let farther = |level: &&CitedLevel| {
            let load = level.load;
            (load.tls != tls, load.streams < streams, load.streams.abs_diff(streams))
        };
        self.levels.iter().filter(of_client).min_by_key(farther)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cited(levels: &[(u32, TransportKind, bool)]) -> CitedCalibration {
        let level = |&(streams, transport, tls): &(u32, TransportKind, bool)| CitedLevel {
            load: CalibrationLoad { streams, transport, http2: false, tls, new_connections: true },
            ttft_p99_us: f64::from(streams),
            requests: 100,
        };
        CitedCalibration {
            file: "calibrations/20261124T101500Z.json".into(),
            created: "2026-11-24T10:15:00Z".parse().unwrap(),
            by_version: None,
            levels: levels.iter().map(level).collect(),
        }
    }

    #[test]
    fn the_lightest_level_that_is_not_lighter_speaks_for_a_run() {
        use TransportKind::{Kernel, Reqwest};
        let cited = cited(&[(1, Kernel, false), (64, Kernel, false), (300, Kernel, false), (300, Reqwest, false), (64, Kernel, true)]);
        let streams = |n, transport, tls| cited.level(n, transport, false, tls).map(|level| (level.load.streams, level.load.tls));
        assert_eq!(streams(1, Kernel, false), Some((1, false)));
        assert_eq!(streams(5, Kernel, false), Some((64, false)));
        assert_eq!(streams(64, Kernel, false), Some((64, false)));
        assert_eq!(streams(65, Kernel, false), Some((300, false)));
        assert_eq!(streams(2000, Kernel, false), Some((300, false)), "the heaviest there is");
        assert_eq!(streams(5, Kernel, true), Some((64, true)));
        assert_eq!(streams(5, Reqwest, true), Some((300, false)), "plain stands in");
        assert_eq!(cited.level(5, Kernel, true, true), None, "HTTP/2 was not measured");
    }
}
