//! Two tree heads of one log that cannot both be, and the file that shows them to anyone.

use std::fmt;
use std::path::PathBuf;

use stele_host::exit::{Exit, Explain};
use stele_spec::checkpoint::Checkpoint;
use stele_spec::hash::RootHash;
use stele_spec::merkle::ConsistencyProof;
use stele_spec::misbehaviour::{Misbehaviour, Prefix, Rollback, SplitView};
use stele_spec::note::SignedNote;

use super::Memory;
use crate::error::Failure;

/// Two heads.
#[derive(Debug, Clone)]
pub(crate) enum Conflict {
    /// Two histories: one size with two roots, or a tree that does not begin with the older one.
    Fork {
        /// What was seen.
        older: Box<SignedNote>,
        /// What is shown now.
        newer: Box<SignedNote>,
        /// For two sizes: the root that the newer tree has at the older size, and the path that proves it.
        prefix: Option<(ConsistencyProof, RootHash)>,
    },
    /// A log that goes back.
    Rollback {
        /// What was seen.
        larger: Box<SignedNote>,
        /// What is offered now.
        smaller: Box<SignedNote>,
    },
}

/// A log that was found out.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Conflicting {
    /// Two histories.
    #[error("this log shows two histories")]
    Forked(Shown),
    /// It goes back.
    #[error("this log offers an older tree than it showed before")]
    RolledBack(Shown),
}

/// The two heads, and where they were written down.
#[derive(Debug)]
pub(crate) struct Shown {
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

impl Conflicting {
    /// Writes the evidence down, where there is a memory, and tells of it.
    pub(super) fn found(memory: &Memory, conflict: Conflict) -> Failure {
        let (before, now, begins_with) = match &conflict {
            Conflict::Fork { older, newer, prefix } => (older, newer, prefix.as_ref().map(|(_, root)| *root)),
            Conflict::Rollback { larger, smaller } => (larger, smaller, None),
        };
        let (before, now) = (Summary::of(before), Summary::of(now));
        let is_fork = matches!(conflict, Conflict::Fork { .. });
        let shown = Shown { before, now, begins_with, written: write(memory, conflict) };
        if is_fork { Self::Forked(shown).into() } else { Self::RolledBack(shown).into() }
    }

    fn shown(&self) -> &Shown {
        match self {
            Self::Forked(shown) | Self::RolledBack(shown) => shown,
        }
    }
}

impl Explain for Conflicting {
    fn exit(&self) -> Exit {
        Exit::Inconsistent
    }

    fn code(&self) -> &'static str {
        match self {
            Self::Forked(_) => "log-forked",
            Self::RolledBack(_) => "log-rolled-back",
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Forked(_) => {
                "rely on nothing that this log says; send the evidence to its witnesses and to others who use the log"
            }
            Self::RolledBack(_) => {
                "ask again later or at another address: a stale mirror does this as well; if it stays so, the log lost or hides entries"
            }
        };
        Some(hint.into())
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        let shown = self.shown();
        let mut facts = vec![
            ("log", shown.now.origin.clone()),
            ("seen before", shown.before.to_string()),
            ("shown now", shown.now.to_string()),
        ];
        if let Some(root) = shown.begins_with {
            let size = shown.before.size;
            facts.push(("which begins with", format!("root {root} at size {size}")));
        }
        match &shown.written {
            Some(path) => facts.push(("evidence", path.display().to_string())),
            None => facts.push(("evidence", "not written: there is no folder to keep it in".into())),
        }
        facts
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
fn write(memory: &Memory, conflict: Conflict) -> Option<PathBuf> {
    let evidence = conflict.evidence();
    let (name, bytes) = (evidence.file_name().ok()?, evidence.to_bytes().ok()?);
    let path = format!("evidence/{name}");
    let put = memory.write(|dir| dir.put_if_absent(&path, &bytes).map(|_| dir.path_of(&path)));
    put.ok().flatten()
}

impl Conflict {
    /// What anyone can check. A step back convicts a witness only if it cosigned the smaller tree later; else it is a suspicion.
    fn evidence(self) -> Misbehaviour {
        match self {
            Self::Fork { older, newer, prefix } => Misbehaviour::SplitView(SplitView {
                older: *older,
                newer: *newer,
                prefix: prefix.map(|(path, root)| Prefix { root, path }),
            }),
            Self::Rollback { larger, smaller } => {
                Misbehaviour::Rollback(Rollback { larger: *larger, smaller: *smaller })
            }
        }
    }
}
