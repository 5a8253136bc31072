//! A log that a page asks: complete lists by name proof, each entry proven under the tree head of its list.
//!
//! Each answer brings the tree head that it rests on, and each head is checked under the policy: a quorum of witnesses says of it that the log
//! only grew. Heads of one size must have one root, and the caller has it computed that those of other sizes are of one tree with the newest.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use stele_explain::{Exit, Explain, Failure, explain};
use stele_log_client::list_proof::{ListProof, NameLookupError};
use stele_log_client::statements::{Lack, MAX_STATEMENTS, ProvenStatement, StatementList, StatementSource};
use stele_spec::hash::NodeHash;
use stele_spec::index::{Pointer, Subject, subjects_of};
use stele_spec::merkle::InclusionProof;
use stele_spec::name::{Coordinate, Publisher};
use stele_spec::nameproof::{Kept, NameProof, RefusedNameProof};
use stele_spec::policy::{Policy, TrustedCheckpoint};
use stele_spec::proof::TlogProof;
use stele_spec::text::base64_exact;
use stele_verify::VerifyError;

use crate::answers::{Answers, NotFetched, in_query};
use crate::error::RefusedHead;

/// A log, asked about one release.
#[derive(Debug)]
pub struct AskedLog<'a> {
    answers: &'a Answers,
    policy: &'a Policy,
    /// The older of the heads of the two lists about the release: what is said is complete up to there.
    head: TrustedCheckpoint,
    heads: RefCell<BTreeMap<u64, TrustedCheckpoint>>,
}

/// A list under a subject, and the head that it is proven under.
struct Listed {
    list: ListProof,
    head: TrustedCheckpoint,
}

impl<'a> AskedLog<'a> {
    /// Asks for what is listed about a release. `known` are tree heads of the same log that were proven already.
    pub fn about(
        answers: &'a Answers,
        policy: &'a Policy,
        coordinate: &Coordinate,
        known: impl IntoIterator<Item = TrustedCheckpoint>,
    ) -> Result<Self, Failure> {
        let known: BTreeMap<u64, TrustedCheckpoint> = known.into_iter().map(|head| (head.size(), head)).collect();
        let newest = known.last_key_value().map(|(_, head)| head.clone());
        let subjects = subjects(coordinate);
        let _ = answers.has_all(subjects.iter().map(|subject| list_path(subject, 0)));
        let heads = RefCell::new(known);
        let [own, others] = subjects.map(|subject| list(answers, policy, &heads, &subject));
        let (own, others) = (own?.head, others?.head);
        let head = if own.size() <= others.size() { own } else { others };
        if let Some(newest) = newest {
            check_not_older(&head, newest.size())?;
        }
        Ok(Self { answers, policy, head, heads })
    }

    /// The largest head that an answer rests on, or that was known before.
    pub fn newest(&self) -> TrustedCheckpoint {
        self.heads.borrow().last_key_value().map_or_else(|| self.head.clone(), |(_, head)| head.clone())
    }

    /// All heads that answers rest on, and those that were known before.
    pub fn heads(&self) -> Vec<TrustedCheckpoint> {
        self.heads.borrow().values().cloned().collect()
    }

    /// The bytes of a manifest, as the log serves them.
    pub fn manifest(&self, digest: &stele_spec::hash::Digest) -> Result<&'a [u8], Failure> {
        self.answers.body(&format!("manifests/{digest}"))
    }

    fn statements(&self, subject: &Subject) -> Result<StatementList, Failure> {
        let Listed { list, head } = list(self.answers, self.policy, &self.heads, subject)?;
        // A list of keys from before would leave out what revoked one of them.
        check_not_older(&head, self.head.size())?;
        let pointers = list.complete().value();
        let unread = pointers.len().saturating_sub(MAX_STATEMENTS);
        let pointers: Vec<&Pointer> = pointers.iter().skip(unread).collect();
        let paths = pointers.iter().flat_map(|pointer| [entry_path(pointer), inclusion_path(pointer, &head)]);
        if !self.answers.has_all(paths) {
            return Err(NotFetched.into());
        }
        let statements = pointers.into_iter().map(|pointer| self.pointed(pointer, subject, &head));
        let statements = statements.collect::<Result<Vec<_>, Failure>>()?;
        if unread > 0 {
            return Ok(StatementList::incomplete(statements, Lack::Cut, true));
        }
        Ok(StatementList { statements, lack: None, cut: false, proofs: vec![Arc::new(list)] })
    }

    /// The entry of a pointer, proven under the head of its list, if it is about the subject.
    fn pointed(
        &self,
        pointer: &Pointer,
        subject: &Subject,
        head: &TrustedCheckpoint,
    ) -> Result<ProvenStatement, Failure> {
        let entry = self.answers.body(&entry_path(pointer))?;
        let path = self.path(self.answers.body(&inclusion_path(pointer, head))?)?;
        let proof = TlogProof::new(pointer.position, path, head.note().clone());
        let logged = ProvenStatement::check(entry, proof, head)?;
        if logged.leaf() == pointer.leaf && subjects_of(logged.signed()).contains(subject) {
            return Ok(logged);
        }
        let found = format!("another entry at {}", pointer.position);
        Err(self.answers.nonsense("the entry that the index lists", found))
    }

    /// A path in the tree: a line of base64 for each hash.
    fn path(&self, body: &[u8]) -> Result<InclusionProof, Failure> {
        let nonsense = || self.answers.nonsense("a path in the tree, a hash on each line", "something else".to_owned());
        let text = std::str::from_utf8(body).map_err(|_| nonsense())?;
        let hashes = text.lines().map(|line| base64_exact::<32>(line).map(NodeHash::from_bytes));
        let hashes = hashes.collect::<Result<Vec<_>, _>>().map_err(|_| nonsense())?;
        InclusionProof::from_path(hashes).ok_or_else(nonsense)
    }
}

