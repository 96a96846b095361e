//! Words for verdicts: fixed, of the same strictness in both languages, and never "no difference".

use super::{Worded, withheld};
use crate::analysis::{Bar, Comparison, LeagueRemark, Quantity, Ratio, Rider, Side, Verdict, WhyNot};
use crate::report::targets::target_name;
use crate::report::{Digits, Lang, shown};
use crate::stats::Bound;

/// What a comparison's sentence needs to know beside the verdict.
pub struct Told<'a> {
    /// The first one's name.
    pub first: &'a str,
    /// The second one's name.
    pub second: &'a str,
    /// In what they are compared.
    pub quantity: Quantity,
    /// The tie band.
    pub delta: f64,
    /// The language.
    pub lang: Lang,
}

impl Told<'_> {
    fn name(&self, who: Side) -> &str {
        match who {
            Side::First => self.first,
            Side::Second => self.second,
        }
    }

    /// The verdict, without its riders.
    pub fn verdict(&self, verdict: &Verdict) -> String {
        let band = percent(self.delta);
        match (verdict, self.lang) {
            (Verdict::Withheld { bottleneck }, lang) => withheld(bottleneck, lang),
            (Verdict::NotComparable { who }, Lang::En) => format!("not comparable, because of {}", self.names(who)),
            (Verdict::NotComparable { who }, Lang::Zh) => format!("不可比较，原因在于 {}", self.names(who)),
            (Verdict::TooFewRounds { rounds }, Lang::En) => format!("too few rounds to call ({rounds} of 6)"),
            (Verdict::TooFewRounds { rounds }, Lang::Zh) => format!("轮数太少，无法下结论（已有 {rounds} 轮，需要 6 轮）"),
            (Verdict::IdenticalData, Lang::En) => "identical data: check the set-up".into(),
            (Verdict::IdenticalData, Lang::Zh) => "数据完全相同：请检查设置".into(),
            (Verdict::NotRanked { charged, left_out }, Lang::En) => format!(
                "not ranked, as it hangs on the rate limits; with rate-limited requests charged: {}; with them left out: {}",
                self.verdict(charged),
                self.verdict(left_out)
            ),
            (Verdict::NotRanked { charged, left_out }, Lang::Zh) => format!(
                "不排先后，结论取决于如何看待限流；被限流的请求计为失败时：{}；剔除它们时：{}",
                self.verdict(charged),
                self.verdict(left_out)
            ),
            (Verdict::Faster { who, ratio }, lang) => {
                format!("{} {}{}", self.name(*who), lang.say("faster: ", "更快："), self.factor(ratio))
            }
            (Verdict::FasterWithinBand { who, ratio }, Lang::En) => {
                format!("{} faster by less than {band}: a tie in practice ({})", self.name(*who), bare(ratio, ", ", self.lang))
            }
            (Verdict::FasterWithinBand { who, ratio }, Lang::Zh) => {
                format!("{} 更快，但不到 {band}：实际上是平手（{}）", self.name(*who), bare(ratio, "，", self.lang))
            }
            (Verdict::PracticallyEqual { ratio }, Lang::En) => {
                format!("practically equal (within {band}): {}", bare_bracketed(ratio, self.lang))
            }
            (Verdict::PracticallyEqual { ratio }, Lang::Zh) => {
                format!("实际上相等（相差在 {band} 以内）：{}", bare_bracketed(ratio, self.lang))
            }
            (Verdict::NotShown { ratio }, Lang::En) => format!("no difference shown ({})", bare(ratio, ", ", self.lang)),
            (Verdict::NotShown { ratio }, Lang::Zh) => format!("未显示出差异（{}）", bare(ratio, "，", self.lang)),
        }
    }

    fn names(&self, who: &[Side]) -> String {
        self.lang.list(who.iter().map(|side| self.name(*side)))
    }

    /// `0.83× the time (0.76–0.91)`; of a rate the time a token, and the speed that it means.
    fn factor(&self, ratio: &Ratio) -> String {
        let (time, interval) = figures(ratio);
        let (speed, of_speed) = figures(&ratio.inverse());
        match (self.quantity, self.lang) {
            (Quantity::SecondsPerCorrect, Lang::En) => format!("{time}× the time per correct answer ({interval})"),
            (Quantity::SecondsPerCorrect, Lang::Zh) => format!("每个正确回答的用时为对方的 {time} 倍（{interval}）"),
            (quantity, Lang::En) if quantity.is_rate() => {
                format!("{time}× the time per token ({interval}), that is {speed}× the speed ({of_speed})")
            }
            (quantity, Lang::Zh) if quantity.is_rate() => {
                format!("每个 token 的用时为对方的 {time} 倍（{interval}），即速度为对方的 {speed} 倍（{of_speed}）")
            }
            (Quantity::Spt, Lang::En) => format!("{time}× the time per token ({interval})"),
            (Quantity::Spt, Lang::Zh) => format!("每个 token 的用时为对方的 {time} 倍（{interval}）"),
            (_, Lang::En) => format!("{time}× the time ({interval})"),
            (_, Lang::Zh) => format!("用时为对方的 {time} 倍（{interval}）"),
        }
    }

    /// A rider.
    pub fn rider(&self, rider: &Rider) -> String {
        match (rider, self.lang) {
            (Rider::FailsMore { its, others, .. }, Lang::En) => format!("but fails more: {} against {}", rate(*its), rate(*others)),
            (Rider::FailsMore { its, others, .. }, Lang::Zh) => {
                format!("但失败更多：成功率 {}，对方 {}", rate(*its), rate(*others))
            }
            (Rider::SlowerInMost { won }, Lang::En) => {
                format!("faster on average, slower in most blocks (ahead in {})", percent(*won))
            }
            (Rider::SlowerInMost { won }, Lang::Zh) => format!("平均更快，但在多数区组里更慢（只领先 {}）", percent(*won)),
            (Rider::Dependent { r }, Lang::En) => format!("rounds depend on each other (r = {r:.2}): run more days"),
            (Rider::Dependent { r }, Lang::Zh) => format!("各轮互相关联（r = {r:.2}）：请多测几天"),
            (Rider::ShortSpan { seconds }, Lang::En) => format!("holds for {} only", lasting(*seconds, self.lang)),
            (Rider::ShortSpan { seconds }, Lang::Zh) => format!("只对这 {}成立", lasting(*seconds, self.lang)),
            (Rider::DifferentModels { known: true }, Lang::En) => "different models: speed only".into(),
            (Rider::DifferentModels { known: true }, Lang::Zh) => "模型不同：只比速度".into(),
            (Rider::DifferentModels { known: false }, Lang::En) => "perhaps different models: speed only".into(),
            (Rider::DifferentModels { known: false }, Lang::Zh) => "模型可能不同：只比速度".into(),
            (Rider::ModelDiffers { who, found }, Lang::En) => format!("{} is perhaps not the same model: {found}", self.name(*who)),
            (Rider::ModelDiffers { who, found }, Lang::Zh) => format!("{} 可能不是同一个模型：{found}", self.name(*who)),
            (Rider::QuotaBound { who, limited, sent }, Lang::En) => {
                format!("{} is quota-bound ({limited} of {sent} requests rate-limited): not ranked on speed", self.name(*who))
            }
            (Rider::QuotaBound { who, limited, sent }, Lang::Zh) => {
                format!("{} 受配额限制（{sent} 个请求中有 {limited} 个被限流）：不参加速度排名", self.name(*who))
            }
        }
    }
}

