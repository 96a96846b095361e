//! Words for what a reading of runs found: doubts, remarks, why a figure is missing, why a token basis was taken.

use super::Worded;
use crate::analysis::{BasisBecause, ClockMove, HeldRequests, JoinError, Missing, NotReported, Remark, Standing, VoidReason, Warning};
use crate::record::{Difference, Unequal, UnequalBy};
use crate::report::Lang;

impl Worded for Standing {
    fn words(&self, lang: Lang) -> String {
        let (en, zh) = match self {
            Standing::Sent => ("as a sample", "作为样本"),
            Standing::Behind => ("as a failure: this client did not get to send it", "作为失败：本客户端未能发出"),
            Standing::WarmUp => ("not: it opened the round on its connection", "不计：它只为该轮打开连接"),
            Standing::Superseded => ("not: its block was sent anew", "不计：其区组已重新发送"),
            Standing::Void(VoidReason::Interrupted) => {
                ("not: its block is void for all, interrupted", "不计：其区组因中断而对所有对象作废")
            }
            Standing::Void(VoidReason::Vantage) => {
                ("not: its block is void for all, since this client's line failed", "不计：其区组因本客户端线路故障而对所有对象作废")
            }
            Standing::Void(VoidReason::ClientLimited) => {
                ("not: its round is void for all, since this client was the bottleneck", "不计：其所在轮的瓶颈在本客户端，对所有对象作废")
            }
            Standing::Configuration => ("not: the target's set-up is at fault", "不计：该对象的配置有误"),
            Standing::Unasked => {
                ("not: its own budget or pace left it out of the block", "不计：受其自身预算或限速所限，该区组未向它发出请求")
            }
        };
        lang.say(en, zh).to_owned()
    }
}

impl Worded for Difference {
    fn words(&self, lang: Lang) -> String {
        let Unequal { target, by } = match self {
            Difference::Known(known) => known,
            Difference::Sentence(sentence) => return sentence.clone(),
        };
        match (by, lang) {
            (UnequalBy::NoSeed, Lang::En) => format!("{target}: no sampling seed is sent, the provider takes none"),
            (UnequalBy::NoSeed, Lang::Zh) => format!("{target}：未发送采样种子，该服务商不接受"),
            (UnequalBy::Ignored { parameter }, Lang::En) => {
                format!("{target}: {parameter} is sent, but the provider ignores it while the model thinks")
            }
            (UnequalBy::Ignored { parameter }, Lang::Zh) => format!("{target}：发送了 {parameter}，但模型思考时该服务商不予理会"),
            (UnequalBy::CapCountsAnswer { parameter }, Lang::En) => {
                format!("{target}: {parameter} counts the answer alone, not the reasoning")
            }
            (UnequalBy::CapCountsAnswer { parameter }, Lang::Zh) => format!("{target}：{parameter} 只计回答，不计推理"),
            (UnequalBy::Setting { setting, own, first, firsts }, Lang::En) => {
                format!("{target}: {setting} {own} instead of {firsts} as {first}")
            }
            (UnequalBy::Setting { setting, own, first, firsts }, Lang::Zh) => {
                format!("{target}：{setting} 为 {own}，而 {first} 为 {firsts}")
            }
            (UnequalBy::FurtherFields { names }, Lang::En) => format!("{target}: further fields in the request: {}", names.join(", ")),
            (UnequalBy::FurtherFields { names }, Lang::Zh) => format!("{target}：请求中另有字段：{}", names.join("、")),
        }
    }
}

impl Worded for VoidReason {
    fn words(&self, lang: Lang) -> String {
        let (en, zh) = match self {
            VoidReason::Interrupted => ("interrupted", "被中断"),
            VoidReason::Vantage => ("this client's line failed", "本客户端线路故障"),
            VoidReason::ClientLimited => ("this client was the bottleneck", "瓶颈在本客户端"),
        };
        lang.say(en, zh).to_owned()
    }
}

