//! Manifests of C2PA that files of a model carry: what they claim, beside what a release says. Nothing of them is verified.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use stele_c2pa::{Carried, DataHash, Format, ManifestStore, ModelFile, StoreError, digests};
use stele_explain::printable::one_line;
use stele_spec::hash::Digest;
use stele_spec::manifest::{FilePath, Manifest, Role};
use stele_verify::folder::locate::{self as target, TargetKind};
use stele_verify::{FolderReport, VerifiedRelease};

use crate::render::page::Page;

/// How the file of a manifest store ends that lies beside a model.
const STORE_FILE: &str = ".c2pa";

/// A manifest, and the file that carries it.
#[derive(Debug)]
pub(crate) struct CarriedManifest {
    path: String,
    format: Format,
    /// How many bytes of the file are it.
    bytes: u64,
    store: Result<ManifestStore, StoreError>,
    /// The file with the manifest and without it; none of a store alone, and where its place is not known.
    digests: Option<Digests>,
    /// What it hashed, by the hash of the content in it.
    hashed: Hashed,
}

/// The digests of a file.
#[derive(Debug)]
struct Digests {
    whole: Digest,
    without: Digest,
}

/// What the hash of the content in a manifest is of.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Hashed {
    /// The file that carries it, without it.
    This,
    /// Another file than the one that carries it.
    Another,
    /// A file of the release as a whole: of a store that lies beside it.
    Recorded(String),
    /// It is not said, or not of a kind that was computed.
    Unknown,
}

/// The manifests that files of a release carry, of those that are here and match.
pub(crate) fn among(
    evidence: &VerifiedRelease,
    kind: &TargetKind,
    place: &str,
    comparison: Option<&FolderReport>,
) -> Vec<CarriedManifest> {
    let manifest = evidence.manifest();
    let matching = comparison.map(|found| found.matching.as_slice()).unwrap_or_default();
    let open = |path: &FilePath| -> Option<PathBuf> {
        match (kind, matching) {
            (TargetKind::Folder(folder), _) => Some(target::root_of(folder, place).join(path.as_str())),
            (TargetKind::File(file), [_]) => Some(file.clone()),
            (TargetKind::File(_) | TargetKind::Bundle, _) => None,
        }
    };
    let may_carry = |path: &&FilePath| {
        path.as_str().ends_with(STORE_FILE) || manifest.file(path).is_some_and(|file| file.role == Role::Weights)
    };
    // A file that cannot be read now was compared a moment ago; what it carries is no part of the verdict.
    let read = |path: &FilePath| CarriedManifest::at(path.as_str(), &open(path)?, Some(manifest));
    matching.iter().filter(may_carry).filter_map(read).collect()
}

/// What `stele inspect` says of a file that may carry one; none of any other file.
pub(crate) fn inspected(path: &Path) -> Option<(Page, Value)> {
    let found = ModelFile::read(path).ok()??;
    let what = match found.format {
        Format::Safetensors => "a model in safetensors",
        Format::Onnx => "a model in ONNX",
        Format::Store => "a manifest store of C2PA",
    };
    let shown = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
    let mut page = Page::titled(&format!("{what}: `stele resolve` says which release it is of"));
    page.row("bytes", &found.size);
    let carried = found.manifest.map(|carried| CarriedManifest::of(&shown, path, found.format, carried, None));
    match &carried {
        Some(carried) => page.row("C2PA", &carried.text()),
        None => page.row("C2PA", &"it carries no manifest"),
    }
    Some((page, json!({ "kind": "model-file", "c2pa": carried.as_ref().map(CarriedManifest::json) })))
}

impl CarriedManifest {
    fn at(shown: &str, open: &Path, recorded: Option<&Manifest>) -> Option<Self> {
        let found = ModelFile::read(open).ok()??;
        Some(Self::of(shown, open, found.format, found.manifest?, recorded))
    }

