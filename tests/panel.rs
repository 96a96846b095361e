//! One quantity laid out by target, round and prompt: what is charged, what is absent, and what has no value.

mod hand;

use photofinish::analysis::{Entry, Joined, Panel, Quantity, panel};
use photofinish::metric::Outcome;
use photofinish::record::NotSent;
use photofinish::store::Run;
use photofinish::timeline::{ErrorKind, Finish, FinishSeen, Phase};
use photofinish::tokens::Basis;

/// The limit of every hand-made run, s.
const T: f64 = 300.0;

fn laid(run: &Run, quantity: Quantity) -> Panel {
    let sheets = hand::sheets(std::slice::from_ref(run));
    panel(&Joined::new(&sheets).unwrap(), quantity, Basis::Reference)
}

fn pair(rounds: u32, prompts: u32, answer: impl Fn(u32, u32, usize) -> photofinish::record::Answer) -> Run {
    let mut run = hand::run(vec![hand::target("a/r1"), hand::target("b/r1")], rounds, prompts);
    hand::fill(&mut run, answer);
    run
}

fn good() -> photofinish::record::Answer {
    hand::reply(400.0, 20.0, 20, 40)
}

fn failed() -> photofinish::record::Answer {
    hand::failed(503, ErrorKind::Overloaded, "no")
}

fn limited() -> photofinish::record::Answer {
    hand::failed(429, ErrorKind::RateLimit, "slow down")
}

#[test]
fn failures_are_charged_as_the_vectors_say() {
    let file: serde_json::Value = serde_json::from_str(include_str!("vectors/failures_charged.json")).unwrap();
    for case in file["cases"].as_array().unwrap() {
        let latency = case["input"]["latency"].as_array().unwrap();
        let mut run = hand::run(vec![hand::target("a/r1")], 1, latency.len() as u32);
        run.manifest.limits.total_ms = (case["input"]["T"].as_f64().unwrap() * 1e3) as u64;
        hand::fill(&mut run, |_, block, _| match latency[block as usize - 1].as_f64() {
            Some(seconds) => hand::reply(seconds * 1e3, 0.0, 0, 20),
            None => failed(),
        });
        let panel = laid(&run, Quantity::E2e);
        let expected = &case["expected"];
        let close = |seen: f64, name: &str| {
            let told = expected[name].as_f64().unwrap();
            assert!((seen - told).abs() <= 1e-9 * told, "{} {name}: {seen} instead of {told}", case["id"]);
        };
        let times: Vec<f64> = panel.entries(0, 0).iter().map(|entry| entry.time().unwrap() / 1e3).collect();
        close(times.iter().sum::<f64>() / times.len() as f64, "mean_charged");
        close(panel.levels(0)[0].1.exp() / 1e3, "geo_charged");
        let (ok, sent) = panel.success(0);
        close(ok as f64 / sent as f64, "success");
    }
}

#[test]
fn a_late_reply_costs_no_more_than_the_limit() {
    let run = pair(1, 1, |_, _, target| if target == 0 { hand::reply(T * 1e3 + 50.0, 0.0, 0, 20) } else { failed() });
    let panel = laid(&run, Quantity::Ttft);
    assert_eq!(panel.entries(0, 0), [Entry::Good(T * 1e3)]);
    assert_eq!(panel.entries(1, 0), [Entry::Failed { charge: T * 1e3, rate_limited: false }]);
    assert_eq!(panel.limit_s, T);
}

