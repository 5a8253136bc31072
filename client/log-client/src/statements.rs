//! Statements about a name, each proven to be in a log: what a log answers, and what was kept of an earlier answer.
//!
//! That a listing is complete is a name proof, which stays with it: what is kept of an answer is the proof, not the word.

use std::sync::Arc;

use stele_explain::{Exit, Explain, Failure, explain};
use stele_spec::entry::Entry;
use stele_spec::hash::LeafHash;
use stele_spec::merkle::leaf_hash;
use stele_spec::name::{Coordinate, Publisher};
use stele_spec::policy::TrustedCheckpoint;
use stele_spec::proof::{self, ProofError, Proven, TlogProof};
use stele_spec::statement::{SignedStatement, StatementError};

use crate::list_proof::ListProof;

/// The most entries about one name that are read.
pub const MAX_STATEMENTS: usize = 4096;

/// A statement and what proves that it is in the log. Whether its signer held the name is another question.
#[derive(Debug, Clone)]
pub struct ProvenStatement {
    proven: Proven<SignedStatement>,
    proof: TlogProof,
}

/// Some statements of one question.
#[derive(Debug, Clone)]
pub struct StatementList {
    /// The statements in the order of the log.
    pub statements: Vec<ProvenStatement>,
    /// What is missing for a proof that these are all that the log has up to the head; none where that is proven.
    pub lack: Option<Lack>,
    /// Whether more were named than are read.
    pub cut: bool,
    /// The name proofs on which completeness rests.
    pub proofs: Vec<Arc<ListProof>>,
}

/// Why an answer is not proven complete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lack {
    /// The log does not end its trees with an index entry.
    Unserved,
    /// The log could prove it, did not, and the reader accepted that.
    Accepted,
    /// There is more than is read.
    Cut,
    /// What was asked is listed in no index: files, package URLs, children.
    Unindexed,
    /// Only single entries are kept here, and no name proof.
    Unkept,
    /// A name proof is kept here, and some of what it lists is damaged or gone.
    Damaged,
    /// The bundle proves it of what the publisher said, and has nothing of what others say.
    OwnAlone,
}

/// Where statements come from.
pub trait StatementSource {
    /// The head under which all of them are proven.
    fn head(&self) -> &TrustedCheckpoint;

    /// Everything about a coordinate, by any speaker.
    fn about(&self, coordinate: &Coordinate) -> Result<StatementList, Failure>;

    /// The key statements of a name.
    fn keys(&self, publisher: &Publisher) -> Result<StatementList, Failure>;

    /// Everything at or below a publisher, `publisher/model` or `publisher/model@version`, by any speaker.
    fn under(&self, name: &str) -> Result<StatementList, Failure>;
}

impl Default for StatementList {
    /// Nothing is known.
    fn default() -> Self {
        Self::incomplete(Vec::new(), Lack::Unkept, false)
    }
}

impl StatementList {
    /// Statements of which it is not proven that they are all.
    pub fn incomplete(statements: Vec<ProvenStatement>, lack: Lack, cut: bool) -> Self {
        Self { statements, lack: Some(lack), cut, proofs: Vec::new() }
    }

    /// Both, in the order of the log: complete if both are.
    pub fn with(mut self, other: Self) -> Self {
        self.statements.extend(other.statements);
        self.statements.sort_by_key(ProvenStatement::position);
        self.statements.dedup_by_key(|logged| logged.position());
        self.proofs.extend(other.proofs);
        Self { lack: self.lack.or(other.lack), cut: self.cut || other.cut, ..self }
    }

    /// Whether it has the entry at a position.
    pub fn has(&self, position: u64) -> bool {
        self.statements.iter().any(|logged| logged.position() == position)
    }
}

impl Lack {
    /// For a person: `not proven complete: ` and the reason.
    pub const fn text(self) -> &'static str {
        match self {
            Self::Unserved => "not proven complete: this log serves no completeness proof",
            Self::Accepted => {
                "not proven complete: the log could prove it and did not, which --accept-incomplete-answer accepts"
            }
            Self::Cut => "not proven complete: there are more statements than are read",
            Self::Unindexed => "not proven complete: a log's index does not list this",
            Self::Unkept => "not proven complete: only single entries are kept here (--online asks the log)",
            Self::Damaged => {
                "not proven complete: what is kept here of the log's answer is damaged (--online asks again)"
            }
            Self::OwnAlone => {
                "proven complete of what its publisher said; what others say of it is not in this evidence (--online asks the log)"
            }
        }
    }

    /// For a script.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unserved => "no-completeness-proof",
            Self::Accepted => "accepted-incomplete",
            Self::Cut => "cut",
            Self::Unindexed => "not-indexed",
            Self::Unkept => "not-asked",
            Self::Damaged => "kept-answer-damaged",
            Self::OwnAlone => "others-not-asked",
        }
    }
}

impl ProvenStatement {
    /// Checks a proof under a head, and reads the entry.
    pub fn check(entry: &[u8], proof: TlogProof, head: &TrustedCheckpoint) -> Result<Self, UnprovenStatement> {
        let position = proof.index();
        let proven = proof::check_under(&proof, entry, head.trusted().clone())
            .map_err(|error| UnprovenStatement::Proof { position, error })?;
        let proven = proven.try_map(SignedStatement::parse).map_err(|error| match Entry::parse(entry) {
            Ok(Entry::Index(_)) => UnprovenStatement::IndexEntry { position },
            _ => UnprovenStatement::Statement { position, error: Box::new(error) },
        })?;
        Ok(Self { proven, proof })
    }

    /// The statement.
    pub fn signed(&self) -> &SignedStatement {
        self.proven.value()
    }

    /// The same with what is proven of it.
    pub fn proven(&self) -> &Proven<SignedStatement> {
        &self.proven
    }

    /// Its proof.
    pub fn proof(&self) -> &TlogProof {
        &self.proof
    }

    /// Its entry.
    pub fn position(&self) -> u64 {
        self.proven.position()
    }

    /// Its leaf hash.
    pub fn leaf(&self) -> LeafHash {
        leaf_hash(self.signed().bytes())
    }
}

/// An entry that is not the statement that it is taken for.
#[derive(Debug, thiserror::Error)]
pub enum UnprovenStatement {
    /// It is not in the log there.
    #[error("entry {position} is not proven to be in the log: {error}")]
    Proof {
        /// The position.
        position: u64,
        /// Why.
        error: ProofError,
    },
    /// It is in the log there, and is an entry of the log's own.
    #[error("entry {position} is an index entry of the log, and no statement")]
    IndexEntry {
        /// The position.
        position: u64,
    },
    /// It is no statement.
    #[error("entry {position} is no statement: {error}")]
    Statement {
        /// The position.
        position: u64,
        /// Why.
        error: Box<StatementError>,
    },
}

/// What to do about an answer that is not in the tree.
const ASK_AGAIN: &str = "ask the log again, or another mirror of it: what this one answers is not in its tree";

impl Explain for UnprovenStatement {
    explain! {
        Self::Proof { .. } => Exit::NotInLog, "not-in-log", hint: ASK_AGAIN;
        Self::IndexEntry { .. } => Exit::BadInput, "index-entry",
            hint: "name the entry of a statement: `stele history NAME` lists them. An index entry commits to what the log lists under each \
                   name, and says nothing of a release", "expected": "a statement", "found": "an index entry";
        Self::Statement { error, .. } => Exit::BadInput, error.code(), hint: ASK_AGAIN;
    }
}
