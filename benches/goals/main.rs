//! Every goal of the instrument in one run, beside what was found: exactness against the simulator's truth, cost against a raw reader,
//! memory, start, sending, a ramp.
//!
//! `make bench`, or `cargo bench --bench goals [-- --passes 3 --quick --only exact,cost,many,start,late,ramp]`. The table goes to
//! `target/bench/goals.md`, the figures to `target/bench/goals.json`. Servers run in processes of their own on the first processor at a
//! real-time priority, clients at a lower one, where this machine permits it: the table says what it permitted. Exit code 1 where a goal
//! is missed, with `--strict` only.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod cost;
mod exact;
mod footprint;
mod loaded;
#[path = "../paced/mod.rs"]
mod paced;
mod table;
mod ways;

use std::path::Path;
use table::Row;
use ways::{RESULT, ROLE, TOLD, Ways};

fn main() {
    paced::serve_if_asked();
    if let Ok(role) = std::env::var(ROLE) {
        return play(&role);
    }
    let asked = Asked::from_args();
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/bench");
    std::fs::create_dir_all(&target).expect("target/bench can be made");
    let place = tempfile::Builder::new().prefix("run-").tempdir_in(&target).expect("a folder for this run");
    let ways = Ways::found(place.path());
    let conditions = [ways.words(), vec![format!("{} passes a figure", asked.passes)]].concat();
    conditions.iter().for_each(|line| eprintln!("{line}"));
    let rows = asked.measured(&ways);
    let text = table::markdown(&conditions, &rows);
    let json = serde_json::json!({"conditions": conditions, "rows": rows});
    std::fs::write(target.join("goals.md"), &text).expect("the table is written");
    std::fs::write(target.join("goals.json"), format!("{json:#}\n")).expect("the figures are written");
    println!("{text}\ntarget/bench/goals.md and goals.json hold this table and its figures.");
    let missed = rows.iter().any(|row| row.holds == Some(false));
    drop(place);
    if asked.strict && missed {
        std::process::exit(1);
    }
}

struct Asked {
    passes: usize,
    quick: bool,
    strict: bool,
    only: Option<String>,
}

impl Asked {
    fn from_args() -> Asked {
        let args: Vec<String> = std::env::args().collect();
        let given = |name: &str| args.iter().position(|arg| arg == name).and_then(|i| args.get(i + 1)).cloned();
        let flag = |name: &str| args.iter().any(|arg| arg == name);
        let quick = flag("--quick");
        let passes = given("--passes").map(|text| text.parse().expect("--passes takes a number"));
        let passes = passes.unwrap_or(if quick { 1 } else { 3 }).max(1);
        Asked { passes, quick, strict: flag("--strict"), only: given("--only") }
    }

    fn measured(&self, ways: &Ways) -> Vec<Row> {
        let (late_s, stages) = if self.quick { (3, "20,300") } else { (8, "1,50,100,200,300") };
        type Measure<'a> = Box<dyn Fn() -> Vec<Row> + 'a>;
        let all: [(&str, Measure<'_>); 6] = [
            ("exact", Box::new(|| exact::rows(ways, self.passes))),
            ("cost", Box::new(|| cost::rows(ways, self.passes.max(2)))),
            ("many", Box::new(|| footprint::many(ways))),
            ("start", Box::new(|| footprint::start(ways, self.passes))),
            ("late", Box::new(|| loaded::lateness(ways, self.passes.min(2), late_s))),
            ("ramp", Box::new(|| loaded::ramp(ways, stages))),
        ];
        let wanted = |name: &str| self.only.as_ref().is_none_or(|only| only.split(',').any(|one| one == name));
        let mut rows = Vec::new();
        for (name, measure) in all.iter().filter(|(name, _)| wanted(name)) {
            eprintln!("measuring: {name}");
            rows.extend(measure());
        }
        rows
    }
}

/// What a process does that this program started as a client.
fn play(role: &str) {
    let told = std::env::var(TOLD).expect("what the role is told");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let result = match role {
        "streams" => serde_json::to_string(&runtime.block_on(exact::streams(read(&told)))),
        "cost" => serde_json::to_string(&runtime.block_on(cost::cost(read(&told)))),
        "flood" => serde_json::to_string(&runtime.block_on(cost::flood(read(&told)))),
        _ => panic!("no role {role}"),
    };
    println!("{RESULT}{}", result.expect("figures"));
}

fn read<T: serde::de::DeserializeOwned>(told: &str) -> T {
    serde_json::from_str(told).expect("what the role is told")
}
