//! A wrong index entry, shown by the step that a log brought to an index cosigner.

use serde::{Deserialize, Serialize};

use super::error::EvidenceError;
use super::format::{Kind, VERSION};
use super::{Accused, KnownKeys, Unproven, Verdict};
use crate::canonical::Bytes;
use crate::index::MAX_BETWEEN;
use crate::indexcosigner::{AddTransition, Fault, MalformedRequest, NotWrong, RefusedStep, WrongEntry, wrong_entry};
use crate::note::KeyName;

/// The body of `add-transition`, as it was refused: from one index entry to the place where the next one is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrongIndexStep(Vec<u8>);

impl WrongIndexStep {
    /// Keeps a step.
    pub fn new(step: &AddTransition<'_>) -> Self {
        Self(step.to_bytes())
    }

    /// The step. What was kept can be read.
    pub fn step(&self) -> Result<AddTransition<'_>, MalformedRequest> {
        AddTransition::parse(&self.0)
    }

    /// The body of `add-transition`.
    pub fn body(&self) -> &[u8] {
        &self.0
    }

    pub(super) fn check(&self, keys: &KnownKeys) -> Result<Verdict, Unproven> {
        let step = self.step().map_err(|_| Unproven::Empty)?;
        let (_, log) = keys.head(step.note())?;
        let wrong = wrong_entry(&step).map_err(unproven)?;
        let name = log.name();
        let (expected, found) = words(&wrong);
        Ok(Verdict {
            kind: Kind::WrongIndexRoot,
            log: name.clone(),
            accused: vec![Accused::Log(log.clone())],
            what: sentence(name, &step, &wrong),
            facts: vec![("entry", wrong.position.to_string()), ("expected", expected), ("found", found)],
        })
    }
}

fn sentence(log: &KeyName, step: &AddTransition<'_>, WrongEntry { position, fault, .. }: &WrongEntry) -> String {
    match (fault, step.old()) {
        (Fault::Overdue, Some(old)) => {
            format!("{log} has more than {MAX_BETWEEN} entries after index entry {}", old.entry().position)
        }
        _ => format!("{log} says at entry {position} what its own entries before it contradict"),
    }
}

/// What should stand there, and what does.
fn words(WrongEntry { position, fault, .. }: &WrongEntry) -> (String, String) {
    let index = || format!("an index entry for position {position}");
    match fault {
        Fault::Root { expected, found } => (format!("root {expected}"), format!("root {found}")),
        Fault::Position { found } => (index(), format!("an index entry for position {found}")),
        Fault::First => (index(), "another entry".to_owned()),
        Fault::Last => (index(), "another entry at the end of the tree".to_owned()),
        Fault::Overdue => (format!("an index entry after at most {MAX_BETWEEN} others"), "another entry".to_owned()),
    }
}

fn unproven(error: NotWrong) -> Unproven {
    match error {
        NotWrong::Right { root } => Unproven::RightIndexRoot { root },
        NotWrong::NoEntries => Unproven::Empty,
        NotWrong::Refused(refused) => match refused {
            RefusedStep::Tree(error) => Unproven::Prefix(error),
            RefusedStep::Transition(error) => Unproven::Step(error),
            RefusedStep::Entry { position, .. } => Unproven::Order { position, expected: "a statement" },
            RefusedStep::Kind { position, expected } => Unproven::Order { position, expected },
            // It is held against the tree that it says itself, and by no index that is kept.
            RefusedStep::NotTheLast { .. } | RefusedStep::OldTree { .. } | RefusedStep::Index(_) => Unproven::Empty,
        },
    }
}

/// The file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WireIndexStep {
    kind: Kind,
    step: Bytes,
    evidence: String,
}

impl TryFrom<WireIndexStep> for WrongIndexStep {
    type Error = EvidenceError;

    fn try_from(wire: WireIndexStep) -> Result<Self, EvidenceError> {
        AddTransition::parse(&wire.step.0).map_err(EvidenceError::Step)?;
        Ok(Self(wire.step.0))
    }
}

impl From<&WrongIndexStep> for WireIndexStep {
    fn from(evidence: &WrongIndexStep) -> Self {
        Self { kind: Kind::WrongIndexRoot, step: Bytes(evidence.0.clone()), evidence: VERSION.to_owned() }
    }
}
