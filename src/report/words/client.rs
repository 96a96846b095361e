//! What this client says of itself, and what its gate lets nobody say.

use super::{Worded, percent};
use crate::analysis::{Bottleneck, ClientGate, ClientLimit, Diagnosis};
use crate::report::{Digits, Lang, shown};

impl Worded for Bottleneck {
    fn words(&self, lang: Lang) -> String {
        let Bottleneck { limited, of } = self;
        match lang {
            Lang::En => format!("this client was the bottleneck in {limited} of {of} rounds"),
            Lang::Zh => format!("{of} 轮中有 {limited} 轮的瓶颈在本客户端"),
        }
    }
}

/// In place of a word.
pub(in crate::report) fn withheld(bottleneck: &Bottleneck, lang: Lang) -> String {
    format!("{}{}", lang.say("withheld: ", "不下结论："), bottleneck.words(lang))
}

impl Worded for ClientLimit {
    fn words(&self, lang: Lang) -> String {
        let three = |ms: f64| shown(ms, Digits::Three);
        match (self, lang) {
            (ClientLimit::Lag { p99_ms }, Lang::En) => format!("its measuring thread lagged by {} ms (p99)", three(*p99_ms)),
            (ClientLimit::Lag { p99_ms }, Lang::Zh) => format!("测量线程滞后 {} ms（p99）", three(*p99_ms)),
            (ClientLimit::ReadLag { p99_ms }, Lang::En) => format!("what had arrived waited {} ms to be read (p99)", three(*p99_ms)),
            (ClientLimit::ReadLag { p99_ms }, Lang::Zh) => format!("已到达的数据等待读取 {} ms（p99）", three(*p99_ms)),
            (ClientLimit::SendLag { p99_ms }, Lang::En) => format!("requests left {} ms late (p99)", three(*p99_ms)),
            (ClientLimit::SendLag { p99_ms }, Lang::Zh) => format!("请求晚发 {} ms（p99）", three(*p99_ms)),
            (ClientLimit::NotSent { behind, of }, Lang::En) => format!("{behind} of {of} requests were not sent"),
            (ClientLimit::NotSent { behind, of }, Lang::Zh) => format!("{of} 个请求中有 {behind} 个未能发出"),
        }
    }
}

impl Worded for ClientGate {
    fn words(&self, lang: Lang) -> String {
        let (rounds, many) = (limited_rounds(self, lang), self.limited.len() != 1);
        let why: Vec<String> = self.because().iter().map(|why| why.words(lang)).collect();
        let why = why.join(lang.say(", ", "，"));
        match (self.bottleneck(), lang) {
            (Some(bottleneck), Lang::En) => format!(
                "{} ({rounds}: {why}), so the figures may be its own: nothing is left out, and no verdict, rank, swing or check is given",
                bottleneck.words(lang)
            ),
            (Some(bottleneck), Lang::Zh) => format!(
                "{}（{rounds}：{why}），数值可能反映本客户端而非服务商：各轮都不剔除，也不给出结论、名次、波动与核对",
                bottleneck.words(lang)
            ),
            (None, Lang::En) => {
                format!("{rounds}: client-limited ({why}), so {} out for all targets", if many { "they are left" } else { "it is left" })
            }
            (None, Lang::Zh) => format!("{rounds}受限于本客户端（{why}），对所有对象都不计"),
        }
    }
}

/// `rounds 3–5, 9`; where several runs are read together, of which run.
fn limited_rounds(gate: &ClientGate, lang: Lang) -> String {
    let of_run = |run: usize| {
        let rounds: Vec<u32> = gate.limited.iter().filter(|round| round.run == run).map(|round| round.round).collect();
        let mut listed = super::readings::spans(&rounds);
        let more = 8 < listed.len();
        listed.truncate(8);
        listed.extend(more.then(|| "…".to_owned()));
        let (list, number) = (listed.join(lang.say(", ", "、")), run + 1);
        match (rounds.len(), gate.runs, lang) {
            (0, ..) => None,
            (1, ..=1, Lang::En) => Some(format!("round {list}")),
            (_, ..=1, Lang::En) => Some(format!("rounds {list}")),
            (_, ..=1, Lang::Zh) => Some(format!("第 {list} 轮")),
            (1, _, Lang::En) => Some(format!("round {list} of run {number}")),
            (_, _, Lang::En) => Some(format!("rounds {list} of run {number}")),
            (_, _, Lang::Zh) => Some(format!("第 {number} 个运行的第 {list} 轮")),
        }
    };
    (0..gate.runs.max(1)).filter_map(of_run).collect::<Vec<_>>().join(lang.say("; ", "；"))
}