/// The whole sentence of a comparison: the verdict, what bars a comparison, the riders.
pub fn sentence(comparison: &Comparison, quantity: Quantity, delta: f64, lang: Lang) -> String {
    let (first, second) = (&comparison.first, &comparison.second);
    let names = [first, second].map(|one| target_name(one.target.as_str(), one.simulated));
    let told = Told { first: &names[0], second: &names[1], quantity, delta, lang };
    let mut parts = vec![told.verdict(&comparison.verdict)];
    if let Verdict::NotComparable { .. } = comparison.verdict {
        for (one, name) in [first, second].into_iter().zip(&names) {
            let bars = one.bars.iter().filter(|bar| bar.forbids_comparison());
            parts.extend(bars.map(|bar| format!("{name}{}{}", lang.say(": ", "："), bar.words(lang))));
        }
    }
    parts.extend(comparison.riders.iter().map(|rider| told.rider(rider)));
    parts.join(lang.say("; ", "；"))
}

impl Worded for Quantity {
    fn words(&self, lang: Lang) -> String {
        let (en, zh) = match self {
            Quantity::Ttft => ("time to first token (TTFT)", "首字时延（TTFT）"),
            Quantity::Ttfa => ("time to first answer", "首答时延"),
            Quantity::E2e => ("reply time", "完整回复用时"),
            Quantity::TimeTo100 => ("time to 100 tokens of the answer", "回答到 100 个 token 的用时"),
            Quantity::TimeTo500 => ("time to 500 tokens of the answer", "回答到 500 个 token 的用时"),
            Quantity::Spt => ("reply time per token", "平均每个 token 的用时"),
            Quantity::OverallSpeed => ("overall speed", "总体速度"),
            Quantity::ReasoningSpeed => ("reasoning speed", "推理（思考）速度"),
            Quantity::ContentSpeed => ("content speed", "回答速度"),
            Quantity::Decode => ("decode speed", "解码速度"),
            Quantity::SecondsPerCorrect => ("seconds per correct answer", "每个正确回答的用时"),
        };
        lang.say(en, zh).to_owned()
    }
}

