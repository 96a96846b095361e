//! The simulator as a server: connections, keys, models, garbage, TLS, time, truth, and its end.

mod simulator;

use serde_json::Value;
use simulator::{ASK, Answer, End, Sim, connect_tls, post, writes};
use std::io::{Read, Write};
use std::process::Stdio;

#[test]
fn the_peers_stream_leaves_as_its_table_says() {
    let sim = Sim::start("builtin:peers", &[]);
    let answer = sim.stream("peers");
    assert_eq!(answer.usage().unwrap()["completion_tokens"], 40);
    let truth = sim.truth().remove(0);
    let tokens = |phase| writes(&truth, phase).iter().map(|(_, tokens)| *tokens).collect::<Vec<_>>();
    assert_eq!((tokens("r"), tokens("c")), (vec![1; 20], vec![2; 10]));
    // No write is early; how late one is hangs on the machine. The plan itself is tested in virtual time.
    let due = |at: &[f64], due: Vec<f64>| {
        assert_eq!(at.len(), due.len());
        assert!(at.iter().zip(&due).all(|(at, due)| due <= at), "{at:?} against {due:?}");
    };
    let at = |phase| writes(&truth, phase).iter().map(|(at, _)| *at).collect::<Vec<_>>();
    due(&at("r"), (0..20).map(|i| 500.0 + 20.0 * f64::from(i)).collect());
    due(&at("c"), (0..10).map(|i| 1000.0 + 40.0 * f64::from(i)).collect());
    due(&at("-")[..4], vec![200.0, 1380.0, 1500.0, 1500.0]);
}

#[test]
fn the_cases_of_the_peers_end_as_their_titles_say() {
    let sim = Sim::start("builtin:peers", &["--scale", "20"]);
    let half = sim.stream("eof-half");
    assert_eq!((half.reasoning().split_whitespace().count(), half.content().split_whitespace().count()), (20, 10));
    assert_eq!((half.end, half.finish(), half.done()), (End::Clean, None, false));
    let error = sim.stream("error-in-200");
    assert_eq!(error.content().split_whitespace().count(), 10);
    assert!(error.body().contains("\"error\"") && !error.done());
    assert!(sim.stream("error-then-done").done());
    assert_eq!(sim.stream("stall").body().matches(": keep-alive").count(), 19);
    assert!(!sim.stream("reasoning-field").body().contains("reasoning_content"));
    let limited = sim.stream("rate-limited-once");
    assert_eq!((limited.status, limited.header("retry-after")), (429, Some("1")));
    assert_eq!(sim.stream("rate-limited-once").status, 200);
    let chunks = sim.stream("several-per-chunk");
    assert_eq!(
        chunks
            .json()
            .iter()
            .filter(|event| event["choices"][0]["delta"]["content"].as_str().is_some_and(|text| text.contains(' ')))
            .count(),
        5
    );
    let both = sim.truth().into_iter().find(|line| line["system"] == "stall").unwrap();
    assert_eq!(both["faults"], serde_json::json!(["stall"]));
}

#[test]
fn one_connection_serves_many_requests_pipelined_ones_too() {
    let sim = Sim::start("systems: {a: {ttft_ms: 2, content: {tokens: 5, speed: 5000}}}", &[]);
    let mut stream = sim.connect();
    for _ in 0..5 {
        stream.write_all(&post("a", ASK, "")).unwrap();
        let answer = Answer::read(&mut stream);
        assert_eq!((answer.status, answer.done(), answer.content().split_whitespace().count()), (200, true, 5));
    }
    let mut two = post("a", ASK, "");
    two.extend(post("a", ASK, "connection: close\r\n"));
    stream.write_all(&two).unwrap();
    let mut all = String::new();
    stream.read_to_string(&mut all).unwrap();
    assert_eq!(all.matches("data: [DONE]").count(), 2, "both are answered, then the connection is closed as asked");
    let truth = sim.truth();
    assert_eq!(truth.len(), 7);
    assert!(truth.iter().all(|line| line["connection"] == 0 && line["ended"] == "clean"));
    assert_eq!(truth.iter().map(|line| line["nth"].as_u64().unwrap()).collect::<Vec<_>>(), [0, 1, 2, 3, 4, 5, 6]);
}