impl Worded for Diagnosis {
    fn words(&self, lang: Lang) -> String {
        let mut parts = Vec::new();
        parts.extend(self.read_p50_us.zip(self.read_p99_us).map(|(p50, p99)| {
            let (p50, p99) = (short(p50), short(p99));
            match lang {
                Lang::En => format!("kernel to user p50 {p50}, p99 {p99}"),
                Lang::Zh => format!("内核到用户态 p50 {p50}、p99 {p99}"),
            }
        }));
        parts.extend(self.intervals().map(|(all, end)| {
            let (all, end) = (percent(all), percent(end));
            match lang {
                Lang::En => format!("{all} of texts are intervals ({end} ends of stream)"),
                Lang::Zh => format!("{all} 的文本只有到达区间（{end} 在流的结尾）"),
            }
        }));
        parts.extend(self.send_p99_us.map(|p99| match lang {
            Lang::En => format!("sent p99 {} late", short(p99)),
            Lang::Zh => format!("发出滞后 p99 {}", short(p99)),
        }));
        let runtime = short(self.runtime_p99_us);
        parts.push(match lang {
            Lang::En => format!("thread p99 {runtime} late"),
            Lang::Zh => format!("线程滞后 p99 {runtime}"),
        });
        parts.extend(self.cpu_share.map(|share| match lang {
            Lang::En => format!("{} of a processor", percent(share)),
            Lang::Zh => format!("占用一个处理器的 {}", percent(share)),
        }));
        format!("{}{}", lang.say("This client: ", "本客户端："), parts.join(lang.say("; ", "；")))
    }
}

/// `21 µs`, `2.68 ms`.
fn short(us: f64) -> String {
    if us < 999.5 { format!("{us:.0} µs") } else { format!("{} ms", shown(us / 1e3, Digits::Three)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::LimitedRound;

    fn gate(runs: usize, rounds: &[(usize, u32)], of: usize, closed: bool) -> ClientGate {
        let because = vec![ClientLimit::Lag { p99_ms: 31.0 }];
        let limited = rounds.iter().map(|(run, round)| LimitedRound { run: *run, round: *round, because: because.clone() }).collect();
        ClientGate { runs, limited, of, closed }
    }

    #[test]
    fn rounds_are_listed_with_what_becomes_of_them() {
        let open = gate(1, &[(0, 3), (0, 4), (0, 5)], 12, false);
        let en = "rounds 3–5: client-limited (its measuring thread lagged by 31 ms (p99)), so they are left out for all targets";
        assert_eq!(open.words(Lang::En), en.replace("31 ms", "31.0 ms"));
        assert_eq!(open.words(Lang::Zh), "第 3–5 轮受限于本客户端（测量线程滞后 31.0 ms（p99）），对所有对象都不计");
        let closed = gate(2, &[(0, 3), (1, 1)], 4, true);
        let words = closed.words(Lang::En);
        assert!(words.starts_with("this client was the bottleneck in 2 of 4 rounds (round 3 of run 1; round 1 of run 2: "), "{words}");
        assert!(words.ends_with("no verdict, rank, swing or check is given"), "{words}");
        assert_eq!(withheld(&closed.bottleneck().unwrap(), Lang::Zh), "不下结论：4 轮中有 2 轮的瓶颈在本客户端");
    }

    #[test]
    fn what_no_record_tells_is_left_out_of_the_line() {
        let old = Diagnosis { of: 6, read_p50_us: Some(21.2), read_p99_us: Some(2681.0), runtime_p99_us: 90.0, ..Diagnosis::default() };
        assert_eq!(old.words(Lang::En), "This client: kernel to user p50 21 µs, p99 2.68 ms; thread p99 90 µs late");
        let told = Diagnosis {
            texts: Some(1000),
            interval_end: Some(15),
            interval_merged: Some(1),
            send_p99_us: Some(180.0),
            cpu_share: Some(0.31),
            ..Diagnosis { read_p50_us: None, ..old }
        };
        assert_eq!(
            told.words(Lang::En),
            "This client: 1.6 % of texts are intervals (1.5 % ends of stream); sent p99 180 µs late; thread p99 90 µs late; 31 % of a processor"
        );
        assert_eq!(
            told.words(Lang::Zh),
            "本客户端：1.6 % 的文本只有到达区间（1.5 % 在流的结尾）；发出滞后 p99 180 µs；线程滞后 p99 90 µs；占用一个处理器的 31 %"
        );
    }
}
