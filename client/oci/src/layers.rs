//! The layers of an artifact as the files that who pulls it gets.
//!
//! | layer | its file |
//! |---|---|
//! | not packed | its digest is the SHA-256 of the file: nothing is downloaded. The path is that of an annotation; of a layer without one any file of the release that has its bytes |
//! | `.tar`, `+gzip` | is read as it comes, each member hashed, nothing written; the paths are those of the members |
//! | `+zstd`, other kinds of packing | is not read, and said to be unusable |
//!
//! Images that are mounted have the model in a folder, `models/` for example. Where all the release's files that an artifact has are below one
//! folder, that folder is what is looked at, and not what lies beside it, as of a folder on a disk.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::io::Read;

use flate2::read::MultiGzDecoder;
use stele_spec::hash::Digest;
use stele_spec::manifest::{FilePath, Manifest};
use stele_spec::verify::{Cause, FolderContents, Found, loadable_by_name};

use crate::archive::{self, ArchiveError, ArchiveLimits, Member};
use crate::document::{Descriptor, Image};
use crate::error::OciError;
use crate::registry::Registry;
use crate::settings::role_of;

/// Where the path of a layer's file stands: ModelPack, its former name, ORAS.
const PATHS: [&str; 3] = ["org.cncf.model.filepath", "org.cnai.model.filepath", TITLE];

/// The one of them by which a client writes a layer as it is.
const TITLE: &str = "org.opencontainers.image.title";
/// With it ORAS unpacks a layer, whatever its media type.
const UNPACK: &str = "io.deis.oras.content.unpack";
/// The most members of all archives of one artifact.
const MAX_MEMBERS: u64 = 200_000;
/// What an archive may hold beside the release: headers, padding, small files.
const BESIDE: u64 = 64 << 20;
/// Files that tools of ours put beside a release, and that no loader takes.
const OWN: [&str; 3] = ["release.stele", "release.toml", "release.hints"];
/// What a loader may take a file for that was not looked into.
const UNREAD: &str = "not looked into";
/// What begins the names of such marks in layers of images.
const WHITEOUT: &str = ".wh.";
/// The longest name of a layer that has no path.
const SHOWN: usize = 80;

/// What an artifact holds.
#[derive(Debug, Default)]
pub struct ArtifactContents {
    /// Each path with what is there, to be held against the manifest of a release.
    pub folder: FolderContents,
    /// The layers.
    pub layers: usize,
    /// The archives among them that were downloaded and read.
    pub unpacked: usize,
    /// The bytes that were downloaded for that.
    pub downloaded: u64,
    /// The folder that was looked at; empty for all of it.
    pub below: String,
}

/// How a layer is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Packing {
    /// The layer is the file.
    Raw,
    Tar,
    TarGzip,
    /// A packing that is not read here.
    Unread(&'static str),
}

/// What who pulls the artifact gets. Archives are downloaded; of the others nothing is.
pub fn contents(registry: &Registry, image: &Image, manifest: &Manifest) -> Result<ArtifactContents, OciError> {
    let mut contents = ArtifactContents { layers: image.layers.len(), ..ArtifactContents::default() };
    let (mut places, mut archives) = (Places::default(), Vec::new());
    let (mut members, mut left) = (MAX_MEMBERS, manifest.total_bytes().saturating_add(BESIDE));
    let mut unread = None;
    for layer in &image.layers {
        match packing_of(layer) {
            Packing::Raw => {}
            Packing::Unread(why) => add_unusable(layer, why, &mut places),
            Packing::Tar | Packing::TarGzip if unread.is_some() => {
                add_unusable(layer, "an archive that was not read, since one before it could not be", &mut places);
            }
            Packing::Tar | Packing::TarGzip if layer.size > left => {
                add_unusable(layer, "an archive that is longer than the release", &mut places);
            }
            packing @ (Packing::Tar | Packing::TarGzip) => {
                contents.unpacked += 1;
                contents.downloaded += layer.size;
                // What all archives may hold together.
                let limits = ArchiveLimits { members, bytes: left };
                let found = unpack(registry, layer, packing, limits)?;
                match found {
                    Ok(found) => {
                        members = members.saturating_sub(found.len() as u64);
                        let bytes = found.iter().map(|member| match member {
                            Member::File { size, .. } => *size,
                            Member::Other { .. } => 0,
                        });
                        left = left.saturating_sub(bytes.sum());
                        archives.push((layer, found));
                    }
                    Err(error) => {
                        add_unusable(layer, &format!("an archive that is not read: {error}"), &mut places);
                        unread = Some(error);
                    }
                }
            }
        }
    }
    let raw = || image.layers.iter().filter(|layer| packing_of(layer) == Packing::Raw);
    let in_archives = archives.iter().flat_map(|(_, members)| members).filter_map(|member| match member {
        Member::File { path, .. } => Some(path.as_str()),
        Member::Other { .. } => None,
    });
    contents.below = folder_of(&raw().flat_map(paths_of).chain(in_archives).collect::<Vec<_>>(), manifest);
    let look = Look { manifest, below: &contents.below };
    raw().for_each(|layer| look.add_raw(layer, &mut places));
    for (layer, found) in archives {
        look.add_members(layer, found, &mut places);
    }
    contents.folder = places.into_folder();
    Ok(contents)
}

