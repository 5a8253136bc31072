//! `verify-backup`: would this copy of a log's folder be safe to start, and if not, what is missing?
//!
//! A copy looks whole whatever was signed since it was made. So its files are looked at as `fsck` does it, and the witnesses are asked what
//! they cosigned last; where too few can be asked the answer is that it is not known. Nothing of the copy is changed. A witness that
//! serves no head of its own is offered that of the copy, as a start does: only its answer tells whether it has cosigned more.

use crate::check::{self, Checked};
use crate::error::LogError;
use crate::fsck::{self, Findings, Order, Report};
use crate::fsck_error::FsckError;
use crate::storage;
use crate::witness_memory;
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use stele_durable::Dir;
use stele_durable::lock::Lock;
use stele_log_core::checkpoint::SignedCheckpoint;
use stele_log_core::contract::objects::Objects;
use stele_log_core::log_keys::LogKeys;
use stele_log_core::recall::compare;
use stele_log_core::tiles::TileStore;
use stele_log_storage_files::objects::FileObjects;
use stele_spec::policy::{Policy, Quorum};
use stele_terminal::checks::Checks;
use stele_terminal::finish::Output;

/// Whether a copy may be started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Safe,
    Unsafe,
    Unknown,
}

/// Looks at a copy.
pub fn run(copy: &Path, policy: Option<PathBuf>, scratch: Option<PathBuf>) -> Result<Output, LogError> {
    let mut found = Checks::default();
    let Some(Checked { loaded, keys: Some(keys), policy: Some(policy) }) = check::folder(&mut found, copy, policy)
    else {
        let problems = found.failures();
        return Ok(found.output().with_failure(Some(LogError::Unfit { problems })));
    };
    storage::in_files(&loaded.config, "verify-backup")?;
    let data = loaded.resolve(&loaded.config.data);
    // What is written meanwhile is half there: a copy is looked at.
    Lock::check_free(data.join("lock/writer")).map_err(FsckError::Lock)?;
    let order = Order { scratch, is_copy: true, ..Order::default() };
    let report = fsck::examine(&data, &keys, Some(&policy), &order)?;
    files(&mut found, &report);
    let asked = witnesses(&mut found, &data, &report, &keys, &policy)?;
    let verdict = match (found.failures(), asked) {
        (0, Some(true)) => Verdict::Safe,
        (0, _) => Verdict::Unknown,
        _ => Verdict::Unsafe,
    };
    Ok(output(&found, &report, asked, verdict))
}

/// What a start would find in the files.
fn files(found: &mut Checks, report: &Report) {
    match (&report.signed, &report.public) {
        (Some(signed), _) => {
            found.ok("signed", format!("{} entries", signed.checkpoint.size()));
        }
        (None, Some(public)) => {
            let words = format!(
                "no lock/signed-head: as it is it does not start; `stele-log adopt DIR --from {{copy}}/data/public` goes on from the {} entries of its checkpoint",
                public.checkpoint.size()
            );
            found.fail("signed", words);
        }
        (None, None) => found.fail("signed", "no tree head of this log: there is nothing to go on from"),
    }
    if report.is_proven {
        let words = format!("{} entries lead to the root of the head, {} statements", report.size, report.statements);
        found.ok("entries", words);
    }
    for finding in report.findings.left() {
        let words = finding.line();
        // What a start gives back by itself, or goes on without, keeps nobody from starting.
        if finding.is_harmless() { found.warn("file", words) } else { found.fail("file", words) }
    }
    if report.findings.more() > 0 {
        found.fail("file", format!("{} more files are not as they should be", report.findings.more()));
    }
}

/// What the witnesses hold beyond the copy. Whether enough have answered; `None` where the policy has none to ask.
fn witnesses(
    found: &mut Checks,
    data: &Path,
    report: &Report,
    keys: &LogKeys,
    policy: &Policy,
) -> Result<Option<bool>, LogError> {
    if *policy.quorum() == Quorum::None {
        found.warn(
            "witness",
            "the policy has no quorum: nobody can say whether more was signed since this copy was made",
        );
        return Ok(None);
    }
    let objects: Arc<dyn Objects> = Arc::new(FileObjects::new(&Dir::open(data)?));
    let store = TileStore::new(&objects);
    let ours: Option<&SignedCheckpoint> = report.signed.as_ref().or(report.public.as_ref());
    let offered = ours.map(|head| Arc::new(head.clone()));
    let memory = witness_memory::ask(policy, &store, keys, offered.as_ref());
    for (witness, theirs) in &memory.heads {
        match compare(witness, &store, ours, theirs) {
            Ok(None) => found.ok(
                "witness",
                format!("{witness}: cosigned {} entries last, which this copy has", theirs.checkpoint.size()),
            ),
            Ok(Some(elsewhere)) => found.explain("witness", &elsewhere),
            Err(error) => found.fail("witness", format!("{witness}: its head cannot be compared: {error}")),
        }
    }
    for line in memory.missing.iter().flatten() {
        found.warn("witness", format!("not asked: {line}"));
    }
    Ok(Some(memory.missing.is_none()))
}

fn output(found: &Checks, report: &Report, asked: Option<bool>, verdict: Verdict) -> Output {
    let (mut text, checks) = found.parts();
    text += match verdict {
        Verdict::Safe => {
            "safe to start: its files lead to its signed head, and so many witnesses hold nothing newer that every quorum has one of them\n"
        }
        Verdict::Unsafe => "not safe to start\n",
        Verdict::Unknown => {
            "not known: the files are as they should be, and whether more was signed since cannot be said\n"
        }
    };
    let word = match verdict {
        Verdict::Safe => "safe",
        Verdict::Unsafe => "unsafe",
        Verdict::Unknown => "unknown",
    };
    let findings: &Findings = &report.findings;
    let size = |head: &Option<SignedCheckpoint>| head.as_ref().map(|head| head.checkpoint.size());
    let fields = json!({
        "verdict": word,
        "checks": checks,
        "signed_size": size(&report.signed),
        "published_size": size(&report.public),
        "root_proven": report.is_proven,
        "index_proven": report.index,
        "witnesses_asked": asked,
        "findings": findings.json(),
        "more_findings": findings.more(),
    });
    let output: Output = (text, fields).into();
    output.with_failure(match verdict {
        Verdict::Safe => None,
        Verdict::Unsafe => Some(FsckError::UnsafeCopy),
        Verdict::Unknown => Some(FsckError::UnknownCopy),
    })
}
