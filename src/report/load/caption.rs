//! Below everything: what marks mean, what casts doubt, and how it was made.

use super::LoadReading;
use super::grids::CLIENT;
use crate::analysis::load::{CompareBy, Crossover, Figure, RestsOn};
use crate::analysis::{Diagnosis, Families, Span};
use crate::record::{Offered, Spread, StageOrder, Until};
use crate::report::caption::{period, worth};
use crate::report::interval::explained_over;
use crate::report::words::calibration::calibrated;
use crate::report::words::load::warning;
use crate::report::words::{lasting, percent, rate};
use crate::report::{Digits, Lang, Row, Table, Worded, shown};
use std::collections::BTreeSet;

/// With more models than that their number is given instead of their names.
const MODELS_NAMED: usize = 4;

/// Legend, warnings and caption of the tables.
pub(super) fn foot(reading: &LoadReading<'_>, tables: &[Table]) -> Table {
    let (lang, table) = (reading.lang, reading.table);
    let mut caption = vec![extent(reading), offered(reading)];
    caption.push(window(lang).into());
    caption.push(figures(lang).into());
    caption.push(
        lang.say(
            "Figures and intervals: geometric mean of the passes, t over the passes. Levels of load are conditions of their own, never pooled \
             with each other or with interleaved rounds.",
            "数值与区间：各遍的几何平均，以及以遍为单位的 t 区间。各档负载自成条件，互不合并，也不与交错进行的轮次合并。",
        )
        .into(),
    );
    caption.extend(pairs(&table.crossovers, reading));
    caption.extend(provenance(reading));
    caption.extend(diagnosis(reading).map(|diagnosis| format!("{}{}", diagnosis.words(lang), lang.say(".", "。"))));
    if 3 <= table.design.passes {
        caption.push(worth(lang).into());
    }
    caption.extend(calibrated(reading.manifest, lang));
    caption.push(made_by(reading));
    let mut legend = marks(reading);
    legend.extend(ranges(tables.iter().flat_map(|table| &table.rows), reading));
    legend.extend(without_range(reading));
    Table { lang, legend, warnings: warnings(reading), caption, ..Table::default() }
}

/// What this client says of itself, over all cells.
pub(super) fn diagnosis(reading: &LoadReading<'_>) -> Option<Diagnosis> {
    Diagnosis::over(reading.table.stages.iter().flat_map(|stage| &stage.cells).filter_map(|cell| cell.lag.as_ref()))
}

pub(super) fn warnings(reading: &LoadReading<'_>) -> Vec<String> {
    let names = reading.names();
    reading.table.warnings.iter().map(|each| warning(each, &names, reading.lang)).collect()
}

/// The meaning of marks and of the names of failures that occur.
pub(super) fn marks(reading: &LoadReading<'_>) -> Vec<String> {
    let (lang, stages) = (reading.lang, &reading.table.stages);
    let mut lines = Vec::new();
    if stages.iter().any(|stage| !stage.client.is_empty()) {
        let words = lang.say(
            "this client was at its limit: the figures may be its own, and nothing is called of the stage",
            "本客户端已到极限：数值可能反映它自己，该档不作判定",
        );
        lines.push(format!("{CLIENT} {words}"));
    }
    let kinds: BTreeSet<_> = stages.iter().flat_map(|stage| &stage.counts.failed).filter(|(_, n)| 0 < *n).map(|(kind, _)| *kind).collect();
    lines.extend(kinds.into_iter().map(|kind| format!("{}{}{}", kind.name(), lang.say(": ", "："), kind.words(lang))));
    lines
}

/// How much, when, where, within which limits.
pub(super) fn extent(reading: &LoadReading<'_>) -> String {
    let (lang, table, manifest) = (reading.lang, reading.table, reading.manifest);
    let sum = |of: fn(&crate::analysis::load::StageCounts) -> usize| table.stages.iter().map(|stage| of(&stage.counts)).sum::<usize>();
    let (sent, good) = (sum(|counts| counts.sent), sum(|counts| counts.good));
    let failed = rate((sent - good.min(sent)) as f64 / sent.max(1) as f64);
    let (stages, passes) = (table.design.stages.len(), table.design.passes as usize * table.runs.len());
    let mut parts = match lang {
        Lang::En => vec![
            format!("n = {sent} requests, {failed} failed"),
            format!("{} × {}", plural(stages, "stage", "stages"), plural(passes, "pass", "passes")),
        ],
        Lang::Zh => vec![format!("n = {sent} 个请求，失败 {failed}"), format!("{stages} 档 × {passes} 遍")],
    };
    let walls = || reading.cells.iter().map(|cell| cell.wall);
    parts.extend(walls().min().zip(walls().max()).map(|(from, to)| period(Span { from, to }, lang)));
    parts.extend(manifest.vantage.as_ref().map(|vantage| match lang {
        Lang::En => format!("from {vantage}"),
        Lang::Zh => format!("测自 {vantage}"),
    }));
    let [first, idle, total] = [manifest.limits.first_token_ms, manifest.limits.idle_ms, manifest.limits.total_ms]
        .map(|ms| shown(ms as f64 / 1e3 * table.scale, Digits::Fine));
    parts.push(match lang {
        Lang::En => format!("limits: first token {first} s, silence {idle} s, whole reply T = {total} s"),
        Lang::Zh => format!("时限：首 token {first} 秒，静默 {idle} 秒，整个回复 T = {total} 秒"),
    });
    parts.join(" · ")
}

