//! Files of evidence for what the log did, as far as it can be proven to somebody who has nothing but its key.
//!
//! Every file is checked, as anybody would check it, before it is written.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use stele_durable::{self as durable, Dir};
use stele_explain::printable::one_line;
use stele_log_client::reader::{ReadError, VerifiedLog};
use stele_spec::hash::KeyId;
use stele_spec::index::{Absence, Path as IndexPath, Pointer, Proof, Subject, Transition};
use stele_spec::key::PublicKey;
use stele_spec::merkle::{leaf_hash, prove_inclusion};
use stele_spec::misbehaviour::{
    KeyHistory, KnownKeys, Logged, MAX_SHOWN, Misbehaviour, RegistrationViolated, SilentSwap, Unproven, WrongIndexRoot,
};
use stele_spec::name::Publisher;
use stele_spec::proof::TlogProof;
use stele_spec::registration::{Refusal, Swap};

use crate::error::AuditError;
use crate::index_check::{IndexCheck, Overdue, WrongIndex};
use crate::registry_rows::RegistryRows;
use crate::store::Snapshot;

/// The most files of one audit: one is enough to convict a log, and a log that wants to fill a disk gets no further.
const MOST_FILES: usize = 64;

/// Who writes the files.
#[derive(Debug)]
pub(crate) struct Convict<'a> {
    log: &'a VerifiedLog<'a>,
    keys: &'a KnownKeys,
    archive: Option<Archive>,
    /// What can be shown once the index says which key statements there are.
    waiting: Vec<Waiting>,
}

/// The folder of the files.
#[derive(Debug)]
pub(crate) struct Archive {
    folder: Dir,
    written: Vec<PathBuf>,
    /// Gets a line for each file.
    notify: fn(&str),
}

#[derive(Debug)]
struct Waiting {
    position: u64,
    before: BTreeSet<u64>,
    name: Publisher,
}

impl Archive {
    /// A folder, made where it is not there; `notify` gets a line for each file that is written.
    pub(crate) fn open(path: &Path, notify: fn(&str)) -> Result<Self, AuditError> {
        durable::create_dir_all(path)?;
        Ok(Self { folder: Dir::open(path)?, written: Vec::new(), notify })
    }

    /// Writes a file that convicts somebody; anything else is not written.
    pub(crate) fn keep(&mut self, evidence: &Misbehaviour, keys: &KnownKeys) -> Result<Option<PathBuf>, AuditError> {
        let full = self.written.len() >= MOST_FILES;
        let Ok(verdict) = evidence.check(keys) else { return Ok(None) };
        let (Ok(name), Ok(bytes), false) = (evidence.file_name(), evidence.to_bytes(), full) else { return Ok(None) };
        self.folder.put_if_absent(&name, &bytes)?;
        let path = self.folder.path_of(&name);
        (self.notify)(&format!(
            "evidence: {}\n  in {}\n",
            one_line(&verdict.what),
            one_line(&path.display().to_string())
        ));
        self.written.push(path.clone());
        Ok(Some(path))
    }
}

impl<'a> Convict<'a> {
    pub(crate) fn new(log: &'a VerifiedLog<'a>, keys: &'a KnownKeys, archive: Option<Archive>) -> Self {
        Self { log, keys, archive, waiting: Vec::new() }
    }

    /// An entry that registration refuses after those before it; of a swap also the two releases alone.
    pub(crate) fn refused(
        &mut self,
        position: u64,
        mut before: BTreeSet<u64>,
        refusal: Option<(&Refusal, &Publisher)>,
        keys: &[PublicKey],
    ) -> Result<(), AuditError> {
        if self.archive.is_none() {
            return Ok(());
        }
        before.retain(|earlier| *earlier < position);
        if before.len() >= MAX_SHOWN {
            return Ok(());
        }
        if let Some((Refusal::CoordinateBound(swap), _)) = refusal {
            self.swapped(swap, position, keys)?;
        }
        let evidence = self.violated(position, &before, None)?;
        match (evidence.check(self.keys), refusal) {
            (Err(Unproven::NeedsMore { .. }), Some((_, name))) => {
                self.waiting.push(Waiting { position, before, name: name.clone() });
                self.waiting.truncate(MOST_FILES);
            }
            _ => self.keep(&evidence)?,
        }
        Ok(())
    }

    /// An entry where an index entry had to be: the index entry before it and all after it, up to the entry itself.
    pub(crate) fn overdue(&mut self, overdue: Overdue) -> Result<(), AuditError> {
        let (Some(from), true) = (overdue.from, self.archive.is_some()) else { return Ok(()) };
        let entries = (from..=overdue.at).map(|position| self.logged(position)).collect::<Result<_, _>>()?;
        self.keep(&Misbehaviour::WrongIndexRoot(WrongIndexRoot { entries, transition: Transition::default() }))
    }

