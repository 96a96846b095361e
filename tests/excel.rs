//! CSV for spreadsheets that want a byte-order mark, and the language flag, through the binary.

use std::process::{Command, Output};

fn photofinish(args: &[&str]) -> Output {
    let root = env!("CARGO_MANIFEST_DIR");
    Command::new(env!("CARGO_BIN_EXE_photofinish")).current_dir(root).args(args).output().unwrap()
}

#[test]
fn the_mark_stands_once_before_the_head_and_a_parser_reads_on_behind_it() {
    let plain = photofinish(&["table", "results/example", "--format", "csv", "--lang", "zh"]);
    let marked = photofinish(&["table", "results/example", "--format", "csv", "--lang", "zh", "--excel"]);
    assert!(marked.status.success() && marked.stdout.starts_with(b"\xef\xbb\xbf"), "{marked:?}");
    assert_eq!(&marked.stdout[3..], plain.stdout.as_slice());
    let mut reader = csv::Reader::from_reader(&marked.stdout[..]);
    assert_eq!(reader.headers().unwrap().get(1), Some("ok"));
    let names: Vec<String> = reader.records().map(|record| record.unwrap()[0].to_owned()).collect();
    assert!(names.contains(&"sim:deepseek".to_owned()), "{names:?}");
}

#[test]
fn the_mark_goes_with_csv_alone() {
    for command in ["table", "brief", "league"] {
        let refused = photofinish(&[command, "results/example", "--excel"]);
        assert_eq!((refused.status.code(), refused.stdout.is_empty()), (Some(2), true), "{command}");
        assert!(String::from_utf8_lossy(&refused.stderr).contains("--excel is for --format csv alone"), "{command}");
    }
}

#[test]
fn a_language_that_is_none_is_refused() {
    let refused = photofinish(&["table", "results/example", "--lang", "fr"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&refused.stderr).contains("give en or zh"), "{refused:?}");
}

#[test]
fn every_reading_command_speaks_chinese() {
    let trial = "1/short-en-09/cerebras";
    let commands: [&[&str]; 6] = [
        &["table", "results/example"],
        &["brief", "results/example"],
        &["league", "results/example"],
        &["compare", "results/example"],
        &["metrics"],
        &["show", "results/example", trial],
    ];
    for command in commands {
        let spoken = photofinish(&[command, &["--lang", "zh"]].concat());
        let text = String::from_utf8_lossy(&spoken.stdout).into_owned();
        assert!(
            spoken.status.success() && text.chars().filter(|c| ('\u{4e00}'..='\u{9fff}').contains(c)).count() > 50,
            "{command:?}:\n{text}"
        );
    }
}
