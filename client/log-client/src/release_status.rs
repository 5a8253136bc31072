//! Where a release stands: everything that was said about its coordinate by those who may say it, folded to a status.
//!
//! A statement counts when it is in the log and keys that held its speaker's name at that point signed it, as many as the name asks
//! for. What does not count is named: no honest log holds it.

use std::collections::{BTreeMap, BTreeSet};

use stele_explain::Failure;
use stele_spec::hash::{Digest, KeyId, LeafHash};
use stele_spec::name::{Coordinate, Publisher};
#[cfg(feature = "ask")]
use stele_spec::policy::Policy;
use stele_spec::policy::TrustedCheckpoint;
use stele_spec::registration::{KeyHistory, Refusal};
use stele_spec::statement::{Kind, SignedStatement, Statement};
use stele_spec::status::History;
use stele_spec::verify::Uncounted;
use stele_verify::VerifiedRelease;

#[cfg(feature = "ask")]
use crate::local_state::{CachedAnswer, LocalState, LogId};
use crate::statements::{Lack, ProvenStatement, StatementList, StatementSource};

/// The most speakers whose keys are asked for; what more of them say is left out, and that is said.
const MAX_SPEAKERS: usize = 64;

/// Where a release stands, and how that is known.
#[derive(Debug)]
pub struct ReleaseStatus {
    /// The fold.
    pub history: History,
    /// What does not count.
    pub rejected: Vec<Rejected>,
    /// How it is known.
    pub source: Source,
    /// The head up to which it is known.
    pub head: TrustedCheckpoint,
    /// What is missing for a proof that nothing up to the head is left out; none where that is proven.
    pub lack: Option<Lack>,
    release_leaf: Option<LeafHash>,
    about: StatementList,
    keys: BTreeMap<Publisher, StatementList>,
    /// Of each statement of a bundle who signed it.
    bundled: BTreeMap<u64, BundledSigners>,
}

/// The keys that signed a statement of a bundle, and the first revocation of one of them, where the bundle has that.
#[derive(Debug)]
struct BundledSigners {
    speaker: Publisher,
    kids: Vec<KeyId>,
    revoked: Option<Revocation>,
}

/// When a key was revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revocation {
    /// The entry that revokes it.
    pub entry: u64,
    /// Why, as that entry says.
    pub reason: Option<String>,
}

impl Revocation {
    /// When a key that signed a statement was first revoked after it, by the key statements of all speakers.
    pub fn after(keys: &BTreeMap<Publisher, StatementList>, logged: &ProvenStatement) -> Option<Self> {
        let speaker = logged.signed().statement().publisher();
        Self::of(speaker, &keys.get(speaker)?.statements, logged.signed(), logged.position())
    }

    /// The same by the key statements of its speaker.
    pub fn of(speaker: &Publisher, keys: &[ProvenStatement], signed: &SignedStatement, position: u64) -> Option<Self> {
        first_revocation(speaker, keys, keys_of(signed)).filter(|revoked| revoked.entry > position)
    }

    /// In a sentence: `signed by a key that was revoked later, at entry 21: laptop lost`.
    pub fn text(&self) -> String {
        let reason = self.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        format!("signed by a key that was revoked later, at entry {}{reason}", self.entry)
    }
}

/// The keys that signed a statement.
fn keys_of(signed: &SignedStatement) -> impl Iterator<Item = KeyId> + '_ {
    let approvals = signed.statement().approvals();
    core::iter::once(signed.kid()).chain(approvals.iter().map(|approval| approval.kid))
}

/// The first entry that revoked one of these keys of a name, and the reason given there. No key is revoked twice.
fn first_revocation(
    publisher: &Publisher,
    statements: &[ProvenStatement],
    kids: impl Iterator<Item = KeyId>,
) -> Option<Revocation> {
    first_in(&KeyHistory::fold(publisher, statements.iter().map(ProvenStatement::proven)).ok()?, kids)
}

