//! What the log says, entry by entry, each proven under the policy before anything is built on it.
//!
//! Where the entries of a name are, name proofs say, so that none is left out; what an entry is, its own proof says. So
//! nothing that is signed here refers to an entry that is not in the log, and no revocation of a key stays hidden.

use std::collections::BTreeMap;

use stele_explain::{Exit, Explain, Failure, explain};
use stele_spec::bundle::{LoggedStatement, MAX_KEY_STATEMENTS};
use stele_spec::checkpoint::Checkpoint;
use stele_spec::cosignature::UnixTime;
use stele_spec::hash::Digest;
use stele_spec::index::Subject;
use stele_spec::manifest::Manifest;
use stele_spec::merkle::leaf_hash;
use stele_spec::name::{Coordinate, Publisher};
use stele_spec::policy::{Policy, RefusedCheckpoint, TrustedCheckpoint};
use stele_spec::proof::{ProofError, TlogProof};
use stele_spec::registration::{BrokenHistory, KeyHistory};
use stele_spec::registration::{Holder, Registry};
use stele_spec::statement::{Release, SignedStatement, Statement};

use crate::api::LogClient;
use crate::index_end::{Incomplete, ends_with_index};
use crate::name_lookup::NameLookup;
use crate::reader::LogReader;
use crate::statements::{Lack, MAX_STATEMENTS, ProvenStatement};

/// The most statements about a model that are looked through for its version before, the newest.
const MAX_LOOKED: usize = 256;

/// One log, asked under one policy, and the entries of it that are proven.
#[derive(Debug)]
pub struct ProvenEntries<'a> {
    log: &'a LogClient,
    policy: &'a Policy,
    incomplete: Incomplete,
    entries: BTreeMap<u64, ProvenStatement>,
    lack: Option<Lack>,
}

impl ProvenStatement {
    /// What it says.
    pub fn statement(&self) -> &Statement {
        self.signed().statement()
    }

    /// Its bytes and its proof.
    pub fn to_statement(&self) -> LoggedStatement {
        LoggedStatement { statement: self.signed().bytes().to_vec(), proof: self.proof().to_bytes() }
    }

    /// One line about it, for an error: what is there and that it is proven.
    pub fn describe(&self) -> String {
        let (statement, position) = (self.statement(), self.position());
        let about = statement.coordinate().map_or_else(|| statement.publisher().to_string(), |name| name.to_string());
        let kind = statement.kind();
        format!("entry {position}, {kind} of {about}, issued {}, proven under the policy", statement.issued_at())
    }
}

impl<'a> ProvenEntries<'a> {
    /// Nothing is asked yet.
    pub fn new(log: &'a LogClient, policy: &'a Policy) -> Self {
        Self { log, policy, incomplete: Incomplete::Refuse, entries: BTreeMap::new(), lack: None }
    }

    /// The same, with what becomes of an answer that is not proven complete.
    pub fn accepting(self, incomplete: Incomplete) -> Self {
        Self { incomplete, ..self }
    }

    /// Why what was read so far is not proven complete; none where it is.
    pub fn lack(&self) -> Option<Lack> {
        self.lack
    }

