//! `stele scan`.

use std::path::PathBuf;

use clap::Args;

use super::log::LogArgs;

/// `stele scan`.
#[derive(Debug, Args)]
#[command(
    after_help = "Looks into the Hugging Face cache ($HF_HUB_CACHE, $HF_HOME), Ollama ($OLLAMA_MODELS), LM Studio, and llama.cpp ($LLAMA_CACHE); vLLM and \
SGLang load from the Hugging Face cache. Ends with 0 when every model is verified, with 13 when one is not. With --locked what no release is known of is as good as the \
file says, and it ends with 1, 15 or 16 when a model is another one, is missing, or is new."
)]
pub struct ScanArgs {
    /// Look through this folder as well. May be given again.
    #[arg(long, value_name = "DIR")]
    pub also: Vec<PathBuf>,
    /// Look through no other folders than those of --also.
    #[arg(long, requires = "also")]
    pub only: bool,
    /// Ask no log: verdicts rest on each release.stele and on what this machine remembers.
    #[arg(long, conflicts_with_all = ["log", "accept_incomplete_answer"])]
    pub offline: bool,
    /// Write what was found into this file, for --locked.
    #[arg(long, value_name = "FILE", conflicts_with = "locked")]
    pub lock: Option<PathBuf>,
    /// Refuse what is not as this file says: another model at a place, one that is missing, one that is new.
    #[arg(long, value_name = "FILE")]
    pub locked: Option<PathBuf>,
    /// Hash every file, also those that are unchanged since they were hashed before.
    #[arg(long)]
    pub rehash: bool,
    /// Hash every file, and keep no digest for the next time.
    #[arg(long, conflicts_with = "rehash")]
    pub no_cache: bool,
    /// Whom to trust and ask. The log may be a folder with a log's static files as well: then no digest leaves this machine.
    #[command(flatten)]
    pub asking: LogArgs,
}
