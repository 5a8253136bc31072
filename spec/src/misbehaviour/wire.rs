//! The file: one canonical CBOR map a kind, of standard files carried as they are.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::error::EvidenceError;
use super::evidence::Misbehaviour;
use super::format::{EXTENSION, Kind, MAX_EVIDENCE, MAX_SHOWN, MAX_TOUCHED, VERSION};
use super::heads::{ImpossibleHead, Prefix, Rollback, SplitView};
use super::index_root::WrongIndexRoot;
use super::index_step::WireIndexStep;
use super::logged::Logged;
use super::registration::{KeyHistory, RegistrationViolated};
use super::swap::SilentSwap;
use crate::canonical::{Bytes, CanonicalError, Profile, Scanned, encode};
use crate::hash::{Digest, IndexKey, LeafHash, ListRoot, NodeHash, RootHash};
use crate::index::{Absence, Old, Path, Pointer, Step, Subtree, Touched, Transition, Value};
use crate::key::PublicKey;
use crate::merkle::{ConsistencyProof, Frontier};
use crate::note::SignedNote;
use crate::proof::TlogProof;

impl Misbehaviour {
    /// Reads a file of evidence.
    pub fn parse(bytes: &[u8]) -> Result<Self, EvidenceError> {
        parse(bytes)
    }

    /// The file: `parse(x).to_bytes() == x`. An error says that it would be larger than [`MAX_EVIDENCE`].
    pub fn to_bytes(&self) -> Result<Vec<u8>, EvidenceError> {
        to_bytes(self)
    }

    /// A name for the file that depends on nothing but its content.
    pub fn file_name(&self) -> Result<String, EvidenceError> {
        let digest = Digest::of(&self.to_bytes()?).to_string();
        Ok(format!("{}-{}.{EXTENSION}", self.kind(), digest.get(..16).unwrap_or(&digest)))
    }
}

fn parse(bytes: &[u8]) -> Result<Misbehaviour, EvidenceError> {
    #[derive(Deserialize)]
    struct Peek {
        kind: String,
        step: Option<serde::de::IgnoredAny>,
        evidence: String,
    }

    let document = Scanned::scan(bytes, MAX_EVIDENCE, Profile::Container).map_err(EvidenceError::Canonical)?;
    let Peek { kind, step, evidence } = document.peek().map_err(EvidenceError::Canonical)?;
    if evidence != VERSION {
        return Err(EvidenceError::Version { found: shortened(evidence) });
    }
    match Kind::from_text(&kind) {
        None => Err(EvidenceError::Kind { found: shortened(kind) }),
        Some(Kind::SplitView) => read::<WireSplit>(&document)?.try_into().map(Misbehaviour::SplitView),
        Some(Kind::ImpossibleHead) => read::<WireHead>(&document)?.try_into().map(Misbehaviour::ImpossibleHead),
        Some(Kind::Rollback) => read::<WireRollback>(&document)?.try_into().map(Misbehaviour::Rollback),
        Some(Kind::WrongIndexRoot) if step.is_some() => {
            read::<WireIndexStep>(&document)?.try_into().map(Misbehaviour::WrongIndexStep)
        }
        Some(Kind::WrongIndexRoot) => read::<WireIndex>(&document)?.try_into().map(Misbehaviour::WrongIndexRoot),
        Some(Kind::RegistrationViolated) => {
            read::<WireRegistration>(&document)?.try_into().map(Misbehaviour::RegistrationViolated)
        }
        Some(Kind::SilentSwap) => read::<WireSwap>(&document)?.try_into().map(Misbehaviour::SilentSwap),
    }
}

fn to_bytes(misbehaviour: &Misbehaviour) -> Result<Vec<u8>, EvidenceError> {
    counts(misbehaviour)?;
    let bytes = match misbehaviour {
        Misbehaviour::SplitView(evidence) => write(&WireSplit::from(evidence)),
        Misbehaviour::ImpossibleHead(evidence) => write(&WireHead::from(evidence)),
        Misbehaviour::Rollback(evidence) => write(&WireRollback::from(evidence)),
        Misbehaviour::WrongIndexRoot(evidence) => write(&WireIndex::from(evidence)),
        Misbehaviour::WrongIndexStep(evidence) => write(&WireIndexStep::from(evidence)),
        Misbehaviour::RegistrationViolated(evidence) => write(&WireRegistration::from(evidence)),
        Misbehaviour::SilentSwap(evidence) => write(&WireSwap::from(evidence)),
    }?;
    if bytes.len() > MAX_EVIDENCE {
        let found = bytes.len();
        return Err(EvidenceError::Canonical(CanonicalError::TooLong { limit: MAX_EVIDENCE, found }));
    }
    Ok(bytes)
}

