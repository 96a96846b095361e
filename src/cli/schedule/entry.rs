//! From a plan to the entry of another scheduler: where everything stands, which variables hold keys, and what is written.

use super::super::run::Planned;
use super::super::say;
use super::{Args, Emit};
use crate::dataset::Dataset;
use crate::deploy::{self, Cluster, Entry, EntryFile, KeyVariable, PlanFileText};
use crate::plan::{PlanFile, Source};
use crate::provider::{Catalog, KeyError, Keys, UserConfig};
use crate::record::TargetFacts;
use crate::secret;
use anyhow::{Context, bail};
use jiff::Timestamp;
use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

/// Where systemd is told to find the keys, unless a flag says otherwise.
const SYSTEM_KEYS: &str = "/etc/photofinish/keys.env";
/// Where an image has the program, and the folder that a cluster's ConfigMap becomes.
const IN_IMAGE: (&str, &str) = ("photofinish", "/etc/photofinish");

/// Prints an entry, or writes its files.
pub fn give(args: &Args, emit: Emit, planned: &Planned, catalog: &Catalog, now: Timestamp) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(&args.plan).with_context(|| args.plan.display().to_string())?;
    let written = PlanFile::parse(Source { file: &args.plan.display().to_string(), text: &text })?;
    let mut entry = entry(args, emit, planned, now)?;
    entry.keys = keys(args, emit, &planned.targets, catalog)?;
    entry.env_file = match (&args.env_file, emit) {
        (Some(path), _) => Some(absolute(path)?),
        (None, _) if entry.keys.is_empty() => None,
        (None, Emit::Systemd) => Some(SYSTEM_KEYS.to_owned()),
        (None, _) => Some(absolute(&args.plan.with_file_name("keys.env"))?),
    };
    if let (None, Some(stem)) = (&written.name, args.plan.file_stem()) {
        entry.title = stem.to_string_lossy().into_owned();
        entry.name = deploy::name(&entry.title);
    }
    let files = match emit {
        Emit::Cron => vec![deploy::crontab(&entry, &machine_zone(args)?)?],
        Emit::Systemd => deploy::systemd(&entry)?,
        Emit::K8s => vec![deploy::kubernetes(&entry, &cluster(args, written, text)?)?],
    };
    refuse_keys(&files, &entry.keys)?;
    match &args.output {
        Some(folder) => write(folder, &files, args.force)?,
        None => print(&files),
    }
    match &entry.keys[..] {
        [] => {}
        keys => {
            let names: Vec<&str> = keys.iter().map(|key| key.name.as_str()).collect();
            say(&format!("keys are not in it; {} must be given as its comments say", names.join(", ")));
        }
    }
    Ok(())
}

fn entry(args: &Args, emit: Emit, planned: &Planned, now: Timestamp) -> anyhow::Result<Entry> {
    let plan = &planned.plan;
    let Some(schedule) = &plan.schedule else {
        bail!(
            "{}: a plan without `schedule:` has no times to give to another scheduler; add\n  schedule:\n    cron: \"17 * * * *\"\n    \
             zone: Asia/Shanghai\n    for: 30 d",
            args.plan.display()
        );
    };
    let mut arguments = Vec::new();
    for folder in &args.providers {
        let folder = match emit {
            Emit::K8s => format!("{}/{}", IN_IMAGE.1, in_cluster(folder)?),
            _ => absolute(folder)?,
        };
        arguments.extend(["--providers".to_owned(), folder]);
    }
    arguments.extend(args.allow_key_host.iter().flat_map(|host| ["--allow-key-host".to_owned(), host.clone()]));
    Ok(Entry {
        name: deploy::name(&plan.name),
        title: plan.name.clone(),
        calendar: schedule.calendar(now),
        rounds: plan.rounds,
        program: absolute(&std::env::current_exe().context("where this program stands")?)?,
        plan: absolute(&args.plan)?,
        results: absolute(&args.results)?,
        env_file: None,
        user: args.user.clone().map_or_else(|| owner(&args.plan), Ok)?,
        keys: Vec::new(),
        arguments,
        longest_s: plan.limits.total_ms.div_ceil(1000),
    })
}

/// The variables that the plan's keys are in. The keys themselves are looked at by nobody.
fn keys(args: &Args, emit: Emit, targets: &[TargetFacts], catalog: &Catalog) -> anyhow::Result<Vec<KeyVariable>> {
    let config = UserConfig::load()?;
    // A cluster's container has no config of the user's.
    let found = Keys::new(catalog, if emit == Emit::K8s { UserConfig::default() } else { config.clone() }, Vec::new());
    let without = Keys::with_env(catalog, UserConfig::default(), args.allow_key_host.clone(), |_| None);
    let mut variables: BTreeMap<String, KeyVariable> = BTreeMap::new();
    for target in targets {
        let profile = catalog.profile(target.provider.as_str())?;
        let provider = profile.provider.id.to_string();
        if config.keys.get(&provider).is_some_and(|source| source.command.is_some()) {
            match emit {
                Emit::K8s => say(&format!("{provider}: the command of your config is not in the image; its key comes from the Secret")),
                _ => {
                    say(&format!("{provider}: its key comes from the command of your config, which must work without a terminal"));
                    continue;
                }
            }
        }
        let needed = matches!(without.resolve(target), Err(KeyError::Missing { .. }));
        let (names, set) = found.variable(&profile);
        let Some(name) = set.clone().or_else(|| names.first().cloned()).filter(|_| needed || set.is_some()) else { continue };
        if profile.key.is_none() || target.simulated {
            continue;
        }
        let variable = KeyVariable { name: name.clone(), provider, optional: !needed };
        let known = variables.entry(name).or_insert(variable);
        known.optional &= !needed;
    }
    Ok(variables.into_values().collect())
}

