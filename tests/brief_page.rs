//! The page for a reader with a minute, as it reads in both languages.

mod hand;

use expect_test::expect;
use photofinish::report::{Format, Lang};
use photofinish::store::Run;
use photofinish::timeline::ErrorKind;

/// A target that takes half of the other's time, and fails in one round.
fn race(rounds: u32) -> Run {
    let mut run = hand::run(vec![hand::target("quick/r1"), hand::target("深度求索/r1")], rounds, 4);
    hand::fill(&mut run, |round, block, target| {
        // Rounds differ, and not alike for both: else there would be nothing to estimate.
        let sway = f64::from((round * 7 + block * 3 + target as u32 * 5) % 11);
        match target {
            0 if round == 2 && block == 1 => hand::failed(503, ErrorKind::Overloaded, "no"),
            0 => hand::reply(300.0 + 4.0 * sway, 20.0 + 0.2 * sway, 40, 60),
            _ => hand::reply(700.0 + 9.0 * sway, 45.0 + 0.5 * sway, 40, 60),
        }
    });
    run
}

#[test]
fn the_page_in_english() {
    expect![[r#"
        ## by-hand: in brief

        **quick/r1 is best in reply time, shown at 95 % against every other ranked target: 深度求索/r1, the next, takes 1.96× as long (1.37–2.80).**

        quick/r1 is best in time to first token (TTFT), shown at 95 % against every other ranked target: 深度求索/r1, the next, takes 1.89× as long (1.13–3.13). quick/r1 is best in content speed, shown at 95 % against every other ranked target: 深度求索/r1, the next, reaches 0.52× its speed (0.35–0.79).

        | rank | target | reply time, median (s) | TTFT, median (ms) | answer speed (tok/s) | success (ok/sent) |
        | --- | --- | ---: | ---: | ---: | ---: |
        | 1 | quick/r1 | 2.399 [2.328–2.470] | 320 [308–332] | 47.6 [46.3–49.0] | 31/32 [84–99 %] |
        | 2 | 深度求索/r1 | 5.45 [5.27–5.56] | 745 [718–763] | 21.05 [20.41–21.51] | 32/32 [89–100 %] |

        What to bear in mind:

        1. Preliminary: 8 rounds on 1 calendar day. It takes 24 rounds on 2 days before an order should be published.
        2. quick/r1 failed most: 1 of 32 requests (3 %). Ranks charge a failure the full limit of time.
        3. Differences of reply time smaller than about 63.4 % cannot be seen with this many rounds.

        Rank: the places in reply time that comparing all pairs leaves open.  
        Ranges are 95 % confidence intervals, over rounds.  
        What intervals are worth is simulated, and not yet checked on months of real providers (docs/method.md).  
        8 rounds × 4 prompts · 2026-11-24 08:00 to 15:00 UTC · photofinish 0.1.0 · dataset short-en · seed 7 · run a1b2c3  
    "#]].assert_eq(&hand::brief_of(&race(8), Format::Markdown, Lang::En));
}

#[test]
fn the_page_in_chinese() {
    expect![[r#"
        ## by-hand：简报

        **完整回复用时：quick/r1 最好，相对其他所有参加排名的对象均在 95 % 置信水平上成立，其后的 深度求索/r1 用时为其 1.96 倍（1.37–2.80）。**

        首字时延（TTFT）：quick/r1 最好，相对其他所有参加排名的对象均在 95 % 置信水平上成立，其后的 深度求索/r1 用时为其 1.89 倍（1.13–3.13）。回答速度：quick/r1 最好，相对其他所有参加排名的对象均在 95 % 置信水平上成立，其后的 深度求索/r1 速度为其 0.52 倍（0.35–0.79）。

        | 名次 | 对象 | 回复用时中位数（s） | 首字时延中位数（ms） | 回答速度（tok/s） | 成功率（成功/发出） |
        | --- | --- | ---: | ---: | ---: | ---: |
        | 1 | quick/r1 | 2.399 [2.328–2.470] | 320 [308–332] | 47.6 [46.3–49.0] | 31/32 [84–99 %] |
        | 2 | 深度求索/r1 | 5.45 [5.27–5.56] | 745 [718–763] | 21.05 [20.41–21.51] | 32/32 [89–100 %] |

        请注意：

        1. 初步结果：1 个自然日共 8 轮。至少 2 天、24 轮才宜公布先后。
        2. quick/r1 失败最多：32 个请求中失败 1 个（3 %）。排名时每次失败按整个时限计。
        3. 以目前的轮数，小于约 63.4 % 的回复用时差异看不出来。

        名次：按完整回复用时两两比较后仍可能的名次。  
        范围是以轮为单位的 95 % 置信区间。  
        区间的可靠程度出自模拟，尚未用真实服务商数月的数据检验（docs/method.md）。  
        8 轮 × 4 个提示词 · 2026-11-24 08:00 至 15:00 UTC · photofinish 0.1.0 · 数据集 short-en · 种子 7 · 运行 a1b2c3  
    "#]].assert_eq(&hand::brief_of(&race(8), Format::Markdown, Lang::Zh));
}

#[test]
fn below_six_rounds_nobody_is_called_faster() {
    let text = hand::brief_of(&race(4), Format::Markdown, Lang::En);
    assert!(text.contains("**Nothing is shown about reply time yet: there are 4 rounds"), "{text}");
    assert!(text.contains("1. Preliminary: 4 rounds on"), "{text}");
    assert!(!text.contains("best in"), "{text}");
}

#[test]
fn one_target_is_compared_with_nobody() {
    let mut run = hand::run(vec![hand::target("only/r1")], 8, 2);
    hand::fill(&mut run, |_, _, _| hand::reply(300.0, 20.0, 10, 30));
    let text = hand::brief_of(&run, Format::Markdown, Lang::En);
    assert!(text.contains("nobody to compare its reply time with"), "{text}");
}

#[test]
fn simulated_providers_are_the_first_thing_to_bear_in_mind() {
    let mut run = race(8);
    hand::simulate(&mut run, 30.0);
    let text = hand::brief_of(&run, Format::Markdown, Lang::En);
    assert!(text.starts_with("## SIMULATED") && text.contains("1. These providers are simulated"), "{text}");
    assert!(text.contains("**sim:quick/r1 is best"), "{text}");
}

#[test]
fn json_holds_three_caveats_and_a_row_a_target() {
    let json: serde_json::Value = serde_json::from_str(&hand::brief_of(&race(8), Format::Json, Lang::Zh)).unwrap();
    assert_eq!((json["caveats"].as_array().unwrap().len(), json["rows"].as_array().unwrap().len()), (3, 2));
    assert_eq!(json["rows"][0]["target"], "quick/r1");
}
