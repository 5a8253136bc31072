//! Which release of a log a folder or a file is, by the digests of its files. What the log names is proven before it counts.
//!
//! Few files are hashed: weights first, the smallest first, until the log knows one. Where several releases have it, the
//! files that tell them apart decide.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use stele_explain::{Exit, Explain, Failure, explain};
use stele_log_client::log_view::LogView;
use stele_log_client::release_lookup::ReleaseLookup;
use stele_log_client::statements::StatementList;
use stele_spec::hash::Digest;
use stele_spec::manifest::{FilePath, Manifest, Role};
use stele_spec::name::{Coordinate, Publisher};
use stele_spec::status::State;
use stele_terminal::volume::note;
use stele_verify::folder::digest_cache::DigestCache;
use stele_verify::folder::hash::{Job, hash_unknown};
use stele_verify::folder::walk::{Found, walk_to_verify};

use crate::progress::Progress;

/// The most files of a folder that the log is asked about.
const MAX_ASKED: usize = 8;
/// The most releases that may have one file.
const MAX_CANDIDATES: usize = 32;

/// How many other releases of the same bytes are named.
const NAMED: usize = 3;

/// A release that the log names, and that counts.
#[derive(Debug)]
pub(crate) struct Candidate {
    /// Its entry.
    pub(crate) entry: u64,
    /// Its name.
    pub(crate) coordinate: Coordinate,
    /// Its files, where they were asked for.
    pub(crate) manifest: Option<Manifest>,
    /// What became of it.
    state: State,
}

/// The release that the files of a folder are, and the folder where that release begins.
///
/// Of several publishers who released the very same files the one who is asked for is meant, else the one who did so first: a copy under another name
/// takes nothing away.
pub(crate) fn of_folder(
    log: &LogView<'_>,
    folder: &Path,
    publisher: Option<&Publisher>,
    cache: Option<&DigestCache>,
) -> Result<(Candidate, PathBuf), Failure> {
    let mut files = walk_to_verify(folder, "", &|_| false)?.files;
    files.retain(|file| file.size > 0);
    files.sort_by_key(|file| order(&file.path, file.size));
    let what = folder.display().to_string();
    for file in files.iter().take(MAX_ASKED) {
        let digest = hashed(file, cache)?;
        let found = by(publisher, having(log, digest)?);
        if !found.is_empty() {
            if Role::of_path(&file.path) != Role::Weights && files.iter().any(is_weights) {
                // The configuration and tokenizer of a model are in the folders of all that were made of it: its weights say which one it is.
                let alike = apart(alike(found, &files, cache)?, &files, cache)?;
                let resembles = alike.into_iter().map(|found| found.coordinate).collect();
                return Err(SearchError::OtherWeights { what, shared: file.path.to_string(), resembles }.into());
            }
            let found = apart(found, &files, cache)?;
            let is_same = found.windows(2).all(|two| two.iter().map(digests).collect::<BTreeSet<_>>().len() == 1);
            let candidate = if is_same { first_of(found, what)? } else { one_of(found, what)? };
            let at = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned()).join(file.path.as_str());
            // The folder may be a part of the release. What has another name than recorded says nothing of that.
            let recorded_at = candidate.root_of(&at, digest);
            if let (None, Some(recorded)) = (&recorded_at, candidate.name_of(digest)) {
                note(&format!(
                    "{} has the bytes of {recorded} of {}, under a name of its own: `stele verify FILE` looks at it alone\n",
                    file.path, candidate.coordinate
                ));
            }
            let root = recorded_at.filter(|root| at.starts_with(root) && !root.starts_with(folder));
            return Ok((candidate, root.unwrap_or_else(|| folder.to_owned())));
        }
    }
    Err(SearchError::Unknown { what, asked: files.len().min(MAX_ASKED) }.into())
}

/// The release that has a file, and the folder where its release begins.
pub(crate) fn of_file(
    log: &LogView<'_>,
    path: &Path,
    publisher: Option<&Publisher>,
    cache: Option<&DigestCache>,
) -> Result<(Candidate, PathBuf), Failure> {
    let size = std::fs::metadata(path).map_or(0, |found| found.len());
    let digest = hash(path, size, cache)?;
    let what = format!("{} (SHA-256 {digest})", path.display());
    let found = by(publisher, having(log, digest)?);
    if found.is_empty() {
        return Err(SearchError::Unknown { what, asked: 1 }.into());
    }
    // Which of them is meant, weights say; what is beside weights is in releases of many models.
    let is_weights =
        found.iter().all(|found| found.name_of(digest).is_some_and(|path| Role::of_path(path) == Role::Weights));
    let candidate = if is_weights { first_of(found, what)? } else { one_of(found, what)? };
    let above = path.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let root = candidate.root_of(path, digest);
    Ok((candidate, root.unwrap_or_else(|| above.to_owned())))
}

