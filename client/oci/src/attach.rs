//! A release is attached to an artifact: an image manifest whose subject is the artifact, with the bytes of `release.stele` as its one layer.
//!
//! ```json
//! { "schemaVersion": 2,
//!   "mediaType": "application/vnd.oci.image.manifest.v1+json",
//!   "artifactType": "application/vnd.stele.release.v1+cbor",
//!   "config": { "mediaType": "application/vnd.oci.empty.v1+json", "digest": "sha256:4413...8a", "size": 2 },
//!   "layers": [{ "mediaType": "application/vnd.stele.release.v1+cbor", "digest": "sha256:...", "size": 3512,
//!                "annotations": { "org.opencontainers.image.title": "release.stele" } }],
//!   "subject": { "mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": "sha256:...", "size": 812 } }
//! ```
//!
//! These bytes are a function of the artifact and of `release.stele`, so the same again is the same manifest.

use serde_json::{Value, json};
use stele_spec::hash::Digest;

use crate::document::{Document, EMPTY_TYPE, IMAGE, INDEX, MAX_MANIFEST, RELEASE_TYPE};
use crate::error::OciError;
use crate::referrers::{Referrers, Way, tag_of};
use crate::registry::{Artifact, Registry};

/// The config of what has none.
const EMPTY: &[u8] = b"{}";
/// How often the list at a tag is written again where somebody else wrote it meanwhile.
const TRIES: usize = 4;

/// What attaching came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// The digest of the referrer's manifest.
    pub referrer: Digest,
    /// Whether something was stored, or with `dry_run` would be.
    pub stored: bool,
    /// How those who look will find it; none where nothing was stored and nothing asked.
    pub way: Way,
}

/// Attaches a bundle to an artifact whose referrers are known. The same again stores nothing.
pub fn attach(
    registry: &Registry,
    artifact: &Artifact,
    referrers: &Referrers,
    bundle: &[u8],
    dry_run: bool,
) -> Result<Attachment, OciError> {
    let manifest = manifest_of(artifact, bundle);
    let referrer = Digest::of(&manifest);
    let is_listed = referrers.listed.iter().any(|one| one.digest == referrer);
    if is_listed && registry.has_manifest(&referrer)? {
        return Ok(Attachment { referrer, stored: false, way: referrers.way });
    }
    if dry_run {
        return Ok(Attachment { referrer, stored: true, way: referrers.way });
    }
    registry.put_blob(&Digest::of(EMPTY), EMPTY.len() as u64, &mut &EMPTY[..])?;
    registry.put_blob(&Digest::of(bundle), bundle.len() as u64, &mut &bundle[..])?;
    let is_known = registry.put_manifest(&format!("sha256:{referrer}"), IMAGE, &manifest)?;
    if is_known {
        return Ok(Attachment { referrer, stored: true, way: Way::Api });
    }
    list_at_tag(registry, artifact, &referrer, manifest.len())?;
    Ok(Attachment { referrer, stored: true, way: Way::Tag })
}

/// The registry does not know of subjects: the list at the tag that stands for its answer gets another line (distribution specification, *Pushing
/// Manifests with Subject*). It is read again after it was written, since two who write at once overwrite each other.
fn list_at_tag(registry: &Registry, artifact: &Artifact, referrer: &Digest, size: usize) -> Result<(), OciError> {
    let tag = tag_of(&artifact.digest);
    let url = format!("{}/manifests/{tag}", registry.place());
    let line = json!({
        "mediaType": IMAGE, "digest": format!("sha256:{referrer}"), "size": size, "artifactType": RELEASE_TYPE,
    });
    for _ in 0..=TRIES {
        // What others wrote there stays as it is.
        let mut index = match registry.tagged(&tag)? {
            None => json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": [] }),
            Some((_, Document::Index(listed))) if listed.iter().any(|one| one.digest == *referrer) => return Ok(()),
            Some((bytes, Document::Index(_))) => serde_json::from_slice(&bytes).unwrap_or_default(),
            Some((_, Document::Image(_))) => {
                let problem = "expected a list of referrers, found a manifest".to_owned();
                return Err(OciError::Shape { url, problem });
            }
        };
        if let Some(manifests) = index.get_mut("manifests").and_then(Value::as_array_mut) {
            manifests.push(line.clone());
        }
        let index = index.to_string();
        if index.len() > MAX_MANIFEST {
            let (registry, digest) = (registry.host().to_owned(), artifact.digest);
            return Err(OciError::TooMany {
                registry,
                digest,
                what: "bytes of a list of referrers",
                limit: MAX_MANIFEST,
            });
        }
        registry.put_manifest(&tag, INDEX, index.as_bytes())?;
    }
    Err(OciError::Shape { url, problem: "what was stored at the tag is not there".into() })
}

fn manifest_of(artifact: &Artifact, bundle: &[u8]) -> Vec<u8> {
    let document = json!({
        "schemaVersion": 2,
        "mediaType": IMAGE,
        "artifactType": RELEASE_TYPE,
        "config": { "mediaType": EMPTY_TYPE, "digest": format!("sha256:{}", Digest::of(EMPTY)), "size": EMPTY.len() },
        "layers": [{
            "mediaType": RELEASE_TYPE,
            "digest": format!("sha256:{}", Digest::of(bundle)),
            "size": bundle.len(),
            "annotations": { "org.opencontainers.image.title": "release.stele" },
        }],
        "subject": {
            "mediaType": artifact.image.media_type,
            "digest": format!("sha256:{}", artifact.digest),
            "size": artifact.size,
        },
    });
    document.to_string().into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Descriptor, Image};

    #[test]
    fn the_manifest_is_a_function_of_artifact_and_bundle_and_reads_as_it_was_meant() {
        let digest = Digest::of(b"artifact");
        let config = Box::new(Descriptor {
            media_type: EMPTY_TYPE.into(),
            digest: Digest::of(EMPTY),
            size: 2,
            artifact_type: None,
            annotations: Default::default(),
        });
        let (media_type, artifact_type) = (IMAGE.into(), "x/y".into());
        let image = Image { media_type, artifact_type, config, layers: Vec::new(), subject: None };
        let pinned = "oci://h/a:b".parse::<crate::Reference>().unwrap().pinned(digest);
        let artifact = Artifact { pinned, digest, size: 8, image };
        let bytes = manifest_of(&artifact, b"bundle");
        assert_eq!(bytes, manifest_of(&artifact, b"bundle"));
        let Ok(Document::Image(read)) = Document::parse(&bytes, Some(IMAGE)) else { panic!() };
        assert_eq!((read.artifact_type.as_str(), read.subject.map(|one| one.digest)), (RELEASE_TYPE, Some(digest)));
        assert_eq!(read.layers.first().map(|layer| layer.digest), Some(Digest::of(b"bundle")));
        assert_eq!(Digest::of(EMPTY).to_string(), "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
    }
}
