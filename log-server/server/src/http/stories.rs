//! What became of releases, folded from the log's entries. The lookups name the entries, so a page proves nothing.

use std::sync::{Arc, Mutex, PoisonError};
use stele_log_core::contract::lookup::LookupUnavailable;
use stele_log_core::positions;
use stele_log_core::running_log::RunningLog;
use stele_log_core::tiles::StoreError;
use stele_spec::entry::Entry;
use stele_spec::index::Subject;
use stele_spec::name::Coordinate;
use stele_spec::statement::SignedStatement;
use stele_spec::status::{Event, History, State, What};
use stele_spec::tile::TILE_WIDTH;

/// How many statements are read for one release of a list.
pub(super) const READ_FOR_A_LINE: usize = 50;

/// How many are read for a page.
pub(super) const READ_FOR_A_PAGE: usize = 300;

/// Why a page cannot be made.
#[derive(Debug, thiserror::Error)]
pub(super) enum StoryError {
    #[error(transparent)]
    Lookup(#[from] LookupUnavailable),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("entry {position} cannot be read")]
    Entry { position: u64 },
}

/// A release and what became of it.
#[derive(Clone, Debug)]
pub(super) struct Story {
    pub(super) history: History,
    /// The statements.
    pub(super) signed: Vec<(u64, SignedStatement)>,
    /// Whether more was said than was read.
    pub(super) is_cut: bool,
}

/// A line of a list.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) coordinate: String,
    pub(super) said: String,
    /// Whether nobody should take it without looking.
    pub(super) is_warning: bool,
    pub(super) issued_at: String,
}

/// The newest releases as they were folded for a published size: everybody who looks at the first page looks at the same.
#[derive(Clone, Debug, Default)]
pub(super) struct Stories(Arc<Mutex<Option<Folded>>>);

/// A published size, and the lines at it.
type Folded = (u64, Arc<Vec<Line>>);

impl Stories {
    /// The newest releases in a tree of `size` entries, the newest first.
    pub(super) fn newest(&self, log: &RunningLog, size: u64) -> Result<Arc<Vec<Line>>, StoryError> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((_, lines)) = known.filter(|(at, _)| *at == size) {
            return Ok(lines);
        }
        let newest: Vec<Coordinate> = log
            .newest()
            .iter()
            .rev()
            .filter(|release| release.position < size)
            .map(|release| release.coordinate.clone())
            .collect();
        let lines = newest.iter().map(|coordinate| line(log, coordinate, size)).collect::<Result<Vec<_>, _>>()?;
        let lines = Arc::new(lines);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((size, lines.clone()));
        Ok(lines)
    }
}

/// A release in a line.
pub(super) fn line(log: &RunningLog, coordinate: &Coordinate, size: u64) -> Result<Line, StoryError> {
    let Story { history, is_cut, .. } = story(log, coordinate, size, READ_FOR_A_LINE)?;
    let issued_at = history.release().map(|(_, release)| release.issued_at.date().to_string()).unwrap_or_default();
    let said =
        if is_cut { format!("{} or more was said since: see its page", history.state()) } else { said(&history) };
    let is_warning =
        is_cut || !matches!(history.state(), State::Released | State::Amended) || !history.open_incidents().is_empty();
    Ok(Line { coordinate: coordinate.to_string(), said, is_warning, issued_at })
}

/// The state in words, with what replaces it and what is open against it.
pub(super) fn said(history: &History) -> String {
    let mut said = history.state().to_string();
    if let Some((_, by)) = history.superseded_by() {
        said += &format!(", replaced by {}", by.coordinate);
    }
    for (_, incident) in history.open_incidents() {
        said += &format!(", incident {} ({}, {})", incident.id, incident.severity, incident.status);
    }
    said
}

/// The state in full: each statement that made it, with its entry, its day and its reason.
pub(super) fn told(history: &History) -> String {
    let mut told = Vec::new();
    match history.state() {
        State::Withdrawn | State::Superseded => {}
        State::Conflicting => {
            told.push("conflicting: the log holds statements that cannot both be, as no honest log does".to_owned())
        }
        state => told.push(state.to_string()),
    }
    if let Some((entry, withdraw)) = history.withdrawal() {
        told.push(format!("withdrawn at entry {entry} on {}: {}", withdraw.issued_at.date(), withdraw.reason));
    }
    if let Some(Event { position, issued_at, what: What::Superseded { by, reason }, .. }) = superseding(history) {
        told.push(format!("superseded by {} at entry {position} on {}: {reason}", by.coordinate, issued_at.date()));
    }
    for (entry, incident) in history.open_incidents() {
        let (id, severity, status) = (&incident.id, incident.severity, incident.status);
        told.push(format!("incident {id} ({severity}, {status}) at entry {entry}"));
    }
    told.join("; ")
}

/// The newest statement that names another release in its place.
fn superseding(history: &History) -> Option<&Event> {
    let (entry, _) = history.superseded_by()?;
    history.events().iter().find(|event| event.position == entry)
}

/// Everything that was said about a coordinate, in a tree of `size` entries, up to so many statements.
pub(super) fn story(log: &RunningLog, coordinate: &Coordinate, size: u64, most: usize) -> Result<Story, StoryError> {
    let subjects = [Subject::release(coordinate), Subject::about_release(coordinate)];
    let mut positions = positions::listed(log, &subjects, 0)?;
    positions.retain(|position| *position < size);
    let is_cut = positions.len() > most;
    positions.truncate(most);
    let signed = statements(log, &positions, size)?;
    let history = History::fold(coordinate, signed.iter().map(|(position, signed)| (*position, signed.statement())));
    Ok(Story { history, signed, is_cut })
}

/// The statements at these places, ascending. Each bundle is read once.
pub(super) fn statements(
    log: &RunningLog,
    positions: &[u64],
    size: u64,
) -> Result<Vec<(u64, SignedStatement)>, StoryError> {
    let width = u64::from(TILE_WIDTH);
    let mut found = Vec::with_capacity(positions.len());
    for positions in positions.chunk_by(|one, other| one / width == other / width) {
        let Some(first) = positions.first() else { continue };
        let bundle = log.store.bundle(first / width, size)?;
        for position in positions {
            let unread = || StoryError::Entry { position: *position };
            let bytes = usize::try_from(position % width).ok().and_then(|at| bundle.get(at)).ok_or_else(unread)?;
            if let Entry::Statement(signed) = Entry::parse(bytes).map_err(|_| unread())? {
                found.push((*position, signed));
            }
        }
    }
    Ok(found)
}
