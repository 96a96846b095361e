//! The committed run `results/example` (simulated, made by `scripts/example.sh`), read by today's code.

mod hand;

use photofinish::analysis::{Joined, Options, TargetTable, target_table};
use photofinish::measured::Sheet;
use photofinish::report::{Format, Lang, targets};
use photofinish::store::Run;
use photofinish::tokens::Reference;
use std::path::PathBuf;

fn example() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("results/example")
}

fn table(run: &[Sheet]) -> TargetTable {
    target_table(&Joined::new(run).unwrap(), &Options::default())
}

#[test]
fn the_committed_run_gives_the_committed_tables() {
    let run = [Sheet::of(&Run::open(&example()).unwrap(), &Reference::o200k())];
    assert_eq!(run[0].torn, 0);
    assert!(run[0].manifest.simulated.is_some() && run[0].manifest.targets.iter().all(|target| target.simulated));
    let table = targets(&table(&run), &Joined::new(&run).unwrap(), Lang::En);
    let files = [
        ("table-80.txt", Format::Terminal, 80),
        ("table-120.txt", Format::Terminal, 120),
        ("table.md", Format::Markdown, 0),
        ("table.csv", Format::Csv, 0),
        ("table.json", Format::Json, 0),
    ];
    for (name, format, width) in files {
        let committed = std::fs::read_to_string(example().join(name)).unwrap();
        let written = anstream::adapter::strip_str(&table.write(format, width)).to_string();
        assert!(
            committed == written,
            "results/example/{name} is not what the reading commands write of that run. If that is meant, write it anew \
             (`photofinish table results/example --output …` as in scripts/example.sh). They write:\n{written}"
        );
    }
}

#[test]
fn the_commands_with_verdicts_write_what_is_committed() {
    let written = [
        ("league-80.txt", "league --width 80 --metric content_speed"),
        ("league.zh.txt", "league --width 80 --metric content_speed --lang zh"),
        ("league.json", "league --format json --metric content_speed"),
        ("compare-80.txt", "compare --width 80 --baseline sim-d"),
        ("brief.md", "brief"),
        ("brief.zh.md", "brief --lang zh"),
    ];
    for (name, line) in written {
        let words: Vec<&str> = line.split(' ').collect();
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_photofinish"));
        let output = command.arg(words[0]).arg(example()).args(&words[1..]).env_remove("COLUMNS").output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let (committed, written) = (std::fs::read_to_string(example().join(name)).unwrap(), String::from_utf8(output.stdout).unwrap());
        assert!(
            committed == written,
            "results/example/{name} is not what `photofinish {line}` writes of that run. If that is meant, write it anew as in \
             scripts/example.sh. It writes:\n{written}"
        );
    }
}

#[test]
fn its_slow_systems_run_at_the_speeds_that_the_simulator_was_told() {
    // Content tokens a second in src/sim/behaviours/demo.yaml. Bailian's follow the hour, between 0.65 and 1.45 of this.
    let told = [("deepseek", 37.117), ("volcengine", 65.673), ("siliconflow", 16.966), ("bailian", 11.813), ("iflytek", 1.2)];
    let run = [Sheet::of(&Run::open(&example()).unwrap(), &Reference::o200k())];
    let table = table(&run);
    for (name, speed) in told {
        let row = table.rows.iter().position(|row| row.target.as_str() == name).unwrap();
        let seen = hand::numbers(&table, row)[3].unwrap();
        assert!((0.5..=1.5).contains(&(seen / speed)), "{name}: told {speed}, seen {seen}");
    }
}
