//! `photofinish run` end to end: the binary against a raw server on loopback; exit codes, stdout and stderr apart; killed and resumed.

mod chat_server;

use chat_server::ChatServer;
use photofinish::clock::mono;
use photofinish::plan::Schedule;
use photofinish::record::{Role, TextKept};
use photofinish::store::{Run, scored_blocks};
use photofinish::timeline::Ended;
use photofinish::units::secs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

/// The binary in a folder of its own, without the user's keys and config.
fn photofinish(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_photofinish"));
    command.args(args).current_dir(folder).env_clear();
    command.env("HOME", folder).env("XDG_CONFIG_HOME", folder).stdin(Stdio::null());
    command
}

fn output(folder: &Path, args: &[&str]) -> (i32, String, String) {
    told(photofinish(folder, args).output().unwrap())
}

fn told(output: Output) -> (i32, String, String) {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
}

fn only_run(folder: &Path) -> PathBuf {
    Run::latest(&folder.join("results")).unwrap()
}

#[test]
fn a_race_named_by_flags_leaves_its_folder_on_stdout_and_the_hint_on_stderr() {
    let (server, folder) = (ChatServer::start(), tempfile::tempdir().unwrap());
    let (one, two) = (server.target("one"), server.target("two"));
    let args = ["run", "--target", &one, "--target", &two, "--rounds", "2", "--prompts", "2", "--name", "first race"];
    let (code, stdout, stderr) = output(folder.path(), &args);
    assert_eq!(code, 0, "{stderr}");
    let path = stdout.trim_end();
    assert!(path.starts_with("results/2") && path.contains("Z-first-race-"), "{stdout}");
    assert!(stderr.contains(&format!("photofinish table {path}")), "{stderr}");
    assert!(!stderr.contains("at most"), "a local server costs nothing: {stderr}");
    let run = Run::open(&folder.path().join(path)).unwrap();
    assert_eq!(scored_blocks(&run).len(), 4);
    assert_eq!(run.manifest.text, TextKept::Full);
    let scored: Vec<_> = run.trials.iter().filter(|trial| trial.role == Role::Scored).collect();
    assert_eq!((scored.len(), run.trials.len()), (8, 12));
    for trial in scored {
        let answer = trial.answer.as_ref().unwrap();
        assert_eq!((answer.text.as_ref().unwrap().content.as_str(), &answer.ended), ("one two three four", &Ended::Complete));
        assert!(answer.connect.reused, "scored requests go over the connection of the warm-up");
    }
    // The targets of a block got the same bytes but for the model.
    let served = server.served();
    let bodies = |model: &str| {
        let of = served.iter().filter(|served| served.model == model);
        of.map(|served| served.body.replace(&format!("\"{model}\""), "")).collect::<Vec<_>>()
    };
    assert_eq!(bodies("one"), bodies("two"));
    let round = run.rounds.last().unwrap();
    assert!(0.0 < round.lag.as_ref().unwrap().read_p99_us);
    // The plan that was written out does the same again.
    let plan = folder.path().join(path).join("plan.yaml");
    let (code, _, stderr) = output(folder.path(), &["run", plan.to_str().unwrap()]);
    assert_eq!(code, 0, "{stderr}");
    let again = Run::open(&only_run(folder.path())).unwrap();
    assert_eq!(again.manifest.plan_digest, run.manifest.plan_digest);
    assert_ne!(again.manifest.salt, run.manifest.salt);
}

#[test]
fn a_target_without_a_usable_sample_gives_exit_code_1_and_its_name() {
    let (server, folder) = (ChatServer::start(), tempfile::tempdir().unwrap());
    let (good, bad) = (server.target("good"), server.target("fails"));
    let (code, _, stderr) = output(folder.path(), &["run", "--target", &good, "--target", &bad, "--rounds", "1", "--prompts", "1"]);
    assert_eq!(code, 1, "{stderr}");
    assert!(stderr.contains(&format!("no usable sample from 127.0.0.1:{}/fails", server.port)), "{stderr}");
    let refusing = server.target("refuses");
    let (code, _, stderr) = output(folder.path(), &["run", "--target", &refusing, "--rounds", "3", "--prompts", "1"]);
    assert_eq!(code, 1, "{stderr}");
    assert!(stderr.contains("is stopped: HTTP 401: no such key"), "{stderr}");
    assert_eq!(server.served().iter().filter(|served| served.model == "refuses").count(), 1);
}

