//! Whether anything else was said: what the name proofs of a bundle show about its release and the keys of its publisher.

use std::collections::{BTreeMap, BTreeSet};

use super::error::VerifyError;
use super::name_error::{ListDiffers, NamePart, NameProofRefused};
use crate::bundle::BundledNames;
use crate::hash::{Digest, LeafHash};
use crate::index::{Pointer, Subject};
use crate::merkle::leaf_hash;
use crate::nameproof::{Complete, Kept, NameProof, check_under};
use crate::policy::{Cosigned, Policy, TrustedCheckpoint};
use crate::proof::{Proven, TlogProof};
use crate::registration::{KeyHistory, Refusal};
use crate::statement::{Kind, Release, SignedStatement};
use crate::status::History;

/// What a bundle proves of everything else that its publisher said.
///
/// It is about the publisher's own statements and keys up to the checkpoint of the release, which says as of when. What others say of a
/// release, an incident for example, is in no bundle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Completeness {
    /// Nothing: the bundle has no name proofs. Something else may have been said.
    NoWord,
    /// The log's index has everything that the bundle has, and nothing more.
    Complete(CompleteRecord),
}

/// Everything that a publisher said about its release, up to a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CompleteRecord {
    said: Vec<Proven<SignedStatement>>,
    uncounted: Vec<Uncounted>,
    index_cosigners: Vec<Cosigned>,
}

/// A statement that is in the log, and that keys of its publisher did not sign as the log's rules ask: no honest log holds one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uncounted {
    /// Its entry.
    pub position: u64,
    /// What it says.
    pub kind: Kind,
    /// The rule that it breaks.
    pub refusal: Refusal,
}

impl Completeness {
    /// What is proven; none where the bundle has no word about it.
    pub const fn record(&self) -> Option<&CompleteRecord> {
        match self {
            Self::NoWord => None,
            Self::Complete(record) => Some(record),
        }
    }

    /// The index cosigners of the policy that checked the index before anybody relied on it. Where there is none, the index is the log's own.
    pub fn index_cosigners(&self) -> &[Cosigned] {
        self.record().map_or(&[], |record| &record.index_cosigners)
    }

    /// A stable word for programs: `none`, `log-alone` or `checked`.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::NoWord => "none",
            Self::Complete(record) if record.index_cosigners.is_empty() => "log-alone",
            Self::Complete(_) => "checked",
        }
    }
}

impl CompleteRecord {
    /// What else the publisher said about the release, in the order of the log, as far as it counts.
    pub fn said(&self) -> &[Proven<SignedStatement>] {
        &self.said
    }

    /// What does not count.
    pub fn uncounted(&self) -> &[Uncounted] {
        &self.uncounted
    }

    /// The story of the release by all of it.
    pub(super) fn history(&self, release: &Proven<SignedStatement>, coordinate: &Release) -> History {
        let all = core::iter::once(release).chain(&self.said);
        History::fold(&coordinate.coordinate(), all.map(|at| (at.position(), at.value().statement())))
    }
}

/// What the checks before this one have proven.
#[derive(Debug, Clone, Copy)]
pub(super) struct Verified<'a> {
    pub(super) release: &'a Release,
    pub(super) entry: &'a Proven<SignedStatement>,
    pub(super) keys: &'a KeyHistory,
    /// The key statements of the publisher, as the bundle has them.
    pub(super) key_statements: &'a [Proven<SignedStatement>],
    pub(super) checkpoint: &'a TrustedCheckpoint,
    pub(super) policy: &'a Policy,
}

