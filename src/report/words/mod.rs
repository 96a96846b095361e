//! What analysis and metrics say, in words: each fact is a value there and a sentence here, once in each language.

pub(super) mod calibration;
mod client;
mod grades;
pub(super) mod hours;
pub(super) mod load;
mod metrics;
pub(super) mod ramp;
mod readings;
mod replies;
mod verdicts;

use super::Lang;
pub(super) use client::withheld;
pub use grades::model_differs;
pub(super) use grades::{claims_not_comparable, same_model, unread};
pub(super) use metrics::told;
pub use verdicts::{Told, sentence};
pub(super) use verdicts::{figures, lasting, order_hangs, other_rounds, percent, rate};

/// A fact that can be said.
pub trait Worded {
    /// In words: a sentence without its full stop, or a part of one.
    fn words(&self, lang: Lang) -> String;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::{
        BasisBecause, Bottleneck, ClientGate, ClientLimit, ClockMove, Diagnosis, HeldRequests, JoinError, LimitedRound, Missing,
        NotReported, Quantity, Remark, Standing, VoidReason, Warning,
    };
    use crate::ident::TargetId;
    use crate::metric::{Better, Flag, Outcome, Undefined};
    use crate::record::{Difference, UnequalBy};
    use crate::tokens::NoCounts;

    fn target() -> TargetId {
        TargetId::new("a/b").unwrap()
    }

    fn client_gate(closed: bool) -> ClientGate {
        let because = vec![ClientLimit::ReadLag { p99_ms: 21.0 }, ClientLimit::NotSent { behind: 2, of: 9 }];
        ClientGate { runs: 1, limited: vec![LimitedRound { run: 0, round: 3, because }], of: 6, closed }
    }

    /// One of each, told in both languages.
    fn told() -> Vec<(String, String)> {
        let reasons = [VoidReason::Interrupted, VoidReason::Vantage, VoidReason::ClientLimited];
        let counts = [NoCounts::NoText, NoCounts::NoUsage, NoCounts::NotBelieved, NoCounts::ThinkingUnknown];
        let undefined = [
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
        ];
        let undefined = undefined.into_iter().chain(counts.map(Undefined::NoCounts));
        let mut all: Vec<Box<dyn Worded>> = Vec::new();
        for flag in Flag::ALL {
            all.push(Box::new(flag));
        }
        for outcome in Outcome::ALL {
            all.push(Box::new(outcome));
        }
        for quantity in Quantity::ALL {
            all.push(Box::new(quantity));
        }
        for why in undefined {
            all.push(Box::new(why));
            all.push(Box::new(Missing::Undefined(why)));
        }
        for reason in reasons {
            all.push(Box::new(reason));
            all.push(Box::new(Standing::Void(reason)));
            all.push(Box::new(Warning::Void { reason, blocks: vec![(1, 2); 9] }));
        }
        all.push(Box::new(Bottleneck { limited: 2, of: 3 }));
        all.push(Box::new(Diagnosis { read_p50_us: Some(20.0), read_p99_us: Some(90.0), ..Diagnosis::default() }));
        for better in [Better::Lower, Better::Higher, Better::Neither] {
            all.push(Box::new(better));
        }
        for standing in
            [Standing::Sent, Standing::Behind, Standing::WarmUp, Standing::Superseded, Standing::Configuration, Standing::Unasked]
        {
            all.push(Box::new(standing));
        }
        for (held, seconds) in [(1, Some((1.2, 1.2))), (2, Some((0.5, 8.4))), (2, None)] {
            all.push(Box::new(HeldRequests { target: target(), held, sent: 9, seconds }));
        }
        for warning in [
            Warning::OftenLimited { target: target(), limited: 2, sent: 9 },
            Warning::ClientLimited(client_gate(false)),
            Warning::ClientLimited(client_gate(true)),
            Warning::ClockStepped,
            Warning::ClockMoved(vec![
                ClockMove { round: 3, by_ns: 7_200_000_000_000 },
                ClockMove { round: 9, by_ns: -2_500_000_000 },
                ClockMove { round: 9, by_ns: 720_000_000_000 },
            ]),
            Warning::ClockMoved(vec![ClockMove { round: 3, by_ns: -250_000_000 }]),
            Warning::Missed { rounds: vec![3, 4, 5, 9], planned: 24 },
            Warning::Missed { rounds: vec![3], planned: 24 },
            Warning::Torn(1),
            Warning::Torn(2),
        ] {
            all.push(Box::new(warning));
        }
        for missing in [
            Missing::NoRequest,
            Missing::NoGoodReply,
            Missing::FewerRequestsThan(5),
            Missing::FewerValuesThan(5),
            Missing::EveryReplyTooShort,
            Missing::NoSuchMetric,
        ] {
            all.push(Box::new(missing));
        }
        for why in [
            NotReported::NoGoodReply,
            NotReported::SeveralFamilies,
            NotReported::UnknownFamilies,
            NotReported::Doubtful(vec![target()]),
            NotReported::Doubtful(vec![target(), target()]),
        ] {
            all.push(Box::new(BasisBecause::NotReported { why: why.clone(), without_text: true }));
            all.push(Box::new(why));
        }
        for because in [BasisBecause::Asked, BasisBecause::Believed, BasisBecause::AllBelieved] {
            all.push(Box::new(because));
        }
        for remark in [
            Remark::Outcome(Outcome::Broken, 2),
            Remark::Flag(Flag::Hidden, 2),
            Remark::CountsDiffer { ratio: 1.2, others: 1.0 },
            Remark::QuotaBound,
            Remark::Behind(2),
            Remark::OverBudget(2),
            Remark::HeldBack(2),
            Remark::Configuration(2, "no".into()),
            Remark::Few,
        ] {
            all.push(Box::new(remark));
        }
        for by in [
            UnequalBy::NoSeed,
            UnequalBy::Ignored { parameter: "top_p".into() },
            UnequalBy::CapCountsAnswer { parameter: "max_tokens".into() },
            UnequalBy::Setting { setting: "sampling".into(), own: "seed 1".into(), first: target(), firsts: "seed 2".into() },
            UnequalBy::FurtherFields { names: vec!["a".into(), "b".into()] },
        ] {
            all.push(Box::new(Difference::of(&target(), by)));
        }
        let run = || "a".to_owned();
        for error in [
            JoinError::NoRun,
            JoinError::SimulatedAndReal { simulated: run(), real: run() },
            JoinError::Plans { first: run(), other: run() },
            JoinError::Places { first: run(), here: run(), other: run(), there: run() },
            JoinError::Twice(run()),
            JoinError::LoadRun(run()),
        ] {
            all.push(Box::new(error));
        }
        all.extend(of_load());
        all.iter().map(|fact| (fact.words(Lang::En), fact.words(Lang::Zh))).collect()
    }

