//! `photofinish init`: a commented plan with models that are still served.

use super::Done;
use crate::dataset::BUILTIN;
use crate::plan::SPEEDS;
use crate::provider::{Catalog, Keys, Profile, UserConfig};
use anyhow::{Context, bail};
use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

/// Arguments of `init`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Only models of this family, such as r1: the same model at different providers
    #[arg(long)]
    family: Option<String>,
    /// The file to write
    #[arg(long, short, value_name = "FILE", default_value = "plan.yaml")]
    output: PathBuf,
    /// Replace the file if it is there
    #[arg(long)]
    force: bool,
    /// A folder of provider files that stand before the built-in ones (may be repeated)
    #[arg(long, value_name = "DIR")]
    providers: Vec<PathBuf>,
}

/// A model that can be asked for.
struct Choice {
    target: String,
    family: Option<String>,
    title: String,
    /// Variables that may hold the key; empty where none is needed.
    variables: Vec<String>,
    /// A key is there, or none is needed.
    ready: bool,
    /// Published figures, as a reader would say them.
    published: Option<String>,
}

/// Runs the command.
pub fn run(args: Args) -> anyhow::Result<Done> {
    let catalog = Catalog::load(&args.providers)?;
    let choices = choices(&catalog, args.family.as_deref())?;
    let text = plan(&choices, args.family.as_deref());
    let mut options = std::fs::OpenOptions::new();
    options.write(true);
    let options = if args.force { options.create(true).truncate(true) } else { options.create_new(true) };
    let path = args.output.display();
    let mut file = match options.open(&args.output) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
            bail!("{path} is there already; give another --output, or --force to replace it")
        }
        Err(error) => return Err(error).with_context(|| path.to_string()),
    };
    file.write_all(text.as_bytes()).with_context(|| path.to_string())?;
    anstream::println!("{path}");
    anstream::eprintln!("photofinish run {path} --dry-run tells what it would cost; without --dry-run it races");
    Ok(Done::Well)
}

/// The live models of the catalog; of one family, or of all providers on the network.
fn choices(catalog: &Catalog, family: Option<&str>) -> anyhow::Result<Vec<Choice>> {
    let keys = Keys::new(catalog, UserConfig::load()?, Vec::new());
    let (mut found, mut families) = (Vec::new(), BTreeSet::new());
    for profile in catalog.profiles() {
        let profile: Arc<Profile> = profile?;
        let (variables, set) = keys.variable(&profile);
        let ready = set.is_some() || keys.has_command(&profile) || profile.key.as_ref().is_none_or(|rule| rule.optional);
        for model in profile.live_models() {
            families.extend(model.family.clone());
            if family.is_some_and(|wanted| !model.family.as_deref().is_some_and(|family| belongs(family, wanted))) {
                continue;
            }
            let region = model.region.as_ref().map(|region| format!("@{region}")).unwrap_or_default();
            let speed = model.claims.iter().find(|claim| SPEEDS.contains(&claim.metric.as_str()));
            let published = speed.map(|claim| format!("{} tok/s published, {}, {}", claim.value, claim.source, claim.date));
            found.push(Choice {
                target: format!("{}{region}/{}", profile.provider.id, model.id),
                family: model.family.clone(),
                title: profile.provider.title.clone(),
                variables: variables.clone(),
                ready,
                published,
            });
        }
    }
    match (found.is_empty(), family) {
        (true, Some(family)) => {
            let known: Vec<String> = families.into_iter().collect();
            bail!("no live model of the family `{family}`; known are {}", known.join(", "))
        }
        _ => Ok(found),
    }
}

/// `r1` means `deepseek-r1`, and not the models distilled from it.
fn belongs(family: &str, wanted: &str) -> bool {
    let (family, wanted) = (family.to_lowercase(), wanted.to_lowercase());
    family == wanted || family.strip_suffix(&wanted).is_some_and(|head| head.ends_with('-'))
}

fn plan(choices: &[Choice], family: Option<&str>) -> String {
    let mut text = String::from(HEAD);
    // Of one family all stand ready to race; of the whole catalog those whose key is there, or else the first.
    let any_ready = choices.iter().any(|choice| choice.ready);
    for (at, choice) in choices.iter().enumerate() {
        let takes_part = family.is_some() || if any_ready { choice.ready } else { at == 0 };
        let mark = if takes_part { "" } else { "# " };
        let key = match (choice.variables.is_empty(), choice.ready) {
            (true, _) => "no key needed".to_owned(),
            (false, true) => format!("{} (set)", choice.variables.join(" or ")),
            (false, false) => format!("set {}", choice.variables.join(" or ")),
        };
        let family = choice.family.as_deref().map(|family| format!("; family {family}")).unwrap_or_default();
        let published = choice.published.as_deref().map(|published| format!("; {published}")).unwrap_or_default();
        let _ = writeln!(text, "  {mark}- {}  # {}; {key}{family}{published}", choice.target, choice.title);
    }
    text.push_str(LOCAL);
    let _ = write!(text, "\n# Built-in data sets: {}; or a path to a .jsonl file.\n", BUILTIN.join(", "));
    text.push_str(TAIL);
    text
}