/// What a cluster's ConfigMap is to hold.
fn cluster(args: &Args, written: PlanFile, text: String) -> anyhow::Result<Cluster> {
    let folder = args.plan.parent().unwrap_or(Path::new(""));
    let name = args.plan.file_name().and_then(|name| name.to_str()).context("the plan's name is not UTF-8")?;
    let mut files = vec![PlanFileText { path: name.to_owned(), text }];
    let read = |path: &Path| std::fs::read_to_string(path).with_context(|| path.display().to_string());
    let dataset = written.dataset.filter(|name| Dataset::builtin(name).is_err()).map(PathBuf::from);
    let certificates = written.targets.into_iter().filter_map(|entry| entry.ca_file);
    for path in dataset.into_iter().chain(written.tokenizer).chain(certificates) {
        let inside = inside(&path).with_context(|| {
            format!("{}: the cluster knows no file outside of the plan's folder; put it beside the plan", path.display())
        })?;
        if !files.iter().any(|file| file.path == inside) {
            files.push(PlanFileText { path: inside, text: read(&folder.join(&path))? });
        }
    }
    for folder in &args.providers {
        let mut found: Vec<PathBuf> =
            std::fs::read_dir(folder).with_context(|| folder.display().to_string())?.filter_map(|entry| Some(entry.ok()?.path())).collect();
        found.sort();
        for path in found.iter().filter(|path| path.extension().is_some_and(|ending| ending == "yaml")) {
            let name = path.file_name().and_then(|name| name.to_str()).context("a provider file's name is not UTF-8")?;
            files.push(PlanFileText { path: format!("{}/{name}", in_cluster(folder)?), text: read(path)? });
        }
    }
    Ok(Cluster { image: args.image.clone(), program: IN_IMAGE.0.to_owned(), storage: args.storage.clone(), files })
}

/// A folder of provider files by its own name.
fn in_cluster(folder: &Path) -> anyhow::Result<String> {
    let name = folder.canonicalize().ok().and_then(|folder| Some(folder.file_name()?.to_str()?.to_owned()));
    name.with_context(|| format!("{}: no such folder", folder.display()))
}

/// A path that stays below the folder that it counts from.
fn inside(path: &Path) -> Option<String> {
    let parts = path.components().filter(|part| *part != Component::CurDir);
    let names: Option<Vec<&str>> = parts.map(|part| if let Component::Normal(name) = part { name.to_str() } else { None }).collect();
    names.map(|names| names.join("/"))
}

fn absolute(path: &Path) -> anyhow::Result<String> {
    let absolute = std::path::absolute(path).with_context(|| path.display().to_string())?;
    absolute.to_str().map(str::to_owned).with_context(|| format!("{}: this path is not UTF-8; rename it", path.display()))
}

fn machine_zone(args: &Args) -> anyhow::Result<String> {
    let here = jiff::tz::TimeZone::system();
    match (&args.machine_zone, here.is_unknown(), here.iana_name()) {
        (Some(zone), ..) => Ok(zone.clone()),
        // A machine that says nothing of its zone is on UTC.
        (None, true, _) => Ok("UTC".to_owned()),
        (None, false, Some(zone)) => Ok(zone.to_owned()),
        (None, false, None) => bail!("this machine's zone has no name that can be found; give it by --machine-zone"),
    }
}

/// The user who owns a file: by name where this machine's list of users has it, else by number.
#[cfg(unix)]
fn owner(path: &Path) -> anyhow::Result<String> {
    use std::os::unix::fs::MetadataExt;
    let number = std::fs::metadata(path).with_context(|| path.display().to_string())?.uid().to_string();
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = users.lines().map(|line| line.split(':').collect::<Vec<&str>>()).find(|user| user.get(2) == Some(&number.as_str()));
    Ok(name.and_then(|user| user.first().map(|name| (*name).to_owned())).unwrap_or(number))
}

#[cfg(not(unix))]
fn owner(_: &Path) -> anyhow::Result<String> {
    Ok("nobody".to_owned())
}

/// A plan that holds a key itself would carry it into the entry.
fn refuse_keys(files: &[EntryFile], keys: &[KeyVariable]) -> anyhow::Result<()> {
    for key in keys {
        if let Ok(value) = std::env::var(&key.name) {
            let _ = secret::load(&value);
        }
    }
    match files.iter().find(|file| secret::mask().mask(&file.text) != file.text) {
        Some(file) => bail!("{} would hold a key, for the plan or a file that it names holds one; take it out there", file.name),
        None => Ok(()),
    }
}

fn print(files: &[EntryFile]) {
    for (at, file) in files.iter().enumerate() {
        if 1 < files.len() {
            let before = if at == 0 { "" } else { "\n" };
            anstream::println!("{before}# ==> {} <==", file.belongs);
        }
        anstream::print!("{}", file.text);
    }
}

fn write(folder: &Path, files: &[EntryFile], force: bool) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    let there = files
        .iter()
        .map(|file| (folder.join(&file.name), file))
        .find(|(path, file)| std::fs::read_to_string(path).map_or(path.exists(), |text| text != file.text));
    if let Some((path, _)) = there.filter(|_| !force) {
        bail!("{} is there already and differs; give another --output, or --force to replace it", path.display());
    }
    for file in files {
        let path = folder.join(&file.name);
        std::fs::write(&path, &file.text).with_context(|| path.display().to_string())?;
        anstream::println!("{}", path.display());
        say(&format!("{}: goes to {}", file.name, file.belongs));
    }
    Ok(())
}
