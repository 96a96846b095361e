//! The timeline of one reply: what came, when, and how sure that is.

use super::Phase;
use crate::units::{Offset, Stamp};
use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

/// When a frame's last byte reached this machine: at `at` if `exact`, else somewhere in `(after, at]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Mark {
    /// The kernel's receive time of the newest segment in the read (user time where the kernel gave none).
    pub at: Stamp,
    /// No byte of the frame had arrived by then; equal to `at` where exact.
    pub after: Stamp,
    /// When the read returned to us: `user − at` is this client's own lag.
    pub user: Stamp,
    /// The number of the read on this connection's exchange, from 1.
    pub read: u32,
    /// What the server wrote at once: the HTTP chunk, or the frame's own number where the framing does not show writes.
    pub chunk: u32,
    /// `at` is the arrival of the frame's last byte, to the kernel's accuracy.
    pub exact: bool,
}

/// One text of a timeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Point {
    /// When it arrived, since the request's first write.
    pub at: Offset,
    /// How wide the interval is in which it arrived, in nanoseconds: it came in `(at − width, at]`; 0 is exact.
    pub width_ns: u64,
    /// The part of the reply it belongs to.
    pub phase: Phase,
    /// Its length in UTF-8 bytes.
    pub bytes: u32,
    /// What the server wrote at once bears one number.
    pub chunk: u32,
    /// The read it came with.
    pub read: u32,
}

impl Point {
    /// Whether the time is exact.
    pub const fn exact(&self) -> bool {
        self.width_ns == 0
    }
    /// The earliest time at which it can have arrived.
    pub const fn earliest(&self) -> Offset {
        Offset(self.at.0.saturating_sub(self.width_ns))
    }
}

/// A text whose first byte had come earlier than its time says: a tag splitter held it until it was clear what it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// Index of the event in the timeline.
    pub event: u32,
    /// When the first byte of it came, since the first write.
    pub since_ns: u64,
}

/// Cumulative token counts that came with an event (SiliconFlow on every chunk, vLLM and Ark by request).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsagePoint {
    /// Number of timeline events that had come when the counts came, those of the same frame included.
    pub events: u32,
    /// Completion tokens so far, reasoning included.
    pub completion: u64,
    /// Reasoning tokens so far, where told.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub reasoning: Option<u64>,
}

/// The text of each phase, all its events joined.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextOfPhases {
    /// The thinking.
    pub reasoning: String,
    /// The answer.
    pub content: String,
    /// Tool-call arguments.
    #[serde(skip_serializing_if = "String::is_empty", default)]
    pub tool: String,
}

impl TextOfPhases {
    /// The text of one phase.
    pub fn of(&self, phase: Phase) -> &str {
        match phase {
            Phase::Reasoning => &self.reasoning,
            Phase::Content => &self.content,
            Phase::Tool => &self.tool,
        }
    }
    /// The text of one phase, to be added to.
    pub fn of_mut(&mut self, phase: Phase) -> &mut String {
        match phase {
            Phase::Reasoning => &mut self.reasoning,
            Phase::Content => &mut self.content,
            Phase::Tool => &mut self.tool,
        }
    }
}

/// All texts of a reply in order of arrival. Empty texts are not in it. In the record it stands as parallel arrays of one length; in memory
/// a text is one row of 16 bytes, so that an event touches one place, and ten thousand replies fit beside each other.
#[derive(Clone, Default)]
pub struct Timeline {
    /// What the rows' times count from.
    base: u64,
    rows: Vec<Row>,
    /// Texts that do not fit into a row (longer than 16 KB, an interval of more than 4 s, behind the 65 535th write or read), by index,
    /// ascending.
    odd: Vec<(u32, Point)>,
    /// The arrays that it was read from were of unequal length.
    unequal: bool,
    /// Texts that a splitter held back.
    pub held: Vec<Held>,
    /// Cumulative token counts that came on the way.
    pub usage: Vec<UsagePoint>,
}

