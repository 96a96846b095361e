//! The day of each target as a line of blocks: the higher, the slower. It needs no colour.

use crate::analysis::{Bin, BinWidth, Hours, TargetHours};
use crate::record::{Window, zone};
use crate::report::harmless::plain;
use crate::report::prose::cut;
use crate::report::{Lang, targets::target_name};
use unicode_width::UnicodeWidthStr;

/// Up to this factor from its own level a target is steady.
const STEADY: f64 = 1.07;
/// Beyond this factor it is far from it.
const FAR: f64 = 1.25;
/// A bin without rounds.
const EMPTY: char = '·';

/// The lines of all targets under the hours of the day, in so many columns; none where they do not fit.
pub(super) fn heat(hours: &Hours, lang: Lang, width: usize) -> Vec<String> {
    let names: Vec<String> = hours.targets.iter().map(|target| plain(&target_name(target.id.as_str(), target.simulated))).collect();
    let marks = windows_of_hours(hours);
    let mark_name = lang.say("P peak, o off-peak", "P 高峰，o 低谷");
    let widest = names.iter().map(|name| name.width()).chain(marks.is_some().then_some(mark_name.width())).max().unwrap_or(0);
    let (per_hour, margin) = match width.checked_sub(widest + 2).map(|left| left / 24) {
        Some(fits) if 2 <= fits => (fits.min(4), widest + 2),
        _ if 50 <= width => (2, 2),
        _ if 24 <= width => (1, 0),
        _ => return Vec::new(),
    };
    let beside = widest + 2 == margin;
    let mut lines = vec![format!("{}{}", " ".repeat(margin), labels(hours.bin, per_hour))];
    let mut put = |name: &str, cells: String| match beside {
        true => lines.push(format!("{name}{}{cells}", " ".repeat(margin.saturating_sub(name.width())))),
        false => lines.extend([cut(name, width), format!("{}{cells}", " ".repeat(margin))]),
    };
    for (name, target) in names.iter().zip(&hours.targets) {
        put(name, cells(target, per_hour * usize::from(hours.bin.hours())));
    }
    if let Some(marks) = marks {
        put(mark_name, marks.into_iter().flat_map(|mark| std::iter::repeat_n(mark, per_hour)).collect::<String>().trim_end().to_owned());
    }
    lines
}

/// What the blocks mean.
pub(super) fn legend(lang: Lang) -> String {
    let (far, steady) = (format!("{:.2}", 1.0 / FAR), format!("{:.2}", 1.0 / STEADY));
    match lang {
        Lang::En => format!(
            "▁ below {far}× the target's own level, ▂ below {steady}×, ▃ up to {STEADY:.2}×, ▅ up to {FAR:.2}×, ▇ above: slow, {EMPTY} no round"
        ),
        Lang::Zh => format!(
            "▁ 低于该对象自身水平的 {far} 倍，▂ 低于 {steady} 倍，▃ 不超过 {STEADY:.2} 倍，▅ 不超过 {FAR:.2} 倍，▇ 更高，即更慢；{EMPTY} 没有轮次"
        ),
    }
}

fn cells(target: &TargetHours, columns: usize) -> String {
    target.bins.iter().flat_map(|bin| std::iter::repeat_n(block(bin), columns)).collect()
}

/// The block of a bin.
pub(super) fn block(bin: &Bin) -> char {
    match bin.ratio.and_then(|ratio| ratio.point.finite()) {
        None => EMPTY,
        Some(ratio) if ratio < 1.0 / FAR => '▁',
        Some(ratio) if ratio < 1.0 / STEADY => '▂',
        Some(ratio) if ratio <= STEADY => '▃',
        Some(ratio) if ratio <= FAR => '▅',
        Some(_) => '▇',
    }
}

/// The hours above the cells: as many as go with a blank between them, each at the beginning of a bin.
fn labels(bin: BinWidth, per_hour: usize) -> String {
    let fits = |step: &usize| step.is_multiple_of(usize::from(bin.hours())) && 3 <= step * per_hour;
    let step = [1, 2, 3, 4, 6, 12].into_iter().find(fits).unwrap_or(12);
    let label = |hour: usize| format!("{hour:02}{}", " ".repeat(step * per_hour - 2));
    (0..24).step_by(step).map(label).collect::<String>().trim_end().to_owned()
}

/// Which hours lie in the plan's windows, by their middle; `None` where the windows are read on another zone's clock.
fn windows_of_hours(hours: &Hours) -> Option<Vec<char>> {
    if hours.zone != hours.windows.zone || zone(&hours.zone).is_err() {
        return None;
    }
    let mark = |hour: u16| match hours.windows.holds(hour * 60 + 30) {
        Some(Window::Peak) => 'P',
        Some(Window::OffPeak) => 'o',
        None => ' ',
    };
    Some((0..24).map(mark).collect())
}