#[test]
fn a_rate_is_charged_the_limit_over_the_tokens_that_the_prompt_takes() {
    // Prompt 1: three good replies of 60, 60 and 120 tokens. Prompt 2: none at all.
    let run = pair(2, 2, |round, block, target| match (round, block, target) {
        (_, 2, _) | (2, 1, 0) => failed(),
        (2, 1, 1) => hand::reply(400.0, 20.0, 20, 100),
        _ => good(),
    });
    let spt = laid(&run, Quantity::Spt);
    assert_eq!(spt.entries(0, 1), [Entry::Failed { charge: T / 60.0, rate_limited: false }, Entry::Absent]);
    assert!(matches!(spt.entries(0, 0)[0], Entry::Good(s) if (s - 1.58 / 60.0).abs() < 1e-12));
    // The part counts: content is 40, 40 and 100 tokens; reasoning 20 throughout.
    let charge = |quantity| laid(&run, quantity).entries(0, 1)[0];
    assert_eq!(charge(Quantity::ContentSpeed), Entry::Failed { charge: T / 40.0, rate_limited: false });
    assert_eq!(charge(Quantity::ReasoningSpeed), Entry::Failed { charge: T / 20.0, rate_limited: false });
    // Held as a time, read as a rate.
    let speed = laid(&run, Quantity::ContentSpeed);
    let Entry::Good(seconds) = speed.entries(0, 0)[0] else { panic!("{:?}", speed.entries(0, 0)) };
    assert!((speed.quantity.shown(seconds) - 50.0).abs() < 1e-9);
}

#[test]
fn a_target_that_never_reasons_has_no_reasoning_speed_and_is_not_charged_for_it() {
    let run = pair(2, 1, |round, _, target| match (round, target) {
        (2, _) => failed(),
        (_, 0) => good(),
        _ => hand::reply(400.0, 20.0, 0, 40),
    });
    let panel = laid(&run, Quantity::ReasoningSpeed);
    assert_eq!([panel.entries(1, 0), panel.entries(1, 1)], [[Entry::Undefined], [Entry::Undefined]]);
    assert_eq!(panel.entries(0, 1), [Entry::Failed { charge: T / 20.0, rate_limited: false }]);
}

#[test]
fn what_does_not_count_is_absent_and_what_this_client_missed_counts_as_sent() {
    let mut run = pair(3, 100, |_, _, _| good());
    let at = |round: usize, block: usize, target: usize| (round - 1) * 200 + (block - 1) * 2 + target;
    // Not reached by this client: one of 200 in round 1.
    (run.trials[at(1, 1, 1)].answer, run.trials[at(1, 1, 1)].not_sent) = (None, Some(NotSent::ClientBehind));
    // Round 2: the set-up of b is at fault from block 3 on, and block 1 was interrupted.
    run.trials[at(2, 3, 1)].answer = Some(Box::new(hand::failed(401, ErrorKind::Auth, "no such key")));
    run.trials[at(2, 1, 0)].answer.as_mut().unwrap().ended = photofinish::timeline::Ended::Cancelled;
    // Round 3: block 1 was sent anew.
    for target in 0..2 {
        hand::put(&mut run, 3, 1, target, hand::reply(100.0, 20.0, 20, 40)).attempt = 2;
    }
    let panel = laid(&run, Quantity::Ttft);
    assert_eq!((panel.entries(0, 0)[0], panel.entries(1, 0)[0]), (Entry::Good(400.0), Entry::Absent));
    assert_eq!((panel.targets[0].success[0], panel.targets[1].success[0]), ((100, 100), (99, 100)));
    assert_eq!([panel.entries(0, 1)[0], panel.entries(1, 1)[0], panel.entries(1, 1)[2]], [Entry::Absent; 3]);
    assert_eq!((panel.targets[0].success[1], panel.targets[1].success[1]), ((99, 99), (98, 98)));
    assert_eq!(panel.entries(1, 2)[0], Entry::Good(100.0));
    assert_eq!(panel.differences(0, 1).iter().map(|d| d.round).collect::<Vec<_>>(), [0, 1, 2]);
}

#[test]
fn short_and_bundled_replies_have_no_speed_and_keep_their_times() {
    let run = pair(1, 1, |_, _, target| match target {
        0 => hand::reply(400.0, 20.0, 0, 8),
        _ => {
            let mut bundled = hand::empty_reply();
            hand::say(&mut bundled, 900.0, Phase::Content, 50);
            hand::say(&mut bundled, 950.0, Phase::Content, 10);
            bundled
        }
    });
    let entry = |quantity, target| laid(&run, quantity).entries(target, 0)[0];
    for quantity in [Quantity::ContentSpeed, Quantity::OverallSpeed, Quantity::Spt, Quantity::Decode] {
        assert_eq!(entry(quantity, 0), Entry::Undefined, "{}", quantity.name());
    }
    assert_eq!([entry(Quantity::ContentSpeed, 1), entry(Quantity::Decode, 1)], [Entry::Undefined; 2]);
    assert!(matches!(entry(Quantity::OverallSpeed, 1), Entry::Good(_)));
    assert_eq!(entry(Quantity::E2e, 0), Entry::Good(540.0));
    let panel = laid(&run, Quantity::Decode);
    assert_eq!([panel.targets[0].bundled, panel.targets[1].bundled], [0, 1]);
}

