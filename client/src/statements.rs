//! Statements about a name, each proven to be in a log: what a log answers, and what was kept of an earlier answer.

use stele_host::exit::{Exit, Explain};
use stele_spec::hash::LeafHash;
use stele_spec::merkle::leaf_hash;
use stele_spec::name::{Coordinate, Publisher};
use stele_spec::proof::{self, ProofError, Proven, TlogProof};
use stele_spec::statement::{SignedStatement, StatementError};

use crate::error::Failure;
use crate::log_reader::Head;

/// A statement and what proves that it is in the log. Whether its signer held the name is another question.
#[derive(Debug, Clone)]
pub(crate) struct Logged {
    proven: Proven<SignedStatement>,
    proof: TlogProof,
}

/// Some statements of one question.
#[derive(Debug, Clone, Default)]
pub(crate) struct Listing {
    /// The statements in the order of the log.
    pub(crate) statements: Vec<Logged>,
    /// Whether it is proven that these are all that the log has up to the head.
    pub(crate) complete: bool,
    /// Whether more were named than are read.
    pub(crate) cut: bool,
}

/// Where statements come from.
pub(crate) trait Statements {
    /// The head under which all of them are proven.
    fn head(&self) -> &Head;

    /// Everything about a coordinate, whoever says it.
    fn about(&self, coordinate: &Coordinate) -> Result<Listing, Failure>;

    /// The key statements of a name.
    fn keys(&self, publisher: &Publisher) -> Result<Listing, Failure>;

    /// Everything at or below a publisher, `publisher/model` or `publisher/model@version`, whoever says it.
    fn under(&self, name: &str) -> Result<Listing, Failure>;
}

impl Listing {
    /// Both, in the order of the log: complete if both are.
    pub(crate) fn with(mut self, other: Self) -> Self {
        self.statements.extend(other.statements);
        self.statements.sort_by_key(Logged::position);
        Self { statements: self.statements, complete: self.complete && other.complete, cut: self.cut || other.cut }
    }
}

impl Logged {
    /// Checks a proof under a head, and reads the entry.
    pub(crate) fn check(entry: &[u8], proof: TlogProof, head: &Head) -> Result<Self, UnprovenStatement> {
        let position = proof.index();
        let proven = proof::check_under(&proof, entry, head.trusted.clone())
            .map_err(|error| UnprovenStatement::Proof { position, error })?;
        let proven = proven
            .try_map(SignedStatement::parse)
            .map_err(|error| UnprovenStatement::Statement { position, error: Box::new(error) })?;
        Ok(Self { proven, proof })
    }

    /// The statement.
    pub(crate) fn signed(&self) -> &SignedStatement {
        self.proven.value()
    }

    /// The same with what is proven of it.
    pub(crate) fn proven(&self) -> &Proven<SignedStatement> {
        &self.proven
    }

    /// Its proof.
    pub(crate) fn proof(&self) -> &TlogProof {
        &self.proof
    }

    /// Its entry.
    pub(crate) fn position(&self) -> u64 {
        self.proven.position()
    }

    /// Its leaf hash.
    pub(crate) fn leaf(&self) -> LeafHash {
        leaf_hash(self.signed().bytes())
    }
}

/// An entry that somebody passes on and that is not what they say.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UnprovenStatement {
    /// It is not in the log there.
    #[error("entry {position} is not proven to be in the log: {error}")]
    Proof {
        /// The position.
        position: u64,
        /// Why.
        error: ProofError,
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

impl Explain for UnprovenStatement {
    fn exit(&self) -> Exit {
        match self {
            Self::Proof { .. } => Exit::NotInLog,
            Self::Statement { .. } => Exit::BadInput,
        }
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Proof { .. } => "not-in-log",
            Self::Statement { error, .. } => error.code(),
        }
    }

    fn hint(&self) -> Option<String> {
        Some("ask the log again, or another mirror of it: what this one answers is not in its tree".into())
    }
}
