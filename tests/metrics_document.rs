//! docs/metrics.md against the registry from which it is written.

use photofinish::metric::{Flag, Outcome, registry};
use photofinish::report::definitions_document;

#[test]
fn the_document_is_what_the_registry_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/metrics.md");
    let written = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        written == definitions_document(),
        "docs/metrics.md is not what the registry says: write it anew with `cargo run -- metrics --markdown > docs/metrics.md`"
    );
}

#[test]
fn every_metric_outcome_and_flag_is_in_it() {
    let document = definitions_document().replace('\\', "");
    let names = registry().map(|metric| metric.name);
    let names = names.chain(Outcome::ALL.map(Outcome::name)).chain(Flag::ALL.map(Flag::name));
    for name in names {
        assert!(document.contains(&format!("| {name} |")), "{name}");
    }
}
