//! `photofinish providers`: the catalog, and how sure each fact of it is. Offline; a key is looked for, never shown.

use super::Done;
use super::reading::Writing;
use crate::plan::pace_words;
use crate::provider::profile::{CapCounts, Fact, Profile};
use crate::provider::{Catalog, Evidence, Keys, Origin, UserConfig};
use crate::report::{Cell, Column, Format, Kind, Row, Table, plain};
use serde::Serialize;
use serde_json::Value;
use std::path::PathBuf;

/// Arguments of `providers`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// One provider, with its regions, models and the source of every fact
    id: Option<String>,
    /// Check every file of the catalog, and exit with 2 at the first fault
    #[arg(long)]
    check: bool,
    /// A folder of provider files that stand before the built-in ones
    #[arg(long, value_name = "DIR")]
    providers: Vec<PathBuf>,
    #[command(flatten)]
    writing: Writing,
}

/// A provider, as the list shows it.
#[derive(Debug, Serialize)]
struct Entry {
    id: String,
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    preset_of: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    aliases: Vec<String>,
    dialect: crate::provider::profile::DialectName,
    base_url: String,
    #[serde(skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    regions: std::collections::BTreeMap<String, String>,
    key: KeyState,
    models: Vec<ModelState>,
    facts: Vec<Fact>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    limits: Option<String>,
    cap: String,
    file: String,
}

/// Where a provider's key would come from.
#[derive(Debug, Serialize)]
struct KeyState {
    /// The variables that may hold it, the first that is set counts; empty where none is taken.
    env: Vec<String>,
    /// One of them is set, or a command of the user's config gives it.
    set: bool,
    /// A command of the user's config gives it.
    command: bool,
    /// It also answers without.
    optional: bool,
}

/// A model, as the list shows it.
#[derive(Debug, Serialize)]
struct ModelState {
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    family: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retired: Option<jiff::civil::Date>,
}

/// Runs the command.
pub fn run(args: Args) -> anyhow::Result<Done> {
    let catalog = Catalog::load(&args.providers)?;
    let config = UserConfig::load()?;
    if args.check {
        let count = catalog.profiles().collect::<Result<Vec<_>, _>>()?.len();
        anstream::println!("{count} provider files are sound.");
        return Ok(Done::Well);
    }
    let keys = Keys::new(&catalog, config, Vec::new());
    let profiles = match &args.id {
        Some(id) => vec![catalog.profile(id)?],
        None => catalog.profiles().collect::<Result<Vec<_>, _>>()?,
    };
    let entries: Vec<Entry> = profiles.iter().map(|profile| entry(profile, &catalog, &keys)).collect();
    let text = match (args.writing.format, &args.id) {
        (Format::Json, _) => serde_json::to_string_pretty(&harmless(serde_json::to_value(&entries)?))? + "\n",
        (Format::Terminal, Some(_)) => entries.iter().map(portrait).collect(),
        (Format::Terminal, None) => brief(&entries, args.writing.columns()),
        (format, _) => full(&entries).write(format, 0),
    };
    args.writing.write(&text)?;
    Ok(Done::Well)
}

fn entry(profile: &Profile, catalog: &Catalog, keys: &Keys<'_>) -> Entry {
    let (env, set) = keys.variable(profile);
    let command = keys.has_command(profile);
    let optional = profile.key.as_ref().is_some_and(|key| key.optional);
    let counts = profile.request.cap_counts.map_or("", |counts| match counts {
        CapCounts::Reply => " (reasoning and answer)",
        CapCounts::Answer => " (the answer alone)",
    });
    let model = |model: &crate::provider::profile::Model| ModelState {
        id: model.id.clone(),
        family: model.family.clone(),
        reasoning: model.reasoning,
        retired: model.retired,
    };
    Entry {
        id: profile.provider.id.to_string(),
        title: profile.provider.title.clone(),
        preset_of: profile.provider.preset_of.as_ref().map(ToString::to_string),
        aliases: profile.provider.aliases.clone(),
        dialect: profile.reply.dialect,
        base_url: profile.endpoint.base_url.clone(),
        regions: profile.endpoint.regions.clone(),
        key: KeyState { env, set: set.is_some() || command, command, optional },
        models: profile.models.iter().map(model).collect(),
        facts: profile.facts.clone(),
        note: profile.provider.note.clone(),
        limits: limits(profile),
        cap: format!("{}{counts}", profile.request.cap.field()),
        file: match catalog.origin(profile.provider.id.as_str()) {
            Some(Origin::UserConfig(path) | Origin::Folder(path)) => path.display().to_string(),
            Some(Origin::BuiltIn) | None => "built in".to_owned(),
        },
    }
}

