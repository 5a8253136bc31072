//! What a log said about a coordinate when it was asked: kept with its proofs, and checked again when it is read.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use stele_host::durable::{self, DurableError};
use stele_spec::hash::{Digest, NodeHash};
use stele_spec::merkle::InclusionProof;
use stele_spec::name::{Coordinate, Publisher};
use stele_spec::policy::Policy;
use stele_spec::proof::TlogProof;
use stele_spec::text::{base64, base64_exact, to_base64};

use super::{LogId, Memory};
use crate::error::Failure;
use crate::log_reader::Head;
use crate::statements::{Listing, Logged, Statements};

/// The most bytes of a file that are read.
const MAX_FILE: u64 = 64 << 20;

/// The value of the `told` field.
const VERSION: &str = "stele/told@v1";

/// An earlier answer of a log.
#[derive(Debug)]
pub(crate) struct Told {
    coordinate: Coordinate,
    head: Head,
    about: Listing,
    keys: BTreeMap<Publisher, Listing>,
}

impl Memory {
    /// What a log said about a coordinate, as far as it still proves it. Damage is like having asked nothing.
    pub(crate) fn told(&self, log: LogId, coordinate: &Coordinate, policy: &Policy) -> Option<Told> {
        let bytes = durable::read_file(&self.folder()?.join(path_of(log, coordinate)), MAX_FILE).ok()??;
        let file: File = serde_json::from_slice(&bytes).ok()?;
        file.check(coordinate, policy)
    }

    /// Keeps an answer; the one before is forgotten.
    pub(crate) fn keep(
        &self,
        log: LogId,
        coordinate: &Coordinate,
        head: &Head,
        about: &Listing,
        keys: &BTreeMap<Publisher, Listing>,
    ) -> Result<(), DurableError> {
        let file = File {
            told: VERSION.to_owned(),
            coordinate: coordinate.clone(),
            checkpoint: String::from_utf8_lossy(&head.note.to_bytes()).into_owned(),
            about: Listed::of(about),
            keys: keys.iter().map(|(name, listing)| (name.to_string(), Listed::of(listing))).collect(),
        };
        let bytes = serde_json::to_vec(&file).unwrap_or_default();
        self.write(|dir| dir.replace(&path_of(log, coordinate), &bytes)).map(drop)
    }
}

impl Statements for Told {
    fn head(&self) -> &Head {
        &self.head
    }

    fn about(&self, coordinate: &Coordinate) -> Result<Listing, Failure> {
        Ok(if *coordinate == self.coordinate { self.about.clone() } else { Listing::default() })
    }

    fn keys(&self, publisher: &Publisher) -> Result<Listing, Failure> {
        Ok(self.keys.get(publisher).cloned().unwrap_or_default())
    }

    // An answer is kept for one coordinate: about a name it is all of that, and no more.
    fn under(&self, _: &str) -> Result<Listing, Failure> {
        Ok(self.about.clone())
    }
}

fn path_of(log: LogId, coordinate: &Coordinate) -> String {
    format!("told/{log}/{}.json", Digest::of(coordinate.to_string().as_bytes()))
}

/// The file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    told: String,
    coordinate: Coordinate,
    checkpoint: String,
    about: Listed,
    keys: BTreeMap<String, Listed>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Listed {
    complete: bool,
    cut: bool,
    statements: Vec<Kept>,
}

/// An entry with its position and its path, in base64.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    position: u64,
    entry: String,
    path: Vec<String>,
}

impl File {
    fn check(self, coordinate: &Coordinate, policy: &Policy) -> Option<Told> {
        if self.told != VERSION || self.coordinate != *coordinate {
            return None;
        }
        let head = Head::of(self.checkpoint.as_bytes(), policy).ok()?;
        let about = self.about.check(&head)?;
        let keys = self.keys.into_iter().map(|(name, listed)| Some((name.parse().ok()?, listed.check(&head)?)));
        Some(Told { coordinate: coordinate.clone(), keys: keys.collect::<Option<_>>()?, head, about })
    }
}

impl Listed {
    fn of(listing: &Listing) -> Self {
        let kept = |logged: &Logged| Kept {
            position: logged.position(),
            entry: to_base64(logged.signed().bytes()),
            path: logged.proof().path().path().iter().map(|hash| to_base64(hash.as_bytes())).collect(),
        };
        Self { complete: listing.complete, cut: listing.cut, statements: listing.statements.iter().map(kept).collect() }
    }

