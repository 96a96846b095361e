//! What the records say: which trials count, and one row of figures a target.

mod basis;
mod figures;
mod joined;
mod layout;
mod panel;
mod quantity;
mod samples;
mod table;
mod warnings;

pub use basis::{Families, basis};
pub use joined::{BlockVoid, JoinError, Joined, Placed, Standing, VoidReason};
pub use layout::panel;
pub use panel::{Difference, Entry, Panel, PanelRound, PanelTarget};
pub use quantity::{Charge, Part, Quantity};
pub use table::{COLUMNS, Cell, Column, Options, Over, Remark, Row, Span, TargetTable, Value, target_table};
