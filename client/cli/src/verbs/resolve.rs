//! `stele resolve`: which release is this file, this digest, this package URL?
//!
//! A log finds candidates; each is proven before it is named: the release is in the log, and its manifest, whose digest the
//! release holds, lists the file.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use stele_clock::{Clock as _, SystemClock};
use stele_explain::{Exit, Explain, Failure, explain};
use stele_log_client::age::{self, CheckpointAge};
use stele_log_client::log_view::LogView;
use stele_log_client::release_lookup::ReleaseLookup;
use stele_log_client::release_status::ReleaseStatus;
use stele_log_client::statements::{Lack, ProvenStatement, StatementList, StatementSource as _};
use stele_publish::error;
use stele_spec::bundle::MAX_BUNDLE;
use stele_spec::hash::Digest;
use stele_spec::manifest::{FilePath, GitBlobId, Manifest, ManifestFile, dir_hash1};
use stele_spec::name::Coordinate;
use stele_spec::statement::{Purl, Release};
use stele_verify::folder::BUNDLE;
use stele_verify::folder::hash::{Job, Want, hash_all};
use stele_verify::folder::locate::folders_above;

use crate::Output;
use crate::absence::{Absence, Asked};
use crate::args::ResolveArgs;
use crate::known_here::kept;
use crate::log_args::LogContext;
use crate::package_name::means;
use crate::policy_file;
use crate::progress::Progress;
use crate::release_search::NotReleased;
use crate::render::lifecycle;
use crate::render::page::{Page, printable};
use crate::subject::{NamedRelease, Subject, is_statement};

/// The most releases that are looked into.
const MAX_RELEASES: usize = 32;

pub(crate) fn run(args: ResolveArgs) -> Result<Output, Failure> {
    let asked_for = Wanted::parse(&args.what)?;
    let here = if args.no_bundle { None } else { here(&asked_for, &args)? };
    if let Some((found, as_of)) = here {
        let text = text(&asked_for, std::slice::from_ref(&found), &as_of.text);
        return Ok((text, document(&asked_for, &[found], "bundle", as_of.json)).into());
    }
    let asked = LogContext::of(&args.asking, asked_for.named.as_ref().and_then(Subject::origin).as_ref())?;
    let log = asked.log()?;
    let Answer { found, unread, cut, weights } = in_log(&asked_for, &log)?;
    if found.is_empty() {
        let what = asked_for.name();
        if unread.is_empty()
            && !cut
            && let Some(absence) = Absence::proven(&log, &what, Asked::FileOrDigest, asked_for.weights())?
        {
            return Err(absence.into());
        }
        return Err(match (unread.is_empty(), cut) {
            (true, false) => NotRecorded { what, weights, is_package: !asked_for.purls.is_empty() }.into(),
            (true, true) => MoreThanAreRead { what }.into(),
            (false, _) => ManifestsMissing { what, unread }.into(),
        });
    }
    let now = SystemClock.unix_seconds();
    let head = age::asked_now(log.head(), now, log.url());
    let end = log.end();
    let ended = end.map(|end| format!("; {}", end.text())).unwrap_or_default();
    let as_of = format!("{head}; that no other release has it is {}{ended}", Lack::Unindexed.text());
    let mut json = document(&asked_for, &found, "log", age::head_json(log.head(), now));
    if let Some(fields) = json.as_object_mut() {
        fields.insert("log_end".into(), end.map(|end| end.json()).into());
    }
    Ok((text(&asked_for, &found, &as_of), json).into())
}

/// The tree head that an answer rests on.
struct AsOf {
    text: String,
    json: Value,
}

/// What is looked for.
#[derive(Debug, Default)]
struct Wanted {
    /// As it was given.
    given: String,
    /// The file, if it is one here.
    file: Option<PathBuf>,
    sha256: Option<Digest>,
    git_sha1: Option<GitBlobId>,
    /// A package URL as it was given, and as it may be recorded.
    purls: Vec<Purl>,
    /// A release that is named, and not looked for by what it has.
    named: Option<Subject>,
    /// The digest in a blob's name, where the bytes have another.
    misnamed: Option<Digest>,
}

