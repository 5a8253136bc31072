//! What became of a release: by its bundle, by what this machine remembers, or by the log, asked now.

use stele_explain::secrets::without_secrets;
use stele_explain::{Exit, Failure};
use stele_log_client::lineage::{self, Lineage};
use stele_log_client::local_state::{LocalState, LogId};
use stele_log_client::log_end::LogEnd;
use stele_log_client::log_view::{LogAddress, LogView};
use stele_log_client::recalled::recalled;
use stele_log_client::release_status::{Rejected, ReleaseStatus, Source};
use stele_log_client::replacement::{self, Replacement};
use stele_log_client::unproven_answer::UnprovenAnswer;
use stele_spec::name::Coordinate;
use stele_spec::policy::{Policy, TrustedCheckpoint};
use stele_spec::registration::Refusal;
use stele_verify::VerifiedRelease;

use crate::log_args::is_of;
use crate::verify_error::VerifyError;

/// Looks up what became of a release.
pub(super) struct Reader<'a> {
    pub(super) evidence: &'a VerifiedRelease,
    /// The checkpoint of a receipt that came with it.
    pub(super) receipt: Option<&'a TrustedCheckpoint>,
    pub(super) policy: &'a Policy,
    pub(super) local_state: LocalState,
}

/// What became of a release, of its ancestors and of what replaces it.
pub(super) struct Known {
    pub(super) release_status: ReleaseStatus,
    pub(super) lineage: Lineage,
    pub(super) replacement: Option<Replacement>,
    /// Other releases of the same weights that were taken back.
    pub(super) recalled: Vec<String>,
    /// What the log said of its own end.
    pub(super) log_end: Option<LogEnd>,
}