const HEAD: &str = "\
# A plan for photofinish. Everything but `targets` may be left out; the values below are the defaults.
name: race

# What is compared. `provider/model`, `provider@region/model`, or `http://host:port/v1=model` for any server that speaks the chat
# dialect. As a map a target takes more: name, base_url, family, sampling, thinking, extra_body, proxy, ca_file, claims.
# Keys are read from the environment and never written down here.
targets:
";

const LOCAL: &str = "  # - target: http://127.0.0.1:8000/v1=my-model  # a server of your own (vLLM, SGLang, llama.cpp, Ollama …)
  #   name: my server
";

const TAIL: &str = "\
dataset: short-en

# look: 3 rounds of 5 prompts · quick: 10 of 5 · day: 24 of 10, one an hour · publish: 72 of 10, one an hour over three days.
# `rounds`, `prompts` (a number, or a list of ids) and `every_s` (seconds between rounds) change single figures of it.
preset: look

# Rounds by the calendar, in place of every_s (docs/plan.md):
# schedule:
#   cron: \"17 * * * *\"      # minute, hour, day of month, month, day of week
#   zone: Asia/Shanghai
#   jitter_s: 600           # each round up to so many seconds after its time
#   for: 30 d

seed: 1                # every random choice comes from it: prompts, their order, the order of targets
concurrency: at_once   # at_once: all targets of a block at the same moment; sequential: one after another
warm_up: true          # one request of one token a target opens each round; it is not scored
cache: defeat          # defeat: a nonce at the front of each prompt keeps prefix caches out; allow: prompts as they are
thinking: default      # on, off, or the provider's default
keep_text: true        # false keeps token counts and a keyed hash in place of the replies
stall_ms: 500          # a longer gap is a stall
min_tokens: 16         # shorter replies stay out of the speed tables

# sampling: {max_tokens: 4096, temperature: 0.6, top_p: 0.95, seed: 7}          # equal for all targets; absent ones are not sent
# limits: {connect_s: 10, first_token_s: 60, idle_s: 30, total_s: 300}         # the data set's own where absent
# budget: {max_requests: 500, max_total_tokens: 1000000}                        # stops between blocks; --resume goes on
# vantage: Shenzhen, home line                                                  # where it is measured from

# Times of the day that `photofinish hours` holds against each other: fixed before the run, since the slowest hour can always be found
# afterwards. These are the default ones.
# windows: {zone: Asia/Shanghai, peak: ['09:00-12:00', '14:00-18:00', '20:00-23:00'], off_peak: ['00:00-07:00']}
";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::Dataset;
    use crate::plan::{Patch, PlanFile, Source, resolve};

    #[test]
    fn what_init_writes_is_a_plan_whose_every_target_is_live() {
        let catalog = Catalog::builtin();
        for family in [None, Some("r1"), Some("deepseek-r1")] {
            let text = plan(&choices(&catalog, family).unwrap(), family);
            // The commented targets are sound as well.
            let all = text.replace("  # - ", "  - ").replace("  #   name", "    name").replace("\n# windows:", "\nwindows:");
            for text in [&text, &all] {
                let source = Source { file: "plan.yaml", text };
                let file = PlanFile::parse(source).unwrap_or_else(|error| panic!("{error}"));
                let plan = resolve(file, &Patch::default(), Some(source), &Dataset::builtin("short-en").unwrap()).unwrap();
                for entry in plan.targets.iter().filter(|entry| !entry.target.starts_with("azure")) {
                    catalog.target(entry).unwrap_or_else(|error| panic!("{}: {error}", entry.target));
                }
            }
        }
    }

    #[test]
    fn a_family_is_the_model_itself_and_not_what_was_distilled_from_it() {
        assert!(belongs("deepseek-r1", "r1") && belongs("deepseek-r1", "DeepSeek-R1"));
        assert!(!belongs("deepseek-r1-distill-llama-70b", "r1"));
        let found = choices(&Catalog::builtin(), Some("r1")).unwrap();
        assert!(2 <= found.len() && found.iter().all(|choice| choice.family.as_deref() == Some("deepseek-r1")));
        let error = choices(&Catalog::builtin(), Some("r9")).err().unwrap().to_string();
        assert!(error.contains("no live model of the family `r9`; known are") && error.contains("deepseek-r1"), "{error}");
    }
}
