//! Reasons as single bytes: 0 stands for "there is a value".

use crate::metric::{Outcome, Undefined};
use crate::record::{Graded, Unread};
use crate::tokens::{Basis, NoCounts};

/// The bases, in the order in which a row holds them.
pub const BASES: [Basis; 3] = [Basis::Reported, Basis::Reference, Basis::Chars];

pub const fn place_of(basis: Basis) -> usize {
    match basis {
        Basis::Reported => 0,
        Basis::Reference => 1,
        Basis::Chars => 2,
    }
}

const UNCOUNTED: [NoCounts; 4] = [NoCounts::NoText, NoCounts::NoUsage, NoCounts::NotBelieved, NoCounts::ThinkingUnknown];

pub const fn code_of_uncounted(why: NoCounts) -> u8 {
    match why {
        NoCounts::NoText => 1,
        NoCounts::NoUsage => 2,
        NoCounts::NotBelieved => 3,
        NoCounts::ThinkingUnknown => 4,
    }
}

pub fn uncounted(code: u8) -> Option<NoCounts> {
    UNCOUNTED.get(usize::from(code).checked_sub(1)?).copied()
}

const UNDEFINED: [Undefined; 17] = [
    Undefined::NoArrival,
    Undefined::NoContent,
    Undefined::NoReasoning,
    Undefined::TooFewArrivals,
    Undefined::TooFewTokens,
    Undefined::NoTime,
    Undefined::OneRead,
    Undefined::Bundled,
    Undefined::NoUsage,
    Undefined::Shorter,
    Undefined::Reused,
    Undefined::NoResponse,
    Undefined::NoStart,
    Undefined::NoCounts(NoCounts::NoText),
    Undefined::NoCounts(NoCounts::NoUsage),
    Undefined::NoCounts(NoCounts::NotBelieved),
    Undefined::NoCounts(NoCounts::ThinkingUnknown),
];

pub const fn code_of_undefined(why: Undefined) -> u8 {
    match why {
        Undefined::NoArrival => 1,
        Undefined::NoContent => 2,
        Undefined::NoReasoning => 3,
        Undefined::TooFewArrivals => 4,
        Undefined::TooFewTokens => 5,
        Undefined::NoTime => 6,
        Undefined::OneRead => 7,
        Undefined::Bundled => 8,
        Undefined::NoUsage => 9,
        Undefined::Shorter => 10,
        Undefined::Reused => 11,
        Undefined::NoResponse => 12,
        Undefined::NoStart => 13,
        Undefined::NoCounts(why) => 13 + code_of_uncounted(why),
    }
}

pub fn undefined(code: u8) -> Option<Undefined> {
    UNDEFINED.get(usize::from(code).checked_sub(1)?).copied()
}

pub fn code_of_outcome(outcome: Outcome) -> u8 {
    Outcome::ALL.iter().position(|known| *known == outcome).map_or(0, |at| at as u8 + 1)
}

pub fn outcome(code: u8) -> Option<Outcome> {
    Outcome::ALL.get(usize::from(code).checked_sub(1)?).copied()
}

const GRADES: [Graded; 9] = [
    Graded::Correct,
    Graded::Wrong,
    Graded::Unread(Unread::NoContent),
    Graded::Unread(Unread::NoLine),
    Graded::Unread(Unread::InCode),
    Graded::Unread(Unread::Nothing),
    Graded::Unread(Unread::NoNumber),
    Graded::Unread(Unread::More),
    Graded::Unread(Unread::NotKept),
];

pub fn code_of_grade(grade: Graded) -> u8 {
    GRADES.iter().position(|known| *known == grade).map_or(0, |at| at as u8 + 1)
}

pub fn grade(code: u8) -> Option<Graded> {
    GRADES.get(usize::from(code).checked_sub(1)?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_comes_back_from_its_byte() {
        for (i, why) in UNDEFINED.into_iter().enumerate() {
            assert_eq!((code_of_undefined(why), undefined(i as u8 + 1)), (i as u8 + 1, Some(why)));
        }
        for (i, why) in UNCOUNTED.into_iter().enumerate() {
            assert_eq!((code_of_uncounted(why), uncounted(i as u8 + 1)), (i as u8 + 1, Some(why)));
        }
        assert!(GRADES.into_iter().all(|each| grade(code_of_grade(each)) == Some(each)) && grade(0).is_none());
        assert!(Outcome::ALL.into_iter().all(|each| outcome(code_of_outcome(each)) == Some(each)));
        assert_eq!((undefined(0), uncounted(0), outcome(0), undefined(200)), (None, None, None, None));
        assert!(BASES.into_iter().enumerate().all(|(i, basis)| place_of(basis) == i));
    }
}