    /// The log that is asked.
    pub fn log(&self) -> &'a LogClient {
        self.log
    }

    /// The policy that decides.
    pub fn policy(&self) -> &'a Policy {
        self.policy
    }

    /// The entry at a position.
    pub fn entry(&mut self, position: u64) -> Result<ProvenStatement, Failure> {
        if let Some(known) = self.entries.get(&position) {
            return Ok(known.clone());
        }
        let (entry, proof) = (self.log.entry(position)?, self.log.proof(position)?);
        let logged = self.take(&entry, &proof)?;
        if logged.position() != position {
            let found = format!("a proof of entry {}", logged.position());
            return Err(self.log.nonsense("a proof of the entry that was asked for", found).into());
        }
        Ok(logged)
    }

    /// Every entry that is proven already, in the order of the log.
    pub fn all(&self) -> impl Iterator<Item = &ProvenStatement> {
        self.entries.values()
    }

    /// The entry at a position, if it is proven already.
    pub fn known(&self, position: u64) -> Option<&ProvenStatement> {
        self.entries.get(&position)
    }

    /// An entry with a proof that the log gave for it, wherever that says it is.
    pub fn take(&mut self, entry: &[u8], proof: &[u8]) -> Result<ProvenStatement, Failure> {
        let proof = TlogProof::parse(proof).map_err(ProvenEntriesError::Proof)?;
        let head = TrustedCheckpoint::verify(proof.checkpoint().clone(), self.policy);
        let head = head.map_err(|error| ProvenEntriesError::Proof(refused(&proof, entry, error)))?;
        self.check_log(head.checkpoint())?;
        let logged = ProvenStatement::check(entry, proof, &head)?;
        self.entries.insert(logged.position(), logged.clone());
        Ok(logged)
    }

    /// When the policy's witnesses cosigned the log's newest tree head; none where it has no such head. A log that does not answer is an
    /// error.
    pub fn newest_time(&self) -> Result<Option<UnixTime>, Failure> {
        match self.log.checkpoint() {
            Ok(note) => Ok(TrustedCheckpoint::parse(&note, self.policy).ok().and_then(|head| head.time())),
            Err(failure) if matches!(failure.as_explain().exit(), Exit::Unavailable | Exit::QuorumMissing) => {
                Err(failure)
            }
            Err(_) => Ok(None),
        }
    }

    /// The key history of a name, folded by the rules of registration. Empty where nobody has claimed it.
    pub fn keys(&mut self, publisher: &Publisher) -> Result<KeyHistory, Failure> {
        let most = MAX_KEY_STATEMENTS + 1;
        let positions = match self.listed(&Subject::publisher(publisher))? {
            Ok(positions) => positions,
            Err(_) => self.log.positions("keys?name=", publisher.as_str(), most)?,
        };
        if positions.len() > MAX_KEY_STATEMENTS {
            let found = format!("{} of them", positions.len());
            return Err(self.log.nonsense("at most 256 key statements of a name", found).into());
        }
        for position in positions {
            self.entry(position)?;
        }
        let entries = self.entries.values().map(ProvenStatement::proven);
        Ok(KeyHistory::fold(publisher, entries).map_err(ProvenEntriesError::Keys)?)
    }

    /// Who holds a name after all its key statements.
    pub fn holder(&mut self, publisher: &Publisher) -> Result<Option<Holder>, Failure> {
        Ok(self.keys(publisher)?.at(u64::MAX).cloned())
    }

    /// The key statements of a name that are known here, before a position, oldest first.
    pub fn key_statements(&self, publisher: &Publisher, before: u64) -> impl Iterator<Item = &ProvenStatement> {
        let of = move |logged: &&ProvenStatement| match logged.statement() {
            Statement::Publisher(change) => change.publisher.name == *publisher,
            _ => false,
        };
        self.entries.range(..before).map(|(_, logged)| logged).filter(of)
    }

    /// The entry that released a coordinate, if the log shows one.
    pub fn release(&mut self, coordinate: &Coordinate) -> Result<Option<ProvenStatement>, Failure> {
        let is_release = |logged: &ProvenStatement| {
            logged.statement().release().is_some_and(|release| release.coordinate() == *coordinate)
        };
        if let Some(known) = self.entries.values().find(|logged| is_release(logged)) {
            return Ok(Some(known.clone()));
        }
        for position in self.positions(coordinate)?.into_iter() {
            // Others may have spoken of it before: what they said is not fetched twice for a proof.
            let bytes = self.log.entry(position)?;
            let is_release = SignedStatement::parse(&bytes).is_ok_and(|signed| {
                signed.statement().release().is_some_and(|release| release.coordinate() == *coordinate)
            });
            if is_release {
                return self.entry(position).map(Some);
            }
        }
        Ok(None)
    }

    /// The newest statement about a coordinate that a test finds, proven.
    pub fn newest(
        &mut self,
        coordinate: &Coordinate,
        is: impl Fn(&Statement) -> bool,
    ) -> Result<Option<ProvenStatement>, Failure> {
        for position in self.positions(coordinate)?.into_iter().rev() {
            let bytes = self.log.entry(position)?;
            if SignedStatement::parse(&bytes).is_ok_and(|signed| is(signed.statement())) {
                return self.entry(position).map(Some);
            }
        }
        Ok(None)
    }

    /// Every statement about a coordinate, proven, in the order of the log.
    pub fn about(&mut self, coordinate: &Coordinate) -> Result<Vec<ProvenStatement>, Failure> {
        let positions = self.positions(coordinate)?;
        positions.into_iter().map(|position| self.entry(position)).collect()
    }

    /// The release of a coordinate and the newest statements about it, at most so many, proven.
    pub fn newest_about(&mut self, coordinate: &Coordinate, most: usize) -> Result<Vec<ProvenStatement>, Failure> {
        let mut positions = self.positions(coordinate)?;
        positions.drain(..positions.len().saturating_sub(most));
        let mut about: Vec<ProvenStatement> =
            positions.into_iter().map(|position| self.entry(position)).collect::<Result<_, _>>()?;
        about.extend(self.release(coordinate)?);
        Ok(about)
    }

    /// The newest release of the same model in another version: of the same variant, else of another. Nothing where the log lists none.
    pub fn version_before(&mut self, coordinate: &Coordinate) -> Result<Option<ProvenStatement>, Failure> {
        let Ok(positions) = self.listed(&Subject::under_model(&coordinate.publisher, &coordinate.model))? else {
            return Ok(None);
        };
        let mut of_another_variant = None;
        for position in positions.into_iter().rev().take(MAX_LOOKED) {
            let bytes = self.log.entry(position)?;
            let Ok(signed) = SignedStatement::parse(&bytes) else { continue };
            let Some(found) = signed.statement().release().map(Release::coordinate) else { continue };
            let is_of_model = (&found.publisher, &found.model) == (&coordinate.publisher, &coordinate.model);
            if !is_of_model || found.version == coordinate.version {
                continue;
            }
            if found.variant == coordinate.variant {
                return self.entry(position).map(Some);
            }
            of_another_variant = of_another_variant.or(Some(position));
        }
        of_another_variant.map(|position| self.entry(position)).transpose()
    }

    /// The releases that have a file, as far as the log names them; each proven.
    pub fn releases_of_file(&mut self, digest: Digest, most: usize) -> Result<Vec<ProvenStatement>, Failure> {
        let mut positions = match self.log.positions("file?hex=", &digest.to_string(), most) {
            Ok(positions) => positions,
            // A lookup that a log does not offer finds nothing; what follows from it is a warning, and no verdict.
            Err(failure) if failure.as_explain().exit() == Exit::Unavailable => Vec::new(),
            Err(failure) => return Err(failure),
        };
        positions.truncate(most);
        let mut found = Vec::new();
        for position in positions {
            let logged = self.entry(position)?;
            found.extend(Some(logged).filter(|logged| logged.statement().release().is_some()));
        }
        Ok(found)
    }

    /// The manifest with a digest, if the log has it.
    pub fn manifest(&self, digest: Digest) -> Result<Option<Manifest>, Failure> {
        Ok(LogReader::new(self.log.files()).manifest(digest)?)
    }

    fn positions(&mut self, coordinate: &Coordinate) -> Result<Vec<u64>, Failure> {
        let own = self.listed(&Subject::release(coordinate))?;
        let others = self.listed(&Subject::about_release(coordinate))?;
        let (Ok(mut positions), Ok(others)) = (own, others) else {
            return self.log.positions("coordinate?name=", &coordinate.to_string(), MAX_STATEMENTS);
        };
        positions.extend(others);
        positions.sort_unstable();
        positions.dedup();
        if positions.len() > MAX_STATEMENTS {
            self.lack = self.lack.or(Some(Lack::Cut));
            positions.drain(..positions.len() - MAX_STATEMENTS);
        }
        Ok(positions)
    }

    /// The positions that the index of the log lists under a subject; else why the log's bare lookups are to be used.
    fn listed(&mut self, subject: &Subject) -> Result<Result<Vec<u64>, Lack>, Failure> {
        let failure = match NameLookup::new(self.log, self.policy).list(subject) {
            Ok(list) => {
                let complete = list.complete();
                self.check_log(complete.head().value())?;
                return Ok(Ok(complete.value().iter().map(|pointer| pointer.position).collect()));
            }
            Err(failure) => failure,
        };
        let ends = || {
            let reader = LogReader::new(self.log.files());
            let tree = reader.open(reader.head(self.policy)?)?;
            Ok(ends_with_index(self.log, &tree))
        };
        let lack = self.incomplete.judge(self.log, subject, failure, ends)?;
        self.lack = self.lack.or(Some(lack));
        Ok(Err(lack))
    }

    /// Checks that a head is of the log of which everything else is.
    fn check_log(&self, head: &Checkpoint) -> Result<(), ProvenEntriesError> {
        let Some(known) = self.entries.values().next() else { return Ok(()) };
        let (expected, found) = (known.proven().head().value().origin(), head.origin());
        if expected == found {
            return Ok(());
        }
        Err(ProvenEntriesError::TwoLogs { expected: expected.to_string(), found: found.to_string() })
    }

    /// The state of registration that follows from what is proven here.
    pub fn registry(&self) -> Registry {
        let mut registry = Registry::default();
        for (position, logged) in &self.entries {
            registry.apply(*position, logged.leaf(), logged.statement());
        }
        registry
    }
}