impl Wanted {
    /// What a text means: what is on this disk comes first.
    fn parse(text: &str) -> Result<Self, Failure> {
        let wanted = Self { given: text.to_owned(), ..Self::default() };
        let path = Path::new(text);
        if path.is_file() && !is_statement(path) {
            return wanted.of_file(path);
        }
        Ok(match Subject::parse(text)? {
            Subject::Digest(digest) => Self { sha256: Some(digest), ..wanted },
            Subject::GitBlob(id) => Self { git_sha1: Some(id), ..wanted },
            Subject::Package(purls) => Self { purls, ..wanted },
            named => Self { named: Some(named), ..wanted },
        })
    }

    /// The bundle that a folder or a bundle here is known by.
    fn bundle(&self) -> Option<&Path> {
        match &self.named {
            Some(Subject::File(bundle)) if bundle.extension().is_some_and(|extension| extension == "stele") => {
                Some(bundle)
            }
            _ => None,
        }
    }

    fn of_file(self, path: &Path) -> Result<Self, Failure> {
        let size = std::fs::metadata(path).map_or(0, |found| found.len());
        let job = Job { path: path.to_owned(), size };
        let results = Progress::of(size).during(|progress| hash_all(std::slice::from_ref(&job), Want::All, progress));
        let hashed = match results.into_iter().next() {
            Some(Ok(hashed)) => hashed,
            Some(Err(error)) => return Err(Unhashed { path: path.to_owned(), problem: error.to_string() }.into()),
            None => return Err(Unhashed { path: path.to_owned(), problem: "it was not hashed".into() }.into()),
        };
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let named = name.strip_prefix("sha256-").and_then(|hex| Digest::from_hex(hex).ok());
        Ok(Self {
            file: Some(path.to_owned()),
            sha256: Some(hashed.sha256),
            git_sha1: hashed.git_sha1,
            misnamed: named.filter(|named| *named != hashed.sha256),
            ..self
        })
    }

    fn name(&self) -> String {
        match (&self.file, self.sha256) {
            (Some(file), Some(digest)) => format!("{} (SHA-256 {digest})", file.display()),
            _ => self.given.clone(),
        }
    }

    /// The digests of weights that it would be: as it was given, and of a release that has this file alone as its weights.
    fn weights(&self) -> Vec<(&'static str, Digest)> {
        let Some(digest) = self.sha256 else { return Vec::new() };
        let name = self.file.as_ref().and_then(|file| file.file_name()?.to_str()?.parse::<FilePath>().ok());
        let alone = name.map(|name| ("all weights under its name", dir_hash1([(digest, &name)])));
        [("sha256", digest)].into_iter().chain(alone).collect()
    }

    /// What a release with this manifest has of it.
    fn part_of(&self, release: &Release, manifest: Option<&Manifest>) -> Option<Part> {
        if self.named.is_some() {
            return Some(Part::Release);
        }
        if release.packages().iter().any(|package| means(&self.purls, package)) {
            return Some(Part::Release);
        }
        if self.sha256.is_some_and(|digest| digest == release.weights.digest) {
            return Some(Part::Weights);
        }
        if self.sha256.is_some_and(|digest| digest == release.tree.digest) {
            return Some(Part::Tree);
        }
        let same = |file: &&ManifestFile| match self.sha256 {
            // A file here has both: the one that decides is compared.
            Some(digest) => file.sha256 == digest,
            None => self.git_sha1 == Some(file.git_sha1),
        };
        manifest?.files().iter().find(same).cloned().map(Part::File)
    }
}

/// What of a release it is.
#[derive(Debug)]
enum Part {
    /// One of its files.
    File(ManifestFile),
    /// All of its weights.
    Weights,
    /// All of its files.
    Tree,
    /// The release itself.
    Release,
}

/// A release that has it.
#[derive(Debug)]
struct Found {
    release: Box<Release>,
    entry: u64,
    part: Part,
    release_status: Option<ReleaseStatus>,
}

