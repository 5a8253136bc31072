//! What a publisher and a downloader type.

use std::path::{Path, PathBuf};

use crate::binaries::Binary;
use crate::command::{self, Told};
use crate::failure::Step;
use crate::network::{Network, path};
use crate::release_toml;

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

    /// `stele publish --claim`.
    pub fn publish(&self, folder: &Path) -> Step<Told> {
        self.publish_with(folder, &[])
    }

    /// `stele publish --claim` with more arguments.
    pub fn publish_with(&self, folder: &Path, more: &[&str]) -> Step<Told> {
        let arguments =
            ["publish", path(folder)?, "--key", path(&self.key)?, "--policy", path(&self.policy)?, "--claim"];
        command::run(Binary::Stele, arguments.iter().chain(more))
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
