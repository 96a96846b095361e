//! Words for the metrics of the registry: title, formula, and when there is no value. The English ones stand with the definitions; a test
//! holds that no metric lacks the Chinese ones.

use crate::metric::Metric;
use crate::report::Lang;

/// Title, formula, and when it has no value.
pub(in crate::report) fn told(metric: &Metric, lang: Lang) -> [&'static str; 3] {
    match (lang, chinese(metric.name)) {
        (Lang::Zh, Some(words)) => words,
        _ => [metric.title, metric.formula, metric.undefined_when],
    }
}

fn chinese(name: &str) -> Option<[&'static str; 3]> {
    Some(match name {
        "ttft" => [
            "首字时延（首 token 时延）",
            "首个任意类型文本到达的时刻；不带文本的事件（角色、保活、用量）不算",
            "没有收到文本，或客户端不提供请求写出的时刻",
        ],
        "ttfa" => ["首答时延", "回答的首个文本到达的时刻（工具调用的参数算在内）", "没有收到回答"],
        "think" => ["思考时间", "回答的首个文本 − 推理的首个文本", "两者缺一"],
        "switch_gap" => {
            ["思考与回答之间的间隔", "回答的首个文本 − 推理的最后一个文本；同一次写出兼有两者时为 0；两者交错时为负", "两者缺一"]
        }
        "e2e" => ["回复用时", "最后一个文本到达的时刻（不是流的关闭）", "没有收到文本，或客户端不提供请求写出的时刻"],
        "close_lag" => ["关闭滞后", "流的结束 − 最后一个文本的到达", "没有收到文本，或结束时刻没有记录"],
        "time_to_100" => ["达到 100 个回答 token 的时间", "回答累计达到 100 个 token 的那次到达", "回答不足此数，或没有计数"],
        "time_to_500" => ["达到 500 个回答 token 的时间", "回答累计达到 500 个 token 的那次到达", "回答不足此数，或没有计数"],
        "reasoning_speed" => [
            "推理（思考）速度",
            "(N − n₁) / (t_m − t₁)，取推理的各次到达；从首个到最后一个时刻精确的到达",
            "推理的到达不足两次、首次之后没有 token、其间没有时间差、成批到达，或没有计数",
        ],
        "content_speed" => [
            "回答速度",
            "(N − n₁) / (t_m − t₁)，取回答的各次到达；从首个到最后一个时刻精确的到达",
            "回答的到达不足两次、首次之后没有 token、其间没有时间差、成批到达，或没有计数",
        ],
        "decode" => [
            "解码速度",
            "(N − n₁) / (t_m − t₁)，取全部到达；从首个到最后一个时刻精确的到达",
            "到达不足两次、首次之后没有 token、其间没有时间差、成批到达，或没有计数",
        ],
        "overall_speed" => {
            ["总体速度", "N / e2e：全部流式 token 除以回复用时，等待首个 token 的时间包含在内", "没有收到文本、回复没有用时，或没有计数"]
        }
        "spt" => ["每 token 秒数", "e2e / N：overall_speed 的倒数，失败按时限计入后可以排名的形式", "同 overall_speed"],
        "billed_speed" => {
            ["计费速度", "上报的输出 token（含没有显示的）/ e2e；只与 overall_speed 并列给出", "没有用量，或同 overall_speed"]
        }
        "tpot" => ["每输出 token 时间", "1000 / decode", "同 decode"],
        "max_gap" => {
            ["最长间隔", "相邻两次到达之间的最长时间；同一次读取中的到达不作区分，并使它成为区间", "到达不足两次，或全在一次读取中"]
        }
        "stall_time" => ["停顿时间", "Σ max(0, 间隔 − τ)，τ = 500 ms，计划另有规定时从之", "同 max_gap"],
        "stalls" => ["停顿次数", "长于 τ 的间隔的个数；没有间隔就没有停顿", "总有数值"],
        "tokens_per_arrival" => ["每次到达的 token 数", "N / m", "没有收到 token，或没有计数"],
        "largest_arrival_share" => ["最大一次到达的份额", "max n_i / N；超过一半的回复算作成批到达", "没有收到 token，或没有计数"],
        "conn" => ["建连时间", "DNS + TCP + 代理 + TLS；不计入其他任何时延", "沿用了已有的连接"],
        "ttfb" => ["响应头时间", "响应头结束的时刻；服务端可能远在有 token 之前就发出它", "没有收到响应，或客户端不提供请求写出的时刻"],
        "cold_ttft" => ["冷启动首字时延", "conn + ttft，适用于新建连接的请求", "沿用了已有的连接，或同 ttft"],
        "usage_ratio" => ["上报与计得之比", "上报的输出 token / 参考分词器从流式文本计得的 token", "没有用量、没有文本，或没有 token"],
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::registry;

    #[test]
    fn every_metric_is_told_in_chinese() {
        for metric in registry() {
            let words = chinese(metric.name).unwrap_or_else(|| panic!("{} has no Chinese words", metric.name));
            assert!(words[0].chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)), "{words:?}");
            let own = [metric.title, metric.formula, metric.undefined_when];
            assert!(words[0] != own[0] && words[2] != own[2], "{words:?}");
        }
    }
}
