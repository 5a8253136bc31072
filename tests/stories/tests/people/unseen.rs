//! A parent whose bytes the publisher never had: it is said, and everybody who reads the release reads that.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a story ends where it goes wrong")]

use std::fs;
use std::path::Path;

use stele_harness::auditor::Report;
use stele_harness::binaries::Binary;
use stele_harness::command::{self, Told};
use stele_harness::network::{Network, path};
use stele_harness::publisher::Publisher;
use stele_probe::failure::Step;
use stele_samples::{kinds, release_toml};
use toml::{Table, Value};

const TUNED: &str = "acme.example/tuned@1.0#base";
const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
const UNSEEN: &str = "its bytes were not seen by the publisher";

/// What the hub answers about the files of the commit.
const ANSWER: &str = r#"[
    {"type": "directory", "oid": "44", "size": 0, "path": "onnx"},
    {"type": "file", "oid": "1111111111111111111111111111111111111111", "size": 7, "path": "config.json"},
    {"type": "file", "oid": "2222222222222222222222222222222222222222", "size": 134, "path": "model.safetensors",
     "lfs": {"oid": "3333333333333333333333333333333333333333333333333333333333333333", "size": 4096, "pointerSize": 134}}
]"#;

/// Writes the one parent of a release.toml, without the weights that a person without its bytes cannot know.
fn made_of(file: &Path, parent: &str) {
    let text = fs::read_to_string(file).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with("parent_weights = "));
    let lines = lines.map(|line| match line.starts_with("parent = ") {
        true => format!("parent = {{ {parent} }}\n"),
        false => format!("{line}\n"),
    });
    fs::write(file, lines.collect::<String>()).unwrap();
}

fn says(told: &Told, words: &[&str]) -> Step {
    match words.iter().find(|word| !told.all().contains(**word)) {
        None => Ok(()),
        Some(word) => Err(told.failure(&format!("it does not say {word:?}"))),
    }
}

#[test]
fn a_parent_whose_bytes_nobody_had_is_said_and_read_as_such() -> Step {
    let network = Network::start(1, 1)?;
    let acme = Publisher::new(&network, "acme.example")?;
    let folder = network.at("tuned");
    kinds::write(&folder, "finetune", 1)?;
    let names = ["--publisher", "acme.example", "--model", "tuned", "--variant", "base", "--model-version", "1.0"];
    command::run(Binary::Stele, ["draft", path(&folder)?].iter().chain(&names))?.expect(0)?;
    let file = folder.join(release_toml::FILE);
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("as you got them, or listing or unknown in its place"), "{text}");
    release_toml::complete(&file)?;
    let of_commit = format!("pkg:huggingface/acme/base@{COMMIT}");

    // What does not hold together is refused before anything is sent.
    fs::write(folder.join("tree.json"), ANSWER).unwrap();
    fs::rename(folder.join("tree.json"), network.at("tree.json")).unwrap();
    for (parent, said) in [
        ("purl = \"pkg:huggingface/acme/base\"".to_owned(), "lineage[0].parent"),
        ("purl = \"pkg:huggingface/acme/base\", unknown = \"\"".to_owned(), "lineage[0].parent.unknown"),
        ("purl = \"pkg:huggingface/acme/base@main\", listing = \"../tree.json\"".to_owned(), "the commit of git"),
        (format!("purl = \"{of_commit}\", listing = \"../nothing.json\""), "nothing.json"),
        (format!("purl = \"{of_commit}\", listing = \"README.md\""), "is no listing of a parent's files"),
        (format!("purl = \"{of_commit}\", listing = \"../tree.json\", folder = \"../tuned\""), "found both"),
        (format!("purl = \"{of_commit}\", listing = \"../tree.json\", unknown = \"why\""), "one of digest, listing"),
    ] {
        made_of(&file, &parent);
        says(&acme.publish(&folder)?.expect(7)?, &[said])?;
    }

    made_of(&file, &format!("purl = \"{of_commit}\", listing = \"../tree.json\""));
    let listed = "its host listed 2 files of 4103 bytes, listing ";
    let foreseen = "parent-unseen: the publisher never had the bytes of pkg:huggingface/acme/base@";
    says(
        &acme.publish_with(&folder, &["--dry-run", "--accept-finding", "license-text-other"])?.expect(0)?,
        &["auditors will report: note: ", foreseen],
    )?;
    says(&acme.publish_despite(&folder, &["license-text-other"])?.expect(0)?, &[foreseen])?;
    let reader = |words: &[&str]| acme.ask(&network, words)?.expect(0);
    for words in [&["show", TUNED][..], &["lineage", TUNED], &["verify", path(&folder)?, "--online", "--verbose"]] {
        says(&reader(words)?, &[&of_commit, UNSEEN, listed])?;
    }
    let shown = reader(&["show", TUNED, "--json"])?.json()?;
    let parent = &shown["statement"]["lineage"][0];
    assert_eq!((&parent["parent_weights"], &parent["parent"]["listing"]["files"]), (&().into(), &2.into()));
    let report = Report::of(&network)?;
    assert_eq!(report.finding("parent-unseen")?["severity"], "note");

    // The same answer, in another order, is the same entry.
    let mut items: Vec<serde_json::Value> = serde_json::from_str(ANSWER).unwrap();
    items.reverse();
    fs::write(network.at("tree.json"), serde_json::to_string(&items).unwrap()).unwrap();
    says(&acme.publish_despite(&folder, &["license-text-other"])?.expect(0)?, &["nothing was sent"])?;

    // Another was used, and which is not known: an amendment says so, and what stood there stays readable.
    let form = network.at("amend.toml");
    reader(&["amend", TUNED, "--draft", "--field", "lineage", "--reason", "It was another."])?;
    let mut table: Table = fs::read_to_string(&form).unwrap().parse().unwrap();
    let unknown = "The service did not keep the commit.";
    table["lineage"][0]["parent"] = Value::Table(Table::from_iter([
        ("purl".to_owned(), Value::from("pkg:huggingface/acme/other")),
        ("unknown".to_owned(), Value::from(unknown)),
    ]));
    fs::write(&form, toml::to_string(&table).unwrap()).unwrap();
    acme.say(&network, &["amend", "--form", "amend.toml"])?.expect(0)?;
    for verb in ["show", "lineage"] {
        says(&reader(&[verb, TUNED])?, &["pkg:huggingface/acme/other", UNSEEN, unknown])?;
    }
    says(&reader(&["history", TUNED])?, &["lineage changed", &of_commit, "pkg:huggingface/acme/other"])?;
    let bundle = folder.join("release.stele");
    says(&reader(&["diff", path(&bundle)?, TUNED])?, &[UNSEEN, listed, unknown])?;
    acme.verify(&folder)?.expect(0)?;
    Ok(())
}
