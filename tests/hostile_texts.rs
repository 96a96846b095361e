//! Whatever a provider or a user wrote comes out harmless, in every format of every reading command.

mod hand;

use photofinish::analysis::{BasisBecause, Standing};
use photofinish::metric::{Reply, Rules, Tally};
use photofinish::record::{Difference, NotSent, UnequalBy};
use photofinish::report::{Context, Format, Lang, portrait};
use photofinish::store::Run;
use photofinish::timeline::{Ended, ErrorCode, ErrorKind, Finish, FinishSeen};
use photofinish::tokens::{Basis, Reference};

/// Escape and control sequences (title, colour, link, C1, backspace, bell), turned and hidden text, markup, mentions and formulas.
const HOSTILE: [&str; 16] = [
    "\u{1b}[2J\u{1b}[31mred",
    "\u{1b}]0;title\u{7}",
    "\u{1b}]8;;http://evil.example\u{1b}\\link",
    "\u{9b}31m\u{9d}0;x\u{9c}",
    "a\u{8}\u{8}b\rover",
    "line\nbreak\u{85}\u{2028}x",
    "\u{202e}dlrow\u{2066}",
    "zero\u{200b}width\u{feff}\u{2060}\u{ad}",
    "tag\u{e0041}\u{115f}\u{3164}",
    "| a | b |\n|---|---|",
    "<script>alert(1)</script><img src=x onerror=y>",
    "[click](javascript:evil) ![x](http://evil.example/p.png) `c` **b** # h",
    "http://evil.example www.evil.example @everyone",
    "=HYPERLINK(\"http://evil.example\")",
    "+1+1\t=cmd|' /C calc'!A0",
    "\"quoted\",=1+1;@SUM(A1)",
];

const FORMATS: [Format; 4] = [Format::Terminal, Format::Markdown, Format::Csv, Format::Json];

/// A run in which one text stands wherever a provider's or a user's may.
fn run_with(text: &str) -> Run {
    // A name of a target holds no control characters; it may hold everything else.
    let name: String = text.chars().filter(|c| !c.is_control()).collect();
    let mut run = hand::run(vec![hand::target(&format!("{name}/r1")), hand::target("b/r1")], 6, 1);
    run.manifest.targets[0].model = text.into();
    run.manifest.targets[0].title = text.into();
    (run.manifest.name, run.manifest.vantage, run.manifest.dataset.name) = (text.into(), Some(text.into()), text.into());
    run.manifest.differences =
        vec![Difference::Sentence(text.into()), Difference::of(&run.manifest.targets[0].id, UnequalBy::Ignored { parameter: text.into() })];
    hand::fill(&mut run, |round, _, target| {
        let mut answer = match (round, target) {
            (1, 0) => hand::failed(500, ErrorKind::Server, text),
            (_, 1) => hand::failed(401, ErrorKind::Auth, text),
            _ => hand::reply(300.0, 20.0, 10, 30),
        };
        if let Some(error) = &mut answer.error {
            (error.code, error.kind_raw) = (Some(ErrorCode::Text(text.into())), Some(text.into()));
        }
        if round == 2 {
            answer.ended = Ended::ClosedEarly { message: text.into() };
        }
        answer.finish = Some(FinishSeen { raw: text.into(), normal: Finish::Unknown });
        (answer.model, answer.fingerprint, answer.upstream) = (Some(text.into()), Some(text.into()), Some(text.into()));
        answer.headers = [("x-request-id".to_owned(), text.to_owned()), (text.to_owned(), "v".to_owned())].into();
        (answer.connect.reused, answer.connect.tcp_ns) = (false, Some(5));
        (answer.connect.http, answer.connect.tls, answer.connect.peer) = (Some(text.into()), Some(text.into()), Some(text.into()));
        answer
    });
    let last = run.trials.last_mut().unwrap();
    (last.answer, last.not_sent) = (None, Some(NotSent::TargetStopped { reason: text.into() }));
    run
}

/// Everything that `table`, `brief` and `show` write of a run, in both languages.
fn everything(run: &Run, format: Format) -> Vec<String> {
    Lang::ALL.into_iter().flat_map(|lang| everything_in(run, format, lang)).collect()
}