impl Worded for Warning {
    fn words(&self, lang: Lang) -> String {
        match (self, lang) {
            (Warning::OftenLimited { target, limited, sent }, Lang::En) => {
                format!(
                    "{target}: {limited} of {sent} replies hit a limit of time or the cap on tokens, so its figures describe our limits"
                )
            }
            (Warning::OftenLimited { target, limited, sent }, Lang::Zh) => {
                format!("{target}：{sent} 个回复中有 {limited} 个触及时限或 token 上限，所得数据反映的是我们设的限制")
            }
            (Warning::ClientLimited(gate), _) => gate.words(lang),
            (Warning::ClockStepped, _) => lang
                .say(
                    "the wall clock was stepped during the run: marks of those moments fall back to user time",
                    "运行期间系统时钟被调整：这些时刻的标记退回到用户态时间",
                )
                .to_owned(),
            (Warning::ClockMoved(moves), _) => clock_moved(moves, lang),
            (Warning::Missed { rounds, planned }, _) => missed(rounds, *planned, lang),
            (Warning::Void { reason, blocks }, _) => void(*reason, blocks, lang),
            (Warning::Torn(1), Lang::En) => "1 line of the records could not be read and is set aside".into(),
            (Warning::Torn(n), Lang::En) => format!("{n} lines of the records could not be read and are set aside"),
            (Warning::Torn(n), Lang::Zh) => format!("记录中有 {n} 行无法读取，已搁置"),
        }
    }
}

/// Names the first blocks: who wants all finds them in the records.
fn void(reason: VoidReason, blocks: &[(u32, u32)], lang: Lang) -> String {
    let mut listed: Vec<String> = blocks.iter().take(8).map(|(round, block)| format!("{round}/{block}")).collect();
    listed.extend((8 < blocks.len()).then(|| "…".to_owned()));
    let (n, reason, listed) = (blocks.len(), reason.words(lang), listed.join(" "));
    match lang {
        Lang::En => format!("void for all targets, {reason}: {n} {} (round/block {listed})", if n == 1 { "block" } else { "blocks" }),
        Lang::Zh => format!("{reason}，{n} 个区组对所有对象作废（轮/区组 {listed}）"),
    }
}

fn clock_moved(moves: &[ClockMove], lang: Lang) -> String {
    let mut listed: Vec<String> = moves.iter().take(8).map(|each| moved(each, lang)).collect();
    listed.extend((8 < moves.len()).then(|| "…".to_owned()));
    let times = moves.len();
    match lang {
        Lang::En => format!(
            "the wall clock moved against the monotonic one {} ({}): it was set, or, where it moved forward, the machine may have slept; \
             latencies are not touched, times of the day follow the wall clock",
            if times == 1 { "once".to_owned() } else { format!("{times} times") },
            listed.join(", ")
        ),
        Lang::Zh => format!(
            "系统时钟相对单调时钟跳变了 {times} 次（{}）：时钟被调整过，向前跳的也可能是机器休眠；延迟不受影响，时段仍按系统时钟划分",
            listed.join("；")
        ),
    }
}

fn moved(each: &ClockMove, lang: Lang) -> String {
    let seconds = each.by_ns as f64 / 1e9;
    let by = match seconds.abs() {
        small if small < 60.0 => format!("{seconds:+.1} s"),
        medium if medium < 3600.0 => format!("{:+.1} min", seconds / 60.0),
        _ => format!("{:+.1} h", seconds / 3600.0),
    };
    let by = by.replace('-', "−");
    match lang {
        Lang::En => format!("{by} by round {}", each.round),
        Lang::Zh => format!("到第 {} 轮时 {by}", each.round),
    }
}

