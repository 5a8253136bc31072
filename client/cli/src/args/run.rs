//! `stele run`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

use super::required::RequiredArgs;

/// `stele run`.
#[derive(Debug, Args)]
#[command(
    after_help = "Until the command starts it ends with the codes of `stele verify`, or with 20 where this machine allows no view; from then on it is the command: its exit code, \
its signals. --report FILE says which of the two it was. It needs Linux, and user namespaces or root."
)]
pub struct RunArgs {
    /// A folder of a release, a file in it, or a repository in the Hugging Face cache; else every argument of the command that is one. May be
    /// given again.
    #[arg(long, value_name = "PATH")]
    pub models: Vec<PathBuf>,
    /// What is required of a release.
    #[command(flatten)]
    pub required: RequiredArgs,
    /// Keep the copies on the disk that this folder is on; else on that of each file, else where temporary files are.
    #[arg(long, value_name = "DIR", conflicts_with = "in_memory")]
    pub workdir: Option<PathBuf>,
    /// Keep the copies in memory.
    #[arg(long)]
    pub in_memory: bool,
    /// Write one JSON document into this file before the command starts: what was verified, or why nothing is started.
    #[arg(long, value_name = "FILE")]
    pub report: Option<PathBuf>,
    /// The command and its arguments. No shell reads them.
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}
