//! What refers to an artifact: by the referrers API, else by the tag that stands for it where a registry has none.

use stele_spec::bundle::MAX_BUNDLE;
use stele_spec::hash::Digest;

use crate::document::{Descriptor, Document, EMPTY_TYPE, INDEX, RELEASE_TYPE, plain_type};
use crate::error::OciError;
use crate::registry::{Artifact, Page, Registry};

/// The most pages of a list.
const MAX_PAGES: usize = 64;
/// The most referrers of one artifact that are looked through.
const MAX_REFERRERS: usize = 10_000;
/// The most releases that are read of one artifact.
const MAX_RELEASES: usize = 64;
/// The most referrers whose manifests are read since the list does not say what they are.
const MAX_UNCLEAR: usize = 512;

/// How referrers are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// `/v2/<name>/referrers/<digest>`.
    Api,
    /// The tag `sha256-<hex>`.
    Tag,
}

/// What refers to an artifact.
#[derive(Debug, Clone)]
pub struct Referrers {
    /// How it was found.
    pub way: Way,
    /// All of it, as listed; nothing of it is checked.
    pub listed: Vec<Descriptor>,
}

/// Something that is listed as a release of an artifact.
#[derive(Debug)]
pub struct Attached {
    /// The digest of its manifest.
    pub referrer: Digest,
    /// The bytes of a `release.stele`, of which nothing is verified but the digest; or why there are none.
    pub bundle: Result<Vec<u8>, NotAttached>,
}

/// Why what is listed is no release of the artifact.
#[derive(Debug, thiserror::Error)]
pub enum NotAttached {
    /// It could not be read.
    #[error(transparent)]
    Unread(#[from] OciError),
    /// It says that it is of another artifact, or of none.
    #[error("it does not refer to this artifact")]
    OfAnother,
    /// It is of another kind.
    #[error("it is of another kind")]
    Kind,
    /// It has not the form.
    #[error("it is no release: {0}")]
    Form(&'static str),
}

impl Way {
    /// For a script.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Api => "referrers-api",
            Self::Tag => "referrers-tag",
        }
    }
}

impl Referrers {
    /// Those that may be releases, and those of other kinds. A list that does not say the kind, or says that of the empty config in its place, as
    /// go-containerregistry's registry does, leaves it to the manifest.
    pub fn releases(&self) -> (Vec<&Descriptor>, usize) {
        let (releases, others): (Vec<_>, Vec<_>) =
            self.listed.iter().partition(|one| is_release(one) || is_unclear(one));
        (releases, others.len())
    }
}

fn is_release(one: &Descriptor) -> bool {
    one.artifact_type.as_deref().is_some_and(|kind| plain_type(kind) == RELEASE_TYPE)
}

fn is_unclear(one: &Descriptor) -> bool {
    one.artifact_type.as_deref().is_none_or(|kind| kind.is_empty() || plain_type(kind) == EMPTY_TYPE)
}

impl Registry {
    /// What refers to a manifest.
    pub fn referrers(&self, subject: &Digest) -> Result<Referrers, OciError> {
        let mut url =
            format!("{}/referrers/sha256:{subject}?artifactType={}", self.place(), RELEASE_TYPE.replace('+', "%2B"));
        let mut listed: Vec<Descriptor> = Vec::new();
        for page in 0..MAX_PAGES {
            let Page { status, kind, body, next } = self.page(&url)?;
            let is_index = kind.as_deref().is_some_and(|kind| plain_type(kind) == INDEX);
            if page == 0 && (matches!(status, 400 | 404 | 405 | 501) || status == 200 && !is_index) {
                return self.referrers_by_tag(subject);
            }
            if status != 200 {
                return Err(OciError::Status { url, status });
            }
            match Document::parse(&body, Some(INDEX)) {
                Ok(Document::Index(list)) => listed.extend(list),
                Ok(Document::Image(_)) => {
                    return Err(OciError::Shape { url, problem: "expected a list of referrers".into() });
                }
                Err(error) => return Err(OciError::Shape { url, problem: error.to_string() }),
            }
            if listed.len() > MAX_REFERRERS {
                return Err(self.too_many(subject, "referrers", MAX_REFERRERS));
            }
            match next {
                Some(next) => url = next,
                None => {
                    // A registry may answer for a list that it does not keep; who attached there used the tag.
                    if !listed.iter().any(|one| is_release(one) || is_unclear(one)) {
                        let by_tag = self.referrers_by_tag(subject)?;
                        if !by_tag.listed.is_empty() {
                            return Ok(by_tag);
                        }
                    }
                    return Ok(Referrers { way: Way::Api, listed });
                }
            }
        }
        Err(self.too_many(subject, "pages of referrers", MAX_PAGES))
    }

    /// What the tag lists that stands for the API.
    fn referrers_by_tag(&self, subject: &Digest) -> Result<Referrers, OciError> {
        let tag = tag_of(subject);
        let listed = match self.tagged(&tag)? {
            None => Vec::new(),
            Some((_, Document::Index(list))) => list,
            Some((_, Document::Image(_))) => {
                let url = format!("{}/manifests/{tag}", self.place());
                return Err(OciError::Shape { url, problem: "expected a list of referrers, found a manifest".into() });
            }
        };
        if listed.len() > MAX_REFERRERS {
            return Err(self.too_many(subject, "referrers", MAX_REFERRERS));
        }
        Ok(Referrers { way: Way::Tag, listed })
    }

    /// Reads every release that is listed for an artifact.
    pub fn attached(&self, artifact: &Artifact, referrers: &Referrers) -> Result<Vec<Attached>, OciError> {
        let (releases, _) = referrers.releases();
        if releases.iter().filter(|one| is_release(one)).count() > MAX_RELEASES {
            return Err(self.too_many(&artifact.digest, "releases", MAX_RELEASES));
        }
        if releases.len() > MAX_UNCLEAR {
            return Err(self.too_many(&artifact.digest, "referrers whose kind is not listed", MAX_UNCLEAR));
        }
        let mut attached = Vec::new();
        for one in releases {
            match self.bundle(artifact, &one.digest) {
                // Of another kind after all.
                Err(NotAttached::Kind) if !is_release(one) => {}
                bundle => attached.push(Attached { referrer: one.digest, bundle }),
            }
        }
        Ok(attached)
    }

    fn bundle(&self, artifact: &Artifact, referrer: &Digest) -> Result<Vec<u8>, NotAttached> {
        let Document::Image(image) = self.manifest(referrer)?.1 else { return Err(NotAttached::Kind) };
        if plain_type(&image.artifact_type) != RELEASE_TYPE {
            return Err(NotAttached::Kind);
        }
        // The list may say what the manifest does not.
        if image.subject.as_ref().map(|subject| subject.digest) != Some(artifact.digest) {
            return Err(NotAttached::OfAnother);
        }
        match image.layers.as_slice() {
            [layer] if layer.media_type == RELEASE_TYPE => Ok(self.small_blob(layer, MAX_BUNDLE as u64)?),
            [_] => Err(NotAttached::Form("its layer is of another type")),
            _ => Err(NotAttached::Form("it has not one layer")),
        }
    }

    fn too_many(&self, subject: &Digest, what: &'static str, limit: usize) -> OciError {
        OciError::TooMany { registry: self.host().to_owned(), digest: *subject, what, limit }
    }
}

/// The tag that stands for the referrers of a manifest.
pub(crate) fn tag_of(subject: &Digest) -> String {
    format!("sha256-{subject}")
}
