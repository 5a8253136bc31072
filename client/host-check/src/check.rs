//! One host, asked for one release.

use stele_spec::manifest::Manifest;
use stele_spec::statement::HostType;

use crate::compare::{self, Comparison, HostMatch};
use crate::error::HostError;
use crate::hub_client::{HubClient, Which};
use crate::place::HostLocation;
use crate::view::HostListing;
use crate::{huggingface, oci};

/// A host's answer about one release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostCheck {
    /// What it came to.
    pub comparison: Comparison,
    /// The revision that was compared.
    pub revision: Option<String>,
    /// Whether it is what was released at its recorded revision only: by default the host gives something else.
    pub moved_on: bool,
    /// What else is to be said.
    pub note: Option<String>,
}

impl HubClient {
    /// Looks at a host for a release; `recorded` is the revision that the record names.
    pub fn look(
        &self,
        place: &HostLocation,
        recorded: Option<&str>,
        manifest: &Manifest,
    ) -> Result<HostCheck, HostError> {
        let compare = |view: &HostListing| {
            compare::compare(view, manifest)
                .map_err(|unknown| HostError::UnknownLayers { place: place.to_string(), layers: unknown.layers })
        };
        let current = self.view(place, Which::Current)?.map(|view| (compare(&view), view));
        if let Some((Ok(comparison), view)) = &current
            && comparison.verdict == HostMatch::Match
        {
            return Ok(HostCheck {
                note: other_revision(recorded, view),
                moved_on: false,
                revision: view.revision.clone(),
                comparison: comparison.clone(),
            });
        }
        if let Some(recorded) = recorded
            && let Some(view) = self.view(place, Which::Exact(recorded))?
        {
            let comparison = compare(&view);
            if let Ok(comparison) = comparison
                && comparison.verdict == HostMatch::Match
            {
                let note = match &current {
                    None | Some((Err(_), _)) => format!("it is no longer what {place} gives by default"),
                    Some((Ok(now), at)) => format!(
                        "{place} moved on: by default it gives {}, where {} of {} files are other ones",
                        at.revision.as_deref().unwrap_or("another revision"),
                        now.differing.len(),
                        now.of
                    ),
                };
                return Ok(HostCheck { comparison, revision: view.revision, moved_on: true, note: Some(note) });
            }
        }
        Ok(match current {
            Some((comparison, view)) => {
                let note = recorded
                    .filter(|recorded| view.revision.as_deref() != Some(*recorded))
                    .map(|recorded| format!("the recorded revision {recorded} is gone"));
                HostCheck { comparison: comparison?, revision: view.revision, moved_on: false, note }
            }
            None => HostCheck { comparison: Comparison::absent(manifest), revision: None, moved_on: false, note: None },
        })
    }

    fn view(&self, place: &HostLocation, which: Which<'_>) -> Result<Option<HostListing>, HostError> {
        match place.kind {
            HostType::Huggingface => huggingface::view(self, place, which),
            HostType::Oci | HostType::Ollama => oci::view(self, place, which),
            kind => Err(HostError::CannotAsk { kind }),
        }
    }

    /// Whether hosts of a kind can be asked.
    pub fn can_ask(kind: HostType) -> bool {
        matches!(kind, HostType::Huggingface | HostType::Oci | HostType::Ollama)
    }
}

fn other_revision(recorded: Option<&str>, view: &HostListing) -> Option<String> {
    let (recorded, found) = (recorded?, view.revision.as_deref()?);
    (recorded != found).then(|| format!("the same content, at revision {found} instead of {recorded}"))
}