/// One text in 16 bytes: its time since the timeline's base in 48 bits, its phase and length in 16.
#[derive(Clone, Copy)]
struct Row {
    at_low: u32,
    at_high: u16,
    what: u16,
    width_ns: u32,
    chunk: u16,
    read: u16,
}

const _: () = assert!(size_of::<Row>() == 16);
/// In a row's `what`: the bits of the length, and the mark of a row whose text stands among the odd ones.
const LENGTH: u16 = (1 << 14) - 1;
const ODD: u16 = u16::MAX;

impl Row {
    /// The row of a text, unless it does not fit into one.
    fn of(point: &Point, base: u64) -> Option<Row> {
        let at = point.at.0.checked_sub(base).filter(|at| at >> 48 == 0)?;
        let length = u16::try_from(point.bytes).ok().filter(|length| *length <= LENGTH)?;
        let width_ns = u32::try_from(point.width_ns).ok()?;
        let (chunk, read) = (u16::try_from(point.chunk).ok()?, u16::try_from(point.read).ok()?);
        let what = (point.phase as u16) << 14 | length;
        Some(Row { at_low: at as u32, at_high: (at >> 32) as u16, what, width_ns, chunk, read })
    }
    /// `None` for the phase marks an odd one.
    fn phase(&self) -> Option<Phase> {
        [Some(Phase::Reasoning), Some(Phase::Content), Some(Phase::Tool), None][usize::from(self.what >> 14)]
    }
}

impl Timeline {
    /// Says that times will be at `base` or later, as absolute ones are; to be said before the first text.
    pub fn expect_from(&mut self, base: Offset) {
        if self.is_empty() {
            self.base = base.0;
            self.rows.reserve(32); // the first steps of a growing list are the dearest
        }
    }
    /// The number of texts.
    pub fn len(&self) -> usize {
        self.rows.len()
    }
    /// Whether no text came at all.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }
    /// Adds a text at the end.
    pub fn push(&mut self, point: Point) {
        let row = Row::of(&point, self.base).unwrap_or_else(|| {
            self.odd.push((self.rows.len() as u32, point));
            Row { at_low: 0, at_high: 0, what: ODD, width_ns: 0, chunk: 0, read: 0 }
        });
        self.rows.push(row);
    }
    /// The text at an index.
    pub fn get(&self, index: usize) -> Option<Point> {
        let row = self.rows.get(index)?;
        match row.phase() {
            Some(phase) => {
                let at = Offset(self.base + (u64::from(row.at_high) << 32 | u64::from(row.at_low)));
                let bytes = u32::from(row.what & LENGTH);
                Some(Point { at, width_ns: row.width_ns.into(), phase, bytes, chunk: row.chunk.into(), read: row.read.into() })
            }
            None => self.odd_one(index).map(|i| self.odd[i].1),
        }
    }
    fn odd_one(&self, index: usize) -> Option<usize> {
        self.odd.binary_search_by_key(&index, |(index, _)| *index as usize).ok()
    }
    /// The first text.
    pub fn first(&self) -> Option<Point> {
        self.get(0)
    }
    /// The last text.
    pub fn last(&self) -> Option<Point> {
        self.get(self.len().checked_sub(1)?)
    }
    /// The texts one by one.
    pub fn points(&self) -> impl ExactSizeIterator<Item = Point> + DoubleEndedIterator + Clone + '_ {
        (0..self.len()).map(|i| self.get(i).unwrap_or_default())
    }
    /// The phase of each text.
    pub fn phases(&self) -> impl ExactSizeIterator<Item = Phase> + DoubleEndedIterator + '_ {
        self.points().map(|point| point.phase)
    }
    /// Changes the texts from index `from` on, one by one.
    pub fn change(&mut self, from: usize, mut change: impl FnMut(&mut Point)) {
        for index in from..self.len() {
            let mut point = self.get(index).unwrap_or_default();
            change(&mut point);
            match (Row::of(&point, self.base), self.odd_one(index)) {
                (Some(row), None) => self.rows[index] = row,
                (_, Some(odd)) => self.odd[odd].1 = point,
                (None, None) => {
                    let place = self.odd.partition_point(|(other, _)| (*other as usize) < index);
                    self.odd.insert(place, (index as u32, point));
                    self.rows[index].what = ODD;
                }
            }
        }
    }
    /// Absolute times become distances from `begun`. What arrived before it is put at zero; an interval still holds what it held. The
    /// room for further texts is given back.
    pub fn count_from(&mut self, begun: Stamp) {
        if begun.0 <= self.base {
            // Rows keep their distance from the base, which only moves.
            self.base -= begun.0;
            self.odd.iter_mut().for_each(|(_, point)| point.at.0 = point.at.0.saturating_sub(begun.0));
        } else {
            let points: Vec<Point> = self.points().collect();
            (self.base, self.rows, self.odd) = (0, Vec::new(), Vec::new());
            points.into_iter().for_each(|point| self.push(Point { at: Offset(Stamp(point.at.0).since(begun)), ..point }));
        }
        self.change(0, |point| point.width_ns = point.width_ns.min(point.at.0.max(1)));
        for held in &mut self.held {
            held.since_ns = Stamp(held.since_ns).since(begun);
        }
        self.rows.shrink_to_fit();
    }
    /// Whether the arrays it was read from had one length and the times never run backwards: what a reader of foreign files checks.
    pub fn is_sound(&self) -> bool {
        !self.unequal && self.points().map(|point| point.at).is_sorted()
    }
}