    /// One of each that is said of load runs.
    fn of_load() -> Vec<Box<dyn Worded>> {
        use crate::analysis::load::*;
        use crate::record::Spread;
        let mut all: Vec<Box<dyn Worded>> = Vec::new();
        for measure in Measure::ALL {
            all.push(Box::new(measure));
        }
        let windows =
            [NoWindow::NotAllRan { ran: 1, users: 2 }, NoWindow::Empty, NoWindow::Short { seconds: 1.0, needs: 2.0 }, NoWindow::NoArrivals];
        for why in [
            NoFigure::NotMeasured,
            NoFigure::NoRequest,
            NoFigure::NoGoodReply,
            NoFigure::FewRequests { n: 1, needs: 5 },
            NoFigure::FewValues { n: 1, needs: 5 },
            NoFigure::Undefined { because: Undefined::NoReasoning },
            NoFigure::OftenUndefined { without: 1, good: 9 },
            NoFigure::NoServiceLevel,
            NoFigure::NoSuchStage,
        ] {
            all.push(Box::new(why));
        }
        for because in windows {
            all.push(Box::new(because));
            all.push(Box::new(NoFigure::NoWindow { because }));
        }
        for why in [
            NoInterval::NoFigure,
            NoInterval::FewPasses { passes: 1, needs: 3 },
            NoInterval::FewPasses { passes: 2, needs: 3 },
            NoInterval::FewAPass,
            NoInterval::NeverInSome { passes: 1 },
            NoInterval::ZeroInSome { passes: 2 },
        ] {
            all.push(Box::new(why));
        }
        for why in [
            ClientLimit::Lag { p99_ms: 21.0 },
            ClientLimit::ReadLag { p99_ms: 21.0 },
            ClientLimit::SendLag { p99_ms: 21.0 },
            ClientLimit::NotSent { behind: 2, of: 9 },
        ] {
            all.push(Box::new(why));
        }
        for why in [NoKnee::FewStages { stages: 1, needs: 3 }, NoKnee::Mixed] {
            all.push(Box::new(why));
        }
        for spread in [Spread::Constant, Spread::Poisson, Spread::Gamma { shape: 0.5 }] {
            all.push(Box::new(spread));
        }
        for by in [CompareBy::Latency, CompareBy::ContentSpeed] {
            all.push(Box::new(by));
        }
        for word in [
            DuelWord::FirstFaster,
            DuelWord::SecondFaster,
            DuelWord::Undecided,
            DuelWord::IdenticalData,
            DuelWord::FewPasses,
            DuelWord::Withheld,
            DuelWord::NotComparable,
        ] {
            all.push(Box::new(word));
        }
        all
    }

    #[test]
    fn every_fact_is_told_in_both_languages() {
        let han = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
        for (en, zh) in told() {
            assert!(!en.is_empty() && !en.contains(han), "{en}");
            // A count of a flag or an outcome is the name of that flag or outcome: one word around it is Chinese.
            assert!(zh.contains(han) && zh != en, "{en} / {zh}");
            assert!(!zh.ends_with('。') && !en.ends_with('.'), "{en} / {zh}: a part of a sentence has no full stop");
            assert!(!zh.contains(", ") && !zh.contains("; "), "{zh}: marks of the other language");
        }
    }
}
