//! What a host serves, compared with what was released, without downloading the weights.
//!
//! Hubs say the digests of what they serve: a Hugging Face repository in its tree (SHA-256 of large files, git blob ids of
//! small ones), a registry in its manifest (SHA-256 of each layer). A manifest of a release holds both kinds, so the
//! comparison costs two requests. It believes the host's word about the host's own bytes: a host that serves other
//! bytes than it lists is found by whoever downloads them, with `stele verify`.
//!
//! | host | asked | compared |
//! |---|---|---|
//! | `huggingface` | `/api/models/<repo>/revision/<rev>`, `/api/models/<repo>/tree/<commit>?recursive=true` | every file of the manifest, by path |
//! | `oci`, `ollama` | `/v2/<name>/manifests/<tag or digest>` | the weights, by digest; `layer` has the media types |
//!
//! A commit cannot change, it can only vanish; so what is looked at first is what people get who do not name one: the branch
//! or the tag. Where that is not what was released, the recorded revision is asked for. So a squashed history with
//! the same files matches, a repository that moved on to something else matches at its recorded revision with a note,
//! and other bytes with the old revision gone differ.

mod comparison;
mod error;
mod huggingface;
mod layer;
mod loadable;
mod oci;
mod pasted;
mod place;
#[cfg(test)]
mod tests;

#[cfg(test)]
pub(crate) use comparison::compare;
pub(crate) use comparison::{Comparison, FileDifference, Verdict};
pub use error::HostError;
#[cfg(test)]
pub(crate) use loadable::Loadable;
pub(crate) use place::Bases;
pub use place::Place;

use stele_host::http_client::{ClientLimits, HttpClient, Response};
use stele_spec::manifest::Manifest;
use stele_spec::statement::{HostDigest, HostType};

use crate::log_reader::patiently;

/// What is asked of a hub, and where.
#[derive(Debug, Clone)]
pub(crate) struct Hubs {
    http: HttpClient,
    /// For places that a record names: no address around this machine.
    public: HttpClient,
    allow_private: bool,
    bases: Bases,
}

/// Which revision is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which<'a> {
    /// What people get who name none: a branch or a tag.
    Current,
    /// This one.
    Exact(&'a str),
}

/// What a host says that it serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HostView {
    /// The files or layers.
    pub(crate) files: Vec<HostFile>,
    /// The revision that they are of: a commit, or the digest of a manifest.
    pub(crate) revision: Option<String>,
    /// What of a release the host can have.
    pub(crate) scope: Scope,
}

/// One file or layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HostFile {
    /// Its path, where the host has one for it.
    pub(crate) path: Option<String>,
    /// Its length in bytes.
    pub(crate) size: u64,
    /// What the host says of its content.
    pub(crate) digest: HostDigest,
    /// What it is of the release.
    pub(crate) part: Part,
    /// Its media type, in a registry; else empty.
    pub(crate) media_type: String,
}

/// What a layer is of a release, by its media type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// Weights, as they are.
    Weights,
    /// Something else: a licence, a template, parameters, documents, a file of a repository.
    Other,
    /// A kind that is not known: it is not compared.
    Unknown,
}

/// What of a release a host can have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Every file, by its path.
    Files,
    /// The weights, by digest.
    Weights,
}

/// A host's answer about one release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Looked {
    /// What it came to.
    pub(crate) comparison: Comparison,
    /// The revision that was compared.
    pub(crate) revision: Option<String>,
    /// Whether it is what was released at its recorded revision only: by default the host gives something else.
    pub(crate) moved_on: bool,
    /// What else is to be said.
    pub(crate) note: Option<String>,
}

impl Hubs {
    /// Hubs at these addresses.
    pub(crate) fn new(bases: Bases) -> Self {
        let agent = concat!("stele/", env!("CARGO_PKG_VERSION"));
        let http = HttpClient::new(agent, ClientLimits::default());
        Self { public: http.clone().public_only(), http, allow_private: false, bases }
    }

    /// The same, asking private addresses as well where a record names them.
    pub(crate) fn allowing_private(self, allow_private: bool) -> Self {
        Self { allow_private, ..self }
    }

    /// Looks at a host for a release; `recorded` is the revision that the record names.
    pub(crate) fn look(&self, place: &Place, recorded: Option<&str>, manifest: &Manifest) -> Result<Looked, HostError> {
        let compare = |view: &HostView| {
            comparison::compare(view, manifest)
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
    pub(crate) fn can_ask(kind: HostType) -> bool {
        matches!(kind, HostType::Huggingface | HostType::Oci | HostType::Ollama)
    }

    /// Asks where a place leads. What a record names is a stranger's word, unless its address was configured.
    fn get(&self, place: &Place, url: &str, accept: Option<&str>) -> Result<Response, HostError> {
        let strange = place.is_of_record() && !self.allow_private && !self.bases.names(place);
        let http = if strange { &self.public } else { &self.http };
        let answer = patiently(|| http.get(url, accept))?;
        match (answer.status, answer.retry_after()) {
            (status @ (429 | 503), Some(after)) => {
                Err(HostError::NotNow { url: url.to_owned(), status, after: after.as_secs() })
            }
            _ => Ok(answer),
        }
    }
}

fn other_revision(recorded: Option<&str>, view: &HostView) -> Option<String> {
    let (recorded, found) = (recorded?, view.revision.as_deref()?);
    (recorded != found).then(|| format!("the same content, at revision {found} instead of {recorded}"))
}

/// Whether an answer is a page for people: no hub and no registry answers its clients so.
fn is_page(answer: &Response) -> bool {
    answer.header("content-type").is_some_and(|kind| kind.trim_start().to_ascii_lowercase().starts_with("text/html"))
}
