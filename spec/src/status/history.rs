//! The fold: from the statements about one coordinate to what holds now.

use core::fmt;
use std::collections::BTreeMap;

use super::{Event, What};
use crate::name::{Coordinate, Publisher};
use crate::statement::{Incident, IncidentStatus, LoggedRelease, Release, Slug, Statement, Withdraw};

/// What a coordinate is, after everything that its publisher said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Nothing was released.
    Unknown,
    /// Released, and nothing changed since.
    Released,
    /// Something that was said about it changed.
    Amended,
    /// Another release replaces it.
    Superseded,
    /// The publisher took back what can be taken back. These bytes still verify.
    Withdrawn,
    /// The log holds statements that cannot both be: it, or its keys, lied.
    Conflicting,
}

/// The story of one coordinate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    coordinate: Coordinate,
    release: Option<(u64, Release)>,
    current: Option<Release>,
    events: Vec<Event>,
    conflicting: bool,
}

impl History {
    /// Folds statements, each with its position. Those about other things, and the same entry again, change nothing.
    ///
    /// They count in the order of the log, whatever order they are given in.
    pub fn fold<'a>(coordinate: &Coordinate, statements: impl IntoIterator<Item = (u64, &'a Statement)>) -> Self {
        let mut history = Self {
            coordinate: coordinate.clone(),
            release: None,
            current: None,
            events: Vec::new(),
            conflicting: false,
        };
        let ordered: BTreeMap<u64, &Statement> = statements.into_iter().collect();
        for (position, statement) in ordered {
            if let Some(what) = history.take(position, statement) {
                let (issued_at, speaker) = (statement.issued_at(), statement.publisher().clone());
                history.events.push(Event { position, issued_at, speaker, what });
            }
        }
        history
    }

    /// What it is the story of.
    pub fn coordinate(&self) -> &Coordinate {
        &self.coordinate
    }

    /// The release as it was signed, and its entry.
    pub fn release(&self) -> Option<(u64, &Release)> {
        self.release.as_ref().map(|(position, release)| (*position, release))
    }

    /// The release as its amendments and stages have left it.
    pub fn current(&self) -> Option<&Release> {
        self.current.as_ref()
    }

    /// Everything that was said, in the order of the log.
    pub fn events(&self) -> &[Event] {
        &self.events
    }

    /// What it is now.
    pub fn state(&self) -> State {
        if self.conflicting {
            State::Conflicting
        } else if self.release.is_none() {
            State::Unknown
        } else if self.withdrawal().is_some() {
            State::Withdrawn
        } else if self.superseded_by().is_some() {
            State::Superseded
        } else if self.events.iter().any(|event| matches!(event.what, What::Amended { .. } | What::Moved { .. })) {
            State::Amended
        } else {
            State::Released
        }
    }

    /// The withdrawal that holds: the newest, unless access became public again after it.
    pub fn withdrawal(&self) -> Option<(u64, &Withdraw)> {
        self.events.iter().rev().find_map(|event| match &event.what {
            What::Withdrawn(withdraw) => Some(Some((event.position, withdraw.as_ref()))),
            What::Moved { to, .. } if to.stage.is_public() => Some(None),
            _ => None,
        })?
    }

    /// The newest withdrawal, where it holds no longer: its entry, and the later move that made access public again.
    pub fn withdrawal_taken_back(&self) -> Option<(u64, &Withdraw, &Event)> {
        let withdrawn = self.events.iter().rposition(|event| matches!(event.what, What::Withdrawn(_)))?;
        let (before, after) = self.events.split_at(withdrawn + 1);
        let is_public = |event: &&Event| matches!(&event.what, What::Moved { to, .. } if to.stage.is_public());
        match (before.last()?, after.iter().find(is_public)?) {
            (Event { position, what: What::Withdrawn(withdraw), .. }, moved) => Some((*position, withdraw, moved)),
            _ => None,
        }
    }

    /// What replaces it, by the newest statement.
    pub fn superseded_by(&self) -> Option<(u64, &LoggedRelease)> {
        self.events.iter().rev().find_map(|event| match &event.what {
            What::Superseded { by, .. } => Some((event.position, by)),
            _ => None,
        })
    }

    /// Each incident by the newest word of its speaker, in the order of those.
    pub fn incidents(&self) -> Vec<(u64, &Incident)> {
        let mut newest: BTreeMap<(&Publisher, &Slug), (u64, &Incident)> = BTreeMap::new();
        for event in &self.events {
            if let What::Incident(incident) = &event.what {
                newest.insert((&event.speaker, &incident.id), (event.position, incident));
            }
        }
        let mut incidents: Vec<_> = newest.into_values().collect();
        incidents.sort_by_key(|(position, _)| *position);
        incidents
    }

    /// The incidents that are neither resolved nor disputed by who reported them.
    pub fn open_incidents(&self) -> Vec<(u64, &Incident)> {
        let mut incidents = self.incidents();
        incidents.retain(|(_, incident)| matches!(incident.status, IncidentStatus::Open | IncidentStatus::Mitigated));
        incidents
    }

    /// What a statement says about this coordinate, if anything; it changes what holds.
    fn take(&mut self, position: u64, statement: &Statement) -> Option<What> {
        if !statement.coordinates().contains(&self.coordinate) {
            return None;
        }
        if let Statement::Release(release) = statement {
            return Some(self.released(position, release));
        }
        let own = *statement.publisher() == self.coordinate.publisher;
        let about = match statement {
            Statement::Incident(incident) => return Some(What::Incident(Box::new(Incident::clone(incident)))),
            Statement::Observation(observation) => return Some(What::Observed(observation.clone())),
            Statement::Evaluation(report) => return Some(What::Evaluated(report.clone())),
            // Only the publisher changes what holds.
            _ if !own => return None,
            Statement::Amend(_) | Statement::Stage(_) | Statement::Supersede(_) | Statement::Withdraw(_) => statement,
            Statement::Publisher(_) | Statement::Release(_) => return None,
        };
        let bound = self.release.as_ref().map(|(position, release)| (*position, release.weights.digest));
        let said = about.subject_release().map(|release| release.entry).zip(about.weights_digest());
        if bound != said {
            self.conflicting = true;
            return Some(What::Conflict { weights: about.weights_digest() });
        }
        let current = self.current.as_mut()?;
        match about {
            Statement::Amend(amend) => {
                let before = Box::new(current.clone());
                amend.apply(current);
                let (fields, reason) = (amend.amended(), amend.reason.clone());
                Some(What::Amended { fields, before, after: Box::new(current.clone()), reason })
            }
            Statement::Stage(moved) => {
                let from = current.access.stage;
                current.access = moved.access;
                if let Some(hosts) = &moved.hosts {
                    current.hosts.clone_from(hosts);
                }
                Some(What::Moved { from, to: moved.access, reason: moved.reason.clone() })
            }
            Statement::Supersede(supersede) => {
                Some(What::Superseded { by: supersede.by.clone(), reason: supersede.reason.clone() })
            }
            Statement::Withdraw(withdraw) => Some(What::Withdrawn(withdraw.clone())),
            _ => None,
        }
    }

    fn released(&mut self, position: u64, release: &Release) -> What {
        if self.release.is_some() {
            self.conflicting = true;
            return What::Conflict { weights: Some(release.weights.digest) };
        }
        self.release = Some((position, release.clone()));
        self.current = Some(release.clone());
        What::Released
    }
}

impl State {
    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Released => "released",
            Self::Amended => "amended",
            Self::Superseded => "superseded",
            Self::Withdrawn => "withdrawn",
            Self::Conflicting => "conflicting",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
