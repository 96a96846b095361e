//! Words for what is found along the stages of a load run: the knee, how far the service level reaches, the gate, who beats whom. Fixed,
//! and none without what it rests on.

use super::Worded;
use super::load::{load, share, stage, stages};
use crate::analysis::load::{CompareBy, Crossover, Duel, DuelWord, GateLine, Judged, Knee, Measure, NoFigure, Reach, SloAtStage};
use crate::record::{Condition, Looked, Offered};
use crate::report::interval::figure;
use crate::report::{Digits, Lang, shown};
use crate::stats::{Extended, Interval};

/// Stages further off the fitted line than this (root mean square of logs) bend instead of breaking.
const BENDS: f64 = 0.1;

/// What the sentences of a run have in common.
#[derive(Debug, Clone, Copy)]
pub(in crate::report) struct Ramp<'a> {
    /// The stages, by their place in the design.
    pub(in crate::report) offered: &'a [Offered],
    /// The targets' names, by their place in the table.
    pub(in crate::report) names: &'a [String],
    /// The language.
    pub(in crate::report) lang: Lang,
}

impl Ramp<'_> {
    fn stage(&self, at: usize) -> String {
        self.offered.get(at).map_or_else(String::new, |offered| stage(offered, self.lang))
    }

    fn stages(&self, at: &[usize]) -> String {
        stages(&at.iter().filter_map(|at| self.offered.get(*at).copied()).collect::<Vec<_>>(), self.lang)
    }

    /// A load that need not be that of a stage, in the unit of the stages.
    fn load(&self, number: &str) -> String {
        let users = !self.offered.iter().any(|offered| matches!(offered, Offered::Arrivals { .. }));
        load(number, number == "1", users, self.lang)
    }

    fn name(&self, target: usize) -> &str {
        self.names.get(target).map_or("", String::as_str)
    }

    /// Where goodput, or RPS, stops growing.
    pub(in crate::report) fn knee(&self, knee: &Knee, of: Measure) -> String {
        let lang = self.lang;
        let what = match (of, lang) {
            (Measure::Goodput, Lang::Zh) => "达标吞吐".to_owned(),
            (Measure::Rps, Lang::Zh) => "RPS".to_owned(),
            _ => of.words(lang),
        };
        let what = what.as_str();
        match (knee, lang) {
            (Knee::At { load, interval, level, off, .. }, _) => {
                let (number, range) = with_interval(*load, interval.ok(), lang);
                let none = interval.err().map(|why| match lang {
                    Lang::En => format!("; no interval: {}", why.words(lang)),
                    Lang::Zh => format!("；没有区间：{}", why.words(lang)),
                });
                let bends = (BENDS < *off)
                    .then(|| lang.say("; the curve bends slowly, so this is a rough place", "；曲线弯得平缓，这只是大致位置"));
                let (level, beside) = (three(*level), format!("{}{}", none.unwrap_or_default(), bends.unwrap_or_default()));
                match lang {
                    Lang::En => format!("{what} stops growing at {} at {level} a second{beside}", self.load(&format!("{number}{range}"))),
                    Lang::Zh => format!("{what}在 {}处不再增长，为每秒 {level} 个{beside}", self.load(&format!("{number}{range}"))),
                }
            }
            (Knee::NoneUpTo { load }, Lang::En) => {
                format!(
                    "no knee: {what} still grows in proportion at {}, the heaviest stage that could be judged",
                    self.load(&format!("{load}"))
                )
            }
            (Knee::NoneUpTo { load }, Lang::Zh) => {
                format!("没有拐点：到能判定的最重一档（{}）{what}仍成比例增长", self.load(&format!("{load}")))
            }
            (Knee::AtOrBelow { load, level }, Lang::En) => format!(
                "{what} does not grow beyond the lightest stage, {}, in some pass: it stops growing there or below, at {} a second",
                self.load(&format!("{load}")),
                three(*level)
            ),
            (Knee::AtOrBelow { load, level }, Lang::Zh) => format!(
                "有的一遍自最轻的一档（{}）起{what}就不再增长：拐点在此处或更低，为每秒 {} 个",
                self.load(&format!("{load}")),
                three(*level)
            ),
            (Knee::InSome { found, passes, lowest, last }, Lang::En) => format!(
                "no knee called: {what} stops growing in {found} of {passes} passes, at {} at the earliest, and still grows at {} in the others",
                self.load(&three(*lowest)),
                self.load(&format!("{last}"))
            ),
            (Knee::InSome { found, passes, lowest, last }, Lang::Zh) => format!(
                "拐点不作判定：{passes} 遍中有 {found} 遍{what}不再增长（最早在 {}），其余到 {}仍在增长",
                self.load(&three(*lowest)),
                self.load(&format!("{last}"))
            ),
            (Knee::NotFitted { because }, Lang::En) => format!("no knee looked for: {}", because.words(lang)),
            (Knee::NotFitted { because }, Lang::Zh) => format!("未求拐点：{}", because.words(lang)),
        }
    }

    /// How far the service level reaches. `reached` is the heaviest stage that meets it, `next` the first that does not.
    pub(in crate::report) fn slo(&self, reach: &Reach, reached: Option<&SloAtStage>, next: Option<(usize, &SloAtStage)>) -> String {
        let lang = self.lang;
        let alone = reached.filter(|slo| 0 < slo.passes).map_or_else(String::new, |slo| match lang {
            Lang::En => format!(" ({} of {} passes by themselves)", slo.passes_meet, slo.passes),
            Lang::Zh => format!("（逐遍判定：{} 遍中 {} 遍达标）", slo.passes, slo.passes_meet),
        });
        let beyond = next.map_or_else(String::new, |(at, slo)| {
            let why = self.off(slo);
            match lang {
                Lang::En => format!("; not at {}: {why}", self.stage(at)),
                Lang::Zh => format!("；{}时不达标：{why}", self.stage(at)),
            }
        });
        match (reach, lang) {
            (Reach::Through { stage, is_last: true }, Lang::En) => {
                format!("met up to {}, the heaviest stage that could be judged{alone}; how much farther is not known", self.stage(*stage))
            }
            (Reach::Through { stage, is_last: true }, Lang::Zh) => {
                format!("直到能判定的最重一档（{}）都达标{alone}；再往上如何不得而知", self.stage(*stage))
            }
            (Reach::Through { stage, .. }, Lang::En) => format!("met up to {}{alone}{beyond}", self.stage(*stage)),
            (Reach::Through { stage, .. }, Lang::Zh) => format!("达标，直到 {}{alone}{beyond}", self.stage(*stage)),
            (Reach::Broken { stage, but_not }, Lang::En) => format!(
                "met at {} as the heaviest, but not, or not surely, at {}: no single limit{beyond}",
                self.stage(*stage),
                self.stages(but_not)
            ),
            (Reach::Broken { stage, but_not }, Lang::Zh) => {
                format!("达标的最重一档为 {}，但 {}时并不达标或不能确定：没有单一的上限{beyond}", self.stage(*stage), self.stages(but_not))
            }
            (Reach::Nowhere, _) => format!("{}{beyond}", lang.say("met at no stage", "哪一档都不达标")),
            (Reach::NotJudged, _) => lang.say("could not be judged at any stage", "哪一档都无法判定").into(),
        }
    }

    /// What of a service level does not hold, or could not be told.
    fn off(&self, slo: &SloAtStage) -> String {
        let wanting = slo.conditions.iter().filter(|judged| judged.holds != Some(true));
        let wanting: Vec<String> = wanting.map(|judged| judged_words(judged, self.lang)).collect();
        if wanting.is_empty() {
            return self.lang.say("this client was at its limit", "本客户端已到极限").into();
        }
        wanting.join(self.lang.say("; ", "；"))
    }

    /// One line of the gate.
    pub(in crate::report) fn gate(&self, line: &GateLine) -> String {
        let (lang, name) = (self.lang, self.name(line.target));
        let word = match line.passed {
            true => lang.say("passed", "通过"),
            false => lang.say("FAILED", "未通过"),
        };
        let client = if line.client_limited { lang.say("; this client was at its limit", "；本客户端已到极限") } else { "" };
        let seen = judged_words(&line.judged, lang);
        match (line.stage.map(|at| self.stage(at)), lang) {
            (Some(stage), Lang::En) => format!("{word}: {name} at {stage}: {seen}{client}"),
            (Some(stage), Lang::Zh) => format!("{word}：{name}，{stage}：{seen}{client}"),
            (None, Lang::En) => format!("{word}: {name}: {seen}{client}"),
            (None, Lang::Zh) => format!("{word}：{name}：{seen}{client}"),
        }
    }

    /// Up to where one of two targets beats the other, in one quantity: what is called along the stages, a part for each change.
    pub(in crate::report) fn crossover(&self, of: &Crossover) -> String {
        let (lang, mut runs): (Lang, Vec<&[Duel]>) = (self.lang, of.duels.chunk_by(|a, b| a.word == b.word).collect());
        let (first, second) = (self.name(of.first), self.name(of.second));
        let mut parts: Vec<String> = Vec::new();
        if let [all] = runs.as_slice()
            && !matches!(all[0].word, DuelWord::FirstFaster | DuelWord::SecondFaster)
        {
            let word = all[0].word.words(lang);
            parts.push(match lang {
                Lang::En => format!("{first} against {second}, at every stage: {word}"),
                Lang::Zh => format!("{first} 对 {second}，各档均为：{word}"),
            });
            runs.clear();
        }
        for (i, run) in runs.iter().enumerate() {
            parts.push(match i {
                0 => self.up_to(of, run, runs.len() == 1),
                _ => self.further(of, run, i + 1 == runs.len()),
            });
        }
        let (what, parts) = (of.by.words(lang), parts.join(lang.say("; ", "；")));
        match lang {
            Lang::En => format!("by {what}: {parts}"),
            Lang::Zh => format!("按{what}：{parts}"),
        }
    }

    /// The stages from the lightest on: who beats whom up to where.
    fn up_to(&self, of: &Crossover, run: &[Duel], is_all: bool) -> String {
        let (lang, Some(last)) = (self.lang, run.last()) else { return String::new() };
        let (ahead, behind) = match last.word {
            DuelWord::SecondFaster => (self.name(of.second), self.name(of.first)),
            _ => (self.name(of.first), self.name(of.second)),
        };
        let (stage, there) = (self.stage(last.stage), ratio_words(last, lang).unwrap_or_default());
        match (last.word, is_all, lang) {
            (DuelWord::FirstFaster | DuelWord::SecondFaster, true, Lang::En) => {
                format!("{ahead} beats {behind} at every stage, up to {stage}{there}; how much farther is not known")
            }
            (DuelWord::FirstFaster | DuelWord::SecondFaster, true, Lang::Zh) => {
                format!("{ahead} 在每一档都快于 {behind}，直到 {stage}{there}；再往上如何不得而知")
            }
            (DuelWord::FirstFaster | DuelWord::SecondFaster, false, Lang::En) => format!("{ahead} beats {behind} up to {stage}{there}"),
            (DuelWord::FirstFaster | DuelWord::SecondFaster, false, Lang::Zh) => format!("{ahead} 快于 {behind}，直到 {stage}{there}"),
            (word, _, Lang::En) => format!("{ahead} against {behind} up to {stage}: {}", word.words(lang)),
            (word, _, Lang::Zh) => format!("{ahead} 对 {behind}，直到 {stage}：{}", word.words(lang)),
        }
    }

    /// Heavier stages, at which another word is called.
    fn further(&self, of: &Crossover, run: &[Duel], is_last: bool) -> String {
        let (lang, Some(first)) = (self.lang, run.first()) else { return String::new() };
        let stages: Vec<usize> = run.iter().map(|duel| duel.stage).collect();
        let place = match (is_last && 1 < run.len(), lang) {
            (true, Lang::En) => format!("from {} on", self.stage(first.stage)),
            (true, Lang::Zh) => format!("自 {}起", self.stage(first.stage)),
            (false, Lang::En) => format!("at {}", self.stages(&stages)),
            (false, Lang::Zh) => format!("{}时", self.stages(&stages)),
        };
        let winner = match first.word {
            DuelWord::FirstFaster => self.name(of.first),
            DuelWord::SecondFaster => self.name(of.second),
            word => {
                return match lang {
                    Lang::En => format!("{place} {}", word.words(lang)),
                    Lang::Zh => format!("{place}{}", word.words(lang)),
                };
            }
        };
        let ratio = ratio_words(first, lang).unwrap_or_default();
        match lang {
            Lang::En => format!("{place} {winner} is faster{ratio}"),
            Lang::Zh => format!("{place}，{winner} 更快{ratio}"),
        }
    }
}