/// What the stages offered, in which order, and when they ended.
pub(super) fn offered(reading: &LoadReading<'_>) -> String {
    let (lang, design) = (reading.lang, &reading.table.design);
    let spread = design.stages.iter().find_map(|offered| match offered {
        Offered::Arrivals { spread, .. } => Some(*spread),
        Offered::Users { .. } => None,
    });
    let mut parts = vec![match spread {
        None => lang
            .say(
                "Closed loop: each of so many users asks again as soon as its reply has ended; latency from the first write",
                "闭环：每个用户在回复结束后立即再次提问；时延自请求开始写出起算",
            )
            .to_owned(),
        Some(spread) => open(spread, lang),
    }];
    parts.push(match (design.until, lang) {
        (Until::Requests { requests }, Lang::En) => format!("a stage is {requests} requests"),
        (Until::Requests { requests }, Lang::Zh) => format!("每档 {requests} 个请求"),
        (Until::PerUser { each, at_least }, Lang::En) => format!("a stage is {each} requests a user, at least {at_least}"),
        (Until::PerUser { each, at_least }, Lang::Zh) => format!("每档每个用户 {each} 个请求，至少 {at_least} 个"),
        (Until::Lasting { ms }, Lang::En) => format!("a stage sends for {}", lasting(ms as f64 / 1e3, lang)),
        (Until::Lasting { ms }, Lang::Zh) => format!("每档发送 {}", lasting(ms as f64 / 1e3, lang)),
    });
    parts.push(match design.order {
        StageOrder::Ascending => lang.say("stages from the lightest to the heaviest", "各档由轻到重").to_owned(),
        StageOrder::Shuffled => lang.say("stages in a new random order in each pass", "每遍各档的次序重新随机").to_owned(),
    });
    let rest = shown(design.rest_ms as f64 / 1e3, Digits::Fine);
    parts.push(match lang {
        Lang::En => format!("rest {rest} s"),
        Lang::Zh => format!("档间休息 {rest} 秒"),
    });
    parts.push(match design.cold {
        true => lang.say("a new connection for each request", "每个请求新建连接").to_owned(),
        false => lang.say("connections opened before the stage", "连接在各档开始之前建好").to_owned(),
    });
    format!("{}{}", parts.join(lang.say("; ", "；")), lang.say(".", "。"))
}

fn open(spread: Spread, lang: Lang) -> String {
    let spread = spread.words(lang);
    match lang {
        Lang::En => format!(
            "Open loop: requests arrive ({spread}) whether or not earlier ones have ended; latency from the scheduled arrival, so that waiting for \
             a turn counts"
        ),
        Lang::Zh => format!("开环：请求按计划到达（{spread}），不等先前的结束；时延自计划的到达时刻起算，排队等待也算在内"),
    }
}

/// Where rates are counted.
const fn window(lang: Lang) -> &'static str {
    lang.say(
        "Rates are counted in the window from when all users are running to when the first has nothing more to do (arrivals: from the first due \
         to the last due); a reply across its edge counts by the share of its text inside.",
        "速率在统计窗口内计数：从全部用户都已开始到第一个用户无事可做（按到达率测时，从首个到最后一个计划到达时刻）；跨越窗口边缘的回复按其文本落在窗口内的份额计入。",
    )
}

/// Over what figures are taken.
const fn figures(lang: Lang) -> &'static str {
    lang.say(
        "p50, p95 and p99 are over all requests sent, and a failure never arrives; means and speeds of a stream (medians) are over good replies. \
         stalled: good replies with a silence longer than the plan's stall; send lag: how late requests left this client, p99, \
         without the first of each user.",
        "p50、p95、p99 取自全部已发请求，失败视为永远未达到；平均值与单流速度（中位数）取自成功的回复。停顿：其间静默超过计划所定时长的成功回复；发送滞后：请求离开本客户端晚了多少，取 p99，不含每个用户的首个请求。",
    )
}

