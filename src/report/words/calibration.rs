//! What a calibration is, and how a run cites it.

use super::{lasting, percent};
use crate::record::{
    Calibration, CalibrationLevel, CalibrationLoad, CitedCalibration, CitedLevel, LoadDesign, Manifest, Offered, Scheduling, TransportKind,
};
use crate::report::{Digits, Lang, shown};

/// With fewer values a 99th percentile is the largest of them.
const FEW: u64 = 100;
/// From this share of a processor on, the client had none left.
const BUSY: f64 = 0.95;

/// A hypervisor that does not say its name.
const UNNAMED: &str = "unnamed";

/// The client of a level, in the words of flags.
pub(in crate::report) fn client(load: &CalibrationLoad) -> String {
    let transport = if load.transport == TransportKind::Kernel { "kernel" } else { "reqwest" };
    format!("{transport}{}{}", if load.http2 { " h2" } else { "" }, if load.tls { " TLS" } else { "" })
}

/// What the figures are, and what they are not.
pub(in crate::report) fn meaning(lang: Lang) -> Vec<String> {
    let lines = [
        (
            "These are errors of this client alone, on loopback: it is held against a simulator in a process of its own, which logs each of its \
             writes, and both read one clock. They are not the network's, nor those of a network card that gathers packets before it \
             interrupts. Between real providers the noise of one round is thousands of times larger.",
            "这些只是本客户端在本机回环上的误差：模拟器在独立进程中运行，逐次记录自己的写入时刻，双方读同一个时钟，再与之对照。其中不含网络的误差，也不含\
             网卡合并中断的误差。在真实服务商之间，单独一轮的噪声是它的数千倍。",
        ),
        (
            "True are: for TTFT the time from this client's first write to the simulator's write of the first token; for a gap the time \
             between two writes; for speed the tokens after the first write over the time from it to the last.",
            "真值：首字取从本客户端第一次写入到模拟器写出第一个 token 的时间；间隔取两次写入之间的时间；速度取第一次写入之后的 token 数除以从第一次\
             到最后一次写入的时间。",
        ),
    ];
    lines.iter().map(|(en, zh)| lang.say(en, zh).to_owned()).collect()
}

/// What marks and columns mean.
pub(in crate::report) fn legend(calibration: &Calibration, lang: Lang) -> Vec<String> {
    let levels = &calibration.levels;
    let mut lines = vec![
        lang.say(
            "claims: a text's exact time lies within the simulator's write of it, its interval overlaps that write, to the microsecond; wrong \
             is what excludes it",
            "时刻声明：一段文本的精确时刻应落在模拟器写出它的那次调用之内，其区间应与之重叠（容差 1 µs）；与之不容的计为错误",
        )
        .to_owned(),
        lang.say(
            "outcomes: of these requests and of some to systems that fail in ways that the log knows",
            "结果：既看这些请求，也看发往按已知方式出错的系统的若干请求",
        )
        .to_owned(),
        lang.say(
            "lag: from the kernel's receive time to this client's return from the read; a client that takes its own times has it in each",
            "延迟：从内核的接收时刻到本客户端读取返回；自行计时的客户端，每个时刻都含有它",
        )
        .to_owned(),
    ];
    let some = |of: &dyn Fn(&CalibrationLevel) -> bool| levels.iter().any(of);
    if some(&|level| level.load.transport == TransportKind::Reqwest) {
        lines.push(
            lang.say(
                "reqwest: its times are user-space ones and intervals, none is exact; its connections were opened before, since connecting \
                 lies within its times",
                "reqwest：时刻取自用户态，都是区间，没有精确的；连接事先建好，因为它的时间含有建立连接的过程",
            )
            .to_owned(),
        );
    }
    if some(&|level| level.load.new_connections) {
        lines.push(
            lang.say(
                "kernel: all streams of a level begin at once, and each request opens a connection of its own",
                "kernel：一档中的所有流同时开始，每个请求新建连接",
            )
            .to_owned(),
        );
    }
    if some(&|level| level.errors.ttft_us.is_some_and(|ttft| ttft.n < FEW)) {
        lines.push(lang.say("p99 of fewer than 100 values is the largest of them", "不足 100 个值时，p99 就是其中最大的").to_owned());
    }
    let untold: u64 = levels.iter().map(|level| level.errors.gaps_untold).sum();
    if 0 < untold {
        lines.push(match lang {
            Lang::En => format!("{untold} gaps are not told: both texts came with one read, and their distance is not known"),
            Lang::Zh => format!("{untold} 个间隔不予给出：两段文本由同一次读取带来，相距多久不得而知"),
        });
    }
    lines
}

