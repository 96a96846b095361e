//! What the records say: which trials count, and one row of figures a target.

mod bar;
mod basis;
mod brief;
mod claims;
mod compare;
mod diagnosis;
mod figures;
mod gate;
mod graded;
mod hours;
mod joined;
mod layout;
mod league;
pub mod load;
mod missing;
mod model_facts;
mod pairs;
mod panel;
mod power;
mod quantile_ratio;
mod quantity;
mod same_model;
mod samples;
mod table;
mod verdict;
mod warnings;

pub use bar::{Bar, bars};
pub use basis::{BasisBecause, Families, NotReported, basis};
pub use brief::{Brief, Caveat, Finding, Shown, brief};
pub use claims::{ClaimCheck, ClaimVerdict, claim_checks};
pub use compare::{Comparing, Comparison, Comparisons, Contestant, Sensitivity, SuccessDifference, WhyNot, compare};
pub use diagnosis::Diagnosis;
pub use gate::{Bottleneck, ClientGate, ClientLimit, LimitedRound};
pub use graded::{AccuracyDifference, Came, GradedAnswers, GradedRow, REQUESTS_FOR_ACCURACY, graded_answers};
pub use hours::{
    Bin, BinWidth, DayTests, Extremes, Hours, HoursOptions, LEAST_BINS, LEAST_DAYS, LEAST_ROUNDS, NoHours, NotABinWidth, PairSwing,
    PeakOffPeak, Swing, TargetHours, Tested, hours,
};
pub use joined::{BlockVoid, JoinError, Joined, Placed, Standing, VoidReason};
pub use layout::panel;
pub use league::{League, LeagueRemark, Placing, league};
pub use missing::Missing;
pub use model_facts::model_checks;
pub use panel::{Difference, Entry, Panel, PanelRound, PanelTarget};
pub use power::{PairPower, Power, power};
pub use quantile_ratio::RESAMPLES;
pub use quantity::{Charge, Part, Quantity};
pub use same_model::{
    ACCURACY_FLOOR, AccuracyCheck, LENGTH_FLOOR, LengthCheck, ModelCheck, ModelDifference, ModelFacts, ModelVerdict, NotChecked,
    PROMPTS_FLOOR, check_models,
};
pub use table::{COLUMNS, Cell, Column, HeldRequests, Options, Over, Remark, Row, Span, TargetTable, Value, target_table};
pub use verdict::{Judging, ROUNDS_FOR_INTERVALS, ROUNDS_FOR_WORDS, Ratio, Rider, Side, Verdict};
pub use warnings::{ClockMove, Warning, of_times};
