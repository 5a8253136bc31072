//! The command line.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, Parser, Subcommand, ValueEnum};
use stele_clock::duration::HumanDuration;
use stele_explain::{Exit, Explain, explain};
use stele_host_check::HostLocation;
use stele_spec::hash::KeyId;
use stele_spec::name::{Coordinate, Model, Publisher, Variant, Version};
use stele_spec::note::VerifierKey;

pub use keys::{ChangeArgs, ClaimArgs, KeysArgs, KeysVerb, SubmitArgs};
pub use log::{LogArgs, Trust};
pub use say::{AMENDABLE, AmendArgs, EvaluateArgs, IncidentArgs, Say, StageArgs, SupersedeArgs, WithdrawArgs};

mod log;

mod keys;

mod say;

/// Publish and verify open-weight model releases.
#[derive(Debug, Parser)]
#[command(name = "stele", version, disable_help_subcommand = true)]
#[command(after_help = "Exit codes are a contract: `stele help exit-codes`.")]
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
    Audit(AuditArgs),
    /// Check, offline, a file that convicts a log, a witness or a publisher; or show what is in it.
    Evidence(EvidenceArgs),
    /// Look at a trust policy.
    Policy(PolicyArgs),
    /// Watch a log, its witnesses and the hosts, and tell what nobody expected.
    Monitor(MonitorArgs),
    /// Compare what a host serves with a release, and say so, signed.
    Observe(ObserveArgs),
    /// Print the version.
    Version,
    /// Print help about a verb, or about exit-codes.
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
            Self::Show(_) => "stele/show@v1",
            Self::History(_) => "stele/history@v1",
            Self::Lineage(_) => "stele/lineage@v1",
            Self::Resolve(_) => "stele/resolve@v1",
            Self::Diff(_) => "stele/diff@v2",
            Self::Inspect(_) => "stele/inspect@v1",
            Self::Audit(_) => "stele/audit@v1",
            Self::Evidence(EvidenceArgs { verb: EvidenceVerb::Verify { .. } }) => "stele/evidence-verify@v1",
            Self::Evidence(_) => "stele/evidence-show@v1",
            Self::Policy(PolicyArgs { verb: PolicyVerb::Check { .. } }) => "stele/policy-check@v1",
            Self::Policy(_) => "stele/policy-lint@v1",
            Self::Monitor(_) => "stele/monitor@v1",
            Self::Observe(_) => "stele/observe@v1",
            Self::Version => "stele/version@v1",
            Self::Help(_) => "stele/help@v1",
        }
    }
}

/// `stele key`.
#[derive(Debug, Args)]
pub struct KeyArgs {
    /// What to do with it.
    #[command(subcommand)]
    pub verb: KeyVerb,
}

/// What to do with a key.
#[derive(Debug, Subcommand)]
pub enum KeyVerb {
    /// Make a new Ed25519 key in PKCS#8 PEM. It never overwrites a file.
    New {
        /// Where to put it.
        file: PathBuf,
    },
    /// Show the public half: its key id and its PEM.
    Show {
        /// A secret or a public key in PEM.
        file: PathBuf,
    },
}

/// `stele draft`.
#[derive(Debug, Args)]
pub struct DraftArgs {
    /// The folder with the weights.
    pub folder: PathBuf,
    /// Who releases it: `acme.example` or `huggingface.co/acme`.
    #[arg(long)]
    pub publisher: Publisher,
    /// The model's name: `tiny`.
    #[arg(long)]
    pub model: Option<Model>,
    /// Its version: `1.0.2`.
    #[arg(long)]
    pub model_version: Option<Version>,
    /// Which object of the version: `base`, `instruct`, `instruct-gguf-q4_k_m`.
    #[arg(long)]
    pub variant: Option<Variant>,
    /// Where to write; else release.toml in the folder. `-` is stdout.
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// `stele publish`.
#[derive(Debug, Args)]
pub struct PublishArgs {
    /// The folder with the weights.
    pub folder: PathBuf,
    /// The publisher's secret key.
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// Whom to trust and ask.
    #[command(flatten)]
    pub trust: Trust,
    /// The release; else release.toml in the folder.
    #[arg(long, value_name = "FILE")]
    pub release: Option<PathBuf>,
    /// Claim the publisher's name for this key where nobody has.
    #[arg(long)]
    pub claim: bool,
    /// Publish files of these paths although they look like nothing that is meant to be released. `*` stays within a folder, `**` does
    /// not. May be given again.
    #[arg(long, value_name = "GLOB", value_parser = glob)]
    pub allow_file: Vec<glob::Pattern>,
    /// Where to put the bundle; else release.stele in the folder.
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Write over a bundle of another release, or another file, there.
    #[arg(long)]
    pub replace_bundle: bool,
    /// Add what is published to this file first, so that a monitor that reads it is silent about it.
    #[arg(long, value_name = "FILE")]
    pub expect: Option<PathBuf>,
    /// How long to try again while the log has no quorum: `60s`, `10m`.
    #[arg(long, value_name = "DURATION", default_value = "60s")]
    pub wait: HumanDuration,
}

/// `stele verify`.
#[derive(Debug, Args)]
#[command(
    after_help = "Ends with 0 when every file asked for is here and matches, and nothing that a loader would take lies beside it; \
with 1 when files differ, 17 when it was withdrawn, 15 when files are missing, 16 when others lie beside it. `stele help exit-codes` has all."
)]
pub struct VerifyArgs {
    /// A folder, a folder of a release, one file, or a snapshot in a Hugging Face cache.
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
    /// Check the evidence and not the bytes.
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
    /// Refuse evidence that is older: `30d`, `12h`.
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
    /// The whole page below the verdict.
    #[arg(short, long)]
    pub verbose: bool,
    /// The verdict's line alone.
    #[arg(short, long, conflicts_with = "verbose")]
    pub quiet: bool,
}

