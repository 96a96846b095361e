//! What is stored of a run: the manifest (what was planned, as plain data, so that the reading wing needs no plan and no provider
//! file) and one line for every trial, round and note. `docs/record.md` describes the format; [`SCHEMA`] is its version.

mod calendar;
mod calibration;
mod condition;
mod difference;
mod grade;
mod load;
mod manifest;
mod pace;
mod trial;
mod windows;

pub use calendar::Calendar;
pub use calibration::{
    CALIBRATION_SCHEMA, Calibration, CalibrationCost, CalibrationErrors, CalibrationLevel, CalibrationLoad, CitedCalibration, CitedLevel,
    Claims, Errors, Machine, OutcomeErrors, Scheduling,
};
pub use condition::{Condition, Looked, NotACondition, Over, Sense, TimeOf, conditions};
pub use difference::{Difference, Unequal, UnequalBy};
pub use grade::{Graded, Unread};
pub use load::{LoadDesign, LoadPlace, Offered, Spread, StageLine, StageOrder, StageState, Until};
pub use manifest::{
    Budget, Claim, DatasetFacts, Design, HostFacts, Limits, Manifest, PromptFacts, Sampling, Simulated, TargetFacts, TextKept, Thinking,
    Tool, TransportKind,
};
pub use pace::Pace;
pub use trial::{Answer, Connect, Line, NotSent, Note, Reads, Role, RoundLine, RoundState, SelfLag, Stamps, TokenCounts, Trial};
pub use windows::{ClockSpan, NotAClockSpan, UnknownZone, Window, Windows, minute_of_day, zone};

/// The schema version that this build writes. A change of meaning adds a version and a migration with a fixture.
pub const SCHEMA: u32 = 1;
