//! One model, judged: by its `release.stele`, by what the log has, or as one that no release has.

use std::path::Path;

use stele_explain::{Exit, Failure};
use stele_log_client::headline::Headline;
use stele_log_client::judgement::{Accepted, Judgement};
use stele_log_client::lineage;
use stele_log_client::log_view::LogView;
use stele_log_client::recalled::recalled;
use stele_log_client::release_bundle::ReleaseBundle;
use stele_log_client::replacement;
use stele_spec::hash::Digest;
use stele_spec::manifest::FilePath;
use stele_spec::policy::Policy;
use stele_spec::status::History;
use stele_spec::verify::{Extra, FolderReport, Scope, WeightsState, loaded_role, names};
use stele_verify::VerifiedRelease;
use stele_verify::folder::digest_cache::DigestCache;
use stele_verify::folder::hash::Job;

use super::row::{Judged, LoggedModel, Row, Verdict};
use crate::args::{RequiredArgs, ScanArgs, VerifyArgs};
use crate::hashed_files::{Copy, HashedFiles};
use crate::installed::{Content, Installed, ModelFile};
use crate::release_search::{self as search, Candidate};
use crate::render::verdict::{VerifyReport, headline};
use crate::verbs::verify::{Means, judge};

/// How many releases are named that a model resembles.
const RESEMBLING: usize = 3;

/// By what models are judged.
pub(super) struct Judge<'a> {
    pub(super) args: &'a ScanArgs,
    pub(super) policy: &'a Policy,
    /// The logs that are asked, as long as each answers.
    pub(super) views: Vec<&'a LogView<'a>>,
    pub(super) cache: Option<&'a DigestCache>,
    pub(super) now: u64,
    /// Why a log is not asked, or not any more.
    pub(super) lost: Option<Failure>,
}

/// What was found of a model.
struct Found {
    verdict: Verdict,
    weights: Option<Digest>,
    copies: Vec<Copy>,
    notes: Vec<String>,
}

impl From<Verdict> for Found {
    fn from(verdict: Verdict) -> Self {
        Self { verdict, weights: None, copies: Vec::new(), notes: Vec::new() }
    }
}

