//! Entries for other schedulers, held against those schedulers' own tools: systemd's idea of the same times, its reading of the same
//! units, the shell's reading of a crontab line, and the types of the Kubernetes API.
#![allow(clippy::print_stdout)]

use jiff::Timestamp;
use photofinish::deploy::{self, Cluster, Entry, KeyVariable, PlanFileText};
use photofinish::plan::times;
use photofinish::record::Calendar;
use serde_json::Value;
use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

fn calendar(cron: &str, zone: &str, from: &str) -> Calendar {
    Calendar { cron: cron.into(), zone: zone.into(), jitter_s: 0, late_s: 300, from: from.parse().unwrap(), until: None, quiet: vec![] }
}

fn entry(folder: &str, calendar: Calendar) -> Entry {
    Entry {
        name: "photofinish-night".into(),
        title: "night 夜 100%".into(),
        calendar,
        rounds: 100,
        program: format!("{folder}/photofinish"),
        plan: format!("{folder}/plan.yaml"),
        results: format!("{folder}/results"),
        env_file: Some(format!("{folder}/keys.env")),
        user: "root".into(),
        keys: vec![
            KeyVariable { name: "DEEPSEEK_API_KEY".into(), provider: "deepseek".into(), optional: false },
            KeyVariable { name: "VLLM_API_KEY".into(), provider: "vllm".into(), optional: true },
        ],
        arguments: vec!["--allow-key-host".into(), "a b.example".into()],
        longest_s: 900,
    }
}

fn systemd_analyze(arguments: &[&str]) -> Option<Command> {
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        println!("skipped: no systemd-analyze on this machine");
        return None;
    }
    let mut command = Command::new("systemd-analyze");
    command.args(arguments).env("TZ", "UTC").env("LC_ALL", "C.UTF-8").env("SYSTEMD_PAGER", "");
    Some(command)
}

/// The next times of a line of `OnCalendar=`, by systemd itself.
fn elapses(line: &str, from: Timestamp, count: usize) -> Option<Vec<Timestamp>> {
    let before = from - jiff::SignedDuration::from_secs(1);
    let base = format!("--base-time={}", before.strftime("%F %T UTC"));
    let output = systemd_analyze(&["calendar", &base, &format!("--iterations={count}"), line])?.output().unwrap();
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let time = |told: &str| {
        let (date, clock) = told.strip_suffix(" UTC")?.split_once(' ')?.1.split_once(' ')?;
        format!("{date}T{clock}Z").parse().ok()
    };
    Some(
        text.lines()
            .filter(|line| line.contains("elapse") || line.contains("Iter"))
            .filter_map(|line| time(line.split_once(": ")?.1))
            .collect(),
    )
}

#[test]
fn systemd_has_the_times_that_the_calendar_has_and_no_others() {
    let spring = "2027-03-27T20:00:00Z";
    let autumn = "2026-10-24T20:00:00Z";
    let winter = "2026-12-24T17:30:00Z";
    let expressions = [
        ("17 * * * *", "Asia/Shanghai", winter),
        ("*/15 * * * *", "UTC", winter),
        ("0 9-17 * * mon-fri", "Asia/Shanghai", winter),
        ("5,35 8,20 * * *", "America/New_York", winter),
        ("0 0 1,15 * mon", "Asia/Tokyo", winter),
        ("30 6 13 * fri", "Europe/London", winter),
        ("0 12 13 * +fri", "UTC", winter),
        ("0 0 29 2 *", "UTC", winter),
        ("15 10 */5 jan,mar-may *", "Asia/Kolkata", winter),
        ("0 3 * * sun,wed,sat", "Australia/Sydney", winter),
        ("@weekly", "Pacific/Auckland", winter),
        ("59 23 31 * *", "America/Sao_Paulo", winter),
        ("10-20/5 1-23/2 * 6-8 0,7", "Asia/Shanghai", winter),
        ("17 * * * *", "Europe/Berlin", autumn),
        ("*/10 * * * *", "Europe/Berlin", autumn),
        ("30 2 * * *", "Europe/Berlin", autumn),
        ("17 * * * *", "Europe/Berlin", spring),
        ("30 2 * * *", "Europe/Berlin", spring),
        ("30 2,3 * * sun", "Europe/Berlin", spring),
        ("*/20 2 * * *", "Europe/Berlin", spring),
        ("30 1 * * *", "America/New_York", "2026-10-31T12:00:00Z"),
        ("0,45 * * * *", "America/New_York", "2026-11-01T03:00:00Z"),
        ("45 1 * * *", "Australia/Lord_Howe", "2026-10-03T00:00:00Z"),
        ("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00:00Z"),
        ("*/15 * * * *", "Australia/Lord_Howe", "2027-04-03T12:00:00Z"),
    ];
    for (cron, zone, from) in expressions {
        let calendar = calendar(cron, zone, from);
        let until = calendar.from + jiff::SignedDuration::from_hours(400 * 24);
        let lines = deploy::on_calendar(&calendar, until).unwrap_or_else(|error| panic!("{cron}: {error}"));
        let mut found = BTreeSet::new();
        for line in &lines {
            let Some(times) = elapses(line, calendar.from, 20) else { return };
            found.extend(times);
        }
        let found: Vec<Timestamp> = found.into_iter().take(20).collect();
        let expected: Vec<Timestamp> = times(&calendar).unwrap().take(20).collect();
        // 29 February comes every fourth year, and croner's own horizon ends the list; systemd's does not.
        let known = expected.len().min(found.len());
        assert!(2 <= known, "{cron} {zone}");
        assert_eq!(found[..known], expected[..known], "{cron} {zone} from {from}: {lines:?}");
    }
}

