//! What the records say: which trials count, and one row of figures a target.

mod basis;
mod figures;
mod graded;
mod joined;
mod panel;
mod quantity;
mod samples;
mod table;
mod tally;
mod warnings;

pub use basis::{Families, basis};
pub use graded::{AccuracyDifference, Came, GradedAnswers, GradedRow, REQUESTS_FOR_ACCURACY};
pub use joined::{BlockVoid, JoinError, Joined, Placed, Standing, VoidReason};
pub use panel::{Difference, Entry, Panel, PanelRound, PanelTarget};
pub use quantity::{Charge, Part, Quantity};
pub use table::{COLUMNS, Cell, Column, Options, Over, Remark, Row, Span, TargetTable, Value, target_table};