impl Worded for Bar {
    fn words(&self, lang: Lang) -> String {
        match (self, lang) {
            (Bar::ClientLimited { bottleneck }, lang) => bottleneck.words(lang),
            (Bar::NoGoodReply { sent }, Lang::En) => format!("no good reply in {sent} requests"),
            (Bar::NoGoodReply { sent }, Lang::Zh) => format!("{sent} 个请求没有一个成功的回复"),
            (Bar::NoCorrectAnswer, _) => lang.say("not one correct answer", "没有一个正确答案").into(),
            (Bar::NoValue, _) => lang.say("its replies have no such value", "其回复没有这项数值").into(),
            (Bar::HiddenThinking { hidden, ok }, Lang::En) => {
                format!("TTFT may include thinking that is not shown ({hidden} of {ok} replies)")
            }
            (Bar::HiddenThinking { hidden, ok }, Lang::Zh) => format!("首字时延可能包含没有输出的思考（{ok} 个回复中有 {hidden} 个）"),
            (Bar::Bundled { bundled, ok }, Lang::En) => format!("bundled: {bundled} of {ok} replies came in a few large pieces"),
            (Bar::Bundled { bundled, ok }, Lang::Zh) => format!("成批到达：{ok} 个回复中有 {bundled} 个只分几大块写出"),
            (Bar::NoTokenBasis { uncounted, ok }, Lang::En) => {
                format!("no token counts on this basis ({uncounted} of {ok} replies)")
            }
            (Bar::NoTokenBasis { uncounted, ok }, Lang::Zh) => format!("按此口径没有 token 计数（{ok} 个回复中有 {uncounted} 个）"),
            (Bar::FewRounds { rounds }, Lang::En) => format!("too few rounds ({rounds} of 6)"),
            (Bar::FewRounds { rounds }, Lang::Zh) => format!("轮数太少（已有 {rounds} 轮，需要 6 轮）"),
            (Bar::FailsOften { ok, sent, upper }, Lang::En) => {
                format!("fails too often: {ok}/{sent} succeeded, surely below 90 % (at most {})", rate(*upper))
            }
            (Bar::FailsOften { ok, sent, upper }, Lang::Zh) => {
                format!("失败太多：成功 {ok}/{sent}，可以肯定低于 90 %（至多 {}）", rate(*upper))
            }
            (Bar::QuotaBound { limited, sent }, Lang::En) => format!("quota-bound: {limited} of {sent} requests were rate-limited"),
            (Bar::QuotaBound { limited, sent }, Lang::Zh) => format!("受配额限制：{sent} 个请求中有 {limited} 个被限流"),
            (Bar::ModelDiffers { found }, Lang::En) => format!("perhaps not the same model: {found}"),
            (Bar::ModelDiffers { found }, Lang::Zh) => format!("可能不是同一个模型：{found}"),
        }
    }
}

