//! `photofinish show`: one timeline, drawn.

use super::Done;
use super::reading::{Counting, Writing, folder};
use crate::analysis::{Joined, Options, basis};
use crate::measured::Sheet;
use crate::metric::{Reply, Rules, Tally};
use crate::record::{NotSent, Role, Trial};
use crate::report::{Context, plain, portrait};
use crate::store::Run;
use anyhow::{Context as _, bail};
use std::path::PathBuf;

/// Arguments of `show`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A run folder, or `latest`
    #[arg(value_name = "RUN")]
    run: PathBuf,
    /// Which request: ROUND/PROMPT/TARGET, such as 1/short-zh-07/deepseek/deepseek-v4-pro
    #[arg(value_name = "ROUND/PROMPT/TARGET")]
    trial: String,
    #[command(flatten)]
    counting: Counting,
    #[command(flatten)]
    writing: Writing,
    /// Where `latest` is looked for
    #[arg(long, value_name = "DIR", default_value = "results")]
    results: PathBuf,
}

/// Runs the command.
pub fn run(args: Args) -> anyhow::Result<Done> {
    let run = Run::open(&folder(&args.run, &args.results)?)?;
    let trial = find(&run, &args.trial)?;
    let Some(answer) = trial.answer.as_deref() else {
        bail!("{} was not sent: {}", address(trial), why(trial.not_sent.as_ref()));
    };
    let target = run.manifest.targets.iter().find(|target| target.id == trial.target);
    let target = target.with_context(|| format!("{}: the manifest knows no such target", trial.target))?;
    let reference = args.counting.reference()?;
    // The same basis as the whole table's, or the two would contradict each other.
    let sheet = Sheet::of(&run, &reference);
    let joined = Joined::new(std::slice::from_ref(&sheet))?;
    let (basis, because) = basis(&joined, &Options { basis: args.counting.basis, ..Options::default() });
    let placed = joined.trials.iter().find(|placed| run.trials.get(placed.trial).is_some_and(|placed| std::ptr::eq(placed, trial)));
    let standing = placed.map(|placed| placed.standing);
    let tally = Tally::of(answer, target, &reference);
    let reply = Reply::new(answer, &tally, basis, Rules::of(&run.manifest));
    let scale = run.manifest.simulated.as_ref().map(|simulated| simulated.scale);
    let width = args.writing.columns();
    let context = Context { lang: args.writing.lang, standing, scale, tokenizer: reference.name(), basis_because: &because };
    let portrait = portrait(trial, target, &reply, &context, width);
    args.writing.write(&portrait.write(args.writing.format, width))?;
    Ok(Done::Well)
}

/// The trial at an address: of several attempts the last, and the scored one before a warm-up.
fn find<'r>(run: &'r Run, address_text: &str) -> anyhow::Result<&'r Trial> {
    let parts: Vec<&str> = address_text.splitn(3, '/').collect();
    let &[round, prompt, target] = parts.as_slice() else {
        bail!("{address_text:?} names no request; {}", usage(run));
    };
    let Ok(round) = round.parse::<u32>() else {
        bail!("{address_text:?} begins with no round; {}", usage(run));
    };
    // Tables print simulated targets with a prefix; both forms are understood.
    let target = target.strip_prefix("sim:").unwrap_or(target);
    let here = |trial: &&Trial| trial.round == round && trial.prompt.as_str() == prompt && trial.target.as_str() == target;
    let found = run.trials.iter().filter(here).max_by_key(|trial| (trial.role == Role::Scored, trial.attempt));
    found.with_context(|| {
        let mut near: Vec<(f64, String)> =
            run.trials.iter().map(address).map(|known| (strsim::jaro_winkler(&known, address_text), known)).collect();
        near.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        near.dedup();
        let near: Vec<String> = near.into_iter().take(3).map(|(_, known)| plain(&known)).collect();
        match near.is_empty() {
            true => format!("{address_text:?}: this run holds no request yet"),
            false => format!("{address_text:?}: no such request in this run; near it are {}", near.join(", ")),
        }
    })
}

fn address(trial: &Trial) -> String {
    format!("{}/{}/{}", trial.round, trial.prompt, trial.target)
}

fn usage(run: &Run) -> String {
    let example = run.trials.iter().find(|trial| trial.role == Role::Scored).map(address);
    format!("give ROUND/PROMPT/TARGET{}", example.map_or_else(String::new, |example| format!(", such as {}", plain(&example))))
}

fn why(not_sent: Option<&NotSent>) -> String {
    match not_sent {
        Some(NotSent::TargetStopped { reason }) => format!("the target was stopped ({})", plain(reason)),
        Some(NotSent::ClientBehind) => "this client fell behind".into(),
        Some(NotSent::RunEnded) => "the run ended before".into(),
        Some(NotSent::OverBudget { reason }) => format!("its daily budget is used up ({})", plain(reason)),
        Some(NotSent::HeldBack { reason }) => format!("it was held back ({})", plain(reason)),
        Some(NotSent::NoRequest { reason }) => plain(reason),
        None => "the record does not say why".into(),
    }
}
