//! One reply drawn on a line of time. Only characters of our own are in it.

use super::Lang;
use crate::metric::Reply;
use crate::timeline::Phase;
use unicode_width::UnicodeWidthStr;

/// The bars of a reply: what came when, and how exact that is. Empty when nothing came.
pub(super) fn bars(reply: &Reply<'_>, width: usize, lang: Lang) -> Vec<String> {
    let Some(end) = reply.arrivals.last().map(|last| last.moment.at).filter(|end| 0.0 < *end) else { return Vec::new() };
    let width = width.clamp(20, 160) - 10;
    let place = |ms: f64| ((ms / end * width as f64) as usize).min(width - 1);
    let mut texts = vec![' '; width];
    let mut marks = vec![' '; width];
    let mut last: Option<(usize, char)> = None;
    for point in reply.answer.timeline.points() {
        let moment = reply.moment(&point);
        let (at, sign) = (place(moment.at), sign(point.phase));
        // Between two texts of one phase the bar goes on, unless the silence is a stall.
        if let Some((from, before)) = last.filter(|(_, before)| *before == sign) {
            for cell in texts.iter_mut().take(at).skip(from + 1).filter(|cell| **cell == ' ') {
                *cell = before;
            }
        }
        texts[at] = sign;
        if !moment.exact() {
            marks[place(moment.earliest)..=at].fill('~');
        }
        last = Some((at, sign));
    }
    for two in reply.arrivals.windows(2).filter(|two| reply.rules.stall_ms < two[1].moment.earliest - two[0].moment.at) {
        let (from, to) = (place(two[0].moment.at) + 1, place(two[1].moment.at));
        if from < to {
            texts[from..to].fill('·');
        }
    }
    let line =
        |head: &str, cells: &[char]| format!("{head}{}{}", " ".repeat(9 - head.width()), cells.iter().collect::<String>().trim_end());
    let mut lines = vec![line(lang.say("texts", "文本"), &texts)];
    if marks.contains(&'~') {
        lines.push(line(lang.say("interval", "区间"), &marks));
    }
    lines.push(ruler(end, width));
    lines
}

fn sign(phase: Phase) -> char {
    match phase {
        Phase::Reasoning => '░',
        Phase::Content => '█',
        Phase::Tool => '▓',
    }
}

/// What the signs mean.
pub(super) const fn legend(lang: Lang) -> &'static str {
    lang.say(
        "░ reasoning   █ content   ▓ tool call   · stall   ~ time known as an interval",
        "░ 推理   █ 回答   ▓ 工具调用   · 停顿   ~ 时刻只知区间",
    )
}

fn ruler(end_ms: f64, width: usize) -> String {
    let (end, unit) = if end_ms < 10_000.0 { (end_ms, "ms") } else { (end_ms / 1e3, "s") };
    let mut line = vec![' '; width + 10];
    // Labels of a narrow window would run into each other.
    let last = match width {
        ..24 => 1,
        24..50 => 2,
        _ => 4,
    };
    for step in 0..=last {
        let at = (width - 1) * step / last;
        let value = end * step as f64 / last as f64;
        let label = if step == last { format!("{value:.0} {unit}") } else { format!("{value:.0}") };
        let from = if step == last { at.saturating_sub(label.len() - 1) } else { at };
        for (i, c) in label.chars().enumerate() {
            line[from + i] = c;
        }
    }
    format!("{:<9}{}", "", line.into_iter().collect::<String>().trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rulers_labels_stand_apart_at_every_width() {
        for (width, end) in (10..=150).flat_map(|width| [(width, 9458.0), (width, 120.0), (width, 299_000.0)]) {
            let line = ruler(end, width);
            let numbers: Vec<&str> = line.split_whitespace().collect();
            assert_eq!(numbers.len(), [3, 4, 6][usize::from(24 <= width) + usize::from(50 <= width)], "{line}");
        }
    }
}
