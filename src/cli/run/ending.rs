//! How a race ended, in words and as an exit code: the folder on stdout, everything else on stderr.

use super::super::progress::moment;
use super::super::{Done, say};
use super::drive::{Again, RaceOver};
use crate::runner::{NextRound, Outcome};
use anyhow::bail;
use jiff::tz::TimeZone;

/// Says how a race ended.
pub fn tell(over: RaceOver) -> anyhow::Result<Done> {
    let (folder, rounds) = (over.raced.folder.display(), over.rounds);
    anstream::println!("{folder}");
    match &over.raced.outcome {
        Outcome::Finished => {}
        Outcome::RoundDone { round, left: 0, .. } => say(&format!("round {round} of {rounds} is over, and with it the run")),
        Outcome::RoundDone { round, next, .. } => {
            let next = next.map(|next| format!("; {}", begins(next, rounds, &over.zone))).unwrap_or_default();
            say(&format!("round {round} of {rounds} is over{next}"));
        }
        Outcome::NoRoundDue { next } => {
            say(&none_due(*next, rounds, &over.zone));
            return Ok(Done::Well);
        }
        Outcome::AllStopped => say("every target is stopped; see the reasons above"),
        Outcome::BudgetSpent(how) => say(&format!("budget spent: {how}; {} goes on with a larger one, or a day later", larger(&over))),
        Outcome::Interrupted => say(&format!("interrupted; {}", again(&over))),
        Outcome::RecordFailed(fault) => bail!("the record cannot be written: {fault}"),
    }
    if over.raced.outcome == Outcome::Interrupted {
        return Ok(Done::Interrupted);
    }
    say(&format!("photofinish table {folder}"));
    for (target, last) in &over.without_sample {
        let how = if last.is_empty() { String::new() } else { format!("; the last request: {last}") };
        say(&format!("no usable sample from {target}{how}"));
    }
    let stopped = over.raced.outcome == Outcome::AllStopped;
    Ok(if over.without_sample.is_empty() && !stopped { Done::Well } else { Done::WithoutSample })
}

/// That no round is due, and when one is.
pub fn none_due(next: Option<NextRound>, rounds: u32, zone: &TimeZone) -> String {
    match next {
        Some(next) => format!("no round is due; {}", begins(next, rounds, zone)),
        None => format!("no round is due: all {rounds} are over"),
    }
}

fn begins(next: NextRound, rounds: u32, zone: &TimeZone) -> String {
    format!("round {} of {rounds} begins at {}", next.round, moment(next.due, zone))
}

fn again(over: &RaceOver) -> String {
    match over.again {
        Again::Resume => format!(
            "photofinish run --resume {} goes on, within 15 minutes also with the round that was under way",
            over.raced.folder.display()
        ),
        Again::SameCommand => "the same command goes on in this run".into(),
        Again::Never => "what is on record can be read".into(),
    }
}

fn larger(over: &RaceOver) -> String {
    match over.again {
        Again::SameCommand => "the same command with --max-requests or --max-total-tokens".into(),
        _ => format!("photofinish run --resume {} …", over.raced.folder.display()),
    }
}
