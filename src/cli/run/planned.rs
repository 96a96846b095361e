//! What a plan file and the flags come to, before anything is begun.

use super::{Race, prepare, targets};
use crate::clock::Clock;
use crate::dataset::Dataset;
use crate::plan::{Patch, Plan, PlanFile, Source, resolve};
use crate::provider::Catalog;
use crate::record::{Simulated, TargetFacts};
use crate::secret::Secret;
use anyhow::{Context, bail};
use std::path::{Path, PathBuf};

/// A plan with its data set and its targets.
pub struct Planned {
    /// The plan; the rounds of a schedule with an end are not counted yet.
    pub plan: Plan,
    /// The data set.
    pub dataset: Dataset,
    /// One a target of the plan, in its order.
    pub targets: Vec<TargetFacts>,
    /// Present where all of them are simulated.
    pub simulated: Option<Simulated>,
    /// The plan's file as named, and its text.
    file: Option<(String, String)>,
}

impl Planned {
    /// Reads a plan file, if one is named, and takes the flags over it. Nothing is written and no key is asked for.
    pub fn read(path: Option<&Path>, patch: &Patch, catalog: &Catalog) -> anyhow::Result<Planned> {
        // A path typed on the command line counts from here, one in the plan from the plan's own folder.
        let folder = path.and_then(Path::parent).unwrap_or(Path::new("")).to_owned();
        let (plan_file, text) = plan_file(path, &folder)?;
        let file = path.map(|path| path.display().to_string()).zip(text);
        let source = file.as_ref().map(|(file, text)| Source { file, text });
        let dataset = Dataset::find(plan_file.dataset_name(patch), if patch.dataset.is_some() { Path::new("") } else { &folder })?;
        let plan = resolve(plan_file, patch, source, &dataset)?;
        let found = targets::targets(&plan, catalog, patch, source)?;
        targets::can_be_asked(&plan, &found, &dataset, patch, source)?;
        let simulated = targets::simulated(&found)?;
        Ok(Planned { plan, dataset, targets: found, simulated, file })
    }

    /// The plan of a run that begins now: the rounds before its schedule's end are counted.
    pub fn beginning(self) -> anyhow::Result<Planned> {
        let source = self.file.as_ref().map(|(file, text)| Source { file, text });
        let plan = self.plan.beginning(Clock::System.wall(), source)?;
        Ok(Planned { plan, ..self })
    }

    /// As a race, with the keys that were found for its targets.
    pub fn race(self, (targets, keys): (Vec<TargetFacts>, Vec<Option<Secret>>), results: PathBuf) -> anyhow::Result<Race> {
        let Planned { plan, dataset, simulated, file, .. } = self;
        let plan_text = file.map_or_else(|| prepare::plan_text(&plan), |(_, text)| Ok(text))?;
        let budget = plan.budget.clone();
        Ok(Race { plan, plan_text, dataset, targets, keys, simulated, budget, results })
    }
}

/// A plan file, its paths counted from its folder, and its text.
pub fn plan_file(path: Option<&Path>, folder: &Path) -> anyhow::Result<(PlanFile, Option<String>)> {
    let Some(path) = path else { return Ok((PlanFile::default(), None)) };
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            bail!("{}: no such file; `photofinish init` writes a plan, or name targets by --target", path.display())
        }
        Err(error) => return Err(error).with_context(|| path.display().to_string()),
    };
    let mut file = PlanFile::parse(Source { file: &path.display().to_string(), text: &text })?;
    file.tokenizer = file.tokenizer.map(|path| folder.join(path));
    for entry in &mut file.targets {
        entry.ca_file = entry.ca_file.take().map(|path| folder.join(path));
    }
    Ok((file, Some(text)))
}