/// The one folder below which the release's files are, by their paths; none of a release whose files are at their paths, or below several folders.
fn folder_of(paths: &[&str], manifest: &Manifest) -> String {
    let recorded: Vec<&str> = manifest.files().iter().map(|file| file.path.as_str()).collect();
    let mut folders: BTreeMap<&str, usize> = BTreeMap::new();
    for path in paths {
        if recorded.contains(path) {
            return String::new();
        }
        for folder in recorded.iter().filter_map(|recorded| path.strip_suffix(recorded)?.strip_suffix('/')) {
            *folders.entry(folder).or_default() += 1;
        }
    }
    // `config.json` of a part, recorded as `unet/config.json`, is below two of them: the upper one has more.
    let most = folders.values().copied().max();
    let mut upper = folders.iter().filter(|(_, count)| Some(**count) == most).map(|(folder, _)| *folder);
    let (first, others) = (upper.next(), upper.next());
    let is_above_all = |above: &&str| folders.keys().all(|folder| *folder == *above || is_below(folder, above));
    first.filter(|_| others.is_none()).filter(is_above_all).unwrap_or_default().to_owned()
}

fn is_below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

/// What is looked for, and where.
struct Look<'a> {
    manifest: &'a Manifest,
    below: &'a str,
}

/// What is at each path.
#[derive(Debug, Default)]
struct Places(BTreeMap<String, Found>);

impl Places {
    /// Two different findings for one path are unusable, and may be anything: neither can be preferred.
    fn add(&mut self, path: String, found: Found) {
        match self.0.entry(path) {
            Entry::Vacant(place) => {
                place.insert(found);
            }
            Entry::Occupied(mut place) if *place.get() != found => {
                place.insert(odd("two contents for one path".to_owned()));
            }
            Entry::Occupied(_) => {}
        }
    }

    fn add_file(&mut self, path: &FilePath, size: u64, sha256: Digest) {
        self.add(path.to_string(), Found::File { size, sha256: Some(sha256), cause: Cause::Unknown });
    }

    fn into_folder(self) -> FolderContents {
        let mut folder = FolderContents::new();
        for (path, found) in self.0 {
            folder.add(path, found);
        }
        folder
    }
}

/// The members of an archive whose bytes have the digest of the layer; or why it is none that all read alike.
fn unpack(
    registry: &Registry,
    layer: &Descriptor,
    packing: Packing,
    limits: ArchiveLimits,
) -> Result<Result<Vec<Member>, ArchiveError>, OciError> {
    let mut blob = registry.blob(layer)?;
    let mut found = Vec::new();
    let mut tell = |member| found.push(member);
    let read = match packing {
        Packing::TarGzip => archive::read(&mut MultiGzDecoder::new(blob.by_ref()), limits, &mut tell),
        _ => archive::read(&mut blob, limits, &mut tell),
    };
    // What the registry sends says nothing of the artifact where it has another digest.
    blob.finish()?;
    Ok(read.map(|()| found))
}

/// Whether the file of a layer has another digest than the layer.
pub fn is_packed(layer: &Descriptor) -> bool {
    packing_of(layer) != Packing::Raw
}

fn is_unpacked(layer: &Descriptor) -> bool {
    layer.annotations.get(UNPACK).is_some_and(|value| value == "true")
}

fn packing_of(layer: &Descriptor) -> Packing {
    let kind = layer.media_type.as_str();
    let ends = |ends: &[&str]| ends.iter().any(|end| kind.ends_with(end));
    let unpacks = is_unpacked(layer);
    if ends(&[".tar+gzip", "+tar+gzip", ".tar.gzip"]) {
        Packing::TarGzip
    } else if ends(&[".tar", "+tar"]) {
        Packing::Tar
    } else if ends(&["+gzip", ".gzip", "+zstd", ".zstd", "+xz", "+bzip2"]) {
        Packing::Unread("it is packed in a way that is not read")
    } else if unpacks {
        Packing::Unread("an annotation has it unpacked, and its media type does not")
    } else {
        Packing::Raw
    }
}