/// By the bundles that lie above the file, or that are named: no server is asked.
fn here(wanted: &Wanted, args: &ResolveArgs) -> Result<Option<(Found, AsOf)>, Failure> {
    let above = wanted.file.iter().flat_map(|file| folders_above(file)).map(|folder| folder.join(BUNDLE));
    let mut bundles: Vec<PathBuf> = args.bundle.iter().cloned().chain(above.filter(|bundle| bundle.exists())).collect();
    if wanted.named.is_some() {
        // Which release that is, its own bundle says and no other.
        bundles = wanted.bundle().map(Path::to_owned).into_iter().collect();
    }
    if bundles.is_empty() {
        return Ok(None);
    }
    let policy = policy_file::load(args.asking.trust.policy.as_deref())?.policy;
    for path in bundles {
        let bytes = error::read(&path, MAX_BUNDLE as u64, "a release.stele")?;
        let evidence = match stele_verify::verify(&bytes, &policy) {
            Ok(evidence) => evidence,
            // One that was named must hold; one that happens to lie there may be another log's.
            Err(error) if args.bundle.contains(&path) || wanted.named.is_some() => return Err(error.into()),
            Err(_) => continue,
        };
        let release = evidence.release();
        if let Some(part) = wanted.part_of(release, Some(evidence.manifest())) {
            let now = SystemClock.unix_seconds();
            let age = CheckpointAge::of(evidence.checkpoint(), now).text();
            let as_of = format!("{age}, by {}", path.display());
            let entry = evidence.statement().position();
            let release_status = kept(&evidence, &policy, args.asking.no_state)?;
            let text = match &release_status {
                Some(release_status) => {
                    let last = release_status.head.size().saturating_sub(1);
                    format!("{as_of}; what was said after entry {last} is not known here, since no log was asked")
                }
                None => format!("{as_of}; what was said later is not known here, since no log was asked"),
            };
            let as_of = AsOf { text, json: age::head_json(evidence.checkpoint(), now) };
            return Ok(Some((Found { release: Box::new(release.clone()), entry, part, release_status }, as_of)));
        }
    }
    Ok(None)
}

/// What the log has.
struct Answer {
    found: Vec<Found>,
    /// Releases that the log names and whose manifests it does not have.
    unread: Vec<(u64, Coordinate)>,
    /// Whether the log names more than are read.
    cut: bool,
    /// Of a digest: what is missing for a proof that these releases are all of which it is the weights.
    weights: Option<Result<(), Lack>>,
}

/// By the log's lookups, each answer proven; by its index, where a digest is that of weights.
fn in_log(wanted: &Wanted, log: &LogView<'_>) -> Result<Answer, Failure> {
    if let Some(named) = &wanted.named {
        let found = vec![named_in(named, log)?];
        return Ok(Answer { found, unread: Vec::new(), cut: false, weights: None });
    }
    let mut answers: Vec<StatementList> = Vec::new();
    let mut weights = None;
    if let Some(digest) = wanted.sha256 {
        answers.push(log.releases(&ReleaseLookup::File(digest), MAX_RELEASES)?);
        // The index has the digest over all weights of a release, which is no file's own.
        if wanted.file.is_none() {
            let listing = log.releases_of_weights(digest, MAX_RELEASES)?;
            weights = Some(listing.lack.map_or(Ok(()), Err));
            answers.push(listing);
        }
    } else if let Some(id) = wanted.git_sha1 {
        answers.push(log.releases(&ReleaseLookup::GitBlob(id), MAX_RELEASES)?);
    }
    let mut of_purl = BTreeSet::new();
    for purl in &wanted.purls {
        let listing = log.releases_of_purl(purl, MAX_RELEASES, |known| means(&wanted.purls, known))?;
        of_purl.extend(listing.statements.iter().map(ProvenStatement::position));
        answers.push(listing);
    }
    let cut = answers.iter().any(|listing| listing.cut);
    let (mut found, mut unread): (Vec<Found>, Vec<(u64, Coordinate)>) = (Vec::new(), Vec::new());
    for listing in answers {
        for logged in listing.statements {
            let Some(release) = logged.signed().statement().release() else { continue };
            if found.len() == MAX_RELEASES || found.iter().any(|known| known.entry == logged.position()) {
                continue;
            }
            // A package URL may be that of a later statement.
            let named = of_purl.contains(&logged.position()).then_some(Part::Release);
            let manifest = match named.as_ref().or(wanted.part_of(release, None).as_ref()) {
                Some(_) => None,
                None => match log.manifest(release.manifest) {
                    Ok(Some(manifest)) => Some(manifest),
                    // Missing, or damaged in the log's hands: of this release nothing can be said, of others it can.
                    Err(failure) if failure.as_explain().exit() != Exit::Unavailable => return Err(failure),
                    Ok(None) | Err(_) => {
                        unread.push((logged.position(), release.coordinate()));
                        continue;
                    }
                },
            };
            let Some(part) = named.or_else(|| wanted.part_of(release, manifest.as_ref())) else { continue };
            let release_status = log.release_status(&release.coordinate())?;
            // Who spoke under the name without holding it is not its release.
            if release_status.rejection(logged.position()).is_none() {
                let (release, entry) = (Box::new(release.clone()), logged.position());
                found.push(Found { release, entry, part, release_status: Some(release_status) });
            }
        }
    }
    found.sort_by_key(|found| found.entry);
    Ok(Answer { found, unread, cut, weights })
}