fn everything_in(run: &Run, format: Format, lang: Lang) -> Vec<String> {
    let mut texts: Vec<String> = [40, 80, 200].map(|width| hand::written_in(run, format, width, lang)).into();
    texts.push(hand::brief_of(run, format, lang));
    for trial in run.trials.iter().filter(|trial| trial.answer.is_some()) {
        let (answer, target) =
            (trial.answer.as_ref().unwrap(), run.manifest.targets.iter().find(|target| target.id == trial.target).unwrap());
        let tally = Tally::of(answer, target, &Reference::o200k());
        let reply = Reply::new(answer, &tally, Basis::Reference, Rules::of(&run.manifest));
        let context = Context {
            lang,
            standing: Some(Standing::Sent),
            scale: None,
            tokenizer: "o200k-equivalent",
            basis_because: &BasisBecause::Asked,
        };
        let text = portrait(trial, target, &reply, &context, 80).write(format, 80);
        texts.push(anstream::adapter::strip_str(&text).to_string());
    }
    texts
}

/// What no output may hold: it would be obeyed by a terminal, or turn or hide the text around it.
fn obeyed(c: char) -> bool {
    c.is_control() && c != '\n' && c != '\r'
        || matches!(c, '\u{ad}' | '\u{115f}' | '\u{3164}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

#[test]
fn nothing_is_left_that_a_terminal_would_obey() {
    for hostile in HOSTILE {
        let run = run_with(hostile);
        for format in FORMATS {
            for text in everything(&run, format) {
                assert_eq!(text.chars().find(|c| obeyed(*c)), None, "{hostile:?} in {format:?}:\n{text}");
                // CSV ends its lines with CR LF; elsewhere a carriage return would write over the line.
                assert!(format == Format::Csv || !text.contains('\r'), "{hostile:?} in {format:?}");
            }
        }
    }
}

/// The text without its backslash escapes.
fn unescaped(text: &str) -> String {
    let (mut out, mut rest) = (String::new(), text.chars());
    while let Some(c) = rest.next() {
        if c == '\\' {
            rest.next();
        } else {
            out.push(c);
        }
    }
    out
}

/// Whether the text stands whole in a string of the document.
fn holds(document: &serde_json::Value, text: &str) -> bool {
    match document {
        serde_json::Value::String(string) => string.contains(text),
        serde_json::Value::Array(items) => items.iter().any(|item| holds(item, text)),
        serde_json::Value::Object(items) => items.values().any(|item| holds(item, text)),
        _ => false,
    }
}

#[test]
fn markdown_holds_no_markup_but_its_own() {
    for hostile in HOSTILE {
        for text in everything(&run_with(hostile), Format::Markdown) {
            // What is escaped has no meaning.
            let lower = unescaped(&text).to_lowercase();
            for markup in ["<script", "<img", "](", "![", "http://", "www.", "@everyone", "`c`", "**b**"] {
                assert!(!lower.contains(markup), "{markup} of {hostile:?}:\n{text}");
            }
            let columns: Vec<usize> =
                text.lines().filter(|line| line.starts_with('|')).map(|line| unescaped(line).matches('|').count()).collect();
            assert!(columns.windows(2).all(|two| two[0] == two[1]), "{hostile:?}: {columns:?}\n{text}");
        }
    }
}

#[test]
fn no_cell_of_csv_is_a_formula_and_every_line_has_its_columns() {
    for hostile in HOSTILE {
        for text in everything(&run_with(hostile), Format::Csv) {
            let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
            for record in reader.records() {
                for cell in record.expect("lines of equal length").iter() {
                    let number = cell.parse::<f64>().is_ok();
                    assert!(number || !cell.trim_start().starts_with(['=', '+', '-', '@', '|', '%']), "{cell:?} of {hostile:?}");
                }
            }
        }
    }
}

#[test]
fn json_gives_back_the_very_text() {
    for hostile in HOSTILE {
        let run = run_with(hostile);
        for text in everything(&run, Format::Json) {
            let read: serde_json::Value = serde_json::from_str(&text).unwrap();
            assert!(holds(&read, hostile), "{hostile:?}:\n{text}");
        }
        let table: serde_json::Value = serde_json::from_str(&hand::written(&run, Format::Json, 0)).unwrap();
        let name: String = hostile.chars().filter(|c| !c.is_control()).collect();
        assert_eq!(table["rows"][0]["target"], format!("{name}/r1"));
    }
}

#[test]
fn a_simulated_prefix_cannot_be_forged() {
    let mut run = hand::run(vec![hand::target("sim:groq/r1")], 1, 1);
    hand::fill(&mut run, |_, _, _| hand::reply(300.0, 20.0, 10, 30));
    let real = hand::written(&run, Format::Markdown, 0);
    assert!(!real.contains("SIMULATED"), "{real}");
    hand::simulate(&mut run, 2.0);
    assert!(hand::written(&run, Format::Markdown, 0).contains("sim:groq/r1"));
}
