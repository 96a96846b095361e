//! What a command does while its measuring thread works: it shows what is said, draws the passing seconds, and hands signals on.

use super::progress::Display;
use super::signals::{Signals, stopping};
use crate::ident::TargetId;
use crate::record::TargetFacts;
use crate::runner::{Progress, Raced, Stop};
use anyhow::anyhow;
use std::collections::BTreeMap;
use std::thread::JoinHandle;
use tokio::sync::{mpsc, watch};

/// Who is told what happens in a run.
pub trait Listener {
    /// Something happened.
    fn hear(&mut self, said: Progress);
    /// Where it is shown.
    fn display(&mut self) -> &mut Display;
}

/// Listens until the measuring thread lets go of its end, and takes its result.
pub fn until_over(
    measuring: JoinHandle<std::io::Result<Raced>>,
    mut told: mpsc::UnboundedReceiver<Progress>,
    stop: &watch::Sender<Stop>,
    listener: &mut impl Listener,
) -> anyhow::Result<Raced> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut signals = Signals::listen()?;
        let mut second = tokio::time::interval(std::time::Duration::from_secs(1));
        loop {
            tokio::select! {
                said = told.recv() => match said {
                    Some(said) => listener.hear(said),
                    None => return anyhow::Ok(()),
                },
                () = signals.next() => listener.display().notice(stopping(stop)),
                _ = second.tick() => listener.display().tick(),
            }
        }
    })?;
    Ok(measuring.join().map_err(|_| anyhow!("the measuring thread panicked; what was recorded is in the run folder"))??)
}

/// What each target has given so far: usable samples, and how its last request went.
pub struct Samples(BTreeMap<TargetId, (u64, String)>);

impl Samples {
    /// Nothing yet but what an earlier sitting got.
    pub fn of(targets: &[TargetFacts], before: &BTreeMap<TargetId, u64>) -> Samples {
        let usable = |target: &TargetFacts| before.get(&target.id).copied().unwrap_or(0);
        Samples(targets.iter().map(|target| (target.id.clone(), (usable(target), String::new()))).collect())
    }

    /// Takes in what happened.
    pub fn saw(&mut self, said: &Progress) {
        if let Progress::Trial { target, usable, words, .. } = said {
            let sampled = self.0.entry(target.clone()).or_default();
            sampled.0 += u64::from(*usable);
            sampled.1.clone_from(words);
        }
    }

    /// Targets that gave no usable sample, and how their last request went.
    pub fn without(self) -> Vec<(TargetId, String)> {
        self.0.into_iter().filter(|(_, (usable, _))| *usable == 0).map(|(target, (_, last))| (target, last)).collect()
    }
}