impl KeyState {
    fn words(&self) -> String {
        match (self.command, self.env.join(" or ")) {
            (true, _) => "from your config's command".to_owned(),
            (false, names) if names.is_empty() => "none".to_owned(),
            (false, names) => {
                let state = if self.set { "set" } else { "not set" };
                let optional = if self.optional { ", optional" } else { "" };
                format!("{names} ({state}{optional})")
            }
        }
    }
}

impl Entry {
    fn live(&self) -> Vec<&str> {
        self.models.iter().filter(|model| model.retired.is_none()).map(|model| model.id.as_str()).collect()
    }
    fn retired(&self) -> Vec<String> {
        let retired = self.models.iter().filter_map(|model| model.retired.map(|day| (model, day)));
        retired.map(|(model, day)| format!("{} ({day})", model.id)).collect()
    }
    fn dialect(&self) -> String {
        serde_json::to_value(self.dialect).ok().and_then(|name| name.as_str().map(str::to_owned)).unwrap_or_default()
    }
    /// What is known how: `documented: endpoint, key · inferred: limits`.
    fn sure(&self) -> String {
        let of = |evidence: Evidence| {
            let parts: Vec<&str> =
                self.facts.iter().filter(|f| f.evidence == evidence).flat_map(|f| f.of.iter().map(String::as_str)).collect();
            (!parts.is_empty()).then(|| format!("{}: {}", evidence.word(), parts.join(", ")))
        };
        [Evidence::Recorded, Evidence::Documented, Evidence::Inferred].into_iter().filter_map(of).collect::<Vec<_>>().join(" · ")
    }
    /// How many facts are known how: `documented 7 · inferred 1`.
    fn sure_in_brief(&self) -> String {
        let of = |evidence: Evidence| {
            let count: usize = self.facts.iter().filter(|fact| fact.evidence == evidence).map(|fact| fact.of.len()).sum();
            (0 < count).then(|| format!("{} {count}", evidence.word()))
        };
        [Evidence::Recorded, Evidence::Documented, Evidence::Inferred].into_iter().filter_map(of).collect::<Vec<_>>().join(" · ")
    }
}

/// What it limits in words, and what this client therefore keeps to.
fn limits(profile: &Profile) -> Option<String> {
    let pace =
        Some(&profile.limits.pace).filter(|pace| !pace.is_free()).map(|pace| format!("at most {} are asked of it", pace_words(pace)));
    let told: Vec<String> = profile.limits.note.iter().cloned().chain(pace).collect();
    (!told.is_empty()).then(|| told.join("; "))
}

/// One provider in full.
fn portrait(entry: &Entry) -> String {
    let mut lines = vec![format!("{}: {}", entry.id, entry.title)];
    let mut add = |head: &str, words: String| {
        if !words.is_empty() {
            lines.push(format!("  {head:<10}{words}"));
        }
    };
    add("file", entry.file.clone());
    add("preset of", entry.preset_of.clone().unwrap_or_default());
    add("also as", entry.aliases.join(", "));
    add("base URL", entry.base_url.clone());
    for (name, url) in &entry.regions {
        add("", format!("@{name} {url}"));
    }
    add("key", entry.key.words());
    add("cap", entry.cap.clone());
    add("models", entry.live().join(", "));
    add("withdrawn", entry.retired().join(", "));
    add("limits", entry.limits.clone().unwrap_or_default());
    add("note", entry.note.clone().unwrap_or_default());
    for fact in &entry.facts {
        let recording = fact.recording.as_ref().map_or(String::new(), |run| format!(", {run}"));
        add(fact.evidence.word(), format!("  {}: {} ({}{recording})", fact.of.join(", "), fact.source, fact.date));
    }
    lines.iter().map(|line| plain(line) + "\n").collect()
}

