//! A host's word against a manifest. Pure: no request, no clock.

use std::collections::{BTreeMap, BTreeSet};

use stele_spec::finding::Code;
use stele_spec::hash::Digest;
use stele_spec::manifest::{FilePath, Manifest, ManifestFile, Role, dir_hash1};
use stele_spec::statement::HostDigest;

use crate::loadable::{self, Loadable};
use crate::view::{HostFile, HostListing, Part, Scope};

/// What a comparison came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HostMatch {
    /// Everything that the host can have is there and the same.
    Match,
    /// A file has other bytes.
    Differs,
    /// Some files are missing, and all that is there is as recorded.
    Lacks,
    /// Nothing of the release is there.
    Absent,
}

/// A host compared with a manifest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// What it came to.
    pub verdict: HostMatch,
    /// What is not as recorded, by path.
    pub differing: Vec<FileDifference>,
    /// How many files are the same.
    pub matching: usize,
    /// How many were compared.
    pub of: usize,
    /// What the host has beyond the record. No difference: a repository may hold several releases.
    pub extra: Vec<String>,
    /// Those of them that a loader would take or run.
    pub loadable: Vec<Loadable>,
    /// Layers of kinds that are not known, of which nothing can be said: digest and media type.
    pub not_compared: Vec<String>,
    /// The weights digest of what the host serves, where it says enough.
    pub weights: Option<Digest>,
}

/// A file that is not as recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileDifference {
    /// Its path; of a layer without one, its digest.
    pub path: String,
    /// What it is for.
    pub role: Role,
    /// What the record says; none for weights that are not in it.
    pub expected: Option<HostDigest>,
    /// What the host says; none where it does not have it.
    pub found: Option<HostDigest>,
}

/// Weights are missing, and there are layers that may hold them in another form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Incomparable {
    /// The layers of which nothing can be said.
    pub(crate) layers: Vec<String>,
}

/// Compares what a host says with what was released.
pub(crate) fn compare(view: &HostListing, manifest: &Manifest) -> Result<Comparison, Incomparable> {
    match view.scope {
        Scope::Files => Ok(by_path(view, manifest)),
        Scope::Weights => by_digest(view, manifest),
    }
}

impl Comparison {
    /// The comparison with nothing.
    pub(crate) fn absent(manifest: &Manifest) -> Self {
        Self {
            verdict: HostMatch::Absent,
            differing: Vec::new(),
            matching: 0,
            of: manifest.files().len(),
            extra: Vec::new(),
            loadable: Vec::new(),
            not_compared: Vec::new(),
            weights: None,
        }
    }

    /// Whether any of the weights are other ones: of the files that the record calls weights, or in the place of one that is missing.
    pub fn weights_differ(&self) -> bool {
        self.differing.iter().any(|file| file.role == Role::Weights && file.found.is_some())
    }

    /// The recorded files that the host does not have.
    pub fn missing(&self) -> impl Iterator<Item = &FileDifference> {
        self.differing.iter().filter(|file| file.found.is_none())
    }

    /// The files that the host has with other bytes.
    pub fn others(&self) -> impl Iterator<Item = &FileDifference> {
        self.differing.iter().filter(|file| file.found.is_some())
    }

    /// Whether nothing has other bytes but documents: what an audit reports as `host-documents-differ`, a warning.
    ///
    /// A file is a document if the record and its name say so.
    pub fn only_documents_differ(&self) -> bool {
        let is_document = |file: &FileDifference| {
            let path = file.path.parse::<FilePath>();
            path.is_ok_and(|path| file.role.is_document(&path) && Role::of_path(&path).is_document(&path))
        };
        self.verdict == HostMatch::Differs && self.others().all(is_document)
    }

    /// What an audit makes of it: the code of the chapter *finding* that a signed observation of it leads to.
    pub fn finding(&self) -> Option<Code> {
        match self.verdict {
            HostMatch::Match | HostMatch::Lacks | HostMatch::Absent => None,
            HostMatch::Differs if self.only_documents_differ() => Some(Code::HostDocumentsDiffer),
            HostMatch::Differs => Some(Code::HostDiffers),
        }
    }

    fn of(
        differing: Vec<FileDifference>,
        matching: usize,
        of: usize,
        extra: Vec<String>,
        weights: Option<Digest>,
    ) -> Self {
        let nothing = differing.iter().all(|file| file.found.is_none());
        let verdict = match (differing.is_empty(), matching) {
            (true, _) => HostMatch::Match,
            (false, 0) if nothing => HostMatch::Absent,
            (false, _) if nothing => HostMatch::Lacks,
            _ => HostMatch::Differs,
        };
        let (loadable, not_compared) = (Vec::new(), Vec::new());
        Self { verdict, differing, matching, of, extra, loadable, not_compared, weights }
    }
}

