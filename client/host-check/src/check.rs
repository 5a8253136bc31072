//! One host, asked for one release.

use stele_spec::manifest::Manifest;
use stele_spec::statement::HostType;

use crate::compare::{self, Comparison, Verdict};
use crate::error::HostError;
use crate::hub_client::{Hubs, Which};
use crate::place::Place;
use crate::view::HostView;
use crate::{huggingface, oci};

/// A host's answer about one release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looked {
    /// What it came to.
    pub comparison: Comparison,
    /// The revision that was compared.
    pub revision: Option<String>,
    /// Whether it is what was released at its recorded revision only: by default the host gives something else.
    pub moved_on: bool,
    /// What else is to be said.
    pub note: Option<String>,
}

impl Hubs {
    /// Looks at a host for a release; `recorded` is the revision that the record names.
    pub fn look(&self, place: &Place, recorded: Option<&str>, manifest: &Manifest) -> Result<Looked, HostError> {
        let compare = |view: &HostView| {
            compare::compare(view, manifest)
                .map_err(|unknown| HostError::UnknownLayers { place: place.to_string(), layers: unknown.layers })
        };
        let current = self.view(place, Which::Current)?.map(|view| (compare(&view), view));
        if let Some((Ok(comparison), view)) = &current
            && comparison.verdict == Verdict::Match
        {
            return Ok(Looked {
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
                && comparison.verdict == Verdict::Match
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
                return Ok(Looked { comparison, revision: view.revision, moved_on: true, note: Some(note) });
            }
        }
        Ok(match current {
            Some((comparison, view)) => {
                let note = recorded
                    .filter(|recorded| view.revision.as_deref() != Some(*recorded))
                    .map(|recorded| format!("the recorded revision {recorded} is gone"));
                Looked { comparison: comparison?, revision: view.revision, moved_on: false, note }
            }
            None => Looked { comparison: Comparison::absent(manifest), revision: None, moved_on: false, note: None },
        })
    }

    fn view(&self, place: &Place, which: Which<'_>) -> Result<Option<HostView>, HostError> {
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

fn other_revision(recorded: Option<&str>, view: &HostView) -> Option<String> {
    let (recorded, found) = (recorded?, view.revision.as_deref()?);
    (recorded != found).then(|| format!("the same content, at revision {found} instead of {recorded}"))
}
