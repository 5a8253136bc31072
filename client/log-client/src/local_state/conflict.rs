//! Two tree heads of one log that cannot both be, and the file that shows them to anyone.

use std::fmt;
use std::path::PathBuf;

use stele_explain::{Exit, Explain, Failure, explain};
use stele_spec::checkpoint::Checkpoint;
use stele_spec::hash::RootHash;
use stele_spec::merkle::ConsistencyProof;
use stele_spec::misbehaviour::{Misbehaviour, Prefix, SplitView};
use stele_spec::note::SignedNote;
use stele_verify::VerifyError;

use super::folder::LocalState;

/// Two histories: one size with two roots, or a tree that does not begin with the older one.
#[derive(Debug, Clone)]
pub struct CheckpointConflict {
    /// What was seen.
    pub older: Box<SignedNote>,
    /// What is shown now.
    pub newer: Box<SignedNote>,
    /// For two sizes: the root that the newer tree has at the older size, and the path that proves it.
    pub prefix: Option<(ConsistencyProof, RootHash)>,
}

/// A log that shows two histories.
#[derive(Debug, thiserror::Error)]
#[error("this log shows two histories")]
pub struct LogInconsistent {
    before: Summary,
    now: Summary,
    begins_with: Option<RootHash>,
    written: Option<PathBuf>,
}

/// A head in short.
#[derive(Debug)]
struct Summary {
    origin: String,
    size: u64,
    root: String,
}

impl LogInconsistent {
    /// Writes the evidence down, where there is a local state, and reports it.
    pub fn found(local_state: &LocalState, conflict: CheckpointConflict) -> Failure {
        let begins_with = conflict.prefix.as_ref().map(|(_, root)| *root);
        let (before, now) = (Summary::of(&conflict.older), Summary::of(&conflict.newer));
        Self { before, now, begins_with, written: write(local_state, conflict) }.into()
    }
}

impl LogInconsistent {
    /// The error of a bundle: two histories in it are written down as evidence that anyone can check.
    pub fn in_bundle(local_state: &LocalState, error: VerifyError) -> Failure {
        match error {
            VerifyError::TwoHistories { older, newer, .. } => {
                Self::found(local_state, CheckpointConflict { older, newer, prefix: None })
            }
            other => other.into(),
        }
    }
}

impl Explain for LogInconsistent {
    fn exit(&self) -> Exit {
        Exit::Inconsistent
    }

    fn code(&self) -> &'static str {
        "log-forked"
    }

    fn hint(&self) -> Option<String> {
        let hint =
            "rely on nothing that this log says; send the evidence to its witnesses and to others who use the log";
        Some(hint.into())
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        let mut facts = vec![
            ("log", self.now.origin.clone()),
            ("seen before", self.before.to_string()),
            ("shown now", self.now.to_string()),
        ];
        if let Some(root) = self.begins_with {
            facts.push(("which begins with", format!("root {root} at size {}", self.before.size)));
        }
        match &self.written {
            Some(path) => facts.push(("evidence", path.display().to_string())),
            None => facts.push(("evidence", "not written: there is no folder to keep it in".into())),
        }
        facts
    }
}

/// An answer that is older than what the same log has shown before. It contradicts nothing, and proves no misbehaviour.
#[derive(Debug, thiserror::Error)]
#[error("the log (or a cache in front of it) served an older checkpoint than it served before")]
pub struct Stale {
    /// The log.
    pub origin: String,
    /// The size that was seen.
    pub before: u64,
    /// The size that is served.
    pub now: u64,
}

impl Explain for Stale {
    explain! {
        Self { origin, before, now } => Exit::Unavailable, "stale",
            hint: "ask again later, or at another address; if it stays so, the log may have lost entries: ask its witnesses",
            "log": origin, "expected": format!("a tree of at least {before} entries, as seen before"),
            "found": format!("a tree of {now} entries");
    }
}

impl Summary {
    fn of(note: &SignedNote) -> Self {
        match Checkpoint::parse(note.text()) {
            Ok(head) => Self { origin: head.origin().to_string(), size: head.size(), root: head.root().to_string() },
            Err(error) => Self { origin: String::new(), size: 0, root: error.to_string() },
        }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "size {}, root {}", self.size, self.root)
    }
}

/// Writes the file; the same conflict is one file.
fn write(local_state: &LocalState, conflict: CheckpointConflict) -> Option<PathBuf> {
    let evidence = conflict.evidence();
    let (name, bytes) = (evidence.file_name().ok()?, evidence.to_bytes().ok()?);
    let path = format!("evidence/{name}");
    let put = local_state.write(|dir| dir.put_if_absent(&path, &bytes).map(|_| dir.path_of(&path)));
    put.ok().flatten()
}

impl CheckpointConflict {
    /// What anyone can check.
    fn evidence(self) -> Misbehaviour {
        let Self { older, newer, prefix } = self;
        Misbehaviour::SplitView(SplitView {
            older: *older,
            newer: *newer,
            prefix: prefix.map(|(path, root)| Prefix { root, path }),
        })
    }
}
