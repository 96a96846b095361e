//! The quantities that targets can be compared in: each as a time, so that less is better and a failure can be charged the limit.

use crate::metric::{Better, Metric, Reply, Undefined, metric};

/// A quantity that targets are compared and ranked in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Quantity {
    /// Time to the first token, ms.
    Ttft,
    /// Time to the first answer token, ms.
    Ttfa,
    /// Reply time, ms.
    E2e,
    /// Time to 100 tokens of the answer, s.
    TimeTo100,
    /// Time to 500 tokens of the answer, s.
    TimeTo500,
    /// Reply time a token, s.
    Spt,
    /// All tokens over the reply time: ranked as [`Quantity::Spt`], shown in tok/s.
    OverallSpeed,
    /// Speed within the reasoning.
    ReasoningSpeed,
    /// Speed within the answer.
    ContentSpeed,
    /// Speed after the first arrival.
    Decode,
    /// Charged seconds of all requests over correct answers.
    SecondsPerCorrect,
}

/// What a request without a value is charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Charge {
    /// The run's limit T.
    Limit,
    /// T over the tokens that the prompt's good replies have in the middle (method: T / Ñ_j), of the named part of the reply.
    LimitByTokens(Part),
}

/// A part of a reply whose tokens are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// All of it.
    Whole,
    /// The reasoning.
    Reasoning,
    /// The answer.
    Content,
}

impl Quantity {
    /// Every quantity.
    pub const ALL: [Quantity; 11] = [
        Quantity::Ttft,
        Quantity::Ttfa,
        Quantity::E2e,
        Quantity::TimeTo100,
        Quantity::TimeTo500,
        Quantity::Spt,
        Quantity::OverallSpeed,
        Quantity::ReasoningSpeed,
        Quantity::ContentSpeed,
        Quantity::Decode,
        Quantity::SecondsPerCorrect,
    ];

    /// Its name on the command line and in files: that of its metric, where it has one.
    pub const fn name(self) -> &'static str {
        match self {
            Quantity::Ttft => "ttft",
            Quantity::Ttfa => "ttfa",
            Quantity::E2e => "e2e",
            Quantity::TimeTo100 => "time_to_100",
            Quantity::TimeTo500 => "time_to_500",
            Quantity::Spt => "spt",
            Quantity::OverallSpeed => "overall_speed",
            Quantity::ReasoningSpeed => "reasoning_speed",
            Quantity::ContentSpeed => "content_speed",
            Quantity::Decode => "decode",
            Quantity::SecondsPerCorrect => "seconds_per_correct",
        }
    }

    /// The quantity of a name.
    pub fn named(name: &str) -> Option<Quantity> {
        Quantity::ALL.into_iter().find(|quantity| quantity.name() == name)
    }

    /// The metric of one reply that it rests on; seconds per correct answer is no property of one reply.
    pub fn metric(self) -> Option<&'static Metric> {
        metric(self.name())
    }

    /// Whether people read it as a rate, of which more is better. Analysis holds its inverse, seconds a token.
    pub fn is_rate(self) -> bool {
        self.metric().is_some_and(|metric| metric.better == Better::Higher)
    }

    /// Whether its unit counts tokens, so that it depends on the basis.
    pub const fn by_tokens(self) -> bool {
        matches!(self, Quantity::Spt | Quantity::OverallSpeed | Quantity::ReasoningSpeed | Quantity::ContentSpeed | Quantity::Decode)
    }

    /// Whether bundled replies have none, so that a target which mostly bundles is not ranked in it.
    pub const fn spoilt_by_bundles(self) -> bool {
        matches!(self, Quantity::ReasoningSpeed | Quantity::ContentSpeed | Quantity::Decode)
    }

    /// Whether thinking that is not shown makes it mean something else.
    pub const fn spoilt_by_hidden_thinking(self) -> bool {
        matches!(self, Quantity::Ttft)
    }

    /// What a failure is charged.
    pub const fn charge(self) -> Charge {
        match self {
            Quantity::Spt | Quantity::OverallSpeed | Quantity::Decode => Charge::LimitByTokens(Part::Whole),
            Quantity::ReasoningSpeed => Charge::LimitByTokens(Part::Reasoning),
            Quantity::ContentSpeed => Charge::LimitByTokens(Part::Content),
            _ => Charge::Limit,
        }
    }

    /// Whether a good reply that has no value for this reason never got there, and is charged like a failure: a reply capped within its
    /// reasoning has no answer.
    pub fn is_charged(self, why: Undefined) -> bool {
        self == Quantity::Ttfa && why == Undefined::NoContent
    }

    /// A metric's value as a time, of which less is better: s a token for rates, else the metric's own unit.
    pub fn as_time(self, value: f64) -> f64 {
        if self.is_rate() { 1.0 / value } else { value }
    }

    /// A time as people read it: turned back into a rate where it is one.
    pub fn shown(self, time: f64) -> f64 {
        self.as_time(time)
    }

    /// The value of a reply, as a time.
    pub fn of(self, reply: &Reply<'_>) -> Result<f64, Undefined> {
        let Some(metric) = self.metric() else { return Err(Undefined::NoContent) };
        (metric.of)(reply).map(|observation| self.as_time(observation.value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_quantity_but_one_is_a_metric_with_a_direction() {
        for quantity in Quantity::ALL.into_iter().filter(|quantity| *quantity != Quantity::SecondsPerCorrect) {
            let metric = quantity.metric().unwrap();
            assert_ne!(metric.better, Better::Neither, "{}", quantity.name());
            assert_eq!(Quantity::named(quantity.name()), Some(quantity));
        }
        assert!(Quantity::ContentSpeed.is_rate() && !Quantity::Spt.is_rate());
    }
}