/// Each path that an annotation gives the file: clients go by one or another, so it is at each of them.
fn paths_of(layer: &Descriptor) -> Vec<&str> {
    let mut paths: Vec<&str> =
        PATHS.iter().filter_map(|name| layer.annotations.get(*name)).map(String::as_str).collect();
    paths.sort_unstable();
    paths.dedup();
    paths
}

impl Look<'_> {
    /// The path in the folder that is looked at; none of what lies beside it.
    fn within<'p>(&self, path: &'p str) -> Option<&'p str> {
        let path = path.strip_prefix("./").unwrap_or(path);
        if self.below.is_empty() { Some(path) } else { path.strip_prefix(self.below)?.strip_prefix('/') }
    }

    fn add_raw(&self, layer: &Descriptor, into: &mut Places) {
        let paths = paths_of(layer);
        for path in paths.iter().filter_map(|path| self.within(path)) {
            match path.parse::<FilePath>() {
                Ok(path) if OWN.contains(&path.as_str()) => {}
                Ok(path) => self.add_file(&path, layer, into),
                Err(error) => into.add(clean(path), odd(format!("a path of no file: {error}"))),
            }
        }
        if !paths.is_empty() {
            return;
        }
        let same = |file: &&stele_spec::manifest::ManifestFile| file.sha256 == layer.digest && file.size == layer.size;
        let mut is_of_release = false;
        for file in self.manifest.files().iter().filter(same) {
            is_of_release = true;
            into.add_file(&file.path, layer.size, layer.digest);
        }
        if !is_of_release {
            into.add(name_of(layer), Found::Name { loadable_as: role_of_unnamed(layer) });
        }
    }

    /// A file by its digest. One that the release does not name was not looked into, so it may be anything.
    fn add_file(&self, path: &FilePath, layer: &Descriptor, into: &mut Places) {
        if self.manifest.file(path).is_some() {
            into.add_file(path, layer.size, layer.digest);
        } else {
            into.add(path.to_string(), unread(path.as_str()));
        }
    }

    fn add_members(&self, layer: &Descriptor, members: Vec<Member>, into: &mut Places) {
        let is_there = |path: &str| {
            let path = path.trim_start_matches("./").trim_end_matches('/');
            let covers =
                |found: &str| found.strip_prefix(path).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
            path.is_empty()
                || path == "."
                || members.iter().any(|member| match member {
                    Member::File { path, .. } => covers(path.as_str()),
                    Member::Other { path, .. } => covers(path),
                })
        };
        for path in paths_of(layer).into_iter().filter(|path| !is_there(path)) {
            into.add(clean(path), odd("an annotation names it, and the archive does not have it".to_owned()));
        }
        // A client that goes by the title alone puts the archive itself there.
        let title = layer.annotations.get(TITLE).filter(|_| !is_unpacked(layer));
        if let Some(title) = title.and_then(|title| self.within(title)) {
            into.add(clean(title), unread(title));
        }
        for member in members {
            match member {
                Member::File { path, size, sha256 } => {
                    let Some(path) = self.within(path.as_str()).and_then(|path| path.parse::<FilePath>().ok()) else {
                        // Where layers are stacked, a file of this name takes away what is below it.
                        if path.as_str().split('/').any(|part| part.starts_with(WHITEOUT)) {
                            into.add(path.to_string(), odd("a mark that takes away what another layer has".to_owned()));
                        }
                        continue;
                    };
                    match self.manifest.file(&path) {
                        _ if OWN.contains(&path.as_str()) => {}
                        // Its bytes came and were not kept, so they may be anything.
                        None => into.add(path.to_string(), unread(path.as_str())),
                        Some(_) => into.add_file(&path, size, sha256),
                    }
                }
                Member::Other { path, what } => {
                    let within = self.within(&path).map(str::to_owned);
                    // What stands in the place of the folder, or above it, leads elsewhere.
                    let is_above = self.below.is_empty() || path == self.below || is_below(self.below, &path);
                    if let Some(path) = within.or_else(|| is_above.then(|| path.clone())) {
                        into.add(clean(&path), odd(what));
                    }
                }
            }
        }
    }
}

fn add_unusable(layer: &Descriptor, why: &str, into: &mut Places) {
    let paths = paths_of(layer);
    if paths.is_empty() {
        into.add(name_of(layer), odd(why.to_owned()));
    }
    for path in paths {
        into.add(clean(path), odd(why.to_owned()));
    }
}