impl Judge<'_> {
    /// The row of a model.
    pub(super) fn row(&mut self, model: Installed) -> Row {
        let Installed { place, path, content, mut notes } = model;
        let found = match &content {
            Content::Folder(folder) => self.folder(folder),
            Content::Files(files) => self.files(files),
        };
        notes.extend(found.notes);
        let mut row = Row {
            place,
            path,
            verdict: found.verdict,
            notes,
            weights: found.weights,
            loaded: None,
            copies: found.copies,
        };
        // What is a release is pinned by its manifest.
        if let (Content::Folder(folder), false) = (&content, row.is_verified()) {
            row.loaded = HashedFiles::loaded_of(folder, self.cache).ok().and_then(|files| files.digest());
        }
        row
    }

    /// A folder: as `stele verify` judges it, online by the log that its bundle names or that has its files, where that one answers.
    fn folder(&mut self, folder: &Path) -> Found {
        let (mut at, mut of_another, mut unrecorded) = (0, None, None);
        while let Some(view) = self.views.get(at).copied() {
            match self.verify(folder, Some(view)) {
                Ok((found, None)) => return found,
                Ok((_, Some(unanswered))) => self.lose(at, unanswered),
                Err(failure) => match failure.as_explain().code() {
                    "not-recorded" => (at, unrecorded) = (at + 1, unrecorded.or(Some(failure))),
                    "other-log" => {
                        of_another.get_or_insert(failure);
                        at += 1;
                    }
                    _ if failure.as_explain().exit() == Exit::Unavailable => self.lose(at, failure),
                    _ => return self.unknown(folder, failed(&failure)),
                },
            }
        }
        if let Some(failure) = unrecorded {
            let mut found = self.unreleased(folder);
            if let Verdict::NotReleased { shared, .. } = &mut found.verdict {
                *shared = resembling(&failure);
            }
            return found;
        }
        match self.verify(folder, None) {
            Ok((mut found, _)) => {
                let note = |failure: Failure| format!("{}: nothing was asked about it", failure.as_explain());
                found.notes.extend(of_another.map(note));
                found
            }
            Err(failure) if failure.as_explain().code() == "bundle-missing" => self.unknown(folder, Verdict::NoRecord),
            Err(failure) => self.unknown(folder, failed(&failure)),
        }
    }

    /// The verdict; and why the log did not answer, where it was to be asked.
    fn verify(&self, folder: &Path, view: Option<&LogView<'_>>) -> Result<(Found, Option<Failure>), Failure> {
        let args = VerifyArgs {
            path: folder.to_owned(),
            required: RequiredArgs {
                policy: self.args.asking.trust.policy.clone(),
                online: view.is_some(),
                accept_incomplete_answer: self.args.asking.trust.accept_incomplete_answer,
                no_state: self.args.asking.no_state,
                ..RequiredArgs::default()
            },
            bundle: None,
            no_hash: false,
            oms_key: None,
            allow_extra: Vec::new(),
            rehash: false,
            no_cache: false,
            plain_http: false,
        };
        let means = Means { view, cache: self.cache, examines: false, copy: None, registries: false };
        judge(&args, &means, |report, judged| {
            let at = judged.problems.iter().position(|problem| problem.as_explain().exit() == Exit::Unavailable);
            let found = Found {
                verdict: Verdict::Judged(of_report(report, judged)),
                weights: weights(report),
                copies: report.comparison.map(|found| copies(found, folder, report.evidence)).unwrap_or_default(),
                notes: Vec::new(),
            };
            (found, at.filter(|_| view.is_some()).map(|at| judged.problems.remove(at)))
        })
    }

    /// A folder that no release is known of: its weights are hashed, for what lies here twice and for what is written down.
    fn unknown(&self, folder: &Path, verdict: Verdict) -> Found {
        match HashedFiles::weights_of(folder, self.cache) {
            Ok(hashed) if hashed.files.is_empty() && hashed.problems.is_empty() => {
                let notes = vec!["no weights are in it".to_owned()];
                Found { notes, ..verdict.into() }
            }
            Ok(hashed) => Found { verdict, weights: hashed.digest(), copies: hashed.copies(), notes: hashed.problems },
            Err(failure) => failed(&failure).into(),
        }
    }

    /// A folder of which the log's lookups know no file: the index is asked about all of its weights.
    fn unreleased(&mut self, folder: &Path) -> Found {
        let found = self.unknown(folder, Verdict::NoRecord);
        if !matches!(found.verdict, Verdict::NoRecord) {
            return found;
        }
        let verdict = self.absent(found.weights);
        Found { verdict, ..found }
    }

    /// What is known where no lookup knows a file.
    fn absent(&mut self, weights: Option<Digest>) -> Verdict {
        let (mut at, mut is_proven) = (0, weights.is_some());
        while let (Some(view), Some(weights)) = (self.views.get(at).copied(), weights) {
            match view.releases_of_weights(weights, 1) {
                Ok(list) if list.statements.is_empty() => (at, is_proven) = (at + 1, is_proven && list.lack.is_none()),
                Ok(list) => {
                    let entry = list.statements.first().map(|found| found.position()).unwrap_or_default();
                    let message = format!(
                        "entry {entry} of the log has these weights, and the log's lookup of files leaves it out"
                    );
                    return Verdict::Failed { code: "lookup-left-out", message };
                }
                Err(failure) if failure.as_explain().exit() == Exit::Unavailable => self.lose(at, failure),
                Err(failure) => return failed(&failure),
            }
        }
        match self.views.is_empty() {
            true => Verdict::NoRecord,
            // Of a log that did not answer nothing is proven.
            false => Verdict::NotReleased { is_proven: is_proven && self.lost.is_none(), shared: None },
        }
    }

    /// Single files: as files of the release that has most of them.
    fn files(&mut self, files: &[ModelFile]) -> Found {
        let taken: Vec<&ModelFile> = files.iter().filter(|file| !file.is_document).collect();
        let named = taken.iter().filter_map(|file| {
            // A blob has no other name than its digest.
            let name = match &file.named {
                Some(digest) => format!("sha256-{digest}"),
                None => file.name.clone(),
            };
            Some((name.parse::<FilePath>().ok()?, Job { path: file.path.clone(), size: file.size }))
        });
        let hashed = HashedFiles::hash(named.collect(), self.cache);
        let lying = taken.iter().filter_map(|file| {
            let named = file.named?;
            let copy = hashed.files.iter().map(|(_, copy)| copy).find(|copy| copy.path == file.path)?;
            (copy.sha256 != named)
                .then(|| format!("sha256-{named} ({}) has another digest: {}", file.name, copy.sha256))
        });
        let lying: Vec<String> = lying.collect();
        let mut notes = hashed.problems.clone();
        if hashed.files.len() + hashed.problems.len() < taken.len() {
            notes.push("files whose names no release can have".to_owned());
        }
        let verdict = match lying.first() {
            Some(first) => Verdict::Failed { code: "name-lies", message: first.clone() },
            None => self.files_judged(&taken, &hashed),
        };
        Found { verdict, weights: hashed.digest(), copies: hashed.copies(), notes }
    }

    fn files_judged(&mut self, files: &[&ModelFile], hashed: &HashedFiles) -> Verdict {
        let mut at = 0;
        while let Some(view) = self.views.get(at).copied() {
            let judged = best(view, hashed)
                .and_then(|found| found.map(|candidate| self.files_of(view, &candidate, files, hashed)).transpose());
            match judged {
                Ok(Some(judged)) => return Verdict::Judged(judged),
                Ok(None) => at += 1,
                Err(failure) if failure.as_explain().exit() == Exit::Unavailable => self.lose(at, failure),
                Err(failure) => return failed(&failure),
            }
        }
        // What lies beside a model is no part of its weights.
        let is_beside = |copy: &Copy| files.iter().any(|file| file.is_beside && file.path == copy.path);
        let weights = hashed.files.iter().filter(|(_, copy)| !is_beside(copy)).cloned().collect();
        self.absent(HashedFiles { files: weights, problems: hashed.problems.clone() }.digest())
    }

    /// The files of a model as files of one release. What that release does not name is told; what of it is not here is not missed.
    fn files_of(
        &self,
        view: &LogView<'_>,
        candidate: &Candidate,
        files: &[&ModelFile],
        hashed: &HashedFiles,
    ) -> Result<Judged, Failure> {
        let evidence = ReleaseBundle::of(view, candidate.entry)?.release;
        let release_status = view.release_status(&candidate.coordinate)?;
        let mut report = FolderReport::default();
        report.scope = Scope::File;
        for (name, copy) in &hashed.files {
            match evidence.manifest().files().iter().find(|file| file.sha256 == copy.sha256) {
                Some(file) => {
                    report.matching.push(file.path.clone());
                    report.bytes = report.bytes.saturating_add(file.size);
                }
                None => {
                    let kind = files.iter().find(|file| file.path == copy.path).map(|file| file.name.as_str());
                    let path = match kind {
                        Some(kind) if kind != name.as_str() => format!("{kind} {name}"),
                        _ => name.to_string(),
                    };
                    let beside = files.iter().find(|file| file.is_beside && file.path == copy.path);
                    let role = match beside.and_then(|file| loaded_role(&file.name)) {
                        Some(role) => role.as_str(),
                        None => "a layer of the model",
                    };
                    report.extra.push(Extra { path, what: None, role: Some(role), is_allowed: false });
                }
            }
        }
        report.of = report.matching.len();
        let current = release_status.history.current().unwrap_or(evidence.release());
        let lineage = lineage::collect(current, |coordinate| view.release_status(coordinate).map(Some))?;
        let replacement =
            replacement::follow(&release_status.history, |coordinate| view.release_status(coordinate).map(Some))?;
        let judged = Judgement::of(Some(&report), &release_status.history, Accepted::default(), None);
        let taken_back = recalled(view, &candidate.coordinate, evidence.release().weights.digest)?;
        let line = Headline {
            evidence: &evidence,
            policy: self.policy,
            comparison: Some(&report),
            release_status: &release_status,
            lineage: &lineage,
            recalled: &taken_back,
            replacement: replacement.as_ref(),
            from_log: None,
            ask: "stele scan asks the log",
            now: self.now,
        };
        let (shown, sentence) = line.first_line(&judged);
        Ok(judged_of(&evidence, &release_status.history, &judged, shown, sentence))
    }

    /// A log that does not answer is not asked again.
    fn lose(&mut self, at: usize, failure: Failure) {
        self.views.remove(at);
        self.lost.get_or_insert(failure);
    }
}

