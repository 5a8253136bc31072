//! What takes the place of a release, all the way to what is not replaced itself, and whether that stands.

use stele_explain::Failure;
use stele_spec::name::Coordinate;
use stele_spec::status::History;

use crate::release_status::ReleaseStatus;

/// The most replacements that are followed.
const MAX_STEPS: usize = 16;

/// What became of the release that replaces another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replacement {
    /// The last that replaces: the coordinate named by the release itself, or one that replaces that.
    pub last: Coordinate,
    /// How many lie between.
    pub between: usize,
    /// Whether the last was withdrawn.
    pub is_withdrawn: bool,
}

impl Replacement {
    /// To follow the name of the first replacement: `, and that by acme.example/tiny@1.2.0#base, which was WITHDRAWN`.
    pub fn text(&self) -> String {
        let later = match self.between {
            0 => String::new(),
            _ => format!(", and that in the end by {}", self.last),
        };
        format!("{later}{}", if self.is_withdrawn { ", which was WITHDRAWN" } else { "" })
    }
}

/// Follows what replaces a release. `ask` gives the status of a coordinate, or none where it cannot be known.
pub fn follow(
    history: &History,
    mut ask: impl FnMut(&Coordinate) -> Result<Option<ReleaseStatus>, Failure>,
) -> Result<Option<Replacement>, Failure> {
    let Some((_, first)) = history.superseded_by() else { return Ok(None) };
    let mut found = Replacement { last: first.coordinate.clone(), between: 0, is_withdrawn: false };
    for _ in 0..MAX_STEPS {
        let Some(status) = ask(&found.last)? else { break };
        found.is_withdrawn = status.history.withdrawal().is_some();
        match status.history.superseded_by() {
            Some((_, next)) if next.coordinate != found.last => {
                found = Replacement { last: next.coordinate.clone(), between: found.between + 1, is_withdrawn: false };
            }
            _ => break,
        }
    }
    Ok(Some(found))
}
