//! The faults a system can show, and the rule by which one request meets one. docs/sim.md describes each in a line.

use super::dist::{Source, unit};
use serde::Deserialize;
use serde::de::{MapAccess, Visitor, value::MapAccessDeserializer};
use std::collections::BTreeMap;

/// A fault by its name in the behaviour file. Their order here is the order in which those that meet one request are applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)] // The names say it; docs/sim.md has a line for each.
pub enum Fault {
    // No answer at all.
    HangBeforeHeaders,
    CloseBeforeHeaders,
    ResetBeforeHeaders,
    // An answer that is no stream.
    Unauthorized,
    Billing,
    Forbidden,
    NotFound,
    BadRequest,
    ContextLength,
    RateLimited,
    QuotaExceeded,
    Overloaded,
    Capacity,
    ServerError,
    Unavailable,
    #[serde(rename = "overloaded_529")]
    Overloaded529,
    EchoKeyError,
    #[serde(rename = "html_200")]
    Html200,
    #[serde(rename = "html_502")]
    Html502,
    #[serde(rename = "json_error_200")]
    JsonError200,
    JsonReply,
    #[serde(rename = "redirect_307")]
    Redirect307,
    #[serde(rename = "empty_200")]
    Empty200,
    // What the reply consists of.
    NoContent,
    EmptyReply,
    WholeAnswerAtOnce,
    Bundled,
    RoleEarly,
    BothNames,
    BothInOneChunk,
    InlineThink,
    InlineThinkSplit,
    InlineThinkUnopened,
    InlineThinkUnclosed,
    UsageMissing,
    UsageNull,
    UsageReasoningZero,
    UsageExcludesReasoning,
    UsageWrong,
    UsageBesideChoices,
    OddFinish,
    FinishMissing,
    OddModel,
    EchoKeyHeader,
    // What stands between its chunks.
    KeepAlivesFirst,
    EmptyChoices,
    NullChoices,
    JunkEvents,
    NulText,
    LoneSurrogate,
    OddText,
    ToolCall,
    EchoKeyText,
    EchoKeyTextSplit,
    EchoKeyUrlencoded,
    EchoKeyBase64,
    Stall,
    SilentStall,
    // How it ends.
    NoDone,
    NoFinalBlank,
    AfterDone,
    EndsEarly,
    EndsInsideEvent,
    EndsInsideUtf8,
    BodyCut,
    ResetMidstream,
    ErrorEvent,
    ErrorEventThenDone,
    ErrorNamedEvent,
    ErrorField,
    HangAfterHeaders,
    HangMidstream,
    EndlessLine,
    EndlessStream,
    // How it is put on the wire.
    SlowDrip,
    ChunksInOneWrite,
    Http10,
    Gzip,
    Crlf,
    CrOnly,
    Bom,
    NoSpace,
    MultilineData,
}

impl Fault {
    /// Its name as in the behaviour file.
    pub fn name(self) -> String {
        let mut name = String::new();
        for letter in format!("{self:?}").chars() {
            if letter.is_ascii_uppercase() && !name.is_empty() {
                name.push('_');
            }
            name.push(letter.to_ascii_lowercase());
        }
        for (camel, written) in [
            ("html2", "html_2"),
            ("html5", "html_5"),
            ("error2", "error_2"),
            ("redirect3", "redirect_3"),
            ("empty2", "empty_2"),
            ("overloaded5", "overloaded_5"),
        ] {
            name = name.replace(camel, written);
        }
        name
    }
}

/// When a fault happens, and its particulars. A bare number in the file is the share of requests that meet it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleFile {
    share: Option<f64>,
    first: Option<u64>,
    every: Option<u64>,
    after: Option<f64>,
    ms: Option<f64>,
    every_ms: Option<f64>,
    count: Option<u32>,
    factor: Option<f64>,
    status: Option<u16>,
    retry_after_s: Option<f64>,
    text: Option<String>,
}

/// When a fault happens, and its particulars.
#[derive(Debug, Clone)]
pub struct Rule {
    when: When,
    /// Where in the reply, as a share of its chunks (0 to 1).
    pub after: Option<f64>,
    /// How long, in milliseconds before scaling.
    pub ms: Option<f64>,
    /// How often meanwhile, in milliseconds before scaling.
    pub every_ms: Option<f64>,
    /// How many.
    pub count: Option<u32>,
    /// By how much.
    pub factor: Option<f64>,
    /// HTTP status instead of the provider's own.
    pub status: Option<u16>,
    /// `retry-after` header, in seconds; not scaled.
    pub retry_after_s: Option<f64>,
    /// The text or message.
    pub text: Option<String>,
}

