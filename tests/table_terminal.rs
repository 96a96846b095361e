//! Tables as they look: in wide and in narrow windows, with Chinese names, as Markdown, CSV and JSON.

mod hand;

use expect_test::expect;
use photofinish::report::{Format, Lang};
use photofinish::store::Run;
use photofinish::timeline::{ErrorKind, Phase};
use proptest::prelude::*;
use unicode_width::UnicodeWidthStr;

/// Five rounds of four prompts: a good target, one that hides its thinking, one that fails now and then, one that never answers.
fn race() -> Run {
    let names = ["深度求索/deepseek-r1", "讯飞开放平台/r1", "硅基流动/Pro-R1", "groq/r1"];
    let mut run = hand::run(names.map(hand::target).into(), 5, 4);
    hand::fill(&mut run, |round, block, target| match target {
        0 => hand::reply(300.0 + f64::from(round), 25.0, 40, 60),
        1 => {
            let mut reply = hand::reply(2000.0, 50.0, 0, 80);
            let usage = reply.usage.as_mut().unwrap();
            (usage.reasoning, usage.completion) = (Some(300), Some(380));
            reply
        }
        2 if round == 2 && block < 3 => hand::failed(429, ErrorKind::RateLimit, "slow down"),
        2 if round == 4 && block == 1 => {
            let mut broken = hand::reply(900.0, 60.0, 10, 10);
            (broken.finish, broken.usage) = (None, None);
            broken.end_marks.clear();
            broken
        }
        2 => hand::reply(900.0, 60.0, 10, 90),
        _ => hand::failed(503, ErrorKind::Overloaded, "no"),
    });
    run
}

