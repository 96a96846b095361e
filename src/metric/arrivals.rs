//! Arrivals: what the server wrote at once is one arrival, however many texts it holds.

use crate::timeline::Point;

/// A time since the request's first write, in milliseconds: exact, or an interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Moment {
    /// The mark's own time, the latest it can have been.
    pub at: f64,
    /// The earliest it can have been.
    pub earliest: f64,
}

impl Moment {
    /// Whether the time is exact.
    pub fn exact(&self) -> bool {
        self.earliest == self.at
    }
    /// The time of a timeline's point, in milliseconds of the imitated provider where `scale` is not 1.
    pub fn of(point: &Point, scale: f64) -> Moment {
        Moment { at: point.at.ms() * scale, earliest: point.earliest().ms() * scale }
    }
}

/// What the server wrote at once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Arrival {
    /// When its last text arrived.
    pub moment: Moment,
    /// The read that brought its last text.
    pub read: u32,
    /// The write's number.
    pub chunk: u32,
    /// Its tokens; absent where they could not be counted.
    pub tokens: Option<f64>,
}

/// The arrivals among the wanted points, in order. Points of one chunk that follow each other are one arrival.
pub(super) fn arrivals(points: &[Point], counts: Option<&[f64]>, scale: f64, wanted: impl Fn(&Point) -> bool) -> Vec<Arrival> {
    let mut arrivals: Vec<Arrival> = Vec::new();
    for (i, point) in points.iter().enumerate().filter(|(_, point)| wanted(point)) {
        let tokens = counts.map(|counts| counts[i]);
        let moment = Moment::of(point, scale);
        match arrivals.last_mut().filter(|last| last.chunk == point.chunk) {
            Some(last) => {
                (last.moment, last.read) = (moment, point.read);
                last.tokens = last.tokens.zip(tokens).map(|(so_far, more)| so_far + more);
            }
            None => arrivals.push(Arrival { moment, read: point.read, chunk: point.chunk, tokens }),
        }
    }
    arrivals
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::timeline::Phase;
    use crate::units::Offset;

    #[test]
    fn texts_of_one_write_are_one_arrival_even_when_two_reads_brought_it() {
        let point = |at, width_ns, chunk, read| Point { at: Offset(at), width_ns, phase: Phase::Content, bytes: 1, chunk, read };
        let points = [point(1_000_000, 0, 1, 1), point(5_000_000, 2_000_000, 2, 2), point(6_000_000, 0, 2, 3)];
        let found = arrivals(&points, Some(&[1.0, 2.0, 3.0]), 1.0, |_| true);
        assert_eq!(found.len(), 2);
        assert_eq!(found[1], Arrival { moment: Moment { at: 6.0, earliest: 6.0 }, read: 3, chunk: 2, tokens: Some(5.0) });
    }
}
