//! What a release was made of, and what that was made of, all the way up; and where each of them stands.
//!
//! Parents are named by the release, by entry and leaf hash. What the log has there must be that release: then its own
//! parents are followed. A parent that no log records ends its line.

use std::collections::HashMap;

use stele_explain::Failure;
use stele_spec::name::Coordinate;
use stele_spec::statement::{Ancestor, LoggedRelease, Parent, Release, UnloggedParent, UnseenParent};

use crate::release_status::ReleaseStatus;

/// The most generations that are followed.
pub const MAX_DEPTH: usize = 32;
/// The most ancestors of one release that are looked at.
pub const MAX_ANCESTORS: usize = 256;

/// The ancestors of a release, each before its own.
#[derive(Debug, Default)]
pub struct Lineage {
    /// The ancestors.
    pub nodes: Vec<Node>,
    /// Whether there are more, beyond the limits.
    pub cut: bool,
}

/// One ancestor, as its child names it.
#[derive(Debug)]
pub struct Node {
    /// Generations above the release: 1 for a parent.
    pub depth: usize,
    /// Which node names it; none for the release itself.
    pub child: Option<usize>,
    /// What its child says of it.
    pub named: Ancestor,
    /// What came of looking.
    pub found: Found,
}

/// What came of looking at an ancestor.
#[derive(Debug)]
pub enum Found {
    /// It is in no log.
    Unlogged,
    /// Nobody was asked, and nothing is kept.
    NotAsked,
    /// It is there.
    Status(Box<ReleaseStatus>),
    /// It was met before, at this node: a merge of relatives, or a circle.
    Again(usize),
    /// What the log has is not what the child names.
    Other {
        /// In a sentence.
        problem: String,
        /// What it has.
        release_status: Box<ReleaseStatus>,
    },
}

impl Lineage {
    /// Further names of a logged parent, if where it stands is known: its package URL and its hosts.
    pub fn names_of(&self, ancestor: &Ancestor) -> Vec<String> {
        let Parent::Logged(logged) = &ancestor.parent else { return Vec::new() };
        let parent = self.nodes.iter().filter_map(|node| node.release_status()).find_map(|release_status| {
            let release = release_status.history.current()?;
            (release.coordinate() == logged.coordinate).then_some(release)
        });
        let Some(parent) = parent else { return Vec::new() };
        let hosts = parent.hosts.iter().map(|host| host.locator.to_string());
        parent.model.purl.iter().map(ToString::to_string).chain(hosts).collect()
    }
}

impl Node {
    /// Its coordinate, or its package URL.
    pub fn name(&self) -> String {
        match &self.named.parent {
            Parent::Logged(logged) => logged.coordinate.to_string(),
            Parent::Unlogged(UnloggedParent { purl, .. }) | Parent::Unseen(UnseenParent { purl, .. }) => {
                purl.to_string()
            }
        }
    }

    /// Where it stands, if that is known and it is the one that its child names.
    pub fn release_status(&self) -> Option<&ReleaseStatus> {
        match &self.found {
            Found::Status(release_status) => Some(release_status),
            _ => None,
        }
    }
}

/// Follows the lineage of a release. `ask` gives the status of a coordinate, or none where it cannot be known.
pub fn collect(
    release: &Release,
    mut ask: impl FnMut(&Coordinate) -> Result<Option<ReleaseStatus>, Failure>,
) -> Result<Lineage, Failure> {
    let mut lineage = Lineage::default();
    let mut met: HashMap<Coordinate, usize> = HashMap::new();
    // Depth first, the first parent first: a stack holds the rest in reverse.
    let mut waiting: Vec<(usize, Option<usize>, Ancestor)> = Vec::new();
    waiting.extend(release.lineage.iter().rev().map(|parent| (1, None, parent.clone())));
    while let Some((depth, child, named)) = waiting.pop() {
        if depth > MAX_DEPTH || lineage.nodes.len() == MAX_ANCESTORS {
            lineage.cut = true;
            continue;
        }
        let at = lineage.nodes.len();
        let found = match &named.parent {
            Parent::Unlogged(_) | Parent::Unseen(_) => Found::Unlogged,
            Parent::Logged(logged) => match met.get(&logged.coordinate) {
                Some(before) => Found::Again(*before),
                None => {
                    met.insert(logged.coordinate.clone(), at);
                    match ask(&logged.coordinate)? {
                        None => Found::NotAsked,
                        Some(release_status) => checked(logged, &named, release_status),
                    }
                }
            },
        };
        if let Found::Status(release_status) = &found
            && let Some(release) = release_status.history.current()
        {
            waiting.extend(release.lineage.iter().rev().map(|parent| (depth + 1, Some(at), parent.clone())));
        }
        lineage.nodes.push(Node { depth, child, named, found });
    }
    Ok(lineage)
}

/// Whether what the log has is what the child names.
fn checked(logged: &LoggedRelease, named: &Ancestor, release_status: ReleaseStatus) -> Found {
    let problem = match release_status.history.release() {
        None => Some(format!("the log has no release of {}", logged.coordinate)),
        Some((position, _)) if position != logged.entry || release_status.release_leaf() != Some(logged.leaf_hash) => {
            Some(format!("it names entry {}, and {} is released by entry {position}", logged.entry, logged.coordinate))
        }
        Some((_, release)) => match named.parent_weights {
            Some(weights) if weights == release.weights.digest => None,
            weights => Some(format!(
                "it was made of {}, and {} has {}",
                weights
                    .map_or_else(|| "weights that it does not name".to_owned(), |weights| format!("weights {weights}")),
                logged.coordinate,
                release.weights.digest
            )),
        },
    };
    let release_status = Box::new(release_status);
    match problem {
        None => Found::Status(release_status),
        Some(problem) => Found::Other { problem, release_status },
    }
}
