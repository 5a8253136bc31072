//! `fsck`: is every file of this log what it should be? From the entries to the root, the index, manifests, staged objects and lookups.
//!
//! ```text
//! heads ─> staged ─> every group of entries ─> root ─> index ─> lookups ─> repair
//! ```
//!
//! Memory does not grow with the log, and a run that is stopped is gone on with. Without `--repair` no file of the log is written, and the log may run: then what is
//! published is looked at. Nothing is repaired before the entries are proven to lead to the signed root.

mod finding;
mod heads;
mod index_rows;
mod levels;
mod pass;
mod progress;
mod repair;
mod staged;
mod wanted;

pub use finding::{Finding, Findings, Problem, Remedy};

use crate::check::{self, Checked};
use crate::error::LogError;
use crate::fsck_error::FsckError;
use crate::lookup;
use crate::storage;
use heads::{CHECKPOINT, Heads, SIGNED};
use pass::{Ending, Pass};
use progress::Progress;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};
use stele_durable::Dir;
use stele_durable::lock::LockError;
use stele_log_core::checkpoint::SignedCheckpoint;
use stele_log_core::contract::objects::Objects;
use stele_log_core::log_keys::LogKeys;
use stele_log_core::staged_batch::StagedBatches;
use stele_log_core::staged_recovery::{self, Discard};
use stele_log_core::tiles::TileStore;
use stele_log_core::tree::Tree;
use stele_log_storage_files::head_store::{FileHeadStore, TakeError};
use stele_log_storage_files::objects::FileObjects;
use stele_spec::merkle::root_at;
use stele_spec::policy::Policy;
use stele_spec::tile::{TILE_WIDTH, TileNodes};
use stele_terminal::checks::Checks;
use stele_terminal::finish::Output;
use wanted::Wanted;

/// The folder of what is kept between two runs, below the data folder.
const FOLDER: &str = "fsck";

/// How often that is written, and how often a line says how far it is.
const SAVE_EVERY: Duration = Duration::from_secs(60);
const TELL_EVERY: Duration = Duration::from_secs(5);

/// After so many groups it is written at the latest: 65,536 entries, whose index rows are a run.
const SAVE_GROUPS: u64 = 256;

