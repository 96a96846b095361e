//! What may be said of each target's day: the windows, the extremes beside chance, and behind `--all` the tests over the whole day.

use crate::analysis::{Bar, DayTests, Hours, Panel, Tested, bars};
use crate::report::words::hours::{as_ratio, dependent, extremes, p_value, pair, swing};
use crate::report::words::percent;
use crate::report::{Digits, Lang, Worded, shown, targets::target_name};
use crate::stats::{Confidence, Cosinor, Interval};

/// A head and its lines: each target, then the pairs.
pub(super) fn answers(panel: &Panel, hours: &Hours, lang: Lang, all: bool) -> Vec<(String, Vec<String>)> {
    let names: Vec<String> = hours.targets.iter().map(|target| target_name(target.id.as_str(), target.simulated)).collect();
    let mut answers: Vec<(String, Vec<String>)> =
        names.iter().cloned().zip((0..hours.targets.len()).map(|target| of_target(panel, hours, target, lang, all))).collect();
    if all && !hours.pairs.is_empty() {
        let line = |(a, b): (usize, usize), words: String| {
            format!("{}{}{words}", [&*names[a], &*names[b]].join(lang.say(" against ", " 对 ")), lang.say(": ", "："))
        };
        let lines = hours.pairs.iter().map(|one| line((one.a, one.b), pair(&names[one.a], &names[one.b], one, lang))).collect();
        answers.push((lang.say("swings of pairs", "两两的波动").into(), lines));
    }
    answers
}

fn of_target(panel: &Panel, hours: &Hours, index: usize, lang: Lang, all: bool) -> Vec<String> {
    let target = &hours.targets[index];
    let mut lines = vec![swing(target, lang)];
    lines.extend(target.extremes.as_ref().map(|found| extremes(found, hours.bin.hours(), lang)));
    if all {
        lines.extend(of_day(&target.day, target.is_dependent(), hours.confidence, lang));
    }
    lines.extend(target.dependence.filter(|_| target.is_dependent()).map(|r| dependent(r, lang)));
    lines.extend(doubts(panel, hours, index).iter().map(|bar| bar.words(lang)));
    lines
}

/// What makes the figure mean something else, or hang on failures: what would keep the target out of a league. That its rounds are few,
/// or have no value, is said of the windows.
pub(super) fn doubts(panel: &Panel, hours: &Hours, target: usize) -> Vec<Bar> {
    let said = |bar: &Bar| matches!(bar, Bar::ClientLimited { .. } | Bar::FewRounds { .. } | Bar::NoValue | Bar::NoCorrectAnswer);
    bars(panel, target, hours.confidence, None).into_iter().filter(|bar| !said(bar)).collect()
}

fn of_day(day: &DayTests, dependent: bool, confidence: Confidence, lang: Lang) -> Vec<String> {
    let three = |value: f64| shown(value, Digits::Three);
    let p = |p: Option<f64>| p.map_or_else(|| "p —".into(), |p| p_value(p, dependent));
    let mut lines = Vec::new();
    lines.extend(day.kruskal_wallis.as_ref().map(|tested| {
        told(
            tested,
            lang.say("bins differ in level (Kruskal–Wallis)", "各时段水平有差异（Kruskal–Wallis）"),
            lang,
            |test, p_holm| {
                let effect = test.effect.map_or_else(|| "—".into(), |effect| format!("{effect:.2}"));
                match lang {
                    Lang::En => format!("H = {} on {} df, effect {effect}, {}", three(test.h), test.df, p(p_holm)),
                    Lang::Zh => format!("H = {}，自由度 {}，效应量 {effect}，{}", three(test.h), test.df, p(p_holm)),
                }
            },
        )
    }));
    lines.extend(day.cosinor.as_ref().map(|tested| {
        told(tested, lang.say("a wave of 24 hours (cosinor)", "24 小时的起伏（余弦拟合）"), lang, |test, p_holm| {
            wave(test, p(p_holm), confidence, lang)
        })
    }));
    lines.extend(day.brown_forsythe.as_ref().map(|tested| {
        told(
            tested,
            lang.say("bins differ in spread (Brown–Forsythe)", "各时段离散程度有差异（Brown–Forsythe）"),
            lang,
            |test, p_holm| match lang {
                Lang::En => format!("F = {} on {} and {} df, {}", three(test.f), test.df1, test.df2, p(p_holm)),
                Lang::Zh => format!("F = {}，自由度 {} 与 {}，{}", three(test.f), test.df1, test.df2, p(p_holm)),
            },
        )
    }));
    let shares = day.variance.ok().and_then(|variance| variance.shares);
    lines.extend(shares.map(|shares| {
        let [rounds, prompts, rest] = [shares.rows, shares.columns, shares.residual].map(percent);
        match lang {
            Lang::En => format!("of the variance, rounds make {rounds}, prompts {prompts}, the rest {rest}"),
            Lang::Zh => format!("方差构成：轮次 {rounds}，提示词 {prompts}，其余 {rest}"),
        }
    }));
    lines
}

fn told<T>(tested: &Tested<T>, what: &str, lang: Lang, figures: impl Fn(&T, Option<f64>) -> String) -> String {
    let words = match &tested.result {
        Ok(test) => figures(test, tested.p_holm),
        Err(why) => why.words(lang),
    };
    format!("{what}{}{words}", lang.say(": ", "："))
}

/// The wave as peak to trough, with the hour of its peak.
fn wave(test: &Cosinor, p: String, confidence: Confidence, lang: Lang) -> String {
    let swing = peak_to_trough(test, confidence);
    let (ratio, interval) = crate::report::words::hours::figures(&as_ratio(swing.0, swing.1));
    let peak = test.peak_hour.map_or_else(|| "—".into(), clock);
    match lang {
        Lang::En => format!("peak to trough {ratio}× ({interval}), peak at {peak}, F test {p}"),
        Lang::Zh => format!("峰谷比 {ratio} 倍（{interval}），峰值在 {peak}，F 检验 {p}"),
    }
}

/// exp(2A) and its interval.
pub(super) fn peak_to_trough(test: &Cosinor, confidence: Confidence) -> (f64, Option<Interval>) {
    let of = |amplitude: f64| (2.0 * amplitude).exp();
    (of(test.amplitude), test.amplitude_interval(confidence).map(|interval| interval.map(of)))
}

/// An hour with its fraction as a clock shows it.
pub(super) fn clock(hour: f64) -> String {
    let minutes = (hour * 60.0).round() as u64 % (24 * 60);
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}
