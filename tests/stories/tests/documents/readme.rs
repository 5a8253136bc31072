//! The README's commands run as written, and no document points to a file that is not there.
//!
//! A fenced `sh` block with `<!-- run -->` on the line before it is run, each in its order in one folder that has a model and
//! the policy of a running log, with the programs in `PATH`.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a story ends where it goes wrong")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use stele_harness::network::Network;
use stele_harness::{binaries, command};
use stele_probe::failure::Step;
use stele_samples::{model, release_toml};

fn house() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap().to_path_buf()
}

/// Every document of the checkout that is ours.
fn documents() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![house()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() && !name.starts_with('.') && !name.starts_with("target") && name != "node_modules" {
                folders.push(path);
            } else if name.ends_with(".md") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

#[test]
fn every_relative_link_leads_somewhere() {
    let documents = documents();
    assert!(documents.iter().any(|path| path.ends_with("README.md")));
    let mut broken = Vec::new();
    for document in documents {
        let text = fs::read_to_string(&document).unwrap();
        for (at, _) in text.match_indices("](") {
            let target = text[at + 2..].split([')', ' ', '\n']).next().unwrap().split('#').next().unwrap();
            // Links of rustdoc are paths of the crate; rustdoc checks them.
            let elsewhere = target.contains("://") || target.starts_with("mailto:") || target.contains("::");
            if target.is_empty() || elsewhere || !target.contains(['.', '/']) {
                continue;
            }
            if !document.parent().unwrap().join(target).exists() {
                broken.push(format!("{}: {target}", document.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn the_commands_of_the_readme_run_as_written() -> Step {
    let blocks = marked_blocks(&fs::read_to_string(house().join("README.md")).unwrap());
    assert!(blocks.len() >= 4, "the README has {} blocks to run", blocks.len());
    // What the README's reader has: a model, and the policy of a log that is there.
    let network = Network::start(3, 2)?;
    let folder = tempfile::tempdir().unwrap();
    fs::copy(network.policy_path(), folder.path().join("policy")).unwrap();
    model::write(&folder.path().join("model"), 1)?;
    let release = folder.path().join("model").join(release_toml::FILE);
    for block in blocks {
        let path = std::env::var("PATH").unwrap_or_default();
        let mut shell = Command::new("bash");
        shell
            .args(["-euo", "pipefail", "-c", &block])
            .env("PATH", format!("{}:{path}", binaries::folder()?.display()))
            // The editor is a person's: what it would decide is decided below.
            .env("EDITOR", "true")
            .env("STELE_STATE", folder.path().join("state"))
            .current_dir(folder.path());
        command::finish(shell, block)?.expect(0)?;
        if release.exists() {
            release_toml::complete(&release)?;
        }
    }
    Ok(())
}

/// The text of each `sh` block after a line `<!-- run -->`.
fn marked_blocks(document: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut lines = document.lines();
    while let Some(line) = lines.next() {
        if line.trim() == "<!-- run -->" && lines.next().is_some_and(|fence| fence.starts_with("```sh")) {
            let block = lines.by_ref().take_while(|line| !line.starts_with("```"));
            blocks.push(block.map(|line| format!("{line}\n")).collect());
        }
    }
    blocks
}

#[test]
fn only_marked_blocks_are_run() {
    let text = "```sh\na\n```\n<!-- run -->\n```sh\nb\nc\n```\n```sh\nd\n```\n<!-- run -->\n```sh\ne\n```\n";
    assert_eq!(marked_blocks(text), ["b\nc\n", "e\n"]);
}
