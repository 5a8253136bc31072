//! One release that a page has verified, and what became of it.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use stele_explain::{Exit, Explain, Failure, explain};
use stele_log_client::moment::moment;
use stele_log_client::release_status::{ReleaseStatus, Source};
use stele_log_client::statements::{ProvenStatement, StatementSource as _};
use stele_spec::bundle::{Bundle, LoggedStatement};
use stele_spec::hash::LeafHash;
use stele_spec::merkle::leaf_hash;
use stele_spec::name::Coordinate;
use stele_spec::policy::TrustedCheckpoint;
use stele_verify::{Policy, VerifiedRelease, verify};

use crate::answers::Answers;
use crate::asked_log::{AskedLog, check_not_older};
use crate::error::{InvalidPolicy, SharedFailure};
use crate::one_tree;
use crate::remembered::{Remembered, SeenHead, to_keep};

/// A verified release under a policy.
#[derive(Debug)]
pub struct Session {
    policy: Policy,
    release: VerifiedRelease,
    status: ReleaseStatus,
    /// Whether the evidence was made from answers of the log, and came in no file.
    is_from_log: bool,
    /// Why the log, asked, gave nothing to rely on.
    unanswered: Option<SharedFailure>,
    heads: Heads,
}

/// Tree heads of the log of a release.
#[derive(Debug)]
struct Heads {
    /// Those that the browser had seen before.
    seen: Vec<SeenHead>,
    /// Those that the release and answers rest on.
    shown: Vec<SeenHead>,
    /// Whether all are known to be of one tree.
    are_one_tree: bool,
}

impl Session {
    /// Verifies a bundle. `remembered` is a JSON list of notes that the browser has seen.
    pub fn verify(bundle: &[u8], policy: &[u8], remembered: &[u8]) -> Result<Self, Failure> {
        let policy = parse_policy(policy)?;
        let release = verify(bundle, &policy)?;
        let seen = Remembered::parse(remembered, &policy)?.of_log(release.checkpoint(), &policy);
        for head in release.checkpoints() {
            one_tree::check_same_size(head, &seen)?;
        }
        let shown = seen_heads(release.checkpoints(), &policy);
        let heads = Heads { seen, shown, are_one_tree: false };
        let status = ReleaseStatus::of_bundle(&release);
        Ok(Self { policy, release, status, is_from_log: false, unanswered: None, heads })
    }

    /// Makes the evidence of a release from what a log answered, and says what became of the release.
    pub fn of_log(coordinate: &str, policy: &[u8], remembered: &[u8], answers: &Answers) -> Result<Self, Failure> {
        let policy = parse_policy(policy)?;
        let coordinate: Coordinate = coordinate.parse().map_err(|error: stele_spec::name::NameError| {
            NotACoordinate { why: error.to_string(), found: coordinate.to_owned() }
        })?;
        let log = AskedLog::about(answers, &policy, &coordinate, [])?;
        let status = ReleaseStatus::of(&coordinate, &log, Source::Log)?;
        let missing = || NotReleased { coordinate: coordinate.clone(), origin: log.head().origin().to_string() };
        let (position, release) = status.history.release().ok_or_else(missing)?;
        let about = log.about(&coordinate)?;
        let entry = about.statements.iter().find(|logged| logged.position() == position).ok_or_else(missing)?;
        let manifest = log.manifest(&release.manifest)?.to_vec();
        let keys = log.keys(&coordinate.publisher)?;
        let LoggedStatement { statement, proof } = part(entry);
        // The list that was asked for says what else was said.
        let keys = keys.statements.iter().map(part).collect();
        let bundle = Bundle { statement, manifest, proof, keys, names: None };
        let bundle = bundle.encode().map_err(|error| answers.nonsense("parts of a bundle", error.to_string()))?;
        let release = verify(&bundle, &policy)?;
        let seen = Remembered::parse(remembered, &policy)?.of_log(release.checkpoint(), &policy);
        let heads = one_tree_of(answers, &policy, &log, seen)?;
        Ok(Self { policy, release, status, is_from_log: true, unanswered: None, heads })
    }

    /// What became of the release, by what the log answered.
    pub fn ask(&mut self, answers: &Answers) -> Result<(), Failure> {
        let coordinate = self.release.coordinate();
        let log = AskedLog::about(answers, &self.policy, &coordinate, self.release.checkpoints().cloned())?;
        let status = ReleaseStatus::of(&coordinate, &log, Source::Log)?;
        let expected = (self.release.entry_index(), leaf_hash(self.release.statement().value().bytes()));
        if !is_listed(&status, expected) {
            return Err(NotListed { url: answers.url().to_owned(), entry: expected.0 }.into());
        }
        self.heads = one_tree_of(answers, &self.policy, &log, self.heads.seen.clone())?;
        (self.status, self.unanswered) = (status.with_bundle(&self.release), None);
        Ok(())
    }

    /// The log was asked, and gave nothing to rely on: what is known without it stays.
    pub fn set_unanswered(&mut self, failure: SharedFailure) {
        self.unanswered = Some(failure);
    }

    /// The release.
    pub fn release(&self) -> &VerifiedRelease {
        &self.release
    }

    /// The policy.
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// What became of the release.
    pub fn status(&self) -> &ReleaseStatus {
        &self.status
    }

    /// Whether the evidence was made from answers of the log.
    pub fn is_from_log(&self) -> bool {
        self.is_from_log
    }

