//! A statement that registration refuses, with what was expected, what was found, and the entry that stands in the way.
//!
//! The log's word for a refusal is not enough. What it rests on is fetched and proven, and the rule (`spec::registration`,
//! the same code that the log runs) is run again over that: only a reason that holds is told as one.

use std::path::Path;

use stele_explain::{Exit, Explain, Failure, explain};
use stele_log_client::api::{Existing, LogError};
use stele_log_client::log_end::LogEnd;
use stele_log_client::proven_entries::{ProvenEntries, ProvenEntriesError};
use stele_log_client::reader::LogReader;
use stele_log_client::statements::ProvenStatement;
use stele_spec::hash::{KeyId, LeafHash};
use stele_spec::merkle::leaf_hash;
use stele_spec::registration::{Holder, Refusal, Registry, View as _, admit, authenticate, signers};
use stele_spec::statement::{Copies, Kind, SignedStatement, Statement};

use crate::expected;

/// Submits a statement; the entry that it is, proven. A refusal comes with its proven reason.
///
/// What a monitor is to be silent about is written to a file of expected statements first.
pub fn submit(
    record: &mut ProvenEntries,
    signed: &SignedStatement,
    expect: Option<&Path>,
) -> Result<ProvenStatement, Failure> {
    submit_with(record, signed, None, expect)
}

/// The same for a release, with its manifest.
pub fn submit_release(
    record: &mut ProvenEntries,
    signed: &SignedStatement,
    manifest: &[u8],
    expect: Option<&Path>,
) -> Result<ProvenStatement, Failure> {
    submit_with(record, signed, Some(manifest), expect)
}

fn submit_with(
    record: &mut ProvenEntries,
    signed: &SignedStatement,
    manifest: Option<&[u8]>,
    expect: Option<&Path>,
) -> Result<ProvenStatement, Failure> {
    still_open(record)?;
    if let Some(path) = expect {
        expected::append(path, signed)?;
    }
    let log = record.log();
    let sent = || log.submit(signed, manifest);
    let mut proof = match sent() {
        Ok(proof) => Some(proof),
        Err(failure) => return Err(explained(failure, record, signed)),
    };
    // Sent again it is the same entry, under the newest tree head.
    let mut is_short = false;
    let proven = || {
        let outcome = proof.take().map_or_else(sent, Ok).and_then(|proof| record.take(signed.bytes(), &proof));
        outcome.inspect_err(|failure| is_short |= ProvenEntriesError::is_below_quorum(failure))
    };
    let outcome = log.until_it_holds(proven, ProvenEntriesError::is_below_quorum);
    // Whatever came after that: it is in the log.
    let leaf = leaf_hash(signed.bytes());
    outcome.map_err(|failure| if is_short { BelowQuorum { failure, leaf }.into() } else { failure })
}

/// The log has taken a statement, and too few of the policy's witnesses cosigned it.
#[derive(Debug, thiserror::Error)]
#[error("the statement was sent, and the log has taken it: {failure}")]
pub struct BelowQuorum {
    failure: Failure,
    leaf: LeafHash,
}

impl Explain for BelowQuorum {
    explain! {
        Self { failure, leaf } => Exit::QuorumMissing, "logged-below-quorum",
            hint: "what was sent cannot be taken back. Say the same again later: it is the same entry then, and comes with its proof; never lower the quorum of a policy for it",
            facts: [failure.as_explain().facts(), vec![("sent", "yes".to_owned()), ("leaf_hash", leaf.to_string())]].concat();
    }
}

/// What registration says to a statement over what is proven: nothing, or why it refuses.
pub fn judge(record: &ProvenEntries, signed: &SignedStatement) -> Option<Refusal> {
    judge_over(&record.registry(), signed)
}

fn judge_over(registry: &Registry, signed: &SignedStatement) -> Option<Refusal> {
    let judged = signers(signed, registry)
        .and_then(|keys| authenticate(signed, &keys))
        .and_then(|()| admit(&leaf_hash(signed.bytes()), signed, registry).map(drop));
    judged.err()
}

/// Refuses, before anything is sent, what registration would refuse: the rules of the log over what is proven of it.
pub fn check(record: &mut ProvenEntries, signed: &SignedStatement) -> Result<(), Failure> {
    still_open(record)?;
    gather(record, signed, None)?;
    if let Some(coordinate) = signed.statement().release().map(|release| release.coordinate()) {
        record.release(&coordinate)?;
    }
    match judge(record, signed) {
        Some(refusal) => Err(RegistrationRefused::new(refusal, record, signed).into()),
        None => Ok(()),
    }
}

