//! `photofinish calibrate` through the real binary: it knows the truth of every request, judges faults rightly, is stored, and a run that
//! comes after cites it.
#![cfg(unix)]

mod race;

use photofinish::record::{Calibration, CalibrationLevel};
use photofinish::store::Run;
use race::{Sim, ends_with, photofinish};
use std::path::{Path, PathBuf};
use std::process::Stdio;

fn calibrated(home: &Path, flags: &[&str]) -> Calibration {
    let output = ends_with(0, photofinish(home).args(["calibrate", "--json"]).args(flags));
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let file = home.join(json["file"].as_str().unwrap());
    let stored: Calibration = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    assert_eq!(serde_json::from_value::<Calibration>(json).unwrap(), stored, "what is printed is what is stored");
    stored
}

/// What holds of every level, however busy the machine.
fn holds(level: &CalibrationLevel) {
    let (load, errors) = (level.load, &level.errors);
    let requests = u64::from((2 * load.streams).max(10));
    assert!((requests - u64::from(load.streams)..=requests).contains(&errors.requests), "{load:?}: {} requests", errors.requests);
    assert_eq!((errors.compared, errors.unmatched), (errors.requests, 0), "{load:?}");
    assert_eq!(errors.ttft_us.unwrap().n, errors.requests, "{load:?}");
    assert_eq!(errors.claims.checked, 64 * errors.requests, "{load:?}");
    assert_eq!(errors.claims.wrong, errors.claims.late, "{load:?}: nothing comes before it was written");
    let gaps = errors.gap_us.map_or(0, |gaps| gaps.n) + errors.gaps_untold;
    assert_eq!(gaps, 63 * errors.requests, "{load:?}");
    assert_eq!(errors.tokens.unwrap().max, 0.0, "{load:?}");
    assert_eq!(
        (errors.outcomes.wrong, errors.outcomes.right),
        (0, u64::from(load.streams) * u64::from((10u32.div_ceil(load.streams)).max(2)) + 8)
    );
}

#[test]
fn at_one_and_eight_streams_every_text_is_held_against_its_write_and_a_run_cites_it() {
    let home = tempfile::tempdir().unwrap();
    let by_reqwest = calibrated(home.path(), &["--streams", "8", "--transport", "reqwest"]);
    let by_kernel = calibrated(home.path(), &["--streams", "1,8", "--transport", "kernel"]);
    let streams: Vec<u32> = by_kernel.levels.iter().map(|level| level.load.streams).collect();
    assert_eq!((streams, by_kernel.machine.digest), (vec![1, 8], by_reqwest.machine.digest));
    by_kernel.levels.iter().chain(&by_reqwest.levels).for_each(holds);
    // One run's ratio, not a time: the kernel's stamps are nearer to the truth than a user's clock.
    let (kernel, reqwest) = (&by_kernel.levels[1].errors, &by_reqwest.levels[0].errors);
    assert!(kernel.ttft_us.unwrap().p50 < reqwest.ttft_us.unwrap().p50, "{:?} {:?}", kernel.ttft_us, reqwest.ttft_us);
    assert!(0 < kernel.claims.exact && reqwest.claims.exact == 0);
    assert!(reqwest.gap_exact_us.is_none() && reqwest.lag_us.is_none());

    let sim = Sim::start("builtin:calibration", &[]);
    let target = sim.target("outcome-ok");
    ends_with(0, photofinish(home.path()).args(["run", "--target", &target, "--rounds", "3", "--prompts", "1"]));
    let run = Run::open(&Run::latest(&home.path().join("results")).unwrap()).unwrap();
    let cited = run.manifest.calibration.expect("the newest one");
    assert_eq!((cited.created, cited.by_version, cited.levels.len()), (by_kernel.created, None, 2));
    let caption = |command: &[&str], lang: &str| {
        let output = ends_with(0, photofinish(home.path()).args(command).args(["--format", "markdown", "--lang", lang]));
        String::from_utf8(output.stdout).unwrap()
    };
    for lang in ["en", "zh"] {
        let (words, at) = if lang == "en" {
            ("on this machine: TTFT ±", "at 1 stream")
        } else {
            ("在本机校准：1 个并发流时首字误差 ±", "（p99）")
        };
        let text = caption(&["table", "latest"], lang);
        assert!(text.contains(words) && text.contains(at), "{text}");
    }
    let stages = ["load", "--target", &target, "--stages", "2", "--requests", "6", "--passes", "1", "--rest", "0s"];
    let text = caption(&stages, "en");
    assert!(text.contains("(p99) at 8 streams"), "the lightest level that is not lighter:\n{text}");
}

#[test]
fn what_cannot_be_measured_is_refused_before_anything_is() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("a-file"), "").unwrap();
    let refused = |flags: &[&str]| {
        let output = ends_with(2, photofinish(home.path()).arg("calibrate").args(flags));
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(refused(&["--transport", "carrier-pigeon"]).contains("known are kernel and reqwest"));
    assert!(refused(&["--streams", "0"]).contains("0 is not in 1..=20000"));
    assert!(refused(&["--results", "a-file"]).contains("a-file/calibrations"));
    assert!(refused(&["--sim-under", "false"]).contains("`false` may not be allowed here"));
    let few = "ulimit -n 100; exec \"$0\" calibrate --streams 1000";
    let output = std::process::Command::new("sh").args(["-c", few, race::BINARY]).current_dir(home.path()).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.code() == Some(2) && said.contains("ulimit -n 1064"), "{said}");
}

/// The processes that a process started.
fn children(process: u32) -> Vec<u32> {
    let of = std::fs::read_to_string(format!("/proc/{process}/task/{process}/children")).unwrap_or_default();
    of.split_whitespace().filter_map(|id| id.parse().ok()).collect()
}

#[test]
#[cfg(target_os = "linux")]
fn a_simulator_that_dies_is_an_error_and_ctrl_c_stores_nothing() {
    for (signal, code) in [("-KILL", 2), ("-INT", 130)] {
        let home = tempfile::tempdir().unwrap();
        let mut command = photofinish(home.path());
        command.args(["calibrate", "--streams", "2", "--transport", "kernel"]).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().unwrap();
        // The first line of progress says that it measures.
        while children(child.id()).is_empty() {
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        std::thread::sleep(std::time::Duration::from_millis(1500));
        let whom = if code == 2 { children(child.id())[0] } else { child.id() };
        assert!(std::process::Command::new("kill").args([signal, &whom.to_string()]).status().unwrap().success());
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(code), "{said}");
        assert!(said.contains(if code == 2 { "the simulator ended meanwhile" } else { "nothing was stored" }), "{said}");
        let stored: Vec<PathBuf> =
            std::fs::read_dir(home.path().join("results/calibrations")).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(stored, [""; 0].map(PathBuf::from));
    }
}