/// What became of a release that a caller of `stele verify` goes on with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AcceptedState {
    /// It was withdrawn, or has critical incidents.
    Withdrawn,
    /// It has critical incidents: anybody's, or those that one name reports.
    Incident(Option<Publisher>),
}

impl FromStr for AcceptedState {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match (text, text.strip_prefix("incident:")) {
            ("withdrawn", _) => Ok(Self::Withdrawn),
            ("incident", _) => Ok(Self::Incident(None)),
            (_, Some(name)) => match name.parse() {
                Ok(name) => Ok(Self::Incident(Some(name))),
                Err(error) => Err(format!("incident:NAME: {error}")),
            },
            _ => Err("expected withdrawn, incident or incident:NAME".to_owned()),
        }
    }
}

/// How a glob of the caller is read: `*` stays within a folder.
pub(crate) const GLOB: glob::MatchOptions =
    glob::MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: false };

/// `HostLocation` on the command line.
fn place(text: &str) -> Result<HostLocation, String> {
    text.parse::<HostLocation>().map_err(|error| format!("{error}; {}", error.hint().unwrap_or_default()))
}

/// `HOST=URL` on the command line.
fn base(text: &str) -> Result<(String, String), String> {
    let (host, url) = text.split_once('=').ok_or("expected HOST=URL")?;
    Ok((host.to_owned(), url.to_owned()))
}

fn glob(text: &str) -> Result<glob::Pattern, String> {
    glob::Pattern::new(text).map_err(|error| format!("expected a glob such as 'docs/*.json': {error}"))
}

fn key_id(text: &str) -> Result<KeyId, stele_spec::text::HexError> {
    KeyId::from_hex(text)
}

/// `stele show`.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// A release.stele, a signed statement, a folder, or in the log a coordinate or entry:NUMBER.
    pub what: String,
    /// Whom to ask about a coordinate or an entry.
    #[command(flatten)]
    pub asking: LogArgs,
}

/// `stele history`.
#[derive(Debug, Args)]
pub struct HistoryArgs {
    /// publisher/model@version#variant, or publisher/model@version, publisher/model, publisher.
    pub name: String,
    /// Whom to ask.
    #[command(flatten)]
    pub asking: LogArgs,
}

/// `stele lineage`.
#[derive(Debug, Args)]
pub struct LineageArgs {
    /// A release.stele, a signed release, a folder, a coordinate, or entry:NUMBER.
    pub what: String,
    /// As a Graphviz graph.
    #[arg(long, conflicts_with = "mermaid")]
    pub dot: bool,
    /// As a Mermaid flow chart.
    #[arg(long)]
    pub mermaid: bool,
    /// Whom to ask.
    #[command(flatten)]
    pub asking: LogArgs,
}

/// `stele resolve`.
#[derive(Debug, Args)]
pub struct ResolveArgs {
    /// A file, a SHA-256 or git blob id in hex, an Ollama blob `sha256-<hex>`, or a package URL.
    pub what: String,
    /// Look in this bundle first; beside those above the file.
    #[arg(long, value_name = "FILE")]
    pub bundle: Vec<PathBuf>,
    /// Look in no bundle: ask the log.
    #[arg(long, conflicts_with = "bundle")]
    pub no_bundle: bool,
    /// Whom to ask.
    #[command(flatten)]
    pub asking: LogArgs,
}

/// `stele diff`.
#[derive(Debug, Args)]
pub struct DiffArgs {
    /// A release.stele, a signed statement, a folder, a coordinate, or entry:NUMBER.
    pub first: String,
    /// The other one.
    pub second: String,
    /// Whom to ask about a coordinate or an entry.
    #[command(flatten)]
    pub asking: LogArgs,
}

/// `stele inspect`.
#[derive(Debug, Args)]
pub struct InspectArgs {
    /// A bundle, statement, manifest, proof, checkpoint, policy, key or index entry.
    pub file: PathBuf,
    /// Take a bundle apart into its standard files in this folder.
    #[arg(long, value_name = "FOLDER")]
    pub extract: Option<PathBuf>,
}

