//! What watches a response: it drives the decoder, joins its events with the marks of their frames, and keeps every fact that the
//! record wants. On the timed path it copies the text once and allocates nothing else for an event.

use super::headers::{allowed, retry_after_s};
use super::limits::Patience;
use crate::clock::Clock;
use crate::dialect::Decoder;
use crate::record::{Answer, Stamps};
use crate::timeline::{Ended, Held, Mark, Phase, Point, StreamEvent, TextOfPhases, Timeline, UsagePoint};
use crate::units::{Offset, Stamp};
use crate::wire::{ExchangeFacts, Frame, Framing, Head, Watch};

/// How much of a body is kept until its first frame comes: enough for any error, and for a page of HTML.
const BODY_KEPT: usize = 1 << 20;

/// A text whose mark has not come yet.
#[derive(Debug, Clone, Copy)]
struct Unmarked {
    /// The number of its frame, from 0.
    frame: u32,
    phase: Phase,
    bytes: u32,
    held: u32,
}

/// Everything that events are gathered into; apart from the decoder, so that the two can be borrowed at once.
struct Gathered<'a> {
    answer: Answer,
    text: TextOfPhases,
    /// When the latest text came (absolute, ns); the timeline's times are absolute until the end.
    latest: u64,
    unmarked: Vec<Unmarked>,
    /// Texts emitted so far, marked or not.
    texts: u32,
    patience: &'a Patience,
}

/// When the frames that have their mark arrived (absolute, ns), as far back as the decoder may still ask.
#[derive(Debug, Default)]
struct Arrived {
    /// Frames before the first of `at`.
    forgotten: u32,
    at: Vec<u64>,
}

impl Arrived {
    fn marked(&self) -> u32 {
        self.forgotten + self.at.len() as u32
    }
    fn of(&self, frame: u32) -> Option<u64> {
        self.at.get(frame.checked_sub(self.forgotten)? as usize).copied()
    }
    fn forget(&mut self) {
        self.forgotten = self.marked();
        self.at.clear();
    }
}

/// Watches one response.
pub(super) struct Watching<'a> {
    decoder: Box<dyn Decoder>,
    framing: Framing,
    gathered: Gathered<'a>,
    /// Frames seen.
    frames: u32,
    arrived: Arrived,
    last_mark: Option<Mark>,
    body: Vec<u8>,
    /// A frame came, so that the body need not be kept.
    framed: bool,
}