fn odd(why: String) -> Found {
    Found::Unusable { why, is_io: false, loadable_as: Some(UNREAD) }
}

fn unread(path: &str) -> Found {
    Found::Name { loadable_as: Some(loadable_by_name(path).unwrap_or(UNREAD)) }
}

/// What a layer without a path is called.
fn name_of(layer: &Descriptor) -> String {
    let kind: String = layer.media_type.chars().filter(char::is_ascii_graphic).take(SHOWN).collect();
    format!("layer sha256:{} {kind}", layer.digest)
}

/// What a layer without a path may be taken for: anything but a licence.
fn role_of_unnamed(layer: &Descriptor) -> Option<&'static str> {
    if let Some(role) = role_of(layer) {
        return Some(role.as_str());
    }
    let is_licence = layer.media_type.starts_with("application/vnd.") && layer.media_type.ends_with(".license");
    (!is_licence).then_some(UNREAD)
}

/// A path as it stands there, without what a path of a report has a meaning for: its end.
fn clean(path: &str) -> String {
    let path = path.trim_end_matches('/');
    if path.is_empty() { "/".to_owned() } else { path.to_owned() }
}

#[cfg(test)]
mod tests {
    use stele_spec::manifest::{FileDigests, ManifestFile, Role};

    use super::*;

    fn manifest() -> Manifest {
        let file = |path: &str, bytes: &[u8]| {
            let path: FilePath = path.parse().unwrap();
            let digests = FileDigests::of(bytes);
            ManifestFile {
                role: Role::of_path(&path),
                path,
                size: digests.size,
                sha256: digests.sha256,
                git_sha1: digests.git_sha1,
            }
        };
        Manifest::new(vec![file("config.json", b"{}"), file("model.safetensors", b"weights")]).unwrap()
    }

    fn layer(kind: &str, bytes: &[u8], annotations: &[(&str, &str)]) -> Descriptor {
        let annotations = annotations.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Descriptor {
            media_type: kind.into(),
            digest: Digest::of(bytes),
            size: bytes.len() as u64,
            artifact_type: None,
            annotations,
        }
    }