impl Worded for WhyNot {
    fn words(&self, lang: Lang) -> String {
        match (self, lang) {
            (WhyNot::NotComparable, _) => lang.say("not comparable", "不可比较").into(),
            (WhyNot::NothingInCommon, _) => lang.say("no round has both", "没有一轮同时有两者").into(),
            (WhyNot::FewRounds { rounds, needs }, Lang::En) => format!("{rounds} rounds; it takes {needs}"),
            (WhyNot::FewRounds { rounds, needs }, Lang::Zh) => format!("只有 {rounds} 轮，需要 {needs} 轮"),
            (WhyNot::FewRequests { n, needs }, Lang::En) => format!("{n} values; it takes {needs}"),
            (WhyNot::FewRequests { n, needs }, Lang::Zh) => format!("只有 {n} 个值，需要 {needs} 个"),
            (WhyNot::Never { who: Side::First }, _) => lang.say("the first never gets there", "前者永远达不到").into(),
            (WhyNot::Never { who: Side::Second }, _) => lang.say("the second never gets there", "后者永远达不到").into(),
            (WhyNot::OnlyRounds, _) => lang.say("only whole rounds have it", "只有整轮才有这项数值").into(),
        }
    }
}

impl Worded for LeagueRemark {
    fn words(&self, lang: Lang) -> String {
        match (self, lang) {
            (LeagueRemark::OtherRounds { other }, _) => other_rounds(other.as_str(), lang),
            (LeagueRemark::OrderHangsOnRateLimits { other }, _) => order_hangs(other.as_str(), lang),
            (LeagueRemark::RateLimited(n), Lang::En) => format!("{n} rate_limited"),
            (LeagueRemark::RateLimited(n), Lang::Zh) => format!("{n} 次 rate_limited"),
            (LeagueRemark::Bundled(n), Lang::En) => format!("{n} bundled"),
            (LeagueRemark::Bundled(n), Lang::Zh) => format!("{n} 次 bundled"),
            (LeagueRemark::Hidden(n), Lang::En) => format!("{n} hidden"),
            (LeagueRemark::Hidden(n), Lang::Zh) => format!("{n} 次 hidden"),
            (LeagueRemark::Uncounted(n), Lang::En) => format!("{n} without token counts"),
            (LeagueRemark::Uncounted(n), Lang::Zh) => format!("{n} 个没有 token 计数"),
            (LeagueRemark::Claim { check }, _) => check.words(lang),
            (LeagueRemark::Identical, _) => lang.say("identical data: check the set-up", "数据完全相同：请检查设置").into(),
        }
    }
}

/// That the values of two come from different rounds, and those in common show the contrary.
pub(in crate::report) fn other_rounds(other: &str, lang: Lang) -> String {
    match lang {
        Lang::En => format!("the rounds that it has in common with {other} show the contrary of their values: go by the ranks"),
        Lang::Zh => format!("与 {other} 共有的各轮所显示的先后与两者的数值相反：请以名次为准"),
    }
}

/// That charging rate-limited requests and leaving them out lead to different orders.
pub(in crate::report) fn order_hangs(other: &str, lang: Lang) -> String {
    match lang {
        Lang::En => format!("its order with {other} hangs on how rate limits are seen, so it has none"),
        Lang::Zh => format!("与 {other} 的先后取决于如何看待限流，因此不分先后"),
    }
}

/// `0.97×, 0.88–1.07`.
pub(super) fn bare(ratio: &Ratio, between: &str, lang: Lang) -> String {
    let (point, interval) = figures(ratio);
    format!("{point}{}{between}{interval}", lang.say("×", " 倍"))
}

