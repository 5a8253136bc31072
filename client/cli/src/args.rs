//! The command line.

use clap::{Parser, Subcommand};
use stele_explain::{Exit, Explain, explain};

#[cfg(feature = "audit")]
pub use audit::{AuditArgs, ReportFormat, Weight};
pub use draft::DraftArgs;
pub use evidence::{EvidenceArgs, EvidenceVerb};
pub use fetch::FetchArgs;
pub use help::HelpArgs;
pub use key::{KeyArgs, KeyVerb};
pub use keys::{ChangeArgs, ClaimArgs, KeysArgs, KeysVerb, SubmitArgs};
pub use log::{LogArgs, Trust};
#[cfg(feature = "monitor")]
pub use monitor::MonitorArgs;
#[cfg(feature = "monitor")]
pub use observe::ObserveArgs;
pub use policy::{PolicyArgs, PolicyVerb};
pub use publish::PublishArgs;
pub use read::{DiffArgs, HistoryArgs, InspectArgs, LineageArgs, ResolveArgs, ShowArgs};
pub use say::{AMENDABLE, AmendArgs, EvaluateArgs, IncidentArgs, Say, StageArgs, SupersedeArgs, WithdrawArgs};
pub use signing_key::{KeyOpening, SigningKey};
pub(crate) use value::GLOB;
pub use verify::{AcceptedState, VerifyArgs};

mod value;

mod log;
mod signing_key;

mod keys;

mod say;

#[cfg(feature = "audit")]
mod audit;
mod draft;
mod evidence;
mod fetch;
mod help;
mod key;
#[cfg(feature = "monitor")]
mod monitor;
#[cfg(feature = "monitor")]
mod observe;
mod policy;
mod publish;
mod read;
mod verify;

/// Publish and verify open-weight model releases.
#[derive(Debug, Parser)]
#[command(name = "stele", version, disable_help_subcommand = true)]
#[command(
    after_help = "Exit codes are a contract: `stele help exit-codes`. What the words mean: `stele help concepts`."
)]
pub struct Cli {
    /// Write one JSON document to stdout instead of text.
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// Reads the command line of this process; a wrong one ends it with exit code 2, and with a document where `--json` asks for one.
pub fn parse() -> Result<Cli, UsageError> {
    Cli::try_parse().or_else(|error| {
        let is_json =
            std::env::args_os().skip(1).take_while(|argument| argument != "--").any(|argument| argument == "--json");
        // Help and the version are answers, and no errors.
        if is_json && error.use_stderr() { Err(UsageError(error)) } else { error.exit() }
    })
}

/// A command line that cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("the command line is wrong")]
pub struct UsageError(#[source] clap::Error);

impl Explain for UsageError {
    explain! {
        Self(error) => Exit::Usage, "usage", hint: "`stele help VERB` shows its options",
            "found": error.to_string().lines().next().unwrap_or_default().trim_start_matches("error: ");
    }
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Make a publisher's key, or look at one.
    Key(KeyArgs),
    /// Claim a publisher's name for a key.
    Claim(ClaimArgs),
    /// Show and change the keys of a publisher's name.
    Keys(KeysArgs),
    /// Write a release.toml, filled from what the folder says.
    Draft(DraftArgs),
    /// Hash, sign and submit a release, and write release.stele beside the weights.
    Publish(PublishArgs),
    /// Change what is said about a release: licence, card, hosts, evaluations. Its weights stay.
    Amend(AmendArgs),
    /// Say that access to a release moved.
    Stage(StageArgs),
    /// Say that another release replaces one.
    Supersede(SupersedeArgs),
    /// Say what of a release was taken back, and where copies are.
    Withdraw(WithdrawArgs),
    /// Say that something went wrong with releases, whoever published them.
    Incident(IncidentArgs),
    /// Say what somebody else's release did in an evaluation.
    Evaluate(EvaluateArgs),
    /// Verify, offline, that a folder or a file is what its publisher released, and what became of it.
    Verify(VerifyArgs),
    /// Make or renew release.stele from the log, verified, for a folder, a file or a name.
    Fetch(FetchArgs),
    /// Show a release as a page to read: one here, which it does not verify, or one in the log.
    Show(ShowArgs),
    /// List everything that was said about a release, a model or a publisher.
    History(HistoryArgs),
    /// Draw what a release was made of, all the way up, and what became of it.
    Lineage(LineageArgs),
    /// Find out which release a file, a digest or a package URL is.
    Resolve(ResolveArgs),
    /// Say what changed between two releases or statements.
    Diff(DiffArgs),
    /// Say what any of our files holds. It verifies nothing.
    Inspect(InspectArgs),
    /// Read a whole log, check everything in it, and report what does not hold.
    #[cfg(feature = "audit")]
    Audit(AuditArgs),
    /// Check, offline, a file that convicts a log, a witness or a publisher; or show what is in it.
    Evidence(EvidenceArgs),
    /// Look at a trust policy.
    Policy(PolicyArgs),
    /// Watch a log, its witnesses and the hosts, and tell what nobody expected.
    #[cfg(feature = "monitor")]
    Monitor(MonitorArgs),
    /// Compare what a host serves with a release, and say so, signed.
    #[cfg(feature = "monitor")]
    Observe(ObserveArgs),
    /// Print the version.
    Version,
    /// Print help about a verb, about exit-codes, or about concepts.
    Help(HelpArgs),
}

impl Verb {
    /// The name, with its version, of the document that it writes with `--json`.
    pub const fn schema(&self) -> &'static str {
        match self {
            Self::Key(_) => "stele/key@v1",
            Self::Claim(_) => "stele/claim@v1",
            Self::Keys(KeysArgs { verb: KeysVerb::List { .. } }) => "stele/keys-list@v1",
            Self::Keys(_) => "stele/keys-change@v1",
            Self::Draft(_) => "stele/draft@v1",
            Self::Publish(_) => "stele/publish@v1",
            Self::Amend(_) => "stele/amend@v1",
            Self::Stage(_) => "stele/stage@v1",
            Self::Supersede(_) => "stele/supersede@v1",
            Self::Withdraw(_) => "stele/withdraw@v1",
            Self::Incident(_) => "stele/incident@v1",
            Self::Evaluate(_) => "stele/evaluate@v1",
            Self::Verify(_) => "stele/verify@v1",
            Self::Fetch(_) => "stele/fetch@v1",
            Self::Show(_) => "stele/show@v1",
            Self::History(_) => "stele/history@v1",
            Self::Lineage(_) => "stele/lineage@v1",
            Self::Resolve(_) => "stele/resolve@v1",
            Self::Diff(_) => "stele/diff@v2",
            Self::Inspect(_) => "stele/inspect@v1",
            #[cfg(feature = "audit")]
            Self::Audit(_) => "stele/audit@v1",
            Self::Evidence(EvidenceArgs { verb: EvidenceVerb::Verify { .. } }) => "stele/evidence-verify@v1",
            Self::Evidence(_) => "stele/evidence-show@v1",
            Self::Policy(PolicyArgs { verb: PolicyVerb::Check { .. } }) => "stele/policy-check@v1",
            Self::Policy(_) => "stele/policy-lint@v1",
            #[cfg(feature = "monitor")]
            Self::Monitor(_) => "stele/monitor@v1",
            #[cfg(feature = "monitor")]
            Self::Observe(_) => "stele/observe@v1",
            Self::Version => "stele/version@v1",
            Self::Help(_) => "stele/help@v1",
        }
    }
}
