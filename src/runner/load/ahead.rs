//! Requests that are made before they are due, so that sending one is taking it from here and writing it.

use super::super::Racer;
use super::super::lane::{Setting, request};
use super::LoadPrompt;
use crate::plan::LoadAsk;
use crate::record::{Offered, Role};
use crate::wire::WireRequest;
use std::collections::VecDeque;

/// So many requests are made ahead at most, and no more once their bodies hold so many bytes.
const MOST: usize = 1024;
const MOST_BYTES: usize = 16 << 20;

/// A request that waits for its turn, or why none could be made.
pub(super) struct Ready {
    pub ask: LoadAsk,
    pub request: Result<WireRequest, String>,
}

/// The requests of a cell in the order in which they are sent.
pub(super) struct Ahead<'c> {
    asks: Box<dyn Iterator<Item = LoadAsk> + Send + 'c>,
    racer: &'c Racer,
    setting: &'c Setting,
    prompts: &'c [LoadPrompt],
    ready: VecDeque<Ready>,
    bytes: usize,
    /// How many are kept: a whole burst of users, or a second of arrivals.
    kept: usize,
    /// Requests that are still to be made, where their number is what ends the cell.
    left: Option<u64>,
}

impl<'c> Ahead<'c> {
    /// Makes as many as are kept. `all` is how many the cell sends, where that is known.
    pub(super) fn of(
        asks: impl Iterator<Item = LoadAsk> + Send + 'c,
        (racer, setting, prompts): (&'c Racer, &'c Setting, &'c [LoadPrompt]),
        offered: &Offered,
        all: Option<u64>,
    ) -> Ahead<'c> {
        let kept = (offered.size().ceil() as usize).clamp(1, MOST);
        let mut ahead =
            Ahead { asks: Box::new(asks), racer, setting, prompts, ready: VecDeque::with_capacity(kept), bytes: 0, kept, left: all };
        while ahead.wants_more() {
            ahead.make_one();
        }
        ahead
    }

    /// Whether there is room for another one, and use.
    pub(super) fn wants_more(&self) -> bool {
        self.ready.len() < self.kept && self.bytes < MOST_BYTES && self.left != Some(0)
    }

    /// Makes the next one.
    pub(super) fn make_one(&mut self) {
        let Some(ready) = self.made() else { return };
        self.bytes += size(&ready);
        self.ready.push_back(ready);
    }

    /// The next one, made now where none waits.
    pub(super) fn take(&mut self) -> Option<Ready> {
        let Some(ready) = self.ready.pop_front() else { return self.made() };
        self.bytes -= size(&ready);
        Some(ready)
    }

    fn made(&mut self) -> Option<Ready> {
        let ask = self.asks.next()?;
        self.left = self.left.map(|left| left.saturating_sub(1));
        let text = [ask.nonce.as_str(), &self.prompts[ask.prompt].text].concat();
        let request = request(self.racer, self.setting, Role::Scored, &ask.id, &text);
        Some(Ready { ask, request })
    }
}

fn size(ready: &Ready) -> usize {
    ready.request.as_ref().map_or(0, |request| request.body.len())
}