impl Reader<'_> {
    /// Compares every head of the evidence with those remembered, and remembers it.
    pub(super) fn see(&self) -> Result<Option<LogId<'_>>, Failure> {
        let head = self.evidence.checkpoint();
        let log = LogId::of(head.note(), self.policy);
        if let Some(log) = log {
            self.local_state.heads(log).see_all(self.evidence.checkpoints().chain(self.receipt))?;
            self.local_state.refuse_convicted(log)?;
        }
        Ok(log)
    }

    /// What an earlier answer of the log says, if one is kept here.
    fn kept(&self, log: Option<LogId<'_>>, coordinate: &Coordinate) -> Result<Option<ReleaseStatus>, Failure> {
        let answer = log.and_then(|log| self.local_state.cached_answer(log, coordinate, self.policy));
        answer.map(|answer| ReleaseStatus::of(coordinate, &answer, Source::Kept)).transpose()
    }

    /// Without asking anybody: what the bundle says, and what the log said when it was last asked.
    pub(super) fn offline(&self, log: Option<LogId<'_>>) -> Result<Known, Failure> {
        let kept = |coordinate: &Coordinate| self.kept(log, coordinate);
        let release = self.evidence.release();
        let position = self.evidence.statement().position();
        let known = kept(&release.coordinate())?;
        let known =
            known.filter(|release_status| release_status.history.release().is_some_and(|(at, _)| at == position));
        let known = known.map(|known| known.with_bundle(self.evidence));
        let release_status = known.unwrap_or_else(|| ReleaseStatus::of_bundle(self.evidence));
        let publisher = &release.publisher.name;
        let keys = log.map(|log| self.local_state.key_statements(log, publisher, self.policy)).unwrap_or_default();
        let release_status = release_status.with_keys(publisher, keys);
        if let Some(revoked) = release_status.signer_revoked(self.evidence).filter(|revoked| revoked.entry < position) {
            let kid = self.evidence.statement().value().kid();
            let refusal = Refusal::KeyRevoked { publisher: publisher.clone(), kid };
            let why = format!("{refusal} before, at entry {}", revoked.entry);
            return Err(VerifyError::NotTheirs { entry: position, code: refusal.code(), why }.into());
        }
        let lineage = lineage::collect(release_status.history.current().unwrap_or(release), kept)?;
        let replacement = replacement::follow(&release_status.history, kept)?;
        Ok(Known { release_status, lineage, replacement, recalled: Vec::new(), log_end: None })
    }

    /// Asks the log for everything about the release and its ancestors. Where it gives no answer that proves itself, what is known
    /// without that answer, and why.
    pub(super) fn online(
        &self,
        address: &LogAddress,
        id: Option<LogId<'_>>,
    ) -> Result<(Known, Option<Failure>), Failure> {
        let log = match address.ask(self.policy, &self.local_state) {
            Ok(log) => log,
            Err(failure) => {
                let failure = match UnprovenAnswer::beside_verdict(failure) {
                    Err(failure) if failure.as_explain().exit() == Exit::Inconsistent => return Err(failure),
                    // No head, or one that the policy refuses, may come from anybody who stands between: it says nothing of the evidence.
                    Ok(failure) | Err(failure) => failure,
                };
                return Ok((self.offline(id)?, Some(failure)));
            }
        };
        self.asking(&log, id)
    }

    /// Asks a log of which the newest head is known.
    pub(super) fn asking(&self, log: &LogView<'_>, id: Option<LogId<'_>>) -> Result<(Known, Option<Failure>), Failure> {
        is_of(self.evidence.checkpoint().origin(), log)?;
        let release_status = match self.release_status(log) {
            Ok(release_status) => release_status,
            Err(failure) => {
                let failure = UnprovenAnswer::beside_verdict(failure)?;
                let (known, position) = (self.offline(id)?, self.evidence.statement().position());
                // What the publisher said may have come, and is proven, where what others say has not.
                let own = log.own_status(&self.evidence.release().coordinate());
                let own = own.filter(|own| own.history.release().is_some_and(|(at, _)| at == position));
                let known = match own {
                    Some(own) => Known { release_status: own.with_bundle(self.evidence), ..known },
                    None => known,
                };
                return Ok((known, Some(failure)));
            }
        };
        let current = release_status.history.current().unwrap_or(self.evidence.release());
        let ask = |coordinate: &Coordinate| log.release_status(coordinate).map(Some);
        let (own, weights) = (self.evidence.coordinate(), self.evidence.release().weights.digest);
        let asked = lineage::collect(current, ask).and_then(|lineage| {
            let replacement = replacement::follow(&release_status.history, ask)?;
            Ok((lineage, replacement, recalled(log, &own, weights)?))
        });
        let ((lineage, replacement, recalled), unanswered) = match asked {
            Ok(asked) => (asked, None),
            // What was proven of the release stays, whatever the log answers about an ancestor or what replaces it.
            Err(failure) => {
                let failure = UnprovenAnswer::beside_verdict(failure)?;
                let kept = |coordinate: &Coordinate| self.kept(id, coordinate);
                let lineage = lineage::collect(current, kept)?;
                ((lineage, replacement::follow(&release_status.history, kept)?, Vec::new()), Some(failure))
            }
        };
        Ok((Known { release_status, lineage, replacement, recalled, log_end: log.end().cloned() }, unanswered))
    }

    /// What the log has about the release.
    fn release_status(&self, log: &LogView<'_>) -> Result<ReleaseStatus, Failure> {
        for head in self.evidence.checkpoints() {
            log.same_as(head)?;
        }
        let entry = self.evidence.statement().position();
        let release_status = log.release_status(&self.evidence.release().coordinate())?;
        let (url, lack) = (without_secrets(log.url()).into_owned(), release_status.lack);
        if let Some(Rejected { code, why, .. }) = release_status.rejection(entry) {
            // Of a list that may leave something out, only what is in it counts.
            return Err(match lack.filter(|_| *code != REVOKED) {
                Some(lack) => VerifyError::LeftOut { url, entry, lack }.into(),
                None => VerifyError::NotTheirs { entry, code, why: why.clone() }.into(),
            });
        }
        let found = release_status.history.release().map(|(position, _)| position);
        match (found == Some(entry), lack, found) {
            // What the bundle proves stays, whatever an answer that is not proven complete leaves out.
            (true, ..) => Ok(release_status.with_bundle(self.evidence)),
            (false, Some(lack), None) => Err(VerifyError::LeftOut { url, entry, lack }.into()),
            (false, ..) => Err(VerifyError::NotNamed { url, entry, found }.into()),
        }
    }
}

/// The code of a statement by a key that was revoked before it.
const REVOKED: &str = "key-revoked";