    fn check(self, head: &Head) -> Option<Listing> {
        let statements = self.statements.into_iter().map(|kept| kept.check(head)).collect::<Option<_>>()?;
        Some(Listing { statements, complete: self.complete, cut: self.cut })
    }
}

impl Kept {
    fn check(self, head: &Head) -> Option<Logged> {
        let hash = |text: &String| base64_exact(text).ok().map(NodeHash::from_bytes);
        let path = InclusionProof::from_path(self.path.iter().map(hash).collect::<Option<_>>()?)?;
        let proof = TlogProof::new(self.position, path, head.note.clone());
        Logged::check(&base64(&self.entry).ok()?, proof, head).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use stele_spec::checkpoint::{Checkpoint, sign_checkpoint};
    use stele_spec::key::SecretKey;
    use stele_spec::merkle::{MemoryTree, leaf_hash, prove_inclusion, root_at};
    use stele_spec::note::{KeyType, SignerKey};
    use stele_spec::statement::{PublisherClaim, Statement, sign};

    /// A log in which acme claims its name, and what it says about that name.
    fn asked() -> (Memory, tempfile::TempDir, LogId, Policy, Head, Listing) {
        let key = SecretKey::from_seed([7; 32]);
        let claim = PublisherClaim::new(
            "acme.example".parse().unwrap(),
            "2026-06-25T09:30:00Z".parse().unwrap(),
            &[key.public()],
        );
        let signed = sign(&Statement::Publisher(claim), &key).unwrap();
        let mut tree = MemoryTree::new();
        [&b"first"[..], signed.bytes(), b"last"].iter().for_each(|entry| tree.push(leaf_hash(entry)));
        let signer = SignerKey::new("log.example/stele".parse().unwrap(), KeyType::Log, [1; 32]);
        let origin = "log.example/stele".parse().unwrap();
        let note = sign_checkpoint(&Checkpoint::new(origin, 3, root_at(&tree, 3).unwrap()), &signer).unwrap();
        let policy = Policy::parse(format!("log {}\nquorum none\n", signer.verifier()).as_bytes()).unwrap();
        let head = Head::of(&note.to_bytes(), &policy).unwrap();
        let proof = TlogProof::new(1, prove_inclusion(&tree, 1, 3).unwrap(), note);
        let logged = Logged::check(signed.bytes(), proof, &head).unwrap();
        let home = tempfile::tempdir().unwrap();
        let memory = Memory { folder: Some(home.path().to_owned()), named: true };
        let log = LogId::of(&head.note, &policy).unwrap();
        (memory, home, log, policy, head, Listing { statements: vec![logged], complete: true, cut: false })
    }

    fn name() -> Coordinate {
        "acme.example/tiny@1.0.2#base".parse().unwrap()
    }

    #[test]
    fn an_answer_is_read_as_it_was_kept_and_under_its_own_name_alone() {
        let (memory, _home, log, policy, head, listing) = asked();
        let keys = [("acme.example".parse().unwrap(), listing.clone())].into();
        memory.keep(log, &name(), &head, &listing, &keys).unwrap();
        let told = memory.told(log, &name(), &policy).unwrap();
        assert_eq!(told.head().size(), 3);
        let again = told.keys(&"acme.example".parse().unwrap()).unwrap();
        assert!(again.complete && again.statements[0].signed() == listing.statements[0].signed());
        assert!(told.keys(&"other.example".parse().unwrap()).unwrap().statements.is_empty());

        // Not as the answer about another coordinate, nor under a policy that does not know the log.
        let other: Coordinate = "acme.example/tiny@9#base".parse().unwrap();
        let (from, to) = (path_of(log, &name()), path_of(log, &other));
        std::fs::copy(memory.folder().unwrap().join(from), memory.folder().unwrap().join(to)).unwrap();
        assert!(memory.told(log, &other, &policy).is_none());
        assert!(memory.told(log, &name(), &Policy::parse(b"quorum none\n").unwrap()).is_none());
    }

    proptest! {
        #[test]
        fn what_is_damaged_is_never_another_answer(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
            let (memory, _home, log, policy, head, listing) = asked();
            memory.keep(log, &name(), &head, &listing, &BTreeMap::new()).unwrap();
            let file = memory.folder().unwrap().join(path_of(log, &name()));
            let mut bytes = std::fs::read(&file).unwrap();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            std::fs::write(&file, bytes).unwrap();
            if let Some(told) = memory.told(log, &name(), &policy) {
                for logged in &told.about.statements {
                    prop_assert_eq!(logged.signed(), listing.statements[0].signed());
                    prop_assert_eq!(logged.position(), 1);
                }
            }
        }
    }
}
