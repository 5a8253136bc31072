//! What a monitor has read, as a file that somebody else can check.

use std::path::Path;

use stele_explain::{Exit, Explain, Failure, explain};
use stele_spec::coverage::{
    self, Coverage, CoveredLog, LogCoverage, MalformedCoverage, RefusedCoverage, SeenHead as Head, SeenList,
};
use stele_spec::merkle::ConsistencyProof;
use stele_spec::policy::Policy;

use crate::config::Config;
use crate::messages::Messages;
use crate::state::{KnownList, LogState, SeenHead, StateFile};

/// A report that was made, and what its check says of it.
#[derive(Debug)]
pub struct CoverageFile {
    /// The file.
    pub bytes: Vec<u8>,
    /// What it shows.
    pub logs: Vec<CoveredLog>,
    /// Watched lists that are not in it: they are not read to their end, or their tree head is no longer kept.
    pub unread: usize,
}

/// Makes the report of a monitor from what it keeps. It asks no server, and a monitor that runs is not disturbed.
pub fn report(path: &Path, policy: Option<&Path>, messages: Messages) -> Result<CoverageFile, Failure> {
    let loaded = stele_daemon::config::load::<Config>(path)?;
    let (config, folder) = (loaded.config, loaded.folder);
    let named = config.policy.as_ref().map(|policy| folder.join(policy));
    let policy = stele_verify::policy_file::load_policy(named.as_deref().or(policy))?;
    (messages.warn)(&policy.path, "what is trusted");
    let state = folder.join(&config.state);
    let mut logs = if state.is_dir() { StateFile::logs(&state)? } else { Vec::new() };
    logs.sort_unstable_by(|left, right| left.origin().cmp(right.origin()));
    let covered: Vec<LogCoverage> = logs.iter().filter_map(|log| coverage_of(log, &policy.policy)).collect();
    if covered.is_empty() {
        return Err(NothingRead.into());
    }
    let kept: usize = logs.iter().map(|log| log.lists.len()).sum();
    let unread = kept.saturating_sub(covered.iter().map(|log| log.lists.len()).sum());
    let bytes = Coverage { logs: covered }.to_bytes().map_err(UnprovenCoverage::Malformed)?;
    let logs = check_report(&bytes, &policy.policy)?;
    Ok(CoverageFile { bytes, logs, unread })
}

/// Checks a report, offline.
pub fn check_report(bytes: &[u8], policy: &Policy) -> Result<Vec<CoveredLog>, UnprovenCoverage> {
    let coverage = Coverage::parse(bytes).map_err(UnprovenCoverage::Malformed)?;
    coverage::check(&coverage, policy).map_err(UnprovenCoverage::Refused)
}

/// What is kept of a log. Heads that the policy accepts no more, and those before them, are left out; none where nothing is left.
fn coverage_of(log: &LogState, policy: &Policy) -> Option<LogCoverage> {
    let accepted = |head: &&SeenHead| {
        head.read().is_some_and(|(note, _)| policy.verify_note(&note).is_ok()) && head.path().is_some()
    };
    let left_out = log.heads.len() - log.heads.iter().rev().take_while(accepted).count();
    let kept = log.heads.get(left_out..)?;
    let sizes: Vec<Option<u64>> = kept.iter().map(SeenHead::size).collect();
    let listed = |(subject, list): (&String, &KnownList)| {
        let head = sizes.iter().position(|size| *size == Some(list.size)).filter(|_| list.is_whole())?;
        let (subject, answer) = (subject.parse().ok()?, list.answer.clone().into_bytes());
        Some(SeenList { subject, head: head as u64, peaks: list.peaks()?, answer })
    };
    let lists: Vec<SeenList> = log.lists.iter().filter_map(listed).collect();
    let rests = |at: usize| lists.iter().any(|list| list.head == at as u64);
    let head = |(at, head): (usize, &SeenHead)| {
        let path = if at == 0 { Vec::new() } else { head.path()? };
        let index = if rests(at) { head.index.clone().into_bytes() } else { Vec::new() };
        Some(Head { note: head.read()?.0, path: ConsistencyProof::from_path(path)?, read: head.read, index })
    };
    let heads = kept.iter().enumerate().map(head).collect::<Option<Vec<_>>>()?;
    (!heads.is_empty()).then_some(LogCoverage { heads, lists })
}

/// A file that is no report, or a report that does not prove what it says.
#[derive(Debug, thiserror::Error)]
pub enum UnprovenCoverage {
    /// It is none.
    #[error("this is no report of a monitor: {0}")]
    Malformed(MalformedCoverage),
    /// It proves nothing.
    #[error("the report does not prove what it says: {0}")]
    Refused(RefusedCoverage),
}

impl Explain for UnprovenCoverage {
    explain! {
        Self::Malformed(_) => Exit::BadInput, "coverage-malformed",
            hint: "`stele monitor report monitor.toml --output FILE` writes one";
        Self::Refused(RefusedCoverage::Checkpoint(error)) => error.exit(), error.code(),
            hint: "the policy does not accept a tree head of the report: it was altered, or the policy is for another log", facts: error.facts();
        Self::Refused(error) => Exit::Unproven, error.code(),
            hint: "rely on nothing in it: it was altered, or made wrongly. Ask whoever made it for another";
    }
}

/// A monitor that has not seen a tree head yet.
#[derive(Debug, thiserror::Error)]
#[error("this monitor has no tree head to report of")]
struct NothingRead;

impl Explain for NothingRead {
    explain! {
        Self => Exit::Unavailable, "nothing-read",
            hint: "let it look once: `stele monitor monitor.toml --once`. Tree heads that the policy does not accept are left out";
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seen_heads;
    use stele_log_client::reader::{LogReader, StaticFiles};
    use stele_samples::static_log;
    use stele_spec::coverage::MAX_HEADS;

    #[test]
    fn of_many_heads_the_first_and_the_newest_are_kept_and_their_report_holds() {
        let home = tempfile::tempdir().unwrap();
        let (tree, reader) = (static_log::tree(300), LogReader::new(StaticFiles::folder(home.path())));
        let policy = format!("log {}\nquorum none\n", static_log::signer().unwrap().verifier());
        let policy = Policy::parse(policy.as_bytes()).unwrap();
        let mut state = LogState::default();
        for size in 230..=300 {
            static_log::write(home.path(), &tree, if size == 230 { 0 } else { size - 1 }, size).unwrap();
            let opened = reader.open(reader.head(&policy).unwrap()).unwrap();
            // Not all of it is read at once, and the same tree is seen again.
            for read in [size - 5, size - 3] {
                state.next = read;
                seen_heads::see(&mut state, &opened).unwrap();
                seen_heads::settle(&mut state);
            }
        }
        let log = coverage_of(&state, &policy).unwrap();
        let covered = coverage::check(&Coverage { logs: vec![log] }, &policy).unwrap();
        let heads = covered[0].heads();
        assert_eq!((heads.len(), heads[0].head().value().size()), (MAX_HEADS, 230));
        let ranges: Vec<_> = heads.iter().map(|head| head.entries().clone()).collect();
        assert_eq!((&ranges[0], &ranges[1], &ranges[63]), (&(0..227), &(227..235), &(296..297)));

        // A head that is damaged takes those before it with it, and nothing that is reported is unproven.
        state.heads[30].note = state.heads[30].note.replacen("log.example", "log.exampel", 1);
        let log = coverage_of(&state, &policy).unwrap();
        assert_eq!(log.heads.len(), MAX_HEADS - 31);
        coverage::check(&Coverage { logs: vec![log] }, &policy).unwrap();
    }
}
