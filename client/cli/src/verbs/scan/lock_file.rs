//! `stele.lock`: which models are on a machine, for another look or another machine to be held against.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use stele_explain::printable::one_line;
use stele_explain::{Exit, Explain, Failure, explain};
use stele_spec::hash::Digest;
use stele_verify::bounded_read::read;

use super::row::{Row, Verdict};

/// The largest file: some thousand models with long names.
const MAX_FILE: u64 = 16 << 20;
/// The version of the file.
const VERSION: u32 = 1;
/// How many places are named in an error.
const NAMED: usize = 20;

/// What lies on a machine, by place.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct LockFile(BTreeMap<String, Locked>);

/// The file as it is written.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    version: u32,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    model: Vec<Entry>,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    place: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    coordinate: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    log: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    entry: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    manifest: Option<Digest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    weights: Option<Digest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    loaded: Option<Digest>,
}

/// Which model is at a place: a release, or weights that are none.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Locked {
    coordinate: Option<String>,
    log: Option<String>,
    entry: Option<u64>,
    manifest: Option<Digest>,
    weights: Option<Digest>,
    /// All that a loader takes, where it is no verified release.
    loaded: Option<Digest>,
}

impl LockFile {
    /// What was found: the bytes of each model, and which release it is, where one is known.
    pub(super) fn of(rows: &[Row]) -> Self {
        let locked = |row: &Row| match &row.verdict {
            Verdict::Judged(judged) => {
                let release = &judged.release;
                Locked {
                    coordinate: Some(release.coordinate.clone()),
                    log: Some(release.log.clone()),
                    entry: Some(release.entry),
                    manifest: Some(release.manifest),
                    weights: row.weights,
                    loaded: row.loaded,
                }
            }
            _ => Locked {
                coordinate: None,
                log: None,
                entry: None,
                manifest: None,
                weights: row.weights,
                loaded: row.loaded,
            },
        };
        Self(rows.iter().map(|row| (row.place.clone(), locked(row))).collect())
    }

    /// Reads a file that `--lock` wrote.
    pub(super) fn read(path: &Path) -> Result<Self, Failure> {
        let bytes = read(path, MAX_FILE, "a file that stele scan --lock wrote")?;
        let malformed = |problem: String| LockError::Malformed { path: path.to_owned(), problem };
        let text = std::str::from_utf8(&bytes).map_err(|error| malformed(error.to_string()))?;
        let document: Document = toml::from_str(text).map_err(|error| malformed(error.to_string()))?;
        if document.version != VERSION {
            return Err(malformed(format!("version {}; this program knows {VERSION}", document.version)).into());
        }
        let count = document.model.len();
        let models: BTreeMap<String, Locked> = document.model.into_iter().map(Entry::locked).collect();
        if models.len() == count {
            Ok(Self(models))
        } else {
            Err(malformed("a place stands there twice".into()).into())
        }
    }

    /// Writes the file, in place of an older one.
    pub(super) fn write(&self, path: &Path) -> Result<(), Failure> {
        let model = self.0.iter().map(|(place, locked)| Entry::of(place.clone(), locked.clone()));
        let document = Document { version: VERSION, model: model.collect() };
        let text = toml::to_string(&document).map_err(|error| LockError::Unwritten { problem: error.to_string() })?;
        let head = "# What `stele scan` found. `stele scan --locked FILE` refuses what is not as it says.\n";
        Ok(stele_durable::replace_file(path, format!("{head}{text}").as_bytes())?)
    }

    /// What is not as this file says, if anything is not.
    pub(super) fn compare(&self, found: &Self) -> Option<Mismatch> {
        let mut mismatch = Mismatch::default();
        for (place, locked) in &self.0 {
            match found.0.get(place) {
                None => mismatch.missing.push(place.clone()),
                Some(found) if !locked.accepts(found) => {
                    mismatch.differing.push((place.clone(), locked.to_string(), found.to_string()));
                }
                Some(_) => {}
            }
        }
        mismatch.new = found.0.keys().filter(|place| !self.0.contains_key(*place)).cloned().collect();
        let is_none = mismatch.differing.is_empty() && mismatch.missing.is_empty() && mismatch.new.is_empty();
        (!is_none).then_some(mismatch)
    }
}