#[test]
fn a_wide_window_holds_one_line_a_target() {
    expect![[r#"
        by-hand: r1

        target                         success               TTFT     1st answer     reasoning       content       overall        e2e p50            e2e p95
                                       ok/sent                 ms              s         tok/s         tok/s         tok/s              s                  s
        ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
        深度求索/deepseek-r1  20/20 [84–100 %]    303.0            1.30           40.0 (exact)  40.0 (exact)  36.0          2.78           2.7800 (≥ 2.7780)
        讯飞开放平台/r1 [1]   20/20 [84–100 %]  2000.0† (exact)    2.00 (exact)      —          20.0 (exact)  13.4 (exact)  5.95 (exact)     5.95 (exact)
        硅基流动/Pro-R1 [2]   17/20 [58–96 %]     900.0 (≥ 900.0)  1.50 (≥ 1.50)  16.7 (exact)  16.7 (exact)  14.6 (exact)  6.84 (≥ 6.84)   never
        groq/r1 [3]            0/20 [0–16 %]          —               —              —             —             —             —                —

        [1] 讯飞开放平台/r1: 20 hidden · counts differ: 4.75 tokens reported for each counted one, the others' 1.00
        [2] 硅基流动/Pro-R1: 2 rate_limited · quota-bound: over 5 % of requests were rate-limited · 1 broken
        [3] groq/r1: 20 server_error
        † this TTFT may include thinking that was not shown: not comparable
        rate_limited: over the quota (429): counts as a failure and is listed apart
        server_error: the server failed or shed load: 5xx, or an error within the stream
        hidden: thinking was billed but not shown: TTFT includes it
        broken: the stream ended without its end
        Ranges are 95 % confidence intervals, over rounds; ≥ and ≤: the data bound it on that side only; exact: all values are equal.
        n = 20 requests a target · 5 of 5 planned rounds, 20 blocks · 2026-11-24 08:00 to 12:01 UTC · limit T = 300 s
        Times are quantiles over all requests sent (TTFT and first answer: p50); a failure never arrives. Speeds are medians over good replies.
        Token basis: reported by the providers (all report usage that can be believed, and all models are of one family).
        What intervals are worth is simulated, and not yet checked on months of real providers (docs/method.md).
        photofinish 0.1.0 · measured from Shenzhen · dataset short-en · seed 7 · run a1b2c3
    "#]].assert_eq(&hand::written(&race(), Format::Terminal, 200));
}

#[test]
fn a_window_of_80_holds_two_lines_a_target() {
    expect![[r#"
        by-hand: r1

         success     TTFT  1st answer  reasoning  content  overall  e2e p50   e2e p95
         ok/sent       ms           s      tok/s    tok/s    tok/s        s         s
        ──────────────────────────────────────────────────────────────────────────────
        深度求索/deepseek-r1
           20/20    303.0        1.30       40.0     40.0     36.0     2.78    2.7800
        84–100 %                           exact    exact                    ≥ 2.7780
        讯飞开放平台/r1 [1]
           20/20  2000.0†        2.00          —     20.0     13.4     5.95      5.95
        84–100 %    exact       exact               exact    exact    exact     exact
        硅基流动/Pro-R1 [2]
           17/20    900.0        1.50       16.7     16.7     14.6     6.84     never
         58–96 %  ≥ 900.0      ≥ 1.50      exact    exact    exact   ≥ 6.84
        groq/r1 [3]
            0/20        —           —          —        —        —        —         —
          0–16 %

        [1] 讯飞开放平台/r1: 20 hidden · counts differ: 4.75 tokens reported for each
            counted one, the others' 1.00
        [2] 硅基流动/Pro-R1: 2 rate_limited · quota-bound: over 5 % of requests were
            rate-limited · 1 broken
        [3] groq/r1: 20 server_error
        † this TTFT may include thinking that was not shown: not comparable
        rate_limited: over the quota (429): counts as a failure and is listed apart
        server_error: the server failed or shed load: 5xx, or an error within the stream
        hidden: thinking was billed but not shown: TTFT includes it
        broken: the stream ended without its end
        Ranges are 95 % confidence intervals, over rounds; ≥ and ≤: the data bound it on
            that side only; exact: all values are equal.
        n = 20 requests a target · 5 of 5 planned rounds, 20 blocks · 2026-11-24 08:00
            to 12:01 UTC · limit T = 300 s
        Times are quantiles over all requests sent (TTFT and first answer: p50); a
            failure never arrives. Speeds are medians over good replies.
        Token basis: reported by the providers (all report usage that can be believed,
            and all models are of one family).
        What intervals are worth is simulated, and not yet checked on months of real
            providers (docs/method.md).
        photofinish 0.1.0 · measured from Shenzhen · dataset short-en · seed 7 · run
            a1b2c3
    "#]]
    .assert_eq(&hand::written(&race(), Format::Terminal, 80));
}

#[test]
fn a_window_of_48_holds_a_list() {
    let text = hand::written(&race(), Format::Terminal, 48);
    expect![[r#"
        by-hand: r1

        深度求索/deepseek-r1
          success 20/20 [84–100 %]  TTFT 303.0 ms
          1st answer 1.30 s
          reasoning 40.0 (exact) tok/s
          content 40.0 (exact) tok/s  overall 36.0 tok/s
          e2e p50 2.78 s  e2e p95 2.7800 (≥ 2.7780) s
        讯飞开放平台/r1 [1]
          success 20/20 [84–100 %]
          TTFT 2000.0† (exact) ms
          1st answer 2.00 (exact) s  reasoning —"#]]
    .assert_eq(&text.lines().take(12).collect::<Vec<_>>().join("\n"));
}

#[test]
fn markdown_holds_the_same() {
    expect![[r#"
        ### by-hand: r1

        | target | success (ok/sent) | TTFT (ms) | 1st answer (s) | reasoning (tok/s) | content (tok/s) | overall (tok/s) | e2e p50 (s) | e2e p95 (s) | Notes |
        | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |
        | 深度求索/deepseek-r1 | 20/20 [84–100 %] | 303.0 | 1.30 | 40.0 (exact) | 40.0 (exact) | 36.0 | 2.78 | 2.7800 (≥ 2.7780) |  |
        | 讯飞开放平台/r1 | 20/20 [84–100 %] | 2000.0† (exact) | 2.00 (exact) | — | 20.0 (exact) | 13.4 (exact) | 5.95 (exact) | 5.95 (exact) | 20 hidden; counts differ: 4.75 tokens reported for each counted one, the others' 1.00 |
        | 硅基流动/Pro-R1 | 17/20 [58–96 %] | 900.0 (≥ 900.0) | 1.50 (≥ 1.50) | 16.7 (exact) | 16.7 (exact) | 14.6 (exact) | 6.84 (≥ 6.84) | never | 2 rate\_limited; quota-bound: over 5 % of requests were rate-limited; 1 broken |
        | groq/r1 | 0/20 [0–16 %] | — | — | — | — | — | — | — | 20 server\_error |

        - † this TTFT may include thinking that was not shown: not comparable
        - rate\_limited: over the quota (429): counts as a failure and is listed apart
        - server\_error: the server failed or shed load: 5xx, or an error within the stream
        - hidden: thinking was billed but not shown: TTFT includes it
        - broken: the stream ended without its end
        - Ranges are 95 % confidence intervals, over rounds; ≥ and ≤: the data bound it on that side only; exact: all values are equal.
        - n = 20 requests a target · 5 of 5 planned rounds, 20 blocks · 2026-11-24 08:00 to 12:01 UTC · limit T = 300 s
        - Times are quantiles over all requests sent (TTFT and first answer: p50); a failure never arrives. Speeds are medians over good replies.
        - Token basis: reported by the providers (all report usage that can be believed, and all models are of one family).
        - What intervals are worth is simulated, and not yet checked on months of real providers (docs/method.md).
        - photofinish 0.1.0 · measured from Shenzhen · dataset short-en · seed 7 · run a1b2c3
    "#]].assert_eq(&hand::written(&race(), Format::Markdown, 0));
}

#[test]
fn csv_holds_full_numbers_and_nothing_for_a_missing_one() {
    expect![[r#"
        target,ok,sent,success_low,success_high,ttft_p50_ms,ttft_p50_ms_low,ttft_p50_ms_high,ttfa_p50_ms,ttfa_p50_ms_low,ttfa_p50_ms_high,reasoning_speed,reasoning_speed_low,reasoning_speed_high,content_speed,content_speed_low,content_speed_high,overall_speed,overall_speed_low,overall_speed_high,e2e_p50_ms,e2e_p50_ms_low,e2e_p50_ms_high,e2e_p95_ms,e2e_p95_ms_low,e2e_p95_ms_high,notes,simulated,basis,run
        深度求索/deepseek-r1,20,20,0.8388748419471806,1,303,,,1303,,,40,40,40,40,40,40,35.99712023038157,,,2778,,,2780,2778,,,no,reported by the providers,a1b2c3
        讯飞开放平台/r1,20,20,0.8388748419471806,1,2000,2000,2000,2000,2000,2000,,,,20,20,20,13.445378151260504,13.445378151260504,13.445378151260504,5950,5950,5950,5950,5950,5950,"20 hidden; counts differ: 4.75 tokens reported for each counted one, the others' 1.00",no,reported by the providers,a1b2c3
        硅基流动/Pro-R1,17,20,0.5789972379772715,0.9589301436022232,900,900,,1500,1500,,16.666666666666668,16.666666666666668,16.666666666666668,16.666666666666668,16.666666666666668,16.666666666666668,14.619883040935672,14.619883040935672,14.619883040935672,6840,6840,,never,,,2 rate_limited; quota-bound: over 5 % of requests were rate-limited; 1 broken,no,reported by the providers,a1b2c3
        groq/r1,0,20,0,0.16112515805281932,,,,,,,,,,,,,,,,,,,,,,20 server_error,no,reported by the providers,a1b2c3
    "#]].assert_eq(&hand::written(&race(), Format::Csv, 0).replace("\r\n", "\n"));
}

#[test]
fn json_holds_a_reason_for_every_missing_number() {
    let json: serde_json::Value = serde_json::from_str(&hand::written(&race(), Format::Json, 0)).unwrap();
    let unit = |name: &str| json["columns"].as_array().unwrap().iter().find(|column| column["name"] == name).unwrap()["unit"].clone();
    assert_eq!([unit("ttfa_p50_ms"), unit("content_speed")], ["ms", "tok/s"], "values are in the unit that the column says");
    let rows = json["rows"].as_array().unwrap();
    assert_eq!(rows[0]["ttft_p50_ms"]["value"], 303.0);
    assert_eq!(rows[1]["ttft_p50_ms"]["mark"], "†");
    assert_eq!(rows[1]["reasoning_speed"]["missing"], "no reasoning came");
    assert_eq!(rows[2]["e2e_p95_ms"]["never"], true);
    assert_eq!((&rows[3]["success"]["ok"], &rows[3]["success"]["sent"]), (&0.into(), &20.into()));
    assert_eq!(rows[3]["success"]["interval"][0], 0.0);
    for column in ["ttft_p50_ms", "ttfa_p50_ms", "content_speed", "overall_speed", "e2e_p50_ms", "e2e_p95_ms"] {
        assert_eq!(rows[3][column]["missing"], "no good reply", "{column}");
    }
}

#[test]
fn the_columns_of_chinese_names_stand_under_each_other() {
    let text = hand::written(&race(), Format::Terminal, 120);
    let ends: Vec<usize> = text.lines().filter(|line| line.contains("/20")).map(|line| line.split("/20").next().unwrap().width()).collect();
    assert_eq!(ends.len(), 4, "{text}");
    assert!(ends.windows(2).all(|two| two[0] == two[1]), "{text}");
}

#[test]
fn a_simulated_table_says_so_in_title_and_rows_and_multiplies_times_back() {
    let mut run = hand::run(vec![hand::target("deepseek/r1")], 5, 4);
    hand::fill(&mut run, |_, _, _| hand::reply(10.0, 1.0, 20, 30));
    hand::simulate(&mut run, 30.0);
    for format in [Format::Terminal, Format::Markdown, Format::Json] {
        let text = hand::written(&run, format, 120);
        assert!(text.contains("SIMULATED providers (time scale 30×"), "{text}");
        assert!(text.contains("sim:deepseek/r1"), "{text}");
    }
    let csv = hand::written(&run, Format::Csv, 0);
    assert!(csv.contains("sim:deepseek/r1,20,20,0.83") && csv.contains(",1,300,300,300,900,900,900,") && csv.contains("scale 30"), "{csv}");
}

#[test]
fn a_bundled_target_has_a_word_for_its_phase_speeds() {
    let mut run = hand::run(vec![hand::target("a/r1"), hand::target("b/r1")], 5, 4);
    hand::fill(&mut run, |round, _, target| match target {
        // Bundled are 4 of 20, which is no more than a fifth; and 8 of 20.
        target if (target == 0 && round == 1) || (target == 1 && round < 3) => {
            let mut reply = hand::empty_reply();
            hand::say(&mut reply, 500.0, Phase::Content, 40);
            hand::say(&mut reply, 900.0, Phase::Content, 40);
            reply
        }
        _ => hand::reply(500.0, 10.0, 0, 80),
    });
    let table = hand::table(std::slice::from_ref(&run), None);
    let texts = |row: usize| table.rows[row].cells.iter().filter(|cell| format!("{cell:?}").contains("bundled")).count();
    assert_eq!((texts(0), texts(1)), (0, 2));
    assert!(hand::written(&run, Format::Terminal, 100).contains("8 bundled"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn no_number_is_ever_wrapped_and_no_line_is_wider_than_the_window(width in 40usize..=220, scale in 0.001f64..5000.0) {
        let mut run = race();
        for trial in &mut run.trials {
            let line = &mut trial.answer.as_mut().unwrap().timeline;
            line.change(0, |text| text.at.0 = (text.at.0 as f64 * scale) as u64);
        }
        let text = hand::written(&run, Format::Terminal, width);
        for line in text.lines() {
            prop_assert!(line.width() <= width, "{width}: {line}");
        }
        // Every number of the Markdown table stands whole in the terminal's.
        let markdown = hand::written(&run, Format::Markdown, 0);
        for row in markdown.lines().filter(|line| line.contains("/20 |")) {
            for cell in row.split('|').skip(2).take(8).map(str::trim).filter(|cell| !cell.is_empty()) {
                let (figure, interval) = cell.split_once(' ').unwrap_or((cell, ""));
                prop_assert!(text.split_whitespace().any(|word| word == figure), "{figure} at {width}:\n{text}");
                prop_assert!(text.contains(interval.trim_matches(['[', ']', '(', ')'])), "{interval} at {width}:\n{text}");
            }
        }
    }
}

#[test]
fn a_window_of_80_in_chinese() {
    expect![[r#"
        by-hand：r1

           成功率  首字时延  首答时延  推理速度  回答速度  总体速度  用时 p50  用时 p95
        成功/发出        ms         s     tok/s     tok/s     tok/s         s         s
        ────────────────────────────────────────────────────────────────────────────────
        深度求索/deepseek-r1
            20/20     303.0      1.30      40.0      40.0      36.0      2.78    2.7800
         84–100 %                          全同      全同                      ≥ 2.7780
        讯飞开放平台/r1 [1]
            20/20   2000.0†      2.00         —      20.0      13.4      5.95      5.95
         84–100 %      全同      全同                全同      全同      全同      全同
        硅基流动/Pro-R1 [2]
            17/20     900.0      1.50      16.7      16.7      14.6      6.84    未达到
          58–96 %   ≥ 900.0    ≥ 1.50      全同      全同      全同    ≥ 6.84
        groq/r1 [3]
             0/20         —         —         —         —         —         —         —
           0–16 %

        [1] 讯飞开放平台/r1：20 次 hidden · 计数不一致：每数得 1 个 token 上报 4.75 个，
            其他对象为 1.00 个
        [2] 硅基流动/Pro-R1：2 次 rate_limited · 受配额限制：超过 5 % 的请求被限流 · 1
            次 broken
        [3] groq/r1：20 次 server_error
        † 该首字时延可能包含没有输出的思考：不可比
        rate_limited：超出配额（429）：计为失败，并单独列出
        server_error：服务端出错或主动降载：5xx，或流内报错
        hidden：思考已计费但没有输出：首字时延包含思考时间
        broken：数据流没有正常结束
        范围是以轮为单位的 95 % 置信区间；≥、≤：数据只限定这一侧；全同：所有取值相等。
        每个对象 n = 20 个请求 · 计划 5 轮，实得 5 轮，20 个区组 · 2026-11-24 08:00 至
            12:01 UTC · 时限 T = 300 s
        时间是全部已发请求的分位数（首字、首答为 p50），失败的请求视为永远未达到；用时是
            从发出请求到最后一段文本到达。速度是成功回复的中位数。
        token 计数口径：服务商上报（各对象上报的用量都可信，且模型同属一个家族）。
        区间的可靠程度出自模拟，尚未用真实服务商数月的数据检验（docs/method.md）。
        photofinish 0.1.0 · 测自 Shenzhen · 数据集 short-en · 种子 7 · 运行 a1b2c3
    "#]]
    .assert_eq(&hand::written_in(&race(), Format::Terminal, 80, Lang::Zh));
}

#[test]
fn a_wide_window_in_chinese() {
    expect![[r#"
        by-hand：r1

        对象                            成功率           首字时延       首答时延     推理速度     回答速度     总体速度       用时 p50           用时 p95
                                     成功/发出                 ms              s        tok/s        tok/s        tok/s              s                  s
        ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
        深度求索/deepseek-r1  20/20 [84–100 %]    303.0            1.30           40.0 (全同)  40.0 (全同)  36.0         2.78           2.7800 (≥ 2.7780)
        讯飞开放平台/r1 [1]   20/20 [84–100 %]  2000.0† (全同)     2.00 (全同)       —         20.0 (全同)  13.4 (全同)  5.95 (全同)      5.95 (全同)
        硅基流动/Pro-R1 [2]   17/20 [58–96 %]     900.0 (≥ 900.0)  1.50 (≥ 1.50)  16.7 (全同)  16.7 (全同)  14.6 (全同)  6.84 (≥ 6.84)  未达到
        groq/r1 [3]            0/20 [0–16 %]          —               —              —            —            —            —                —

        [1] 讯飞开放平台/r1：20 次 hidden · 计数不一致：每数得 1 个 token 上报 4.75 个，其他对象为 1.00 个
        [2] 硅基流动/Pro-R1：2 次 rate_limited · 受配额限制：超过 5 % 的请求被限流 · 1 次 broken
        [3] groq/r1：20 次 server_error
        † 该首字时延可能包含没有输出的思考：不可比
        rate_limited：超出配额（429）：计为失败，并单独列出
        server_error：服务端出错或主动降载：5xx，或流内报错
        hidden：思考已计费但没有输出：首字时延包含思考时间
        broken：数据流没有正常结束
        范围是以轮为单位的 95 % 置信区间；≥、≤：数据只限定这一侧；全同：所有取值相等。
        每个对象 n = 20 个请求 · 计划 5 轮，实得 5 轮，20 个区组 · 2026-11-24 08:00 至 12:01 UTC · 时限 T = 300 s
        时间是全部已发请求的分位数（首字、首答为 p50），失败的请求视为永远未达到；用时是从发出请求到最后一段文本到达。速度是成功回复的中位数。
        token 计数口径：服务商上报（各对象上报的用量都可信，且模型同属一个家族）。
        区间的可靠程度出自模拟，尚未用真实服务商数月的数据检验（docs/method.md）。
        photofinish 0.1.0 · 测自 Shenzhen · 数据集 short-en · 种子 7 · 运行 a1b2c3
    "#]].assert_eq(&hand::written_in(&race(), Format::Terminal, 200, Lang::Zh));
}

#[test]
fn markdown_in_chinese() {
    expect![[r#"
        ### by-hand：r1

        | 对象 | 成功率（成功/发出） | 首字时延（ms） | 首答时延（s） | 推理速度（tok/s） | 回答速度（tok/s） | 总体速度（tok/s） | 用时 p50（s） | 用时 p95（s） | 备注 |
        | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |
        | 深度求索/deepseek-r1 | 20/20 [84–100 %] | 303.0 | 1.30 | 40.0 (全同) | 40.0 (全同) | 36.0 | 2.78 | 2.7800 (≥ 2.7780) |  |
        | 讯飞开放平台/r1 | 20/20 [84–100 %] | 2000.0† (全同) | 2.00 (全同) | — | 20.0 (全同) | 13.4 (全同) | 5.95 (全同) | 5.95 (全同) | 20 次 hidden；计数不一致：每数得 1 个 token 上报 4.75 个，其他对象为 1.00 个 |
        | 硅基流动/Pro-R1 | 17/20 [58–96 %] | 900.0 (≥ 900.0) | 1.50 (≥ 1.50) | 16.7 (全同) | 16.7 (全同) | 14.6 (全同) | 6.84 (≥ 6.84) | 未达到 | 2 次 rate\_limited；受配额限制：超过 5 % 的请求被限流；1 次 broken |
        | groq/r1 | 0/20 [0–16 %] | — | — | — | — | — | — | — | 20 次 server\_error |

        - † 该首字时延可能包含没有输出的思考：不可比
        - rate\_limited：超出配额（429）：计为失败，并单独列出
        - server\_error：服务端出错或主动降载：5xx，或流内报错
        - hidden：思考已计费但没有输出：首字时延包含思考时间
        - broken：数据流没有正常结束
        - 范围是以轮为单位的 95 % 置信区间；≥、≤：数据只限定这一侧；全同：所有取值相等。
        - 每个对象 n = 20 个请求 · 计划 5 轮，实得 5 轮，20 个区组 · 2026-11-24 08:00 至 12:01 UTC · 时限 T = 300 s
        - 时间是全部已发请求的分位数（首字、首答为 p50），失败的请求视为永远未达到；用时是从发出请求到最后一段文本到达。速度是成功回复的中位数。
        - token 计数口径：服务商上报（各对象上报的用量都可信，且模型同属一个家族）。
        - 区间的可靠程度出自模拟，尚未用真实服务商数月的数据检验（docs/method.md）。
        - photofinish 0.1.0 · 测自 Shenzhen · 数据集 short-en · 种子 7 · 运行 a1b2c3
    "#]].assert_eq(&hand::written_in(&race(), Format::Markdown, 0, Lang::Zh));
}

#[test]
fn names_of_files_are_the_same_in_both_languages() {
    let read = |lang| -> serde_json::Value { serde_json::from_str(&hand::written_in(&race(), Format::Json, 0, lang)).unwrap() };
    let (en, zh) = (read(Lang::En), read(Lang::Zh));
    let keys = |value: &serde_json::Value| value["rows"][0].as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&en), keys(&zh));
    assert_eq!(
        en["columns"].as_array().unwrap().iter().map(|c| &c["name"]).collect::<Vec<_>>(),
        zh["columns"].as_array().unwrap().iter().map(|c| &c["name"]).collect::<Vec<_>>()
    );
    assert_eq!(en["rows"][0]["ttft_p50_ms"], zh["rows"][0]["ttft_p50_ms"]);
    assert_eq!(zh["rows"][1]["reasoning_speed"]["missing"], "没有收到推理内容");
    let head = |lang| hand::written_in(&race(), Format::Csv, 0, lang).lines().next().unwrap().to_owned();
    assert_eq!(head(Lang::En), head(Lang::Zh));
}