    fn of(shown: &str, open: &Path, format: Format, carried: Carried, recorded: Option<&Manifest>) -> Self {
        let Carried { place, store } = carried;
        let hash = store.as_ref().ok().and_then(|store| store.data_hash.as_ref());
        let is_within = format != Format::Store && !place.is_empty();
        let digests = is_within.then(|| digests(open, &place).ok()).flatten();
        let digests = digests.map(|(whole, without)| Digests { whole, without });
        let hashed = match (hash, &digests) {
            (Some(hash), Some(digests)) => match hash.is_of(&place, &digests.without) {
                Some(true) => Hashed::This,
                Some(false) => Hashed::Another,
                None => Hashed::Unknown,
            },
            (Some(hash), None) if format == Format::Store => {
                recorded.and_then(|manifest| of_recorded(hash, manifest)).map_or(Hashed::Unknown, Hashed::Recorded)
            }
            _ => Hashed::Unknown,
        };
        Self { path: shown.to_owned(), format, bytes: place.end.saturating_sub(place.start), store, digests, hashed }
    }

    /// Lines for a page.
    pub(crate) fn text(&self) -> String {
        let path = one_line(&self.path);
        let carries = match (self.format, self.bytes) {
            (Format::Store, bytes) => format!("{path} is a C2PA manifest ({bytes} bytes)"),
            (_, 0) => format!("{path} carries a C2PA manifest"),
            (_, bytes) => format!("{path} carries a C2PA manifest ({bytes} bytes of it)"),
        };
        let mut text = match &self.store {
            Err(why) => format!("{carries}, which is not read: {why}"),
            Ok(store) => {
                let said =
                    |text: &Option<String>| text.as_ref().map_or_else(|| "not said".to_owned(), |text| quoted(text));
                let (generator, title) = (said(&store.generator), said(&store.title));
                format!(
                    "{carries}; its signature was NOT CHECKED, and it says of itself: claim generator {generator}, title {title}"
                )
            }
        };
        if let Some(Digests { whole, without }) = &self.digests {
            text += &format!("\n  SHA-256 of the file with it    {whole}, by which releases name it");
            text += &format!("\n  SHA-256 of the file without it {without}, by which C2PA names the content");
        }
        match &self.hashed {
            Hashed::This => text += "\n  it has the hash of this content",
            Hashed::Another => text += "\n  it has the hash of OTHER CONTENT: the manifest is of another file",
            Hashed::Recorded(name) => text += &format!("\n  it has the hash of {}", one_line(name)),
            Hashed::Unknown => {}
        }
        text
    }

    /// For a script.
    pub(crate) fn json(&self) -> Value {
        let store = self.store.as_ref().ok();
        let (content, file) = match &self.hashed {
            Hashed::This => (Some(true), None),
            Hashed::Another => (Some(false), None),
            Hashed::Recorded(name) => (None, Some(name)),
            Hashed::Unknown => (None, None),
        };
        json!({
            "path": self.path,
            "format": self.format.as_str(),
            "bytes": self.bytes,
            "generator": store.and_then(|store| store.generator.as_ref()),
            "title": store.and_then(|store| store.title.as_ref()),
            "assertions": store.map(|store| &store.assertions),
            "sha256": self.digests.as_ref().map(|digests| digests.whole),
            "sha256_without": self.digests.as_ref().map(|digests| digests.without),
            "is_of_this_content": content,
            "is_of_file": file,
            "problem": self.store.as_ref().err().map(ToString::to_string),
            "checked": false,
        })
    }
}

/// Somebody's words, which must not read as ours: between quotation marks, short, and with no room in which they could hide what follows.
fn quoted(text: &str) -> String {
    const MAX: usize = 60;
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ").replace('"', "'");
    let end = words.char_indices().nth(MAX).map(|(end, _)| end);
    let short = end.map_or(words.clone(), |end| format!("{}...", words.get(..end).unwrap_or_default()));
    format!("\"{}\"", one_line(&short))
}

/// The file of a release that a store beside it has the whole hash of.
fn of_recorded(hash: &DataHash, manifest: &Manifest) -> Option<String> {
    let is_it = |digest: &Digest| hash.is_of(&(0..0), digest) == Some(true);
    manifest.files().iter().find(|file| is_it(&file.sha256)).map(|file| file.path.to_string())
}