fn by_path(view: &HostListing, manifest: &Manifest) -> Comparison {
    let there: BTreeMap<&str, &HostFile> =
        view.files.iter().filter_map(|file| Some((file.path.as_deref()?, file))).collect();
    let mut differing = Vec::new();
    let mut matching = 0;
    let mut weights: Option<Vec<(Digest, &FilePath)>> = Some(Vec::new());
    for file in manifest.files() {
        let found = there.get(file.path.as_str());
        let same = found.is_some_and(|found| is_same(file, found));
        if same {
            matching += 1;
        } else {
            let found = found.map(|found| found.digest);
            let expected = match found {
                Some(HostDigest::GitSha1(_)) => HostDigest::GitSha1(file.git_sha1),
                _ => HostDigest::Sha256(file.sha256),
            };
            let (path, role) = (file.path.to_string(), file.role);
            differing.push(FileDifference { path, role, expected: Some(expected), found });
        }
        if file.role == Role::Weights {
            // What is served is known where the host says a SHA-256, or the very blob of the record.
            let sha256 = match found.map(|found| found.digest) {
                Some(HostDigest::Sha256(sha256)) => Some(sha256),
                Some(HostDigest::GitSha1(_)) if same => Some(file.sha256),
                _ => None,
            };
            match sha256 {
                Some(sha256) => weights.iter_mut().for_each(|all| all.push((sha256, &file.path))),
                None => weights = None,
            }
        }
    }
    let known: BTreeSet<&str> = manifest.files().iter().map(|file| file.path.as_str()).collect();
    let extra: Vec<String> =
        there.keys().filter(|path| !known.contains(*path)).map(|path| (*path).to_owned()).collect();
    let loadable = loadable::among(&extra, manifest);
    // Weights that a loader would take in the place of recorded ones that are gone: what is served are other weights.
    if differing.iter().any(|file| file.role == Role::Weights && file.found.is_none()) {
        let in_place = loadable.iter().filter(|file| file.role == Role::Weights && file.severity == "error");
        differing.extend(in_place.map(|file| FileDifference {
            path: file.path.clone(),
            role: file.role,
            expected: None,
            found: there.get(file.path.as_str()).map(|found| found.digest),
        }));
    }
    let comparison = Comparison::of(differing, matching, manifest.files().len(), extra, weights.map(dir_hash1));
    Comparison { loadable, ..comparison }
}

fn is_same(file: &ManifestFile, found: &HostFile) -> bool {
    file.size == found.size
        && match found.digest {
            HostDigest::Sha256(sha256) => sha256 == file.sha256,
            HostDigest::GitSha1(git) => git == file.git_sha1,
        }
}

/// Layers have no paths that count: weights are there if their digest is.
///
/// A layer of a known kind that is no weights never differs: a licence, a template, parameters. Of a layer of an unknown kind
/// nothing is said, unless weights are missing: then it may be what they were packed into. A layer that names its file is that file
/// to whoever pulls it: one that a loader would take is told, as in a repository.
fn by_digest(view: &HostListing, manifest: &Manifest) -> Result<Comparison, Incomparable> {
    let there: BTreeSet<HostDigest> = view.files.iter().map(|file| file.digest).collect();
    let recorded: BTreeSet<HostDigest> = manifest.files().iter().map(|file| HostDigest::Sha256(file.sha256)).collect();
    let (same, missing): (Vec<_>, Vec<_>) =
        manifest.weights().partition(|file| there.contains(&HostDigest::Sha256(file.sha256)));
    let unrecorded = || view.files.iter().filter(|file| !recorded.contains(&file.digest));
    // What the record says of a path counts: the table of names, which grows, is for what the record does not name.
    let part_of = |file: &HostFile| {
        let path = file.path.as_deref().and_then(|path| path.parse::<FilePath>().ok());
        let named = path.and_then(|path| manifest.file(&path)).map(|named| named.role);
        named.map_or(file.part, |role| if role == Role::Weights { Part::Weights } else { Part::Other })
    };
    let of_part = |part| unrecorded().filter(move |file| part_of(file) == part);
    let name = |file: &HostFile| file.path.clone().unwrap_or_else(|| file.digest.to_string());
    let not_compared: Vec<String> =
        of_part(Part::Unknown).map(|file| format!("{} ({})", name(file), file.media_type)).collect();
    if !missing.is_empty() && !not_compared.is_empty() && of_part(Part::Weights).next().is_none() {
        return Err(Incomparable { layers: not_compared });
    }
    // Missing weights and unknown ones are told side by side: of equally many they are likely each other's.
    let mut differing = Vec::new();
    let mut unknown = of_part(Part::Weights);
    for file in &missing {
        let found = unknown.next().map(|found| found.digest);
        let expected = Some(HostDigest::Sha256(file.sha256));
        differing.push(FileDifference { path: file.path.to_string(), role: file.role, expected, found });
    }
    // What is recorded is there: other weights beside it change nothing of it, and a loader may take them.
    let beside: Vec<&HostFile> = unknown.collect();
    let mut loadable: Vec<Loadable> = beside.iter().map(|file| loadable::weights(name(file))).collect();
    let named = unrecorded().filter(|file| part_of(file) != Part::Weights).filter_map(|file| file.path.clone());
    loadable.extend(loadable::among(&named.collect::<Vec<_>>(), manifest));
    let weights = missing.is_empty().then(|| manifest.weights_digest());
    let extra = of_part(Part::Other).chain(beside).map(name).collect();
    let comparison = Comparison::of(differing, same.len(), same.len() + missing.len(), extra, weights);
    Ok(Comparison { loadable, not_compared, ..comparison })
}

impl HostMatch {
    /// The word in events and observations.
    pub fn word(self) -> &'static str {
        match self {
            Self::Match => "match",
            Self::Differs => "differs",
            Self::Lacks => "lacks",
            Self::Absent => "absent",
        }
    }
}