/// The same, but for how many keys sign: nobody should be asked to sign what would be refused. How many it takes.
pub fn check_alone(record: &mut ProvenEntries, signed: &SignedStatement) -> Result<u64, Failure> {
    still_open(record)?;
    gather(record, signed, None)?;
    if let Some(coordinate) = signed.statement().release().map(|release| release.coordinate()) {
        record.release(&coordinate)?;
    }
    let mut registry = record.registry();
    let publisher = signed.statement().publisher();
    let needed = registry.holder(publisher).map_or(1, |holder| holder.release_threshold);
    if let Some(holder) = registry.holder(publisher).cloned() {
        let alone = Holder { release_threshold: 1, ..holder };
        registry.absorb(Registry::part([], [(publisher.clone(), alone)], [], []));
    }
    match judge_over(&registry, signed) {
        Some(refusal) => Err(RegistrationRefused::new(refusal, record, signed).into()),
        None => Ok(needed),
    }
}

/// Refuses where the log says, signed, that it has ended. One that has gone on since takes statements.
pub fn still_open(record: &ProvenEntries) -> Result<(), Failure> {
    let end = LogEnd::newest(&LogReader::new(record.log().files()), record.policy());
    match end.filter(|end| !end.is_contradicted()) {
        Some(end) => Err(LogEnded { said: end.text() }.into()),
        None => Ok(()),
    }
}

/// Nothing more can be said in a log.
#[derive(Debug, thiserror::Error)]
#[error("{said}")]
pub struct LogEnded {
    said: String,
}

impl Explain for LogEnded {
    explain! {
        Self { .. } => Exit::Refused, "log-ended",
            hint: "use the log that its operator names as the one that follows, with a policy of its own; what is in this one stays valid";
    }
}

/// A refusal of the log, with its reason proven; or what the log got wrong.
fn explained(failure: Failure, record: &mut ProvenEntries, signed: &SignedStatement) -> Failure {
    let error: &dyn std::error::Error = failure.as_explain();
    let Some(LogError::Refused { code, existing, .. }) = error.downcast_ref::<LogError>() else { return failure };
    let (code, existing) = (code.clone(), existing.clone());
    if let Err(unproven) = gather(record, signed, existing.as_ref()) {
        // What stands in the way must be proven; the rest of the evidence only makes the message better.
        return if existing.is_some() { unproven } else { failure };
    }
    match judge(record, signed) {
        Some(refusal) if refusal.code() == code => RegistrationRefused::new(refusal, record, signed).into(),
        _ => match existing {
            Some(existing) => {
                let found =
                    record.entry(existing.index).map_or_else(|_| existing.index.to_string(), |at| at.describe());
                let code = RegistrationRefused::NAMES.iter().find(|(known, _)| *known == code);
                let expected = code.map_or("an entry for which registration refuses this", |(_, expected)| *expected);
                record.log().nonsense(expected, found).into()
            }
            None => failure,
        },
    }
}

/// Fetches and proves what the rules look at: the speaker's keys, what the statement refers to, what stands in the way.
fn gather(record: &mut ProvenEntries, signed: &SignedStatement, existing: Option<&Existing>) -> Result<(), Failure> {
    if let Some(existing) = existing {
        let entry = record.log().entry(existing.index)?;
        record.take(&entry, existing.proof.as_bytes())?;
    }
    record.keys(signed.statement().publisher())?;
    for (_, reference) in signed.statement().references() {
        record.release(&reference.coordinate)?;
    }
    Ok(())
}

/// A statement that registration refuses.
#[derive(Debug, thiserror::Error)]
#[error("{refusal}")]
pub struct RegistrationRefused {
    refusal: Box<Refusal>,
    facts: Vec<(&'static str, String)>,
}

impl RegistrationRefused {
    /// What the entry must be that a log names as its reason.
    const NAMES: [(&'static str, &'static str); 7] = [
        ("name-claimed", "the claim that stands in the way: another's, of this name"),
        ("keys-moved", "the key statement that stands in the way: the newest of this name"),
        ("approvals-used", "the entry that stands in the way: the same, signed by others of these keys"),
        ("coordinate-bound", "the release that stands in the way: this coordinate with other weights"),
        ("coordinate-released", "the release that stands in the way: this coordinate"),
        ("weights-differ", "the release that stands in the way: other weights than this statement gives"),
        ("false-recall", "the entry that stands in the way: it made this coordinate public"),
    ];

