//! The plan of one reply: what leaves when. Made whole when the request has been read, so that what follows is only writing.

use super::behaviour::{Behaviour, System};
use super::dist::{Source, unit};
use super::request::Ask;
use super::wording::{Cap, ReasoningAs};
use super::words::{Language, Text, Words};
use rand_chacha::ChaCha8Rng;

/// Which text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Thinking.
    Reasoning,
    /// The answer.
    Content,
}

/// One thing that is written.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    /// A keep-alive comment.
    Comment,
    /// The event before the role chunk (Azure's prompt filter).
    Before,
    /// Progress of the prompt (llama.cpp).
    Progress,
    /// The role chunk.
    Opener,
    /// Tokens `from` up to `to` of a phase's text.
    Text {
        /// Whose.
        phase: Phase,
        /// First token.
        from: usize,
        /// Behind the last token.
        to: usize,
    },
    /// The last of the reasoning and the first of the content in one chunk.
    Both {
        /// Tokens of the reasoning.
        reasoning: (usize, usize),
        /// Tokens of the content.
        content: (usize, usize),
    },
    /// A think tag or a text that is not the model's, as content.
    Aside(String),
    /// A chunk with this delta.
    Delta(String),
    /// The finish chunk.
    Last,
    /// The usage chunk.
    Usage,
    /// `[DONE]`.
    Done,
    /// An event with this JSON.
    Event(String),
    /// The provider's error event.
    Error(Option<String>),
    /// These bytes.
    Bytes(Vec<u8>),
    /// Only the first part of what the other would write, `0.0` to `1.0` of its bytes.
    Part(Box<Act>, f64),
    /// Several chunks in one write.
    Several(Vec<Act>),
}

/// What leaves, and when.
#[derive(Debug, Clone)]
pub struct Step {
    /// Nanoseconds after the request's last byte was read.
    pub at: u64,
    /// What.
    pub act: Act,
}

/// How the reply ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The body ends as it should; the connection stays.
    Clean,
    /// The connection is closed without the end of the body.
    Cut,
    /// The connection is reset.
    Reset,
    /// Nothing more comes, and the connection stays.
    Hang,
    /// A line without an end.
    EndlessLine,
    /// Text without an end, an event every so many nanoseconds.
    EndlessStream(u64),
}

/// A planned reply.
#[derive(Debug)]
pub struct Script {
    /// When the header leaves, in nanoseconds after receipt.
    pub head_at: u64,
    /// What follows, in order of time.
    pub steps: Vec<Step>,
    /// How it ends.
    pub end: End,
    /// The reasoning.
    pub reasoning: Text,
    /// The answer.
    pub content: Text,
    /// The finish reason.
    pub finish: String,
    /// Times that the server itself tells, in nanoseconds.
    pub times: Times,
    /// Nanoseconds of the clock for a millisecond of the behaviour.
    pub ns_per_ms: f64,
}

/// Times that the server tells of itself, in nanoseconds.
#[derive(Debug, Clone, Copy, Default)]
pub struct Times {
    /// Receipt to first token.
    pub ttft: u64,
    /// First to last token.
    pub generation: u64,
}

/// The two lists of words.
#[derive(Debug)]
pub struct Lists {
    english: Words,
    chinese: Words,
}

impl Default for Lists {
    fn default() -> Lists {
        Lists { english: Words::english(), chinese: Words::chinese() }
    }
}

/// What a fault changes before the reply is planned.
#[derive(Debug, Clone, Copy, Default)]
pub struct Shape {
    /// All reasoning, no answer.
    pub no_content: bool,
    /// No token at all.
    pub empty: bool,
    /// The whole of a phase in one chunk, at the time when it is complete.
    pub at_once: bool,
    /// Tokens a chunk.
    pub tokens_per_chunk: Option<usize>,
    /// The role chunk so many milliseconds before the first text.
    pub role_before_ms: Option<f64>,
    /// How reasoning is carried.
    pub reasoning_as: Option<ReasoningAs>,
}

