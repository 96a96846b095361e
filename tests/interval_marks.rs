//! What rests on times that are known as intervals is an interval, holds the truth, and says so; no gap is taken within a read.

mod hand;

use photofinish::metric::{Observation, Reply, Rules, Tally, Undefined, metric};
use photofinish::record::Answer;
use photofinish::report::Format;
use photofinish::timeline::{Phase, Point, Timeline};
use photofinish::tokens::{Basis, Reference};
use photofinish::units::{Offset, ms};
use proptest::prelude::*;

/// Texts of one token, each a write of its own, at these ms; `after` ends a read behind a text. The last text shares its read with the
/// reply's end, which comes `end` ms later, where that is told.
#[derive(Debug, Clone)]
struct Stream {
    at: Vec<u64>,
    reads_end: Vec<bool>,
    thinking: usize,
    end: Option<u64>,
}

fn phase(stream: &Stream, i: usize) -> Phase {
    if i < stream.thinking { Phase::Reasoning } else { Phase::Content }
}

/// What a client sees that was there for every text.
fn truth(stream: &Stream) -> Answer {
    seen(&Stream { reads_end: vec![true; stream.at.len()], end: None, ..stream.clone() })
}

/// What this client saw: the kernel tells the newest time of a read, which is that of its last text alone.
fn seen(stream: &Stream) -> Answer {
    let mut answer = hand::reply(1.0, 1.0, stream.thinking, stream.at.len() - stream.thinking);
    answer.timeline = Timeline::default();
    let (mut before, mut first, mut read) = (0, 0, 1);
    for last in 0..stream.at.len() {
        let is_last = last + 1 == stream.at.len();
        if !stream.reads_end[last] && !is_last {
            continue;
        }
        let end = stream.end.filter(|_| is_last);
        let newest = stream.at[last] + end.unwrap_or(0);
        for i in first..=last {
            let exact = i == last && end.is_none();
            let width_ns = if exact { 0 } else { ms(newest - before).max(1) };
            let (phase, chunk) = (phase(stream, i), i as u32 + 1);
            answer.timeline.push(Point { at: Offset(ms(newest)), width_ns, phase, bytes: 5, chunk, read });
        }
        (before, first, read) = (newest, last + 1, read + 1);
    }
    answer.stamps.closed = answer.timeline.last().map(|last| hand::T0.plus(last.at.0));
    answer
}

fn observed(answer: &Answer, name: &str) -> Result<Observation, Undefined> {
    let run = hand::run(vec![hand::target("a/r1")], 1, 1);
    let tally = Tally::of(answer, &run.manifest.targets[0], &Reference::o200k());
    let reply = Reply::new(answer, &tally, Basis::Reference, Rules::of(&run.manifest));
    (metric(name).unwrap().of)(&reply)
}

fn streams() -> impl Strategy<Value = Stream> {
    (prop::collection::vec((1u64..900, prop::bool::weighted(0.6)), 2..30), 0usize..10, prop::option::of(0u64..40)).prop_map(
        |(texts, thinking, end)| {
            let at = texts.iter().scan(0, |at, (gap, _)| {
                *at += gap;
                Some(*at)
            });
            let (at, reads_end): (Vec<u64>, Vec<bool>) = (at.collect(), texts.iter().map(|(_, end)| *end).collect());
            let thinking = thinking.min(at.len() - 1);
            Stream { at, reads_end, thinking, end }
        },
    )
}