/// A program that prints its arguments, one a line, and ends with the code in its own folder's `code`.
fn stub(folder: &Path) {
    let script = "#!/bin/sh\nprintf '%s\\n' \"$@\"\nexit \"$(cat \"${0%/*}/code\")\"\n";
    std::fs::write(folder.join("photofinish"), script).unwrap();
    std::fs::set_permissions(folder.join("photofinish"), std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::create_dir_all(folder.join("results")).unwrap();
}

#[test]
fn systemd_finds_no_fault_in_the_units_and_reads_every_odd_path_as_it_is() {
    let root = tempfile::tempdir().unwrap();
    for odd in ["plain", "with space", "100%n 比赛", "$HOME [x] {y}", "semi;colon #1"] {
        let folder = root.path().join(odd);
        std::fs::create_dir(&folder).unwrap();
        stub(&folder);
        let path = folder.to_str().unwrap();
        let files = deploy::systemd(&entry(path, calendar("30 2 * * *", "Europe/Berlin", "2026-12-01T00:00:00Z"))).unwrap();
        let units: Vec<String> = files.iter().map(|file| folder.join(&file.name).to_str().unwrap().to_owned()).collect();
        for (unit, file) in units.iter().zip(&files) {
            std::fs::write(unit, &file.text).unwrap();
        }
        assert!(files[1].text.contains("Persistent=false\n") && files[1].text.contains("AccuracySec=1s\nRandomizedDelaySec=0\n"));
        let Some(mut verify) = systemd_analyze(&["verify", "--man=no", "--recursive-errors=no", &units[0], &units[1]]) else { return };
        let output = verify.output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{odd}: {}", String::from_utf8_lossy(&output.stderr));
        // With a log of debugging it also prints what it has read.
        let output = verify.env("SYSTEMD_LOG_LEVEL", "debug").output().unwrap();
        let read = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        for expected in [format!("{path}/photofinish"), format!("{path}/results"), format!("ReadWritePaths: {path}/results")] {
            assert!(read.contains(&expected), "{odd}: {expected:?} is not in\n{read}");
        }
        if odd != "$HOME [x] {y}" {
            assert!(read.contains(&format!("EnvironmentFile: {path}/keys.env")), "{odd}:\n{read}");
        }
    }
}

/// What a cron gives to its shell: an escaped `%` is one, any other ends the command.
fn as_cron_reads(line: &str) -> String {
    let mut command = String::new();
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' if chars.peek() == Some(&'%') => command.extend(chars.next()),
            '%' => break,
            c => command.push(c),
        }
    }
    command
}

