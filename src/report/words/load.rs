//! Words for load runs: stages, why a figure is missing, why a stage is this client's own, doubts. What is found along the stages (knee,
//! service level, gate, who beats whom) is said in [`super::ramp`].

use super::Worded;
use super::verdicts::percent;
use crate::analysis::Warning;
use crate::analysis::load::{LoadWarning, Measure, NoFigure, NoInterval, NoKnee, NoWindow};
use crate::record::{Offered, Spread};
use crate::report::{Digits, Lang, shown};

/// A load as its author typed it: `100`, `2.5`.
pub(in crate::report) fn number(load: f64) -> String {
    format!("{load}")
}

/// A stage: `100 users`, `2.5 arrivals/s`.
pub(in crate::report) fn stage(offered: &Offered, lang: Lang) -> String {
    stages(&[*offered], lang)
}

/// Several stages: `50, 100 users`.
pub(in crate::report) fn stages(offered: &[Offered], lang: Lang) -> String {
    let of = |users: bool| offered.iter().filter(move |one| matches!(one, Offered::Users { .. }) == users).map(size).collect::<Vec<_>>();
    let (users, arrivals) = (of(true), of(false));
    let mut parts = Vec::new();
    if !users.is_empty() {
        parts.push(load(&lang.list(&users), users == ["1"], true, lang));
    }
    if !arrivals.is_empty() {
        parts.push(load(&lang.list(&arrivals), false, false, lang));
    }
    lang.list(parts)
}

/// A number of users or arrivals a second with its unit.
pub(in crate::report) fn load(number: &str, is_one: bool, users: bool, lang: Lang) -> String {
    match (users, lang) {
        (true, Lang::En) => format!("{number} {}", if is_one { "user" } else { "users" }),
        // No blank behind a bracket that is as wide as two.
        (true, Lang::Zh) if number.ends_with('）') => format!("{number}个用户"),
        (true, Lang::Zh) => format!("{number} 个用户"),
        (false, Lang::En) => format!("{number} arrivals/s"),
        (false, Lang::Zh) if number.ends_with('）') => format!("每秒 {number}次到达"),
        (false, Lang::Zh) => format!("每秒 {number} 次到达"),
    }
}

fn size(offered: &Offered) -> String {
    match offered {
        Offered::Users { users } => users.to_string(),
        Offered::Arrivals { per_s, .. } => number(*per_s),
    }
}

impl Worded for Spread {
    fn words(&self, lang: Lang) -> String {
        match (self, lang) {
            (Spread::Constant, _) => lang.say("at equal distances", "等间隔").into(),
            (Spread::Poisson, _) => lang.say("Poisson", "泊松分布").into(),
            (Spread::Gamma { shape }, Lang::En) => format!("gamma distances of shape {shape}"),
            (Spread::Gamma { shape }, Lang::Zh) => format!("间隔服从形状参数为 {shape} 的 gamma 分布"),
        }
    }
}

impl Worded for Measure {
    fn words(&self, lang: Lang) -> String {
        let (en, zh) = match self {
            Measure::Rps => ("RPS", "RPS（每秒成功回复数）"),
            Measure::Goodput => ("goodput", "达标吞吐"),
            Measure::SystemSpeed => ("tok/s of the system", "系统总速度"),
            Measure::LatencyMean => ("mean latency", "平均时延"),
            Measure::LatencyP50 => ("latency p50", "时延 p50"),
            Measure::LatencyP95 => ("latency p95", "时延 p95"),
            Measure::LatencyP99 => ("latency p99", "时延 p99"),
            Measure::TtftMean => ("mean TTFT", "平均首字时延"),
            Measure::TtftP50 => ("TTFT p50", "首字时延 p50"),
            Measure::TtftP95 => ("TTFT p95", "首字时延 p95"),
            Measure::TtftP99 => ("TTFT p99", "首字时延 p99"),
            Measure::TtfaP50 => ("1st answer p50", "首答时延 p50"),
            Measure::TtfaP95 => ("1st answer p95", "首答时延 p95"),
            Measure::TpotP50 => ("TPOT p50", "每 token 用时 p50"),
            Measure::TpotP95 => ("TPOT p95", "每 token 用时 p95"),
            Measure::ReasoningSpeed => ("reasoning speed", "推理速度"),
            Measure::ContentSpeed => ("content speed", "回答速度"),
            Measure::OverallSpeed => ("overall speed", "总体速度"),
            Measure::SendLagP50 => ("send lag p50", "发送滞后 p50"),
            Measure::SendLagP99 => ("send lag p99", "发送滞后 p99"),
        };
        lang.say(en, zh).to_owned()
    }
}

impl Worded for NoFigure {
    fn words(&self, lang: Lang) -> String {
        match (self, lang) {
            (NoFigure::NotMeasured, _) => lang.say("not measured", "未测").into(),
            (NoFigure::NoRequest, _) => lang.say("no request", "没有请求").into(),
            (NoFigure::NoGoodReply, _) => lang.say("no good reply", "没有成功的回复").into(),
            (NoFigure::FewRequests { n, needs }, Lang::En) => format!("{n} of the {needs} requests that it takes"),
            (NoFigure::FewRequests { n, needs }, Lang::Zh) => format!("只有 {n} 个请求，需要 {needs} 个"),
            (NoFigure::FewValues { n, needs }, Lang::En) => format!("{n} of the {needs} values that it takes"),
            (NoFigure::FewValues { n, needs }, Lang::Zh) => format!("只有 {n} 个数值，需要 {needs} 个"),
            (NoFigure::Undefined { because }, _) => because.words(lang),
            (NoFigure::OftenUndefined { without, good }, Lang::En) => format!("{without} of {good} good replies have no such value"),
            (NoFigure::OftenUndefined { without, good }, Lang::Zh) => format!("{good} 个成功的回复中有 {without} 个没有这项数值"),
            (NoFigure::NoWindow { because }, _) => because.words(lang),
            (NoFigure::NoServiceLevel, _) => lang.say("no service level for single requests", "没有针对单个请求的服务水平").into(),
            (NoFigure::NoSuchStage, _) => lang.say("the run has no such stage", "该次测试没有这一档").into(),
        }
    }
}