fn holds(seen: &Observation, truth: f64) -> bool {
    let slack = 1e-9 * truth.abs().max(1.0);
    seen.low - slack <= truth && truth <= seen.high + slack
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn a_time_or_a_gap_that_rests_on_an_interval_is_one_that_holds_the_truth(stream in streams()) {
        let (seen, truth) = (seen(&stream), truth(&stream));
        for name in ["ttft", "ttfa", "e2e", "think", "switch_gap", "max_gap", "stall_time", "stalls", "overall_speed", "spt"] {
            let Ok(found) = observed(&seen, name) else { continue };
            let value = observed(&truth, name).unwrap().value;
            prop_assert!(holds(&found, value), "{}: {:?} of a truth of {}", name, found, value);
        }
    }

    #[test]
    fn a_ttft_on_an_interval_mark_is_a_ttft_interval(stream in streams()) {
        let seen = seen(&stream);
        let first = seen.timeline.points().next().unwrap();
        let ttft = observed(&seen, "ttft").unwrap();
        prop_assert_eq!(ttft.low < ttft.high, !first.exact());
        prop_assert_eq!((ttft.low, ttft.high), (first.earliest().ms(), first.at.ms()));
    }

    #[test]
    fn no_gap_of_two_texts_of_one_read_is_ever_taken(stream in streams()) {
        let seen = seen(&stream);
        let reads = seen.timeline.last().map_or(0, |last| last.read);
        match observed(&seen, "max_gap") {
            Ok(gap) => {
                prop_assert!(1 < reads && 0.0 < gap.value, "{:?}", gap);
                let mut ends: Vec<u64> = seen.timeline.points().map(|point| point.at.0).collect();
                ends.dedup();
                let steps = ends.windows(2).map(|two| two[1] - two[0]).max().unwrap();
                prop_assert!((gap.value - steps as f64 / 1e6).abs() < 1e-9, "a gap is the time between two reads: {:?}", gap);
            }
            Err(why) => prop_assert!(reads == 1 && why == Undefined::OneRead, "{:?} in {} reads", why, reads),
        }
    }

    #[test]
    fn decode_speed_comes_from_the_exact_marks_where_they_span_half_of_the_reply(stream in streams()) {
        let seen = seen(&stream);
        let points: Vec<Point> = seen.timeline.points().collect();
        let exact: Vec<usize> = (0..points.len()).filter(|i| points[*i].exact()).collect();
        let spanned = exact.first().zip(exact.last()).filter(|(from, to)| from < to).map(|(from, to)| (*from, *to));
        let spanned = spanned.filter(|(from, to)| points.len() - 1 <= 2 * (to - from));
        let bundled = observed(&seen, "decode") == Err(Undefined::Bundled);
        if let Some((from, to)) = spanned.filter(|_| !bundled) {
            // Of exact marks the seen time is the true one.
            let wanted = 1e3 * (to - from) as f64 / (stream.at[to] - stream.at[from]) as f64;
            let speed = observed(&seen, "decode").unwrap();
            prop_assert!((speed.value - wanted).abs() < 1e-9 * wanted && speed.low == speed.high, "{:?} instead of {}", speed, wanted);
        } else if let Ok(speed) = observed(&seen, "decode") {
            prop_assert!(speed.low < speed.high, "without exact marks it is an interval: {:?}", speed);
        }
    }
}

#[test]
fn a_table_tells_what_the_marks_leave_open_in_json_and_csv() {
    let mut run = hand::run(vec![hand::target("a/r1"), hand::target("b/r1")], 3, 2);
    hand::fill(&mut run, |round, block, target| {
        // The first target's first text shares its read with the second, so it may have come at any time since the request.
        let first = u64::from(300 + 10 * round + block);
        let at = (0..20).map(|i| first + 40 * i).collect();
        let mut reads_end = vec![true; 20];
        reads_end[0] = target == 1;
        seen(&Stream { at, reads_end, thinking: 0, end: None })
    });
    let json: serde_json::Value = serde_json::from_str(&hand::written(&run, Format::Json, 0)).unwrap();
    let within = |row: usize| &json["rows"][row]["ttft_p50_ms"]["measured_within"];
    assert_eq!(within(0)[0], 0.0);
    assert!(340.0 < within(0)[1].as_f64().unwrap() && within(1).is_null(), "{}", json["rows"]);
    let csv = hand::written(&run, Format::Csv, 0);
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let head = reader.headers().unwrap().clone();
    let column = |name: &str| head.iter().position(|column| column == name).unwrap_or_else(|| panic!("no {name} in {head:?}"));
    let (low, high) = (column("ttft_p50_ms_within_low"), column("ttft_p50_ms_within_high"));
    let rows: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
    assert_eq!((&rows[0][low], &rows[1][low], &rows[1][high]), ("0", "", ""));
    assert!(340.0 < rows[0][high].parse::<f64>().unwrap());
    assert!(!head.iter().any(|name| name == "content_speed_within_low"), "only what needs it has the columns");
}
