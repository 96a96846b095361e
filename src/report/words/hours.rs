//! Words for times of the day: fixed, and no claim among them without its test.

pub(in crate::report) use super::verdicts::figures;
use super::verdicts::{bare, bare_bracketed, fixed};
use super::{Worded, withheld};
use crate::analysis::{Extremes, LEAST_BINS, LEAST_DAYS, LEAST_ROUNDS, NoHours, PairSwing, PeakOffPeak, Ratio, Swing, TargetHours};
use crate::report::{Digits, Lang, shown};
use crate::stats::{Estimate, Interval, NoTest};

/// Peak against off-peak of one target.
pub(in crate::report) fn swing(target: &TargetHours, lang: Lang) -> String {
    let windows = &target.windows;
    let words = match (windows.swing, lang) {
        (Swing::FewBins, Lang::En) => format!("rounds in too few hours of the day to speak of a day ({LEAST_BINS} bins are needed)"),
        (Swing::FewBins, Lang::Zh) => format!("轮次分布的时段太少，谈不上一天（需要 {LEAST_BINS} 个时段）"),
        (Swing::FewDays, _) => few_days(target.days, lang),
        _ => compared(windows, lang),
    };
    with_p(words, windows.p_holm, target.is_dependent(), lang)
}

/// One target's swing over another's.
pub(in crate::report) fn pair(first: &str, second: &str, pair: &PairSwing, lang: Lang) -> String {
    let windows = &pair.windows;
    let words = match (windows.swing, ratio(windows), lang) {
        (Swing::Swings, Some(ratio), Lang::En) => {
            format!("they swing differently: peak over off-peak of {second} is {} that of {first}", bare_bracketed(&ratio, lang))
        }
        (Swing::Swings, Some(ratio), Lang::Zh) => {
            format!("两者的波动不同：{second} 的高峰与低谷之比为 {first} 的 {}", bare_bracketed(&ratio, lang))
        }
        (Swing::NotShown, Some(ratio), Lang::En) => format!("no difference of their swings shown ({})", bare(&ratio, ", ", lang)),
        (Swing::NotShown, Some(ratio), Lang::Zh) => format!("未显示出两者的波动有差异（{}）", bare(&ratio, "，", lang)),
        (Swing::FewDays, ..) => lang.say("too few common days to tell hour from day", "共同的天数太少，无法区分时段与日期的影响").into(),
        _ => compared(windows, lang),
    };
    let words = with_p(words, windows.p_holm, pair.is_dependent(), lang);
    match pair.dependence.filter(|_| pair.is_dependent() && windows.p_holm.is_some()) {
        Some(r) => format!("{words}{}{}", lang.say("; ", "；"), dependent(r, lang)),
        None => words,
    }
}

/// The slowest bin over the fastest, never without what chance alone gives.
pub(in crate::report) fn extremes(extremes: &Extremes, width: u16, lang: Lang) -> String {
    let times = |value: f64| fixed(value, 2);
    let hours = |from: u16| format!("{from:02}–{:02}", from + width);
    let (slow, fast) = (hours(extremes.slowest), hours(extremes.fastest));
    let (ratio, chance, upper) = (times(extremes.ratio), times(extremes.by_chance), times(extremes.by_chance_upper));
    match lang {
        Lang::En => format!("slowest bin over fastest ({slow} over {fast}): {ratio}× (chance alone gives {chance}×, up to {upper}×)"),
        Lang::Zh => format!("最慢时段与最快时段之比（{slow} 对 {fast}）：{ratio} 倍（仅凭偶然即有 {chance} 倍，可达 {upper} 倍）"),
    }
}

/// What is to be known of the p values of a target whose rounds depend on each other.
pub(in crate::report) fn dependent(r: f64, lang: Lang) -> String {
    match lang {
        Lang::En => format!("rounds depend on each other (r = {r:.2}): p values stand in brackets; run more days"),
        Lang::Zh => format!("各轮互相关联（r = {r:.2}）：p 值置于方括号内；请多测几天"),
    }
}

/// A p value; in brackets where it is not to be trusted.
pub(in crate::report) fn p_value(p: f64, dependent: bool) -> String {
    let words = if p < 0.001 { "p < 0.001".into() } else { format!("p = {}", shown(p, Digits::Three)) };
    if dependent { format!("[{words}]") } else { words }
}

/// An estimate as a ratio, where it has both a figure and an interval.
pub(in crate::report) fn as_ratio(point: f64, interval: Option<Interval>) -> Ratio {
    Ratio { point, interval: interval.unwrap_or(Interval::OPEN) }
}