impl Worded for NoInterval {
    fn words(&self, lang: Lang) -> String {
        let passes = |n: usize| if n == 1 { "pass" } else { "passes" };
        match (self, lang) {
            (NoInterval::NoFigure, _) => lang.say("there is no figure", "没有数值").into(),
            (NoInterval::FewPasses { passes: n, needs }, Lang::En) => format!("{n} {}; it takes {needs}", passes(*n)),
            (NoInterval::FewPasses { passes, needs }, Lang::Zh) => format!("只有 {passes} 遍，需要 {needs} 遍"),
            (NoInterval::FewAPass, _) => lang.say("single passes have too few requests", "单独一遍的请求太少").into(),
            (NoInterval::NeverInSome { passes: n }, Lang::En) => format!("never reached in {n} {}", passes(*n)),
            (NoInterval::NeverInSome { passes }, Lang::Zh) => format!("有 {passes} 遍未达到"),
            (NoInterval::ZeroInSome { passes: n }, Lang::En) => format!("zero in {n} {}", passes(*n)),
            (NoInterval::ZeroInSome { passes }, Lang::Zh) => format!("有 {passes} 遍为零"),
        }
    }
}

impl Worded for NoWindow {
    fn words(&self, lang: Lang) -> String {
        match (self, lang) {
            (NoWindow::NotAllRan { ran, users }, Lang::En) => format!("only {ran} of {users} users ever sent a request"),
            (NoWindow::NotAllRan { ran, users }, Lang::Zh) => format!("{users} 个用户中只有 {ran} 个发出过请求"),
            (NoWindow::Empty, _) => {
                lang.say("the first user was idle before the last had begun", "最后一个用户开始之前已有用户空闲").into()
            }
            (NoWindow::Short { seconds, needs }, Lang::En) => {
                format!("its window of {} s is shorter than a usual reply ({} s): give more requests", three(*seconds), three(*needs))
            }
            (NoWindow::Short { seconds, needs }, Lang::Zh) => {
                format!("统计窗口 {} 秒短于通常的一个回复（{} 秒）：请增加请求数", three(*seconds), three(*needs))
            }
            (NoWindow::NoArrivals, _) => lang.say("fewer than two requests arrived", "到达的请求不足两个").into(),
        }
    }
}

impl Worded for NoKnee {
    fn words(&self, lang: Lang) -> String {
        match (self, lang) {
            (NoKnee::FewStages { stages, needs }, Lang::En) => format!(
                "some pass has only {stages} of the {needs} stages that it takes (with a rate above zero, and this client not at its limit)"
            ),
            (NoKnee::FewStages { stages, needs }, Lang::Zh) => {
                format!("有的一遍只有 {stages} 档可用，需要 {needs} 档（速率大于零，且本客户端未到极限）")
            }
            (NoKnee::Mixed, _) => lang.say("users and arrivals have no common scale", "用户数与到达率没有共同的尺度").into(),
        }
    }
}

/// A doubt about the table; `names` are the targets' in the table's order.
pub(in crate::report) fn warning(warning: &LoadWarning, names: &[String], lang: Lang) -> String {
    let name = |target: &usize| names.get(*target).cloned().unwrap_or_default();
    match (warning, lang) {
        (LoadWarning::FewPasses { passes }, Lang::En) => {
            format!("{passes} {}: no intervals and no words; it takes 3", if *passes == 1 { "pass" } else { "passes" })
        }
        (LoadWarning::FewPasses { passes }, Lang::Zh) => format!("只有 {passes} 遍：不给区间，也不下结论；至少需要 3 遍"),
        (LoadWarning::OftenLimited { target, limited, sent }, Lang::En) => format!(
            "{}: {limited} of {sent} replies hit a limit of time or the cap on tokens, so its figures describe our limits",
            name(target)
        ),
        (LoadWarning::OftenLimited { target, limited, sent }, Lang::Zh) => {
            format!("{}：{sent} 个回复中有 {limited} 个触及时限或 token 上限，所得数据反映的是我们设的限制", name(target))
        }
        (LoadWarning::Unfinished { cells, of }, Lang::En) => {
            format!("{cells} of {of} cells (a stage of one pass on one target) were broken off or not reached, and are no sample")
        }
        (LoadWarning::Unfinished { cells, of }, Lang::Zh) => {
            format!("{of} 格（一个对象一遍中的一档为一格）中有 {cells} 格中断或没有测到，不作为样本")
        }
        (LoadWarning::ClockStepped, _) => Warning::ClockStepped.words(lang),
        (LoadWarning::Torn { lines }, _) => Warning::Torn(*lines).words(lang),
        (LoadWarning::SloUnreadable { text }, Lang::En) => {
            format!("the run's own service level `{text}` cannot be read by this version, and is left out; give one with --slo")
        }
        (LoadWarning::SloUnreadable { text }, Lang::Zh) => {
            format!("本版本读不懂该次测试自己的服务水平 `{text}`，未予采用；可用 --slo 指定")
        }
    }
}

/// A share of good replies in words: `98.5 %`.
pub(super) fn share(share: f64) -> String {
    percent(share)
}

fn three(value: f64) -> String {
    shown(value, Digits::Three)
}