/// The release that has most of the files, the newest of several.
fn best(view: &LogView<'_>, hashed: &HashedFiles) -> Result<Option<Candidate>, Failure> {
    // The longest file is the weights; what many models share is asked about last.
    let mut files: Vec<&Copy> = hashed.files.iter().map(|(_, copy)| copy).filter(|copy| copy.size > 0).collect();
    files.sort_by_key(|copy| std::cmp::Reverse(copy.size));
    let Some(largest) = files.first() else { return Ok(None) };
    let found = search::having(view, largest.sha256)?;
    let having = |candidate: &Candidate| {
        let recorded = candidate.manifest.iter().flat_map(|manifest| manifest.files());
        let recorded: std::collections::BTreeSet<Digest> = recorded.map(|file| file.sha256).collect();
        files.iter().filter(|copy| recorded.contains(&copy.sha256)).count()
    };
    Ok(found.into_iter().max_by_key(|candidate| (having(candidate), candidate.entry)))
}

fn of_report(report: &VerifyReport<'_>, judged: &Judgement) -> Judged {
    let (shown, sentence) = headline::of(report).first_line(judged);
    judged_of(report.evidence, &report.release_status.history, judged, shown, sentence)
}

fn judged_of(
    evidence: &VerifiedRelease,
    history: &History,
    judged: &Judgement,
    shown: String,
    sentence: String,
) -> Judged {
    let release = LoggedModel {
        coordinate: evidence.release().coordinate().to_string(),
        log: evidence.checkpoint().trusted().value().origin().to_string(),
        entry: evidence.statement().position(),
        manifest: evidence.release().manifest,
    };
    let problems = judged.problems.iter().map(|problem| problem.as_explain().code()).collect();
    let (state, incidents) = (history.state(), history.open_incidents().len());
    Judged { word: judged.word, shown, sentence, problems, release, state, incidents }
}

