//! An OCI registry, Ollama's among them: the image manifest lists the digests of its layers.
//!
//! `GET /v2/<name>/manifests/<tag or digest>` is `{schemaVersion, mediaType, config, layers: [{mediaType, digest, size,
//! annotations}]}`. Ollama's layers are `application/vnd.ollama.image.` and `model` (the GGUF file as it is), `projector`,
//! `adapter`, `template`, `system`, `params`, `license`, `messages`; ModelPack's end in `.raw` for a file as it is. A layer that is an
//! archive or compressed has another digest than the file in it, so it cannot be compared.

use std::collections::BTreeMap;

use serde::Deserialize;
use stele_spec::hash::Digest;
use stele_spec::manifest::{FilePath, Role};
use stele_spec::statement::HostDigest;

use super::{HostError, HostFile, HostView, Hubs, Place, Scope, Which};

/// The forms of a manifest that are understood.
const ACCEPT: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json";
/// What is pulled where no tag is named.
const DEFAULT_TAG: &str = "latest";
/// The most layers.
const MAX_LAYERS: usize = 4096;
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
pub(super) fn view(hubs: &Hubs, place: &Place, which: Which<'_>) -> Result<Option<HostView>, HostError> {
    let reference = match which {
        Which::Current => place.current.as_deref().unwrap_or(DEFAULT_TAG),
        Which::Exact(digest) => digest,
    };
    if !reference.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._:".contains(&b)) {
        return Ok(None);
    }
    let url = format!("{}/v2/{}/manifests/{reference}", hubs.bases.of(place), place.name);
    let answer = hubs.get(&url, Some(ACCEPT))?;
    match answer.status {
        200 => {}
        404 | 410 => return Ok(None),
        status @ (401 | 403) => return Err(HostError::Closed { url, status }),
        status => return Err(HostError::Status { url, status }),
    }
    let revision = format!("sha256:{}", Digest::of(&answer.body));
    if reference.starts_with("sha256:") && reference != revision {
        let problem = format!("a manifest with the digest {revision} is served as {reference}");
        return Err(HostError::Shape { url, problem });
    }
    Ok(Some(HostView { files: read(&url, &answer.body)?, revision: Some(revision), scope: Scope::Weights }))
}

/// The layers of a manifest.
pub(super) fn read(url: &str, body: &[u8]) -> Result<Vec<HostFile>, HostError> {
    let shape = |problem: String| HostError::Shape { url: url.to_owned(), problem };
    let incomparable = |reason| HostError::Incomparable { url: url.to_owned(), reason };
    let manifest: ImageManifest = serde_json::from_slice(body).map_err(|error| shape(error.to_string()))?;
    let layers = manifest.layers.ok_or_else(|| incomparable("it is a list of images, not one"))?;
    if layers.len() > MAX_LAYERS {
        return Err(incomparable("it has too many layers"));
    }
    let mut files = Vec::with_capacity(layers.len());
    for layer in layers {
        let kind = layer.media_type.split(';').next().unwrap_or_default().trim();
        let path = layer.annotations.and_then(|mut notes| PATHS.iter().find_map(|name| notes.remove(*name)));
        let weights = is_weights(kind, path.as_deref());
        if weights && [".tar", "+tar", "+gzip", "+zstd"].iter().any(|end| kind.ends_with(end)) {
            return Err(incomparable("its layers are archives"));
        }
        let digest = layer.digest.strip_prefix("sha256:").and_then(|hex| Digest::from_hex(hex).ok());
        let digest = digest.ok_or_else(|| shape(format!("a layer with the digest {:?}", layer.digest)))?;
        files.push(HostFile { path, size: layer.size, digest: HostDigest::Sha256(digest), weights });
    }
    Ok(files)
}

/// Whether a layer is weights, by its media type, else by the name of its file.
fn is_weights(media_type: &str, path: Option<&str>) -> bool {
    if let Some(part) = media_type.strip_prefix("application/vnd.ollama.image.") {
        return matches!(part, "model" | "projector" | "adapter" | "tensor");
    }
    if media_type.starts_with("application/vnd.cncf.model.") {
        return media_type.starts_with("application/vnd.cncf.model.weight.");
    }
    path.and_then(|path| path.parse::<FilePath>().ok()).is_none_or(|path| Role::of_path(&path) == Role::Weights)
}