/// Why a proof does not hold whose head the policy refuses. That cosignatures are missing is told of an entry alone that is under the head: the log has signed
/// that one.
fn refused(proof: &TlogProof, entry: &[u8], error: RefusedCheckpoint) -> ProofError {
    let head = Checkpoint::parse(proof.checkpoint().text()).ok();
    let is_early = matches!(error, RefusedCheckpoint::Quorum { .. });
    let path = head
        .filter(|_| is_early)
        .map(|head| proof.path().check(leaf_hash(entry), proof.index(), head.size(), head.root()));
    match path {
        Some(Err(error)) => ProofError::Inclusion(error),
        _ => ProofError::Checkpoint(error),
    }
}

/// Why something that the log shows is not taken for its record.
#[derive(Debug, thiserror::Error)]
pub enum ProvenEntriesError {
    /// The proof does not hold, or not yet.
    #[error("{}: {}", if Self::is_early(.0) { "the log's proof has too few cosignatures so far" } else { "the log's proof does not hold" }, .0)]
    Proof(ProofError),
    /// Proofs of two logs.
    #[error("the log gives proofs of two logs")]
    TwoLogs {
        /// The first.
        expected: String,
        /// The other.
        found: String,
    },
    /// The log let in what its own rules forbid.
    #[error("the log let in what registration refuses: {0}")]
    Keys(#[source] BrokenHistory),
}

impl ProvenEntriesError {
    /// Whether this is a proof under a tree head that the log signed, and that may still get the cosignatures that the policy asks for.
    pub fn is_below_quorum(failure: &Failure) -> bool {
        let error: &dyn std::error::Error = failure.as_explain();
        matches!(error.downcast_ref(), Some(Self::Proof(error)) if Self::is_early(error))
    }

