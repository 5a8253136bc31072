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
