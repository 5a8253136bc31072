//! `stele attach`, `stele push`.

use std::path::PathBuf;

use clap::Args;
use stele_log_client::judgement::AcceptedState;
use stele_oci::Reference;

use super::value::{glob, reference};

/// `stele attach`.
#[derive(Debug, Args)]
#[command(after_help = "\
The release is verified under the policy, and the artifact is compared with it, before anything is stored. Ends as `stele verify` does where \
that fails.")]
pub struct AttachArgs {
    /// The artifact: oci://HOST/NAME:TAG, or oci://HOST/NAME@sha256:HEX.
    #[arg(value_parser = reference)]
    pub artifact: Reference,
    /// The bundle to attach.
    #[arg(long, value_name = "FILE", default_value = "release.stele")]
    pub release: PathBuf,
    /// How it is stored.
    #[command(flatten)]
    pub storing: StoringArgs,
    /// Attach it also where the artifact has a part of the files: what is there must match, and at least one must be there.
    #[arg(long)]
    pub partial: bool,
    /// Accept files of these paths that a loader may take and the record does not name. May be given again.
    #[arg(long, value_name = "GLOB", value_parser = glob)]
    pub allow_extra: Vec<glob::Pattern>,
}

/// `stele push`.
#[derive(Debug, Args)]
#[command(after_help = "\
The folder is verified first, and nothing is sent that the release does not name. The same release is the same artifact, whoever pushes it.")]
pub struct PushArgs {
    /// The folder of a release, with its release.stele.
    pub folder: PathBuf,
    /// Where it goes: oci://HOST/NAME:TAG.
    #[arg(value_parser = reference)]
    pub artifact: Reference,
    /// Send it although somebody reports a critical `incident` of it (`incident:NAME`: although NAME does), or it was `withdrawn`.
    #[arg(long, value_name = "STATE")]
    pub accept: Option<AcceptedState>,
    /// How it is stored.
    #[command(flatten)]
    pub storing: StoringArgs,
}

/// What is alike where something is stored in a registry.
#[derive(Debug, Clone, Args)]
pub struct StoringArgs {
    /// The trust policy; else $STELE_POLICY, else ~/.config/stele/policy.
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// Check everything, and store nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// Ask a registry that is not on this machine without encryption. A login goes in the clear.
    #[arg(long)]
    pub plain_http: bool,
}