impl StatementSource for AskedLog<'_> {
    fn head(&self) -> &TrustedCheckpoint {
        &self.head
    }

    fn about(&self, coordinate: &Coordinate) -> Result<StatementList, Failure> {
        // Both are asked before either is missed.
        let [own, others] = subjects(coordinate).map(|subject| self.statements(&subject));
        Ok(own?.with(others?))
    }

    fn keys(&self, publisher: &Publisher) -> Result<StatementList, Failure> {
        self.statements(&Subject::publisher(publisher))
    }

    /// A page asks about one release alone.
    fn under(&self, _: &str) -> Result<StatementList, Failure> {
        Ok(StatementList::incomplete(Vec::new(), Lack::Unindexed, true))
    }
}

/// What its publisher says of a release, and what others say.
fn subjects(coordinate: &Coordinate) -> [Subject; 2] {
    [Subject::release(coordinate), Subject::about_release(coordinate)]
}

fn list(
    answers: &Answers,
    policy: &Policy,
    heads: &RefCell<BTreeMap<u64, TrustedCheckpoint>>,
    subject: &Subject,
) -> Result<Listed, Failure> {
    let ask = |from: u64| {
        let body = answers.body(&list_path(subject, from))?;
        NameProof::parse(body).map_err(|error| answers.nonsense("a name proof", error.to_string()))
    };
    let list = match ListProof::gather(subject, &Kept::nothing(), policy, ask)? {
        Ok(list) => list,
        Err(RefusedNameProof::Checkpoint(error)) => return Err(RefusedHead(error).into()),
        Err(error) => return Err(NameLookupError::new(answers.url(), subject, error).into()),
    };
    let complete = list.complete();
    let head = TrustedCheckpoint::of(complete.head().clone(), complete.checkpoint().clone())
        .ok_or_else(|| answers.nonsense("the note of the checkpoint that is proven", "another note".to_owned()))?;
    check_one_log(&head, &mut heads.borrow_mut())?;
    Ok(Listed { list, head })
}

/// Refuses an answer that rests on a smaller tree than one that was shown.
pub(crate) fn check_not_older(head: &TrustedCheckpoint, size: u64) -> Result<(), OlderTree> {
    if head.size() >= size {
        return Ok(());
    }
    Err(OlderTree { origin: head.origin().to_string(), before: size, now: head.size() })
}

/// All heads are of one log, and those of one size have one root.
fn check_one_log(head: &TrustedCheckpoint, heads: &mut BTreeMap<u64, TrustedCheckpoint>) -> Result<(), VerifyError> {
    if let Some(known) = heads.values().next().filter(|known| known.origin() != head.origin()) {
        let (expected, found) = (known.origin().to_string(), head.origin().to_string());
        return Err(VerifyError::OtherLog { expected, found });
    }
    match heads.get(&head.size()).filter(|known| known.root() != head.root()) {
        Some(known) => {
            let (older, newer) = (Box::new(known.note().clone()), Box::new(head.note().clone()));
            Err(VerifyError::TwoHistories { size: head.size(), older, newer })
        }
        None => {
            heads.insert(head.size(), head.clone());
            Ok(())
        }
    }
}

fn list_path(subject: &Subject, from: u64) -> String {
    format!("lookup/{}/proof?name={}&from={from}", subject.kind(), in_query(subject.text()))
}

fn entry_path(pointer: &Pointer) -> String {
    format!("entries/{}", pointer.position)
}

fn inclusion_path(pointer: &Pointer, head: &TrustedCheckpoint) -> String {
    format!("entries/{}/inclusion?size={}", pointer.position, head.size())
}

/// An answer that is older than the bundle, or than another answer.
#[derive(Debug, thiserror::Error)]
#[error("the log shows an older tree than it has shown before")]
pub struct OlderTree {
    origin: String,
    before: u64,
    now: u64,
}

impl Explain for OlderTree {
    explain! {
        Self { origin, before, now } => Exit::Unavailable, "stale",
            hint: "a cache may serve old answers: ask again later, or at another address",
            "log": origin, "expected": format!("at least {before} entries"), "found": format!("{now} entries");
    }
}