    fn all(manifest: &Manifest) -> Look<'_> {
        Look { manifest, below: "" }
    }

    #[test]
    fn a_model_may_lie_in_one_folder_of_an_artifact_and_in_no_two() {
        let files = ["config.json", "unet/config.json", "unet/model.safetensors"].map(|path| {
            let digests = FileDigests::of(path.as_bytes());
            let path: FilePath = path.parse().unwrap();
            let (size, sha256, git_sha1) = (digests.size, digests.sha256, digests.git_sha1);
            ManifestFile { role: Role::of_path(&path), path, size, sha256, git_sha1 }
        });
        let manifest = Manifest::new(files.to_vec()).unwrap();
        for (paths, folder) in [
            (
                &["models/config.json", "models/unet/config.json", "models/unet/model.safetensors", "bin/sh"][..],
                "models",
            ),
            (&["srv/models/unet/model.safetensors"], "srv/models"),
            (&["config.json", "models/config.json"], ""),
            (&["a/config.json", "a/unet/config.json", "b/config.json"], ""),
            (&["a/config.json", "b/config.json"], ""),
            (&["xconfig.json", "bin/sh"], ""),
            (&[], ""),
        ] {
            assert_eq!(folder_of(paths, &manifest), folder, "{paths:?}");
        }
        // What stands in the place of the folder leads elsewhere; what lies beside it is not looked at.
        let look = Look { manifest: &manifest, below: "srv/models" };
        let mut places = Places::default();
        let file = |path: &str| Member::File { path: path.parse().unwrap(), size: 1, sha256: Digest::of(b"x") };
        let link = |path: &str| Member::Other { path: path.to_owned(), what: "a symbolic link".to_owned() };
        let members =
            vec![file("srv/models/config.json"), file("etc/passwd"), link("srv"), link("bin/sh"), link("srv/models/x")];
        look.add_members(&layer("application/vnd.oci.image.layer.v1.tar", b"", &[]), members, &mut places);
        assert_eq!(places.0.into_keys().collect::<Vec<_>>(), ["config.json", "srv", "x"]);
    }

    /// What is found, in words.
    fn found(layers: &[Descriptor]) -> Vec<(String, &'static str)> {
        let mut places = Places::default();
        layers.iter().for_each(|layer| all(&manifest()).add_raw(layer, &mut places));
        let word = |found: Found| match found {
            Found::File { .. } => "file",
            Found::Name { loadable_as: Some(_) } => "unread",
            Found::Unusable { loadable_as: Some(_), .. } => "unusable",
            _ => "harmless",
        };
        places.0.into_iter().map(|(path, found)| (path, word(found))).collect()
    }

    const RAW: &str = "application/vnd.cncf.model.weight.v1.raw";

    #[test]
    fn a_layer_is_at_each_path_that_a_client_may_give_it() {
        let [model, title] = [PATHS[0], PATHS[2]];
        let one = |kind: &str, annotations: &[(&str, &str)]| {
            found(&[layer(kind, b"weights", annotations)]).into_iter().map(|(_, word)| word).collect::<Vec<_>>()
        };
        assert_eq!(one(RAW, &[(model, "model.safetensors")]), ["file"]);
        assert_eq!(one(RAW, &[(model, "model.safetensors"), (title, "model.safetensors")]), ["file"]);
        assert_eq!(one(RAW, &[(model, "model.safetensors"), (title, "modeling.py")]), ["file", "unread"]);
        assert_eq!(one(RAW, &[(model, "../model.safetensors")]), ["unusable"]);
        assert_eq!(one(RAW, &[(title, "release.stele")]), [""; 0]);
        assert_eq!(one("application/vnd.ollama.image.model", &[]), ["file"]);
        let template = layer("application/vnd.ollama.image.template", b"x", &[]);
        let licence = layer("application/vnd.ollama.image.license", b"x", &[]);
        assert!(matches!(found(&[template]).as_slice(), [(_, "unread")]));
        assert!(matches!(found(&[licence]).as_slice(), [(_, "harmless")]));
    }

    #[test]
    fn two_contents_for_one_path_are_none_and_nothing_is_hidden_by_that() {
        let title = PATHS[2];
        let two = |path| {
            let mut places = Places::default();
            all(&manifest()).add_raw(&layer(RAW, b"weights", &[(title, path)]), &mut places);
            places.add(path.to_owned(), odd("a symbolic link".to_owned()));
            places.0.into_values().collect::<Vec<_>>()
        };
        for path in ["model.safetensors", "notes"] {
            assert!(matches!(two(path).as_slice(), [Found::Unusable { loadable_as: Some(_), .. }]), "{path}");
        }
        let twice = layer(RAW, b"weights", &[(title, "model.safetensors")]);
        assert_eq!(found(&[twice.clone(), twice]), [("model.safetensors".to_owned(), "file")]);
        let other = [layer(RAW, b"weights", &[(title, "a.bin")]), layer(RAW, b"{}", &[(title, "model.safetensors")])];
        assert_eq!(found(&other).len(), 2);
    }

    #[test]
    fn an_archive_whose_title_is_that_of_a_file_in_it_is_two_contents_unless_every_client_unpacks_it() {
        let at = |annotations: &[(&str, &str)]| {
            let archive = layer("application/vnd.oci.image.layer.v1.tar", b"an archive", annotations);
            let member =
                Member::File { path: "model.safetensors".parse().unwrap(), size: 7, sha256: Digest::of(b"weights") };
            let mut places = Places::default();
            all(&manifest()).add_members(&archive, vec![member], &mut places);
            places.0.remove("model.safetensors").unwrap()
        };
        assert!(matches!(at(&[(PATHS[0], "model.safetensors")]), Found::File { .. }));
        assert!(matches!(at(&[(TITLE, "model.safetensors"), (UNPACK, "true")]), Found::File { .. }));
        for unpack in [None, Some((UNPACK, "false"))] {
            let annotations: Vec<_> = [(TITLE, "model.safetensors")].into_iter().chain(unpack).collect();
            assert!(matches!(at(&annotations), Found::Unusable { loadable_as: Some(_), .. }), "{unpack:?}");
        }
    }

    #[test]
    fn how_a_layer_is_packed_is_known_by_its_media_type() {
        for (kind, packing) in [
            (RAW, Packing::Raw),
            ("application/vnd.ollama.image.model", Packing::Raw),
            ("application/octet-stream", Packing::Raw),
            ("application/vnd.cncf.model.weight.v1.tar", Packing::Tar),
            ("application/vnd.cncf.model.weight.v1.tar+gzip", Packing::TarGzip),
            ("application/vnd.docker.image.rootfs.diff.tar.gzip", Packing::TarGzip),
            ("application/vnd.oci.image.layer.v1.tar+zstd", Packing::Unread("it is packed in a way that is not read")),
        ] {
            assert_eq!(packing_of(&layer(kind, b"", &[])), packing, "{kind}");
        }
        assert!(matches!(packing_of(&layer(RAW, b"", &[(UNPACK, "true")])), Packing::Unread(_)));
    }
}