    /// The first entry of the log, where it is not the index of nothing.
    pub(super) fn wrong_start(&mut self) -> Result<(), AuditError> {
        if self.archive.is_none() {
            return Ok(());
        }
        let entries = vec![self.logged(0)?];
        self.keep(&Misbehaviour::WrongIndexRoot(WrongIndexRoot { entries, transition: Transition::default() }))
    }

    /// An index entry that cannot stand at its place.
    pub(crate) fn wrong_index(&mut self, wrong: &WrongIndex) -> Result<(), AuditError> {
        let position = wrong.expected.position;
        let (from, transition) = match &wrong.shown {
            Some((from, transition)) => (*from, transition.clone()),
            None if position == 0 => (0, Transition::default()),
            None => return Ok(()),
        };
        if self.archive.is_none() || position - from >= MAX_SHOWN as u64 {
            return Ok(());
        }
        let entries = (from..=position).map(|position| self.logged(position)).collect::<Result<_, _>>()?;
        self.keep(&Misbehaviour::WrongIndexRoot(WrongIndexRoot { entries, transition }))
    }

    /// At a right index entry: what waited for it.
    pub(crate) fn settle(
        &mut self,
        at: u64,
        rows: &Snapshot,
        index: &mut IndexCheck,
        registry: &RegistryRows,
    ) -> Result<(), AuditError> {
        for Waiting { position, before, name } in core::mem::take(&mut self.waiting) {
            let listed = match registry.key_statements(&name) {
                [] => rows.json(&crate::store::key(b'p', name.as_str()))?.unwrap_or_default(),
                listed => listed.to_vec(),
            };
            if listed.len() + before.len() >= MAX_SHOWN {
                continue;
            }
            let pointer = |position| Ok(Pointer { position, leaf: leaf_hash(&self.log.entry(position)?) });
            let pointers = listed.into_iter().map(pointer).collect::<Result<Vec<_>, ReadError>>()?;
            let (path, other) = match index.prove(rows, &Subject::publisher(&name).key())? {
                Proof::Present { path, .. } => (path, None),
                Proof::Absent(Absence::Empty) => (IndexPath::default(), None),
                Proof::Absent(Absence::Other { key, value, path }) => (path, Some((key, value))),
            };
            let history = KeyHistory { index: self.logged(at)?, pointers, path, other };
            let evidence = self.violated(position, &before, Some(history))?;
            self.keep(&evidence)?;
        }
        Ok(())
    }

    fn swapped(&mut self, swap: &Swap, position: u64, keys: &[PublicKey]) -> Result<(), AuditError> {
        let (first, second) = (self.logged(swap.position)?, self.logged(position)?);
        self.keep(&Misbehaviour::SilentSwap(SilentSwap { first, second, keys: keys.to_vec() }))
    }

    fn violated(
        &self,
        position: u64,
        before: &BTreeSet<u64>,
        history: Option<KeyHistory>,
    ) -> Result<Misbehaviour, AuditError> {
        let positions = before.iter().copied().chain([position]);
        let entries = positions.map(|position| self.logged(position)).collect::<Result<_, _>>()?;
        Ok(Misbehaviour::RegistrationViolated(RegistrationViolated { entries, history }))
    }

    fn logged(&self, position: u64) -> Result<Logged, AuditError> {
        let path = prove_inclusion(self.log, position, self.log.size()).map_err(|error| match error {
            stele_spec::merkle::InclusionError::Nodes(error) => error,
            _ => ReadError::PastTheEnd { position, size: self.log.size() },
        })?;
        let proof = TlogProof::new(position, path, self.keys.without_cosignatures(self.log.head().note()));
        Ok(Logged { entry: self.log.entry(position)?, proof })
    }

    fn keep(&mut self, evidence: &Misbehaviour) -> Result<(), AuditError> {
        let Some(archive) = &mut self.archive else { return Ok(()) };
        archive.keep(evidence, self.keys).map(drop)
    }
}

/// The keys of statements, as far as they are known.
pub(crate) fn keys_of(
    kids: impl IntoIterator<Item = KeyId>,
    registry: &RegistryRows,
    rows: &Snapshot,
) -> Result<Vec<PublicKey>, AuditError> {
    let mut keys: Vec<PublicKey> = Vec::new();
    for kid in kids {
        if let Some(key) = registry.key(rows, &kid)?
            && !keys.contains(&key)
        {
            keys.push(key);
        }
    }
    Ok(keys)
}
