//! A manifest store: what its newest manifest claims. Nothing of it is verified, and no certificate is read.

use core::ops::Range;

use stele_spec::hash::Digest;

use crate::cbor::Value;
use crate::jumbf::{self, Superbox};

/// The longest manifest store that is read: thumbnails and the manifests of ingredients are in it.
pub const MAX_STORE: usize = 16 << 20;

/// The most assertions that are named.
const MAX_ASSERTIONS: usize = 64;

/// The longest text of a claim that is repeated.
const MAX_TEXT: usize = 300;

/// The label of a store.
const STORE: &str = "c2pa";

/// Boxes of manifests have a type that begins so: of one that stands alone, and of one that updates another.
const MANIFESTS: [&[u8]; 2] = [b"c2ma", b"c2um"];

/// Labels of the claim, the newest version first.
const CLAIMS: [&str; 2] = ["c2pa.claim.v2", "c2pa.claim"];

/// What a manifest store says, as it says it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestStore {
    /// How many manifests are in it.
    pub manifests: usize,
    /// The program that made the newest one, with its version.
    pub generator: Option<String>,
    /// What it calls the file.
    pub title: Option<String>,
    /// The labels of what it asserts, at most 64.
    pub assertions: Vec<String>,
    /// What it says the bytes of the file are.
    pub data_hash: Option<DataHash>,
}

/// A hash of a file without some of its bytes: the assertion `c2pa.hash.data`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataHash {
    /// The algorithm by its name: `sha256`.
    pub algorithm: String,
    /// The hash.
    pub hash: Vec<u8>,
    /// Which bytes of the file are left out.
    pub exclusions: Vec<Range<u64>>,
}

impl ManifestStore {
    /// Reads a store.
    pub fn parse(bytes: &[u8]) -> Result<Self, StoreError> {
        if bytes.len() > MAX_STORE {
            return Err(StoreError::TooLong { found: bytes.len() });
        }
        if !jumbf::begins(bytes) {
            return Err(StoreError::NotJumbf);
        }
        let store = Superbox::parse(bytes).filter(|store| store.label == STORE).ok_or(StoreError::NotAStore)?;
        let manifests: Vec<Superbox<'_>> =
            store.superboxes().filter(|found| MANIFESTS.iter().any(|of| found.of.starts_with(of))).collect();
        // The last one is the active one.
        let active = manifests.last().ok_or(StoreError::NoManifest)?;
        let claim = CLAIMS.iter().find_map(|label| active.superbox(label)).ok_or(StoreError::NoClaim)?;
        let claim = claim.content(b"cbor").and_then(Value::parse).ok_or(StoreError::NoClaim)?;
        let assertions = active.superbox("c2pa.assertions");
        let labels = assertions.iter().flat_map(Superbox::superboxes).map(|found| shortened(found.label));
        let data_hash = assertions.as_ref().and_then(|all| all.superbox("c2pa.hash.data"));
        Ok(Self {
            manifests: manifests.len(),
            generator: generator(&claim),
            title: claim.field("dc:title").and_then(Value::text).map(shortened),
            assertions: labels.take(MAX_ASSERTIONS).collect(),
            data_hash: data_hash.and_then(|found| DataHash::of(&Value::parse(found.content(b"cbor")?)?)),
        })
    }
}

