//! What a publisher and a downloader type.

use std::fs;
use std::path::{Path, PathBuf};

use crate::binaries::Binary;
use crate::command::{self, Told};
use crate::network::{Network, path};
use stele_probe::failure::{During, Step};
use stele_samples::{model, release_toml};

/// The model's name in every story.
pub const MODEL: &str = "tiny";

/// The variant in every story.
pub const VARIANT: &str = "base";

/// A publisher with a key file, and the policy by which everybody in the story decides.
#[derive(Debug, Clone)]
pub struct Publisher {
    name: String,
    key: PathBuf,
    policy: PathBuf,
}

impl Publisher {
    /// Makes a key for a name.
    pub fn new(network: &Network, name: &str) -> Step<Self> {
        Self::with_key(network, name, "publisher.pem").map(|(publisher, _)| publisher)
    }

    /// Makes a key in a file of the network's folder; also what the command said.
    pub fn with_key(network: &Network, name: &str, file: &str) -> Step<(Self, Told)> {
        let key = network.at(file);
        let told = command::run(Binary::Stele, ["key", "new", path(&key)?])?.expect(0)?;
        Ok((Self { name: name.to_owned(), key, policy: network.policy_path() }, told))
    }

    /// The key file.
    pub fn key(&self) -> &Path {
        &self.key
    }

    /// The coordinate of a version.
    pub fn coordinate(&self, version: &str) -> String {
        format!("{}/{MODEL}@{version}#{VARIANT}", self.name)
    }

    /// `stele draft`.
    pub fn draft(&self, folder: &Path, version: &str) -> Step<Told> {
        let arguments = ["draft", path(folder)?, "--publisher", &self.name, "--model", MODEL];
        let more = ["--model-version", version, "--variant", VARIANT];
        command::run(Binary::Stele, arguments.into_iter().chain(more))
    }

    /// Drafts a release and decides what is left open.
    pub fn prepare(&self, folder: &Path, version: &str) -> Step {
        self.draft(folder, version)?.expect(0)?;
        release_toml::complete(&folder.join(release_toml::FILE)).map(drop)
    }

    /// Writes a small model of so many into a folder and releases it: drafted, decided, published.
    pub fn release(&self, folder: &Path, version: &str, seed: u64) -> Step<Told> {
        model::write(folder, seed)?;
        self.prepare(folder, version)?;
        self.publish(folder)?.expect(0)
    }

    /// `stele publish --claim`.
    pub fn publish(&self, folder: &Path) -> Step<Told> {
        self.publish_with(folder, &[])
    }

    /// `stele publish --claim` although auditors will report errors with these codes.
    pub fn publish_despite(&self, folder: &Path, codes: &[&str]) -> Step<Told> {
        let accepted: Vec<&str> = codes.iter().flat_map(|code| ["--accept-finding", code]).collect();
        self.publish_with(folder, &accepted)
    }

    /// `stele publish --claim` with more arguments.
    pub fn publish_with(&self, folder: &Path, more: &[&str]) -> Step<Told> {
        let arguments =
            ["publish", path(folder)?, "--key", path(&self.key)?, "--policy", path(&self.policy)?, "--claim"];
        command::run(Binary::Stele, arguments.iter().chain(more))
    }

    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The same name with another key, in a file of the network's folder.
    pub fn another_key(&self, network: &Network, file: &str) -> Step<Self> {
        Self::with_key(network, &self.name, file).map(|(publisher, _)| publisher)
    }

    /// The public half of the key, in a file beside it.
    pub fn public_key(&self) -> Step<PathBuf> {
        let told = command::run(Binary::Stele, ["key", "show", path(&self.key)?, "--json"])?.expect(0)?;
        let shown = told.json()?;
        let pem = shown.get("public_key_pem").and_then(serde_json::Value::as_str).unwrap_or_default();
        let file = self.key.with_extension("pub");
        fs::write(&file, pem).during("writing a public key")?;
        Ok(file)
    }

    /// The id of the key.
    pub fn key_id(&self) -> Step<String> {
        let told = command::run(Binary::Stele, ["key", "show", path(&self.key)?, "--json"])?.expect(0)?;
        let shown = told.json()?;
        Ok(shown.get("key_id").and_then(serde_json::Value::as_str).unwrap_or_default().to_owned())
    }

    /// A verb with this key and the policy, in the network's folder: receipts and proposals are written there.
    pub fn say(&self, network: &Network, arguments: &[&str]) -> Step<Told> {
        let more = ["--key", path(&self.key)?, "--policy", path(&self.policy)?];
        command::run_in(Binary::Stele, arguments.iter().chain(&more), Some(network.home()))
    }

    /// A verb with the policy and no key, in the network's folder.
    pub fn ask(&self, network: &Network, arguments: &[&str]) -> Step<Told> {
        let more = ["--policy", path(&self.policy)?];
        command::run_in(Binary::Stele, arguments.iter().chain(&more), Some(network.home()))
    }

    /// `stele verify`.
    pub fn verify(&self, file_or_folder: &Path) -> Step<Told> {
        self.verify_with(file_or_folder, &[])
    }

    /// `stele verify` with more arguments.
    pub fn verify_with(&self, file_or_folder: &Path, more: &[&str]) -> Step<Told> {
        let arguments = ["verify", path(file_or_folder)?, "--policy", path(&self.policy)?];
        command::run(Binary::Stele, arguments.iter().chain(more))
    }
}
