//! `photofinish schedule` and what its entries start, end to end: the binary under an empty environment, keys from files, nothing sent
//! beyond loopback.

mod chat_server;

use chat_server::ChatServer;
use photofinish::record::RoundState;
use photofinish::store::Run;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

const KEY: &str = "sk-7Jq2Wm9xTz4Lr8Vb1Nc6";
const BINARY: &str = env!("CARGO_BIN_EXE_photofinish");

/// The binary in a folder of its own, with these variables and no others.
fn told(folder: &Path, environment: &[(&str, &str)], arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(BINARY);
    command.args(arguments).current_dir(folder).env_clear().envs(environment.iter().copied()).stdin(Stdio::null());
    command.env("HOME", folder);
    let output = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap_or(-1), text(output.stdout), text(output.stderr))
}

/// A plan with a round in every minute, whose only target takes a key and is served on loopback.
fn loopback_plan(folder: &Path, server: &ChatServer) {
    let target = format!("{{target: deepseek/tells, base_url: 'http://127.0.0.1:{}/v1'}}", server.port);
    let schedule = "schedule: {cron: '* * * * *', zone: Asia/Shanghai, late_s: 300}";
    std::fs::write(folder.join("plan.yaml"), format!("targets:\n  - {target}\nrounds: 3\nprompts: 1\n{schedule}\n")).unwrap();
}

fn plan(folder: &Path, schedule: &str) {
    let text = format!("name: night\ntargets: [deepseek/deepseek-v4-pro, groq/openai/gpt-oss-20b]\nrounds: 40\nprompts: 1\n{schedule}");
    std::fs::write(folder.join("plan.yaml"), text).unwrap();
}