/// Plans a reply. `factor` is that of the hour.
pub fn plan(behaviour: &Behaviour, system: &System, ask: &Ask, source: &Source, factor: f64, lists: &Lists, shape: Shape) -> Script {
    let ns_per_ms = 1e6 / behaviour.scale;
    let ns = |ms: f64| (ms * ns_per_ms) as u64;
    let mut draws = source.draws("lengths and speeds");
    let reasoning_speed = system.reasoning.map_or(1.0, |phase| phase.speed.draw(&mut draws)) * factor * behaviour.scale;
    let content_speed = system.content.speed.draw(&mut draws) * factor * behaviour.scale;
    let ttft = ns(system.ttft_ms.draw(&mut draws) / factor);
    let role = system.role_ms.map(|role| ns(role.draw(&mut draws) / factor));
    let switch = system.switch_ms.map(|switch| ns(switch.draw(&mut draws) / factor));
    let drawn_reasoning = system.reasoning.map_or(0.0, |phase| phase.tokens.draw(&mut draws)).round() as usize;
    let drawn_content = system.content.tokens.draw(&mut draws).round() as usize;

    let declined = system.heed_thinking && ask.declines_thinking();
    let reasoning_as = shape.reasoning_as.unwrap_or(system.reasoning_as);
    let unclosed = reasoning_as == ReasoningAs::InlineUnclosed;
    let (n_reasoning, n_content, capped) = within_cap(
        if declined || shape.empty { 0 } else { drawn_reasoning },
        if shape.no_content || shape.empty || unclosed { 0 } else { drawn_content },
        system.cap,
        ask,
    );
    let language = match system.language {
        Language::Auto if ask.is_chinese() => Language::Zh,
        other => other,
    };
    let words = if language == Language::Zh { &lists.chinese } else { &lists.english };
    let mut letters = source.draws("text");
    let hidden = reasoning_as == ReasoningAs::Hidden;
    let reasoning = words.text(&mut letters, n_reasoning);
    let content = words.text(&mut letters, n_content);

    let mut pace = Pace {
        draws: source.draws("gaps"),
        jitter: system.jitter,
        bundle_s: behaviour.bundle_at_least_ms / 1e3,
        shape,
        native: system.tokens_per_chunk,
    };
    let mut steps = Vec::with_capacity(n_reasoning + n_content + 8);
    let gap = (1e9 / content_speed) as u64;
    let inline =
        matches!(reasoning_as, ReasoningAs::Inline | ReasoningAs::InlineSplit | ReasoningAs::InlineUnopened | ReasoningAs::InlineUnclosed);
    let mut at = ttft;
    if 0 < n_reasoning {
        if inline && reasoning_as != ReasoningAs::InlineUnopened {
            for tag in tag(reasoning_as, "<think>", "\n") {
                steps.push(Step { at: ttft.saturating_sub(gap), act: Act::Aside(tag) });
            }
        }
        let before = steps.len();
        pace.native = system.reasoning.and_then(|phase| phase.tokens_per_chunk).unwrap_or(system.tokens_per_chunk);
        at = pace.text(Phase::Reasoning, n_reasoning, reasoning_speed, at, &mut steps);
        if hidden {
            steps.truncate(before);
        }
        if inline && !unclosed {
            for tag in tag(reasoning_as, "</think>", "\n\n") {
                steps.push(Step { at: at + switch.unwrap_or(gap) / 2, act: Act::Aside(tag) });
            }
        }
        at += switch.unwrap_or(gap);
    }
    if 0 < n_content {
        pace.native = system.content.tokens_per_chunk.unwrap_or(system.tokens_per_chunk);
        at = pace.text(Phase::Content, n_content, content_speed, at, &mut steps);
    }
    if let Some(answer) = system.answer_text.as_ref().filter(|_| 0 < n_content) {
        at += gap;
        let right = unit(&mut source.draws("answer")) < answer.share;
        steps.push(Step { at, act: Act::Aside(if right { &answer.right } else { &answer.wrong }.clone()) });
    }
    let first_text = steps.first().map_or(ttft, |step| step.at);
    let last_text = steps.last().map_or(ttft, |step| step.at);
    let tail = system.tail;
    steps.push(Step { at: last_text + ns(tail.finish_ms), act: Act::Last });
    steps.push(Step { at: last_text + ns(tail.usage_ms), act: Act::Usage });
    steps.push(Step { at: last_text + ns(tail.done_ms.max(tail.usage_ms)), act: Act::Done });

    let opener_at = match shape.role_before_ms {
        Some(before) => first_text.saturating_sub(ns(before)),
        None => role.unwrap_or(first_text).min(first_text),
    };
    let mut first = Vec::new();
    if !system.wording.before.is_empty() {
        first.push(Step { at: opener_at / 2, act: Act::Before });
    }
    if ask.return_progress == Some(true) && !system.wording.progress.is_empty() {
        first.push(Step { at: opener_at / 2, act: Act::Progress });
    }
    if system.role_chunk && !system.wording.opener[0].is_empty() {
        first.push(Step { at: opener_at, act: Act::Opener });
    }
    first.append(&mut steps);
    let at_once = system.wording.head_at_once || system.keep_alives.is_some();
    Script {
        head_at: if at_once { 0 } else { first.first().map_or(0, |step| step.at) },
        steps: first,
        end: End::Clean,
        reasoning,
        content,
        finish: if capped || shape.no_content || unclosed { "length" } else { "stop" }.to_owned(),
        times: Times { ttft: first_text, generation: last_text - first_text },
        ns_per_ms,
    }
}

