//! What became of a release, without asking a log: by its bundle, and by what the log said when this machine last asked it.

use stele_explain::Failure;
use stele_log_client::judgement::{AcceptedState, WithdrawnError};
use stele_log_client::local_state::LogId;
use stele_log_client::release_status::{ReleaseStatus, Source};
use stele_spec::policy::Policy;
use stele_verify::VerifiedRelease;

use crate::log_args::local_state;

/// The status, if the bundle has more than the release or the log was asked before.
pub(crate) fn kept(
    evidence: &VerifiedRelease,
    policy: &Policy,
    no_state: bool,
) -> Result<Option<ReleaseStatus>, Failure> {
    let (memory, coordinate) = (local_state(no_state), evidence.release().coordinate());
    let log = LogId::of(evidence.checkpoint().note(), policy);
    log.map_or(Ok(()), |log| memory.refuse_convicted(log))?;
    let publisher = &coordinate.publisher;
    let keys = || log.map(|log| memory.key_statements(log, publisher, policy)).unwrap_or_default();
    let Some(answer) = log.and_then(|log| memory.cached_answer(log, &coordinate, policy)) else {
        let of_bundle = || ReleaseStatus::of_bundle(evidence).with_keys(publisher, keys());
        return Ok(evidence.completeness().record().map(|_| of_bundle()));
    };
    let release_status = ReleaseStatus::of(&coordinate, &answer, Source::Kept)?;
    let entry = evidence.statement().position();
    Ok(Some(release_status.with_bundle(evidence).with_keys(publisher, keys()))
        .filter(|release_status| release_status.history.release().is_some_and(|(at, _)| at == entry)))
}

/// The status of a release that is passed on: one about which the log contradicts itself is refused.
pub(crate) fn status(evidence: &VerifiedRelease, policy: &Policy) -> Result<ReleaseStatus, Failure> {
    // What else is wrong with it is known here as well, by its status.
    if let Err(error @ stele_verify::VerifyError::Conflicting { .. }) = evidence.require_in_force() {
        return Err(error.into());
    }
    Ok(kept(evidence, policy, false)?.unwrap_or_else(|| ReleaseStatus::of_bundle(evidence)))
}

/// Why a release should not be passed on: its publisher took it back, or somebody reports a critical incident of it. What is accepted is none.
pub(crate) fn objection(status: &ReleaseStatus, accepted: Option<&AcceptedState>) -> Option<WithdrawnError> {
    let mut all = WithdrawnError::all(&status.history).into_iter();
    all.find(|error| !accepted.is_some_and(|state| error.is_accepted_by(state)))
}
