//! Splits inline `<think>…</think>` into reasoning and content (dialects: `<think>` splitting).
//!
//! Only what may yet become a tag is held back: a proper prefix of the tag that is looked for, and white space before the opening
//! tag. White space right after a tag is dropped with it; white space before the closing tag is the model's own.

use super::Emit;
use crate::timeline::{Phase, StreamEvent};
use memchr::memmem;
use std::fmt;
use std::str::FromStr;

/// When text counts as reasoning.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum ThinkMode {
    /// All text is content.
    Off,
    /// The reply opens with the tag; if it does not, all of it is content.
    Tagged,
    /// The template has already opened the tag: reasoning until the closing one.
    AssumeOpen,
    /// Tagged if the first text is the tag, else content.
    #[default]
    Auto,
    /// As `Auto`; a closing tag without an opening one relabels all that came before it as reasoning.
    AutoRetro,
}

/// A mode and its tags. As text: `auto`, or `tagged:<thought>|</thought>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ThinkTags {
    /// The mode.
    pub mode: ThinkMode,
    /// The opening tag.
    pub open: String,
    /// The closing tag.
    pub close: String,
}

impl ThinkTags {
    /// A mode with the usual tags.
    pub fn of(mode: ThinkMode) -> ThinkTags {
        ThinkTags { mode, open: "<think>".to_owned(), close: "</think>".to_owned() }
    }
}

impl Default for ThinkTags {
    fn default() -> ThinkTags {
        ThinkTags::of(ThinkMode::default())
    }
}

/// The modes by name.
const MODES: [(&str, ThinkMode); 5] = [
    ("off", ThinkMode::Off),
    ("tagged", ThinkMode::Tagged),
    ("assume_open", ThinkMode::AssumeOpen),
    ("auto", ThinkMode::Auto),
    ("auto_retro", ThinkMode::AutoRetro),
];

/// A text that names no way to read tags.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} names no way to read think tags; known are off, tagged, assume_open, auto, auto_retro, each also as MODE:OPEN|CLOSE")]
pub struct BadThinkTags(String);

impl FromStr for ThinkTags {
    type Err = BadThinkTags;
    fn from_str(text: &str) -> Result<ThinkTags, BadThinkTags> {
        let bad = || BadThinkTags(text.to_owned());
        let (name, tags) = text.split_once(':').map_or((text, None), |(name, tags)| (name, Some(tags)));
        let mode = MODES.iter().find(|(known, _)| *known == name).ok_or_else(bad)?.1;
        let Some(tags) = tags else { return Ok(ThinkTags::of(mode)) };
        let (open, close) = tags.split_once('|').ok_or_else(bad)?;
        if open.is_empty() || close.is_empty() || open.trim() != open || close.trim() != close {
            return Err(bad());
        }
        Ok(ThinkTags { mode, open: open.to_owned(), close: close.to_owned() })
    }
}

impl fmt::Display for ThinkTags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = MODES.iter().find(|(_, mode)| *mode == self.mode).map_or("auto", |(name, _)| name);
        let usual = ThinkTags::of(self.mode);
        match self.open == usual.open && self.close == usual.close {
            true => f.write_str(name),
            false => write!(f, "{name}:{}|{}", self.open, self.close),
        }
    }
}

/// Where in the reply the splitter stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing but white space so far: the opening tag may come.
    Start,
    /// White space after the opening tag.
    AfterOpen,
    /// Reasoning.
    Inside,
    /// White space after the closing tag.
    AfterClose,
    /// Content in which a closing tag would relabel the past.
    Retro,
    /// Content, whatever it holds.
    Plain,
}

/// The splitter for one reply. Text goes in as it comes and leaves labelled.
#[derive(Debug)]
pub struct Splitter {
    tags: ThinkTags,
    state: State,
    /// Text that may yet be a tag.
    held: String,
    /// The number of the frame that brought the first byte of `held`.
    held_since: u32,
    /// The number of the current frame.
    frame: u32,
}

impl Splitter {
    /// A splitter at the start of a reply.
    pub fn new(tags: ThinkTags) -> Splitter {
        let state = if tags.mode == ThinkMode::Off { State::Plain } else { State::Start };
        Splitter { tags, state, held: String::new(), held_since: 0, frame: 0 }
    }

    /// A new frame begins; `held` counts these.
    pub fn next_frame(&mut self) {
        self.frame = self.frame.wrapping_add(1);
    }

    /// Whether text is held that may yet become a tag.
    pub fn holds(&self) -> bool {
        !self.held.is_empty()
    }

    /// Takes the next text.
    pub fn push(&mut self, text: &str, emit: Emit<'_>) {
        if text.is_empty() {
            return;
        }
        if self.state == State::Plain && self.held.is_empty() {
            return emit(StreamEvent::Delta { phase: Phase::Content, text, held: 0 });
        }
        if self.held.is_empty() {
            let keep_from = self.split(text, 0, emit);
            self.held.push_str(&text[keep_from..]);
            self.held_since = self.frame;
            return;
        }
        let old = self.held.len();
        let mut joined = std::mem::take(&mut self.held);
        joined.push_str(text);
        let keep_from = self.split(&joined, old, emit);
        if old <= keep_from {
            self.held_since = self.frame;
        }
        joined.drain(..keep_from);
        self.held = joined;
    }

