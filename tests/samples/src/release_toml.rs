//! A draft completed: every `DECIDE` of a `release.toml` gets a decision that a person might make.

use std::fs;
use std::path::Path;

use stele_probe::failure::{During, Failure, Step};

/// The draft's name in the model's folder.
pub const FILE: &str = "release.toml";

/// What begins a value that is left open.
const OPEN: &str = "\"DECIDE";

/// The SHA-256 of nothing, for documents that nobody wrote.
const OF_NOTHING: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

/// Kinds of model that are made of another one.
const DERIVED: [&str; 4] = ["quantized", "adapter", "merge", "distilled"];

/// Completes a draft; what was decided, a line each.
pub fn complete(file: &Path) -> Step<Vec<String>> {
    let text = fs::read_to_string(file).during(format!("reading {}", file.display()))?;
    let (completed, decided) = decide(&text)?;
    fs::write(file, completed).during(format!("writing {}", file.display()))?;
    Ok(decided)
}

fn decide(draft: &str) -> Step<(String, Vec<String>)> {
    // What its kind says was made of another model has a parent, whether the folder names one or not.
    let says = |beginning: &str| draft.lines().any(|line| line.starts_with(beginning));
    let is_derived = DERIVED.iter().any(|kind| says(&format!("artifact = \"{kind}\"")));
    let mut section = String::new();
    let (mut text, mut decided) = (String::new(), Vec::new());
    for line in draft.lines() {
        if line.starts_with('[') {
            section = line.trim_matches(['[', ']']).to_owned();
        }
        let open = !line.starts_with('#') && line.contains(OPEN);
        let Some((name, value)) = line.split_once(" = ").filter(|_| open) else {
            text.push_str(line);
            text.push('\n');
            continue;
        };
        let answer = match (section.as_str(), name) {
            ("", "from_scratch") if is_derived => Some("false"),
            (section, name) => answer(section, name),
        };
        let answer = answer.ok_or_else(|| Failure::new(format!("no decision for [{section}] {line}")))?;
        let line = match (section.as_str(), name) {
            ("lineage", "parent") => format!("{name} = {}", parent(value, answer)),
            _ => format!("{name} = {}", replace_open(value, answer)),
        };
        text.push_str(&line);
        text.push('\n');
        if section == "model_card" {
            text.push_str(&format!("sha256 = \"{OF_NOTHING}\"\n"));
        }
        if (section.as_str(), name) == ("lineage", "parent") {
            text.push_str(&format!("parent_weights = \"{OF_NOTHING}\"\n"));
        }
        decided.push(format!("[{section}] {line}").replace("[] ", ""));
    }
    if is_derived && !says("[[lineage]]") {
        let parent = format!("parent = {{ purl = \"pkg:generic/parent\", digest = \"{OF_NOTHING}\" }}");
        let rest = format!("parent_weights = \"{OF_NOTHING}\"\ntool = \"none\"\ncarries = [\"license\"]");
        text.push_str(&format!("\n[[lineage]]\nrelation = \"other\"\n{parent}\n{rest}\n"));
        decided.push(format!("[[lineage]] {parent}"));
    }
    if !text.lines().any(|line| line == "[[hosts]]") {
        let host = "locator = \"https://models.acme.example/tiny/\"";
        text.push_str(&format!("\n[[hosts]]\ntype = \"https\"\n{host}\ngated = false\nsince = \"2026-06-25\"\n"));
        decided.push(format!("[[hosts]] {host}"));
    }
    Ok((text, decided))
}

/// The decision as TOML.
fn answer(section: &str, name: &str) -> Option<&'static str> {
    Some(match (section, name) {
        ("", "from_scratch") => "true",
        ("model", "artifact") => "\"base\"",
        ("model", "formats") => "\"other\"",
        ("model", "quantization") => "\"several\"",
        ("license", "spdx") => "\"LicenseRef-not-stated\"",
        ("license", "use_restricted") => "false",
        ("license", "text") => {
            "\"not stated\", sha256 = \"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\""
        }
        ("model_card", "name") => "\"not written\"",
        ("openness", "claim") => "\"open-weight\"",
        ("openness", "basis") => "\"none\"",
        ("access", "stage") => "\"open\"",
        ("rationale", "benefits") => "\"Small enough to be taken apart in a course.\"",
        ("rationale", "risks") => "\"None that older models of its size do not have.\"",
        ("rationale", "alternatives_rejected") => "\"A hosted service: it would keep the text of its users.\"",
        ("obligations", "incident_channel") => "\"mailto:incidents@acme.example\"",
        ("safety", "report") => "\"The model is too small for one.\"",
        ("not_evaluated", _) => "\"Below the size at which the tests that exist say anything.\"",
        ("components", _) => "\"no\"",
        (section, "included") if section.starts_with("components.") => "\"no\"",
        ("lineage", "made") => "\"other by none\"",
        ("lineage", "relation") => "\"other\"",
        ("lineage", "parent") => "\"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"",
        ("lineage", "tool") => "\"none\"",
        ("lineage", "carries") => "\"license\"",
        ("hosts", "revision") => "\"main\"",
        ("hosts", "locator") => "\"https://models.acme.example/tiny/next/\"",
        _ => return None,
    })
}

/// A parent of which nobody has the files: by a digest that is made up, where a person would name its folder.
fn parent(value: &str, digest: &str) -> String {
    let named =
        value.replace("purl = \"DECIDE", "purl = \"pkg:generic/parent\" # \"DECIDE").replace("folder = ", "digest = ");
    match named.split_once(" # \"DECIDE") {
        // Its package URL is open as well: it is made up, and what was asked goes.
        Some((before, after)) => {
            let rest = after.split_once('"').map_or("", |(_, rest)| rest);
            format!("{before}{}", replace_open(rest, digest))
        }
        None => replace_open(&named, digest),
    }
}

/// Puts the answer in place of every open string of a value, and drops the comment behind it.
fn replace_open(value: &str, answer: &str) -> String {
    let mut rest = value;
    let mut text = String::new();
    while let Some((before, after)) = rest.split_once(OPEN) {
        text.push_str(before);
        text.push_str(answer);
        rest = after.split_once('"').map_or("", |(_, rest)| rest);
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_open_value_gets_an_answer_and_comments_stay() {
        let draft = "# begins with \"DECIDE\n[openness]\nclaim = \"DECIDE: one\"\n\n[lineage]\n\
                     parent = { purl = \"DECIDE: a\", folder = \"DECIDE: b\" } # from the card\ncarries = [\"DECIDE: some\"]\n";
        let (text, _) = decide(draft).unwrap();
        assert!(text.starts_with("# begins with \"DECIDE\n[openness]\nclaim = \"open-weight\"\n"));
        let parent =
            format!("parent = {{ purl = \"pkg:generic/parent\", digest = \"{OF_NOTHING}\" }} # from the card\n");
        assert!(text.contains(&parent), "{text}");
        assert!(text.contains("carries = [\"license\"]\n"), "{text}");
        let quantized =
            "from_scratch = \"DECIDE: true, or false\"\n[model]\nartifact = \"quantized\" # from the files\n";
        let (text, _) = decide(quantized).unwrap();
        assert!(text.starts_with("from_scratch = false\n") && text.contains("\n[[lineage]]\n"), "{text}");
        assert!(decide("[new]\nfield = \"DECIDE: what\"\n").is_err());
    }
}
