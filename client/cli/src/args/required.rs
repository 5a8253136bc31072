//! What is required of a release, and whom to ask: the same for every verb that verifies one.

use std::path::PathBuf;

use clap::Args;
use stele_clock::duration::HumanDuration;
use stele_log_client::judgement::AcceptedState;
use stele_spec::hash::KeyId;
use stele_spec::name::Publisher;

use super::value::key_id;

/// What is required of a release.
#[derive(Debug, Clone, Default, Args)]
pub struct RequiredArgs {
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
    /// Remember no tree head and no answer of the log, and compare with none.
    #[arg(long)]
    pub no_state: bool,
}