/// The list for a terminal: a table where it fits, else three lines a provider.
fn brief(entries: &[Entry], width: usize) -> String {
    let models = |entry: &Entry| match (entry.live().len(), entry.retired().len()) {
        (0, 0) => "any".to_owned(),
        (live, 0) => live.to_string(),
        (live, retired) => format!("{live} + {retired} withdrawn"),
    };
    let cells = |entry: &Entry| {
        let (id, title, url) = (entry.id.clone(), entry.title.clone(), entry.base_url.clone());
        [id, title, url, entry.key.words(), entry.dialect(), models(entry), entry.sure_in_brief()]
    };
    let more = "`photofinish providers ID` shows one in full: regions, models, and the source of every fact.";
    let mut table = table(["Provider", "Title", "Base URL", "Key", "Dialect", "Models", "How sure"], entries.iter().map(cells));
    table.caption.push(more.to_owned());
    let drawn = table.write(Format::Terminal, usize::MAX >> 1);
    if anstream::adapter::strip_str(&drawn).to_string().lines().all(|line| line.chars().count() <= width) {
        return drawn;
    }
    let block = |entry: &Entry| {
        let [id, title, url, key, dialect, models, sure] = cells(entry);
        let last = format!("  {dialect} · models: {models} · {sure}");
        [format!("{id}: {title}"), format!("  {url}"), format!("  key: {key}"), last].map(|line| plain(&line) + "\n").concat()
    };
    entries.iter().map(block).collect::<String>() + "\n" + more + "\n"
}

/// The list for files: everything.
fn full(entries: &[Entry]) -> Table {
    let row = |entry: &Entry| {
        let (id, title, url) = (entry.id.clone(), entry.title.clone(), entry.base_url.clone());
        [id, title, url, entry.key.words(), entry.dialect(), entry.live().join(", "), entry.retired().join(", "), entry.sure()]
    };
    table(["Provider", "Title", "Base URL", "Key", "Dialect", "Models", "Withdrawn", "How sure"], entries.iter().map(row))
}

fn table<const N: usize>(heads: [&str; N], rows: impl Iterator<Item = [String; N]>) -> Table {
    let column = |(at, head): (usize, &str)| {
        let kind = if at == 0 { Kind::Name } else { Kind::Words };
        Column::new(head.to_lowercase().replace(' ', "_"), head, kind)
    };
    let row = |cells: [String; N]| Row::new(cells.into_iter().map(Cell::Text).collect());
    Table { columns: heads.into_iter().enumerate().map(column).collect(), rows: rows.map(row).collect(), ..Table::default() }
}

/// A document whose texts hold nothing that a terminal would obey.
fn harmless(value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(plain(&text)),
        Value::Array(values) => values.into_iter().map(harmless).collect(),
        Value::Object(map) => map.into_iter().map(|(name, value)| (plain(&name), harmless(value))).collect(),
        other => other,
    }
}

/// `docs/providers.md`, whole.
#[cfg(test)]
fn document() -> String {
    let catalog = Catalog::builtin();
    let keys = Keys::with_env(&catalog, UserConfig::default(), Vec::new(), |_| None);
    let row = |cells: [String; 5]| format!("| {} |\n", cells.join(" | "));
    let mut table = row(["Id", "Provider", "Base URL", "Key", "How sure"].map(str::to_owned)) + &row([(); 5].map(|()| "---".to_owned()));
    for profile in catalog.profiles().map(|profile| profile.unwrap_or_else(|fault| panic!("{fault}"))) {
        let entry = entry(&profile, &catalog, &keys);
        let key = entry.key.env.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
        let key = if entry.key.optional { format!("{key} (optional)") } else { key };
        table += &row([format!("`{}`", entry.id), entry.title.clone(), format!("`{}`", entry.base_url), key, entry.sure()]);
    }
    include_str!("providers.md.in").replace("{table}", &table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_is_that_of_the_catalog() {
        expect_test::expect_file!["../../docs/providers.md"].assert_eq(&document());
    }

    /// Every key that a file may hold is told in the document.
    #[test]
    fn the_document_tells_every_key() {
        let document = document();
        let source = include_str!("../provider/profile.rs");
        let fields = source.lines().filter_map(|line| line.strip_prefix("    pub ")?.split_once(": ").map(|(name, _)| name));
        let untold: Vec<&str> = fields.filter(|name| !name.contains('(') && !["on", "off", "dialect"].contains(name)).collect();
        assert!(30 <= untold.len());
        let untold: Vec<&&str> = untold.iter().filter(|name| !document.contains(**name)).collect();
        assert!(untold.is_empty(), "docs/providers.md does not tell {untold:?}");
    }
}
