//! An entry that no honest log holds, since registration refuses it after others that the log holds.
//!
//! Not every refusal can be shown with some of a log's entries: a key that holds a name in none of those shown may have
//! been added by one that is not. What counts here is what no further entry could change, as long as those shown were
//! rightly let in; and if one of them was not, the log is guilty of that one.

use super::logged::Docket;
use super::{Accused, Kind, KnownKeys, Logged, Unproven, Verdict};
use crate::entry::{Entry, IndexEntry};
use crate::hash::{IndexKey, KeyId, LeafHash};
use crate::index::{Absence, Path, Pointer, Subject, Value};
use crate::key::PublicKey;
use crate::merkle::Frontier;
use crate::registration::{Refusal, Registry, Verdict as Admitted, View as _, admit, authenticate, signers};
use crate::statement::{Action, PublisherClaim, SignedStatement, Statement, VerifyError};

/// The code of an entry that is neither a statement nor an index entry.
pub const MALFORMED_ENTRY: &str = "malformed-entry";

/// The code of an entry that is there already.
pub const DUPLICATE_ENTRY: &str = "duplicate-entry";

/// The refused entry, after those by which it is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistrationViolated {
    /// By position, ascending; the last one is refused.
    pub entries: Vec<Logged>,
    /// That the entries hold every key statement of the speaker before the last one, on the word of the log's index.
    pub history: Option<KeyHistory>,
}

/// What the index says of a name's key statements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyHistory {
    /// An index entry after the refused entry.
    pub index: Logged,
    /// Everything listed under the name, in log order; empty if nothing is.
    pub pointers: Vec<Pointer>,
    /// The way from the name's leaf, or where nothing is listed from another key's, to the index root.
    pub path: Path,
    /// Where nothing is listed: the key that the search ends at; none in an empty index.
    pub other: Option<(IndexKey, Value)>,
}

impl RegistrationViolated {
    pub(super) fn check(&self, keys: &KnownKeys) -> Result<Verdict, Unproven> {
        let shown: Vec<&Logged> =
            self.entries.iter().chain(self.history.as_ref().map(|history| &history.index)).collect();
        let docket = Docket::open(&shown, keys)?;
        let (accused, before) = self.entries.split_last().ok_or(Unproven::Empty)?;
        let ascending = self.entries.iter().zip(self.entries.iter().skip(1));
        if let Some((_, next)) = ascending.clone().find(|(one, next)| one.position() >= next.position()) {
            return Err(Unproven::Order { position: next.position(), expected: "positions that ascend" });
        }
        let position = accused.position();
        let (code, message) = match Entry::parse(&accused.entry) {
            Err(error) => (MALFORMED_ENTRY, error.to_string()),
            Ok(Entry::Index(_)) => return Err(Unproven::Order { position, expected: "a statement" }),
            Ok(Entry::Statement(signed)) => Case::new(position, &signed, before, self.history.as_ref())?.decide()?,
        };
        let log = docket.log.name();
        let mut facts = vec![("entry", position.to_string()), ("refused with", code.to_owned()), ("since", message)];
        for logged in before {
            facts.push(("after entry", logged.position().to_string()));
        }
        Ok(Verdict {
            kind: Kind::RegistrationViolated,
            log: log.clone(),
            accused: vec![Accused::Log(docket.log.clone())],
            what: format!("{log} holds entry {position}, which registration refuses: {code}"),
            facts,
        })
    }
}

/// One statement to be judged, and what is known of the log before it.
struct Case<'a> {
    position: u64,
    leaf: LeafHash,
    signed: &'a SignedStatement,
    shown: Vec<(u64, LeafHash, Option<SignedStatement>)>,
    registry: Registry,
    /// Whether the registry has exactly the keys of the speaker's name, as its key statements chain, up to the newest shown.
    chained: bool,
    /// Whether no key statement of the speaker is missing.
    complete: bool,
}

impl<'a> Case<'a> {
    fn new(
        position: u64,
        signed: &'a SignedStatement,
        before: &[Logged],
        history: Option<&KeyHistory>,
    ) -> Result<Self, Unproven> {
        let leaf = crate::merkle::leaf_hash(signed.bytes());
        let mut registry = Registry::default();
        let mut shown = Vec::with_capacity(before.len());
        let mut chained = true;
        let name = signed.statement().publisher();
        for logged in before {
            let parsed = SignedStatement::parse(&logged.entry).ok();
            if let Some(earlier) = &parsed {
                if let Some(change) = key_statement(earlier, name) {
                    let newest = registry.holder(name).map(|holder| holder.newest);
                    chained &= match change.action {
                        Action::Claim => newest.is_none(),
                        Action::Add | Action::Rotate | Action::Revoke => newest.is_some() && change.previous == newest,
                    };
                }
                registry.apply(logged.position(), logged.leaf(), earlier.statement());
            }
            shown.push((logged.position(), logged.leaf(), parsed));
        }
        let mut case = Self { position, leaf, signed, shown, registry, chained, complete: false };
        if let Some(history) = history {
            case.check_history(history)?;
            case.complete = true;
        }
        Ok(case)
    }

    fn decide(&self) -> Result<(&'static str, String), Unproven> {
        if let Some(earlier) = self.registry.position_of(&self.leaf) {
            return Ok((DUPLICATE_ENTRY, format!("the same bytes are entry {earlier}")));
        }
        if let Some(error) = self.bad_signature() {
            return Ok((error.code(), error.to_string()));
        }
        match self.judge() {
            Ok(Admitted::New | Admitted::Known(_)) => Err(Unproven::Admitted { position: self.position }),
            Err(refusal) if self.is_final(&refusal) => Ok((refusal.code(), refusal.to_string())),
            Err(refusal) => Err(Unproven::NeedsMore { position: self.position, code: refusal.code() }),
        }
    }