fn missed(rounds: &[u32], planned: u32, lang: Lang) -> String {
    let (n, mut listed) = (rounds.len(), spans(rounds));
    let more = 8 < listed.len();
    listed.truncate(8);
    listed.extend(more.then(|| "…".to_owned()));
    match lang {
        Lang::En => format!(
            "{n} of {planned} rounds {} missed, since this client could not begin {} in time (round {}); nothing stands in {} place",
            if n == 1 { "was" } else { "were" },
            if n == 1 { "it" } else { "them" },
            listed.join(", "),
            if n == 1 { "its" } else { "their" }
        ),
        Lang::Zh => format!("计划的 {planned} 轮中错过 {n} 轮，本客户端未能按时开始（第 {} 轮）；错过的轮次不作补测", listed.join("、")),
    }
}

/// Numbers in ascending order, neighbours drawn together: 3, 4, 5 and 9 are `3–5` and `9`.
pub(super) fn spans(numbers: &[u32]) -> Vec<String> {
    let neighbours = numbers.chunk_by(|a, b| *b == a.saturating_add(1));
    let span = |run: &[u32]| match run {
        [one] => one.to_string(),
        [first, .., last] => format!("{first}–{last}"),
        [] => String::new(),
    };
    neighbours.map(span).collect()
}

impl Worded for BasisBecause {
    fn words(&self, lang: Lang) -> String {
        match self {
            BasisBecause::Asked => lang.say("as asked", "按指定").into(),
            BasisBecause::Believed => lang.say("its reported usage can be believed", "其上报的用量可信").into(),
            BasisBecause::AllBelieved => lang
                .say(
                    "all report usage that can be believed, and all models are of one family",
                    "各对象上报的用量都可信，且模型同属一个家族",
                )
                .into(),
            BasisBecause::NotReported { why, without_text: false } => why.words(lang),
            BasisBecause::NotReported { why, without_text: true } => {
                format!("{}{}", why.words(lang), lang.say("; and the text was not kept", "；并且文本没有保存"))
            }
        }
    }
}

impl Worded for NotReported {
    fn words(&self, lang: Lang) -> String {
        match self {
            NotReported::NoGoodReply => lang.say("there is no good reply to count", "没有成功的回复可供计数").into(),
            NotReported::SeveralFamilies => lang.say("the models are of different families", "模型属于不同家族").into(),
            NotReported::UnknownFamilies => lang.say("not every model's family is known", "并非每个模型的家族都已知").into(),
            NotReported::Doubtful(targets) => {
                let names = lang.list(targets.iter().map(|target| target.as_str()));
                match (targets.len(), lang) {
                    (1, Lang::En) => format!("{names} reports no usage that can be believed throughout"),
                    (_, Lang::En) => format!("{names} report no usage that can be believed throughout"),
                    (_, Lang::Zh) => format!("{names} 上报的用量并非始终可信"),
                }
            }
        }
    }
}

impl Worded for Missing {
    fn words(&self, lang: Lang) -> String {
        match self {
            Missing::NoRequest => lang.say("no request", "没有请求").into(),
            Missing::NoGoodReply => lang.say("no good reply", "没有成功的回复").into(),
            Missing::FewerRequestsThan(n) => match lang {
                Lang::En => format!("fewer than {n} requests"),
                Lang::Zh => format!("请求不足 {n} 个"),
            },
            Missing::FewerValuesThan(n) => match lang {
                Lang::En => format!("fewer than {n} good replies with a value"),
                Lang::Zh => format!("有数值的成功回复不足 {n} 个"),
            },
            Missing::EveryReplyTooShort => lang.say("every reply is too short", "每个回复都太短").into(),
            Missing::Undefined(why) => why.words(lang),
            Missing::NoSuchMetric => lang.say("no such metric", "没有这项指标").into(),
        }
    }
}

