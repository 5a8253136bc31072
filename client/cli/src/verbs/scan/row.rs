//! What is said of one model.

use std::path::PathBuf;

use stele_log_client::judgement::Word;
use stele_spec::hash::Digest;
use stele_spec::status::State;

use crate::hashed_files::Copy;

/// A model, and what is said of it.
#[derive(Debug)]
pub(super) struct Row {
    /// Whose it is, and its name there.
    pub(super) place: String,
    /// Where it is.
    pub(super) path: PathBuf,
    pub(super) verdict: Verdict,
    /// What is wrong with how it lies here.
    pub(super) notes: Vec<String>,
    /// The digest over its weights, by name and digest; of single files over all that are no documents. None where one was not hashed, or differs.
    pub(super) weights: Option<Digest>,
    /// The digest over all of a folder that a loader takes, where the folder is no verified release; none where one was not hashed.
    pub(super) loaded: Option<Digest>,
    /// The files that were hashed, for what lies here twice.
    pub(super) copies: Vec<Copy>,
}

/// What is known of a model.
#[derive(Debug)]
pub(super) enum Verdict {
    /// It is a release, as `stele verify` judges it.
    Judged(Judged),
    /// No release of the log has its weights, and none that the log names has a file of it.
    NotReleased {
        /// Whether the index proves that no release has these weights, under these names.
        is_proven: bool,
        /// What of it is in releases of other weights, and in which, in words.
        shared: Option<String>,
    },
    /// No release is here, and no log was asked.
    NoRecord,
    /// There is no verdict.
    Failed { code: &'static str, message: String },
}

/// The verdict on a release.
#[derive(Debug)]
pub(super) struct Judged {
    pub(super) word: Word,
    /// The first word, as a person reads it.
    pub(super) shown: String,
    /// The rest of the first line.
    pub(super) sentence: String,
    pub(super) problems: Vec<&'static str>,
    pub(super) release: LoggedModel,
    /// What became of it.
    pub(super) state: State,
    /// Incidents that are open.
    pub(super) incidents: usize,
}

/// Which release a model is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct LoggedModel {
    pub(super) coordinate: String,
    pub(super) log: String,
    pub(super) entry: u64,
    pub(super) manifest: Digest,
}

impl Row {
    pub(super) fn is_verified(&self) -> bool {
        matches!(&self.verdict, Verdict::Judged(judged) if judged.problems.is_empty()) && self.notes.is_empty()
    }

    /// Whether something is wrong with it, and not only unknown.
    pub(super) fn is_refused(&self) -> bool {
        match &self.verdict {
            Verdict::Judged(judged) => !judged.problems.is_empty(),
            Verdict::Failed { .. } => true,
            Verdict::NotReleased { .. } | Verdict::NoRecord => false,
        }
    }

    /// For a script.
    pub(super) fn word(&self) -> &'static str {
        match &self.verdict {
            Verdict::Judged(judged) => judged.word.as_str(),
            Verdict::NotReleased { .. } => "not-released",
            Verdict::NoRecord => "no-record",
            Verdict::Failed { .. } => "not-verified",
        }
    }

    /// The same for a person: an open critical incident is no withdrawal.
    pub(super) fn shown(&self) -> &str {
        match &self.verdict {
            Verdict::Judged(judged) if judged.shown == "CRITICAL" => "critical",
            _ => self.word(),
        }
    }

    /// The order in which rows are shown: what must not be missed comes first.
    pub(super) fn rank(&self) -> u8 {
        match &self.verdict {
            Verdict::Judged(judged) if !judged.problems.is_empty() => 0,
            Verdict::Failed { .. } => 1,
            Verdict::NotReleased { .. } => 2,
            Verdict::NoRecord => 3,
            Verdict::Judged(_) => 4,
        }
    }
}
