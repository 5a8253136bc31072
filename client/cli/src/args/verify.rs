//! `stele verify`.

use std::path::PathBuf;

use clap::Args;
use stele_clock::duration::HumanDuration;
use stele_log_client::judgement::AcceptedState;
use stele_spec::hash::KeyId;
use stele_spec::name::Publisher;

use super::value::{glob, key_id};

/// `stele verify`.
#[derive(Debug, Args)]
#[command(
    after_help = "Ends with 0 when every file asked for is here and matches, and nothing that a loader would take lies beside it; \
with 1 when files differ, 17 when it was withdrawn, 15 when files are missing, 16 when others lie beside it. `stele help exit-codes` has all."
)]
pub struct VerifyArgs {
    /// The folder of a release, a folder inside it, one file, or a snapshot in a Hugging Face cache.
    pub path: PathBuf,
    /// The trust policy; else $STELE_POLICY, else ~/.config/stele/policy.
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// The bundle; else release.stele in the folder or above the file.
    #[arg(long, value_name = "FILE")]
    pub bundle: Option<PathBuf>,
    /// Refuse a release of any other publisher.
    #[arg(long)]
    pub publisher: Option<Publisher>,
    /// Refuse a release signed by any other key.
    #[arg(long, value_parser = key_id)]
    pub key_id: Option<KeyId>,
    /// Check the evidence alone: no file is looked at, and the best verdict is `record only`.
    #[arg(long)]
    pub no_hash: bool,
    /// Accept a part of the files: what is here must match, and at least one must be here.
    #[arg(long)]
    pub partial: bool,
    /// Accept files of these paths that a loader may take and the record does not name. `*` stays within a folder, `**`
    /// does not. May be given again.
    #[arg(long, value_name = "GLOB", value_parser = glob)]
    pub allow_extra: Vec<glob::Pattern>,
    /// Accept what became of the release: `withdrawn` (or with a critical incident), `incident` (but not withdrawn), or
    /// `incident:NAME`, only what NAME reports. May be given again.
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
    /// Hash every file, also those that are unchanged since they were hashed before.
    #[arg(long, conflicts_with = "no_hash")]
    pub rehash: bool,
    /// Hash every file, and keep no digest for the next time.
    #[arg(long, conflicts_with = "rehash")]
    pub no_cache: bool,
    /// Remember no tree head and no answer of the log, and compare with none.
    #[arg(long)]
    pub no_state: bool,
}