/// The digest over the weights, where all of them match.
fn weights(report: &VerifyReport<'_>) -> Option<Digest> {
    let is_match = report.comparison.is_some_and(|found| found.weights.state == WeightsState::Match);
    is_match.then(|| report.evidence.release().weights.digest)
}

/// The files of a release that are here, for what lies here twice: weights alone, since small files of models are alike.
fn copies(found: &FolderReport, folder: &Path, evidence: &VerifiedRelease) -> Vec<Copy> {
    let weights = evidence.manifest().weights().filter(|file| found.matching.contains(&file.path));
    weights.map(|file| Copy { path: folder.join(file.path.as_str()), size: file.size, sha256: file.sha256 }).collect()
}

/// What of a folder is in releases of other weights, as the search for its release says.
fn resembling(failure: &Failure) -> Option<String> {
    let facts = failure.as_explain().facts();
    let of = |wanted: &str| facts.iter().filter(|(name, _)| *name == wanted).map(|(_, fact)| fact.as_str()).collect();
    let (shared, resembles): (Vec<&str>, Vec<&str>) = (of("shared"), of("resembles"));
    let shared = shared.first()?;
    Some(match resembles.as_slice() {
        [] => (*shared).to_owned(),
        some => format!("{shared}; it resembles {}", names(some.iter(), some.len(), RESEMBLING)),
    })
}

fn failed(failure: &Failure) -> Verdict {
    let error = failure.as_explain();
    Verdict::Failed { code: error.code(), message: error.to_string() }
}
