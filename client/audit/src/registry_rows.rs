//! Who holds which name, and what each coordinate is bound to, from the rows on disk: registration is asked with a part of the
//! registry that holds whatever a statement asks about.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use stele_spec::hash::{Digest, KeyId, LeafHash};
use stele_spec::key::PublicKey;
use stele_spec::misbehaviour::MAX_SHOWN;
use stele_spec::name::{Coordinate, Publisher};
use stele_spec::registration::{Binding, Holder, Registry, View as _};
use stele_spec::statement::{LoggedEntry, SignedStatement, Statement};
use stele_spec::text::hex_exact;

use crate::store::{Changes, Snapshot, StoreError, key, to_json};

/// The registry after the entries so far, as far as the entries of this stretch have asked for it.
#[derive(Debug, Default)]
pub(crate) struct RegistryRows {
    part: Registry,
    asked: BTreeSet<Vec<u8>>,
    /// The positions of every key statement of a name, let in or not: what the index lists under it.
    key_statements: BTreeMap<Publisher, Vec<u64>>,
    keys: BTreeMap<KeyId, PublicKey>,
}

impl RegistryRows {
    /// The part of the registry that was asked for.
    pub(crate) fn part(&self) -> &Registry {
        &self.part
    }

    /// Fetches what registration asks about a statement.
    pub(crate) fn recall(
        &mut self,
        rows: &Snapshot,
        leaf: &LeafHash,
        signed: &SignedStatement,
    ) -> Result<(), StoreError> {
        let statement = signed.statement();
        if self.first_time(b'l', leaf.as_bytes())
            && let Some(position) = rows.number(&key(b'l', leaf.as_bytes()))?
        {
            self.part.absorb(Registry::part([(*leaf, position)], [], [], []));
        }
        if let Some(digest) = statement.used_approvals()
            && self.first_time(b'a', digest.as_bytes())
            && let Some(position) = rows.number(&key(b'a', digest.as_bytes()))?
        {
            self.part.absorb(Registry::part([], [], [], [(digest, position)]));
        }
        let name = statement.publisher();
        if self.first_time(b'h', name.as_str()) {
            if let Some(row) = rows.json::<HolderRow>(&key(b'h', name.as_str()))? {
                self.part.absorb(Registry::part([], [(name.clone(), row.holder()?)], [], []));
            }
            if let Some(positions) = rows.json(&key(b'p', name.as_str()))? {
                self.key_statements.insert(name.clone(), positions);
            }
        }
        for coordinate in coordinates(statement) {
            if self.first_time(b'b', coordinate.to_string())
                && let Some(row) = rows.row(&key(b'b', coordinate.to_string()))?
            {
                let binding = read_binding(&row).ok_or(StoreError::Damaged)?;
                self.part.absorb(Registry::part([], [], [(coordinate, binding)], []));
            }
        }
        Ok(())
    }

    /// A key by its id, if any key statement so far has it.
    pub(crate) fn key(&self, rows: &Snapshot, kid: &KeyId) -> Result<Option<PublicKey>, StoreError> {
        if let Some(known) = self.keys.get(kid) {
            return Ok(Some(*known));
        }
        let Some(row) = rows.row(&key(b'k', kid.as_bytes()))? else { return Ok(None) };
        let row = row.as_slice().try_into().map_err(|_| StoreError::Damaged)?;
        PublicKey::from_bytes(row).map(Some).map_err(|_| StoreError::Damaged)
    }

    /// The keys that a key statement brings, let in or not: a key id is the hash of its key.
    pub(crate) fn learn(&mut self, position: u64, statement: &Statement) {
        let Statement::Publisher(change) = statement else { return };
        self.keys.extend(change.keys.iter().map(|key| (key.kid, key.public_key)));
        let positions = self.key_statements.entry(change.publisher.name.clone()).or_default();
        // What is beyond fits into no evidence.
        if positions.len() <= MAX_SHOWN {
            positions.push(position);
        }
    }

    /// Takes a statement that was let in.
    pub(crate) fn apply(&mut self, position: u64, leaf: LeafHash, statement: &Statement) {
        self.part.apply(position, leaf, statement);
    }

    /// Takes one that was refused: these bytes are there now.
    pub(crate) fn refused(&mut self, position: u64, leaf: LeafHash) {
        self.part.absorb(Registry::part([(leaf, position)], [], [], []));
    }

    /// The key statements of a name so far.
    pub(crate) fn key_statements(&self, name: &Publisher) -> &[u64] {
        self.key_statements.get(name).map_or(&[], Vec::as_slice)
    }

