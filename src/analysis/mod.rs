//! What the records say: which trials count, and one row of figures a target.

mod basis;
mod figures;
mod hours;
mod joined;
mod panel;
mod quantity;
mod samples;
mod table;
mod tally;
mod warnings;

pub use basis::{Families, basis};
pub use hours::{
    Bin, BinWidth, DayTests, Extremes, Hours, HoursOptions, LEAST_BINS, LEAST_DAYS, LEAST_ROUNDS, NoHours, NotABinWidth, PairSwing,
    PeakOffPeak, Swing, TargetHours, Tested, hours,
};
pub use joined::{BlockVoid, JoinError, Joined, Placed, Standing, VoidReason};
pub use panel::{Difference, Entry, Panel, PanelRound, PanelTarget};
pub use quantity::{Charge, Part, Quantity};
pub use table::{COLUMNS, Cell, Column, Options, Over, Remark, Row, Span, TargetTable, Value, target_table};