/// The one release of a list that counts.
pub(crate) fn one(log: &LogView<'_>, listing: StatementList, what: &str) -> Result<Candidate, Failure> {
    let found = counting(log, listing)?;
    if found.is_empty() {
        return Err(SearchError::Unknown { what: what.to_owned(), asked: 1 }.into());
    }
    one_of(found, what.to_owned())
}

impl Candidate {
    /// The path at which a file is recorded.
    fn name_of(&self, digest: Digest) -> Option<&FilePath> {
        let mut recorded = self.manifest.iter().flat_map(Manifest::files);
        recorded.find(|recorded| recorded.sha256 == digest).map(|recorded| &recorded.path)
    }

    /// The folder of the release, by a file in it, if that has a path at which it is recorded.
    fn root_of(&self, file: &Path, digest: Digest) -> Option<PathBuf> {
        let file = std::path::absolute(file).ok()?;
        let recorded = self.manifest.iter().flat_map(Manifest::files).filter(|recorded| recorded.sha256 == digest);
        let paths = recorded.map(|recorded| recorded.path.as_str()).filter(|path| file.ends_with(path));
        // `unet/config.json` before `config.json`.
        let longest = paths.max_by_key(|path| path.len())?;
        file.ancestors().nth(longest.split('/').count()).map(Path::to_owned)
    }
}

/// Weights before the rest: no two models share them. Of weights the smallest, of the rest the largest.
fn order(path: &FilePath, size: u64) -> (bool, u64) {
    match Role::of_path(path) {
        Role::Weights => (false, size),
        _ => (true, u64::MAX - size),
    }
}

fn hashed(file: &Found, cache: Option<&DigestCache>) -> Result<Digest, Failure> {
    hash(&file.open, file.size, cache)
}

fn hash(path: &Path, size: u64, cache: Option<&DigestCache>) -> Result<Digest, Failure> {
    let job = Job { path: path.to_owned(), size };
    let jobs = std::slice::from_ref(&job);
    let hash = |progress: &(dyn Fn(u64) + Sync)| hash_unknown(jobs, &[], &[], cache, progress).pop();
    match Progress::of(size).during(hash) {
        Some(Ok(hashed)) => Ok(hashed.sha256),
        Some(Err(error)) => Err(SearchError::Unhashed { path: path.to_owned(), problem: error.to_string() }.into()),
        None => Err(SearchError::Unhashed { path: path.to_owned(), problem: "it was not hashed".into() }.into()),
    }
}

/// The releases that count and whose manifests list a file.
pub(crate) fn having(log: &LogView<'_>, digest: Digest) -> Result<Vec<Candidate>, Failure> {
    let listing = log.releases(&ReleaseLookup::File(digest), MAX_CANDIDATES)?;
    let mut found = counting(log, listing)?;
    found.retain(|candidate| {
        let has = |manifest: &Manifest| manifest.files().iter().any(|file| file.sha256 == digest);
        candidate.manifest.as_ref().is_some_and(has)
    });
    Ok(found)
}

/// The releases of a list that their publishers' keys signed, with their manifests.
fn counting(log: &LogView<'_>, listing: StatementList) -> Result<Vec<Candidate>, Failure> {
    let mut found: Vec<Candidate> = Vec::new();
    for logged in listing.statements {
        let Some(release) = logged.signed().statement().release() else { continue };
        let (entry, coordinate) = (logged.position(), release.coordinate());
        let release_status = log.release_status(&coordinate)?;
        if release_status.rejection(entry).is_some() || found.iter().any(|known| known.entry == entry) {
            continue;
        }
        let manifest = match log.manifest(release.manifest) {
            Ok(manifest) => manifest,
            // Missing, or damaged in the log's hands: of this release nothing can be said, of others it can.
            Err(failure) if failure.as_explain().exit() == Exit::Unavailable => None,
            Err(failure) => return Err(failure),
        };
        found.push(Candidate { entry, coordinate, manifest, state: release_status.history.state() });
    }
    Ok(found)
}