/// The release of a name, as the log has it.
fn named_in(subject: &Subject, log: &LogView<'_>) -> Result<Found, Failure> {
    let NamedRelease { entry, coordinate } = subject.find(log)?;
    let release_status = log.release_status(&coordinate)?;
    let unreleased = || NotReleased::of(&coordinate, release_status.rejected.len());
    let entry = match (entry, release_status.history.release()) {
        (Some(entry), _) => entry,
        (None, Some((entry, _))) => entry,
        (None, None) => return Err(unreleased().into()),
    };
    let release = log.logged(entry)?.signed().statement().release().cloned().ok_or_else(unreleased)?;
    Ok(Found { release: Box::new(release), entry, part: Part::Release, release_status: Some(release_status) })
}

fn text(wanted: &Wanted, found: &[Found], as_of: &str) -> String {
    let mut page = Page::titled(&printable(&wanted.name()));
    if let Some(named) = wanted.misnamed {
        page.row("ITS NAME LIES", &format!("the file is called sha256-{named}, and its bytes have another digest"));
    }
    for found in found {
        let critical = found.release_status.as_ref().and_then(|known| lifecycle::critical(&known.history));
        let critical = critical.map(|critical| format!(": {critical}")).unwrap_or_default();
        page.section(&format!("{}{critical}", found.release.coordinate()));
        page.row(
            "is",
            &match &found.part {
                Part::File(file) => format!("{} ({}, {} bytes)", file.path, file.role, file.size),
                Part::Weights => "all of its weights".to_owned(),
                Part::Tree => "all of its files".to_owned(),
                Part::Release if wanted.named.is_none() => "this release, by its package URL or a host".to_owned(),
                Part::Release => "this release".to_owned(),
            },
        );
        page.row("entry", &found.entry);
        page.row("artifact", &found.release.model.artifact);
        page.row("licence", &licence(found));
        match &found.release_status {
            Some(release_status) => lifecycle::rows(&mut page, release_status),
            None => page.row("state", &"not asked for: --no-bundle asks the log"),
        }
    }
    if found.len() > 1 {
        page.section("in several releases");
        page.row("", &"these bytes alone do not say which of them is meant");
    }
    page.section("as of");
    page.row("", &as_of);
    page.0
}

/// The licence as it stands, and as it was released where that is another.
fn licence(found: &Found) -> String {
    let current = found.release_status.as_ref().and_then(|release_status| lifecycle::licence(&release_status.history));
    current.unwrap_or_else(|| found.release.license.spdx.to_string())
}