#[test]
fn faults_of_configuration_give_exit_code_2_before_anything_is_sent_or_written() {
    let (server, folder) = (ChatServer::start(), tempfile::tempdir().unwrap());
    let good = server.target("good");
    std::fs::write(folder.path().join("plan.yaml"), format!("targets:\n  - {good}\nrouns: 3\n")).unwrap();
    let (code, stdout, stderr) = output(folder.path(), &["run", "plan.yaml"]);
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert!(stderr.starts_with("error: plan.yaml:3: rouns: unknown key; did you mean `rounds`?"), "{stderr}");
    // Both missing keys are named at once.
    let args = ["run", "--target", &good, "--target", "deepseek/deepseek-v4-pro", "--target", "groq/openai/gpt-oss-20b"];
    let (code, stdout, stderr) = output(folder.path(), &args);
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert!(stderr.contains("DEEPSEEK_API_KEY") && stderr.contains("GROQ_API_KEY"), "{stderr}");
    assert!(stderr.contains("at most, by target"), "{stderr}");
    assert!(server.served().is_empty() && !folder.path().join("results").exists());
}

#[test]
fn a_dry_run_tells_the_worst_case_and_sends_nothing() {
    let (server, folder) = (ChatServer::start(), tempfile::tempdir().unwrap());
    let good = server.target("good");
    let (code, stdout, stderr) =
        output(folder.path(), &["run", "--target", &good, "--preset", "quick", "--max-tokens", "100", "--dry-run"]);
    assert_eq!((code, stdout.as_str()), (0, ""));
    assert!(stderr.contains("60 requests"), "{stderr}");
    assert!(server.served().is_empty() && !folder.path().join("results").exists());
}

#[test]
fn without_text_the_record_holds_counts_and_no_word_of_a_reply() {
    let (server, folder) = (ChatServer::start(), tempfile::tempdir().unwrap());
    let good = server.target("good");
    let (code, _, stderr) = output(folder.path(), &["run", "--target", &good, "--rounds", "1", "--prompts", "1", "--no-text"]);
    assert_eq!(code, 0, "{stderr}");
    let run = Run::open(&only_run(folder.path())).unwrap();
    assert_eq!(run.manifest.text, TextKept::Counts { tokenizer: "o200k-equivalent".into() });
    let answer = run.trials.last().unwrap().answer.as_ref().unwrap();
    assert_eq!((answer.text.as_ref(), answer.counts.as_ref().unwrap().per_event.as_slice()), (None, [1, 1, 1, 1].as_slice()));
    assert!(!std::fs::read_to_string(only_run(folder.path()).join("records.jsonl")).unwrap().contains("three"));
}

#[test]
fn a_key_that_comes_back_in_errors_and_texts_reaches_no_file_and_no_message() {
    const KEY: &str = "sk-4fZq81LmT0vXw92bNcR7";
    let (server, folder) = (ChatServer::start(), tempfile::tempdir().unwrap());
    let plan = ["tells", "fails", "refuses"]
        .map(|model| format!("  - {{target: deepseek/{model}, base_url: 'http://127.0.0.1:{}/v1'}}\n", server.port));
    std::fs::write(folder.path().join("plan.yaml"), format!("targets:\n{}rounds: 1\nprompts: 2\n", plan.concat())).unwrap();
    let run = |args: &[&str]| told(photofinish(folder.path(), args).env("DEEPSEEK_API_KEY", KEY).output().unwrap());
    let (code, _, stderr) = run(&["run", "plan.yaml"]);
    assert_eq!(code, 2);
    assert!(stderr.contains("--allow-key-host"), "{stderr}");
    assert!(server.served().is_empty(), "a key does not go where nobody vouched for");
    let (code, stdout, stderr) = run(&["run", "plan.yaml", "--allow-key-host", "127.0.0.1"]);
    assert_eq!(code, 1, "{stderr}");
    assert!(stderr.contains("is stopped: HTTP 401: no such key *"), "{stderr}");
    assert!(!stderr.contains(KEY) && !stdout.contains(KEY));
    let mut masked = 0;
    for file in ["manifest.json", "plan.yaml", "records.jsonl"] {
        let text = std::fs::read_to_string(folder.path().join(stdout.trim_end()).join(file)).unwrap();
        assert!(!text.contains(KEY), "{file}");
        masked += text.matches("***").count();
    }
    assert!(3 <= masked, "the key did come back");
}

