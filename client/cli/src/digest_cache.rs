//! The cache of digests of this machine's user, as the verbs that hash use it.

use serde_json::{Value, json};
use stele_explain::Explain as _;
use stele_explain::printable::one_line;
use stele_log_client::moment::moment;
use stele_spec::verify::{FolderReport, count};
use stele_terminal::volume::{note, step};
use stele_verify::folder::digest_cache::{self, CacheError, CacheUse, CacheUsed, DigestCache};

use crate::settings::variable;

/// The cache, unless it is not wanted or cannot be used; then every file is hashed, as without one.
pub(crate) fn open(is_off: bool, rehash: bool) -> Option<DigestCache> {
    let folder = digest_cache::place().filter(|_| !is_off)?;
    match DigestCache::open(&folder, if rehash { CacheUse::Rehash } else { CacheUse::Use }) {
        Ok(cache) => Some(cache),
        Err(error) => {
            let hint = error.hint().map(|hint| format!("; {hint}")).unwrap_or_default();
            let line = format!("every file is hashed: {}{}\n", one_line(&error.to_string()), one_line(&hint));
            // A machine without a home, or with a read-only one, verifies all the same. What somebody named, or others may write to, is said.
            let is_named = variable("STELE_CACHE").is_some();
            if matches!(error, CacheError::Io { .. }) && !is_named {
                step(&line)
            } else {
                note(&line)
            }
            None
        }
    }
}

/// What was not hashed, for a person: nothing where every file was.
pub(crate) fn text(used: &CacheUsed, comparison: Option<&FolderReport>) -> Option<String> {
    let comparison = comparison.filter(|_| used.files > 0)?;
    let compared = comparison.matching.len() + comparison.differing.iter().filter(|file| file.sha256.is_some()).count();
    let hashed = u64::try_from(compared).unwrap_or(u64::MAX).saturating_sub(used.files);
    let since = since(used).map(|since| format!(", the first at {since}")).unwrap_or_default();
    Some(format!(
        "hashed {hashed} of {} again, the rest ({} bytes) being unchanged since it was hashed{since}; --rehash hashes all",
        count(compared, "file"),
        used.bytes
    ))
}

/// The same for a script.
pub(crate) fn json(used: &CacheUsed) -> Value {
    json!({ "files": used.files, "bytes": used.bytes, "since": since(used) })
}

fn since(used: &CacheUsed) -> Option<String> {
    used.since.and_then(|since| u64::try_from(since).ok()).map(moment)
}