impl Verified<'_> {
    /// Checks 13 to 15 of the chapter.
    pub(super) fn completeness(&self, names: Option<&BundledNames>) -> Result<Completeness, VerifyError> {
        let Some(names) = names else { return Ok(Completeness::NoWord) };
        let coordinate = self.release.coordinate();
        let (about, keys) = (Subject::release(&coordinate), Subject::publisher(&coordinate.publisher));
        let about = (NamePart::Release, self.read(NamePart::Release, &about, &names.index, &names.release)?, about);
        let keys = (NamePart::Keys, self.read(NamePart::Keys, &keys, &names.index, &names.keys)?, keys);
        let [about, keys] = [about, keys].map(|(part, proof, subject)| self.check(part, &proof, &subject));
        let (about, keys) = (about?, keys?);
        self.check_keys(&keys)?;
        let said = self.said(names, &about)?;
        let (said, uncounted) = self.count(said);
        let index_cosigners = self.policy.index_cosigners(self.checkpoint.witnesses()).into_iter().cloned().collect();
        Ok(Completeness::Complete(CompleteRecord { said, uncounted, index_cosigners }))
    }

    /// Check 13: the lines of a name proof, and the checkpoint of the release.
    fn read(&self, part: NamePart, subject: &Subject, index: &[u8], answer: &[u8]) -> Result<NameProof, VerifyError> {
        let proof = NameProof::assemble(subject, index, answer, self.checkpoint.note());
        proof.map_err(|error| VerifyError::NameProof { part, error: NameProofRefused::Malformed(error) })
    }

    /// Check 14: the name proof shows the whole list.
    fn check(
        &self,
        part: NamePart,
        proof: &NameProof,
        subject: &Subject,
    ) -> Result<Complete<Vec<Pointer>>, VerifyError> {
        let checked = check_under(proof, subject, &Kept::nothing(), self.checkpoint.trusted().clone());
        checked.map_err(|error| VerifyError::NameProof { part, error: NameProofRefused::Check(error) })
    }

    /// Check 15 for the publisher's name: every key statement that is listed is in the bundle, and none below the head is not listed.
    fn check_keys(&self, keys: &Complete<Vec<Pointer>>) -> Result<(), VerifyError> {
        let pointer = |at: &Proven<SignedStatement>| (at.position(), leaf_hash(at.value().bytes()));
        let has: BTreeSet<(u64, LeafHash)> = self.key_statements.iter().map(pointer).collect();
        let listed: BTreeSet<(u64, LeafHash)> = keys.value().iter().map(|at| (at.position, at.leaf)).collect();
        let differs = |problem| Err(VerifyError::NameList { part: NamePart::Keys, problem });
        if let Some((position, _)) = listed.difference(&has).next() {
            return differs(ListDiffers::Missing { position: *position });
        }
        let size = self.checkpoint.size();
        match has.difference(&listed).find(|(position, _)| *position < size) {
            Some((position, _)) => differs(ListDiffers::NotListed { position: *position }),
            None => Ok(()),
        }
    }

    /// Check 15 for the coordinate: the release is listed, and each other statement that is listed is in the bundle, in that order.
    fn said(
        &self,
        names: &BundledNames,
        about: &Complete<Vec<Pointer>>,
    ) -> Result<Vec<Proven<SignedStatement>>, VerifyError> {
        let differs = |problem| VerifyError::NameList { part: NamePart::Release, problem };
        let release = Pointer { position: self.entry.position(), leaf: leaf_hash(self.entry.value().bytes()) };
        if !about.value().contains(&release) {
            return Err(differs(ListDiffers::NotListed { position: release.position }));
        }
        let mut said = Vec::with_capacity(names.said.len());
        let mut brought = names.said.iter();
        for pointer in about.value().iter().filter(|pointer| **pointer != release) {
            let position = pointer.position;
            let logged = brought.next().ok_or_else(|| differs(ListDiffers::Missing { position }))?;
            let proof = TlogProof::parse(&logged.proof).map_err(|error| differs(ListDiffers::Proof(error)))?;
            if proof.index() != position {
                return Err(differs(ListDiffers::Missing { position }));
            }
            let statement = about.statement(&logged.statement, &proof);
            said.push(statement.map_err(|error| differs(ListDiffers::Statement(Box::new(error))))?);
        }
        match brought.next() {
            Some(_) => Err(differs(ListDiffers::Surplus { listed: about.value().len() })),
            None => Ok(said),
        }
    }

    /// Which statements keys of the publisher signed at their entries. The key history is complete up to the head, so that none is left out
    /// for want of a key statement.
    fn count(&self, said: Vec<Proven<SignedStatement>>) -> (Vec<Proven<SignedStatement>>, Vec<Uncounted>) {
        let (mut counting, mut uncounted) = (Vec::new(), Vec::new());
        let mut used: BTreeMap<Digest, u64> = BTreeMap::new();
        let release = self.entry.value().statement().used_approvals().map(|digest| (digest, self.entry.position()));
        used.extend(release);
        for one in said {
            let position = one.position();
            match self.keys.check(position, one.value()).and_then(|()| once(&mut used, &one)) {
                Ok(()) => counting.push(one),
                Err(refusal) => {
                    let kind = one.value().statement().kind();
                    uncounted.push(Uncounted { position, kind, refusal });
                }
            }
        }
        (counting, uncounted)
    }
}

/// What several keys approved counts where it was said first.
fn once(used: &mut BTreeMap<Digest, u64>, said: &Proven<SignedStatement>) -> Result<(), Refusal> {
    let statement = said.value().statement();
    let Some(digest) = statement.used_approvals() else { return Ok(()) };
    let position = *used.entry(digest).or_insert(said.position());
    if position == said.position() {
        return Ok(());
    }
    Err(Refusal::ApprovalsUsed { publisher: statement.publisher().clone(), position })
}
