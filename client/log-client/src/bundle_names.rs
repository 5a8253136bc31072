//! The name proofs of a bundle, as a log serves them now or its static files give them: all under one checkpoint, with the inclusion proof of the release.
//!
//! Nothing that is asked here is believed: the bundle with its name proofs counts where the library's own check accepts it.

use stele_explain::Failure;
use stele_explain::printable::one_line;
use stele_spec::bundle::{Bundle, BundledNames, LoggedStatement, MAX_SAID};
use stele_spec::index::{Pointer, Subject};
use stele_spec::nameproof::{Answer, NameProof};
use stele_spec::policy::Policy;
use stele_spec::proof::TlogProof;
use stele_spec::statement::{SignedStatement, Statement};
use stele_verify::{VerifiedRelease, VerifyError, verify};

use crate::age::completeness_of;
use crate::api::LogClient;
use crate::index_end::is_absent;
use crate::index_of_files::IndexOfFiles;

/// How often a log is asked again that went on while it was asked: a batch a second is more than most logs have.
const TRIES: usize = 4;

/// A bundle that verifies, and why it has no name proofs, where it has none.
#[derive(Debug)]
pub struct CompletedBundle {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// What they prove.
    pub release: VerifiedRelease,
    /// Why nothing is proven of completeness; none where it is.
    pub lack: Option<NoNames>,
}

/// Why a bundle has no name proofs.
#[derive(Debug, thiserror::Error)]
pub enum NoNames {
    /// None are to be had at its address: the log has no index, or too many entries to read for one answer.
    #[error("none are to be had at this address")]
    Unserved,
    /// More was said than a bundle has.
    #[error("its publisher said more of it than the {MAX_SAID} statements that a bundle may have")]
    TooMany,
    /// The log had a new checkpoint for each answer.
    #[error("the log had another checkpoint for each of its answers")]
    Moving,
    /// What the log answers is no proof under the policy.
    #[error("the log's answer does not hold: {0}")]
    Refused(Box<VerifyError>),
    /// The log did not answer.
    #[error("the log did not answer: {}", .0.as_explain())]
    Unanswered(Failure),
}

/// What a bundle proves of completeness, and where it proves nothing, why.
pub fn text(release: &VerifiedRelease, lack: Option<&NoNames>) -> String {
    let why = lack.map(|lack| format!(": {}", one_line(&lack.to_string()))).unwrap_or_default();
    format!("{}{why}", completeness_of(release))
}

/// Who gives name proofs, and the entries that they list.
pub trait Names {
    /// What is listed under a subject, under the newest checkpoint.
    fn listed(&self, subject: &Subject) -> Result<NameProof, NoNames>;
    /// The inclusion proof of an entry, under the newest checkpoint.
    fn proof(&self, position: u64) -> Result<TlogProof, NoNames>;
    /// The bytes of an entry.
    fn entry(&self, position: u64) -> Result<Vec<u8>, NoNames>;
}

impl Names for LogClient {
    fn listed(&self, subject: &Subject) -> Result<NameProof, NoNames> {
        self.name_proof(subject, 0).map_err(|failure| match is_absent(&failure) {
            true => NoNames::Unserved,
            false => NoNames::Unanswered(failure),
        })
    }

    fn proof(&self, position: u64) -> Result<TlogProof, NoNames> {
        let bytes = self.proof(position).map_err(NoNames::Unanswered)?;
        TlogProof::parse(&bytes).map_err(|error| NoNames::Refused(Box::new(VerifyError::Proof(error))))
    }

    fn entry(&self, position: u64) -> Result<Vec<u8>, NoNames> {
        self.entry(position).map_err(NoNames::Unanswered)
    }
}

impl Names for IndexOfFiles<'_> {
    fn listed(&self, subject: &Subject) -> Result<NameProof, NoNames> {
        self.prove(subject).map_err(NoNames::Unanswered)?.ok_or(NoNames::TooMany)
    }

    fn proof(&self, position: u64) -> Result<TlogProof, NoNames> {
        self.inclusion(position).map_err(|error| NoNames::Unanswered(error.into()))
    }

    fn entry(&self, position: u64) -> Result<Vec<u8>, NoNames> {
        self.bytes(position).map_err(|error| NoNames::Unanswered(error.into()))
    }
}