/// How two targets are compared.
fn pairs(crossovers: &[Crossover], reading: &LoadReading<'_>) -> Option<String> {
    let lang = reading.lang;
    let family = crossovers.first()?.family;
    let charge = shown(reading.table.charge_ms / 1e3, Digits::Three);
    let by_speed = crossovers.iter().any(|of| of.by == CompareBy::ContentSpeed);
    let confidence = percent(reading.table.confidence.share());
    let words = match lang {
        Lang::En => format!(
            "Against each other: time of the first over that of the second, below 1 the first is faster; latency charged (a failure counts as \
             T = {charge} s){}; {confidence} t intervals over the passes, p by Holm over {family} comparisons.",
            if by_speed { ", per token the inverse of the answer's speed" } else { "" }
        ),
        Lang::Zh => format!(
            "两两比较：前者用时与后者之比，小于 1 即前者更快；时延中失败按 T = {charge} 秒计{}；以遍为单位的 {confidence} t 区间，p 值按 Holm 法对 {family} 次比较校正。",
            if by_speed { "，每 token 用时为回答速度的倒数" } else { "" }
        ),
    };
    let families = match Families::of(&reading.manifest.targets) {
        Families::One => "",
        Families::Several => lang.say(" Different models: speed only.", "模型不同：只比速度。"),
        Families::Unknown => lang.say(
            " Perhaps different models (not every family is known): speed only.",
            "模型可能不同（并非每个模型的家族都已知）：只比速度。",
        ),
    };
    Some(format!("{words}{families}"))
}

/// Models, prompts, token basis, simulation.
pub(super) fn provenance(reading: &LoadReading<'_>) -> Vec<String> {
    let (lang, table, manifest) = (reading.lang, reading.table, reading.manifest);
    let models: BTreeSet<&str> = manifest.targets.iter().map(|target| target.model.as_str()).collect();
    let models = match (models.len(), lang) {
        (0..=MODELS_NAMED, _) => lang.list(models),
        (n, Lang::En) => format!("{n} models"),
        (n, Lang::Zh) => format!("{n} 个"),
    };
    let (basis, because, dataset) = (reading.basis(lang), table.because.words(lang), &manifest.dataset.name);
    let prompts = manifest.design.prompts as usize;
    let mut lines = vec![match lang {
        Lang::En => {
            format!("Models: {models}. Prompts: {} of {dataset}. Token basis: {basis} ({because}).", plural(prompts, "prompt", "prompts"))
        }
        Lang::Zh => format!("模型：{models}。提示词：{dataset} 中的 {prompts} 个。token 口径：{basis}（{because}）。"),
    }];
    if let Some(scale) = manifest.simulated.as_ref().map(|simulated| simulated.scale).filter(|scale| 1.0 < *scale) {
        lines.push(match lang {
            Lang::En => format!("Simulated at {scale}×: each millisecond of this machine's own delay counts as {scale} ms."),
            Lang::Zh => format!("以 {scale} 倍速模拟：本机自身每 1 毫秒的延迟算作 {scale} 毫秒。"),
        });
    }
    let unequal = lang.say("Unequal: ", "条件不一致：");
    lines.extend(manifest.differences.iter().map(|difference| format!("{unequal}{}", difference.words(lang))));
    lines
}

/// Tool, seed, runs.
pub(super) fn made_by(reading: &LoadReading<'_>) -> String {
    let (lang, manifest, runs) = (reading.lang, reading.manifest, &reading.table.runs);
    let tool = format!("{} {}", manifest.tool.name, manifest.tool.version);
    let (seed, names) = (manifest.seed, lang.list(runs));
    match lang {
        Lang::En => format!("{tool} · seed {seed} · {} {names}", if runs.len() < 2 { "run" } else { "runs" }),
        Lang::Zh => format!("{tool} · 种子 {seed} · 运行 {names}"),
    }
}

pub(super) fn plural(n: usize, one: &str, many: &str) -> String {
    format!("{n} {}", if n == 1 { one } else { many })
}

/// What the intervals of rows mean.
pub(super) fn ranges<'a>(rows: impl Iterator<Item = &'a Row>, reading: &LoadReading<'_>) -> Option<String> {
    explained_over(rows, reading.table.confidence, (reading.lang.say("passes", "遍"), reading.lang))
}

/// Why some figures have no range, where there are such.
pub(super) fn without_range(reading: &LoadReading<'_>) -> Option<String> {
    let pooled = |figure: &Figure| figure.rests_on == RestsOn::Pooled && figure.point.is_ok();
    let any = reading.table.stages.iter().any(|stage| stage.figures.values().any(pooled));
    (any && 1 < reading.table.design.passes).then(|| {
        reading
            .lang
            .say(
                "A figure without a range is of all passes together, where single ones have too few requests for it, or was zero or never \
                 reached in some pass.",
                "没有区间的数值：单独一遍的请求太少，因而由各遍合并得出；或者有的一遍为零、未达到。",
            )
            .to_owned()
    })
}