/// The same by what a name's key statements have left.
fn first_in(history: &KeyHistory, kids: impl Iterator<Item = KeyId>) -> Option<Revocation> {
    let (entry, reason) = kids.filter_map(|kid| history.revocation(&kid)).min_by_key(|(entry, _)| *entry)?;
    Some(Revocation { entry, reason: reason.map(ToString::to_string) })
}

/// Who signed what a bundle has.
fn signed(evidence: &VerifiedRelease) -> BTreeMap<u64, BundledSigners> {
    let said = evidence.completeness().record().map(|record| record.said()).unwrap_or_default();
    let keys = evidence.key_history();
    core::iter::once(evidence.statement())
        .chain(said)
        .map(|at| {
            let kids: Vec<KeyId> = keys_of(at.value()).collect();
            let revoked = first_in(keys, kids.iter().copied());
            (at.position(), BundledSigners { speaker: keys.publisher().clone(), kids, revoked })
        })
        .collect()
}

/// How a status is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// From a bundle: it has the release alone.
    Bundle,
    /// From an earlier answer of the log, kept on this machine.
    Kept,
    /// From the log, now.
    Log,
}

/// A statement that is in the log and does not count.
#[derive(Debug, Clone)]
pub struct Rejected {
    /// Its entry.
    pub position: u64,
    /// Its kind.
    pub kind: Kind,
    /// Who is said to speak.
    pub speaker: Publisher,
    /// The stable word for the reason.
    pub code: &'static str,
    /// The reason.
    pub why: String,
}

impl ReleaseStatus {
    /// What a bundle alone says: that there is a release, and where it has name proofs all that its publisher said.
    pub fn of_bundle(evidence: &VerifiedRelease) -> Self {
        let leaf = stele_spec::merkle::leaf_hash(evidence.statement().value().bytes());
        let (history, head) = (evidence.history().clone(), evidence.checkpoint().clone());
        let status = Self { bundled: signed(evidence), ..Self::of_history(history, leaf, Source::Bundle, head) };
        match evidence.completeness().record() {
            Some(record) => {
                let rejected = record.uncounted().iter().map(|one| Rejected::of_bundle(evidence, one)).collect();
                Self { rejected, lack: Some(Lack::OwnAlone), ..status }
            }
            None => status,
        }
    }

    /// The same with all that a bundle proves. What was proven once stays, whichever of the two is newer.
    ///
    /// A bundle that was made after this machine last asked says as of when.
    #[must_use]
    pub fn with_bundle(self, evidence: &VerifiedRelease) -> Self {
        let bundled = signed(evidence);
        let Some(record) = evidence.completeness().record() else { return Self { bundled, ..self } };
        let own = || core::iter::once(evidence.statement()).chain(record.said());
        let is_rejected = |at: &&ProvenStatement| self.rejection(at.position()).is_some();
        let known = self.about.statements.iter().filter(|at| !is_rejected(at));
        let known = known.map(|at| (at.position(), at.signed().statement()));
        let all = own().map(|at| (at.position(), at.value().statement())).chain(known);
        let history = History::fold(self.history.coordinate(), all);
        let is_new = |one: &&Uncounted| self.rejection(one.position).is_none();
        let more: Vec<_> =
            record.uncounted().iter().filter(is_new).map(|one| Rejected::of_bundle(evidence, one)).collect();
        let rejected = self.rejected.into_iter().chain(more).collect();
        let (size, known) = (evidence.checkpoint().size(), self.head.size());
        // What was kept of a statement that was made here is no answer of the log to a question for everything.
        let replaces = size > known || size == known && self.lack.is_some();
        let (source, head, lack) = match self.source == Source::Kept && replaces {
            true => (Source::Bundle, evidence.checkpoint().clone(), Some(Lack::OwnAlone)),
            false => (self.source, self.head, self.lack),
        };
        Self { history, rejected, source, head, lack, bundled, ..self }
    }

