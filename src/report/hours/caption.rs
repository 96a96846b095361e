//! How a table of hours was made, what its figures mean, and what casts doubt on it.

use crate::analysis::{Hours, LEAST_DAYS, Panel, Quantity, of_times};
use crate::record::{ClockSpan, Windows};
use crate::report::made::Reading;
use crate::report::words::calibration::calibrated;
use crate::report::words::hours::few_days;
use crate::report::words::percent;
use crate::report::{Lang, Worded};

/// What the columns mean.
pub(super) fn legend(quantity: Quantity, lang: Lang) -> Vec<String> {
    let median = match (quantity.is_rate(), lang) {
        (false, Lang::En) => "median: over all requests sent; a failure never arrives.",
        (false, Lang::Zh) => "中位数：对全部已发请求而言，失败视为永不到达。",
        (true, Lang::En) => "median: over good replies.",
        (true, Lang::Zh) => "中位数：只对成功的回复而言。",
    };
    let ratio = match (quantity.is_rate(), lang) {
        (false, Lang::En) => "× own level: charged time over the target's own level in the whole run; a failure is charged the limit T.",
        (false, Lang::Zh) => "为自身水平的倍数：用时与该对象在整个运行中的自身水平之比；失败按时限 T 计入。",
        (true, Lang::En) => {
            "× own level: charged time per token over the target's own level in the whole run, so above 1 is slower; a failure is charged \
             the limit T over the usual tokens."
        }
        (true, Lang::Zh) => {
            "为自身水平的倍数：每个 token 的用时与该对象在整个运行中的自身水平之比，大于 1 即更慢；失败按时限 T 除以通常的 token 数计入。"
        }
    };
    vec![median.into(), ratio.into()]
}

/// Too few days is said once for all targets; then what is doubtful about when the rounds were held.
pub(super) fn warnings(reading: &Reading<'_>, hours: &Hours) -> Vec<String> {
    let few = (hours.days < LEAST_DAYS).then(|| few_days(hours.days, reading.lang));
    few.into_iter().chain(of_times(reading.joined).iter().map(|warning| warning.words(reading.lang))).collect()
}

/// Who, when, where; how bins, windows, chance and tests were made.
pub(super) fn caption(reading: &Reading<'_>, panel: &Panel, hours: &Hours, all: bool) -> Vec<String> {
    let lang = reading.lang;
    let mut lines = reading.circumstances(panel);
    lines.push(bins(hours, lang));
    lines.push(windows(hours, lang));
    lines.push(chance(hours, lang));
    if all {
        lines.push(
            lang.say(
                "Peak to trough is exp(2A) of a cosine wave of 24 hours, its interval from the delta standard error (too wide near 1); each \
                 test's p by Holm over the targets, that of pairs over the pairs.",
                "峰谷比为 24 小时余弦曲线的 exp(2A)，区间出自 delta 法标准误（接近 1 时偏宽）；各检验的 p 值按 Holm 法对全部对象校正，两两比较则对全部组合校正。",
            )
            .into(),
        );
    }
    lines.push(
        lang.say(
            "KW, Welch and F assume independent rounds given the hour. Wrong calls in simulations and what is not yet known: docs/method.md.",
            "KW、Welch 与 F 检验假定：给定时段后各轮互相独立。模拟中的误判率与尚属未知之处见 docs/method.md。",
        )
        .into(),
    );
    if hours.quantity.by_tokens() {
        lines.push(match lang {
            Lang::En => format!("Token basis: {} ({}).", reading.basis(), reading.because.words(lang)),
            Lang::Zh => format!("token 口径：{}（{}）。", reading.basis(), reading.because.words(lang)),
        });
    }
    lines.extend(calibrated(reading.joined.manifest(), reading.lang));
    lines.push(reading.made_by());
    lines
}

fn bins(hours: &Hours, lang: Lang) -> String {
    let (zone, days, width, confidence) = (&hours.zone, hours.days, hours.bin.hours(), percent(hours.confidence.share()));
    match lang {
        Lang::En => format!(
            "Clock of {zone} when the round began; {days} {} of its calendar; bins of {width} h. One value a round: the mean over prompts of \
             the log charged time less the prompt's own mean; {confidence} t intervals over a bin's rounds from three rounds on, each bin \
             for itself.",
            if days == 1 { "day" } else { "days" }
        ),
        Lang::Zh => format!(
            "时段按轮次开始时 {zone} 的钟表时间划分；按其日历共 {days} 天；每段 {width} 小时。每轮取一个值：用时（失败按上述办法计入）的对数减去该提示词自身的均值，再对提示词取平均；\
             一个时段满三轮才给出各轮的 {confidence} t 区间，各时段单独计算。"
        ),
    }
}

fn windows(hours: &Hours, lang: Lang) -> String {
    let Windows { zone, peak, off_peak } = &hours.windows;
    let spans = |spans: &[ClockSpan]| lang.list(spans.iter().map(ClockSpan::to_string));
    let (peak, off_peak, targets) = (spans(peak), spans(off_peak), hours.targets.len());
    match lang {
        Lang::En => format!(
            "Windows, fixed in the plan: peak {peak}; off-peak {off_peak} ({zone}). Peak against off-peak: Welch's t on round values, p by \
             Holm over {targets} {}; words from six rounds in each window and three days on.",
            if targets == 1 { "target" } else { "targets" }
        ),
        Lang::Zh => format!(
            "计划中事先定下的时段：高峰 {peak}；低谷 {off_peak}（{zone}）。高峰对低谷：对各轮的值作 Welch t 检验，p 值按 Holm 法对 {targets} 个对象校正；\
             两个时段各满六轮且满三天才下结论。"
        ),
    }
}

fn chance(hours: &Hours, lang: Lang) -> String {
    let (shuffles, seed) = (hours.shuffles, hours.seed);
    match lang {
        Lang::En => format!(
            "The slowest of many bins is slow by chance as well: its reference is {shuffles} shuffles of the round values over the hours \
             within each day (median, 95th percentile; seed {seed})."
        ),
        Lang::Zh => format!(
            "时段一多，最慢的一段凭偶然也会慢：作为参照，把各轮的值在每一天之内按时段随机打乱 {shuffles} 次（取中位数与第 95 百分位；种子 {seed}）。"
        ),
    }
}
