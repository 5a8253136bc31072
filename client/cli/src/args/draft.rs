//! `stele draft`.

use std::path::PathBuf;

use clap::Args;
use stele_spec::name::{Model, Publisher, Variant, Version};

/// `stele draft`.
#[derive(Debug, Args)]
pub struct DraftArgs {
    /// The folder with the weights.
    pub folder: PathBuf,
    /// Who releases it: `acme.example` or `huggingface.co/acme`.
    #[arg(long)]
    pub publisher: Publisher,
    /// The model's name: `tiny`.
    #[arg(long)]
    pub model: Option<Model>,
    /// Its version: `1.0.2`.
    #[arg(long)]
    pub model_version: Option<Version>,
    /// Which object of the version: `base`, `instruct`, `instruct-gguf-q4_k_m`.
    #[arg(long)]
    pub variant: Option<Variant>,
    /// Where to write; else release.toml in the folder. `-` is stdout.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}