fn document(wanted: &Wanted, found: &[Found], source: &str, as_of: Value) -> Value {
    let found = found.iter().map(|found| {
        let (part, file) = match &found.part {
            Part::File(file) => ("file", Some(file)),
            Part::Weights => ("weights", None),
            Part::Tree => ("tree", None),
            Part::Release => ("release", None),
        };
        json!({
            "coordinate": found.release.coordinate().to_string(),
            "entry": found.entry,
            "part": part,
            "file": file,
            "weights_digest": found.release.weights.digest,
            "license": found.release_status.as_ref().and_then(|release_status| release_status.history.current())
                .map_or(&found.release.license.spdx, |current| &current.license.spdx).to_string(),
            "license_released": found.release.license.spdx.to_string(),
            "lifecycle": found.release_status.as_ref().map(lifecycle::json),
        })
    });
    json!({
        "given": wanted.given,
        "sha256": wanted.sha256,
        "git_sha1": wanted.git_sha1,
        "purl": wanted.purls.first(),
        "misnamed": wanted.misnamed,
        "source": source,
        "found": found.collect::<Vec<_>>(),
        "as_of": as_of,
    })
}

/// A file without a digest.
#[derive(Debug, thiserror::Error)]
#[error("{} cannot be hashed: {problem}", .path.display())]
pub(crate) struct Unhashed {
    path: PathBuf,
    problem: String,
}

impl Explain for Unhashed {
    explain! {
        Self { .. } => Exit::Io, "file-unreadable";
    }
}

/// Something that no release has, as far as the log names them.
#[derive(Debug, thiserror::Error)]
#[error("no release that the log names has {what}")]
pub(crate) struct NotRecorded {
    what: String,
    /// Of a digest that is not a file's here: whether the log proved that it is no release's digest over its weights, or why not.
    weights: Option<Result<(), Lack>>,
    /// Whether it is a package URL, or an address that stands for one.
    is_package: bool,
}

impl Explain for NotRecorded {
    explain! {
        Self { is_package: true, .. } => Exit::NotInLog, "not-recorded",
            hint: "the log looks up the package URL of a release (purl in [model]) and its hosts of type huggingface, each as it was \
                   recorded: a release elsewhere is found by one of its files, `stele resolve FILE`, or by its publisher, `stele history NAME`";
        Self { weights: Some(Ok(())), .. } => Exit::NotInLog, "not-recorded",
            hint: "it is no release's digest over all of its weights: that is proven. If it is the SHA-256 of one file, that \
                   says nothing: a release with the file may be left out by the log's lookup (not proven complete)";
        Self { weights, .. } => Exit::NotInLog, "not-recorded",
            hint: "it may be in a release that the log's lookup leaves out (not proven complete), or it was changed since",
            facts: weights.iter().filter_map(|weights| Some(("weights", weights.err()?.text().to_owned()))).collect();
    }
}

/// More releases that may have it than are read, and none of those that were read has it.
#[derive(Debug, thiserror::Error)]
#[error(
    "whether {what} is in a release is not known: the log names more than {MAX_RELEASES}, and none of the first has it"
)]
pub(crate) struct MoreThanAreRead {
    what: String,
}

impl Explain for MoreThanAreRead {
    explain! {
        Self { .. } => Exit::Unavailable, "too-many-candidates",
            hint: "a log that has just got manifests back names every release of which it does not know the files: ask again in a \
                   minute, or at a mirror; a release.stele of the release has the answer as well (--bundle)";
    }
}

/// Releases that may have it, and whose manifests the log lost.
#[derive(Debug, thiserror::Error)]
#[error("whether {what} is in a release is not known: manifests are missing in the log, {} of those that were looked for", .unread.len())]
pub(crate) struct ManifestsMissing {
    what: String,
    unread: Vec<(u64, Coordinate)>,
}

impl Explain for ManifestsMissing {
    explain! {
        Self { unread, .. } => Exit::Unavailable, "manifest-missing",
            hint: "without its manifest a release cannot be shown to have a file: read a mirror of the log, or tell its operator \
                   that manifests are missing; a release.stele of the release has the manifest as well (--bundle)",
            facts: unread
                .iter()
                .map(|(entry, coordinate)| ("release", format!("{coordinate} (entry {entry})")))
                .collect();
    }
}