/// What casts doubt on it.
pub(in crate::report) fn warnings(calibration: &Calibration, lang: Lang) -> Vec<String> {
    let mut lines = Vec::new();
    for level in &calibration.levels {
        let (errors, streams) = (&level.errors, level.load.streams);
        let name = match lang {
            Lang::En => format!("{} at {streams} streams: ", client(&level.load)),
            Lang::Zh => format!("{}，{streams} 个并发流：", client(&level.load)),
        };
        let mut tell = |words: String| lines.push(format!("{name}{words}"));
        if 0 < errors.claims.wrong {
            let (wrong, checked, late) = (errors.claims.wrong, errors.claims.checked, errors.claims.late);
            tell(match lang {
                Lang::En => format!(
                    "{wrong} of {checked} claims exclude the truth; {late} of them name a time after the write had returned, as a segment bears \
                     that the simulator's kernel held back since this client was late to acknowledge"
                ),
                Lang::Zh => format!(
                    "{checked} 个时刻声明中有 {wrong} 个与真值不容；其中 {late} 个晚于写入返回的时刻：本客户端迟迟不确认时，模拟器一侧的内核会扣住后面的\
                     报文段，其到达时刻便是如此"
                ),
            });
        }
        for (how, times) in &errors.outcomes.wrong_as {
            tell(match lang {
                Lang::En => format!("{times} × judged {how}"),
                Lang::Zh => format!("误判 {times} 次（判为, 实为）：{how}"),
            });
        }
        if errors.compared < errors.requests {
            let missing = errors.requests - errors.compared;
            tell(match lang {
                Lang::En => format!("{missing} of {} replies could not be compared", errors.requests),
                Lang::Zh => format!("{} 个回复中有 {missing} 个无法对照", errors.requests),
            });
        }
        if 0 < errors.unmatched {
            tell(match lang {
                Lang::En => format!("{} requests are missing in the simulator's log", errors.unmatched),
                Lang::Zh => format!("模拟器的日志中缺少 {} 个请求", errors.unmatched),
            });
        }
        if let Some(share) = level.cost.cpu_share.filter(|share| BUSY <= *share) {
            tell(match lang {
                Lang::En => format!("the measuring thread used {} of a processor: it had none left", percent(share)),
                Lang::Zh => format!("测量线程用掉了一个处理器的 {}，已无余量", percent(share)),
            });
        }
    }
    lines
}

