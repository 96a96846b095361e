//! Panels made by hand: what a target took in each round, in seconds, for every prompt alike or prompt by prompt.
#![allow(dead_code)]

use photofinish::analysis::{Entry, Panel, PanelRound, PanelTarget, Quantity};
use photofinish::ident::TargetId;

pub const LIMIT_S: f64 = 120.0;

/// A target of a story: its entries by round and prompt.
#[derive(Debug, Clone)]
pub struct Story {
    pub id: &'static str,
    pub family: Option<&'static str>,
    pub rounds: Vec<Vec<Entry>>,
    pub bundled: usize,
    pub hidden: usize,
    pub uncounted: usize,
}

pub fn good(time: f64) -> Entry {
    Entry::Good(time)
}

pub fn failed() -> Entry {
    Entry::Failed { charge: LIMIT_S, rate_limited: false }
}

pub fn limited() -> Entry {
    Entry::Failed { charge: LIMIT_S, rate_limited: true }
}

impl Story {
    /// One entry a prompt from a function of round and prompt, both from 0.
    pub fn of(id: &'static str, rounds: usize, prompts: usize, entry: impl Fn(usize, usize) -> Entry) -> Story {
        let rounds = (0..rounds).map(|round| (0..prompts).map(|prompt| entry(round, prompt)).collect()).collect();
        Story { id, family: Some("one"), rounds, bundled: 0, hidden: 0, uncounted: 0 }
    }

    /// Good replies about a time, with some honest noise that repeats for the same id.
    pub fn about(id: &'static str, rounds: usize, prompts: usize, time: f64, sd: f64) -> Story {
        Story::of(id, rounds, prompts, |round, prompt| good(time * (sd * noise(id, round, prompt)).exp()))
    }

    pub fn with(mut self, change: impl FnOnce(&mut Story)) -> Story {
        change(&mut self);
        self
    }
}

/// A number between −√3 and √3 of mean 0 and variance 1, always the same for the same story.
pub fn noise(id: &str, round: usize, prompt: usize) -> f64 {
    let mut state = id.bytes().fold(0x9e37_79b9_7f4a_7c15_u64, |state, byte| (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    for part in [round as u64, prompt as u64, 7] {
        state = (state ^ part).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        state ^= state >> 29;
    }
    ((state >> 11) as f64 / (1u64 << 53) as f64 * 2.0 - 1.0) * 3f64.sqrt()
}

/// The panel of stories, one round an hour.
pub fn panel(quantity: Quantity, stories: &[Story]) -> Panel {
    panel_every(quantity, stories, 3600)
}

pub fn panel_every(quantity: Quantity, stories: &[Story], seconds: i64) -> Panel {
    let rounds = stories.iter().map(|story| story.rounds.len()).max().unwrap_or(0);
    let prompts = stories.iter().flat_map(|story| &story.rounds).map(Vec::len).max().unwrap_or(0);
    let targets = stories.iter().map(|story| target(story, rounds)).collect();
    let start: jiff::Timestamp = "2026-03-02T00:10:00Z".parse().unwrap();
    let round =
        |round: usize| PanelRound { run: 0, round: round as u32 + 1, at: start + jiff::SignedDuration::from_secs(seconds * round as i64) };
    let mut entries = Vec::new();
    for story in stories {
        for round in 0..rounds {
            for prompt in 0..prompts {
                entries.push(story.rounds.get(round).and_then(|round| round.get(prompt)).copied().unwrap_or(Entry::Absent));
            }
        }
    }
    Panel::of_blocks(quantity, targets, (0..rounds).map(round).collect(), prompts, LIMIT_S, entries)
}

fn target(story: &Story, rounds: usize) -> PanelTarget {
    let count = |round: usize, wanted: fn(&Entry) -> bool| {
        story.rounds.get(round).map_or(0, |round| round.iter().filter(|entry| wanted(entry)).count())
    };
    let ok = |entry: &Entry| matches!(entry, Entry::Good(_) | Entry::Undefined);
    let sent = |entry: &Entry| !matches!(entry, Entry::Absent);
    PanelTarget {
        id: TargetId::new(story.id).unwrap(),
        family: story.family.map(str::to_owned),
        simulated: false,
        success: (0..rounds).map(|round| (count(round, ok), count(round, sent))).collect(),
        rate_limited: (0..rounds).map(|round| count(round, |entry| matches!(entry, Entry::Failed { rate_limited: true, .. }))).sum(),
        bundled: story.bundled,
        hidden: story.hidden,
        uncounted: story.uncounted,
    }
}