impl Worded for Remark {
    fn words(&self, lang: Lang) -> String {
        match (self, lang) {
            (Remark::Outcome(outcome, n), Lang::En) => format!("{n} {}", outcome.name()),
            (Remark::Outcome(outcome, n), Lang::Zh) => format!("{n} 次 {}", outcome.name()),
            (Remark::Flag(flag, n), Lang::En) => format!("{n} {}", flag.name()),
            (Remark::Flag(flag, n), Lang::Zh) => format!("{n} 次 {}", flag.name()),
            (Remark::CountsDiffer { ratio, others }, Lang::En) => {
                format!("counts differ: {ratio:.2} tokens reported for each counted one, the others' {others:.2}")
            }
            (Remark::CountsDiffer { ratio, others }, Lang::Zh) => {
                format!("计数不一致：每数得 1 个 token 上报 {ratio:.2} 个，其他对象为 {others:.2} 个")
            }
            (Remark::QuotaBound, _) => {
                lang.say("quota-bound: over 5 % of requests were rate-limited", "受配额限制：超过 5 % 的请求被限流").into()
            }
            (Remark::Behind(n), Lang::En) => format!("{n} not sent, this client fell behind"),
            (Remark::Behind(n), Lang::Zh) => format!("{n} 个未发出，本客户端跟不上进度"),
            (Remark::OverBudget(n), Lang::En) => format!("{n} not sent and not charged, its daily budget was used up"),
            (Remark::OverBudget(n), Lang::Zh) => format!("{n} 个未发出也不计入，其当日预算已用完"),
            (Remark::HeldBack(n), Lang::En) => format!("{n} not sent and not charged, its pace or a Retry-After allowed none in time"),
            (Remark::HeldBack(n), Lang::Zh) => format!("{n} 个未发出也不计入，其限速或 Retry-After 不允许及时发出"),
            (Remark::Configuration(n, words), Lang::En) => format!("{n} not counted, the set-up is at fault: {words}"),
            (Remark::Configuration(n, words), Lang::Zh) => format!("{n} 个不计，配置有误：{words}"),
            (Remark::Few, _) => lang.say("fewer than five requests: too few for a figure", "请求不足五个：不足以给出数字").into(),
        }
    }
}

impl Worded for HeldRequests {
    fn words(&self, lang: Lang) -> String {
        let HeldRequests { target, held, sent, seconds } = self;
        let tenths = |seconds: f64| if seconds < 0.95 { format!("{seconds:.2}") } else { format!("{seconds:.1}") };
        let span = seconds.map(|(least, most)| (tenths(least), tenths(most)));
        let span = span.map(|(least, most)| if least == most { least } else { format!("{least}–{most}") });
        match lang {
            Lang::En => {
                let were = if *held == 1 { "was" } else { "were" };
                let span = span.map_or_else(String::new, |span| format!(" for {span} s"));
                format!(
                    "{held} of {sent} requests of {target} {were} held back{span} by its pace or a Retry-After, a wait that no time in the table holds"
                )
            }
            Lang::Zh => {
                let span = span.map_or_else(String::new, |span| format!("（{span} s）"));
                format!("{target} 的 {sent} 个请求中有 {held} 个因其限速或 Retry-After 推迟发出{span}，表中任何时间都不含这段等待")
            }
        }
    }
}

impl Worded for JoinError {
    fn words(&self, lang: Lang) -> String {
        if lang == Lang::En {
            return self.to_string();
        }
        match self {
            JoinError::NoRun => "没有指定运行".into(),
            JoinError::SimulatedAndReal { simulated, real } => format!("{simulated} 是模拟的，而 {real} 不是：一张表只能容纳一种"),
            JoinError::Plans { first, other } => format!("{first} 与 {other} 出自不同的计划（或同一计划的不同种子）：请各自成表"),
            JoinError::Places { first, here, other, there } => {
                format!("{first} 测自 {here}，{other} 测自 {there}：一张表只对应一个地点，请各自成表")
            }
            JoinError::LoadRun(run) => format!("{run} 是一次负载测试，请用 `photofinish ramp RUN` 读取"),
            JoinError::Twice(run) => format!("{run} 被指定了两次"),
        }
    }
}