#[cfg(unix)]
fn signal(process: &std::process::Child, name: &str) {
    assert!(Command::new("kill").args(["-s", name, &process.id().to_string()]).status().unwrap().success());
}

#[cfg(unix)]
fn wait_for(what: &str, mut happened: impl FnMut() -> bool) {
    for _ in 0..3000 {
        if happened() {
            return;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    panic!("waited in vain for: {what}");
}

#[cfg(unix)]
#[test]
fn ctrl_c_drains_saves_and_exits_with_130_and_the_run_can_be_resumed() {
    let (server, folder) = (ChatServer::start(), tempfile::tempdir().unwrap());
    let slow = server.target("slow");
    let args = ["run", "--target", &slow, "--rounds", "2", "--prompts", "3"];
    let process = photofinish(folder.path(), &args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    wait_for("the second request", || 2 <= server.served().len());
    signal(&process, "INT");
    let (code, stdout, stderr) = told(process.wait_with_output().unwrap());
    assert_eq!(code, 130, "{stderr}");
    assert!(stderr.contains("finishing the requests in flight") && stderr.contains("--resume"), "{stderr}");
    let path = folder.path().join(stdout.trim_end());
    let run = Run::open(&path).unwrap();
    assert_eq!(run.trials.len(), server.served().len(), "what was sent is on record, and whole");
    assert!(run.trials.iter().all(|trial| trial.answer.as_ref().unwrap().ended == Ended::Complete));
    let (code, _, stderr) = output(folder.path(), &["run", "--resume", stdout.trim_end()]);
    assert_eq!(code, 0, "{stderr}");
    let run = Run::open(&path).unwrap();
    assert_eq!(scored_blocks(&run).len(), 6);
    assert_eq!(run.trials.iter().filter(|trial| trial.role == Role::Scored).count(), 6, "no block was sent twice");
}

#[cfg(unix)]
#[test]
fn a_second_writer_of_one_run_is_refused() {
    let (server, folder) = (ChatServer::start(), tempfile::tempdir().unwrap());
    let slow = server.target("slow");
    let args = ["run", "--target", &slow, "--rounds", "9", "--prompts", "9"];
    let mut process = photofinish(folder.path(), &args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    wait_for("the first request", || !server.served().is_empty());
    let path = only_run(folder.path());
    let (code, _, stderr) = output(folder.path(), &["run", "--resume", path.to_str().unwrap()]);
    assert_eq!(code, 2, "{stderr}");
    assert!(stderr.contains("another photofinish is writing this run"), "{stderr}");
    process.kill().unwrap();
    process.wait().unwrap();
}

/// How late this machine itself is at the moment: the longest that a short sleep and a small write took, beyond the sleep.
#[cfg(unix)]
struct Lateness(std::sync::Arc<(std::sync::atomic::AtomicU64, std::sync::atomic::AtomicBool)>);

#[cfg(unix)]
impl Lateness {
    fn watched(folder: &Path) -> Lateness {
        use std::sync::atomic::Ordering::Relaxed;
        let shared = std::sync::Arc::new((0.into(), false.into()));
        let (seen, file) = (shared.clone(), folder.join("lateness"));
        std::thread::spawn(move || {
            let (longest, ended): &(std::sync::atomic::AtomicU64, std::sync::atomic::AtomicBool) = &seen;
            while !ended.load(Relaxed) {
                let before = mono();
                std::thread::sleep(Duration::from_millis(5));
                let _ = std::fs::write(&file, "now");
                longest.fetch_max(mono().since(before).saturating_sub(5_000_000), Relaxed);
            }
        });
        Lateness(shared)
    }
    fn longest(&self) -> u64 {
        self.0.0.load(std::sync::atomic::Ordering::Relaxed)
    }
}

#[cfg(unix)]
impl Drop for Lateness {
    fn drop(&mut self) {
        self.0.1.store(true, std::sync::atomic::Ordering::Relaxed);
    }
}

/// Killed at moments that nobody chose, a run loses no request that had ended a second before (and as much earlier as this machine was
/// late by itself), and goes on to its end.
#[cfg(unix)]
#[test]
fn a_run_that_is_killed_again_and_again_loses_nothing_older_than_a_second_and_completes() {
    use rand_chacha::rand_core::{Rng, SeedableRng};
    let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(20261124);
    let (server, folder) = (ChatServer::start(), tempfile::tempdir().unwrap());
    let elsewhere = tempfile::tempdir().unwrap();
    let lateness = Lateness::watched(elsewhere.path());
    let (one, two) = (server.target("one"), server.target("two"));
    let first = ["run", "--target", &one, "--target", &two, "--rounds", "24", "--prompts", "10"];
    let mut args: Vec<String> = first.iter().map(|arg| (*arg).to_owned()).collect();
    for kill in 1..=3 {
        let before = server.served().len();
        let words: Vec<&str> = args.iter().map(String::as_str).collect();
        let mut process = photofinish(folder.path(), &words).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        wait_for("requests of this sitting", || before + 6 < server.served().len());
        std::thread::sleep(Duration::from_millis(1000 + random.next_u64() % 400));
        assert!(process.try_wait().unwrap().is_none(), "it ended before it was killed");
        process.kill().unwrap();
        let killed = mono();
        process.wait().unwrap();
        let path = only_run(folder.path());
        let run = Run::open(&path).unwrap();
        assert!(run.torn <= kill, "one torn line a kill at most");
        let schedule = Schedule::of(&run.manifest).unwrap();
        let recorded = |model: &str, prompt: &str| {
            let same = |trial: &&photofinish::record::Trial| {
                trial.model == model && prompt.starts_with(schedule.nonce(trial.round, &trial.prompt, trial.attempt).trim_end())
            };
            run.trials.iter().any(|trial| same(&trial))
        };
        // Between the server's last write and our line lie two processes and three threads, each late on its own.
        let old = |end: photofinish::units::Stamp| secs(1) + 5 * lateness.longest() < killed.since(end);
        let ended: Vec<_> = server.served().into_iter().filter(|served| served.finished.is_some_and(old)).collect();
        assert!(!ended.is_empty() || 20_000_000 < lateness.longest(), "nothing was old enough to be looked for");
        for served in ended {
            assert!(recorded(&served.model, &served.prompt), "lost: {} {:?}", served.model, served.prompt);
        }
        args = vec!["run".into(), "--resume".into(), path.to_str().unwrap().into()];
    }
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    let (code, _, stderr) = output(folder.path(), &words);
    assert_eq!(code, 0, "{stderr}");
    let run = Run::open(&only_run(folder.path())).unwrap();
    assert_eq!(scored_blocks(&run).len(), 240);
    assert_eq!(run.notes.iter().filter(|note| note.text.starts_with("resumed")).count(), 3);
}

#[test]
fn the_latest_run_of_a_plan_goes_on_when_its_budget_grows_and_not_under_another_plan() {
    let (server, folder) = (ChatServer::start(), tempfile::tempdir().unwrap());
    let plan = format!("name: budget\nrounds: 2\nprompts: 2\ntargets: ['{}']\n", server.target("one"));
    std::fs::write(folder.path().join("plan.yaml"), &plan).unwrap();
    // Each round is a warm-up and two prompts: the second round does not fit.
    let (code, _, stderr) = output(folder.path(), &["run", "plan.yaml", "--max-requests", "3"]);
    assert!(code == 0 && stderr.contains("budget spent"), "{code} {stderr}");
    std::fs::write(folder.path().join("other.yaml"), plan.replace("prompts: 2", "prompts: 3")).unwrap();
    let (code, _, stderr) = output(folder.path(), &["run", "other.yaml", "--resume", "latest", "--max-requests", "9"]);
    assert!(code == 2 && stderr.contains("another plan"), "{code} {stderr}");
    let (code, _, stderr) = output(folder.path(), &["run", "plan.yaml", "--resume", "latest", "--max-requests", "9"]);
    assert_eq!(code, 0, "{stderr}");
    assert_eq!(scored_blocks(&Run::open(&only_run(folder.path())).unwrap()).len(), 4);
}
