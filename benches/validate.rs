//! The simulation study of method.md §4.C in full: every gate with its figure. `make validate` runs it; within 15 minutes on two cores.
#![allow(clippy::print_stdout)]

#[path = "../tests/study/mod.rs"]
mod study;

use study::gates::{Size, gates};

fn main() {
    let (mut all, mut failed) = (0, 0);
    println!("Simulated under the model of docs/method.md: shares of repetitions, and what they must be.\n");
    println!("{:<66} {:>8} {:>15} {:>6}", "gate", "share", "must be", "of");
    gates(Size::FULL, |gate| {
        all += 1;
        failed += usize::from(!gate.holds());
        let mark = if gate.holds() { "" } else { "  MISSED" };
        let must = match (gate.least, gate.most) {
            (least, 1.0) => format!("≥ {:.1} %", 100.0 * least),
            (0.0, most) => format!("≤ {:.1} %", 100.0 * most),
            (least, most) => format!("{:.1}–{:.1} %", 100.0 * least, 100.0 * most),
        };
        println!("{:<66} {:>6.1} % {must:>15} {:>6}{mark}", gate.what, 100.0 * gate.share, gate.of);
    });
    println!("\n{} of {all} gates hold", all - failed);
    if 0 < failed {
        std::process::exit(1);
    }
}
