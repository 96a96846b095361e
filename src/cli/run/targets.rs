//! Which targets a plan names, and with which keys they are asked.

use super::super::say;
use crate::dataset::Dataset;
use crate::plan::{Patch, Plan, PlanError, Source, never};
use crate::provider::{Catalog, Keys, UserConfig};
use crate::record::{Simulated, TargetFacts, TransportKind};
use crate::secret::{EnvFile, Secret};
use anyhow::bail;
use std::path::PathBuf;

/// Where keys come from beside the environment, and where they may go.
#[derive(Debug, Clone, clap::Args)]
pub struct KeyWays {
    /// A further host to which a key may go (may be repeated)
    #[arg(long, value_name = "HOST")]
    allow_key_host: Vec<String>,
    /// A file of NAME=value lines for keys that the environment does not hold; yours, and of mode 0600
    #[arg(long, value_name = "FILE")]
    env_file: Option<PathBuf>,
}

/// The plan's targets, looked up in the catalog.
pub fn targets(plan: &Plan, catalog: &Catalog, patch: &Patch, source: Option<Source<'_>>) -> anyhow::Result<Vec<TargetFacts>> {
    let mut found: Vec<TargetFacts> = Vec::new();
    for (at, entry) in plan.targets.iter().enumerate() {
        let fault = |message: String| match (patch.targets.is_empty(), source) {
            (true, Some(source)) => PlanError::at(Some(source), &format!("targets[{at}]"), message),
            _ => PlanError::at(None, "--target", message),
        };
        let target = catalog.target(entry).map_err(|error| fault(error.to_string()))?;
        if found.iter().any(|other| other.id == target.id) {
            return Err(fault(format!("two targets are called `{}`; give one of them a `name:` of its own", target.id)).into());
        }
        let by_reqwest = target.transport == TransportKind::Reqwest;
        if target.http2 && !by_reqwest {
            return Err(fault(format!("{}: http2 needs `transport: reqwest`", target.id)).into());
        }
        if target.proxy.as_deref().is_some_and(|proxy| proxy.starts_with("socks")) && !by_reqwest {
            return Err(fault(format!("{}: a SOCKS proxy needs `transport: reqwest`", target.id)).into());
        }
        found.push(target);
    }
    Ok(found)
}

/// No target's pace forbids a request of the plan for good.
pub fn can_be_asked(
    plan: &Plan,
    targets: &[TargetFacts],
    dataset: &Dataset,
    patch: &Patch,
    source: Option<Source<'_>>,
) -> Result<(), PlanError> {
    match (never(plan, targets, dataset), source.filter(|_| patch.targets.is_empty())) {
        (None, _) => Ok(()),
        (Some((at, message)), Some(source)) => Err(PlanError::at(Some(source), &format!("targets[{at}]"), message)),
        (Some((_, message)), None) => Err(PlanError::at(None, "--target", message)),
    }
}

/// A race is among simulated providers or among real ones.
pub fn simulated(targets: &[TargetFacts]) -> anyhow::Result<Option<Simulated>> {
    let (simulated, real): (Vec<&TargetFacts>, Vec<&TargetFacts>) = targets.iter().partition(|target| target.simulated);
    match (simulated.first(), real.first()) {
        (Some(simulated), Some(real)) => bail!("`{}` is simulated and `{}` is not; race them apart", simulated.id, real.id),
        (Some(_), None) => Ok(Some(Simulated { scale: 1.0 })),
        (None, _) => Ok(None),
    }
}

/// Targets, each with the name of its key's source, and their keys.
pub type WithKeys = (Vec<TargetFacts>, Vec<Option<Secret>>);

/// Each target's key, before anything is sent. All that are missing are named at once; a dry run only warns of them.
pub fn keys(targets: Vec<TargetFacts>, catalog: &Catalog, ways: &KeyWays, dry_run: bool) -> anyhow::Result<WithKeys> {
    let file = ways.env_file.as_deref().map(EnvFile::open).transpose()?.unwrap_or_default();
    let keys = Keys::with_file(catalog, UserConfig::load()?, ways.allow_key_host.clone(), file);
    let (mut found, mut faults) = ((Vec::new(), Vec::new()), Vec::new());
    for mut target in targets {
        match keys.resolve(&target) {
            Ok(key) => {
                target.key_env = key.source;
                found.0.push(target);
                found.1.push(key.secret);
            }
            Err(fault) => faults.push(fault.to_string()),
        }
    }
    match (faults.is_empty(), dry_run) {
        (true, _) => {}
        (false, true) => say(&format!("a run would stop here:\n  {}", faults.join("\n  "))),
        (false, false) => bail!("{}", faults.join("\n       ")),
    }
    Ok(found)
}

/// Whether a target is served from another machine.
pub fn is_remote(target: &TargetFacts) -> bool {
    let url = url::Url::parse(&target.base_url).ok();
    match url.as_ref().and_then(url::Url::host) {
        Some(url::Host::Domain(name)) => name != "localhost",
        Some(url::Host::Ipv4(address)) => !address.is_loopback(),
        Some(url::Host::Ipv6(address)) => !address.is_loopback(),
        None => true,
    }
}