#[test]
fn garbage_gets_a_400_and_harms_nobody() {
    let sim = Sim::start("systems: {a: {ttft_ms: 2, content: {tokens: 5, speed: 5000}}}", &[]);
    for garbage in [
        &b"\x16\x03\x01\x00\xa5\x01\x00\x00"[..],
        b"hello\r\n\r\n",
        b"GET / HTTP/9\r\n\r\n",
        b"POST /a/chat/completions HTTP/1.1\r\nbad header\r\n\r\n",
    ] {
        let mut stream = sim.connect();
        stream.write_all(garbage).unwrap();
        let answer = Answer::read(&mut stream);
        assert_eq!((answer.status, answer.header("connection")), (400, Some("close")));
    }
    let mut pipelined = post("a", ASK, "");
    pipelined.extend(b"\0\0\0 nonsense");
    let mut stream = sim.connect();
    stream.write_all(&pipelined).unwrap();
    let mut all = String::new();
    stream.read_to_string(&mut all).unwrap();
    assert!(all.contains("[DONE]") && all.contains("HTTP/1.1 400"), "{all}");
    for (path, json, status) in [("a", "{not json", 400), ("a", r#"{"stream":false}"#, 400), ("a", "[]", 400), ("nobody", ASK, 404)] {
        assert_eq!(sim.ask(path, json).status, status, "{json}");
    }
    assert_eq!(sim.stream("a").status, 200);
}

#[test]
fn keys_and_models_are_looked_at_where_the_behaviour_says() {
    let sim = Sim::start(
        "defaults: {ttft_ms: 2, content: {tokens: 5, speed: 5000}}\n\
         systems:\n  open: {}\n  own: {key: sk-right, dialect: vllm}\n  any: {key: any}\n  azure: {key: sk-right, dialect: azure-openai}\n  few: {models: [m, other], dialect: vllm}\n",
        &[],
    );
    let ask = |system: &str, headers: &str| {
        let mut stream = sim.connect();
        stream.write_all(&post(system, ASK, headers)).unwrap();
        Answer::read(&mut stream)
    };
    for (system, headers, status) in [
        ("open", "", 200),
        ("own", "", 401),
        ("own", "authorization: Bearer sk-wrong\r\n", 401),
        ("own", "authorization: Bearer sk-right\r\n", 200),
        ("any", "", 401),
        ("any", "Authorization: Bearer whatever\r\n", 200),
        ("azure", "api-key: sk-right\r\n", 200),
        ("azure", "api-key: sk-wrong\r\n", 401),
    ] {
        assert_eq!(ask(system, headers).status, status, "{system} {headers}");
    }
    assert_eq!(ask("own", "").body(), r#"{"error":"Unauthorized"}"#);
    assert_eq!(sim.ask("few", ASK).status, 200);
    let missing = sim.ask("few", &ASK.replace(r#""m""#, r#""nope""#));
    assert_eq!(missing.status, 404);
    assert!(missing.body().contains("The model `nope` does not exist."), "{}", missing.body());
    let mut stream = sim.connect();
    stream.write_all(b"GET /few/v1/models HTTP/1.1\r\nhost: sim\r\n\r\n").unwrap();
    let list: Value = serde_json::from_str(&Answer::read(&mut stream).body()).unwrap();
    assert_eq!((&list["data"][0]["id"], &list["data"][1]["id"]), (&"m".into(), &"other".into()));
}

#[test]
fn a_seed_repeats_every_reply_whatever_the_order() {
    let yaml = "defaults: {ttft_ms: 1, reasoning: {tokens: {normal: {mean: 12, sd: 4}}, speed: 9000}, content: {tokens: {uniform: {from: 3, to: 30}}, speed: 9000}}\n\
                systems: {a: , b: }\n";
    let ask = |n: usize| ASK.replace("Say", &format!("Say {n}"));
    let said = |seed: &str, order: &[usize]| {
        let sim = Sim::start(yaml, &["--seed", seed]);
        let mut said: Vec<_> =
            order.iter().map(|n| (*n, sim.ask("a", &ask(*n)))).map(|(n, answer)| (n, answer.reasoning(), answer.content())).collect();
        said.sort();
        said
    };
    let first = said("5", &[1, 2, 3, 4]);
    assert_eq!(first, said("5", &[4, 2, 3, 1]));
    assert_ne!(first, said("6", &[1, 2, 3, 4]));
    let sim = Sim::start(yaml, &["--seed", "5"]);
    let (once, again, other) = (sim.stream("a").content(), sim.stream("a").content(), sim.stream("b").content());
    assert!(once != again && once != other, "the same request again, and another system, are answered by other draws");
}

#[test]
fn a_scale_divides_times_and_fast_systems_bundle() {
    let yaml = "scale: 10\nbundle_at_least_ms: 4\nsystems:\n  fast: {ttft_ms: 100, content: {tokens: 200, speed: 1000}}\n  slow: {ttft_ms: 100, content: {tokens: 20, speed: 20}}\n";
    let sim = Sim::start(yaml, &[]);
    assert_eq!((sim.ready["scale"].as_f64(), sim.ready["systems"].as_array().unwrap().len()), (Some(10.0), 2));
    sim.stream("fast");
    sim.stream("slow");
    let truth = sim.truth();
    // 10 000 tok/s of the clock, 4 ms apart: 40 a write. 200 tok/s: one each 5 ms.
    for (line, each, writes_in_all, apart_ms) in [(&truth[0], 40, 5, 4.0), (&truth[1], 1, 20, 5.0)] {
        let content = writes(line, "c");
        assert_eq!(content.iter().map(|(_, tokens)| *tokens).collect::<Vec<_>>(), vec![each; writes_in_all]);
        for (index, (at, _)) in content.iter().enumerate() {
            assert!(10.0 + apart_ms * index as f64 <= *at, "{content:?}");
        }
    }
}

#[test]
fn a_cap_ends_the_reply_as_the_provider_means_it() {
    let sim = Sim::start(
        "defaults: {ttft_ms: 1, reasoning: {tokens: 20, speed: 9000}, content: {tokens: 20, speed: 9000}}\n\
         systems: {deepseek: {dialect: deepseek}, siliconflow: {dialect: siliconflow}}\n",
        &[],
    );
    let ask = |system: &str, cap: &str| {
        let answer = sim.ask(system, &ASK.replacen('{', &format!("{{{cap},"), 1));
        let count = |text: String| text.split_whitespace().count();
        (count(answer.reasoning()), count(answer.content()), answer.finish().unwrap())
    };
    assert_eq!(ask("deepseek", r#""max_tokens":25"#), (20, 5, "length".to_owned()));
    assert_eq!(ask("siliconflow", r#""max_tokens":12"#), (20, 12, "length".to_owned()));
    assert_eq!(ask("siliconflow", r#""max_completion_tokens":25"#), (20, 5, "length".to_owned()));
    assert_eq!(ask("deepseek", r#""enable_thinking":false"#), (0, 20, "stop".to_owned()));
}

#[test]
fn tls_serves_the_same_streams_one_record_a_chunk() {
    let sim = Sim::start("builtin:providers", &["--tls-port", "0"]);
    let ca = sim.ready["ca_file"].as_str().unwrap().to_owned();
    let mut stream = connect_tls(&sim);
    for _ in 0..2 {
        stream.write_all(&post("deepseek", ASK, "x-request-id: t-1\r\n")).unwrap();
        let answer = Answer::read(&mut stream);
        assert_eq!((answer.status, answer.done(), answer.end), (200, true, End::Clean));
        assert_eq!(answer.reasoning().split_whitespace().count(), 24);
    }
    let truth = sim.truth();
    assert!(truth.iter().all(|line| line["tls"] == true && line["request_id"] == "t-1"));
    assert!(!std::path::Path::new(&ca).exists(), "the certificate goes with the simulator");
}

#[test]
fn every_write_is_one_chunk_and_lies_between_its_two_times() {
    let sim = Sim::start("builtin:providers", &[]);
    let answer = sim.stream("vllm");
    let line = sim.truth().remove(0);
    let list = |key: &str| line[key].as_array().unwrap().iter().map(|ns| ns.as_u64().unwrap()).collect::<Vec<_>>();
    let (before, after) = (list("before_ns"), list("after_ns"));
    // The last write is the end of the chunked body.
    assert_eq!(before.len(), answer.chunks.len() + 1);
    assert!(before.iter().zip(&after).all(|(before, after)| before <= after));
    assert!(after.iter().zip(&before[1..]).all(|(after, next)| after <= next));
    let head = line["head_before_ns"].as_u64().unwrap();
    assert!(line["received_ns"].as_u64().unwrap() <= head && head <= before[0]);
    assert!(*after.last().unwrap() <= line["ended_ns"].as_u64().unwrap());
}

#[test]
fn a_stream_under_way_is_in_the_log_when_the_simulator_ends() {
    let sim = Sim::start("systems: {a: {ttft_ms: 1, content: {tokens: 5000, speed: 100}}}", &[]);
    let mut stream = sim.connect();
    stream.write_all(&post("a", ASK, "")).unwrap();
    let mut some = [0; 3000];
    stream.read_exact(&mut some).unwrap();
    let truth = sim.truth();
    assert_eq!((truth.len(), truth[0]["ended"].as_str()), (1, Some("stopped")));
    assert!(0 < truth[0]["content_tokens"].as_u64().unwrap() && truth[0]["content_tokens"].as_u64().unwrap() < 5000);
}

#[test]
fn a_client_that_goes_is_told_of() {
    let sim = Sim::start("systems: {a: {ttft_ms: 1, content: {tokens: 5000, speed: 1000}}}", &[]);
    let mut stream = sim.connect();
    stream.write_all(&post("a", ASK, "")).unwrap();
    stream.read_exact(&mut [0; 1000]).unwrap();
    drop(stream);
    while std::fs::read_to_string(sim.log()).unwrap().is_empty() {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    assert_eq!(sim.truth()[0]["ended"], "client_gone");
}

#[test]
fn the_simulator_ends_with_its_parent() {
    // A shell starts the simulator as of its own, tells us when it serves, and ends.
    let binary = env!("CARGO_BIN_EXE_photofinish");
    let script = format!("{binary} sim --port 0 --behaviour builtin:calibration --parent $$ & read line; echo $!");
    let mut shell = std::process::Command::new("sh").args(["-c", &script]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut out = std::io::BufReader::new(shell.stdout.take().unwrap());
    let mut line = String::new();
    std::io::BufRead::read_line(&mut out, &mut line).unwrap();
    assert!(line.starts_with("READY "), "{line}");
    drop(shell.stdin.take());
    shell.wait().unwrap();
    let mut pid = String::new();
    std::io::BufRead::read_line(&mut out, &mut pid).unwrap();
    // Its end closes the pipe that it holds. The patience is only there so that a broken simulator does not keep the test.
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || tell.send(out.read_to_end(&mut Vec::new()).unwrap()));
    if told.recv_timeout(std::time::Duration::from_secs(60)).is_err() {
        std::process::Command::new("kill").arg(pid.trim()).status().unwrap();
        panic!("process {pid} outlived its parent");
    }
}

#[test]
fn ready_names_a_provider_profile_for_every_system() {
    let sim = Sim::start("builtin:providers", &[]);
    let profiles = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("providers");
    for detail in sim.ready["details"].as_array().unwrap() {
        let file = profiles.join(format!("{}.yaml", detail["provider"].as_str().unwrap()));
        assert!(file.exists(), "{detail}: there is no {}", file.display());
    }
}

#[test]
fn a_mistake_in_the_behaviour_names_file_line_and_key_and_ends_with_2() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("mine.yaml");
    std::fs::write(&file, "systems:\n  a:\n    ttft_ms: {normal: {mean: 3, deviation: 1}}\n").unwrap();
    let output = simulator::command().args(["sim", "--port", "0", "--behaviour"]).arg(&file).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), output.stdout.is_empty()), (Some(2), true));
    assert!(said.contains("mine.yaml:3: systems.a.ttft_ms") && said.contains("deviation"), "{said}");
    let output = simulator::command().args(["sim", "--behaviour", "builtin:nope"]).output().unwrap();
    assert!(String::from_utf8(output.stderr).unwrap().contains("builtin:demo"));
    let output = simulator::command().args(["sim", "--port", "0", "--scale", "0"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}
