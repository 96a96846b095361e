//! How tables of verdicts were made: what all their captions share.

use super::targets::titled;
use super::words::calibration::calibrated;
use super::words::{percent, rate};
use super::{Digits, Lang, Worded, shown};
use crate::analysis::{BasisBecause, Families, Joined, Judging, Panel, Quantity};
use crate::metric::{Unit, metric};
use crate::tokens::Basis;
use std::collections::BTreeSet;

/// With more models than that their number is given instead of their names.
const MODELS_NAMED: usize = 4;

/// One reading of runs: what all its tables have in common.
#[derive(Debug, Clone, Copy)]
pub struct Reading<'a> {
    /// The runs.
    pub joined: &'a Joined<'a>,
    /// The token basis.
    pub basis: Basis,
    /// Why that one.
    pub because: &'a BasisBecause,
    /// The reference tokenizer's name.
    pub tokenizer: &'a str,
    /// The language.
    pub lang: Lang,
}

impl Reading<'_> {
    /// The factor by which simulated times were multiplied back; `None` for real runs.
    pub(super) fn scale(&self) -> Option<f64> {
        self.joined.manifest().simulated.as_ref().map(|simulated| simulated.scale)
    }

    /// A title: the plan's name and what the table is of.
    pub(super) fn title(&self, of: &str) -> String {
        let name = &self.joined.manifest().name;
        titled(&format!("{name}{}{of}", self.lang.say(": ", "：")), self.scale(), self.lang)
    }

    /// The unit in which files hold a quantity.
    pub(super) fn unit(&self, quantity: Quantity) -> &'static str {
        let unit = metric(quantity.name()).map_or(Unit::Seconds, |metric| metric.unit);
        if self.basis == Basis::Chars { unit.symbol_in_chars() } else { unit.symbol() }
    }

    /// The name of the token basis.
    pub(super) fn basis(&self) -> String {
        match self.basis {
            Basis::Reported => self.lang.say("reported by the providers", "服务商上报").into(),
            Basis::Reference => self.tokenizer.to_owned(),
            Basis::Chars => self.lang.say("characters", "字符").into(),
        }
    }

    /// Facts for formats without a caption.
    pub(super) fn constants(&self) -> Vec<(String, String)> {
        vec![
            ("simulated".into(), self.scale().map_or_else(|| "no".into(), |scale| format!("scale {scale}"))),
            ("basis".into(), self.basis()),
            ("run".into(), self.runs().join(" ")),
        ]
    }

    fn runs(&self) -> Vec<&str> {
        self.joined.runs.iter().map(|run| run.manifest.run.as_str()).collect()
    }

    /// Who, when, where, how often, within which limit, how many failures.
    pub(super) fn circumstances(&self, panel: &Panel) -> Vec<String> {
        let (lang, manifest) = (self.lang, self.joined.manifest());
        let models: BTreeSet<&str> = manifest.targets.iter().map(|target| target.model.as_str()).collect();
        let models = match (models.len(), lang) {
            (0..=MODELS_NAMED, _) => lang.list(models),
            (n, Lang::En) => format!("{n} models"),
            (n, Lang::Zh) => format!("{n} 个"),
        };
        let (targets, rounds, prompts) = (panel.targets.len(), panel.rounds.len(), panel.prompts);
        let (ok, sent) = (0..targets).map(|target| panel.success(target)).fold((0, 0), |(ok, sent), each| (ok + each.0, sent + each.1));
        let failed = rate((sent - ok) as f64 / sent.max(1) as f64);
        let limit = shown(panel.limit_s, Digits::Three);
        let mut parts = match lang {
            Lang::En => vec![format!("{targets} targets"), format!("{rounds} rounds × {prompts} prompts")],
            Lang::Zh => vec![format!("{targets} 个对象"), format!("{rounds} 轮 × {prompts} 个提示词")],
        };
        parts.extend(panel.span().map(|(from, to)| period(from, to, lang)));
        parts.extend(manifest.vantage.as_ref().map(|vantage| match lang {
            Lang::En => format!("from {vantage}"),
            Lang::Zh => format!("测自 {vantage}"),
        }));
        parts.push(match lang {
            Lang::En => format!("limit T = {limit} s"),
            Lang::Zh => format!("时限 T = {limit} 秒"),
        });
        parts.push(match lang {
            Lang::En => format!("{failed} of {sent} requests failed"),
            Lang::Zh => format!("{sent} 个请求中失败 {failed}"),
        });
        let mut lines = vec![parts.join(" · ")];
        let gate = Some(&self.joined.client).filter(|gate| !gate.limited.is_empty());
        lines.extend(gate.map(|gate| sentence(&gate.words(lang), lang)));
        lines.push(match lang {
            Lang::En => format!("Models: {models}. {}", self.families()),
            Lang::Zh => format!("模型：{models}。{}", self.families()).trim_end().to_owned(),
        });
        if let Some(scale) = self.scale().filter(|scale| 1.0 < *scale) {
            lines.push(match lang {
                Lang::En => format!("Simulated at {scale}×: each millisecond of this machine's own delay counts as {scale} ms."),
                Lang::Zh => format!("以 {scale} 倍速模拟：本机自身每 1 毫秒的延迟算作 {scale} 毫秒。"),
            });
        }
        lines.iter().map(|line| line.trim_end().to_owned()).collect()
    }

    fn families(&self) -> &'static str {
        match Families::of(&self.joined.manifest().targets) {
            Families::One => "",
            Families::Several => self.lang.say("Different models: speed only.", "模型不同：只比速度。"),
            Families::Unknown => self.lang.say(
                "Perhaps different models (not every family is known): speed only.",
                "模型可能不同（并非每个模型的家族都已知）：只比速度。",
            ),
        }
    }

    /// What all tables of a command share: circumstances, rules, error rates, origin.
    pub(super) fn shared(&self, panel: Option<&Panel>, judging: Option<&Judging>) -> Vec<String> {
        let mut lines = panel.map(|panel| self.circumstances(panel)).unwrap_or_default();
        lines.extend(judging.map(|judging| self.rules(judging)).unwrap_or_default());
        lines.extend(calibrated(self.joined.manifest(), self.lang));
        lines.push(self.made_by());
        lines
    }

    /// How intervals and words come about, and how often words are wrong.
    fn rules(&self, judging: &Judging) -> [String; 2] {
        let (confidence, delta) = (percent(judging.confidence.share()), percent(judging.delta));
        let unit = match self.lang {
            Lang::En => format!(
                "The round is the unit: {confidence} intervals of ratios from a paired t over rounds, with fewer rounds where they depend \
                 on each other; tie band δ = {delta}."
            ),
            Lang::Zh => format!(
                "以轮为统计单位：比值的 {confidence} 区间出自各轮的配对 t 检验，各轮互相关联时按更少的轮数计算；平手带 δ = {delta}。"
            ),
        };
        let wrong = self.lang.say(
            "Wrong calls in simulations: at most 5.5 % with independent rounds, up to 13 % where incidents last over rounds; not yet \
             checked on months of real providers (docs/method.md).",
            "模拟中的误判率：各轮独立时至多 5.5 %，故障跨轮持续时可达 13 %；尚未用真实服务商数月的数据检验（docs/method.md）。",
        );
        [unit, wrong.to_owned()]
    }

    /// What one table has of its own: the family of its p values, and the token basis where it counts tokens.
    pub(super) fn own(&self, quantity: Quantity, family: usize) -> Vec<String> {
        let lang = self.lang;
        let mut lines = Vec::new();
        if 1 < family {
            lines.push(match lang {
                Lang::En => format!("p adjusted by Holm over the {family} pairs of this table."),
                Lang::Zh => format!("p 值按 Holm 法对本表的 {family} 对校正。"),
            });
        }
        if quantity.by_tokens() {
            lines.push(match lang {
                Lang::En => format!("Token basis: {} ({}).", self.basis(), self.because.words(lang)),
                Lang::Zh => format!("token 口径：{}（{}）。", self.basis(), self.because.words(lang)),
            });
        }
        lines
    }

    /// Tool, dataset, seed, runs.
    pub(super) fn made_by(&self) -> String {
        let (lang, manifest) = (self.lang, self.joined.manifest());
        let tools: BTreeSet<String> =
            self.joined.runs.iter().map(|run| format!("{} {}", run.manifest.tool.name, run.manifest.tool.version)).collect();
        let mut parts: Vec<String> = tools.into_iter().collect();
        let (dataset, seed, runs) = (&manifest.dataset.name, manifest.seed, self.runs().join(", "));
        parts.extend(match lang {
            Lang::En => [
                format!("dataset {dataset}"),
                format!("seed {seed}"),
                format!("{} {runs}", if self.joined.runs.len() < 2 { "run" } else { "runs" }),
            ],
            Lang::Zh => [format!("数据集 {dataset}"), format!("种子 {seed}"), format!("运行 {runs}")],
        });
        parts.join(" · ")
    }
}

/// Words that begin in the midst of a sentence as one of their own.
pub(super) fn sentence(words: &str, lang: Lang) -> String {
    let mut chars = words.chars();
    let first = chars.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}{}", chars.as_str(), lang.say(".", "。"))
}

/// From when to when, the day once where it is one.
pub(super) fn period(from: jiff::Timestamp, to: jiff::Timestamp, lang: Lang) -> String {
    let (first, last) = (from.strftime("%Y-%m-%d").to_string(), to.strftime("%Y-%m-%d").to_string());
    let until = if first == last { String::new() } else { format!("{last} ") };
    format!("{first} {}{}{until}{} UTC", from.strftime("%H:%M"), lang.say(" to ", " 至 "), to.strftime("%H:%M"))
}