fn secret_file(folder: &Path, name: &str, text: &str, mode: u32) {
    std::fs::write(folder.join(name), text).unwrap();
    std::fs::set_permissions(folder.join(name), std::fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_schedule_is_told_in_words_with_its_next_times_and_the_zone() {
    let folder = tempfile::tempdir().unwrap();
    plan(folder.path(), "schedule: {cron: 17 9 * * *, zone: Asia/Shanghai, jitter_s: 600, quiet: ['01:00-05:00']}\n");
    let (code, stdout, stderr) = told(folder.path(), &[], &["schedule", "plan.yaml", "--next", "3"]);
    assert_eq!((code, stderr.as_str()), (0, ""), "{stdout}");
    for words in [
        "\"17 9 * * *\" on the clock of Asia/Shanghai",
        "At 09:17",
        "up to 600 s after its time",
        "none is due at 01:00-05:00",
        "40 rounds",
    ] {
        assert!(stdout.contains(words), "{words:?} is not in\n{stdout}");
    }
    let next: Vec<&str> = stdout.lines().skip_while(|line| *line != "next times:").skip(1).collect();
    assert_eq!(next.len(), 3, "{stdout}");
    assert!(next.iter().all(|line| line.contains(" 09:17 +08:00 ") && line.ends_with(" 01:17 UTC")), "{stdout}");
}

#[test]
fn a_plan_without_a_calendar_has_no_entry_and_the_error_shows_one() {
    let folder = tempfile::tempdir().unwrap();
    plan(folder.path(), "every_s: 3600\n");
    let (code, stdout, _) = told(folder.path(), &[], &["schedule", "plan.yaml"]);
    assert!(code == 0 && stdout.contains("one in every 3600 s"), "{stdout}");
    let (code, stdout, stderr) = told(folder.path(), &[], &["schedule", "plan.yaml", "--emit", "cron"]);
    assert_eq!((code, stdout.as_str()), (2, ""));
    assert!(stderr.contains("plan.yaml") && stderr.contains("schedule:") && stderr.contains("cron: \"17 * * * *\""), "{stderr}");
}

#[test]
fn no_entry_holds_a_key() {
    let folder = tempfile::tempdir().unwrap();
    plan(folder.path(), "schedule: {cron: 17 * * * *}\n");
    secret_file(folder.path(), "keys.env", &format!("GROQ_API_KEY=second-{KEY}\n"), 0o600);
    let environment = [("DEEPSEEK_API_KEY", KEY), ("TZ", "Europe/Berlin")];
    for scheduler in ["cron", "systemd", "k8s"] {
        let (code, stdout, stderr) = told(folder.path(), &environment, &["schedule", "plan.yaml", "--emit", scheduler]);
        assert_eq!(code, 0, "{stderr}");
        assert!(!stdout.contains(KEY) && !stderr.contains(KEY), "{scheduler}");
        assert!(stdout.contains("DEEPSEEK_API_KEY") && stdout.contains("GROQ_API_KEY"), "{scheduler} says what is needed:\n{stdout}");
        let (code, stdout, stderr) =
            told(folder.path(), &environment, &["schedule", "plan.yaml", "--emit", scheduler, "--output", "entries"]);
        assert_eq!(code, 0, "{stderr}");
        for path in stdout.lines() {
            assert!(!std::fs::read_to_string(folder.path().join(path)).unwrap().contains(KEY), "{path}");
        }
    }
    assert_eq!(std::fs::read_dir(folder.path().join("entries")).unwrap().count(), 4);
    // Only a file that differs is in the way.
    let again = |more: &[&str]| {
        let arguments = [&["schedule", "plan.yaml", "--emit", "k8s", "--output", "entries"], more].concat();
        told(folder.path(), &environment, &arguments)
    };
    std::fs::write(folder.path().join("entries/photofinish-night.k8s.yaml"), "mine\n").unwrap();
    let (code, _, stderr) = again(&[]);
    assert!(code == 2 && stderr.contains("photofinish-night.k8s.yaml") && stderr.contains("--force"), "{stderr}");
    assert_eq!(again(&["--force"]).0, 0);
    // A plan that holds the key itself would carry it into the cluster.
    plan(folder.path(), &format!("schedule: {{cron: 17 * * * *}}\nvantage: {KEY}\n"));
    let (code, stdout, stderr) = told(folder.path(), &environment, &["schedule", "plan.yaml", "--emit", "k8s"]);
    assert!(code == 2 && !stdout.contains(KEY) && !stderr.contains(KEY), "{stderr}");
}

#[test]
fn under_an_empty_environment_the_error_says_which_variable_is_missing() {
    let folder = tempfile::tempdir().unwrap();
    plan(folder.path(), "schedule: {cron: '* * * * *'}\n");
    let plan = folder.path().join("plan.yaml");
    let run = |more: &[&str]| {
        let mut command = Command::new(BINARY);
        command.args(["run", plan.to_str().unwrap(), "--round-now"]).args(more).env_clear().current_dir(folder.path());
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, stderr) = run(&[]);
    assert!(stderr.contains("DEEPSEEK_API_KEY") && stderr.contains("GROQ_API_KEY") && stderr.contains("--env-file"), "{stderr}");
    assert_eq!(code, Some(2));
    secret_file(folder.path(), "keys.env", &format!("DEEPSEEK_API_KEY={KEY}\n"), 0o600);
    let (code, stderr) = run(&["--env-file", "keys.env"]);
    assert!(stderr.contains("GROQ_API_KEY") && !stderr.contains("DEEPSEEK_API_KEY") && !stderr.contains(KEY), "{stderr}");
    assert_eq!(code, Some(2));
    secret_file(folder.path(), "keys.env", &format!("DEEPSEEK_API_KEY={KEY}\n"), 0o644);
    let (code, stderr) = run(&["--env-file", "keys.env"]);
    assert!(stderr.contains("chmod 600 keys.env") && !stderr.contains(KEY), "{stderr}");
    assert_eq!(code, Some(2));
    assert_eq!(run(&["--env-file", "none.env"]).0, Some(2));
}

#[test]
fn keys_come_from_the_environment_then_the_file_then_the_credentials() {
    let (server, folder) = (ChatServer::start(), tempfile::tempdir().unwrap());
    loopback_plan(folder.path(), &server);
    std::fs::create_dir(folder.path().join("credentials")).unwrap();
    let credentials = folder.path().join("credentials");
    let run = |environment: &[(&str, &str)], more: &[&str]| {
        let arguments = [&["run", "plan.yaml", "--rounds", "1", "--allow-key-host", "127.0.0.1"], more].concat();
        let (code, stdout, stderr) = told(folder.path(), environment, &arguments);
        assert!(!stdout.contains(KEY) && !stderr.contains(KEY));
        let records = std::fs::read_to_string(folder.path().join(stdout.trim_end()).join("records.jsonl")).unwrap_or_default();
        assert!(!records.contains(KEY));
        (code, stderr)
    };
    // So short a value is refused where it is used.
    secret_file(folder.path(), "short.env", "DEEPSEEK_API_KEY=x\n", 0o600);
    secret_file(folder.path(), "good.env", &format!("export DEEPSEEK_API_KEY=\"{KEY}\" # mine\n"), 0o600);
    secret_file(&credentials, "DEEPSEEK_API_KEY", "y", 0o600);
    let place = ("CREDENTIALS_DIRECTORY", credentials.to_str().unwrap());
    assert_eq!(run(&[], &["--env-file", "good.env"]).0, 0);
    assert_eq!(run(&[("DEEPSEEK_API_KEY", "")], &["--env-file", "good.env"]).0, 0, "an empty variable is none");
    assert_eq!(run(&[("DEEPSEEK_API_KEY", KEY)], &["--env-file", "short.env"]).0, 0, "the environment is stronger than the file");
    assert_eq!(run(&[place], &["--env-file", "good.env"]).0, 0, "and the file than the credentials");
    assert!(run(&[place], &[]).1.contains("fewer than"), "which are read");
    secret_file(&credentials, "DEEPSEEK_API_KEY", &format!("{KEY}\n"), 0o600);
    assert_eq!(run(&[place], &[]).0, 0);
}

#[test]
fn the_line_for_cron_does_one_round_into_the_plans_run_and_is_quiet() {
    let (server, folder) = (ChatServer::start(), tempfile::tempdir().unwrap());
    let home = folder.path().join("100 % 夜");
    std::fs::create_dir(&home).unwrap();
    loopback_plan(&home, &server);
    secret_file(&home, "keys.env", &format!("DEEPSEEK_API_KEY={KEY}\n"), 0o600);
    // On loopback a key may be missing, so the file is named by hand.
    let arguments = ["schedule", "plan.yaml", "--emit", "cron", "--machine-zone", "Asia/Shanghai", "--env-file", "keys.env"];
    let (code, stdout, stderr) = told(&home, &[], &[&arguments[..], &["--allow-key-host", "127.0.0.1"]].concat());
    assert_eq!(code, 0, "{stderr}");
    let line = stdout.lines().last().unwrap();
    let command = line.strip_prefix("* * * * * ").unwrap().replace("\\%", "%");
    assert!(command.contains("--env-file"), "{stdout}");
    let cron = || {
        let shell =
            Command::new("/bin/sh").arg("-c").arg(&command).env_clear().env("PATH", "/usr/bin:/bin").env("HOME", "/").output().unwrap();
        (shell.status.code(), String::from_utf8(shell.stdout).unwrap() + &String::from_utf8(shell.stderr).unwrap())
    };
    assert_eq!(cron(), (Some(0), String::new()));
    let run = Run::open(&Run::latest(&home.join("results")).unwrap()).unwrap();
    assert_eq!(run.rounds.iter().filter(|round| round.state == RoundState::Finished).count(), 1);
    let asked = server.served().len();
    assert!(0 < asked);
    let (code, stdout, _) = told(&home, &[], &["schedule", "plan.yaml"]);
    assert!(code == 0 && stdout.contains("3 rounds, ") && stdout.contains(" over so far in results/2"), "{stdout}");
    // A fault is what cron mails.
    std::fs::write(home.join("plan.yaml"), "rouns: 3\n").unwrap();
    let (code, mailed) = cron();
    assert!(code == Some(2) && mailed.contains("did you mean `rounds`?"), "{mailed}");
    assert_eq!(std::fs::read_dir(home.join("results")).unwrap().filter(|entry| entry.as_ref().unwrap().path().is_dir()).count(), 1);
}