impl Worded for CompareBy {
    fn words(&self, lang: Lang) -> String {
        let (en, zh) = match self {
            CompareBy::Latency => ("latency", "时延"),
            CompareBy::ContentSpeed => ("content speed of a stream", "单流回答速度"),
        };
        lang.say(en, zh).to_owned()
    }
}

impl Worded for DuelWord {
    fn words(&self, lang: Lang) -> String {
        let (en, zh) = match self {
            DuelWord::FirstFaster => ("the first is faster", "前者更快"),
            DuelWord::SecondFaster => ("the second is faster", "后者更快"),
            DuelWord::Undecided => ("no difference shown", "未显示出差异"),
            DuelWord::IdenticalData => {
                ("the same ratio in every pass to the last digit: check the set-up", "每一遍的比值逐位相同：请检查测试设置")
            }
            DuelWord::FewPasses => ("too few passes to call (it takes 3)", "遍数太少，不作判定（需要 3 遍）"),
            DuelWord::Withheld => ("withheld, as this client was at its limit", "本客户端已到极限，不作判定"),
            DuelWord::NotComparable => ("not comparable, as one of them has no value", "其中一方没有数值，不可比较"),
        };
        lang.say(en, zh).to_owned()
    }
}

/// ` (0.62× the time, 0.55–0.70)`, of the winner over the other.
fn ratio_words(duel: &Duel, lang: Lang) -> Option<String> {
    let turned = duel.word == DuelWord::SecondFaster;
    let point = *duel.ratio.as_ref().ok()?;
    let point = if turned { 1.0 / point } else { point };
    let interval = duel.interval.as_ref().ok().map(|interval| if turned { interval.map_decreasing(|end| 1.0 / end) } else { *interval });
    let (number, drawn) = figure(point, interval, Digits::Three, lang);
    Some(match (drawn.bare(), lang) {
        ("", Lang::En) => format!(" ({number}× the time)"),
        ("", Lang::Zh) => format!("（用时为对方的 {number} 倍）"),
        (range, Lang::En) => format!(" ({number}× the time, {range})"),
        (range, Lang::Zh) => format!("（用时为对方的 {number} 倍，{range}）"),
    })
}

