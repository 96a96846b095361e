//! A load run as figures: what each stage came to on each target, over the passes; the service level, the knee, the gate, and who is
//! faster up to where. Values and reasons; the sentences stand in `report/`. Definitions and why: docs/method.md, "Load".

mod cell;
mod crossover;
mod figure;
mod knee;
mod measure;
mod slo;
mod stage;
mod table;

pub use crate::analysis::gate::ClientLimit;
pub use crossover::{CompareBy, Crossover, Duel, DuelWord};
pub use figure::{Figure, Measure, NoFigure, NoInterval, NoWindow, RestsOn};
pub use knee::{Knee, NoKnee};
pub use slo::{Gate, GateLine, Judged, Reach, SloAtStage, SloWord};
pub use stage::{CellState, PassCell, StageCounts, StageFigures, Stalls, Success, Window};
pub use table::{LoadOptions, LoadTable, LoadWarning, TargetSummary, load_table};
