//! Whom a verb asks, whom it believes, and where it remembers: what the verbs that ask a log have in common.

use stele_durable::DurableError;
use stele_explain::{Exit, Explain, Failure, explain};
use stele_log_client::api::LogClient;
use stele_log_client::index_end::Incomplete;
use stele_log_client::local_state::{LocalState, LogId};
use stele_log_client::log_url;
use stele_log_client::log_view::{LogAddress, LogView, MAX_VERDICT_WAIT, MAX_WHOLE_WAIT};
use stele_log_client::proven_entries::ProvenEntries;
use stele_log_client::reader::ReadError;
use stele_log_client::statements::StatementSource as _;
use stele_publish::issued_at;
use stele_spec::checkpoint::Origin;
use stele_spec::policy::Policy;
use stele_terminal::volume::note;
use stele_terminal::writers::warn_of_writers;

use crate::args::LogArgs;
use crate::policy_file;

/// A policy, a log with an address, and the local state.
#[derive(Debug)]
pub(crate) struct LogContext {
    /// Whom to believe.
    pub(crate) policy: Policy,
    /// What is remembered.
    pub(crate) local_state: LocalState,
    address: LogAddress,
}

/// The entries of a log for a verb that signs something about them: not of a log of which this machine holds proof that it lied, and not with
/// a clock that the log's newest tree head contradicts.
pub(crate) fn proven_entries<'a>(
    log: &'a LogClient,
    policy: &'a Policy,
    accept_incomplete_answer: bool,
) -> Result<ProvenEntries<'a>, Failure> {
    LogId::at(log.url(), policy).map_or(Ok(()), |id| local_state(false).refuse_convicted(id))?;
    let record = ProvenEntries::new(log, policy).accepting(Incomplete::by(accept_incomplete_answer));
    issued_at::check_clock(&record)?;
    Ok(record)
}

impl LogContext {
    /// By the arguments of a verb. The time that the log has for all answers begins here.
    pub(crate) fn by(args: &LogArgs) -> Result<Self, Failure> {
        Self::of(args, None)
    }

    /// The same; of several logs of the policy that of which something on this disk is.
    pub(crate) fn of(args: &LogArgs, origin: Option<&Origin>) -> Result<Self, Failure> {
        Self::asking(args, origin, |address| address.within(MAX_VERDICT_WAIT))
    }

    /// The same for a verb that takes as well any copy of the log's static files, and has the time to read it.
    pub(crate) fn of_a_copy(args: &LogArgs, origin: Option<&Origin>) -> Result<Self, Failure> {
        Self::asking(args, origin, |address| address.or_static_files().within(MAX_WHOLE_WAIT))
    }

    fn asking(
        args: &LogArgs,
        origin: Option<&Origin>,
        how: impl FnOnce(LogAddress) -> LogAddress,
    ) -> Result<Self, Failure> {
        let loaded = policy_file::load(args.trust.policy.as_deref())?;
        let url = log_url::log_url_of(args.trust.log.as_deref(), &loaded.policy, origin)?;
        let address = LogAddress::new(url, note).accepting(Incomplete::by(args.trust.accept_incomplete_answer));
        Ok(Self { policy: loaded.policy, local_state: local_state(args.no_state), address: how(address) })
    }

    /// The log under its newest head.
    pub(crate) fn log(&self) -> Result<LogView<'_>, Failure> {
        self.address.ask(&self.policy, &self.local_state)
    }
}

/// Checks that a log is the one of which something is.
pub(crate) fn is_of(own: &Origin, log: &LogView<'_>) -> Result<(), OtherLogAsked> {
    let asked = log.head().origin();
    if own == asked { Ok(()) } else { Err(OtherLogAsked { own: own.to_string(), asked: asked.to_string() }) }
}

/// A log that the release is not in: what it answers says nothing of the release.
#[derive(Debug, thiserror::Error)]
#[error("the release is in the log {own}, and {asked} was asked")]
pub(crate) struct OtherLogAsked {
    own: String,
    asked: String,
}

impl Explain for OtherLogAsked {
    explain! {
        Self { own, asked } => Exit::WrongPolicy, "other-log", hint: "--log URL names the log of the release; without it the one of the bundle is asked",
            "expected": own, "found": asked;
    }
}

/// A failure of the folder that somebody named for what is remembered.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct StateUnusable(Failure);

impl StateUnusable {
    /// The same failure, with the way round where it is one of the folder that `$STELE_STATE` names.
    pub(crate) fn explained(failure: Failure) -> Failure {
        let error: &(dyn std::error::Error + 'static) = failure.as_explain();
        let error = match error.downcast_ref::<ReadError>() {
            Some(ReadError::Durable(error)) => Some(error),
            _ => error.downcast_ref::<DurableError>(),
        };
        let named = std::env::var_os("STELE_STATE").filter(|folder| !folder.is_empty());
        let is_of_state = match error {
            Some(DurableError::Io { path, .. }) => named.is_some_and(|named| path.starts_with(named)),
            _ => false,
        };
        if is_of_state { Self(failure).into() } else { failure }
    }
}

impl Explain for StateUnusable {
    explain! {
        Self(failure) => failure.as_explain().exit(), failure.as_explain().code(),
            hint: format!(
                "$STELE_STATE names this folder for what is remembered of logs: name one that can be written, or remember nothing: \
                 --no-state{}",
                failure.as_explain().hint().map(|hint| format!("; {hint}")).unwrap_or_default()
            ),
            facts: failure.as_explain().facts();
    }
}

/// The local state of this machine's user, or none; with a warning where others may change it.
pub(crate) fn local_state(off: bool) -> LocalState {
    let local_state = LocalState::open(off, note);
    if let Some(folder) = local_state.folder() {
        warn_of_writers(folder, "what is remembered of logs");
    }
    local_state
}