fn within_cap(reasoning: usize, content: usize, cap: Cap, ask: &Ask) -> (usize, usize, bool) {
    let limit = |tokens: Option<u64>| tokens.map_or(usize::MAX, |tokens| usize::try_from(tokens).unwrap_or(usize::MAX));
    let (whole, answer) = match cap {
        // `max_completion_tokens` names the whole output everywhere.
        Cap::Whole => (limit(ask.max_completion_tokens.or(ask.max_tokens)), usize::MAX),
        Cap::Answer => (limit(ask.max_completion_tokens), limit(ask.max_tokens)),
    };
    let kept_reasoning = reasoning.min(whole);
    let kept_content = content.min(answer).min(whole - kept_reasoning);
    (kept_reasoning, kept_content, kept_reasoning < reasoning || kept_content < content)
}

fn tag(reasoning_as: ReasoningAs, tag: &str, after: &str) -> Vec<String> {
    match reasoning_as {
        ReasoningAs::InlineSplit => {
            let letters: Vec<char> = tag.chars().chain(after.chars()).collect();
            letters.chunks(3).map(|three| three.iter().collect()).collect()
        }
        _ => vec![tag.to_owned(), after.to_owned()],
    }
}

/// How text is dealt out over time.
struct Pace {
    draws: ChaCha8Rng,
    jitter: f64,
    bundle_s: f64,
    shape: Shape,
    native: usize,
}

impl Pace {
    /// Deals out `n` tokens at `speed` (tokens a second of the clock) from `start`; gives the time of the last chunk.
    ///
    /// The first chunk leaves at `start`, each further one as much later as its own tokens take. So the speed between the first and
    /// the last chunk, by the tokens after the first, is `speed` exactly when there is no jitter.
    fn text(&mut self, phase: Phase, n: usize, speed: f64, start: u64, steps: &mut Vec<Step>) -> u64 {
        if self.shape.at_once {
            let at = start + ((n - 1) as f64 / speed * 1e9) as u64;
            steps.push(Step { at, act: Act::Text { phase, from: 0, to: n } });
            return at;
        }
        let chunk = self.shape.tokens_per_chunk.unwrap_or(self.native).max((self.bundle_s * speed).ceil() as usize).max(1);
        let mut at = start as f64;
        for from in (0..n).step_by(chunk) {
            let to = (from + chunk).min(n);
            if 0 < from {
                at += (to - from) as f64 / speed * 1e9 * self.wobble();
            }
            steps.push(Step { at: at as u64, act: Act::Text { phase, from, to } });
        }
        at as u64
    }