    /// A refusal, told by what is proven.
    pub fn new(refusal: Refusal, record: &ProvenEntries, signed: &SignedStatement) -> Self {
        let registry = record.registry();
        let holder = registry.holder(signed.statement().publisher());
        let mut facts = Self::pair(&refusal, holder, signed.kid(), signed.statement());
        facts.extend(Self::existing(&refusal, record));
        Self { refusal: Box::new(refusal), facts }
    }

    /// A change of keys that would be refused, found before it is signed by all.
    pub fn of_keys(refusal: Refusal, record: &ProvenEntries, holder: &Holder, kid: KeyId, said: &Statement) -> Self {
        let mut facts = Self::pair(&refusal, Some(holder), kid, said);
        facts.extend(Self::existing(&refusal, record));
        Self { refusal: Box::new(refusal), facts }
    }

    fn existing(refusal: &Refusal, record: &ProvenEntries) -> Option<(&'static str, String)> {
        let position = refusal.existing()?;
        Some(("existing", record.known(position).map_or_else(|| format!("entry {position}"), |at| at.describe())))
    }

    /// What was expected and what was found.
    fn pair(
        refusal: &Refusal,
        holder: Option<&Holder>,
        signer: KeyId,
        said: &Statement,
    ) -> Vec<(&'static str, String)> {
        let held = || match holder.map(|holder| holder.keys.iter().map(|key| key.key_id().to_string())) {
            Some(keys) => keys.collect::<Vec<_>>().join(", "),
            None => "a claim of the name".to_owned(),
        };
        let (expected, found) = match refusal {
            Refusal::NameClaimed { .. } => (held(), signer.to_string()),
            Refusal::NameUnclaimed { publisher } => (format!("a claim of {publisher} in this log"), "none".to_owned()),
            Refusal::KeyNotHeld { kid, .. } => (held(), kid.to_string()),
            Refusal::KeyRevoked { kid, .. } => (held(), format!("{kid}, which is revoked")),
            Refusal::KeyHeld { kid, .. } => ("a key that the name does not have".to_owned(), kid.to_string()),
            Refusal::ApprovalsMissing { needed, found, .. } => (format!("{needed} keys that sign"), found.to_string()),
            Refusal::ApprovalsUsed { position, .. } => {
                ("approvals of what is not in the log".to_owned(), format!("those of entry {position}"))
            }
            Refusal::KeysMoved { position, .. } => {
                let previous = match said {
                    Statement::Publisher(change) => change.previous.map(|previous| previous.entry.to_string()),
                    _ => None,
                };
                (format!("previous = entry {position}"), previous.unwrap_or_else(|| "none".to_owned()))
            }
            Refusal::KeysLeft { left, threshold, .. } => {
                (format!("at least {threshold} keys and at most 16"), left.to_string())
            }
            Refusal::TooManyKeyStatements { .. } => ("at most 256 key statements".to_owned(), "one more".to_owned()),
            Refusal::Signature(error) => ("the signature of that key".to_owned(), error.to_string()),
            Refusal::CoordinateBound(swap) | Refusal::WeightsDiffer { swap, .. } => {
                (format!("weights {}", swap.bound), format!("weights {}", swap.offered))
            }
            Refusal::CoordinateReleased { .. } => ("an amendment".to_owned(), "another release".to_owned()),
            Refusal::ReferenceUnknown(unknown) => (
                unknown.released.map_or_else(
                    || format!("a release of {} in this log", unknown.coordinate),
                    |at| format!("entry {at}"),
                ),
                format!("entry {}, with another leaf hash", unknown.entry),
            ),
            Refusal::FalseRecall { .. } => (
                format!("{} or {}", Copies::PubliclyDownloaded, Copies::LimitedRecipients),
                Copies::NeverLeft.to_string(),
            ),
            // A rule of a later version of the format says it in its message.
            _ => return Vec::new(),
        };
        vec![("expected", expected), ("found", found)]
    }
}

impl Explain for RegistrationRefused {
    explain! {
        Self { refusal, facts, .. } => Exit::Refused, refusal.code(),
            hint: match &**refusal {
                Refusal::ApprovalsMissing { kind, .. } if *kind != Kind::Publisher => {
                    "name further keys of the name with --key as well; or let --propose FILE write it for those who have them"
                }
                Refusal::NameUnclaimed { .. } => "`stele claim NAME --key FILE` claims it, `stele publish --claim` too",
                refusal => refusal.hint(),
            },
            facts: facts.clone();
    }
}