    /// By a history that was folded elsewhere; `leaf` is the leaf hash of the release. Nothing proves that it is complete.
    pub fn of_history(history: History, leaf: LeafHash, source: Source, head: TrustedCheckpoint) -> Self {
        Self {
            history,
            rejected: Vec::new(),
            source,
            head,
            lack: Some(Lack::Unkept),
            release_leaf: Some(leaf),
            about: StatementList::default(),
            keys: BTreeMap::new(),
            bundled: BTreeMap::new(),
        }
    }

    /// What the statements of a source come to.
    pub fn of(coordinate: &Coordinate, from: &impl StatementSource, source: Source) -> Result<Self, Failure> {
        let about = from.about(coordinate)?;
        let Validated { counting, rejected, keys } = validate(&about, &coordinate.publisher, from)?;
        let history = History::fold(coordinate, counting.iter().map(|at| (at.position(), at.signed().statement())));
        let released = history.release().map(|(position, _)| position);
        let release = about.statements.iter().find(|logged| Some(logged.position()) == released);
        let lack = keys.values().chain([&about]).find_map(|listing| listing.lack);
        Ok(Self {
            history,
            rejected,
            source,
            head: from.head().clone(),
            lack,
            release_leaf: release.map(ProvenStatement::leaf),
            about,
            keys,
            bundled: BTreeMap::new(),
        })
    }

    /// Whether it is proven that nothing up to the head is missing.
    pub const fn is_complete(&self) -> bool {
        self.lack.is_none()
    }

    /// The newest entry of those that were made on this machine after the log was last asked for all, if there is one.
    pub fn own_since(&self) -> Option<u64> {
        let newest = self.about.statements.iter().map(ProvenStatement::position).max()?;
        (newest >= self.head.size()).then_some(newest)
    }

    /// When a key that signed a release was first revoked, if one was: by what is known here, or by the bundle alone.
    pub fn signer_revoked(&self, evidence: &VerifiedRelease) -> Option<Revocation> {
        let known = self.revocation(evidence.key_history().publisher(), evidence.signers());
        known.or_else(|| first_in(evidence.key_history(), evidence.signers()))
    }

    /// When a key that signed the statement of an entry was first revoked after it, as far as is known here.
    pub fn revoked_after(&self, position: u64) -> Option<Revocation> {
        if let Some(logged) = self.about.statements.iter().find(|logged| logged.position() == position)
            && let Some(revoked) = Revocation::after(&self.keys, logged)
        {
            return Some(revoked);
        }
        let BundledSigners { speaker, kids, revoked } = self.bundled.get(&position)?;
        let known = self.revocation(speaker, kids.iter().copied());
        known.or_else(|| revoked.clone()).filter(|known| known.entry > position)
    }

    /// The statements that count and that a key signed which was revoked since, by the revocation.
    pub fn revoked_signers(&self) -> Vec<(Revocation, Vec<u64>)> {
        let mut found: Vec<(Revocation, Vec<u64>)> = Vec::new();
        for position in self.history.events().iter().map(|event| event.position) {
            let Some(revoked) = self.revoked_after(position) else { continue };
            match found.iter_mut().find(|(known, _)| *known == revoked) {
                Some((_, positions)) => positions.push(position),
                None => found.push((revoked, vec![position])),
            }
        }
        found
    }

    /// Adds key statements of a name that were proven before, wherever that was.
    pub fn with_keys(mut self, publisher: &Publisher, statements: Vec<ProvenStatement>) -> Self {
        let known = self.keys.remove(publisher).unwrap_or_default();
        let more = StatementList { statements, lack: None, cut: false, proofs: Vec::new() };
        self.keys.insert(publisher.clone(), known.with(more));
        self
    }

    fn revocation(&self, publisher: &Publisher, kids: impl Iterator<Item = KeyId>) -> Option<Revocation> {
        first_revocation(publisher, &self.keys.get(publisher)?.statements, kids)
    }

    /// The leaf hash of the release.
    pub fn release_leaf(&self) -> Option<LeafHash> {
        self.release_leaf
    }

    /// The statement of an entry that does not count, if it is one.
    pub fn rejection(&self, position: u64) -> Option<&Rejected> {
        self.rejected.iter().find(|rejected| rejected.position == position)
    }

