//! Bars on a terminal: what is going on, what is used and how long it takes, and one line a target. The terminal's height may be too small; indicatif then draws
//! what fits.

use super::super::plain;
use super::tally::Counts;
use super::words;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

/// What is drawn over and over.
pub struct Bars {
    multi: MultiProgress,
    titles: [ProgressBar; 2],
    targets: Vec<ProgressBar>,
}

impl Bars {
    /// One bar for each target, in their order.
    pub fn new(targets: &[Counts]) -> Bars {
        let multi = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        let titles = [multi.add(ProgressBar::no_length()), multi.add(ProgressBar::no_length())];
        titles.iter().for_each(|title| set(title, "{wide_msg}"));
        let names: Vec<(String, usize)> = targets.iter().map(|counts| words::name(&plain(counts.target.as_str()), words::NAME)).collect();
        let width = names.iter().map(|(_, columns)| *columns).max().unwrap_or(0);
        let bar = |(shown, columns): (String, usize)| {
            let bar = multi.add(ProgressBar::no_length());
            set(&bar, "  {prefix} {bar:10} {wide_msg}");
            bar.set_prefix(format!("{shown}{:1$}", "", width - columns));
            bar
        };
        let targets = names.into_iter().map(bar).collect();
        Bars { multi, titles, targets }
    }

    /// Draws the counters as they are now. `timed`: each target has a time left of its own.
    pub fn draw(&self, titles: &[String; 2], targets: &[Counts], timed: bool) {
        for (bar, title) in self.titles.iter().zip(titles) {
            bar.set_message(plain(title));
        }
        for (bar, counts) in self.targets.iter().zip(targets) {
            let over = counts.done + counts.not_sent;
            match counts.left {
                Some(left) => bar.set_length(over + left),
                // A stage that lasts some time has a length in time only.
                None => bar.set_length(over.max(1)),
            }
            bar.set_position(over);
            bar.set_message(words::standing(counts, timed));
        }
    }

    /// Says something above the bars.
    pub fn above(&self, say: impl FnOnce()) {
        self.multi.suspend(say);
    }

    /// Leaves nothing of them.
    pub fn clear(&self) {
        for bar in self.targets.iter().chain(&self.titles) {
            bar.finish_and_clear();
        }
    }
}

fn set(bar: &ProgressBar, template: &str) {
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style);
    }
}