    /// The earlier entries that registration looks at when it judges this statement.
    pub(crate) fn looked_at(&self, signed: &SignedStatement) -> BTreeSet<u64> {
        let statement = signed.statement();
        let mut positions: BTreeSet<u64> = self.key_statements(statement.publisher()).iter().copied().collect();
        for coordinate in coordinates(statement) {
            if let Some(binding) = self.part.binding(&coordinate) {
                positions.extend([Some(binding.position), binding.public_since].into_iter().flatten());
            }
        }
        positions.extend(statement.references().iter().map(|(_, release)| release.entry));
        positions
    }

    /// Sets everything down that may have changed, and forgets it.
    pub(crate) fn set_down(&mut self, changes: &mut Changes) -> Result<(), StoreError> {
        let done = core::mem::take(self);
        for (leaf, position) in done.part.leaves() {
            changes.insert(key(b'l', leaf.as_bytes()), position.to_be_bytes().to_vec());
        }
        for (name, holder) in done.part.holders() {
            changes.insert(key(b'h', name.as_str()), to_json(&HolderRow::of(holder))?);
        }
        for (coordinate, binding) in done.part.bindings() {
            changes.insert(key(b'b', coordinate.to_string()), binding_row(binding));
        }
        for (digest, position) in done.part.used_approvals() {
            changes.insert(key(b'a', digest.as_bytes()), position.to_be_bytes().to_vec());
        }
        for (name, positions) in &done.key_statements {
            changes.insert(key(b'p', name.as_str()), to_json(positions)?);
        }
        for (kid, known) in &done.keys {
            changes.insert(key(b'k', kid.as_bytes()), known.as_bytes().to_vec());
        }
        Ok(())
    }

    fn first_time(&mut self, tag: u8, subject: impl AsRef<[u8]>) -> bool {
        self.asked.insert(key(tag, subject))
    }
}

/// The coordinates whose binding registration asks for.
fn coordinates(statement: &Statement) -> Vec<Coordinate> {
    let mut coordinates: Vec<Coordinate> =
        statement.references().into_iter().map(|(_, release)| release.coordinate.clone()).collect();
    coordinates.extend(statement.release().map(|release| release.coordinate()));
    coordinates
}

/// A holder, as it is written down.
#[derive(Serialize, Deserialize)]
struct HolderRow {
    position: u64,
    newest: LoggedEntry,
    statements: u64,
    keys: Vec<String>,
    threshold: u64,
    release_threshold: u64,
    revoked: Vec<KeyId>,
}

impl HolderRow {
    fn of(holder: &Holder) -> Self {
        Self {
            position: holder.position,
            newest: holder.newest,
            statements: holder.statements,
            keys: holder.keys.iter().map(|key| hex(key.as_bytes())).collect(),
            threshold: holder.threshold,
            release_threshold: holder.release_threshold,
            revoked: holder.revoked.clone(),
        }
    }

    fn holder(self) -> Result<Holder, StoreError> {
        let key = |text: &String| hex_exact(text).ok().and_then(|bytes| PublicKey::from_bytes(&bytes).ok());
        let keys = self.keys.iter().map(key).collect::<Option<Vec<_>>>().ok_or(StoreError::Damaged)?;
        let Self { position, newest, statements, threshold, release_threshold, revoked, .. } = self;
        Ok(Holder { position, newest, statements, keys, threshold, release_threshold, revoked })
    }
}

fn hex(bytes: &[u8; 32]) -> String {
    Digest::from_bytes(*bytes).to_string()
}

/// Position, leaf hash, weights, and from where on it was public plus one, or nothing.
fn binding_row(binding: &Binding) -> Vec<u8> {
    let public = binding.public_since.map_or(0, |position| position.saturating_add(1));
    [
        binding.position.to_be_bytes().as_slice(),
        binding.leaf.as_bytes(),
        binding.weights.as_bytes(),
        &public.to_be_bytes(),
    ]
    .concat()
}

fn read_binding(row: &[u8]) -> Option<Binding> {
    let (position, rest) = row.split_first_chunk::<8>()?;
    let (leaf, rest) = rest.split_first_chunk::<32>()?;
    let (weights, rest) = rest.split_first_chunk::<32>()?;
    let public = u64::from_be_bytes(rest.try_into().ok()?);
    Some(Binding {
        position: u64::from_be_bytes(*position),
        leaf: LeafHash::from_bytes(*leaf),
        weights: Digest::from_bytes(*weights),
        public_since: public.checked_sub(1),
    })
}