/// The program: a map in a claim of version 2, a list of maps or a text in one of version 1.
fn generator(claim: &Value) -> Option<String> {
    let info = claim.field("claim_generator_info");
    let info = info.and_then(|info| info.list().map_or(Some(info), |list| list.first()));
    let name = info.and_then(|info| info.field("name")).and_then(Value::text);
    let version = info.and_then(|info| info.field("version")).and_then(Value::text);
    match (name, version) {
        (Some(name), Some(version)) => Some(shortened(&format!("{name} {version}"))),
        (Some(name), None) => Some(shortened(name)),
        (None, _) => claim.field("claim_generator").and_then(Value::text).map(shortened),
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(MAX_TEXT).collect()
}

impl DataHash {
    fn of(assertion: &Value) -> Option<Self> {
        let Value::Bytes(hash) = assertion.field("hash")? else { return None };
        let algorithm = assertion.field("alg").and_then(Value::text).unwrap_or("sha256");
        let exclusions = match assertion.field("exclusions") {
            Some(list) => list.list()?.iter().map(exclusion).collect::<Option<_>>()?,
            None => Vec::new(),
        };
        Some(Self { algorithm: shortened(algorithm), hash: hash.clone(), exclusions })
    }

    /// Whether it is the hash of a file of which these bytes are left out and no others; none where it leaves out others, or is of another algorithm.
    pub fn is_of(&self, left_out: &Range<u64>, without: &Digest) -> Option<bool> {
        let leaves_out = match self.exclusions.as_slice() {
            [] => left_out.is_empty(),
            [one] => one == left_out,
            _ => false,
        };
        (leaves_out && self.algorithm == "sha256").then(|| self.hash == without.as_bytes())
    }
}

fn exclusion(range: &Value) -> Option<Range<u64>> {
    match (range.field("start")?, range.field("length")?) {
        (Value::Number(start), Value::Number(length)) => Some(*start..start.checked_add(*length)?),
        _ => None,
    }
}

/// Why bytes are no manifest store that is read here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "each says itself what it is")]
pub enum StoreError {
    #[error("expected a manifest store of at most {MAX_STORE} bytes, found {found}")]
    TooLong { found: usize },
    #[error("expected a box of JUMBF, found something else")]
    NotJumbf,
    #[error("expected one superbox of JUMBF with the label c2pa, found boxes that are none")]
    NotAStore,
    #[error("expected a manifest in the store, found none")]
    NoManifest,
    #[error("expected a claim in CBOR in the newest manifest, found none")]
    NoClaim,
    #[error("expected one manifest, found {found}, which the specification forbids")]
    Several { found: usize },
    #[error("expected Base64, found something else")]
    NotBase64,
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::jumbf::tests::{boxed, superbox};
    use proptest::prelude::*;

    fn text(text: &str) -> Vec<u8> {
        assert!(text.len() < 24);
        [&[0x60 + text.len() as u8][..], text.as_bytes()].concat()
    }

    fn map(fields: &[(&str, Vec<u8>)]) -> Vec<u8> {
        let head = vec![0xa0 + u8::try_from(fields.len()).unwrap()];
        let fields = fields.iter().flat_map(|(name, value)| [text(name), value.clone()].concat());
        head.into_iter().chain(fields).collect()
    }

    /// A store as c2pa-rs writes one.
    pub(crate) fn store(label: &str, claim: &[u8], hash: &[u8]) -> Vec<u8> {
        let assertions = superbox(
            b"c2as",
            "c2pa.assertions",
            &[
                superbox(b"cbor", "c2pa.actions.v2", &[boxed(b"cbor", b"\xa0")]),
                superbox(b"cbor", "c2pa.hash.data", &[boxed(b"cbor", hash)]),
            ],
        );
        let claim = superbox(b"c2cl", label, &[boxed(b"cbor", claim)]);
        let older = superbox(b"c2ma", "urn:c2pa:1", &[]);
        superbox(b"c2pa", "c2pa", &[older, superbox(b"c2ma", "urn:c2pa:2", &[assertions, claim])])
    }

    pub(crate) fn claim_v2() -> Vec<u8> {
        let info = map(&[("name", text("maker")), ("version", text("1.2"))]);
        map(&[("dc:title", text("tiny")), ("claim_generator_info", info)])
    }

    fn hash_of(start: u8, length: u8, hash: &Digest) -> Vec<u8> {
        let range = map(&[("start", vec![0x18, start]), ("length", vec![0x18, length])]);
        let hash = [&[0x58, 32][..], hash.as_bytes()].concat();
        map(&[("exclusions", [vec![0x81], range].concat()), ("alg", text("sha256")), ("hash", hash)])
    }

    #[test]
    fn the_newest_manifest_is_read_in_both_versions_of_the_claim() {
        let digest = Digest::of(b"the rest");
        let found = ManifestStore::parse(&store("c2pa.claim.v2", &claim_v2(), &hash_of(100, 40, &digest))).unwrap();
        assert_eq!(
            (found.manifests, found.generator.as_deref(), found.title.as_deref()),
            (2, Some("maker 1.2"), Some("tiny"))
        );
        assert_eq!(found.assertions, ["c2pa.actions.v2", "c2pa.hash.data"]);
        let hash = found.data_hash.unwrap();
        assert_eq!(hash.is_of(&(100..140), &digest), Some(true));
        assert_eq!(hash.is_of(&(100..140), &Digest::of(b"")), Some(false));
        assert_eq!(hash.is_of(&(100..141), &digest), None);
        let listed = [vec![0x81], map(&[("name", text("maker"))])].concat();
        for (claim, generator) in [
            (map(&[("claim_generator_info", listed)]), "maker"),
            (map(&[("claim_generator", text("maker/1"))]), "maker/1"),
        ] {
            let found = ManifestStore::parse(&store("c2pa.claim", &claim, b"\xa0")).unwrap();
            assert_eq!((found.generator.as_deref(), found.title, found.data_hash), (Some(generator), None, None));
        }
    }

    #[test]
    fn what_is_no_store_says_why() {
        let good = store("c2pa.claim.v2", &claim_v2(), b"\xa0");
        assert_eq!(ManifestStore::parse(b"{}"), Err(StoreError::NotJumbf));
        assert_eq!(ManifestStore::parse(&good[..good.len() - 1]), Err(StoreError::NotAStore));
        assert_eq!(ManifestStore::parse(&superbox(b"c2pa", "other", &[])), Err(StoreError::NotAStore));
        assert_eq!(ManifestStore::parse(&superbox(b"c2pa", "c2pa", &[])), Err(StoreError::NoManifest));
        assert_eq!(ManifestStore::parse(&store("c2pa.claim.v2", b"\xa1", b"\xa0")), Err(StoreError::NoClaim));
        assert_eq!(ManifestStore::parse(&store("else", &claim_v2(), b"\xa0")), Err(StoreError::NoClaim));
    }

    proptest! {
        #[test]
        fn a_changed_store_is_read_or_refused(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
            let mut bytes = store("c2pa.claim.v2", &claim_v2(), &hash_of(100, 40, &Digest::of(b"")));
            let at = at.index(bytes.len());
            bytes[at] = byte;
            let _ = ManifestStore::parse(&bytes);
        }
    }
}
