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
        standing: Box<ReleaseStatus>,
    },
}

impl Lineage {
    /// Further names of a logged parent, if where it stands is known: its package URL and its hosts.
    pub fn names_of(&self, ancestor: &Ancestor) -> Vec<String> {
        let Parent::Logged(logged) = &ancestor.parent else { return Vec::new() };
        let parent = self.nodes.iter().filter_map(|node| node.standing()).find_map(|standing| {
            let release = standing.history.current()?;
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
    pub fn standing(&self) -> Option<&ReleaseStatus> {
        match &self.found {
            Found::Status(standing) => Some(standing),
            _ => None,
        }
    }
}

/// Follows the lineage of a release. `ask` gives the standing of a coordinate, or none where it cannot be known.
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
                        Some(standing) => checked(logged, &named, standing),
                    }
                }
            },
        };
        if let Found::Status(standing) = &found
            && let Some(release) = standing.history.current()
        {
            waiting.extend(release.lineage.iter().rev().map(|parent| (depth + 1, Some(at), parent.clone())));
        }
        lineage.nodes.push(Node { depth, child, named, found });
    }
    Ok(lineage)
}

/// Whether what the log has is what the child names.
fn checked(logged: &LoggedRelease, named: &Ancestor, standing: ReleaseStatus) -> Found {
    let problem = match standing.history.release() {
        None => Some(format!("the log has no release of {}", logged.coordinate)),
        Some((position, _)) if position != logged.entry || standing.release_leaf() != Some(logged.leaf_hash) => {
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
    let standing = Box::new(standing);
    match problem {
        None => Found::Status(standing),
        Some(problem) => Found::Other { problem, standing },
    }
}
