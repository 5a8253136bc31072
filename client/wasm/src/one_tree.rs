//! That tree heads of one log are of one tree: each older one is the beginning of the newest, by the log's own tiles.
//!
//! Each tile is checked under the newest head before it is used (`stele_spec::tiledlog`), so that what the tiles say is what that head says. A head that is
//! not its beginning convicts the log: its key has signed both.

use stele_explain::{Exit, Explain, Failure, explain};
use stele_spec::hash::RootHash;
use stele_spec::policy::TrustedCheckpoint;
use stele_spec::tiledlog::{FilesFn, TiledLog, TiledLogError};

use crate::answers::Answers;
use crate::remembered::SeenHead;

/// Checks that heads of a log, none of them larger than its newest, are of one tree with it.
pub fn check(answers: &Answers, newest: &TrustedCheckpoint, heads: &[SeenHead]) -> Result<(), Failure> {
    check_same_size(newest, heads)?;
    let older: Vec<_> = heads.iter().filter(|head| head.size() < newest.size()).collect();
    if older.is_empty() {
        return Ok(());
    }
    let files = FilesFn(|path: &str, _: u64| answers.file(path));
    let log = TiledLog::open(files, newest.checkpoint().clone()).map_err(|error| refused(answers, error))?;
    for head in older {
        match log.check_prefix(head.size(), head.root()) {
            Err(TiledLogError::NotAPrefix { found, .. }) => return Err(SplitView::new(head, newest, found).into()),
            checked => checked.map_err(|error| refused(answers, error))?,
        }
    }
    Ok(())
}

/// Refuses another root at the same size, which takes no answer of the log.
pub fn check_same_size(newest: &TrustedCheckpoint, heads: &[SeenHead]) -> Result<(), SplitView> {
    match heads.iter().find(|head| head.size() == newest.size() && head.root() != newest.root()) {
        Some(other) => Err(SplitView::new(other, newest, newest.root())),
        None => Ok(()),
    }
}

fn refused(answers: &Answers, error: TiledLogError<Failure>) -> Failure {
    match error {
        TiledLogError::Files(failure) => failure,
        other => answers.nonsense("the tiles of the tree under its signed head", other.to_string()),
    }
}

/// Two tree heads that one log has signed, and that are not of one tree.
#[derive(Debug, thiserror::Error)]
#[error("split view: this log shows two histories")]
pub struct SplitView {
    origin: String,
    before: (u64, RootHash),
    now: (u64, RootHash),
    begins_with: RootHash,
}

impl SplitView {
    fn new(before: &SeenHead, now: &TrustedCheckpoint, begins_with: RootHash) -> Self {
        let (before, now_at) = ((before.size(), before.root()), (now.size(), now.root()));
        Self { origin: now.origin().to_string(), before, now: now_at, begins_with }
    }
}

impl Explain for SplitView {
    explain! {
        Self { origin, before, now, begins_with } => Exit::Inconsistent, "log-forked",
            hint: "rely on nothing that this log says, and tell its witnesses and others who use it; `stele verify --online` writes such evidence into a file",
            "log": origin,
            "seen before": format!("size {}, root {}", before.0, before.1),
            "shown now": format!("size {}, root {}", now.0, now.1),
            "which begins with": format!("root {begins_with} at size {}", before.0);
    }
}