impl Locked {
    /// Whether what is at a place is as it was written down. That it is a release may be known since.
    fn accepts(&self, found: &Self) -> bool {
        let released_since = self.loaded == found.loaded || found.loaded.is_none() && found.manifest.is_some();
        self == found
            || self.manifest.is_none() && self.weights.is_some() && self.weights == found.weights && released_since
    }
}

impl Entry {
    fn of(place: String, locked: Locked) -> Self {
        let Locked { coordinate, log, entry, manifest, weights, loaded } = locked;
        Self { place, coordinate, log, entry, manifest, weights, loaded }
    }

    fn locked(self) -> (String, Locked) {
        let Self { place, coordinate, log, entry, manifest, weights, loaded } = self;
        (place, Locked { coordinate, log, entry, manifest, weights, loaded })
    }
}

impl std::fmt::Display for Locked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.coordinate, &self.manifest, &self.weights) {
            (Some(coordinate), Some(manifest), weights) => {
                let (log, entry) = (self.log.as_deref().unwrap_or_default(), self.entry.unwrap_or_default());
                let weights =
                    weights.map_or_else(|| "that differ or are missing".to_owned(), |weights| weights.to_string());
                write!(f, "{coordinate}, entry {entry} of {log}, manifest {manifest}, weights {weights}")
            }
            (.., Some(weights)) => {
                write!(f, "no release; weights {weights}")?;
                self.loaded.map_or(Ok(()), |loaded| write!(f, ", with what is loaded beside them {loaded}"))
            }
            _ => f.write_str("no release, and no weights that could be hashed"),
        }
    }
}

/// What is not as a lock file says.
#[derive(Debug, Default, thiserror::Error)]
#[error("what lies here is not as the lock file says: {} another model, {} missing, {} new", .differing.len(), .missing.len(), .new.len())]
pub(super) struct Mismatch {
    /// Places with another model, each with what the file says and what is there.
    pub(super) differing: Vec<(String, String, String)>,
    pub(super) missing: Vec<String>,
    pub(super) new: Vec<String>,
}

impl Mismatch {
    fn facts(&self) -> Vec<(&'static str, String)> {
        let differing = self.differing.iter().flat_map(|(place, expected, found)| {
            [("differs", one_line(place)), ("expected", one_line(expected)), ("found", one_line(found))]
        });
        let missing = self.missing.iter().map(|place| ("missing", one_line(place)));
        let new = self.new.iter().map(|place| ("new", one_line(place)));
        let all = differing.take(3 * NAMED).chain(missing.take(NAMED)).chain(new.take(NAMED));
        all.map(|(name, value)| (name, value.to_string())).collect()
    }
}

impl Explain for Mismatch {
    fn exit(&self) -> Exit {
        match (self.differing.is_empty(), self.missing.is_empty()) {
            (false, _) => Exit::BytesDiffer,
            (true, false) => Exit::Incomplete,
            (true, true) => Exit::Unrecorded,
        }
    }

    fn code(&self) -> &'static str {
        match (self.differing.is_empty(), self.missing.is_empty()) {
            (false, _) => "locked-differs",
            (true, false) => "locked-missing",
            (true, true) => "locked-new",
        }
    }

    fn hint(&self) -> Option<String> {
        Some(
            "put the models back that the file names, or write the file anew with --lock once what is here is meant"
                .into(),
        )
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        self.facts()
    }
}

/// Why there is no lock file.
#[derive(Debug, thiserror::Error)]
pub(super) enum LockError {
    /// Not one of ours.
    #[error("{} is no lock file of stele scan: {problem}", .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// It cannot be written as TOML.
    #[error("the lock file cannot be written: {problem}")]
    Unwritten {
        /// Why.
        problem: String,
    },
}