impl PartialEq for Timeline {
    fn eq(&self, other: &Timeline) -> bool {
        let same = self.held == other.held && self.usage == other.usage && self.unequal == other.unequal;
        same && self.points().eq(other.points())
    }
}

impl fmt::Debug for Timeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.points()).entries(&self.held).entries(&self.usage).finish()
    }
}

/// The record's form: an array for each property.
impl Serialize for Timeline {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let extra = usize::from(!self.held.is_empty()) + usize::from(!self.usage.is_empty());
        let mut columns = serializer.serialize_struct("Timeline", 6 + extra)?;
        columns.serialize_field("at_ns", &Array(self, |point| point.at.0))?;
        columns.serialize_field("width_ns", &Array(self, |point| point.width_ns))?;
        let letters: String = self.phases().map(Phase::letter).collect();
        columns.serialize_field("phase", &letters)?;
        columns.serialize_field("bytes", &Array(self, |point| point.bytes))?;
        columns.serialize_field("chunk", &Array(self, |point| point.chunk))?;
        columns.serialize_field("read", &Array(self, |point| point.read))?;
        if !self.held.is_empty() {
            columns.serialize_field("held", &self.held)?;
        }
        if !self.usage.is_empty() {
            columns.serialize_field("usage", &self.usage)?;
        }
        columns.end()
    }
}

/// One property of all texts.
struct Array<'a, T>(&'a Timeline, fn(Point) -> T);

impl<T: Serialize> Serialize for Array<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.points().map(self.1))
    }
}

#[derive(Deserialize)]
struct Arrays {
    at_ns: Vec<u64>,
    width_ns: Vec<u64>,
    #[serde(deserialize_with = "of_letters")]
    phase: Vec<Phase>,
    bytes: Vec<u32>,
    chunk: Vec<u32>,
    read: Vec<u32>,
    #[serde(default)]
    held: Vec<Held>,
    #[serde(default)]
    usage: Vec<UsagePoint>,
}

impl<'de> Deserialize<'de> for Timeline {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Timeline, D::Error> {
        let Arrays { at_ns, width_ns, phase, bytes, chunk, read, held, usage } = Arrays::deserialize(deserializer)?;
        let lengths = [at_ns.len(), width_ns.len(), phase.len(), bytes.len(), chunk.len(), read.len()];
        let whole = lengths.into_iter().min().unwrap_or(0);
        let mut line = Timeline { unequal: lengths.iter().any(|length| *length != whole), held, usage, ..Timeline::default() };
        line.rows.reserve_exact(whole);
        for i in 0..whole {
            let (at, width_ns) = (Offset(at_ns[i]), width_ns[i]);
            line.push(Point { at, width_ns, phase: phase[i], bytes: bytes[i], chunk: chunk[i], read: read[i] });
        }
        Ok(line)
    }
}