    fn judge(&self) -> Result<Admitted, Refusal> {
        let keys = signers(self.signed, &self.registry)?;
        authenticate(self.signed, &keys)?;
        admit(&self.leaf, self.signed, &self.registry)
    }

    /// Whether no entry that is not shown could lead to another verdict than a refusal.
    fn is_final(&self, refusal: &Refusal) -> bool {
        match refusal {
            // What was said once in a log is said for ever.
            Refusal::NameClaimed { .. }
            | Refusal::KeyRevoked { .. }
            | Refusal::ApprovalsUsed { .. }
            | Refusal::CoordinateBound(_)
            | Refusal::CoordinateReleased { .. }
            | Refusal::WeightsDiffer { .. }
            | Refusal::FalseRecall { .. } => true,
            // A key id is the hash of its key.
            Refusal::Signature(_) => true,
            Refusal::ReferenceUnknown(unknown) => {
                let (entry, released) = (&unknown.entry, &unknown.released);
                *entry >= self.position || released.is_some() || self.shown_at(*entry).is_some()
            }
            Refusal::NameUnclaimed { .. }
            | Refusal::KeyNotHeld { .. }
            | Refusal::KeyHeld { .. }
            | Refusal::ApprovalsMissing { .. }
            | Refusal::KeysMoved { .. }
            | Refusal::KeysLeft { .. }
            | Refusal::TooManyKeyStatements { .. } => self.complete || self.is_settled(),
        }
    }

    /// Whether a change of keys is refused, whatever other key statements there are: it names the one that it changes, so
    /// either that is the newest, and everything before it is shown; or it is not, and the change comes too late.
    fn is_settled(&self) -> bool {
        let name = self.signed.statement().publisher();
        let Some(previous) = key_statement(self.signed, name).and_then(|change| change.previous) else { return false };
        let newest = self.registry.holder(name).map(|holder| holder.newest);
        let is_no_key_statement = |(leaf, earlier): (LeafHash, Option<&SignedStatement>)| {
            leaf != previous.leaf_hash || earlier.is_none_or(|earlier| key_statement(earlier, name).is_none())
        };
        previous.entry >= self.position
            || newest.is_some_and(|newest| newest.entry > previous.entry)
            || newest == Some(previous) && self.chained
            || self.shown_at(previous.entry).is_some_and(is_no_key_statement)
    }

    fn shown_at(&self, position: u64) -> Option<(LeafHash, Option<&SignedStatement>)> {
        let found = self.shown.iter().find(|(shown, _, _)| *shown == position);
        found.map(|(_, leaf, statement)| (*leaf, statement.as_ref()))
    }

    /// A signature that fails under its own key, wherever that key is shown.
    fn bad_signature(&self) -> Option<VerifyError> {
        let signed = self.key(&self.signed.kid()).and_then(|key| self.signed.verify(&key).err());
        let statement = self.signed.statement();
        let known = statement.approvals().iter().all(|approval| self.key(&approval.kid).is_some());
        signed.or_else(|| statement.verify_approvals(|kid| self.key(kid)).err().filter(|_| known))
    }

    fn key(&self, kid: &KeyId) -> Option<PublicKey> {
        let statements = self.shown.iter().filter_map(|(_, _, statement)| statement.as_ref());
        statements.chain([self.signed]).find_map(|signed| match signed.statement() {
            Statement::Publisher(change) => change.key(kid).copied(),
            _ => None,
        })
    }

    /// The index lists these key statements of the speaker and no others; those before the refused entry are all shown.
    fn check_history(&self, history: &KeyHistory) -> Result<(), Unproven> {
        let at = history.index.position();
        let order = |position, expected| Unproven::Order { position, expected };
        let index =
            IndexEntry::parse(&history.index.entry).ok().filter(|entry| entry.position == at && at > self.position);
        let index = index.ok_or(order(at, "an index entry after the refused entry"))?;
        let key = Subject::publisher(self.signed.statement().publisher()).key();
        let no_path = |error| Unproven::Transition(crate::index::TransitionError::Path { key, error });
        if history.pointers.is_empty() {
            let absence = match history.other {
                Some((key, value)) => Absence::Other { key, value, path: history.path.clone() },
                None => Absence::Empty,
            };
            return absence.check_absent(&index.root, &key).map_err(no_path);
        }
        let mut list = Frontier::new();
        for pointer in &history.pointers {
            list.push(pointer.list_leaf());
            let shown = pointer.position > self.position
                || self.shown_at(pointer.position).is_some_and(|(leaf, _)| leaf == pointer.leaf)
                || pointer.position == self.position && pointer.leaf == self.leaf;
            if !shown {
                return Err(order(pointer.position, "every key statement of the name before the refused entry"));
            }
        }
        history.path.check_present(&index.root, &key, &Value::of(&list)).map_err(no_path)
    }
}

/// A statement about the keys of a name.
fn key_statement<'s>(signed: &'s SignedStatement, name: &crate::name::Publisher) -> Option<&'s PublisherClaim> {
    match signed.statement() {
        Statement::Publisher(change) if change.publisher.name == *name => Some(change),
        _ => None,
    }
}