impl Explain for LockError {
    explain! {
        Self::Malformed { .. } => Exit::BadInput, "lock-malformed",
            hint: "write it with stele scan --lock FILE, and do not edit it";
        Self::Unwritten { .. } => Exit::Internal, "internal";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> Result<LockFile, Failure> {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("stele.lock");
        std::fs::write(&path, text).unwrap();
        LockFile::read(&path)
    }

    fn locked(weights: &[u8]) -> Locked {
        let weights = Some(Digest::of(weights));
        Locked { coordinate: None, log: None, entry: None, manifest: None, weights, loaded: None }
    }

    #[test]
    fn what_is_written_is_read() {
        let release = Locked {
            coordinate: Some("acme.example/tiny@1.0.0#base".into()),
            log: Some("log.example".into()),
            entry: Some(3),
            manifest: Some(Digest::of(b"m")),
            weights: None,
            loaded: Some(Digest::of(b"l")),
        };
        let nothing = Locked { weights: None, ..locked(b"") };
        let all = LockFile(BTreeMap::from([
            ("a \u{1b}[2J\n\"".to_owned(), release),
            ("b".to_owned(), locked(b"w")),
            ("c".to_owned(), nothing),
        ]));
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("stele.lock");
        for lock in [all, LockFile(BTreeMap::new())] {
            lock.write(&path).unwrap();
            assert_eq!(LockFile::read(&path).unwrap(), lock);
            assert!(lock.compare(&lock).is_none());
        }
    }

    #[test]
    fn what_is_no_lock_file_is_refused() {
        for text in [
            "",
            "version = 2",
            "version = 1\nmodels = []",
            "version = 1\n[[model]]\nplace = \"a\"\ncoordinat = \"x\"",
            "version = 1\n[[model]]\ncoordinate = \"x\"",
            "version = 1\n[[model]]\nplace = \"a\"\nmanifest = \"00\"",
            "version = 1\n[[model]]\nplace = \"a\"\n[[model]]\nplace = \"a\"",
            "\u{0}",
        ] {
            assert_eq!(file(text).unwrap_err().as_explain().code(), "lock-malformed", "{text:?}");
        }
    }

    #[test]
    fn a_release_that_is_known_by_now_is_what_was_written_down_and_one_that_no_longer_is_differs() {
        let release = Locked { manifest: Some(Digest::of(b"m")), coordinate: Some("a/b@1#c".into()), ..locked(b"w") };
        assert!(locked(b"w").accepts(&release));
        assert!(!locked(b"v").accepts(&release));
        let [one, other] = [b"1", b"2"].map(|all| Locked { loaded: Some(Digest::of(all)), ..locked(b"w") });
        assert!(one.accepts(&one) && one.accepts(&release) && !one.accepts(&other) && !one.accepts(&locked(b"w")));
        assert!(!release.accepts(&locked(b"w")));
        let nothing = Locked { weights: None, ..locked(b"") };
        assert!(nothing.accepts(&nothing) && !nothing.accepts(&locked(b"w")));
    }

    #[test]
    fn the_worst_gives_the_code_and_all_is_told() {
        let of = |models: &[(&str, &[u8])]| {
            LockFile(models.iter().map(|(place, weights)| ((*place).to_owned(), locked(weights))).collect())
        };
        let file = of(&[("a", b"1"), ("b", b"2")]);
        for (found, code, exit) in [
            (of(&[("a", b"1"), ("b", b"2"), ("c", b"3")]), "locked-new", Exit::Unrecorded),
            (of(&[("a", b"1"), ("c", b"3")]), "locked-missing", Exit::Incomplete),
            (of(&[("a", b"2"), ("c", b"3")]), "locked-differs", Exit::BytesDiffer),
        ] {
            let mismatch = file.compare(&found).unwrap();
            assert_eq!((mismatch.code(), mismatch.exit()), (code, exit));
        }
        let told = stele_explain::text(&file.compare(&of(&[("a", b"2"), ("c\n", b"3")])).unwrap());
        for part in ["1 another model, 1 missing, 1 new", "differs: a", "missing: b", "new: c\\n"] {
            assert!(told.contains(part), "{told}");
        }
    }
}
