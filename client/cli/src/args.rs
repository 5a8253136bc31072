//! The command line.

use clap::{CommandFactory as _, Parser, Subcommand};
use stele_command_line::Program;
use stele_command_line::completions::CompletionsArgs;
use stele_command_line::man_pages::ManArgs;
use stele_command_line::usage::{self, UsageError};
use stele_terminal::schema::Schema;

pub use approve::{ApproveArgs, SubmitProposalArgs};
pub use attach::{AttachArgs, PushArgs, StoringArgs};
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
pub use monitor::{MonitorArgs, MonitorVerb};
#[cfg(feature = "monitor")]
pub use observe::ObserveArgs;
pub use oms::{OmsArgs, OmsSignArgs, OmsVerb, OmsVerifyArgs};
pub use policy::{PolicyArgs, PolicyVerb};
pub use publish::PublishArgs;
pub use read::{
    DiffArgs, ExportArgs, ExportForm, HistoryArgs, InspectArgs, LineageArgs, ResolveArgs, ShowArgs, StatementForm,
};
pub use required::RequiredArgs;
pub use run::RunArgs;
pub use say::{AMENDABLE, AmendArgs, EvaluateArgs, IncidentArgs, Say, StageArgs, SupersedeArgs, WithdrawArgs};
pub use scan::ScanArgs;
pub use signing_key::{KeyOpening, SigningKey, SigningKeys};
pub(crate) use value::GLOB;
pub use verify::VerifyArgs;

use crate::schema;
use crate::settings::Settings;

mod examples;

mod value;

mod log;
mod required;
mod signing_key;

mod keys;

mod approve;
mod attach;

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
mod oms;
mod policy;
mod publish;
mod read;
mod run;
mod scan;
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
    /// Write errors and nothing else: the exit code is the answer. A document that --json asks for is written all the same.
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Say more: each request, on stderr; of `verify` the whole page.
    #[arg(short, long, global = true, conflicts_with = "quiet")]
    pub verbose: bool,
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// The command line with its examples.
pub(crate) fn program() -> Program {
    Program::new(Cli::command(), examples::EXAMPLES)
}

/// Reads the command line of this process, where options that are not typed may have values of the settings.
pub(crate) fn parse(settings: &Settings) -> Result<Cli, UsageError> {
    usage::parse(settings.fill(program().command()), draft::join_presets(std::env::args_os()))
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
    /// Store release.stele beside an artifact of a registry, as what refers to it.
    Attach(AttachArgs),
    /// Push the files of a verified release to a registry, as an artifact of ModelPack, with release.stele beside it.
    Push(PushArgs),
    /// Change what is said about a release: licence, card, hosts, evaluations, lineage. Its weights stay.
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
    /// Read a statement that --propose wrote for several keys to sign; with --digest, sign it with one of them.
    Approve(ApproveArgs),
    /// Sign a statement that --propose wrote as the last of the keys, and submit it.
    Submit(SubmitProposalArgs),
    /// Verify, offline, that a folder or a file is what its publisher released, and what became of it.
    Verify(VerifyArgs),
    /// Run a command that sees verified files, and nothing else, in the place of a model.
    Run(RunArgs),
    /// List every model on this machine: whether it is verified, what became of its release, and what lies here twice.
    Scan(ScanArgs),
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
    /// Show what is in a file that these programs write. It verifies nothing.
    Inspect(InspectArgs),
    /// Write what a verified release says as the document of others: in-toto, CycloneDX, SPDX.
    Export(ExportArgs),
    /// Read and write OpenSSF Model Signing: the model.sig of a model, which is in no log.
    Oms(OmsArgs),
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
    /// Compare what a host serves with a release. With --publisher, sign what was found; --submit logs it.
    #[cfg(feature = "monitor")]
    Observe(ObserveArgs),
    /// Show each setting, its value, and where it comes from.
    Config,
    /// Print the script by which a shell completes verbs and options.
    Completions(CompletionsArgs),
    /// Print the man page of `stele`, or write those of all verbs into a folder.
    Man(ManArgs),
    /// Print the version.
    Version,
    /// Print help about a verb, about exit-codes, or about concepts.
    Help(HelpArgs),
}

impl Verb {
    /// Whether it is about the program, and asks neither a policy nor a log.
    pub(crate) const fn is_about_the_program(&self) -> bool {
        matches!(self, Self::Completions(_) | Self::Man(_) | Self::Version | Self::Help(_))
    }

    /// The document that it writes with `--json`.
    pub const fn schema(&self) -> Schema {
        match self {
            Self::Key(_) => schema::KEY,
            Self::Claim(_) => schema::CLAIM,
            Self::Keys(KeysArgs { verb: KeysVerb::List { .. } }) => schema::KEYS_LIST,
            Self::Keys(_) => schema::KEYS_CHANGE,
            Self::Draft(_) => schema::DRAFT,
            Self::Publish(_) => schema::PUBLISH,
            Self::Attach(_) => schema::ATTACH,
            Self::Push(_) => schema::PUSH,
            Self::Amend(_) => schema::AMEND,
            Self::Stage(_) => schema::STAGE,
            Self::Supersede(_) => schema::SUPERSEDE,
            Self::Withdraw(_) => schema::WITHDRAW,
            Self::Incident(_) => schema::INCIDENT,
            Self::Evaluate(_) => schema::EVALUATE,
            Self::Approve(_) => schema::PROPOSAL,
            Self::Submit(_) => schema::SUBMIT,
            Self::Verify(_) => schema::VERIFY,
            Self::Run(_) => schema::RUN,
            Self::Scan(_) => schema::SCAN,
            Self::Fetch(_) => schema::FETCH,
            Self::Show(_) => schema::SHOW,
            Self::History(_) => schema::HISTORY,
            Self::Lineage(_) => schema::LINEAGE,
            Self::Resolve(_) => schema::RESOLVE,
            Self::Diff(_) => schema::DIFF,
            Self::Inspect(_) => schema::INSPECT,
            Self::Export(_) => schema::EXPORT,
            Self::Oms(OmsArgs { verb: OmsVerb::Sign(_) }) => schema::OMS_SIGN,
            Self::Oms(_) => schema::OMS_VERIFY,
            #[cfg(feature = "audit")]
            Self::Audit(_) => schema::AUDIT,
            Self::Evidence(EvidenceArgs { verb: EvidenceVerb::Verify { .. } }) => schema::EVIDENCE_VERIFY,
            Self::Evidence(_) => schema::EVIDENCE_SHOW,
            Self::Policy(PolicyArgs { verb: PolicyVerb::Check { .. } }) => schema::POLICY_CHECK,
            Self::Policy(_) => schema::POLICY_LINT,
            #[cfg(feature = "monitor")]
            Self::Monitor(MonitorArgs { verb: Some(MonitorVerb::Report { .. }), .. }) => schema::MONITOR_REPORT,
            #[cfg(feature = "monitor")]
            Self::Monitor(_) => schema::MONITOR,
            #[cfg(feature = "monitor")]
            Self::Observe(_) => schema::OBSERVE,
            Self::Config => schema::CONFIG,
            Self::Completions(_) => schema::COMPLETIONS,
            Self::Man(_) => schema::MAN,
            Self::Version => schema::VERSION,
            Self::Help(_) => schema::HELP,
        }
    }
}
