//! What a release was made of, and what became of each: as far up as a page shows it.

use super::stories::{READ_FOR_A_LINE, Story, StoryError, story};
use std::collections::BTreeSet;
use stele_log_core::running_log::RunningLog;
use stele_spec::name::Coordinate;
use stele_spec::statement::{Ancestor, Parent, Release, Severity};
use stele_spec::status::History;

/// How many ancestors of one release are looked at.
const MOST: usize = 16;

/// What a release was made of.
#[derive(Debug, Default)]
pub(super) struct MadeOf {
    /// Each ancestor before its own.
    pub(super) ancestors: Vec<Above>,
    /// Whether there are more.
    pub(super) is_cut: bool,
}

/// An ancestor, as its child names it.
#[derive(Debug)]
pub(super) struct Above {
    pub(super) named: Ancestor,
    /// Whether the release itself names it.
    pub(super) is_parent: bool,
    /// What became of it, where it is in this log.
    pub(super) history: Option<History>,
}

impl Above {
    /// What everybody should know who has something made of it.
    pub(super) fn warning(&self) -> Option<String> {
        let history = self.history.as_ref()?;
        let name = history.coordinate();
        if let Some((entry, _)) = history.withdrawal() {
            return Some(format!("made of {name}, which was withdrawn at entry {entry}"));
        }
        let incidents = history.open_incidents();
        let (entry, critical) = incidents.iter().rev().find(|(_, incident)| incident.severity == Severity::Critical)?;
        let id = &critical.id;
        Some(format!("made of {name}, which has a critical incident, {id} ({}), at entry {entry}", critical.class))
    }
}

/// The ancestors of a release in a tree of `size` entries.
pub(super) fn made_of(log: &RunningLog, release: &Release, size: u64) -> Result<MadeOf, StoryError> {
    let mut found = MadeOf::default();
    let mut met: BTreeSet<Coordinate> = [release.coordinate()].into();
    let of = |release: &Release, is_parent: bool| -> Vec<_> {
        release.lineage.iter().rev().map(|named| (named.clone(), is_parent)).collect()
    };
    let mut waiting = of(release, true);
    while let Some((named, is_parent)) = waiting.pop() {
        if found.ancestors.len() == MOST {
            found.is_cut = true;
            break;
        }
        let mut history = None;
        if let Parent::Logged(logged) = &named.parent
            && met.insert(logged.coordinate.clone())
        {
            let Story { history: of_parent, .. } = story(log, &logged.coordinate, size, READ_FOR_A_LINE)?;
            waiting.extend(of_parent.current().map(|parent| of(parent, false)).unwrap_or_default());
            history = Some(of_parent);
        }
        found.ancestors.push(Above { named, is_parent, history });
    }
    Ok(found)
}