    /// Nothing more can become a tag: what was held comes out as it is.
    pub fn flush(&mut self, emit: Emit<'_>) {
        let held = std::mem::take(&mut self.held);
        let before = self.frame.wrapping_sub(self.held_since);
        let phase = match self.state {
            State::Start if self.tags.mode == ThinkMode::AssumeOpen => Phase::Reasoning,
            State::Inside | State::AfterOpen => Phase::Reasoning,
            _ => Phase::Content,
        };
        if !held.is_empty() {
            emit(StreamEvent::Delta { phase, text: &held, held: before });
        }
    }

    /// The stream has a field of its own for reasoning: tags mean nothing from here on.
    pub fn switch_off(&mut self, emit: Emit<'_>) {
        self.flush(emit);
        self.state = State::Plain;
    }

    /// Labels `text`, of which the first `old` bytes had been held. Gives the index from which it must be held again.
    fn split(&mut self, text: &str, old: usize, emit: Emit<'_>) -> usize {
        let before = self.frame.wrapping_sub(self.held_since);
        let out = |emit: &mut dyn FnMut(StreamEvent<'_>), phase, from: usize, to: usize| {
            if from < to {
                let held = if from < old { before } else { 0 };
                emit(StreamEvent::Delta { phase, text: &text[from..to], held });
            }
        };
        let mut at = 0;
        loop {
            let rest = &text[at..];
            let white = rest.len() - rest.trim_start().len();
            match self.state {
                State::Start => {
                    let word = &rest[white..];
                    let assumed = self.tags.mode == ThinkMode::AssumeOpen;
                    if word.starts_with(self.tags.open.as_str()) {
                        at += white + self.tags.open.len();
                        self.state = State::AfterOpen;
                    } else if self.tags.open.starts_with(word) {
                        return if assumed { at + white } else { at };
                    } else if assumed {
                        at += white;
                        self.state = State::Inside;
                    } else {
                        self.state = if self.tags.mode == ThinkMode::AutoRetro { State::Retro } else { State::Plain };
                    }
                }
                State::AfterOpen | State::AfterClose => {
                    at += white;
                    if at == text.len() {
                        return at;
                    }
                    self.state = if self.state == State::AfterOpen { State::Inside } else { State::Plain };
                }
                State::Inside | State::Retro => {
                    let phase = if self.state == State::Inside { Phase::Reasoning } else { Phase::Content };
                    let Some(found) = memmem::find(rest.as_bytes(), self.tags.close.as_bytes()) else {
                        let keep_from = text.len() - may_become(&self.tags.close, rest);
                        out(emit, phase, at, keep_from);
                        return keep_from;
                    };
                    out(emit, phase, at, at + found);
                    if self.state == State::Retro {
                        emit(StreamEvent::Relabel);
                    }
                    at += found + self.tags.close.len();
                    self.state = State::AfterClose;
                }
                State::Plain => {
                    out(emit, Phase::Content, at, text.len());
                    return text.len();
                }
            }
        }
    }
}

/// The length of the longest end of `text` that is a proper beginning of `tag`.
fn may_become(tag: &str, text: &str) -> usize {
    let ends = tag.char_indices().map(|(at, _)| at).skip(1);
    ends.filter(|end| text.ends_with(&tag[..*end])).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Feeds one text a frame; gives each event as `letter+held:text`.
    fn split(tags: &str, texts: &[&str]) -> Vec<String> {
        let mut splitter = Splitter::new(tags.parse().unwrap());
        let mut events = Vec::new();
        let mut note = |event: StreamEvent<'_>| match event {
            StreamEvent::Delta { phase, text, held } => events.push(format!("{}{held}:{text}", phase.letter())),
            other => events.push(format!("{other:?}")),
        };
        for text in texts {
            splitter.next_frame();
            splitter.push(text, &mut note);
        }
        splitter.flush(&mut note);
        events
    }

    #[test]
    fn held_counts_the_frames_since_the_first_held_byte() {
        assert_eq!(split("tagged", &["<think>", "a <", "/thi", "s", "</think>", "b"]), ["r0:a ", "r2:</this", "c0:b"]);
        assert_eq!(split("auto", &["<", "t", "able>"]), ["c2:<table>"]);
        assert_eq!(split("tagged", &["<think>a<", "</th"]), ["r0:a", "r1:<", "r0:</th"]);
    }

    #[test]
    fn a_closing_tag_without_an_opening_one_relabels_the_past() {
        assert_eq!(split("auto_retro", &["a", "b</th", "ink>\n", "c</think>"]), ["c0:a", "c0:b", "Relabel", "c0:c</think>"]);
        assert_eq!(split("auto", &["a</think>b"]), ["c0:a</think>b"]);
    }

    #[test]
    fn an_assumed_tag_may_come_all_the_same() {
        assert_eq!(split("assume_open", &["\n<thi", "nk>", " a", "</think>b"]), ["r0:a", "c0:b"]);
        assert_eq!(split("assume_open", &["\n", " <thi"]), ["r0:<thi"]);
    }

    #[test]
    fn tags_beyond_ascii_are_split_on_characters() {
        assert_eq!(split("tagged:◁think▷|◁/think▷", &["◁think▷推◁", "/think▷答"]), ["r0:推", "c0:答"]);
    }

    #[test]
    fn off_leaves_every_tag_in_place() {
        assert_eq!(split("off", &["<think>a</think>"]), ["c0:<think>a</think>"]);
    }

    #[test]
    fn tags_are_written_as_they_are_read() {
        for text in ["auto", "off", "tagged:<seed:think>|</seed:think>"] {
            assert_eq!(text.parse::<ThinkTags>().unwrap().to_string(), text);
        }
        assert!("tagged:<a>".parse::<ThinkTags>().is_err());
        assert!("on".parse::<ThinkTags>().is_err());
    }
}
