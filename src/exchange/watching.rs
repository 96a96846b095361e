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
    /// The timeline as it grows, times absolute: one row an event, so that an event touches one place in memory. Columns are made at the end.
    points: Vec<Point>,
    unmarked: Vec<Unmarked>,
    /// Texts emitted so far, marked or not.
    texts: u32,
    patience: &'a Patience,
}

/// Watches one response.
pub(super) struct Watching<'a> {
    decoder: Box<dyn Decoder>,
    framing: Framing,
    gathered: Gathered<'a>,
    /// Frames seen, and when those that have their mark arrived (absolute, ns).
    frames: u32,
    arrived: Vec<u64>,
    last_mark: Option<Mark>,
    body: Vec<u8>,
    /// A frame came, so that the body need not be kept.
    framed: bool,
}

impl<'a> Watching<'a> {
    pub(super) fn new(decoder: Box<dyn Decoder>, framing: Framing, patience: &'a Patience) -> Watching<'a> {
        const EVENTS: usize = 512;
        let answer = Answer::empty(Ended::Complete);
        let points = Vec::with_capacity(EVENTS);
        let unmarked = Vec::with_capacity(16);
        let gathered = Gathered { answer, text: TextOfPhases::default(), points, unmarked, texts: 0, patience };
        let arrived = Vec::with_capacity(EVENTS);
        Watching { decoder, framing, gathered, frames: 0, arrived, last_mark: None, body: Vec::new(), framed: false }
    }

    /// The response is over: what the decoder held back comes out, and times become distances from the first write.
    pub(super) fn answer(mut self, facts: ExchangeFacts, ended: Ended, clock: &Clock) -> Answer {
        let ExchangeFacts { mut stamps, connect, reads } = facts;
        let closed = *stamps.closed.get_or_insert_with(|| clock.now());
        self.mark_the_unmarked(closed);
        self.read_unframed_body(&stamps, closed, &ended);
        self.finish_decoding(closed);
        let Gathered { mut answer, text, mut points, .. } = self.gathered;
        if let Ended::ClosedEarly { .. } = ended {
            doubt_last_read(&mut points, reads.count);
        }
        columns(points, stamps.first_write.or(stamps.first_byte).unwrap_or_default(), &mut answer.timeline);
        answer.text = Some(text);
        if let Some(error) = &mut answer.error {
            // The header is the provider's promise; the words of a message are only asked without it.
            error.retry_after_s = retry_after_s(&answer.headers, clock.wall()).or(error.retry_after_s);
        }
        Answer { stamps, connect, reads, ended, ..answer }
    }

    /// A limit may run out between a frame and its mark. Such a frame came between the latest mark and now.
    fn mark_the_unmarked(&mut self, closed: Stamp) {
        while (self.arrived.len() as u32) < self.frames {
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
        let frame = self.arrived.len() as u32;
        self.arrived.push(mark.at.0);
        self.last_mark = Some(mark);
        self.gathered.settle(frame, mark, &self.arrived);
    }
}

impl Gathered<'_> {
    /// Takes one event of a frame.
    fn take(&mut self, frame: u32, event: StreamEvent<'_>) {
        let answer = &mut self.answer;
        match event {
            StreamEvent::Delta { text: "", .. } => {}
            StreamEvent::Delta { phase, text, held } => {
                self.text.of_mut(phase).push_str(text);
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
    fn settle(&mut self, frame: u32, mark: Mark, arrived: &[u64]) {
        let ready = self.unmarked.iter().take_while(|text| text.frame <= frame).count();
        if ready == 0 {
            return;
        }
        // Time does not run backwards in a timeline; where a mark would, it is widened and no longer exact.
        let floor = self.points.last().map_or(0, |point| point.at.0);
        let at = mark.at.0.max(floor);
        let exact = mark.exact && at == mark.at.0;
        let width_ns = if exact { 0 } else { (at - mark.after.0.min(at)).max(1) };
        for text in self.unmarked.drain(..ready) {
            if text.held > 0 {
                let first = arrived.get(text.frame.saturating_sub(text.held) as usize);
                let held = Held { event: self.points.len() as u32, since_ns: first.copied().unwrap_or(at).min(at) };
                self.answer.timeline.held.push(held);
            }
            let Unmarked { phase, bytes, .. } = text;
            self.points.push(Point { at: Offset(at), width_ns, phase, bytes, chunk: mark.chunk, read: mark.read });
        }
        self.patience.text(mark.user.max(mark.at));
    }

    /// All content so far was reasoning. The texts are put together anew, since reasoning may have come before and between.
    fn relabel(&mut self) {
        let TextOfPhases { reasoning, content, tool } = std::mem::take(&mut self.text);
        let (mut reasoning, mut content, mut joined) = (reasoning.as_str(), content.as_str(), String::new());
        let marked = self.points.iter_mut().map(|point| (&mut point.phase, point.bytes));
        let unmarked = self.unmarked.iter_mut().map(|text| (&mut text.phase, text.bytes));
        for (phase, bytes) in marked.chain(unmarked) {
            let source = match phase {
                Phase::Reasoning => &mut reasoning,
                Phase::Content => &mut content,
                Phase::Tool => continue,
            };
            let (text, rest) = source.split_at(bytes as usize);
            *source = rest;
            joined.push_str(text);
            *phase = Phase::Reasoning;
        }
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
fn doubt_last_read(points: &mut [Point], last: u32) {
    let first = points.partition_point(|point| point.read < last);
    let before = first.checked_sub(1).map_or(0, |i| points[i].at.0.saturating_sub(points[i].width_ns));
    for point in &mut points[first..] {
        point.width_ns = point.width_ns.max(point.at.0 - before).max(1);
    }
}

/// Absolute times become distances from `begun`, and rows become columns. What arrived before it is put at zero; an interval still holds
/// what it held.
fn columns(points: Vec<Point>, begun: Stamp, line: &mut Timeline) {
    let n = points.len();
    let Timeline { at_ns, width_ns, phase, bytes, chunk, read, .. } = line;
    at_ns.reserve(n);
    width_ns.reserve(n);
    phase.reserve(n);
    bytes.reserve(n);
    chunk.reserve(n);
    read.reserve(n);
    for mut point in points {
        let distance = Stamp(point.at.0).since(begun);
        point.width_ns = point.width_ns.min(distance.max(1));
        point.at = Offset(distance);
        line.push(point);
    }
    for held in &mut line.held {
        held.since_ns = Stamp(held.since_ns).since(begun);
    }
}