/// What is written can be read back: the same limits hold for both.
fn counts(misbehaviour: &Misbehaviour) -> Result<(), EvidenceError> {
    match misbehaviour {
        Misbehaviour::SplitView(_)
        | Misbehaviour::ImpossibleHead(_)
        | Misbehaviour::Rollback(_)
        | Misbehaviour::WrongIndexStep(_) => Ok(()),
        Misbehaviour::WrongIndexRoot(evidence) => {
            at_most("touched keys", evidence.transition.touched().len(), MAX_TOUCHED)?;
            at_most("entries", evidence.entries.len(), MAX_SHOWN)
        }
        Misbehaviour::RegistrationViolated(evidence) => {
            at_most("pointers", evidence.history.as_ref().map_or(0, |history| history.pointers.len()), MAX_SHOWN)?;
            at_most("entries", evidence.entries.len(), MAX_SHOWN)
        }
        Misbehaviour::SilentSwap(evidence) => at_most("keys", evidence.keys.len(), MAX_SHOWN),
    }
}

fn read<T: DeserializeOwned + Serialize>(document: &Scanned<'_>) -> Result<T, EvidenceError> {
    document.decode().map_err(EvidenceError::Canonical)
}

fn write<T: Serialize>(wire: &T) -> Result<Vec<u8>, EvidenceError> {
    encode(wire, Profile::Container).map_err(EvidenceError::Canonical)
}

fn shortened(text: String) -> String {
    text.chars().take(40).collect()
}