/// What is to be done.
#[derive(Clone, Debug, Default)]
pub struct Order {
    /// Give back what can be.
    pub repair: bool,
    /// Begin anew, whatever was kept.
    pub restart: bool,
    /// Stop after so many entries.
    pub at_most: Option<u64>,
    /// The folder of what is kept between two runs.
    pub scratch: Option<PathBuf>,
    /// The data is a copy, which no process writes: its lock is not taken, and lookups are not looked at.
    pub is_copy: bool,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Report {
    /// Both heads.
    pub signed: Option<SignedCheckpoint>,
    /// The published one.
    pub public: Option<SignedCheckpoint>,
    /// The tree that was looked at.
    pub size: u64,
    /// How many entries an earlier run had looked at.
    pub resumed_at: u64,
    /// Statements, and releases with a manifest.
    pub statements: u64,
    /// Releases among them.
    pub releases: u64,
    /// Whether all that was signed was looked at: the log did not run.
    pub is_alone: bool,
    /// Whether the entries lead to the root of the head.
    pub is_proven: bool,
    /// Whether the newest index entry states the root of all entries; `None` where that could not be computed.
    pub index: Option<bool>,
    /// Whether the lookups were looked at.
    pub lookups: bool,
    /// What is not as it should be.
    pub findings: Findings,
}

/// Looks at a log's folder and says what was found.
pub fn run(dir: &Path, policy: Option<PathBuf>, order: &Order) -> Result<Output, LogError> {
    let mut found = Checks::default();
    let checked = check::folder(&mut found, dir, policy);
    let problems = found.failures();
    let Some(Checked { loaded, keys: Some(keys), policy }) = checked else {
        return Ok(found.output().with_failure(Some(LogError::Unfit { problems })));
    };
    storage::in_files(&loaded.config, "fsck")?;
    let report = examine(&loaded.resolve(&loaded.config.data), &keys, policy.as_ref(), order)?;
    Ok(report.output(&found, problems))
}

/// Looks at a data folder.
pub fn examine(data: &Path, keys: &LogKeys, policy: Option<&Policy>, order: &Order) -> Result<Report, FsckError> {
    if !data.is_dir() {
        return Err(FsckError::NoData { path: data.to_owned() });
    }
    let folder = Dir::open(data)?;
    let lock = if order.is_copy { None } else { lock(&folder, order.repair)? };
    let objects: Arc<dyn Objects> = Arc::new(FileObjects::new(&folder));
    let mut look = Look {
        store: TileStore::new(&objects),
        staging: StagedBatches::new(&objects),
        data: folder,
        keys,
        is_alone: lock.is_some() || order.is_copy,
        order,
        report: Report::default(),
    };
    let mut findings = Findings::default();
    let heads = heads::read(&look.data, &look.store, &look.staging, keys, policy, &mut findings)?;
    look.report.is_alone = look.is_alone;
    (look.report.signed, look.report.public) = (heads.signed.clone(), heads.public.clone());
    match end(&heads, look.is_alone) {
        Some(end) => look.tree(&heads, &end, findings)?,
        None => look.report.findings = findings,
    }
    Ok(look.report)
}

/// The lock of the writer; `None` where the running log has it.
fn lock(data: &Dir, is_needed: bool) -> Result<Option<FileHeadStore>, FsckError> {
    match FileHeadStore::take(data) {
        Ok(lock) => Ok(Some(lock)),
        Err(TakeError::Lock(LockError::Held { .. })) if !is_needed => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The head that everything is held against: beside a running log what is published, whose files are all there.
fn end(heads: &Heads, is_alone: bool) -> Option<(&'static str, SignedCheckpoint)> {
    let signed = heads.signed.clone().map(|head| (SIGNED, head));
    let public = heads.public.clone().map(|head| (CHECKPOINT, head));
    if is_alone { signed.or(public) } else { public.or(signed) }
}

struct Look<'a> {
    data: Dir,
    store: TileStore,
    staging: StagedBatches,
    keys: &'a LogKeys,
    is_alone: bool,
    order: &'a Order,
    report: Report,
}

impl Look<'_> {
    /// Everything below a head.
    fn tree(
        &mut self,
        heads: &Heads,
        (named, head): &(&'static str, SignedCheckpoint),
        before: Findings,
    ) -> Result<(), FsckError> {
        let (size, root) = (head.checkpoint.size(), head.checkpoint.root());
        let store = self.store.clone();
        let wanted = match self.is_alone {
            true => Wanted::with_staged(&store, &self.staging, size, root)?,
            false => Wanted::of_files(&store),
        };
        let scratch = self.order.scratch.clone().unwrap_or_else(|| self.data.path_of(FOLDER));
        let progress = Progress::new(&scratch, self.keys);
        if self.order.restart {
            progress.forget();
        }
        let mut pass = progress.resume(size / u64::from(TILE_WIDTH));
        self.report.size = size;
        self.report.resumed_at = pass.levels.groups() * u64::from(TILE_WIDTH);
        self.groups(&mut pass, &progress, &wanted, size)?;
        // Nothing is beyond the newest of both heads that this machine knows.
        let is_newest = self.is_alone
            && *named == SIGNED
            && heads.public.as_ref().is_none_or(|public| public.checkpoint.size() <= size);
        let ending = pass.finish(&wanted, size, root, is_newest)?;
        let is_whole = pass.is_whole;
        self.report.is_proven = ending == Ending::Proven;
        if let Ending::Doubtful(found) = ending {
            let found = found.map_or_else(
                || "no root can be computed".to_owned(),
                |found| format!("the files lead to the root {found}"),
            );
            pass.findings.doubt();
            let found = format!("{found}, it says {root}: which files are right is not certain");
            pass.findings.add(Finding::new(*named, Problem::Damaged, Remedy::Person, found));
        }
        self.index(pass, size, before)?;
        let findings = &mut self.report.findings;
        if self.is_alone {
            let is_there = ending == Ending::Proven && is_whole;
            staged::look(&self.data, &**self.store.objects(), self.keys, &wanted, is_there, findings)?;
        }
        if self.report.is_proven && self.order.repair {
            self.repair(&wanted, size)?;
        }
        self.heads_agree(heads, size);
        self.lookups(heads, is_whole);
        progress.forget();
        Ok(())
    }

    /// All full groups that are left, with how far it is kept now and then.
    fn groups(
        &mut self,
        pass: &mut Pass,
        progress: &Progress,
        wanted: &Wanted<'_>,
        size: u64,
    ) -> Result<(), FsckError> {
        let width = u64::from(TILE_WIDTH);
        let stop = self.order.at_most.map(|most| pass.levels.groups() + (most / width).max(1));
        let (mut saved, mut saved_at, mut told) = (Instant::now(), pass.levels.groups(), Instant::now());
        while pass.levels.groups() < size / width {
            let done = pass.levels.groups();
            let is_stop = stop.is_some_and(|stop| done >= stop);
            if is_stop || done - saved_at >= SAVE_GROUPS || saved.elapsed() >= SAVE_EVERY {
                progress.save(pass)?;
                (saved, saved_at) = (Instant::now(), done);
            }
            if is_stop {
                return Err(FsckError::NotFinished { done: done * width, size });
            }
            if told.elapsed() >= TELL_EVERY {
                told = Instant::now();
                stele_terminal::output::complain(&format!("{} of {size} entries\n", done * width));
            }
            pass.group(wanted, size)?;
        }
        Ok(())
    }

    /// The newest index entry, against what all entries list. Takes what the pass has found.
    fn index(&mut self, pass: Pass, size: u64, mut findings: Findings) -> Result<(), FsckError> {
        let Pass { rows, findings: found, is_whole, statements, releases, last, .. } = pass;
        findings.append(found);
        (self.report.statements, self.report.releases) = (statements, releases);
        if self.report.is_proven && is_whole {
            let folder = rows.folder().to_owned();
            let root = rows.root().map_err(|source| FsckError::Scratch { path: folder, source })?;
            let newest = last.filter(|(position, _)| position + 1 == size);
            self.report.index = Some(newest.is_some_and(|(_, entry)| entry.root == root));
            match newest {
                Some((_, entry)) if entry.root == root => {}
                Some((at, entry)) => {
                    let found = format!(
                        "the index entry at {at} states the root {}, the entries before it have {root}",
                        entry.root
                    );
                    findings.add(Finding::new(SIGNED, Problem::Damaged, Remedy::Person, found));
                }
                None => {
                    let found = "the signed tree does not end with an index entry";
                    findings.add(Finding::new(SIGNED, Problem::Damaged, Remedy::Person, found));
                }
            }
        }
        self.report.findings = findings;
        Ok(())
    }

    fn repair(&mut self, wanted: &Wanted<'_>, size: u64) -> Result<(), FsckError> {
        let findings = &mut self.report.findings;
        repair::repair(&self.data, &self.store, size, findings)?;
        if findings.list().iter().any(|finding| finding.remedy == Remedy::Staged) && wanted.unusable.is_empty() {
            staged_recovery::finish_checkpoint(&self.staging, &self.store, self.keys)?;
            if let Some(signed) = &self.report.signed {
                let (size, root) = (signed.checkpoint.size(), signed.checkpoint.root());
                staged_recovery::finish(&self.staging, &self.store, &Tree::new(), (size, root), Discard::All)?;
            }
            findings.mark_repaired(Remedy::Staged);
        }
        Ok(())
    }

    /// The published checkpoint is a beginning of the tree.
    fn heads_agree(&mut self, heads: &Heads, size: u64) {
        let Some(public) = heads.public.as_ref().filter(|public| public.checkpoint.size() <= size) else { return };
        // A root that is computed from damaged tiles says nothing; they are said already.
        let is_readable = !self.report.findings.left().any(|finding| finding.path.starts_with("public/tile/"));
        if !self.report.is_proven || !is_readable {
            return;
        }
        if let Ok(found) = root_at(&TileNodes::new(&self.store, size), public.checkpoint.size())
            && found != public.checkpoint.root()
        {
            let found = format!("it has the root {}, the entries lead to {found}", public.checkpoint.root());
            self.report.findings.add(Finding::new(CHECKPOINT, Problem::Damaged, Remedy::Person, found));
        }
    }

    /// What is derived from the entries. Only where no other process has them open.
    fn lookups(&mut self, heads: &Heads, is_whole: bool) {
        let Some(public) = heads.public.as_ref().filter(|public| public.checkpoint.size() <= self.report.size) else {
            return;
        };
        if !self.is_alone || self.order.is_copy || !self.report.is_proven || !is_whole {
            return;
        }
        let (size, root) = (public.checkpoint.size(), public.checkpoint.root());
        let found = lookup::examine(&self.data, &self.store, size, root);
        self.report.lookups = true;
        let made =
            (self.order.repair && !found.is_empty()).then(|| lookup::make_again(&self.data, &self.store, size, root));
        for (name, problem) in found {
            let what = if problem.is_none() { Problem::Missing } else { Problem::Damaged };
            let mut finding = Finding::new(name, what, Remedy::Derived, problem.unwrap_or_default());
            match &made {
                Some(Ok(())) => finding.repaired = true,
                Some(Err(error)) => finding.found = error.clone(),
                None => {}
            }
            self.report.findings.add(finding);
        }
    }
}

impl Report {
    /// What there is to say, after what was found of config, key and policy.
    fn output(&self, found: &Checks, problems: usize) -> Output {
        let findings = &self.findings;
        let (text, checks) = found.parts();
        let of = |what: bool, yes: &'static str, no: &'static str| if what { yes } else { no };
        let size = self.size;
        let mut summary = format!(
            "{size} entries {}, {} statements, {} releases with a manifest\n",
            of(self.is_proven, "lead to the signed root", "were looked at"),
            self.statements,
            self.releases
        );
        if self.resumed_at > 0 {
            summary += &format!("the first {} were looked at by an earlier run\n", self.resumed_at);
        }
        summary += match self.index {
            Some(true) => "the index root is that of all entries\n",
            Some(false) => "the index root is not that of the entries\n",
            None => "the index was not computed\n",
        };
        summary += of(self.lookups, "the lookups were looked at\n", "the lookups were not looked at\n");
        if !self.is_alone {
            summary += "the log runs: what is published was looked at, not what is staged, nor the lookups\n";
        }
        summary += &match (findings.list().len(), findings.repaired()) {
            (0, _) => "every file is as it should be\n".to_owned(),
            (all, repaired) => format!("{all} files were not as they should be, {repaired} of them were repaired\n"),
        };
        let fields = json!({
            "checks": checks,
            "tree_size": size,
            "resumed_at": self.resumed_at,
            "statements": self.statements,
            "releases": self.releases,
            "whole_log": self.is_alone,
            "root_proven": self.is_proven,
            "index_proven": self.index,
            "lookups_checked": self.lookups,
            "findings": findings.json(),
            "more_findings": findings.more(),
        });
        let output: Output = (text + &findings.text() + &summary, fields).into();
        output.with_failure(self.failure(problems))
    }

    fn failure(&self, problems: usize) -> Option<LogError> {
        let (lost, repairable) =
            (self.findings.lost() as u64, self.findings.repairable() as u64 + self.findings.more());
        if lost > 0 {
            return Some(FsckError::Damaged { files: lost + repairable, lost }.into());
        }
        if repairable > 0 {
            return Some(FsckError::Repairable { files: repairable }.into());
        }
        (problems > 0).then_some(LogError::Unfit { problems })
    }
}
