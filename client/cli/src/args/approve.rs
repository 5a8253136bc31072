//! `stele approve` and `stele submit`.

use std::path::PathBuf;

use clap::Args;
use stele_spec::hash::Digest;

use super::keys::SubmitArgs;
use super::log::Trust;
use super::signing_key::SigningKey;
use super::value::digest;

/// `stele approve`.
#[derive(Debug, Args)]
pub struct ApproveArgs {
    /// The proposal. Signed, it is written anew with the signature in it.
    pub file: PathBuf,
    /// Sign it, if it is what has this digest, as this verb says it without this option: nothing is signed that was not shown.
    #[arg(long, value_name = "DIGEST", value_parser = digest)]
    pub digest: Option<Digest>,
    /// A secret key of the name.
    #[command(flatten)]
    pub key: SigningKey,
    /// Your own copy of the files of the release: hash each, and refuse the proposal where one differs.
    #[arg(long, value_name = "FOLDER")]
    pub folder: Option<PathBuf>,
    /// Ask the log what the statement would change, which keys must sign, and whether it is an entry already. Without it, and without --policy or --log
    /// where you sign, nobody is asked: a key may stay on a machine without a network.
    #[arg(long)]
    pub online: bool,
    /// Whom to trust and ask.
    #[command(flatten)]
    pub trust: Trust,
}

/// `stele submit`.
#[derive(Debug, Args)]
pub struct SubmitProposalArgs {
    /// The proposal.
    pub file: PathBuf,
    /// What is signed, as `stele approve` says it: nothing is signed that was not shown.
    #[arg(long, value_name = "DIGEST", value_parser = digest)]
    pub digest: Digest,
    /// A secret key of the name, which need not have approved before.
    #[command(flatten)]
    pub key: SigningKey,
    /// Whom to trust and ask, and what to keep.
    #[command(flatten)]
    pub said: SubmitArgs,
}