// Each map has its fields in canonical order: shorter keys first (RFC 8949 §4.2.1). `kind` and `evidence` are in every one.

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireSplit {
    kind: Kind,
    newer: Bytes,
    older: Bytes,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    prefix: Option<WirePrefix>,
    evidence: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WirePrefix {
    path: Vec<Bytes>,
    root: Bytes,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireHead {
    head: Bytes,
    kind: Kind,
    evidence: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireRollback {
    kind: Kind,
    larger: Bytes,
    smaller: Bytes,
    evidence: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireIndex {
    kind: Kind,
    entries: Vec<WireLogged>,
    touched: Vec<WireTouched>,
    evidence: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireRegistration {
    kind: Kind,
    entries: Vec<WireLogged>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    history: Option<WireHistory>,
    evidence: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireSwap {
    keys: Vec<Bytes>,
    kind: Kind,
    first: WireLogged,
    second: WireLogged,
    evidence: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireLogged {
    entry: Bytes,
    proof: Bytes,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireHistory {
    path: Vec<WireStep>,
    index: WireLogged,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    other: Option<WireOther>,
    pointers: Vec<WirePointer>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WirePointer {
    leaf: Bytes,
    position: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireTouched {
    key: Bytes,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    list: Option<WireList>,
    path: Vec<WireStep>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    other: Option<WireOther>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireList {
    size: u64,
    peaks: Vec<Bytes>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireOther {
    key: Bytes,
    root: Bytes,
    count: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WireStep {
    bit: u8,
    sibling: Bytes,
}

impl TryFrom<WireSplit> for SplitView {
    type Error = EvidenceError;

    fn try_from(wire: WireSplit) -> Result<Self, EvidenceError> {
        let prefix = wire.prefix.map(|WirePrefix { path, root }| {
            let path = path
                .iter()
                .map(|node| hash("prefix.path", node).map(NodeHash::from_bytes))
                .collect::<Result<Vec<_>, _>>()?;
            let found = path.len();
            let path = ConsistencyProof::from_path(path).ok_or(EvidenceError::Length { part: "prefix.path", found })?;
            Ok(Prefix { root: RootHash::from_bytes(hash("prefix.root", &root)?), path })
        });
        Ok(Self { older: note("older", &wire.older)?, newer: note("newer", &wire.newer)?, prefix: prefix.transpose()? })
    }
}

impl From<&SplitView> for WireSplit {
    fn from(split: &SplitView) -> Self {
        let prefix = split.prefix.as_ref().map(|Prefix { root, path }| WirePrefix {
            path: path.path().iter().map(|node| bytes(node.as_bytes())).collect(),
            root: bytes(root.as_bytes()),
        });
        let (newer, older) = (Bytes(split.newer.to_bytes()), Bytes(split.older.to_bytes()));
        Self { kind: Kind::SplitView, newer, older, prefix, evidence: VERSION.to_owned() }
    }
}

impl TryFrom<WireHead> for ImpossibleHead {
    type Error = EvidenceError;

    fn try_from(wire: WireHead) -> Result<Self, EvidenceError> {
        Ok(Self { head: note("head", &wire.head)? })
    }
}

impl From<&ImpossibleHead> for WireHead {
    fn from(evidence: &ImpossibleHead) -> Self {
        Self { head: Bytes(evidence.head.to_bytes()), kind: Kind::ImpossibleHead, evidence: VERSION.to_owned() }
    }
}

impl TryFrom<WireRollback> for Rollback {
    type Error = EvidenceError;

    fn try_from(wire: WireRollback) -> Result<Self, EvidenceError> {
        Ok(Self { larger: note("larger", &wire.larger)?, smaller: note("smaller", &wire.smaller)? })
    }
}

impl From<&Rollback> for WireRollback {
    fn from(evidence: &Rollback) -> Self {
        let (larger, smaller) = (Bytes(evidence.larger.to_bytes()), Bytes(evidence.smaller.to_bytes()));
        Self { kind: Kind::Rollback, larger, smaller, evidence: VERSION.to_owned() }
    }
}

impl TryFrom<WireIndex> for WrongIndexRoot {
    type Error = EvidenceError;

    fn try_from(wire: WireIndex) -> Result<Self, EvidenceError> {
        at_most("touched keys", wire.touched.len(), MAX_TOUCHED)?;
        let touched = wire.touched.into_iter().map(TryInto::try_into).collect::<Result<_, _>>()?;
        Ok(Self { entries: entries(wire.entries)?, transition: Transition::new(touched) })
    }
}

impl From<&WrongIndexRoot> for WireIndex {
    fn from(evidence: &WrongIndexRoot) -> Self {
        Self {
            kind: Kind::WrongIndexRoot,
            entries: evidence.entries.iter().map(Into::into).collect(),
            touched: evidence.transition.touched().iter().map(Into::into).collect(),
            evidence: VERSION.to_owned(),
        }
    }
}

impl TryFrom<WireRegistration> for RegistrationViolated {
    type Error = EvidenceError;

    fn try_from(wire: WireRegistration) -> Result<Self, EvidenceError> {
        let history = wire.history.map(TryInto::try_into).transpose()?;
        Ok(Self { entries: entries(wire.entries)?, history })
    }
}

impl From<&RegistrationViolated> for WireRegistration {
    fn from(evidence: &RegistrationViolated) -> Self {
        Self {
            kind: Kind::RegistrationViolated,
            entries: evidence.entries.iter().map(Into::into).collect(),
            history: evidence.history.as_ref().map(Into::into),
            evidence: VERSION.to_owned(),
        }
    }
}

impl TryFrom<WireSwap> for SilentSwap {
    type Error = EvidenceError;

    fn try_from(wire: WireSwap) -> Result<Self, EvidenceError> {
        at_most("keys", wire.keys.len(), MAX_SHOWN)?;
        let key = |key| hash("key", key).and_then(|key| PublicKey::from_bytes(&key).map_err(EvidenceError::Key));
        let keys = wire.keys.iter().map(key).collect::<Result<_, _>>()?;
        Ok(Self { first: wire.first.try_into()?, second: wire.second.try_into()?, keys })
    }
}

impl From<&SilentSwap> for WireSwap {
    fn from(evidence: &SilentSwap) -> Self {
        Self {
            keys: evidence.keys.iter().map(|key| bytes(key.as_bytes())).collect(),
            kind: Kind::SilentSwap,
            first: (&evidence.first).into(),
            second: (&evidence.second).into(),
            evidence: VERSION.to_owned(),
        }
    }
}

impl TryFrom<WireLogged> for Logged {
    type Error = EvidenceError;

    fn try_from(wire: WireLogged) -> Result<Self, EvidenceError> {
        let proof = TlogProof::parse(&wire.proof.0).map_err(|error| EvidenceError::Proof { part: "proof", error })?;
        Ok(Self { entry: wire.entry.0, proof })
    }
}

impl From<&Logged> for WireLogged {
    fn from(logged: &Logged) -> Self {
        Self { entry: Bytes(logged.entry.clone()), proof: Bytes(logged.proof.to_bytes()) }
    }
}

impl TryFrom<WireHistory> for KeyHistory {
    type Error = EvidenceError;

    fn try_from(wire: WireHistory) -> Result<Self, EvidenceError> {
        at_most("pointers", wire.pointers.len(), MAX_SHOWN)?;
        let pointer = |pointer: &WirePointer| {
            let leaf = LeafHash::from_bytes(hash("pointer", &pointer.leaf)?);
            Ok(Pointer { position: pointer.position, leaf })
        };
        let pointers = wire.pointers.iter().map(pointer).collect::<Result<_, _>>()?;
        let other = wire.other.map(other).transpose()?;
        Ok(Self { index: wire.index.try_into()?, pointers, path: path(&wire.path)?, other })
    }
}

impl From<&KeyHistory> for WireHistory {
    fn from(history: &KeyHistory) -> Self {
        let pointer =
            |pointer: &Pointer| WirePointer { leaf: bytes(pointer.leaf.as_bytes()), position: pointer.position };
        Self {
            path: wire_path(&history.path),
            index: (&history.index).into(),
            other: history.other.map(|(key, value)| wire_other(&key, &value)),
            pointers: history.pointers.iter().map(pointer).collect(),
        }
    }
}

impl TryFrom<WireTouched> for Touched {
    type Error = EvidenceError;

    fn try_from(wire: WireTouched) -> Result<Self, EvidenceError> {
        let key = IndexKey::from_bytes(hash("touched key", &wire.key)?);
        let path = path(&wire.path)?;
        let wrong = |found| EvidenceError::Length { part: "what a touched key held", found };
        let old = match (wire.list, wire.other) {
            (Some(list), None) => {
                let peak = |peak| hash("list", peak).map(NodeHash::from_bytes);
                let peaks = list.peaks.iter().map(peak).collect::<Result<Vec<_>, _>>()?;
                let found = peaks.len();
                Old::Present { list: Frontier::from_parts(list.size, peaks).ok_or(wrong(found))?, path }
            }
            (None, Some(wire)) => {
                let (key, value) = other(wire)?;
                Old::Absent(Absence::Other { key, value, path })
            }
            (None, None) if path.steps().is_empty() => Old::Absent(Absence::Empty),
            _ => return Err(wrong(path.steps().len())),
        };
        Ok(Self { key, old })
    }
}

impl From<&Touched> for WireTouched {
    fn from(Touched { key, old }: &Touched) -> Self {
        let (list, path, other) = match old {
            Old::Present { list, path } => {
                let peaks = list.peaks().iter().map(|peak| bytes(peak.as_bytes())).collect();
                (Some(WireList { size: list.size(), peaks }), wire_path(path), None)
            }
            Old::Absent(Absence::Empty) => (None, Vec::new(), None),
            Old::Absent(Absence::Other { key, value, path }) => (None, wire_path(path), Some(wire_other(key, value))),
        };
        Self { key: bytes(key.as_bytes()), list, path, other }
    }
}

fn other(wire: WireOther) -> Result<(IndexKey, Value), EvidenceError> {
    let root = ListRoot::from_bytes(hash("other.root", &wire.root)?);
    Ok((IndexKey::from_bytes(hash("other.key", &wire.key)?), Value { count: wire.count, root }))
}

fn wire_other(key: &IndexKey, value: &Value) -> WireOther {
    WireOther { key: bytes(key.as_bytes()), root: bytes(value.root.as_bytes()), count: value.count }
}

fn path(wire: &[WireStep]) -> Result<Path, EvidenceError> {
    // Bits strictly decrease below 256.
    if wire.len() > 256 {
        return Err(EvidenceError::Length { part: "path", found: wire.len() });
    }
    let step =
        |step: &WireStep| Ok(Step { bit: step.bit, sibling: Subtree::from_bytes(hash("sibling", &step.sibling)?) });
    wire.iter().map(step).collect::<Result<_, _>>().map(Path::new)
}

fn wire_path(path: &Path) -> Vec<WireStep> {
    path.steps().iter().map(|step| WireStep { bit: step.bit, sibling: bytes(step.sibling.as_bytes()) }).collect()
}

fn entries(wire: Vec<WireLogged>) -> Result<Vec<Logged>, EvidenceError> {
    at_most("entries", wire.len(), MAX_SHOWN)?;
    wire.into_iter().map(TryInto::try_into).collect()
}

fn note(part: &'static str, bytes: &Bytes) -> Result<SignedNote, EvidenceError> {
    SignedNote::parse(&bytes.0).map_err(|error| EvidenceError::Note { part, error })
}

fn hash(part: &'static str, bytes: &Bytes) -> Result<[u8; 32], EvidenceError> {
    bytes.0.as_slice().try_into().map_err(|_| EvidenceError::Length { part, found: bytes.0.len() })
}

fn bytes(hash: &[u8; 32]) -> Bytes {
    Bytes(hash.to_vec())
}

fn at_most(part: &'static str, found: usize, limit: usize) -> Result<(), EvidenceError> {
    if found <= limit { Ok(()) } else { Err(EvidenceError::TooMany { part, limit, found }) }
}