fn is_weights(file: &Found) -> bool {
    Role::of_path(&file.path) == Role::Weights
}

/// Of releases that have none of a folder's weights those of which most of the other files are here all the same: their weights were changed,
/// however many shards they are in. A tokenizer alone is in the releases of many models, and a licence or a model card says nothing of weights.
fn alike(
    mut candidates: Vec<Candidate>,
    files: &[Found],
    cache: Option<&DigestCache>,
) -> Result<Vec<Candidate>, Failure> {
    let mut here: BTreeMap<&FilePath, Digest> = BTreeMap::new();
    let recorded = |file: &Found, candidate: &Candidate| {
        let mut recorded = candidate.manifest.iter().flat_map(Manifest::files);
        recorded.any(|recorded| recorded.path == file.path && recorded.size == file.size)
    };
    for file in files.iter().filter(|file| candidates.iter().any(|candidate| recorded(file, candidate))) {
        here.insert(&file.path, hashed(file, cache)?);
    }
    candidates.retain(|candidate| {
        let files = || candidate.manifest.iter().flat_map(Manifest::files);
        let recorded = || files().filter(|file| file.size > 0 && shapes_a_model(&file.path));
        let matching = recorded().filter(|file| here.get(&file.path) == Some(&file.sha256)).count();
        2 * matching > recorded().count()
    });
    Ok(candidates)
}

/// Whether a file beside the weights says which model they are of, as a configuration, a tokenizer or code does.
fn shapes_a_model(path: &FilePath) -> bool {
    let role = Role::of_path(path);
    role.is_loaded() && role != Role::Weights
}

/// Of several releases those to which most of the files that tell them apart belong, and of which the fewest are missing.
fn apart(candidates: Vec<Candidate>, files: &[Found], cache: Option<&DigestCache>) -> Result<Vec<Candidate>, Failure> {
    if candidates.len() < 2 {
        return Ok(candidates);
    }
    let sets: Vec<BTreeMap<Digest, u64>> = candidates.iter().map(digests).collect();
    let is_in_all = |digest: &Digest| sets.iter().all(|set| set.contains_key(digest));
    let telling: BTreeMap<Digest, u64> =
        sets.iter().flatten().filter(|(digest, _)| !is_in_all(digest)).map(|(digest, size)| (*digest, *size)).collect();
    let sizes: BTreeSet<u64> = telling.values().copied().collect();
    let mut here: BTreeSet<Digest> = BTreeSet::new();
    for file in files.iter().filter(|file| sizes.contains(&file.size)) {
        here.insert(hashed(file, cache)?);
    }
    let score = |set: &BTreeMap<Digest, u64>| {
        let matching = set.keys().filter(|digest| telling.contains_key(digest) && here.contains(digest)).count();
        let missing = set.keys().filter(|digest| telling.contains_key(digest) && !here.contains(digest)).count();
        (matching, std::cmp::Reverse(missing))
    };
    let scores: Vec<_> = sets.iter().map(score).collect();
    let best = scores.iter().max().copied();
    Ok(candidates.into_iter().zip(scores).filter(|(_, score)| Some(*score) == best).map(|(found, _)| found).collect())
}

fn digests(candidate: &Candidate) -> BTreeMap<Digest, u64> {
    let files = candidate.manifest.iter().flat_map(Manifest::files);
    files.filter(|file| file.size > 0).map(|file| (file.sha256, file.size)).collect()
}

/// Those of one publisher, where it has any.
fn by(publisher: Option<&Publisher>, mut found: Vec<Candidate>) -> Vec<Candidate> {
    if let Some(publisher) = publisher
        && found.iter().any(|candidate| candidate.coordinate.publisher == *publisher)
    {
        found.retain(|candidate| candidate.coordinate.publisher == *publisher);
    }
    found
}

/// Of releases with the same bytes the newest of whoever released them first; whose else they are is said.
fn first_of(mut found: Vec<Candidate>, what: String) -> Result<Candidate, Failure> {
    let first = found.iter().min_by_key(|found| found.entry).map(|found| found.coordinate.publisher.clone());
    let of_first = |found: &Candidate| Some(&found.coordinate.publisher) == first.as_ref();
    let newest = found.iter().enumerate().filter(|(_, found)| of_first(found)).max_by_key(|(_, found)| found.entry);
    let Some(at) = newest.map(|(at, _)| at) else { return one_of(found, what) };
    let meant = found.remove(at);
    for other in found.iter().take(NAMED) {
        let (coordinate, entry, state) = (&other.coordinate, other.entry, other.state);
        note(&format!(
            "these bytes are also {coordinate}, entry {entry}, {state}: --publisher NAME says whose are meant\n"
        ));
    }
    Ok(meant)
}