/// A condition without its stage, and what was seen.
fn judged_words(judged: &Judged, lang: Lang) -> String {
    let condition = match &judged.seen {
        // Which stage it names is the point here.
        Err(NoFigure::NoSuchStage) => judged.condition,
        _ => Condition { at: None, ..judged.condition },
    };
    match (&judged.seen, lang) {
        (Ok(value), Lang::En) => format!("{condition}, seen {}", seen(*value, &condition, lang)),
        (Ok(value), Lang::Zh) => format!("{condition}，实测 {}", seen(*value, &condition, lang)),
        (Err(why), Lang::En) => format!("{condition}, not judged ({})", why.words(lang)),
        (Err(why), Lang::Zh) => format!("{condition}，无法判定（{}）", why.words(lang)),
    }
}

/// A value in the unit in which its condition is written.
fn seen(value: Extended, condition: &Condition, lang: Lang) -> String {
    let Extended::Finite(value) = value else { return lang.say("never", "未达到").into() };
    match condition.of {
        Looked::Time(..) if condition.bound < 1.0 => format!("{} ms", three(value * 1e3)),
        Looked::Time(..) => format!("{} s", three(value)),
        Looked::Success | Looked::Failures | Looked::RateLimited => share(value),
        Looked::Rps | Looked::Goodput => format!("{}/s", three(value)),
    }
}

/// A number and its interval in brackets behind it.
fn with_interval(value: f64, interval: Option<Interval>, lang: Lang) -> (String, String) {
    let (number, drawn) = figure(value, interval, Digits::Three, lang);
    let range = match (drawn.bare(), lang) {
        ("", _) => String::new(),
        (range, Lang::En) => format!(" ({range})"),
        (range, Lang::Zh) => format!("（{range}）"),
    };
    (number, range)
}

fn three(value: f64) -> String {
    shown(value, Digits::Three)
}