    /// A factor with mean 1.
    fn wobble(&mut self) -> f64 {
        if self.jitter == 0.0 {
            return 1.0;
        }
        let radius = (-2.0 * (1.0 - unit(&mut self.draws)).ln()).sqrt();
        let bell = radius * (std::f64::consts::TAU * unit(&mut self.draws)).cos();
        (self.jitter * bell - self.jitter * self.jitter / 2.0).exp()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(yaml: &str, ask: &str) -> Script {
        shaped(yaml, ask, Shape::default())
    }
    fn shaped(yaml: &str, ask: &str, shape: Shape) -> Script {
        let behaviour = Behaviour::parse("sim.yaml", yaml).unwrap();
        let ask: Ask = serde_json::from_str(ask).unwrap();
        let source = Source::new(1, "a", b"x", 0);
        plan(&behaviour, &behaviour.systems[0], &ask, &source, 1.0, &Lists::default(), shape)
    }
    fn texts(script: &Script) -> Vec<(u64, usize)> {
        let tokens = |step: &Step| match step.act {
            Act::Text { from, to, .. } => Some((step.at / 1000, to - from)),
            _ => None,
        };
        script.steps.iter().filter_map(tokens).collect()
    }

    #[test]
    fn text_keeps_the_speed_asked_for() {
        let script = script("systems: {a: {ttft_ms: 100, content: {tokens: 7, speed: 50}, tokens_per_chunk: 3}}", "{}");
        assert_eq!(texts(&script), [(100_000, 3), (160_000, 3), (180_000, 1)]);
    }

    #[test]
    fn the_role_chunk_leaves_when_it_is_told_to() {
        let yaml = "systems: {a: {ttft_ms: 400, role_ms: 200, content: {tokens: 2, speed: 50}}}";
        let opener = |shape| shaped(yaml, "{}", shape).steps.iter().find(|step| step.act == Act::Opener).map(|step| step.at / 1_000_000);
        assert_eq!(opener(Shape::default()), Some(200));
        assert_eq!(opener(Shape { role_before_ms: Some(300.0), ..Shape::default() }), Some(100));
    }

    #[test]
    fn a_scale_divides_every_time_and_fast_systems_bundle() {
        let script = script("{scale: 20, bundle_at_least_ms: 2, systems: {a: {ttft_ms: 100, content: {tokens: 10, speed: 100}}}}", "{}");
        assert_eq!(texts(&script), [(5_000, 4), (7_000, 4), (8_000, 2)]);
    }

    #[test]
    fn a_cap_is_understood_as_the_provider_does() {
        let both = "reasoning: {tokens: 20, speed: 50}, content: {tokens: 20, speed: 50}";
        let lengths = |dialect: &str, ask: &str| {
            let script = script(&format!("systems: {{a: {{dialect: {dialect}, {both}}}}}"), ask);
            (script.reasoning.tokens(), script.content.tokens(), script.finish)
        };
        assert_eq!(lengths("deepseek", r#"{"max_tokens":30}"#), (20, 10, "length".to_owned()));
        assert_eq!(lengths("deepseek", r#"{"max_tokens":15}"#), (15, 0, "length".to_owned()));
        assert_eq!(lengths("siliconflow", r#"{"max_tokens":15}"#), (20, 15, "length".to_owned()));
        assert_eq!(lengths("volcengine-ark", r#"{"max_completion_tokens":25}"#), (20, 5, "length".to_owned()));
        assert_eq!(lengths("vllm", r#"{"max_tokens":40,"messages":[]}"#), (20, 20, "stop".to_owned()));
        assert_eq!(lengths("vllm", r#"{"chat_template_kwargs":{"thinking":false}}"#), (0, 20, "stop".to_owned()));
    }

    #[test]
    fn an_answer_is_right_as_often_as_it_was_told() {
        let behaviour = |answer: &str| Behaviour::parse("sim.yaml", &format!("systems: {{a: {{answer_text: {answer}}}}}"));
        let ends_right = |answer: &str| {
            let behaviour = behaviour(answer).unwrap();
            let right = |n: u16| {
                let source = Source::new(1, "a", &n.to_be_bytes(), 0);
                let script = plan(&behaviour, &behaviour.systems[0], &Ask::default(), &source, 1.0, &Lists::default(), Shape::default());
                script.steps.iter().any(|step| step.act == Act::Aside("4".into()))
            };
            (0..1000).filter(|n| right(*n)).count()
        };
        assert!((770..830).contains(&ends_right("{right: '4', wrong: '5', share: 0.8}")));
        assert_eq!(ends_right("'4'"), 1000);
        assert!(behaviour("{right: '4', wrong: '5', share: 8}").unwrap_err().to_string().contains("a share from 0 to 1"));
        assert!(behaviour("{right: '4', rong: '5', share: 1}").unwrap_err().to_string().contains("rong"));
    }

    #[test]
    fn the_demo_runs_at_the_published_speeds() {
        let behaviour = Behaviour::load("builtin:demo").unwrap();
        let lists = Lists::default();
        let published =
            [("deepseek", 25.378, 37.117), ("volcengine", 59.5, 65.673), ("siliconflow", 16.966, 16.966), ("bailian", 11.813, 11.813)];
        let without = [("iflytek", 1.2, 1.2), ("groq", 0.0, 460.0), ("cerebras", 0.0, 2600.0), ("local-8b", 90.89, 90.89)];
        for (name, reasoning, content) in published.into_iter().chain(without) {
            let system = behaviour.systems.iter().find(|system| system.name == name).unwrap();
            let mut speeds: [Vec<f64>; 2] = [vec![], vec![]];
            for n in 0..60u8 {
                let source = Source::new(behaviour.seed, name, &[n], 0);
                let script = plan(&behaviour, system, &Ask::default(), &source, 1.0, &lists, Shape::default());
                for (wanted, speeds) in [Phase::Reasoning, Phase::Content].into_iter().zip(&mut speeds) {
                    let chunks: Vec<(u64, usize)> = script
                        .steps
                        .iter()
                        .filter_map(|step| match step.act {
                            Act::Text { phase, from, to } if phase == wanted => Some((step.at, to - from)),
                            _ => None,
                        })
                        .collect();
                    let (Some(first), Some(last)) = (chunks.first(), chunks.last()) else { continue };
                    let tokens: usize = chunks[1..].iter().map(|(_, tokens)| tokens).sum();
                    assert!(6 < chunks.len(), "{name}: enough writes to take a speed from");
                    speeds.push(tokens as f64 / ((last.0 - first.0) as f64 / 1e9) / behaviour.scale);
                }
            }
            for (speeds, published) in speeds.iter_mut().zip([reasoning, content]) {
                speeds.sort_by(f64::total_cmp);
                let median = speeds.get(speeds.len() / 2).copied().unwrap_or(0.0);
                assert!((published * 0.95..=published * 1.05).contains(&median), "{name}: {median} against {published}");
            }
        }
    }

    #[test]
    fn the_demo_ends_in_time() {
        // Each target of a block at once: a block lasts as long as its slowest reply, in Bailian's worst hour.
        let behaviour = Behaviour::load("builtin:demo").unwrap();
        let lists = Lists::default();
        let mut total = 0;
        for block in 0..24u8 {
            let ends = behaviour.systems.iter().map(|system| {
                let worst = system.hours.as_ref().map_or(1.0, |hours| hours.factors.iter().copied().fold(1.0, f64::min));
                let source = Source::new(behaviour.seed, &system.name, &[block], 0);
                plan(&behaviour, system, &Ask::default(), &source, worst, &lists, Shape::default()).steps.last().map_or(0, |step| step.at)
            });
            total += ends.max().unwrap_or(0);
        }
        assert!(total < 32_000_000_000, "24 blocks last {} ms", total / 1_000_000);
    }
}