/// `stele audit`.
#[derive(Debug, Args)]
#[command(after_help = "Ends with 0 when there is nothing to report, and with 13 when there is.")]
pub struct AuditArgs {
    /// The log: an address, or a folder with its static files.
    pub log: String,
    /// The trust policy; else $STELE_POLICY, else ~/.config/stele/policy.
    #[arg(long, value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// Keep the log's files and the state of the audit here, and go on from there the next time.
    #[arg(long, value_name = "FOLDER")]
    pub state: Option<PathBuf>,
    /// Write a file of evidence here for every misbehaviour that can be proven.
    #[arg(long, value_name = "FOLDER")]
    pub evidence: Option<PathBuf>,
    /// How the report is written; `--json` is `--format json`.
    #[arg(long, value_enum, default_value_t = ReportFormat::Text)]
    pub format: ReportFormat,
    /// Report findings that weigh so much, and more.
    #[arg(long, value_enum, default_value_t = Weight::Note)]
    pub at_least: Weight,
}

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ReportFormat {
    /// Lines to read.
    Text,
    /// One JSON document.
    Json,
    /// SARIF 2.1.0, for programs that show findings.
    Sarif,
}

/// How much a finding weighs, as SARIF says it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Weight {
    /// Worth knowing.
    Note,
    /// Something is missing or does not fit.
    Warning,
    /// The record contradicts itself, or what it claims does not hold.
    Error,
}

/// `stele evidence`.
#[derive(Debug, Args)]
pub struct EvidenceArgs {
    /// What to do with it.
    #[command(subcommand)]
    pub verb: EvidenceVerb,
}

/// What to do with a file of evidence.
#[derive(Debug, Subcommand)]
pub enum EvidenceVerb {
    /// Check it, offline, and say who did what. Ends with 14 where it convicts nobody.
    Verify {
        /// The file.
        file: PathBuf,
        /// The policy whose keys are known; else $STELE_POLICY, else ~/.config/stele/policy.
        #[arg(long, value_name = "FILE")]
        policy: Option<PathBuf>,
        /// A log's or witness's verifier key, in place of a policy. May be given again.
        #[arg(long, value_name = "VKEY", conflicts_with = "policy")]
        vkey: Vec<VerifierKey>,
    },
    /// Say what it holds. It verifies nothing.
    Show {
        /// The file.
        file: PathBuf,
        /// Take it apart into its standard files in this folder.
        #[arg(long, value_name = "FOLDER")]
        extract: Option<PathBuf>,
    },
}

/// `stele policy`.
#[derive(Debug, Args)]
pub struct PolicyArgs {
    /// What to do with it.
    #[command(subcommand)]
    pub verb: PolicyVerb,
}

/// What to do with a policy.
#[derive(Debug, Subcommand)]
pub enum PolicyVerb {
    /// Say what it requires, and whether one operator alone could meet it.
    Check {
        /// The policy.
        file: PathBuf,
    },
    /// Say how many witnesses may lie or be down, and which keys or operators count more than they should.
    Lint {
        /// The policy.
        file: PathBuf,
    },
}

/// `stele monitor`.
#[derive(Debug, Args)]
pub struct MonitorArgs {
    /// What to watch and whom to tell: a TOML file.
    pub config: PathBuf,
    /// One round, and a report of it; else rounds until SIGTERM.
    #[arg(long)]
    pub once: bool,
    /// Send a synthetic event through everything that a real one goes through.
    #[arg(long, conflicts_with = "once")]
    pub self_test: bool,
}

/// `stele observe`.
#[derive(Debug, Args)]
pub struct ObserveArgs {
    /// The release: `acme.example/tiny@1.0.0#base`.
    pub coordinate: Coordinate,
    /// The host: `https://huggingface.co/OWNER/NAME`, `ollama:https://ollama.com/NAME:TAG`, `oci:https://HOST/NAME:TAG`; the address of a
    /// page of a repository is cut to the repository.
    #[arg(long, value_name = "HOST", value_parser = place)]
    pub host: HostLocation,
    /// The revision that the record names, where the host is not in the record.
    #[arg(long)]
    pub revision: Option<String>,
    /// The address to ask for a host name, such as `huggingface.co=https://hub.example`.
    #[arg(long, value_name = "HOST=URL", value_parser = base)]
    pub base: Vec<(String, String)>,
    /// Sign with this key.
    #[arg(long, value_name = "FILE", requires = "publisher")]
    pub key: Option<PathBuf>,
    /// The name that the key holds.
    #[arg(long, requires = "key")]
    pub publisher: Option<Publisher>,
    /// Where to write the signed observation.
    #[arg(short, long, value_name = "FILE", requires = "key")]
    pub output: Option<PathBuf>,
    /// Submit it to the log.
    #[arg(long, requires = "key")]
    pub submit: bool,
    /// Whom to trust and ask.
    #[command(flatten)]
    pub trust: Trust,
    /// How long to try again while the log has no quorum: `60s`, `10m`.
    #[arg(long, value_name = "DURATION", default_value = "60s")]
    pub wait: HumanDuration,
}

/// `stele help`.
#[derive(Debug, Args)]
pub struct HelpArgs {
    /// A verb, or `exit-codes`.
    pub topic: Vec<String>,
}