    /// Why there is no answer of the log, where it was asked.
    pub fn unanswered(&self) -> Option<Failure> {
        self.unanswered.clone().map(Failure::from)
    }

    /// What of the log's tree the browser had seen before, whether this is known to extend it, and what it keeps for the next time.
    pub fn heads(&self) -> Value {
        let Heads { seen, shown, are_one_tree } = &self.heads;
        let kept = to_keep(seen.iter().chain(shown).cloned(), *are_one_tree);
        json!({
            "seen": seen.iter().map(SeenHead::size).max(),
            "shown": shown.iter().map(SeenHead::size).max(),
            "are_one_tree": are_one_tree,
            "log": kept.first().map(SeenHead::log),
            "keep": kept.iter().map(SeenHead::text).collect::<Vec<_>>(),
        })
    }

    /// The release as a document: what it is, who saw it, and its files.
    pub fn describe(&self) -> Value {
        let (release, checkpoint) = (&self.release, self.release.checkpoint());
        let files = release.manifest().files().iter().map(|file| {
            json!({
                "path": file.path.to_string(), "role": file.role.as_str(), "size": file.size, "sha256": file.sha256.to_string(),
            })
        });
        json!({
            "coordinate": release.coordinate().to_string(),
            "publisher": release.release().publisher.name.to_string(),
            "key_id": release.signer().to_string(),
            "key_revoked_at_entry": release.signer_revoked_at(),
            "entry": release.entry_index(),
            "log": {
                "origin": checkpoint.origin().to_string(), "tree_size": checkpoint.size(), "root": checkpoint.root().to_string(),
                "time": checkpoint.time().map(|time| moment(time.seconds())),
            },
            "witnesses": self.witnesses(),
            "required": self.policy.quorum().least(),
            "files": files.collect::<Vec<_>>(),
        })
    }

    /// A line for each witness of the policy: whether it cosigned the tree head that proves the entry, and when.
    fn witnesses(&self) -> Vec<Value> {
        let cosigned: BTreeMap<&str, _> =
            self.release.checkpoint().witnesses().iter().map(|one| (one.witness.as_str(), one)).collect();
        let line = |witness: &stele_spec::policy::Witness| {
            let found = cosigned.get(witness.name.as_str());
            json!({
                "name": witness.name, "key_name": witness.key.name().to_string(), "cosigned": found.is_some(),
                "time": found.and_then(|one| one.time).map(|time| moment(time.seconds())),
            })
        };
        self.policy.witnesses().iter().map(line).collect()
    }
}

fn seen_heads<'a>(heads: impl IntoIterator<Item = &'a TrustedCheckpoint>, policy: &Policy) -> Vec<SeenHead> {
    heads.into_iter().filter_map(|head| SeenHead::of(head.note().clone(), policy)).collect()
}

/// The heads of a log that was asked, once all that was seen and is shown is known to be of one tree.
fn one_tree_of(answers: &Answers, policy: &Policy, log: &AskedLog<'_>, seen: Vec<SeenHead>) -> Result<Heads, Failure> {
    let newest = log.newest();
    if let Some(largest) = seen.iter().map(SeenHead::size).max() {
        check_not_older(&newest, largest)?;
    }
    let shown = seen_heads(&log.heads(), policy);
    let all: Vec<SeenHead> = seen.iter().chain(&shown).cloned().collect();
    one_tree::check(answers, &newest, &all)?;
    Ok(Heads { seen, shown, are_one_tree: true })
}

fn parse_policy(policy: &[u8]) -> Result<Policy, InvalidPolicy> {
    Policy::parse(policy).map_err(InvalidPolicy)
}

fn part(logged: &ProvenStatement) -> LoggedStatement {
    LoggedStatement { statement: logged.signed().bytes().to_vec(), proof: logged.proof().to_bytes() }
}

/// Whether what the log lists has the release of the bundle.
fn is_listed(status: &ReleaseStatus, (position, leaf): (u64, LeafHash)) -> bool {
    status.history.release().map(|(found, _)| found) == Some(position) && status.release_leaf() == Some(leaf)
}

/// A link that names no release.
#[derive(Debug, thiserror::Error)]
#[error("this is no coordinate of a release: {why}")]
pub struct NotACoordinate {
    why: String,
    found: String,
}

impl Explain for NotACoordinate {
    explain! {
        Self { found, .. } => Exit::BadInput, "bad-name", hint: "copy the link again, or drop a release.stele",
            "expected": "publisher/model@version#variant", "found": found;
    }
}

/// A coordinate that the log has no release of.
#[derive(Debug, thiserror::Error)]
#[error("{origin} has no release of {coordinate}, and proves that it has none")]
pub struct NotReleased {
    coordinate: Coordinate,
    origin: String,
}

impl Explain for NotReleased {
    explain! {
        Self { .. } => Exit::NotInLog, "not-released",
            hint: "compare the coordinate with what the publisher says; it may be in another log";
    }
}

/// A list of the log that leaves out what is proven to be in it.
#[derive(Debug, thiserror::Error)]
#[error("the list of the log at {url} leaves out entry {entry}, which the bundle proves to be in the log")]
pub struct NotListed {
    url: String,
    entry: u64,
}

impl Explain for NotListed {
    explain! {
        Self { entry, .. } => Exit::Inconsistent, "entry-not-listed",
            hint: "the log hides what it recorded: rely on none of its answers; stele audit finds every wrong index entry",
            "expected": format!("entry {entry}"), "found": "another release, or nothing";
    }
}