#[test]
fn a_crontab_line_starts_the_round_from_every_odd_path_and_tells_only_faults() {
    let root = tempfile::tempdir().unwrap();
    for odd in ["plain", "with space", "100% 比赛", "it's \"so\"", "$HOME `x` ;&|", "%d %% \t"] {
        let folder = root.path().join(odd.replace('\t', ""));
        std::fs::create_dir(&folder).unwrap();
        stub(&folder);
        let path = folder.to_str().unwrap();
        let file = deploy::crontab(&entry(path, calendar("17 2 * * *", "Asia/Shanghai", "2026-12-01T00:00:00Z")), "Asia/Shanghai").unwrap();
        let line = file.text.lines().last().unwrap();
        assert!(file.text.lines().rev().skip(1).all(|line| line.starts_with('#')), "{}", file.text);
        let command = as_cron_reads(line.strip_prefix("17 2 * * * ").unwrap());
        let run = |code: &str| {
            std::fs::write(folder.join("code"), code).unwrap();
            let output = Command::new("/bin/sh").arg("-c").arg(&command).env_clear().env("PATH", "/usr/bin:/bin").output().unwrap();
            assert!(output.stderr.is_empty(), "{odd}: {}", String::from_utf8_lossy(&output.stderr));
            (output.status.code(), String::from_utf8(output.stdout).unwrap())
        };
        assert_eq!(run("0"), (Some(0), String::new()), "{odd}: cron would mail it");
        let expected = format!(
            "run\n{path}/plan.yaml\n--round-now\n--env-file\n{path}/keys.env\n--results\n{path}/results\n--allow-key-host\na b.example\n"
        );
        assert_eq!(run("2"), (Some(2), expected), "{odd}");
    }
}

#[test]
fn a_cron_on_another_clock_looks_at_every_moment_at_which_a_round_is_due() {
    for (cron, zone, machine, expected) in [
        ("17 2 * * *", "Asia/Shanghai", "Asia/Singapore", "17 2 * * *"),
        ("17 2 * * *", "Asia/Shanghai", "Europe/Berlin", "17 * * * *"),
        ("17 2 * * *", "Asia/Shanghai", "Asia/Kolkata", "47 * * * *"),
        ("17 2 1 * *", "Asia/Kathmandu", "UTC", "32 * * * *"),
        // Half an hour of summer time: one minute in winter, another in summer.
        ("10 9 * * mon-fri", "UTC", "Australia/Lord_Howe", "10,40 * * * *"),
        // 2:30 does not exist on 28 March, and the round is due at 3:00.
        ("30 2 * * *", "Europe/Berlin", "UTC", "0,30 * * * *"),
    ] {
        let calendar = calendar(cron, zone, "2026-12-01T00:00:00Z");
        let text = deploy::crontab(&entry("/srv/pf", calendar.clone()), machine).unwrap().text;
        let line = text.lines().last().unwrap();
        assert!(line.starts_with(&format!("{expected} told=$(/srv/pf/photofinish run ")), "{cron} {zone} on {machine}: {line}");
        assert_eq!(text.contains("CRON_TZ"), expected.ends_with("* * * *"), "{text}");
        let machine = jiff::tz::TimeZone::get(machine).unwrap();
        let minutes: BTreeSet<i8> = expected.split(' ').next().unwrap().split(',').map(|minute| minute.parse().unwrap()).collect();
        for time in times(&calendar).unwrap().take(200) {
            assert!(minutes.contains(&machine.to_datetime(time).minute()), "{time} is not looked at");
        }
    }
}

/// The documents of a manifest file.
fn documents(text: &str) -> Vec<Value> {
    use serde::Deserialize;
    serde_yaml::Deserializer::from_str(text)
        .map(|document| Value::deserialize(document).unwrap_or_else(|error| panic!("{error}:\n{text}")))
        .collect()
}

fn manifests(cron: &str, plan: &str) -> Vec<Value> {
    let entry = Entry { arguments: vec![], ..entry("/srv/pf", calendar(cron, "Asia/Shanghai", "2026-12-01T00:00:00Z")) };
    let file = |path: &str, text: &str| PlanFileText { path: path.into(), text: text.into() };
    let files = vec![file("夜间 \"plan\".yaml", plan), file("data/of mine.jsonl", "{\"id\": \"a\"}\n")];
    let cluster =
        Cluster { image: "registry.example/photofinish:1@sha256:ab".into(), program: "photofinish".into(), storage: "5Gi".into(), files };
    documents(&deploy::kubernetes(&entry, &cluster).unwrap().text)
}

