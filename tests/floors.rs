//! The floors: which room may import which. A room reaches down, never up and never across the wings; both are read off the `use`
//! lines and paths of the source against the table below. ARCHITECTURE.md gives the reasons.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Room, and the rooms it may import. A room not named here may not exist.
const ALLOWED: &[(&str, &[&str])] = &[
    ("units", &[]),
    ("ident", &[]),
    ("secret", &[]),
    ("stats", &[]),
    ("clock", &["units"]),
    ("timeline", &["units"]),
    ("dataset", &["ident"]),
    ("sim", &["clock", "units"]),
    ("record", &["ident", "timeline", "units"]),
    ("tokens", &["timeline", "record", "units"]),
    ("grading", &["timeline", "record"]),
    ("wire", &["clock", "record", "secret", "timeline", "units"]),
    ("plan", &["dataset", "ident", "record", "units"]),
    ("deploy", &["plan", "record"]),
    ("dialect", &["timeline", "wire"]),
    ("metric", &["ident", "record", "stats", "timeline", "tokens", "units"]),
    ("store", &["ident", "record", "secret", "timeline", "units"]),
    ("calibration", &["metric", "record", "stats", "timeline", "tokens", "units"]),
    ("provider", &["dialect", "ident", "plan", "record", "secret", "timeline", "wire"]),
    ("measured", &["grading", "ident", "metric", "record", "store", "timeline", "tokens", "units"]),
    ("analysis", &["ident", "measured", "metric", "record", "stats", "store", "timeline", "tokens", "units"]),
    ("exchange", &["clock", "dialect", "record", "timeline", "units", "wire"]),
    ("report", &["analysis", "ident", "metric", "record", "stats", "timeline", "tokens", "units"]),
    (
        "runner",
        &[
            "clock", "dataset", "dialect", "exchange", "grading", "ident", "plan", "provider", "record", "secret", "store", "timeline",
            "tokens", "units", "wire",
        ],
    ),
];

/// The two wings. Neither imports the other; both know `record`, `timeline`, `ident`, `units`, `tokens`, `grading` and `store`.
const MEASURING: &[&str] = &["wire", "dialect", "provider", "plan", "deploy", "exchange", "runner", "dataset", "sim"];
const READING: &[&str] = &["metric", "stats", "calibration", "measured", "analysis", "report"];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

fn all_sources() -> (PathBuf, Vec<PathBuf>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    files.sort();
    (root, files)
}

/// The room that a file belongs to: its folder, or its own name.
fn room(root: &Path, file: &Path) -> String {
    let first = file.strip_prefix(root).unwrap().components().next().unwrap().as_os_str().to_str().unwrap();
    first.trim_end_matches(".rs").to_owned()
}

/// The code of a file without its comments and without its unit tests, which stand last.
fn code(file: &Path) -> String {
    let text = std::fs::read_to_string(file).unwrap();
    let body = text.split("\n#[cfg(test)]\nmod tests").next().unwrap();
    body.lines().map(|line| line.split("//").next().unwrap()).collect::<Vec<_>>().join("\n")
}

/// The rooms named after `crate::` in a text, groups in braces included.
fn imports(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        let names: Vec<&str> = match rest.strip_prefix('{') {
            Some(group) => group.split('}').next().unwrap().split(',').collect(),
            None => vec![rest],
        };
        for name in names {
            let name: String = name.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            found.insert(name);
        }
    }
    found.remove("");
    found
}

#[test]
fn every_room_imports_only_what_its_floor_allows() {
    let allowed: BTreeMap<&str, BTreeSet<&str>> = ALLOWED.iter().map(|(room, down)| (*room, down.iter().copied().collect())).collect();
    let (root, files) = all_sources();
    let mut faults = Vec::new();
    for file in &files {
        let room = room(&root, file);
        if ["lib", "main", "cli"].contains(&room.as_str()) {
            continue;
        }
        let Some(down) = allowed.get(room.as_str()) else {
            faults.push(format!("{}: room `{room}` has no floor", file.display()));
            continue;
        };
        for import in imports(&code(file)) {
            if import != room && !down.contains(import.as_str()) {
                faults.push(format!("{}: `{room}` may not import `{import}`", file.display()));
            }
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

#[test]
fn the_table_itself_keeps_the_wings_apart_and_has_no_circle() {
    let mut below: BTreeSet<&str> = BTreeSet::new();
    for (room, down) in ALLOWED {
        let across = |wing: &[&str], other: &[&str]| wing.contains(room) && down.iter().any(|d| other.contains(d));
        assert!(!across(MEASURING, READING) && !across(READING, MEASURING), "{room} reaches across the wings");
        for d in *down {
            assert!(below.contains(d), "{room} imports {d}, which does not stand below it");
        }
        below.insert(room);
    }
}

#[test]
fn only_wire_names_reqwest_and_only_its_socket_and_the_clock_hold_unsafe() {
    let (root, files) = all_sources();
    for file in &files {
        let (room, code) = (room(&root, file), code(file));
        assert!(room == "wire" || !code.contains("reqwest::"), "{}: only wire/ names reqwest", file.display());
        let unsafe_block = code.contains("unsafe {") || code.contains("unsafe fn") || code.contains("unsafe impl");
        assert!(["wire", "clock"].contains(&room.as_str()) || !unsafe_block, "{}: unsafe outside wire/ and clock.rs", file.display());
    }
}

#[test]
fn the_reading_wing_opens_no_socket() {
    let (root, files) = all_sources();
    for file in files.iter().filter(|file| READING.contains(&room(&root, file).as_str())) {
        let code = code(file);
        for word in ["std::net", "tokio::net", "TcpStream", "UdpSocket"] {
            assert!(!code.contains(word), "{}: the reading wing names {word}", file.display());
        }
    }
}

#[test]
fn shared_code_knows_no_provider_by_name() {
    let names = ["deepseek", "volcengine", "siliconflow", "bailian", "dashscope", "iflytek", "groq", "cerebras", "openrouter", "anthropic"];
    let (root, files) = all_sources();
    for file in
        files.iter().filter(|file| ["wire", "exchange", "runner", "metric", "analysis", "store"].contains(&room(&root, file).as_str()))
    {
        let code = code(file).to_lowercase();
        for name in names {
            assert!(!code.contains(name), "{}: shared code names {name}", file.display());
        }
    }
}

#[test]
fn an_import_is_seen_in_every_form() {
    let text = "use crate::wire::Frame; use crate::{plan, record::Trial}; let x = crate::store::open();";
    let found: Vec<String> = imports(text).into_iter().collect();
    assert_eq!(found, ["plan", "record", "store", "wire"]);
}