impl Rule {
    /// A rule that holds for every request and gives a message.
    pub fn saying(text: String) -> Rule {
        let (after, ms, every_ms, count, factor) = (None, None, None, None, None);
        Rule { when: When::Share(1.0), after, ms, every_ms, count, factor, status: None, retry_after_s: None, text: Some(text) }
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum When {
    Share(f64),
    First(u64),
    Every(u64),
}

impl TryFrom<RuleFile> for Rule {
    type Error = &'static str;
    fn try_from(file: RuleFile) -> Result<Rule, &'static str> {
        let when = match (file.share, file.first, file.every) {
            (None, None, None) => When::Share(1.0),
            (Some(share), None, None) if (0.0..=1.0).contains(&share) => When::Share(share),
            (Some(_), None, None) => return Err("`share` is a probability from 0 to 1"),
            (None, Some(n), None) => When::First(n),
            (None, None, Some(n)) if n > 0 => When::Every(n),
            (None, None, Some(_)) => return Err("`every` counts from 1"),
            _ => return Err("give one of `share`, `first` and `every`"),
        };
        let number = |n: Option<f64>| n.is_none_or(|n| n.is_finite() && 0.0 <= n);
        if !(number(file.after) && number(file.ms) && number(file.every_ms) && number(file.factor) && number(file.retry_after_s)) {
            return Err("a fault takes finite numbers that are not negative");
        }
        if file.after.is_some_and(|after| 1.0 < after) {
            return Err("`after` is a share of the reply, from 0 to 1");
        }
        if file.status.is_some_and(|status| !(200..=599).contains(&status)) {
            return Err("`status` is an HTTP status from 200 to 599");
        }
        let RuleFile { after, ms, every_ms, count, factor, status, retry_after_s, text, .. } = file;
        Ok(Rule { when, after, ms, every_ms, count, factor, status, retry_after_s, text })
    }
}

impl<'de> Deserialize<'de> for Rule {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Rule, D::Error> {
        struct ShareOrRule;
        impl<'de> Visitor<'de> for ShareOrRule {
            type Value = RuleFile;
            fn expecting(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
                f.write_str("a share from 0 to 1, or a map such as `{first: 1, retry_after_s: 2}`")
            }
            fn visit_f64<E: serde::de::Error>(self, share: f64) -> Result<RuleFile, E> {
                Ok(RuleFile { share: Some(share), ..RuleFile::default() })
            }
            fn visit_u64<E: serde::de::Error>(self, share: u64) -> Result<RuleFile, E> {
                self.visit_f64(share as f64)
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RuleFile, A::Error> {
                RuleFile::deserialize(MapAccessDeserializer::new(map))
            }
        }
        Rule::try_from(from.deserialize_any(ShareOrRule)?).map_err(serde::de::Error::custom)
    }
}

/// The faults of a system.
pub type Faults = BTreeMap<Fault, Rule>;

/// The faults that the `nth` request (from 0) of a system meets.
pub fn met<'a>(faults: &'a Faults, nth: u64, source: &Source) -> Vec<(Fault, &'a Rule)> {
    let meets = |fault: &Fault, rule: &Rule| match rule.when {
        When::Share(share) => unit(&mut source.draws(&fault.name())) < share,
        When::First(first) => nth < first,
        When::Every(every) => nth % every == every - 1,
    };
    faults.iter().filter(|(fault, rule)| meets(fault, rule)).map(|(fault, rule)| (*fault, rule)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(yaml: &str) -> Result<Faults, String> {
        serde_yaml::from_str(yaml).map_err(|error| error.to_string())
    }

    #[test]
    fn a_fault_comes_by_share_by_count_or_first() {
        let rules = faults("{ends_early: 0.25, rate_limited: {first: 2, retry_after_s: 1}, stall: {every: 3, ms: 20}}").unwrap();
        let of = |nth: u64| {
            met(&rules, nth, &Source::new(1, "a", &nth.to_le_bytes(), 0)).into_iter().map(|(fault, _)| fault).collect::<Vec<_>>()
        };
        let count = |fault| (0..2000).filter(|nth| of(*nth).contains(&fault)).count();
        assert_eq!(count(Fault::RateLimited), 2);
        assert_eq!(count(Fault::Stall), 2000 / 3);
        assert!((420..580).contains(&count(Fault::EndsEarly)));
        assert!(of(0).contains(&Fault::RateLimited) && of(1).contains(&Fault::RateLimited));
    }

    #[test]
    fn a_name_is_the_one_of_the_file() {
        for name in [
            "html_200",
            "html_502",
            "json_error_200",
            "redirect_307",
            "empty_200",
            "overloaded_529",
            "ends_inside_utf8",
            "http10",
            "no_final_blank",
        ] {
            let rules = faults(&format!("{name}: 1")).unwrap();
            assert_eq!(rules.keys().next().unwrap().name(), name);
        }
    }

    #[test]
    fn a_fault_that_does_not_exist_is_refused() {
        assert!(faults("ends_erly: 1").unwrap_err().contains("ends_early"));
        assert!(faults("ends_early: 1.5").unwrap_err().contains("probability"));
        assert!(faults("ends_early: {share: 0.1, first: 1}").unwrap_err().contains("one of"));
        assert!(faults("ends_early: {aftr: 0.1}").unwrap_err().contains("aftr"));
    }
}