impl Worded for NoHours {
    fn words(&self, lang: Lang) -> String {
        match (self, lang) {
            (NoHours::Zone(error), Lang::En) => format!("the plan's windows: {error}"),
            (NoHours::Zone(error), Lang::Zh) => format!("计划中的时段：本机不认识时区 {}", error.name),
            (NoHours::NoRounds, _) => {
                lang.say("no round counts, so there are no hours to look at", "没有一轮可以计入，因此无从比较时段").into()
            }
            (NoHours::FewBins { bins, width }, Lang::En) => format!(
                "the rounds lie in {bins} {} of {width} and {LEAST_BINS} are needed to speak of a day: a plan with `preset: day` or \
                 `every_s: 3600` runs through one",
                if *bins == 1 { "bin" } else { "bins" }
            ),
            (NoHours::FewBins { bins, width }, Lang::Zh) => format!(
                "各轮只落在 {bins} 个时段（每段 {} 小时），至少要有 {LEAST_BINS} 个才谈得上一天：在计划中写 `preset: day` 或 `every_s: 3600` 即可测满一天",
                width.hours()
            ),
        }
    }
}

impl Worded for NoTest {
    fn words(&self, lang: Lang) -> String {
        let zh = match self {
            NoTest::TooFewGroups => "有值的组不足两个",
            NoTest::TooFewValues => "值太少",
            NoTest::TooFewHours => "各值所在的钟点太少",
            NoTest::AllEqual => "所有值都相同",
            NoTest::NoSpreadInside => "各组之内的离差没有变化",
            NoTest::Ragged => "列表长短不一",
            NoTest::NotFinite => "有的值不是有限数",
        };
        match lang {
            Lang::En => self.to_string(),
            Lang::Zh => zh.to_owned(),
        }
    }
}

/// Where days are too few for hours to be told from days.
pub(in crate::report) fn few_days(days: usize, lang: Lang) -> String {
    match (days, lang) {
        (1, Lang::En) => "one day: hour and day cannot be told apart".into(),
        (1, Lang::Zh) => "只有一天：无法区分时段与日期的影响".into(),
        (days, Lang::En) => format!("too few days to tell hour from day ({days} of {LEAST_DAYS})"),
        (days, Lang::Zh) => format!("天数太少，无法区分时段与日期的影响（已有 {days} 天，需要 {LEAST_DAYS} 天）"),
    }
}

fn compared(windows: &PeakOffPeak, lang: Lang) -> String {
    match (windows.swing, ratio(windows), lang) {
        (Swing::Swings, Some(ratio), Lang::En) => {
            let (point, interval) = figures(&ratio);
            format!("swings over the day: peak {point}× off-peak ({interval})")
        }
        (Swing::Swings, Some(ratio), Lang::Zh) => format!("一天之内有波动：高峰用时为低谷的 {}", bare_bracketed(&ratio, lang)),
        (Swing::NotShown, Some(ratio), Lang::En) => {
            let (point, interval) = figures(&ratio);
            format!("no swing shown (peak {point}× off-peak, {interval})")
        }
        (Swing::NotShown, Some(ratio), Lang::Zh) => format!("未显示出波动（高峰用时为低谷的 {}）", bare(&ratio, "，", lang)),
        (Swing::Swings | Swing::NotShown, None, _) => lang.say("no swing shown", "未显示出波动").into(),
        (Swing::Identical, ..) => lang.say("identical data in both windows: check the set-up", "两个时段的数据完全相同：请检查设置").into(),
        (Swing::FewRounds, _, Lang::En) => format!(
            "too few rounds in the windows to call (peak {}, off-peak {}; {LEAST_ROUNDS} each are needed)",
            windows.peak, windows.off_peak
        ),
        (Swing::FewRounds, _, Lang::Zh) => {
            format!("时段内的轮数太少，无法下结论（高峰 {} 轮，低谷 {} 轮，各需 {LEAST_ROUNDS} 轮）", windows.peak, windows.off_peak)
        }
        (Swing::HangsOnRateLimits, ..) => lang
            .say(
                "not called, as it hangs on the rate limits: charging rate-limited requests and leaving them out lead to different words",
                "不下结论，因其取决于如何看待限流：把被限流的请求计为失败与剔除它们，得出的说法不同",
            )
            .into(),
        (Swing::ClientLimited(bottleneck), ..) => withheld(&bottleneck, lang),
        (Swing::NoValue, ..) => lang.say("no good reply has this figure", "没有一个成功的回复有这项数值").into(),
        (Swing::FewDays, ..) => lang.say("too few days to tell hour from day", "天数太少，无法区分时段与日期的影响").into(),
        (Swing::FewBins, ..) => lang.say("rounds in too few hours of the day", "轮次分布的时段太少").into(),
    }
}

fn with_p(words: String, p: Option<f64>, dependent: bool, lang: Lang) -> String {
    p.map_or(words.clone(), |p| format!("{words}{}{}", lang.say(", ", "，"), p_value(p, dependent)))
}

fn ratio(windows: &PeakOffPeak) -> Option<Ratio> {
    let Estimate { point, interval, .. } = windows.ratio?;
    Some(as_ratio(point.finite()?, interval))
}
