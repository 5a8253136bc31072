//! `stele run`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;
use stele_clock::duration::HumanDuration;
use stele_log_client::judgement::AcceptedState;
use stele_spec::hash::KeyId;
use stele_spec::name::Publisher;

use super::value::key_id;

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
    /// The trust policy; else $STELE_POLICY, else ~/.config/stele/policy.
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// Refuse a release of any other publisher.
    #[arg(long)]
    pub publisher: Option<Publisher>,
    /// Refuse a release signed by any other key.
    #[arg(long, value_parser = key_id)]
    pub key_id: Option<KeyId>,
    /// Accept a part of the files: what is here must match, and at least one must be here.
    #[arg(long)]
    pub partial: bool,
    /// Accept what became of the release: `withdrawn`, `incident` or `incident:NAME`, as `stele verify`. May be given again.
    #[arg(long, value_name = "STATE")]
    pub accept: Vec<AcceptedState>,
    /// Refuse evidence that is older than this: `30d`, `12h`.
    #[arg(long, value_name = "DURATION")]
    pub max_age: Option<HumanDuration>,
    /// Ask the log what was said later, about the release and all it was made of.
    #[arg(long)]
    pub online: bool,
    /// The log's address; else the one of the policy.
    #[arg(long, value_name = "URL", requires = "online")]
    pub log: Option<String>,
    /// Take an answer although the log, which could, does not prove that it is complete.
    #[arg(long, requires = "online")]
    pub accept_incomplete_answer: bool,
    /// Remember no tree head and no answer of the log, and compare with none.
    #[arg(long)]
    pub no_state: bool,
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
