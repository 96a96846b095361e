//! Before a block: it begins when every target in it may be asked.
//!
//! A pair is compared within its block because both were asked in the same minutes. So a target that must wait holds the whole block, and
//! the others wait with it: the block ends at the same time as if they had gone ahead, and its requests still share their moment. What
//! would wait too long is left out of the block instead.

use super::Stop;
use super::lane::{Lane, Setting};
use super::pace::Turn;
use crate::ident::TargetId;
use crate::record::NotSent;
use crate::units::{Stamp, secs};

/// The longest that a block waits for one of its targets.
const LONGEST: u64 = secs(15 * 60);

/// A shorter wait is not worth a line on the screen.
const WORTH_TELLING: u64 = secs(10);

/// How a target enters a block.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entry {
    /// It had to wait from here on.
    pub held_since: Option<Stamp>,
    /// It is left out.
    pub not_sent: Option<NotSent>,
}

/// Targets that are waited for, and until when.
pub type Waiting<'a> = &'a mut dyn FnMut(Vec<TargetId>, jiff::Timestamp);

/// Waits until each lane that still runs may be asked, one request of as many `tokens` at most, and says how each enters the block. Nobody
/// waits beyond `slot_end`. None: the run was stopped meanwhile.
pub async fn hold(lanes: &mut [Lane], tokens: &[u64], slot_end: Option<Stamp>, setting: &Setting, tell: Waiting<'_>) -> Option<Vec<Entry>> {
    let came = setting.clock.now();
    let last = slot_end.map_or(came.plus(LONGEST), |end| end.min(came.plus(LONGEST)));
    let mut entries = vec![Entry::default(); lanes.len()];
    loop {
        let (now, wall) = (setting.clock.now(), setting.clock.wall());
        let mut waited_for: Vec<(Stamp, TargetId)> = Vec::new();
        for ((lane, entry), tokens) in lanes.iter_mut().zip(&mut entries).zip(tokens) {
            if lane.stopped.is_some() || entry.not_sent.is_some() {
                continue;
            }
            entry.not_sent = match lane.pacer.turn(now, wall, *tokens) {
                Turn::Now => None,
                Turn::At(at) if at <= last => {
                    entry.held_since = Some(came);
                    waited_for.push((at, lane.racer.facts.id.clone()));
                    None
                }
                Turn::At(at) => Some(NotSent::HeldBack { reason: too_long(at.since(now), last.since(now)) }),
                // Every request of the block before has ended by now.
                Turn::AfterAnEnd => Some(NotSent::HeldBack { reason: "a request before it has not ended".into() }),
                Turn::NotToday(reason) => Some(NotSent::OverBudget { reason }),
                Turn::Never(reason) => Some(NotSent::NoRequest { reason }),
            };
        }
        let Some(latest) = waited_for.iter().map(|(at, _)| *at).max() else { return Some(entries) };
        if WORTH_TELLING <= latest.since(now) {
            let until = wall + std::time::Duration::from_nanos(latest.since(now));
            tell(waited_for.into_iter().map(|(_, target)| target).collect(), until);
        }
        if !sleep_unless_stopped(setting, latest).await {
            return None;
        }
    }
}

/// Whether every lane that still runs has used up its day.
pub fn all_over_budget(lanes: &mut [Lane], tokens: &[u64], setting: &Setting) -> bool {
    let (now, wall) = (setting.clock.now(), setting.clock.wall());
    let mut running = lanes.iter_mut().zip(tokens).filter(|(lane, _)| lane.stopped.is_none()).peekable();
    running.peek().is_some() && running.all(|(lane, tokens)| matches!(lane.pacer.turn(now, wall, *tokens), Turn::NotToday(_)))
}

fn too_long(wait_ns: u64, left_ns: u64) -> String {
    let seconds = |ns: u64| ns.div_ceil(secs(1));
    let left = match left_ns {
        0 => "its round's time is over".to_owned(),
        left => format!("its block waits for {} s at most", left / secs(1)),
    };
    format!("it may be asked again in {} s, and {left}", seconds(wait_ns))
}

/// False: stopped.
async fn sleep_unless_stopped(setting: &Setting, until: Stamp) -> bool {
    let mut stop = setting.stop.clone();
    let stopped = async {
        // A sender that is gone stops nothing.
        if stop.wait_for(|stop| *stop != Stop::Go).await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        biased;
        () = stopped => false,
        () = setting.clock.sleep_until(until) => true,
    }
}