#[test]
fn the_manifests_are_of_the_types_of_the_kubernetes_api() {
    let types: Value = serde_json::from_str(include_str!("schemas/kubernetes.json")).unwrap();
    let fault = |kind: &str, document: &Value| {
        let mut schema = types.clone();
        schema["$ref"] = format!("#/$defs/{kind}").into();
        let found =
            jsonschema::validator_for(&schema).unwrap().validate(document).map_err(|error| format!("{}: {error}", error.instance_path()));
        found.err()
    };
    let documents = manifests("17 9-17 * * mon-FRI", "name: x\n# 夜间: 100 %\ntargets: ['a/b']\n");
    let kinds: Vec<&str> = documents.iter().map(|document| document["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["ConfigMap", "PersistentVolumeClaim", "CronJob"]);
    for (kind, document) in kinds.iter().zip(&documents) {
        assert_eq!(fault(kind, document), None, "{kind}");
    }
    // The types can tell a fault.
    let mut wrong = documents[2].clone();
    wrong["spec"]["jobTemplate"]["spec"]["template"]["spec"]["restartPolice"] = "Never".into();
    assert!(fault("CronJob", &wrong).is_some());
    wrong = documents[2].clone();
    wrong["spec"]["startingDeadlineSeconds"] = "soon".into();
    assert!(fault("CronJob", &wrong).is_some());
}

#[test]
fn a_cronjob_says_what_a_calendar_needs() {
    let plan = "name: x\n\n# two\n";
    let documents = manifests("*/20 9 * * sun", plan);
    assert_eq!(documents[0]["data"]["plan"], plan);
    let job = &documents[2]["spec"];
    let shown = |path: &str| job.pointer(path).unwrap_or_else(|| panic!("{path} in {job:#}")).to_string();
    assert_eq!(shown("/schedule"), "\"0,20,40 9 * * 0\"");
    assert_eq!(shown("/timeZone"), "\"Asia/Shanghai\"");
    assert_eq!(shown("/concurrencyPolicy"), "\"Forbid\"");
    assert_eq!(shown("/startingDeadlineSeconds"), "300");
    assert_eq!(shown("/jobTemplate/spec/backoffLimit"), "0");
    let pod = "/jobTemplate/spec/template/spec";
    assert_eq!(shown(&format!("{pod}/restartPolicy")), "\"Never\"");
    assert_eq!(shown(&format!("{pod}/terminationGracePeriodSeconds")), "930");
    assert_eq!(shown(&format!("{pod}/securityContext/runAsNonRoot")), "true");
    assert_eq!(shown(&format!("{pod}/containers/0/securityContext/readOnlyRootFilesystem")), "true");
    let command = shown(&format!("{pod}/containers/0/command"));
    assert_eq!(command, r#"["photofinish","run","/etc/photofinish/夜间 \"plan\".yaml","--round-now","--results","/results"]"#);
    let env = shown(&format!("{pod}/containers/0/env/1/valueFrom/secretKeyRef"));
    assert_eq!(env, r#"{"key":"VLLM_API_KEY","name":"photofinish-night-keys","optional":true}"#);
    assert_eq!(shown(&format!("{pod}/volumes/0/configMap/items/1")), r#"{"key":"file-1","path":"data/of mine.jsonl"}"#);
}

#[test]
fn what_another_scheduler_cannot_say_is_refused() {
    let of = |cron: &str| entry("/srv/pf", calendar(cron, "UTC", "2026-12-01T00:00:00Z"));
    let cluster = || Cluster { image: "i".into(), program: "p".into(), storage: "1Gi".into(), files: vec![] };
    for cron in ["0 0 L * *", "0 0 * * 5#2"] {
        for told in [
            deploy::systemd(&of(cron)).map(drop),
            deploy::crontab(&of(cron), "UTC").map(drop),
            deploy::kubernetes(&of(cron), &cluster()).map(drop),
        ] {
            let told = told.unwrap_err().to_string();
            assert!(told.contains("plain numbers") && told.contains("photofinish watch"), "{told}");
        }
    }
    assert!(deploy::systemd(&of("0 0 13 * +5")).is_ok(), "systemd has both days in one line");
    assert!(deploy::kubernetes(&of("0 0 13 * +5"), &cluster()).is_err());
    let broken = entry("/srv/a\nRunAs=root", calendar("@daily", "UTC", "2026-12-01T00:00:00Z"));
    assert!(deploy::systemd(&broken).unwrap_err().to_string().contains("rename it"));
    assert!(deploy::crontab(&broken, "UTC").is_err() && deploy::kubernetes(&broken, &cluster()).is_err());
    let long = entry(&format!("/srv/{}", "x".repeat(400)), calendar("@daily", "UTC", "2026-12-01T00:00:00Z"));
    assert!(deploy::crontab(&long, "UTC").unwrap_err().to_string().contains("cron takes 998"));
    let large = Cluster { files: vec![PlanFileText { path: "p".into(), text: "x".repeat(1_100_000) }], ..cluster() };
    assert!(deploy::kubernetes(&of("@daily"), &large).unwrap_err().to_string().contains("ConfigMap holds"));
}