/// `0.97× (0.88–1.07)`.
pub(super) fn bare_bracketed(ratio: &Ratio, lang: Lang) -> String {
    let (point, interval) = figures(ratio);
    match lang {
        Lang::En => format!("{point}× ({interval})"),
        Lang::Zh => format!("{point} 倍（{interval}）"),
    }
}

/// A ratio and its interval, with as many decimals as the interval deserves.
pub(in crate::report) fn figures(ratio: &Ratio) -> (String, String) {
    let decimals = decimals(ratio);
    let end = |end: Bound| end.at().map(|end| fixed(end, decimals));
    let interval = match (end(ratio.interval.low), end(ratio.interval.high)) {
        (Some(low), Some(high)) => format!("{low}–{high}"),
        (Some(low), None) => format!("≥ {low}"),
        (None, Some(high)) => format!("≤ {high}"),
        (None, None) => "—".into(),
    };
    (fixed(ratio.point, decimals), interval)
}

/// Two decimals, more where the interval is narrower than a hundredth or the ratio small, fewer where it is large.
fn decimals(ratio: &Ratio) -> usize {
    let half = ratio.interval.ends().map_or(1.0, |(low, high)| (high - low) / 2.0);
    let small = ratio.interval.low.at().unwrap_or(ratio.point).min(ratio.point);
    let by_width = if 0.0 < half { (-half.log10()).ceil() } else { 2.0 };
    let by_size = if 0.0 < small { 1.0 - small.log10().floor() } else { 2.0 };
    let least = if ratio.point < 10.0 { 2.0 } else { 1.0 };
    by_width.max(by_size).clamp(least, 4.0) as usize
}

pub(super) fn fixed(value: f64, decimals: usize) -> String {
    if 1000.0 <= value { shown(value, Digits::Three) } else { format!("{value:.decimals$}") }
}

/// A share as whole per cent, or with a decimal near either end.
pub(in crate::report) fn rate(share: f64) -> String {
    let per_cent = share * 100.0;
    let whole = per_cent.round();
    let decimals = usize::from((whole - per_cent).abs() > 1e-9 && !(1.5..98.5).contains(&per_cent));
    format!("{per_cent:.decimals$} %")
}

/// A share in per cent with no more digits than it has.
pub(in crate::report) fn percent(share: f64) -> String {
    let text = format!("{:.1}", share * 100.0);
    format!("{} %", text.strip_suffix(".0").unwrap_or(&text))
}