impl<'a> Watching<'a> {
    pub(super) fn new(decoder: Box<dyn Decoder>, framing: Framing, patience: &'a Patience) -> Watching<'a> {
        let answer = Answer::empty(Ended::Complete);
        let gathered = Gathered { answer, text: TextOfPhases::default(), latest: 0, unmarked: Vec::new(), texts: 0, patience };
        let arrived = Arrived::default();
        Watching { decoder, framing, gathered, frames: 0, arrived, last_mark: None, body: Vec::new(), framed: false }
    }

    /// The response is over: what the decoder held back comes out, and times become distances from the first write.
    pub(super) fn answer(mut self, facts: ExchangeFacts, ended: Ended, clock: &Clock) -> Answer {
        let ExchangeFacts { mut stamps, connect, reads } = facts;
        let closed = *stamps.closed.get_or_insert_with(|| clock.now());
        self.mark_the_unmarked(closed);
        self.read_unframed_body(&stamps, closed, &ended);
        self.finish_decoding(closed);
        let Gathered { mut answer, text, .. } = self.gathered;
        if let Ended::ClosedEarly { .. } = ended {
            doubt_last_read(&mut answer.timeline, reads.count);
        }
        answer.timeline.count_from(stamps.first_write.or(stamps.first_byte).unwrap_or_default());
        answer.text = Some(text);
        if let Some(error) = &mut answer.error {
            // The header is the provider's promise; the words of a message are only asked without it.
            error.retry_after_s = retry_after_s(&answer.headers, clock.wall()).or(error.retry_after_s);
        }
        Answer { stamps, connect, reads, ended, ..answer }
    }

    /// A limit may run out between a frame and its mark. Such a frame came between the latest mark and now.
    fn mark_the_unmarked(&mut self, closed: Stamp) {
        while self.arrived.marked() < self.frames {
            self.mark(self.mark_until(closed));
        }
    }

    /// A response that held no frame at all is read as a whole.
    fn read_unframed_body(&mut self, stamps: &Stamps, closed: Stamp, ended: &Ended) {
        let Some(status) = self.gathered.answer.status.filter(|_| !self.framed) else { return };
        let failed = status >= 400;
        // A stream of nothing but keep-alives is a stream; and what a limit cut off before its first byte is no reply.
        let silent = self.gathered.answer.comments > 0 && !failed;
        if silent || (self.body.is_empty() && *ended != Ended::Complete && !failed) {
            return;
        }
        let content_type = self.gathered.answer.headers.get("content-type").cloned();
        let (frame, gathered) = (self.frames, &mut self.gathered);
        self.decoder.body(status, content_type.as_deref(), &self.body, &mut |event| gathered.take(frame, event));
        self.end_frame();
        let after = stamps.first_write.unwrap_or_default();
        self.mark(Mark { after, ..self.mark_until(closed) });
    }

    /// Texts that a splitter had held back to the end were there with the last frame.
    fn finish_decoding(&mut self, closed: Stamp) {
        let frame = self.frames.saturating_sub(1);
        let gathered = &mut self.gathered;
        self.decoder.finish(&mut |event| gathered.take(frame, event));
        self.gathered.end_frame();
        let mark = self.last_mark.unwrap_or_else(|| self.mark_until(closed));
        self.gathered.settle(frame, mark, &self.arrived);
    }

    /// The mark of something that came at an unknown time since the latest mark.
    fn mark_until(&self, closed: Stamp) -> Mark {
        let latest = self.last_mark.unwrap_or_default();
        let at = closed.max(latest.at);
        Mark { at, after: latest.after, user: at, read: latest.read, chunk: latest.chunk, exact: false }
    }

    fn end_frame(&mut self) {
        self.frames += 1;
        self.gathered.end_frame();
    }
}

impl Watch for Watching<'_> {
    fn head(&mut self, head: Head<'_>) {
        self.gathered.answer.status = Some(head.status);
        self.decoder.status(head.status);
        self.gathered.answer.headers = allowed(head.headers);
    }
    fn body(&mut self, bytes: &[u8]) {
        if !self.framed {
            let room = BODY_KEPT.saturating_sub(self.body.len());
            self.body.extend_from_slice(&bytes[..bytes.len().min(room)]);
        }
    }
    fn frame(&mut self, frame: Frame<'_>) {
        // A line of NDJSON without its end may be a whole error body; an event without its blank line still shows a stream of events.
        let whole_body = frame.unterminated && self.framing == Framing::Ndjson;
        if !self.framed && !whole_body {
            self.framed = true;
            self.body = Vec::new();
        }
        if !frame.unterminated && !frame.data.is_empty() {
            self.gathered.answer.frames += 1;
        }
        let (number, gathered) = (self.frames, &mut self.gathered);
        self.decoder.feed(&frame, &mut |event| gathered.take(number, event));
        self.end_frame();
    }
    fn comment(&mut self, text: &[u8]) {
        self.decoder.comment(text);
        self.gathered.answer.comments += 1;
    }
    fn mark(&mut self, mark: Mark) {
        let frame = self.arrived.marked();
        self.arrived.at.push(mark.at.0);
        self.last_mark = Some(mark);
        self.gathered.settle(frame, mark, &self.arrived);
        // A text that comes later can ask for this frame only while the decoder holds something.
        if self.arrived.marked() == self.frames && !self.decoder.holds() {
            self.arrived.forget();
        }
    }
}

