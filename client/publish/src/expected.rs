//! Expected entries: what a publisher says beforehand that it will log, so that its monitor is silent about it.
//!
//! A text file that is only ever appended to: a line is a leaf hash in hex, a space, and the coordinate or publisher, which
//! is for people. Empty lines and lines that begin with `#` say nothing. The line is written before the statement is sent:
//! an entry that a monitor sees is expected already, and a line too many harms nobody.

use std::collections::BTreeSet;
use std::path::Path;

use stele_durable as durable;
use stele_durable::lock::{Lock, LockError};
use stele_explain::{Exit, Explain, Failure, explain};
use stele_spec::hash::LeafHash;
use stele_spec::merkle::leaf_hash;
use stele_spec::statement::SignedStatement;
use stele_spec::text::hex_exact;

/// The largest file: some 50,000 lines.
const MAX_EXPECTED: u64 = 16 << 20;
/// How often a file that another process writes is tried.
const TRIES: u32 = 50;

/// The leaf hashes of a file; none where the file is not there yet.
pub fn read(path: &Path) -> Result<BTreeSet<LeafHash>, Failure> {
    let Some(bytes) = durable::read_file(path, MAX_EXPECTED)? else { return Ok(BTreeSet::new()) };
    let malformed = |line| ExpectedError { path: path.display().to_string(), line };
    let text = String::from_utf8(bytes).map_err(|_| malformed(0))?;
    Ok(parse(&text).map_err(malformed)?)
}

/// Adds a statement to a file, durably, before it is sent. Adding it twice changes nothing.
pub fn append(path: &Path, signed: &SignedStatement) -> Result<(), Failure> {
    let _lock = locked(path)?;
    let leaf = leaf_hash(signed.bytes());
    if read(path)?.contains(&leaf) {
        return Ok(());
    }
    let mut text = durable::read_file(path, MAX_EXPECTED)?.unwrap_or_default();
    if text.last().is_some_and(|last| *last != b'\n') {
        text.push(b'\n');
    }
    let statement = signed.statement();
    let subject = statement.coordinate().map_or_else(|| statement.publisher().to_string(), |name| name.to_string());
    text.extend_from_slice(format!("{leaf} {subject}\n").as_bytes());
    durable::replace_file(path, &text)?;
    Ok(())
}

/// Two that publish at the same time add one after the other.
fn locked(path: &Path) -> Result<Lock, LockError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    for _ in 1..TRIES {
        match Lock::take(&name) {
            Err(LockError::Held { .. }) => std::thread::sleep(std::time::Duration::from_millis(100)),
            done => return done,
        }
    }
    Lock::take(&name)
}

/// The number of the first line that is none is the error.
fn parse(text: &str) -> Result<BTreeSet<LeafHash>, usize> {
    let mut leaves = BTreeSet::new();
    for (number, line) in (1usize..).zip(text.lines()) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let leaf = line.split_once(' ').and_then(|(leaf, _)| hex_exact(leaf).ok()).ok_or(number)?;
        leaves.insert(LeafHash::from_bytes(leaf));
    }
    Ok(leaves)
}

/// A line that is none.
#[derive(Debug, thiserror::Error)]
#[error("{path}:{line}: expected a leaf hash, a space and a name")]
pub struct ExpectedError {
    path: String,
    line: usize,
}

impl Explain for ExpectedError {
    explain! {
        Self { .. } => Exit::BadInput, "expected-malformed",
            hint: "nothing is expected while the file cannot be read whole: correct the line";
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use stele_spec::key::SecretKey;
    use stele_spec::statement::{PublisherClaim, Statement, Timestamp, sign};

    fn claim(publisher: &str) -> SignedStatement {
        let key = SecretKey::from_seed([9; 32]);
        let claim = PublisherClaim::new(publisher.parse().unwrap(), Timestamp::MAX, &[key.public()]);
        sign(&Statement::Publisher(claim), &key).unwrap()
    }

    #[test]
    fn a_line_that_is_none_is_named() {
        let hex = "0".repeat(64);
        for text in
            ["x".to_owned(), hex.clone(), format!(" {hex} a"), format!("{}g a", &hex[1..]), format!("{}A a", &hex[1..])]
        {
            assert_eq!(parse(&format!("# all\n\n{hex} a\n{text}\n")), Err(4), "{text}");
        }
    }

    #[test]
    fn what_is_appended_is_expected_once_and_the_rest_stays() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("expected");
        assert!(read(&path).unwrap().is_empty());
        std::fs::write(&path, "# ours").unwrap();
        let (one, two) = (claim("acme.example"), claim("other.example"));
        for signed in [&one, &two, &one] {
            append(&path, signed).unwrap();
        }
        let leaves = read(&path).unwrap();
        assert_eq!((leaves.len(), leaves.contains(&leaf_hash(two.bytes()))), (2, true));
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("# ours\n") && text.ends_with(" other.example\n"), "{text}");
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_by_its_line(text: String) {
            if let Err(line) = parse(&text) { prop_assert!(line >= 1 && line <= text.lines().count()); }
        }
    }
}
