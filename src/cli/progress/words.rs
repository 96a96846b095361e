//! Counters as text: pure, so that what stands on a terminal of 80 columns is tested without one.

use super::event::{Passed, RoundOf, Spent};
use super::tally::Counts;
use crate::ident::TargetId;
use crate::record::{Offered, Spread, StageState};
use jiff::tz::TimeZone;
use unicode_width::UnicodeWidthChar;

/// A length of time, as exact as one wants to know it: `45 s`, `2 min 10 s`, `12 min`, `3 h 05 min`, `12 d 3 h`.
pub fn span(seconds: f64) -> String {
    let s = seconds.max(0.0).round() as u64;
    match s {
        0..60 => format!("{s} s"),
        60..600 => format!("{} min {:02} s", s / 60, s % 60),
        600..3600 => format!("{} min", s / 60),
        3600..172_800 => format!("{} h {:02} min", s / 3600, s % 3600 / 60),
        _ => format!("{} d {} h", s / 86_400, s % 86_400 / 3600),
    }
}

/// Where a target stands: `12 done (1 failed) · 28 left · 2 min 10 s`. `timed`: the time left is its own, not the schedule's.
pub fn standing(counts: &Counts, timed: bool) -> String {
    let failed = if 0 < counts.failed { format!(" ({} failed)", counts.failed) } else { String::new() };
    let mut parts = vec![format!("{} done{failed}", counts.done)];
    parts.extend((0 < counts.not_sent).then(|| format!("{} not sent", counts.not_sent)));
    if counts.stopped {
        parts.push("stopped".into());
    } else {
        parts.extend(counts.left.map(|left| format!("{left} left")));
        parts.extend(counts.left_s.filter(|_| timed && counts.left != Some(0)).map(span));
    }
    parts.join(" · ")
}

/// One line a target of a round that is over. Names are as long as leaves each line within 80 columns.
pub fn round_over(targets: &[RoundOf]) -> Vec<String> {
    let lines = |most: usize| -> Vec<String> {
        let width = targets.iter().map(|of| name(of.target.as_str(), most).1).max().unwrap_or(0);
        targets.iter().map(|of| of_round(of, most, width)).collect()
    };
    let fits = |lines: &[String]| lines.iter().all(|line| line.chars().map(|c| c.width().unwrap_or(0)).sum::<usize>() <= 80);
    Some(lines(NAME)).filter(|lines| fits(lines)).unwrap_or_else(|| lines(NAME - 6))
}

fn of_round(of: &RoundOf, most: usize, width: usize) -> String {
    let (shown, wide) = name(of.target.as_str(), most);
    let mut line = format!("  {shown}{:1$}  {2} ok", "", width - wide, of.ok);
    for (count, what) in [(of.failed, "failed"), (of.not_sent, "not sent")] {
        if 0 < count {
            line += &format!(" · {count} {what}");
        }
    }
    if let Some((first, end)) = of.first_text_s.zip(of.total_s) {
        line += &format!(" · first text {}, end {} s", seconds(first), seconds(end));
    }
    line
}

/// Shortest and longest in seconds: `0.41–0.88`, or one figure where they are the same.
fn seconds((least, most): (f64, f64)) -> String {
    let [least, most] = [least, most].map(|s| if s < 10.0 { format!("{s:.2}") } else { format!("{s:.1}") });
    if least == most { least } else { format!("{least}–{most}") }
}

/// Why a round was not held to its end.
pub fn passed(how: Passed) -> &'static str {
    match how {
        Passed::Missed => "is missed: it could not begin in its time",
        Passed::BrokenOff => "was interrupted and stays as it is: its time has passed",
    }
}

/// `212 of 5000 requests · 1.2 M tokens`
pub fn spent(spent: &Spent) -> String {
    let against = |used: u64, most: Option<u64>, what: &str| match most {
        Some(most) => format!("{} of {} {what}", count(used), count(most)),
        None => format!("{} {what}", count(used)),
    };
    format!("{} · {}", against(spent.requests, spent.max_requests, "requests"), against(spent.tokens, spent.max_tokens, "tokens"))
}

fn count(n: u64) -> String {
    match n {
        0..100_000 => n.to_string(),
        100_000..10_000_000 => format!("{:.2} M", n as f64 / 1e6),
        _ => format!("{:.1} M", n as f64 / 1e6),
    }
}

/// `round 4 of 720 begins at 2026-11-24 14:17:23 Asia/Shanghai, in 12 min`
pub fn waiting(round: u32, rounds: u32, until: jiff::Timestamp, now: jiff::Timestamp, zone: &TimeZone) -> String {
    let left = until.duration_since(now).as_secs_f64();
    format!("round {round} of {rounds} begins at {}, in {}", moment(until, zone), span(left))
}

/// `waiting until 2026-11-24 14:17:23 Asia/Shanghai, 45 s, before a and b are asked again`
pub fn held(targets: &[TargetId], until: jiff::Timestamp, now: jiff::Timestamp, zone: &TimeZone) -> String {
    let names: Vec<&str> = targets.iter().map(TargetId::as_str).collect();
    let (left, are) = (span(until.duration_since(now).as_secs_f64()), if names.len() == 1 { "is" } else { "are" });
    format!("waiting until {}, {left}, before {} {are} asked again", moment(until, zone), names.join(" and "))
}

