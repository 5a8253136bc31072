//! `stele scan`: every model on this machine, with its verdict, what became of its release, and what lies here twice.

use stele_clock::{Clock as _, SystemClock};
use stele_explain::{Exit, Explain, Failure, explain};
use stele_log_client::index_end::Incomplete;
use stele_log_client::log_url::{self, LogUrlError};
use stele_log_client::log_view::{LogAddress, LogView};
use stele_terminal::volume::note;
use stele_verify::folder::digest_cache::DigestCache;

use crate::Output;
use crate::args::ScanArgs;
use crate::digest_cache;
use crate::installed::{self, Inventory};
use crate::log_args::local_state;
use crate::policy_file;

mod row;

mod duplicates;
mod lock_file;

mod model;

mod report;

use lock_file::LockFile;
use model::Judge;
use report::{Asked, Report};
use row::Row;

pub(crate) fn run(args: ScanArgs) -> Result<Output, Failure> {
    let policy = policy_file::load(args.asking.trust.policy.as_deref())?.policy;
    let locked = args.locked.as_deref().map(LockFile::read).transpose()?;
    let local_state = local_state(args.asking.no_state);
    let named = args.asking.trust.log.as_deref();
    let urls = if args.offline { Vec::new() } else { log_url::log_urls(named, Some(&policy)) };
    // Without an address there is nothing to ask, and that is said.
    let mut lost = (urls.is_empty() && !args.offline).then(|| LogUrlError::WhichLog { urls: Vec::new() }.into());
    let incomplete = Incomplete::by(args.asking.trust.accept_incomplete_answer);
    let addresses: Vec<LogAddress> =
        urls.into_iter().map(|url| LogAddress::new(url, note).accepting(incomplete)).collect();
    let mut views: Vec<LogView<'_>> = Vec::new();
    for address in &addresses {
        match address.ask(&policy, &local_state) {
            Ok(view) => views.push(view),
            // A log that contradicts itself is no matter of one model.
            Err(failure) if failure.as_explain().exit() == Exit::Inconsistent => return Err(failure),
            Err(failure) => drop(lost.get_or_insert(failure)),
        }
    }
    let cache = digest_cache::open(args.no_cache, args.rehash);
    let now = SystemClock.unix_seconds();
    let places = if args.only { installed::named(&args.also) } else { installed::places(&args.also) };
    let Inventory { models, notes } = installed::look(&places);
    let asked: Vec<&LogView<'_>> = views.iter().collect();
    let mut judge = Judge { args: &args, policy: &policy, views: asked.clone(), cache: cache.as_ref(), now, lost };
    let rows: Vec<Row> = models.into_iter().map(|model| judge.row(model)).collect();
    let asked = match judge.lost.take() {
        Some(failure) => Asked::Failed(failure),
        None if asked.is_empty() => Asked::NoLog,
        None => Asked::Logs(asked),
    };
    let found = LockFile::of(&rows);
    if let Some(path) = &args.lock {
        found.write(path)?;
    }
    let mismatch = locked.as_ref().and_then(|locked| locked.compare(&found));
    let bad = match locked {
        // What is written down may be no release.
        Some(_) => rows.iter().filter(|row| row.is_refused()).count(),
        None => rows.iter().filter(|row| !row.is_verified()).count() + notes.len(),
    };
    let failed = matches!(asked, Asked::Failed(_));
    let used = cache.as_ref().map(DigestCache::used).unwrap_or_default();
    let report = Report { rows, notes, asked, mismatch, used, now, wrote: args.lock };
    let output = Output { text: report.text(), json: report.json(), failure: None };
    let failure: Option<Failure> = match (report.mismatch, bad) {
        (Some(mismatch), _) => Some(mismatch.into()),
        (None, bad) if bad > 0 => Some(NotAllVerified { bad, of: report.rows.len() }.into()),
        (None, _) if failed => report.asked.into_failure(),
        _ => None,
    };
    Ok(output.with_failure(failure))
}

/// Models that are not verified, and what could not be looked at.
#[derive(Debug, thiserror::Error)]
#[error("{bad} of what lies here is not verified")]
struct NotAllVerified {
    bad: usize,
    of: usize,
}

impl Explain for NotAllVerified {
    explain! {
        Self { of, .. } => Exit::Findings, "not-all-verified",
            hint: "`stele verify PATH` says more of one model; --lock FILE writes down what is here, and --locked FILE refuses what is not as written",
            "looked at": format!("{of} {}", if *of == 1 { "model" } else { "models" });
    }
}