    const fn is_early(error: &ProofError) -> bool {
        matches!(error, ProofError::Checkpoint(RefusedCheckpoint::Quorum { .. }))
    }
}

impl Explain for ProvenEntriesError {
    explain! {
        Self::Proof(ProofError::Checkpoint(error)) => error.exit(), error.code(), hint: error.served_hint(),
            facts: error.facts();
        Self::Proof(_) => Exit::NotInLog, "not-in-log",
            hint: "does the policy list this log? If it does, try again: submitting twice is harmless; if it stays so, keep this message and ask the log's operator";
        Self::TwoLogs { expected, found } => Exit::NotInLog, "other-log", hint: "name one log: --log URL",
            "expected": expected, "found": found;
        Self::Keys(broken) => Exit::BadSignature, "key-history-broken",
            hint: "keep this message: the log, or whoever answers in its place, should be asked why",
            "entry": broken.position, "rule": broken.refusal.code();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stele_clock::duration::HumanDuration;
    use stele_samples::static_log::{self, entry, tree};
    use stele_spec::checkpoint::sign_checkpoint;
    use stele_spec::merkle::{prove_inclusion, root_at};
    use stele_spec::note::{KeyType, SignerKey};

    #[test]
    fn an_entry_is_told_as_logged_and_short_of_cosignatures_where_the_log_has_signed_it_alone() {
        let (log, tree) = (static_log::signer().unwrap(), tree(5));
        let witness = SignerKey::new("w.example".parse().unwrap(), KeyType::Cosigner, [7; 32]);
        let text = format!("log {}\nwitness w {}\nquorum w\n", log.verifier(), witness.verifier());
        let policy = Policy::parse(text.as_bytes()).unwrap();
        let origin = log.verifier().name().as_str().parse().unwrap();
        let head = sign_checkpoint(&Checkpoint::new(origin, 5, root_at(&tree, 5).unwrap()), &log).unwrap();
        let proof = TlogProof::new(3, prove_inclusion(&tree, 3, 5).unwrap(), head).to_string();
        let client = LogClient::new("http://127.0.0.1:1".into(), HumanDuration(0), |_| {});
        let mut record = ProvenEntries::new(&client, &policy);

        let short = record.take(&entry(3), proof.as_bytes()).unwrap_err();
        assert!(ProvenEntriesError::is_below_quorum(&short) && short.to_string().contains("so far"), "{short}");
        // Somebody in the log's place shows the proof of another entry, under a head of the log that nobody has cosigned.
        let other = record.take(&entry(4), proof.as_bytes()).unwrap_err();
        assert!(!ProvenEntriesError::is_below_quorum(&other), "{other}");
        assert_eq!(other.as_explain().code(), "not-in-log");
    }
}