    /// Whether more was said than was read.
    pub fn cut(&self) -> bool {
        self.about.cut
    }

    /// Keeps what it was made of for a time without a network.
    #[cfg(feature = "ask")]
    pub fn keep(&self, local_state: &LocalState, log: LogId<'_>, policy: &Policy) -> Result<(), Failure> {
        let answer = CachedAnswer::answer(self.history.coordinate(), &self.head, &self.about, &self.keys);
        Ok(local_state.keep(log, policy, answer)?)
    }
}

/// Statements, judged.
#[derive(Debug)]
pub struct Validated<'a> {
    /// Those that count, in the order of the log.
    pub counting: Vec<&'a ProvenStatement>,
    /// Those that do not.
    pub rejected: Vec<Rejected>,
    /// The key statements of all who speak.
    pub keys: BTreeMap<Publisher, StatementList>,
}

/// Judges each statement by the keys that its speaker had at its position. The owner's keys are always asked for.
pub fn validate<'a>(
    about: &'a StatementList,
    owner: &Publisher,
    from: &impl StatementSource,
) -> Result<Validated<'a>, Failure> {
    let mut speakers: Vec<&Publisher> = vec![owner];
    let mut met: BTreeSet<&Publisher> = speakers.iter().copied().collect();
    for logged in &about.statements {
        let speaker = logged.signed().statement().publisher();
        if met.insert(speaker) {
            speakers.push(speaker);
        }
    }
    let mut keys = BTreeMap::new();
    for speaker in speakers.into_iter().take(MAX_SPEAKERS) {
        keys.insert(speaker.clone(), from.keys(speaker)?);
    }
    let histories: BTreeMap<&Publisher, _> = keys
        .iter()
        .map(|(name, listing)| (name, KeyHistory::fold(name, listing.statements.iter().map(ProvenStatement::proven))))
        .collect();
    let (mut counting, mut rejected) = (Vec::new(), Vec::new());
    let mut used = BTreeMap::new();
    for logged in &about.statements {
        let signed = logged.signed();
        let outcome = match (histories.get(signed.statement().publisher()), signed.statement()) {
            // A history that folds is one whose statements all count.
            (Some(Ok(_)), Statement::Publisher(_)) => Ok(()),
            (Some(Ok(history)), _) => {
                let checked = history.check(logged.position(), signed).and_then(|()| once(&mut used, logged));
                checked.map_err(|refusal| (refusal.code(), refusal.to_string()))
            }
            (Some(Err(broken)), _) => Err(("key-history-broken", broken.to_string())),
            (None, _) => Err(("too-many-speakers", format!("only the keys of {MAX_SPEAKERS} speakers were looked at"))),
        };
        match outcome {
            Ok(()) => counting.push(logged),
            Err((code, why)) => rejected.push(Rejected::of(logged.position(), signed, code, why)),
        }
    }
    Ok(Validated { counting, rejected, keys })
}

/// What several keys approved counts where it was said first.
fn once(used: &mut BTreeMap<Digest, u64>, logged: &ProvenStatement) -> Result<(), Refusal> {
    let statement = logged.signed().statement();
    let Some(digest) = statement.used_approvals() else { return Ok(()) };
    let position = *used.entry(digest).or_insert(logged.position());
    if position == logged.position() {
        return Ok(());
    }
    Err(Refusal::ApprovalsUsed { publisher: statement.publisher().clone(), position })
}

impl Rejected {
    fn of_bundle(evidence: &VerifiedRelease, one: &Uncounted) -> Self {
        let (kind, speaker) = (one.kind, evidence.coordinate().publisher);
        Self { position: one.position, kind, speaker, code: one.refusal.code(), why: one.refusal.to_string() }
    }

    fn of(position: u64, signed: &SignedStatement, code: &'static str, why: String) -> Self {
        let statement = signed.statement();
        Self { position, kind: statement.kind(), speaker: statement.publisher().clone(), code, why }
    }
}

impl Source {
    /// A stable word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Bundle => "bundle",
            Self::Kept => "kept",
            Self::Log => "log",
        }
    }
}