/// The same bundle with the name proofs that there are, under its newest checkpoint. Where there are none, or they do not hold, the bundle as it
/// is: the release is proven without them.
pub fn completed(log: Option<&dyn Names>, policy: &Policy, bundle: Bundle) -> Result<CompletedBundle, Failure> {
    let lack = match log.map_or(Err(NoNames::Unserved), |log| with_names(log, &bundle)) {
        Ok(complete) => match complete.encode().map_err(VerifyError::Bundle).and_then(|bytes| {
            let release = verify(&bytes, policy)?;
            Ok(CompletedBundle { bytes, release, lack: None })
        }) {
            Ok(completed) => return Ok(completed),
            Err(error) => NoNames::Refused(Box::new(error)),
        },
        Err(lack) => lack,
    };
    let bytes = bundle.encode().map_err(VerifyError::Bundle)?;
    let release = verify(&bytes, policy)?;
    Ok(CompletedBundle { bytes, release, lack: Some(lack) })
}

/// Asks until all answers are under one checkpoint.
fn with_names(log: &dyn Names, bundle: &Bundle) -> Result<Bundle, NoNames> {
    let malformed = |error| NoNames::Refused(Box::new(error));
    let signed = SignedStatement::parse(&bundle.statement).map_err(|error| malformed(VerifyError::Statement(error)))?;
    let Statement::Release(release) = signed.statement() else { return Err(NoNames::Unserved) };
    let entry = TlogProof::parse(&bundle.proof).map_err(|error| malformed(VerifyError::Proof(error)))?.index();
    let coordinate = release.coordinate();
    let subjects = (Subject::release(&coordinate), Subject::publisher(&coordinate.publisher));
    for _ in 0..TRIES {
        let (about, name) = (log.listed(&subjects.0)?, log.listed(&subjects.1)?);
        if about.checkpoint().text() != name.checkpoint().text() {
            continue;
        }
        if let Some(complete) = under_one_checkpoint(log, bundle, entry, &about, &name)? {
            return Ok(complete);
        }
    }
    Err(NoNames::Moving)
}

/// The bundle whose parts are all under the checkpoint of these name proofs; none where the log went on meanwhile.
fn under_one_checkpoint(
    log: &dyn Names,
    bundle: &Bundle,
    entry: u64,
    about: &NameProof,
    name: &NameProof,
) -> Result<Option<Bundle>, NoNames> {
    let head = about.checkpoint().text();
    let Some(proof) = proof_under(log, entry, head)? else { return Ok(None) };
    let further = pointers(about)?.iter().map(|pointer| pointer.position).filter(|position| *position != entry);
    let further: Vec<u64> = further.collect();
    if further.len() > MAX_SAID {
        return Err(NoNames::TooMany);
    }
    let (mut said, mut keys) = (Vec::new(), Vec::new());
    for position in further {
        let Some(proof) = proof_under(log, position, head)? else { return Ok(None) };
        said.push(LoggedStatement { statement: log.entry(position)?, proof: proof.to_bytes() });
    }
    for pointer in pointers(name)? {
        let Some(proof) = proof_under(log, pointer.position, head)? else { return Ok(None) };
        keys.push(LoggedStatement { statement: log.entry(pointer.position)?, proof: proof.to_bytes() });
    }
    let names = BundledNames {
        keys: name.answer_lines().into_bytes(),
        said,
        index: about.index_lines().into_bytes(),
        release: about.answer_lines().into_bytes(),
    };
    Ok(Some(Bundle { proof: proof.to_bytes(), keys, names: Some(names), ..bundle.clone() }))
}

/// All pointers of a list; a longer one than a proof shows is longer than a bundle may have.
fn pointers(proof: &NameProof) -> Result<&[Pointer], NoNames> {
    match proof.answer() {
        Answer::Listed { value, shown, .. } if value.count == shown.pointers.len() as u64 => Ok(&shown.pointers),
        Answer::Listed { .. } => Err(NoNames::TooMany),
        Answer::Absent(_) => Ok(&[]),
    }
}

/// The inclusion proof of an entry, if it is under this checkpoint.
fn proof_under(log: &dyn Names, position: u64, head: &str) -> Result<Option<TlogProof>, NoNames> {
    let proof = log.proof(position)?;
    Ok((proof.checkpoint().text() == head).then_some(proof))
}