fn one_of(mut found: Vec<Candidate>, what: String) -> Result<Candidate, Failure> {
    match (found.pop(), found.is_empty()) {
        (Some(only), true) => Ok(only),
        (last, _) => {
            let found = found.into_iter().chain(last).map(|found| (found.entry, found.coordinate)).collect();
            Err(SearchError::Several { what, found }.into())
        }
    }
}

/// Why it is not known which release is meant.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SearchError {
    /// The log names none.
    #[error("no release that the log names has {what}")]
    Unknown {
        /// What was looked for.
        what: String,
        /// How many files the log was asked about.
        asked: usize,
    },
    /// Some file is in a release, and none of the weights are.
    #[error("no release that the log names has the weights of {what}")]
    OtherWeights {
        /// What was looked for.
        what: String,
        /// A file that is in one or several.
        shared: String,
        /// Those of which most other files are here.
        resembles: Vec<Coordinate>,
    },
    /// The log names several, and the files do not tell them apart.
    #[error("several releases have {what}")]
    Several {
        /// What was looked for.
        what: String,
        /// The releases.
        found: Vec<(u64, Coordinate)>,
    },
    /// A file without a digest.
    #[error("{} cannot be hashed: {problem}", .path.display())]
    Unhashed {
        /// The file.
        path: PathBuf,
        /// Why.
        problem: String,
    },
}

impl Explain for SearchError {
    explain! {
        Self::Unknown { asked, .. } => Exit::NotInLog, "not-recorded",
            hint: "name the release: stele fetch publisher/model@version#variant; a log's lookup of files is not proven complete, and \
                   files that were changed are in no release",
            "asked": format!("about {asked} {}", if *asked == 1 { "file" } else { "files" });
        Self::OtherWeights { shared, resembles, .. } => Exit::NotInLog, "not-recorded",
            hint: match resembles.first() {
                None => "name the release, if there is one: stele fetch publisher/model@version#variant".to_owned(),
                Some(coordinate) => format!(
                    "were this {coordinate}, its weights would not be the released ones: `stele fetch {coordinate} --output FILE`, then `stele verify --bundle \
                     FILE`, says which files differ. A model that was made of it has files of it too"
                ),
            },
            facts: resembling(shared, resembles);
        Self::Several { found, .. } => Exit::BadInput, "which-release",
            hint: "take the evidence of the one that is meant: stele fetch COORDINATE --output FILE, then --bundle FILE",
            facts: found.iter().map(|(entry, coordinate)| ("release", format!("{coordinate} (entry {entry})"))).collect();
        Self::Unhashed { .. } => Exit::Io, "file-unreadable", hint: "check the owner and mode of the path";
    }
}

/// What a folder of other weights has of releases.
fn resembling(shared: &str, resembles: &[Coordinate]) -> Vec<(&'static str, String)> {
    let resembles = resembles.iter().map(|coordinate| ("resembles", coordinate.to_string()));
    std::iter::once(("shared", format!("{shared} is in releases of other weights"))).chain(resembles).collect()
}

/// A coordinate that the log has no release of.
#[derive(Debug, thiserror::Error)]
#[error("the log names no release of {coordinate}")]
pub(crate) struct NotReleased {
    /// Which.
    coordinate: Coordinate,
    /// How many statements about it do not count.
    rejected: usize,
}

impl NotReleased {
    /// Of a coordinate about which so many statements do not count.
    pub(crate) fn of(coordinate: &Coordinate, rejected: usize) -> Self {
        Self { coordinate: coordinate.clone(), rejected }
    }
}

impl Explain for NotReleased {
    explain! {
        Self { rejected: 0, .. } => Exit::NotInLog, "not-released",
            hint: "`stele history PUBLISHER` lists what there is under a name";
        Self { rejected, coordinate } => Exit::NotInLog, "not-released",
            hint: "`stele history PUBLISHER` lists what there is under a name",
            "does not count": format!("{rejected} statements; `stele history {coordinate}` lists them");
    }
}