/// Where it was made, by what, when.
pub(in crate::report) fn machine(calibration: &Calibration, lang: Lang) -> String {
    let machine = &calibration.machine;
    let processors = machine.processors.as_ref().map(|processors| match lang {
        Lang::En => format!("processors {processors}"),
        Lang::Zh => format!("处理器 {processors}"),
    });
    let guest = machine.hypervisor.as_ref().map(|maker| match (maker.as_str(), lang) {
        (UNNAMED, _) => lang.say("a virtual machine", "虚拟机").to_owned(),
        (_, Lang::En) => format!("a virtual machine ({maker})"),
        (_, Lang::Zh) => format!("虚拟机（{maker}）"),
    });
    let parts = [
        machine.cpu.clone(),
        processors,
        Some(format!("{} {}", machine.os, machine.arch)),
        guest,
        Some(format!("{} {}", calibration.tool.name, calibration.tool.version)),
        Some(calibration.created.strftime("%Y-%m-%d %H:%M UTC").to_string()),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// How both processes ran, and what else the machine did.
pub(in crate::report) fn conditions(calibration: &Calibration, lang: Lang) -> String {
    let (client, simulator) = (scheduled(&calibration.client, lang), scheduled(&calibration.simulator, lang));
    let load = calibration.load_average.map(|load| shown(load, Digits::Tenths));
    let load = match (load, lang) {
        (None, _) => String::new(),
        (Some(load), Lang::En) => format!("; load average {load} when it began"),
        (Some(load), Lang::Zh) => format!("；开始时系统负载 {load}"),
    };
    let behaviour = &calibration.behaviour;
    match lang {
        Lang::En => format!("Client: {client}; simulator: {simulator}, {behaviour}{load}."),
        Lang::Zh => format!("客户端：{client}；模拟器：{simulator}，{behaviour}{load}。"),
    }
}

fn scheduled(scheduling: &Scheduling, lang: Lang) -> String {
    let priority = match (scheduling.policy.as_deref(), scheduling.priority) {
        (Some(policy), Some(priority)) => match lang {
            Lang::En => format!("real-time priority {priority} ({policy})"),
            Lang::Zh => format!("实时优先级 {priority}（{policy}）"),
        },
        (Some("other"), None) => lang.say("ordinary priority", "普通优先级").to_owned(),
        (Some(policy), None) => policy.to_owned(),
        (None, _) => lang.say("priority not known", "优先级不明").to_owned(),
    };
    match (&scheduling.processors, lang) {
        (Some(processors), Lang::En) => format!("{priority}, on processors {processors}"),
        (Some(processors), Lang::Zh) => format!("{priority}，处理器 {processors}"),
        (None, _) => priority,
    }
}

/// The calibration that a run cites, for each client that its targets were read by. No lines where it cites none.
pub(in crate::report) fn calibrated(manifest: &Manifest, lang: Lang) -> Vec<String> {
    let Some(cited) = &manifest.calibration else { return Vec::new() };
    let streams = at_once(manifest);
    let mut clients: Vec<(TransportKind, bool, bool)> = Vec::new();
    for target in &manifest.targets {
        let client = (target.transport, target.http2, target.base_url.starts_with("https:"));
        if !clients.contains(&client) {
            clients.push(client);
        }
    }
    let levels: Vec<&CitedLevel> =
        clients.into_iter().filter_map(|(transport, http2, tls)| cited.level(streams, transport, http2, tls)).collect();
    let mut told: Vec<&CitedLevel> = Vec::new();
    for level in levels {
        if !told.contains(&level) {
            told.push(level);
        }
    }
    if told.is_empty() {
        return Vec::new();
    }
    let several = 1 < told.len();
    let figures = lang.list(told.into_iter().map(|level| figure(level, several, lang)));
    let age = age(cited, manifest.created, lang);
    let by = match (&cited.by_version, lang) {
        (None, _) => String::new(),
        (Some(version), Lang::En) => format!(", by version {version}"),
        (Some(version), Lang::Zh) => format!("，由版本 {version} 完成"),
    };
    vec![match lang {
        Lang::En => format!("Calibrated {age} on this machine{by}: {figures}."),
        Lang::Zh => format!("{age}在本机校准{by}：{figures}。"),
    }]
}

fn figure(level: &CitedLevel, several: bool, lang: Lang) -> String {
    let error = shown(level.ttft_p99_us, Digits::Three);
    let streams = level.load.streams;
    let client = client(&level.load);
    // The ordinary client needs no name, unless there are others.
    let named = several || client != "kernel";
    let plural = if streams == 1 { "" } else { "s" };
    match (named, lang) {
        (false, Lang::En) => format!("TTFT ±{error} µs (p99) at {streams} stream{plural}"),
        (true, Lang::En) => format!("TTFT ±{error} µs (p99) at {streams} stream{plural} by {client}"),
        (false, Lang::Zh) => format!("{streams} 个并发流时首字误差 ±{error} µs（p99）"),
        (true, Lang::Zh) => format!("{client} 在 {streams} 个并发流时首字误差 ±{error} µs（p99）"),
    }
}

fn age(cited: &CitedCalibration, created: jiff::Timestamp, lang: Lang) -> String {
    let seconds = created.duration_since(cited.created).as_secs().max(0);
    if seconds < 60 {
        return lang.say("just before", "运行前刚刚").to_owned();
    }
    let age = lasting(seconds as f64, lang);
    match lang {
        Lang::En => format!("{age} before"),
        Lang::Zh => format!("运行前 {age}"),
    }
}

/// How many streams a run had open at once at most, as far as the plan says it.
fn at_once(manifest: &Manifest) -> u32 {
    match &manifest.load {
        Some(design) => design.stages.iter().map(|stage| of_stage(stage, design)).max().unwrap_or(1),
        None if manifest.design.at_once => manifest.targets.len() as u32,
        None => 1,
    }
}

fn of_stage(stage: &Offered, design: &LoadDesign) -> u32 {
    match stage {
        Offered::Users { users } => *users,
        Offered::Arrivals { .. } => design.max_in_flight.unwrap_or(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example's run, which cites a calibration of so many streams made so long before.
    fn citing(levels: &[(u32, TransportKind, bool, f64)], before_s: i64, by_version: Option<&str>) -> Manifest {
        let mut manifest: Manifest = serde_json::from_str(include_str!("../../../results/example/manifest.json")).unwrap();
        let level = |&(streams, transport, tls, ttft_p99_us): &(u32, TransportKind, bool, f64)| CitedLevel {
            load: CalibrationLoad { streams, transport, http2: false, tls, new_connections: true },
            ttft_p99_us,
            requests: 600,
        };
        manifest.calibration = Some(CitedCalibration {
            file: "calibrations/20261124T101500Z.json".into(),
            created: manifest.created - jiff::SignedDuration::from_secs(before_s),
            by_version: by_version.map(str::to_owned),
            levels: levels.iter().map(level).collect(),
        });
        manifest
    }

    #[test]
    fn a_run_cites_its_calibration_in_one_line() {
        use TransportKind::{Kernel, Reqwest};
        let levels = [(1, Kernel, false, 9.0), (300, Kernel, false, 14.2), (300, Reqwest, false, 812.0)];
        let mut manifest = citing(&levels, 7200, None);
        assert_eq!(calibrated(&manifest, Lang::En), ["Calibrated 2 h before on this machine: TTFT ±14.2 µs (p99) at 300 streams."]);
        assert_eq!(calibrated(&manifest, Lang::Zh), ["运行前 2 小时在本机校准：300 个并发流时首字误差 ±14.2 µs（p99）。"]);
        manifest.targets[1].transport = Reqwest;
        assert_eq!(
            calibrated(&manifest, Lang::En),
            [
                "Calibrated 2 h before on this machine: TTFT ±14.2 µs (p99) at 300 streams by kernel, TTFT ±812 µs (p99) at 300 streams by reqwest."
            ]
        );
        manifest.targets.truncate(1);
        assert_eq!(calibrated(&manifest, Lang::En), ["Calibrated 2 h before on this machine: TTFT ±9.00 µs (p99) at 1 stream."]);
        manifest.targets[0].http2 = true;
        assert_eq!(calibrated(&manifest, Lang::En), [""; 0], "HTTP/2 was not calibrated");
        assert_eq!(calibrated(&Manifest { calibration: None, ..manifest }, Lang::En), [""; 0]);
    }

    #[test]
    fn another_version_and_the_other_kind_of_connection_are_named() {
        let manifest = citing(&[(300, TransportKind::Kernel, true, 20.0)], 30, Some("0.0.9"));
        assert_eq!(
            calibrated(&manifest, Lang::En),
            ["Calibrated just before on this machine, by version 0.0.9: TTFT ±20.0 µs (p99) at 300 streams by kernel TLS."]
        );
    }
}
