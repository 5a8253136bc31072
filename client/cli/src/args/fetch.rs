//! `stele fetch`.

use std::path::PathBuf;

use clap::Args;

use super::log::LogArgs;

/// `stele fetch`.
#[derive(Debug, Args)]
#[command(after_help = "\
The files are not compared with the release: `stele verify` does that.")]
pub struct FetchArgs {
    /// A folder or a file of a release, its release.stele, a coordinate, entry:NUMBER, the SHA-256 of the weights or of a file, a package
    /// URL, or a Hugging Face address.
    pub subject: String,
    /// Where to put the bundle; else release.stele beside the files, or here.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Write over a bundle of another release, or another file, there.
    #[arg(long)]
    pub replace_bundle: bool,
    /// Whom to trust and ask. The log may be a mirror as well: an address or a folder with the static files of a log.
    #[command(flatten)]
    pub asking: LogArgs,
}
