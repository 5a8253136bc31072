//! The files of a verified folder as an artifact of CNCF ModelPack: a layer for each file, which is the file as it is.
//!
//! Manifest and config are functions of the release, so the same release is the same artifact with every pusher.

use std::path::Path;

use serde_json::{Value, json};
use stele_spec::hash::Digest;
use stele_spec::manifest::{ManifestFile, Role};
use stele_spec::verify::VerifiedRelease;

use crate::document::{Document, IMAGE};
use crate::error::OciError;
use crate::reference::{At, Reference};
use crate::registry::{Artifact, Registry};

/// The kind of artifact.
const MODEL: &str = "application/vnd.cncf.model.manifest.v1+json";
const CONFIG: &str = "application/vnd.cncf.model.config.v1+json";

/// What pushing came to.
#[derive(Debug, Clone)]
pub struct Pushed {
    /// The artifact.
    pub artifact: Artifact,
    /// Files whose bytes the registry did not have.
    pub sent: usize,
    /// Their bytes.
    pub bytes: u64,
    /// Whether the tag names another manifest now than before.
    pub moved: bool,
}

/// Pushes the files of a release from a folder in which it was verified. What the registry has already is not sent.
pub fn push(
    registry: &Registry,
    reference: &Reference,
    folder: &Path,
    release: &VerifiedRelease,
    dry_run: bool,
) -> Result<Pushed, OciError> {
    let files = release.manifest().files();
    let config = config_of(release).to_string().into_bytes();
    let manifest = manifest_of(files, &config).to_string().into_bytes();
    let digest = Digest::of(&manifest);
    let parsed = Document::parse(&manifest, Some(IMAGE)).map_err(|problem| OciError::Manifest { digest, problem })?;
    let Document::Image(image) = parsed else {
        return Err(OciError::Shape { url: reference.to_string(), problem: "an artifact without layers".into() });
    };
    let artifact = Artifact { pinned: reference.pinned(digest), digest, size: manifest.len() as u64, image };
    let before = match reference.at() {
        At::Tag(tag) => registry.tagged(tag)?.map(|(bytes, _)| Digest::of(&bytes)),
        At::Digest(digest) => Some(*digest),
    };
    let mut pushed = Pushed { artifact, sent: 0, bytes: 0, moved: before != Some(digest) };
    for file in files {
        let path = folder.join(file.path.as_str());
        let is_sent = match dry_run {
            true => !registry.has_blob(&file.sha256)?,
            false => send(registry, &path, file)?,
        };
        if is_sent {
            pushed.sent += 1;
            pushed.bytes += file.size;
        }
    }
    if !dry_run && pushed.moved {
        registry.put_blob(&Digest::of(&config), config.len() as u64, &mut &config[..])?;
        let at = match reference.at() {
            At::Tag(tag) => tag.clone(),
            At::Digest(digest) => format!("sha256:{digest}"),
        };
        registry.put_manifest(&at, IMAGE, &manifest)?;
    }
    Ok(pushed)
}

/// Sends one file as it is read. The registry takes no other bytes than those of its digest, so a file that changed meanwhile is not stored.
fn send(registry: &Registry, path: &Path, file: &ManifestFile) -> Result<bool, OciError> {
    let unread = |source: std::io::Error| OciError::Read { path: path.to_owned(), source };
    let (mut open, found) =
        stele_regular_file::open(path).map_err(|error| unread(std::io::Error::other(error.to_string())))?;
    if found.len() != file.size {
        return Err(OciError::Changed { path: path.to_owned() });
    }
    registry.put_blob(&file.sha256, file.size, &mut open)
}

fn manifest_of(files: &[ManifestFile], config: &[u8]) -> Value {
    let layers = files.iter().map(|file| {
        json!({
            "mediaType": format!("application/vnd.cncf.model.{}.v1.raw", kind_of(file.role)),
            "digest": format!("sha256:{}", file.sha256),
            "size": file.size,
            "annotations": {
                "org.cncf.model.filepath": file.path.as_str(),
                "org.opencontainers.image.title": file.path.as_str(),
            },
        })
    });
    json!({
        "schemaVersion": 2,
        "mediaType": IMAGE,
        "artifactType": MODEL,
        "config": { "mediaType": CONFIG, "digest": format!("sha256:{}", Digest::of(config)), "size": config.len() },
        "layers": layers.collect::<Vec<_>>(),
    })
}

/// What the release says, in the fields that ModelPack has for it.
fn config_of(release: &VerifiedRelease) -> Value {
    let said = release.release();
    let coordinate = said.coordinate();
    let layers = release.manifest().files().iter().map(|file| format!("sha256:{}", file.sha256));
    json!({
        "descriptor": {
            "createdAt": said.issued_at.to_string(),
            "vendor": coordinate.publisher.to_string(),
            "name": coordinate.model.to_string(),
            "version": coordinate.version.to_string(),
            "title": coordinate.to_string(),
            "licenses": [said.license.spdx.to_string()],
        },
        "config": {},
        "modelfs": { "type": "layers", "diffIds": layers.collect::<Vec<_>>() },
    })
}

/// ModelPack's word for what a file is for.
const fn kind_of(role: Role) -> &'static str {
    match role {
        Role::Weights | Role::Classifier => "weight",
        Role::Code => "code",
        Role::Licence | Role::ModelCard | Role::Safety | Role::Evaluation => "doc",
        _ => "weight.config",
    }
}