impl Gathered<'_> {
    /// Takes one event of a frame.
    fn take(&mut self, frame: u32, event: StreamEvent<'_>) {
        let answer = &mut self.answer;
        match event {
            StreamEvent::Delta { text: "", .. } => {}
            StreamEvent::Delta { phase, text, held } => {
                let whole = self.text.of_mut(phase);
                if whole.capacity() == 0 {
                    whole.reserve(text.len().max(256));
                }
                whole.push_str(text);
                self.unmarked.push(Unmarked { frame, phase, bytes: text.len() as u32, held });
                self.texts += 1;
            }
            StreamEvent::Relabel => self.relabel(),
            StreamEvent::Usage(usage) => {
                if let Some(completion) = usage.completion {
                    // The number of events is set when the frame ends, since those of the same frame are included.
                    let point = UsagePoint { events: u32::MAX, completion, reasoning: usage.reasoning };
                    answer.timeline.usage.push(point);
                }
                if !usage.is_empty() || answer.usage.is_none() {
                    answer.usage = Some(usage);
                }
            }
            StreamEvent::Timing(timing) => answer.timing = Some(timing),
            StreamEvent::Finish(finish) => {
                answer.finish.get_or_insert(finish);
            }
            StreamEvent::Error(error) => {
                answer.error.get_or_insert(error);
            }
            StreamEvent::Model(name) => set_once(&mut answer.model, name),
            StreamEvent::Fingerprint(print) => set_once(&mut answer.fingerprint, print),
            StreamEvent::Upstream(name) => set_once(&mut answer.upstream, name),
            StreamEvent::End(mark) => answer.end_marks.push(mark),
            StreamEvent::Unreadable => answer.unreadable += 1,
        }
    }

    /// A frame's events are all there: its token counts include its texts.
    fn end_frame(&mut self) {
        for point in self.answer.timeline.usage.iter_mut().rev().take_while(|point| point.events == u32::MAX) {
            point.events = self.texts;
        }
    }

    /// The texts of `frame` get its mark.
    fn settle(&mut self, frame: u32, mark: Mark, arrived: &Arrived) {
        let ready = self.unmarked.iter().take_while(|text| text.frame <= frame).count();
        if ready == 0 {
            return;
        }
        // Time does not run backwards in a timeline; where a mark would, it is widened and no longer exact.
        let at = mark.at.0.max(self.latest);
        let exact = mark.exact && at == mark.at.0;
        let width_ns = if exact { 0 } else { (at - mark.after.0.min(at)).max(1) };
        let line = &mut self.answer.timeline;
        line.expect_from(Offset(at));
        for text in self.unmarked.drain(..ready) {
            if text.held > 0 {
                let first = arrived.of(text.frame.saturating_sub(text.held));
                line.held.push(Held { event: line.len() as u32, since_ns: first.unwrap_or(at).min(at) });
            }
            let Unmarked { phase, bytes, .. } = text;
            line.push(Point { at: Offset(at), width_ns, phase, bytes, chunk: mark.chunk, read: mark.read });
        }
        self.latest = at;
        self.patience.text(mark.user.max(mark.at));
    }

    /// All content so far was reasoning. The texts are put together anew, since reasoning may have come before and between.
    fn relabel(&mut self) {
        let TextOfPhases { reasoning, content, tool } = std::mem::take(&mut self.text);
        let (mut reasoning, mut content, mut joined) = (reasoning.as_str(), content.as_str(), String::new());
        let mut take = |phase: &mut Phase, bytes: u32| {
            let source = match phase {
                Phase::Reasoning => &mut reasoning,
                Phase::Content => &mut content,
                Phase::Tool => return,
            };
            let (text, rest) = source.split_at(bytes as usize);
            *source = rest;
            joined.push_str(text);
            *phase = Phase::Reasoning;
        };
        self.answer.timeline.change(0, |point| take(&mut point.phase, point.bytes));
        self.unmarked.iter_mut().for_each(|text| take(&mut text.phase, text.bytes));
        self.text = TextOfPhases { reasoning: joined, content: String::new(), tool };
        self.answer.relabelled = true;
    }
}

fn set_once(place: &mut Option<String>, value: &str) {
    if place.is_none() {
        *place = Some(value.to_owned());
    }
}

/// The segment that closed the connection may share the last read, and the kernel then gives its time to all of it: the texts of that
/// read came somewhere after the texts of an earlier one.
fn doubt_last_read(line: &mut Timeline, last: u32) {
    let earlier = line.points().rev().find(|point| point.read < last);
    let first = line.points().rev().take_while(|point| point.read >= last).count();
    let before = earlier.map_or(0, |point| point.at.0.saturating_sub(point.width_ns));
    line.change(line.len() - first, |point| point.width_ns = point.width_ns.max(point.at.0 - before).max(1));
}
