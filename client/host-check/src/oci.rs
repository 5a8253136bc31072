//! An OCI registry, Ollama's among them: the image manifest lists the digests of its layers.
//!
//! `GET /v2/<name>/manifests/<tag or digest>` is `{schemaVersion, mediaType, config, layers: [{mediaType, digest, size,
//! annotations}]}`. Weights that are an archive or compressed have another digest than the file in it, so they cannot be compared.

use std::collections::BTreeMap;

use serde::Deserialize;
use stele_spec::hash::Digest;
use stele_spec::statement::HostDigest;

use crate::error::HostError;
use crate::hub_client::{HubClient, Which, is_page};
use crate::layer;
use crate::place::HostLocation;
use crate::view::{HostFile, HostListing, Part, Scope};

/// The forms of a manifest that are understood.
const ACCEPT: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json";
/// What is pulled where no tag is named.
const DEFAULT_TAG: &str = "latest";
/// The most layers.
const MAX_LAYERS: usize = 4096;
/// The longest media type that a message repeats.
const SHOWN_TYPE: usize = 100;
/// Where annotations keep a file's path: ORAS, and ModelPack.
const PATHS: [&str; 2] = ["org.cncf.model.filepath", "org.opencontainers.image.title"];

#[derive(Deserialize)]
struct ImageManifest {
    #[serde(default)]
    layers: Option<Vec<Layer>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Layer {
    media_type: String,
    digest: String,
    size: u64,
    #[serde(default)]
    annotations: Option<BTreeMap<String, String>>,
}

/// What the registry has under a tag or digest; none where it has nothing there.
pub(crate) fn view(hubs: &HubClient, place: &HostLocation, which: Which<'_>) -> Result<Option<HostListing>, HostError> {
    let reference = match which {
        Which::Current => place.current.as_deref().unwrap_or(DEFAULT_TAG),
        Which::Exact(digest) => digest,
    };
    if !reference.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._:".contains(&b)) {
        return Ok(None);
    }
    let url = format!("{}/v2/{}/manifests/{reference}", hubs.bases.of(place), place.name);
    let answer = hubs.get(place, &url, Some(ACCEPT))?;
    match answer.status {
        200 => {}
        404 | 410 if is_page(&answer) => {
            let problem = format!("it answers {} with a web page, as no registry does", answer.status);
            return Err(HostError::Shape { url, problem });
        }
        404 | 410 => return Ok(None),
        status @ (401 | 403) => return Err(HostError::Closed { url, status }),
        status => return Err(HostError::Status { url, status }),
    }
    let revision = format!("sha256:{}", Digest::of(&answer.body));
    if reference.starts_with("sha256:") && reference != revision {
        let problem = format!("a manifest with the digest {revision} is served as {reference}");
        return Err(HostError::Shape { url, problem });
    }
    Ok(Some(HostListing { files: read(&url, &answer.body)?, revision: Some(revision), scope: Scope::Weights }))
}

/// The layers of a manifest.
pub(crate) fn read(url: &str, body: &[u8]) -> Result<Vec<HostFile>, HostError> {
    let shape = |problem: String| HostError::Shape { url: url.to_owned(), problem };
    let incomparable = |reason| HostError::Incomparable { url: url.to_owned(), reason };
    let manifest: ImageManifest = serde_json::from_slice(body).map_err(|error| shape(error.to_string()))?;
    let layers = manifest.layers.ok_or_else(|| incomparable("it is a list of images, not one"))?;
    if layers.len() > MAX_LAYERS {
        return Err(incomparable("it has too many layers"));
    }
    let mut files = Vec::with_capacity(layers.len());
    for found in layers {
        let kind = found.media_type.split(';').next().unwrap_or_default().trim();
        let path = found.annotations.and_then(|mut notes| PATHS.iter().find_map(|name| notes.remove(*name)));
        let part = layer::part(kind, path.as_deref());
        if part == Part::Weights && layer::is_packed(kind) {
            return Err(incomparable("its layers are archives"));
        }
        let digest = found.digest.strip_prefix("sha256:").and_then(|hex| Digest::from_hex(hex).ok());
        let digest = digest.ok_or_else(|| shape(format!("a layer with the digest {:?}", found.digest)))?;
        let (digest, media_type) = (HostDigest::Sha256(digest), kind.chars().take(SHOWN_TYPE).collect());
        files.push(HostFile { path, size: found.size, digest, part, media_type });
    }
    Ok(files)
}