#[test]
fn a_reply_capped_within_its_reasoning_is_charged_for_the_answer_that_never_came() {
    let run = pair(1, 1, |_, _, target| {
        let mut reply = hand::reply(400.0, 20.0, 30, if target == 0 { 0 } else { 10 });
        reply.finish = Some(FinishSeen { raw: "length".into(), normal: Finish::Length });
        reply
    });
    assert_eq!(laid(&run, Quantity::Ttfa).entries(0, 0), [Entry::Failed { charge: T * 1e3, rate_limited: false }]);
    assert_eq!(laid(&run, Quantity::Ttfa).entries(1, 0), [Entry::Good(1000.0)]);
    assert_eq!(laid(&run, Quantity::E2e).success(0), (1, 1));
}

#[test]
fn what_bears_on_ranking_is_counted() {
    let run = pair(2, 2, |round, block, target| match (round, block, target) {
        (1, 1, 1) => limited(),
        (1, 2, 1) => {
            let mut hidden = hand::reply(400.0, 20.0, 0, 40);
            (hidden.usage.as_mut().unwrap().reasoning, hidden.usage.as_mut().unwrap().completion) = (Some(100), Some(140));
            hidden
        }
        (2, 1, 1) => {
            let mut untold = good();
            (untold.text, untold.usage) = (None, None);
            untold
        }
        _ => good(),
    });
    let panel = laid(&run, Quantity::E2e);
    let target = &panel.targets[1];
    assert_eq!((target.rate_limited, target.hidden, target.uncounted, target.bundled), (1, 1, 1, 0));
    assert_eq!(panel.entries(1, 0)[0], Entry::Failed { charge: T * 1e3, rate_limited: true });
    assert_eq!(panel.without_rate_limited().entries(1, 0)[0], Entry::Absent);
    assert_eq!(Outcome::RateLimited.name(), "rate_limited");
}

#[test]
fn rounds_of_several_runs_stand_in_order_of_time() {
    let (mut first, mut second) = (pair(2, 1, |_, _, _| good()), pair(2, 1, |_, _, _| good()));
    // The second run began between the rounds of the first.
    second.manifest.run = "ffffff".into();
    second.manifest.created += jiff::SignedDuration::from_mins(30);
    for trial in &mut second.trials {
        trial.wall += jiff::SignedDuration::from_mins(30);
    }
    // Warm-ups are on record and never samples.
    hand::put(&mut first, 1, 0, 0, good()).role = photofinish::record::Role::WarmUp;
    let sheets = hand::sheets(&[second, first]);
    let panel = panel(&Joined::new(&sheets).unwrap(), Quantity::E2e, Basis::Reference);
    let rounds: Vec<(usize, u32)> = panel.rounds.iter().map(|round| (round.run, round.round)).collect();
    assert_eq!(rounds, [(0, 1), (1, 1), (0, 2), (1, 2)]);
    assert_eq!(panel.success(0), (4, 4));
}

#[test]
fn a_simulated_run_is_charged_on_the_scale_of_what_it_imitates() {
    let mut run = pair(1, 1, |_, _, target| if target == 0 { good() } else { failed() });
    hand::simulate(&mut run, 10.0);
    let panel = laid(&run, Quantity::Ttft);
    assert_eq!(
        [panel.entries(0, 0)[0], panel.entries(1, 0)[0]],
        [Entry::Good(4000.0), Entry::Failed { charge: T * 1e4, rate_limited: false }]
    );
    assert_eq!(panel.limit_s, T * 10.0);
}