fn of_letters<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Phase>, D::Error> {
    let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
    let unknown = |letter| serde::de::Error::custom(format!("{letter:?} names no phase; known are r, c and t"));
    text.chars().map(|letter| Phase::of_letter(letter).ok_or_else(|| unknown(letter))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::secs;

    fn point(at: u64, phase: Phase) -> Point {
        Point { at: Offset(at), width_ns: 0, phase, bytes: 3, chunk: 1, read: 1 }
    }

    #[test]
    fn a_timeline_comes_back_from_its_record() {
        let mut line = Timeline::default();
        line.push(point(5, Phase::Reasoning));
        line.push(point(9, Phase::Content));
        let text = serde_json::to_string(&line).unwrap();
        let want = r#"{"at_ns":[5,9],"width_ns":[0,0],"phase":"rc","bytes":[3,3],"chunk":[1,1],"read":[1,1]}"#;
        assert_eq!(text, want);
        assert_eq!(serde_json::from_str::<Timeline>(&text).unwrap(), line);
        assert!(line.is_sound());
    }

    #[test]
    fn what_does_not_fit_into_a_row_comes_back_whole() {
        let mut line = Timeline::default();
        let points = [
            point(1, Phase::Tool),
            Point { bytes: 16_383, ..point(2, Phase::Tool) },
            Point { bytes: 16_384, ..point(2, Phase::Reasoning) },
            Point { width_ns: secs(5), ..point(secs(6), Phase::Content) },
            Point { chunk: u32::MAX, read: u32::MAX, width_ns: u32::MAX.into(), ..point(secs(7), Phase::Content) },
            point(u64::MAX, Phase::Content),
        ];
        points.iter().for_each(|point| line.push(*point));
        assert_eq!(line.points().collect::<Vec<_>>(), points);
        assert_eq!((line.odd.len(), line.first(), line.last()), (4, Some(points[0]), Some(points[5])));
        let text = serde_json::to_string(&line).unwrap();
        assert_eq!(serde_json::from_str::<Timeline>(&text).unwrap(), line);
        line.change(1, |point| point.width_ns = secs(9));
        assert_eq!(line.points().map(|point| point.width_ns).collect::<Vec<_>>(), [0, secs(9), secs(9), secs(9), secs(9), secs(9)]);
        assert_eq!(line.points().map(|point| point.bytes).collect::<Vec<_>>(), points.map(|point| point.bytes));
    }

    #[test]
    fn absolute_times_become_distances_and_nothing_lies_before_the_beginning() {
        let begun = secs(1_000_000);
        let far = Point { width_ns: secs(7), ..point(begun + secs(9), Phase::Content) };
        for base in [begun + 5, begun - 5, 0] {
            let mut line = Timeline::default();
            line.expect_from(Offset(base));
            let early = Point { width_ns: 90, ..point(begun - 2, Phase::Content) };
            let late = Point { width_ns: 90, ..point(begun + 20, Phase::Content) };
            [early, late, far].into_iter().for_each(|point| line.push(point));
            line.held.push(Held { event: 1, since_ns: begun + 7 });
            line.count_from(Stamp(begun));
            let told: Vec<(u64, u64)> = line.points().map(|point| (point.at.0, point.width_ns)).collect();
            assert_eq!(told, [(0, 1), (20, 20), (secs(9), secs(7))], "base {base}");
            assert_eq!(line.held[0].since_ns, 7);
        }
    }

    #[test]
    fn arrays_of_unequal_length_and_times_that_run_backwards_are_not_sound() {
        let read = |text: &str| serde_json::from_str::<Timeline>(text).unwrap().is_sound();
        assert!(!read(r#"{"at_ns":[5],"width_ns":[0],"phase":"rc","bytes":[3,3],"chunk":[1,1],"read":[1,1]}"#));
        assert!(!read(r#"{"at_ns":[5,4],"width_ns":[0,0],"phase":"rc","bytes":[3,3],"chunk":[1,1],"read":[1,1]}"#));
    }
}
