//! `stele verify`.

use std::path::PathBuf;

use clap::Args;

use super::required::RequiredArgs;
use super::value::glob;

/// `stele verify`.
#[derive(Debug, Args)]
#[command(
    after_help = "Ends with 0 when every file asked for is here and matches, and nothing that a loader would take lies beside it; \
with 1 when files differ, 17 when it was withdrawn, 15 when files are missing, 16 when others lie beside it. `stele help exit-codes` has all."
)]
pub struct VerifyArgs {
    /// The folder of a release, a folder inside it, one file, a snapshot in a Hugging Face cache, or an artifact of a registry:
    /// oci://HOST/NAME:TAG, oci://HOST/NAME@sha256:HEX. Or evidence alone, with --no-hash: a release.stele, or a SCITT transparent statement
    /// with its --bundle.
    pub path: PathBuf,
    /// What is required of a release.
    #[command(flatten)]
    pub required: RequiredArgs,
    /// The bundle; else release.stele in the folder or above the file.
    #[arg(long, value_name = "FILE")]
    pub bundle: Option<PathBuf>,
    /// Check the evidence alone: no file is looked at, and the best verdict is `record only`.
    #[arg(long)]
    pub no_hash: bool,
    /// Verify the model.sig that lies here too, with this public key of its signer, in PEM. Get it from where you trust it.
    #[arg(long, value_name = "KEY")]
    pub oms_key: Option<PathBuf>,
    /// Accept files of these paths that a loader may take and the record does not name. `*` stays within a folder, `**`
    /// does not. May be given again.
    #[arg(long, value_name = "GLOB", value_parser = glob)]
    pub allow_extra: Vec<glob::Pattern>,
    /// Hash every file, also those that are unchanged since they were hashed before.
    #[arg(long, conflicts_with = "no_hash")]
    pub rehash: bool,
    /// Hash every file, and keep no digest for the next time.
    #[arg(long, conflicts_with = "rehash")]
    pub no_cache: bool,
    /// Ask a registry that is not on this machine without encryption.
    #[arg(long)]
    pub plain_http: bool,
}
