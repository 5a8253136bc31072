//! The file of what is known of a coordinate: heads, name proofs and entries with their paths, all checked when it is read.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use stele_spec::hash::NodeHash;
use stele_spec::index::Subject;
use stele_spec::merkle::InclusionProof;
use stele_spec::name::Coordinate;
use stele_spec::nameproof::NameProof;
use stele_spec::policy::{Policy, TrustedCheckpoint};
use stele_spec::proof::TlogProof;
use stele_spec::text::{base64, base64_exact, to_base64};

use super::cached_answer::CachedAnswer;
use crate::list_proof::ListProof;
use crate::statements::ProvenStatement;

/// The most bytes of a file that are read: thousands of statements of the largest size.
pub(super) const MAX_FILE: u64 = 64 << 20;

/// The value of the `told` field.
const VERSION: &str = "stele/told@v2";

/// The file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    told: String,
    coordinate: Coordinate,
    /// Signed notes; the first is the head up to which the log was asked.
    heads: Vec<String>,
    lists: Vec<List>,
    entries: Vec<CachedEntry>,
}

/// The name proofs of one subject, as they came.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    subject: String,
    proofs: Vec<String>,
}

/// An entry with its position and its path under one of the heads, in base64.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CachedEntry {
    position: u64,
    head: usize,
    entry: String,
    path: Vec<String>,
}

impl File {
    /// Reads a file; nothing in it is checked yet.
    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    /// The file of what is known.
    pub(super) fn of(answer: &CachedAnswer) -> Self {
        let mut heads = vec![answer.head.note().to_string()];
        let entries = answer.entries.values().map(|logged| CachedEntry::of(logged, &mut heads)).collect();
        let list = |list: &Arc<ListProof>| List {
            subject: list.complete().subject().to_string(),
            proofs: list.proofs().iter().map(ToString::to_string).collect(),
        };
        Self {
            told: VERSION.to_owned(),
            coordinate: answer.coordinate.clone(),
            heads,
            lists: answer.lists.iter().map(list).collect(),
            entries,
        }
    }

    /// Its bytes.
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// What of it is proven under the policy, and whether that is all of it; none without its first head.
    pub(super) fn check(self, coordinate: &Coordinate, policy: &Policy) -> Option<(CachedAnswer, bool)> {
        if self.told != VERSION || self.coordinate != *coordinate {
            return None;
        }
        let heads: Vec<Option<TrustedCheckpoint>> =
            self.heads.iter().map(|note| TrustedCheckpoint::parse(note.as_bytes(), policy).ok()).collect();
        let head = heads.first()?.clone()?;
        let lists: Vec<_> = self.lists.iter().map(|list| list.check(policy).map(Arc::new)).collect();
        let entries: Vec<_> = self.entries.iter().map(|kept| kept.check(&heads)).collect();
        let whole = heads.iter().all(Option::is_some)
            && lists.iter().all(Option::is_some)
            && entries.iter().all(Option::is_some);
        let answer = CachedAnswer {
            coordinate: coordinate.clone(),
            head,
            lists: lists.into_iter().flatten().collect(),
            entries: entries.into_iter().flatten().map(|logged| (logged.position(), logged)).collect(),
        };
        Some((answer, whole))
    }
}

impl List {
    fn check(&self, policy: &Policy) -> Option<ListProof> {
        let subject: Subject = self.subject.parse().ok()?;
        let proofs = self.proofs.iter().map(|proof| NameProof::parse(proof.as_bytes()).ok()).collect::<Option<_>>()?;
        ListProof::check(&subject, proofs, policy)
    }
}

impl CachedEntry {
    /// An entry; its head is added to these where it is not among them.
    pub(super) fn of(logged: &ProvenStatement, heads: &mut Vec<String>) -> Self {
        let note = logged.proof().checkpoint().to_string();
        let head = heads.iter().position(|known| *known == note).unwrap_or_else(|| {
            heads.push(note);
            heads.len() - 1
        });
        Self {
            position: logged.position(),
            head,
            entry: to_base64(logged.signed().bytes()),
            path: logged.proof().path().path().iter().map(|hash| to_base64(hash.as_bytes())).collect(),
        }
    }

    /// The entry, if its proof holds under the head that it names.
    pub(super) fn check(&self, heads: &[Option<TrustedCheckpoint>]) -> Option<ProvenStatement> {
        let head = heads.get(self.head)?.as_ref()?;
        let hash = |text: &String| base64_exact(text).ok().map(NodeHash::from_bytes);
        let path = InclusionProof::from_path(self.path.iter().map(hash).collect::<Option<_>>()?)?;
        let proof = TlogProof::new(self.position, path, head.note().clone());
        ProvenStatement::check(&base64(&self.entry).ok()?, proof, head).ok()
    }
}