/// `2026-11-24 14:17:23 Asia/Shanghai`
pub fn moment(at: jiff::Timestamp, zone: &TimeZone) -> String {
    let named = zone.iana_name().map_or_else(|| at.to_zoned(zone.clone()).strftime("%:z").to_string(), str::to_owned);
    format!("{} {named}", at.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S"))
}

/// The load of a stage: `50 users`, `20 requests/s (poisson)`.
pub fn offered(offered: &Offered) -> String {
    match offered {
        Offered::Users { users: 1 } => "1 user".into(),
        Offered::Users { users } => format!("{users} users"),
        Offered::Arrivals { per_s, spread } => {
            let spread = match spread {
                Spread::Constant => "constant".to_owned(),
                Spread::Poisson => "poisson".to_owned(),
                Spread::Gamma { shape } => format!("gamma {shape}"),
            };
            format!("{per_s} requests/s ({spread})")
        }
    }
}

/// How a stage ended.
pub fn stage_state(state: &StageState) -> String {
    match state {
        StageState::Begun => "begun".into(),
        StageState::Finished => "finished".into(),
        StageState::Interrupted => "interrupted".into(),
        StageState::Skipped { because } => format!("skipped: {because}"),
    }
}

/// Columns of a target's name at most.
pub const NAME: usize = 26;

/// A name of at most `most` columns, and its columns: the end is what tells targets apart, so a long one loses its beginning.
pub fn name(name: &str, most: usize) -> (String, usize) {
    let columns = |text: &str| text.chars().map(|c| c.width().unwrap_or(0)).sum::<usize>();
    let whole = columns(name);
    if whole <= most {
        return (name.to_owned(), whole);
    }
    let mut kept = 0;
    let from = name.char_indices().rev().take_while(|(_, c)| {
        kept += c.width().unwrap_or(0);
        kept < most
    });
    let shown = format!("…{}", from.last().map_or("", |(at, _)| &name[at..]));
    let wide = columns(&shown);
    (shown, wide)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(target: &str, ok: u64, failed: u64, first: Option<(f64, f64)>, total: Option<(f64, f64)>) -> RoundOf {
        RoundOf { target: TargetId::new(target).unwrap(), ok, failed, not_sent: 0, first_text_s: first, total_s: total }
    }

    #[test]
    fn a_span_is_as_exact_as_one_wants_to_know_it() {
        let spans = [0.2, 45.0, 130.0, 720.0, 11_100.0, 1_047_600.0].map(span);
        assert_eq!(spans, ["0 s", "45 s", "2 min 10 s", "12 min", "3 h 05 min", "12 d 3 h"]);
    }

    #[test]
    fn a_round_s_lines_stand_in_columns_and_fit_a_terminal_of_80() {
        let targets = [
            of("deepseek/deepseek-v4-pro", 5, 0, Some((0.412, 0.879)), Some((3.2, 14.92))),
            of("siliconflow/Qwen/Qwen3-235B-A22B-Thinking", 4, 1, Some((0.5, 0.61)), Some((9.31, 9.32))),
            of("local", 0, 5, None, None),
        ];
        let lines = round_over(&targets);
        assert_eq!(
            lines,
            [
                "  …eek/deepseek-v4-pro  5 ok · first text 0.41–0.88, end 3.20–14.9 s",
                "  …-235B-A22B-Thinking  4 ok · 1 failed · first text 0.50–0.61, end 9.31–9.32 s",
                "  local                 0 ok · 5 failed",
            ]
        );
        assert!(lines.iter().all(|line| line.chars().count() <= 80));
    }

    #[test]
    fn where_a_target_stands_says_what_is_done_failed_and_left() {
        let target = TargetId::new("a").unwrap();
        let counts = Counts { target, done: 12, failed: 1, not_sent: 0, left: Some(28), left_s: Some(130.0), stopped: false };
        assert_eq!(standing(&counts, true), "12 done (1 failed) · 28 left · 2 min 10 s");
        assert_eq!(standing(&counts, false), "12 done (1 failed) · 28 left");
        assert_eq!(
            standing(&Counts { stopped: true, not_sent: 28, left: Some(0), ..counts }, true),
            "12 done (1 failed) · 28 not sent · stopped"
        );
    }

    #[test]
    fn the_next_round_is_told_on_the_clock_of_the_plan_s_zone() {
        let (now, until) = ("2026-11-24T06:05:00Z".parse().unwrap(), "2026-11-24T06:17:23Z".parse().unwrap());
        let zone = TimeZone::get("Asia/Shanghai").unwrap();
        assert_eq!(waiting(4, 720, until, now, &zone), "round 4 of 720 begins at 2026-11-24 14:17:23 Asia/Shanghai, in 12 min");
    }

    #[test]
    fn spending_stands_against_its_budget() {
        let used = Spent { requests: 212, max_requests: Some(5000), tokens: 1_234_567, max_tokens: None };
        assert_eq!(spent(&used), "212 of 5000 requests · 1.23 M tokens");
    }
}