/// How long: days and hours, hours and minutes, minutes, or seconds.
pub(in crate::report) fn lasting(seconds: f64, lang: Lang) -> String {
    let whole = seconds.round().max(0.0) as u64;
    let (days, hours, minutes) = (whole / 86_400, whole % 86_400 / 3600, whole % 3600 / 60);
    let part = |n: u64, en: &str, zh: &str| match lang {
        Lang::En => format!("{n} {en}"),
        Lang::Zh => format!("{n} {zh}"),
    };
    let days_part = || part(days, if days == 1 { "day" } else { "days" }, "天");
    match (days, hours, minutes) {
        (0, 0, 0) => part(whole, "s", "秒"),
        (0, 0, _) => part(minutes, "min", "分钟"),
        (0, _, 0) => part(hours, "h", "小时"),
        (0, ..) => format!("{} {}", part(hours, "h", "小时"), part(minutes, "min", "分钟")),
        (_, 0, _) => days_part(),
        _ => format!("{} {}", days_part(), part(hours, "h", "小时")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Interval;

    fn told(quantity: Quantity, lang: Lang) -> Told<'static> {
        Told { first: "A", second: "B", quantity, delta: 0.05, lang }
    }

    fn ratio(point: f64, low: f64, high: f64) -> Ratio {
        Ratio { point, interval: Interval::closed(low, high) }
    }

    #[test]
    fn the_words_are_those_of_the_method() {
        let en = told(Quantity::E2e, Lang::En);
        let faster = Verdict::Faster { who: Side::First, ratio: ratio(0.83, 0.76, 0.91) };
        assert_eq!(en.verdict(&faster), "A faster: 0.83× the time (0.76–0.91)");
        let within = Verdict::FasterWithinBand { who: Side::Second, ratio: ratio(0.97, 0.95, 0.99) };
        assert_eq!(en.verdict(&within), "B faster by less than 5 %: a tie in practice (0.97×, 0.95–0.99)");
        let equal = Verdict::PracticallyEqual { ratio: ratio(0.995, 0.973, 1.02) };
        assert_eq!(en.verdict(&equal), "practically equal (within 5 %): 0.99× (0.97–1.02)");
        let open = Verdict::NotShown { ratio: ratio(0.97, 0.88, 1.07) };
        assert_eq!(en.verdict(&open), "no difference shown (0.97×, 0.88–1.07)");
        assert_eq!(en.verdict(&Verdict::TooFewRounds { rounds: 4 }), "too few rounds to call (4 of 6)");
        assert_eq!(en.verdict(&Verdict::IdenticalData), "identical data: check the set-up");
        let zh = told(Quantity::E2e, Lang::Zh);
        assert_eq!(zh.verdict(&faster), "A 更快：用时为对方的 0.83 倍（0.76–0.91）");
        assert_eq!(zh.verdict(&within), "B 更快，但不到 5 %：实际上是平手（0.97 倍，0.95–0.99）");
        assert_eq!(zh.verdict(&open), "未显示出差异（0.97 倍，0.88–1.07）");
    }

    #[test]
    fn a_rate_is_told_as_time_a_token_and_as_the_speed_that_it_means() {
        let faster = Verdict::Faster { who: Side::First, ratio: ratio(0.5, 0.4, 0.625) };
        let said = told(Quantity::ContentSpeed, Lang::En).verdict(&faster);
        assert_eq!(said, "A faster: 0.50× the time per token (0.40–0.62), that is 2.00× the speed (1.60–2.50)");
    }

    #[test]
    fn no_word_ever_says_that_there_is_no_difference() {
        let ratio = ratio(1.0, 0.9, 1.1);
        let verdicts = [
            Verdict::NotShown { ratio },
            Verdict::PracticallyEqual { ratio },
            Verdict::FasterWithinBand { who: Side::First, ratio },
            Verdict::IdenticalData,
            Verdict::TooFewRounds { rounds: 2 },
        ];
        for verdict in &verdicts {
            let en = told(Quantity::E2e, Lang::En).verdict(verdict);
            assert!(!en.contains("no difference") || en.contains("no difference shown"), "{en}");
            let zh = told(Quantity::E2e, Lang::Zh).verdict(verdict);
            assert!(!["没有差异", "无差异", "没有区别"].iter().any(|word| zh.contains(word)), "{zh}");
        }
    }

    #[test]
    fn figures_have_the_decimals_that_their_interval_deserves() {
        assert_eq!(figures(&ratio(0.97, 0.9685, 0.9715)), ("0.970".into(), "0.969–0.972".into()));
        assert_eq!(figures(&ratio(0.0123, 0.011, 0.0136)), ("0.012".into(), "0.011–0.014".into()));
        assert_eq!(figures(&ratio(14.12, 12.0, 16.0)), ("14.1".into(), "12.0–16.0".into()));
        let open = Ratio { point: 2.0, interval: Interval { low: Bound::At(1.5), high: Bound::Open } };
        assert_eq!(figures(&open), ("2.00".into(), "≥ 1.50".into()));
    }

    #[test]
    fn spans_and_shares_read_as_people_say_them() {
        let said = [40.0, 600.0, 6900.0, 7200.0, 90_000.0, 172_800.0].map(|s| lasting(s, Lang::En));
        assert_eq!(said, ["40 s", "10 min", "1 h 55 min", "2 h", "1 day 1 h", "2 days"]);
        assert_eq!([0.91, 1.0, 0.995, 0.0].map(rate), ["91 %", "100 %", "99.5 %", "0 %"]);
        assert_eq!([0.05, 0.025].map(percent), ["5 %", "2.5 %"]);
    }
}
