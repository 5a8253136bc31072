//! Where `publish` puts the bundle: found out before anything is sent, since an entry cannot be taken back.
//!
//! The place must be writable, must hold nothing but a bundle of the same release, and must not become a file of the
//! release itself. If writing fails all the same once the log has answered, the bundle goes to the local state.

use std::path::{Path, PathBuf};

use stele_durable::{self as durable, DurableError};
use stele_explain::{Exit, Explain, explain};
use stele_log_client::local_state::LocalState;
use stele_spec::bundle::{Bundle, BundleError, MAX_BUNDLE};
use stele_spec::hash::Digest;
use stele_spec::hints::{Hints, MAX_HINTS};
use stele_spec::name::Coordinate;
use stele_spec::statement::SignedStatement;
use stele_verify::folder::{BUNDLE, hints};

/// A place that was looked at.
#[derive(Debug)]
pub struct BundlePlace(PathBuf);

impl BundlePlace {
    /// `output`, else `release.stele` in the folder; refused if no bundle can or should go there.
    pub fn find(folder: &Path, output: Option<&Path>) -> Result<Self, BundlePlaceError> {
        let path = output.map_or_else(|| folder.join(BUNDLE), Path::to_owned);
        if is_file_of_release(folder, &path) {
            return Err(BundlePlaceError::Inside { path });
        }
        if path.is_dir() {
            return Err(BundlePlaceError::Folder { path });
        }
        let unwritable = |source| BundlePlaceError::Unwritable { path: path.clone(), source };
        durable::check_writable(&path).map_err(unwritable)?;
        Ok(Self(path))
    }

    /// The place.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Refuses a place that holds anything but a bundle of this release.
    pub fn is_for(&self, release: &Coordinate) -> Result<(), BundlePlaceError> {
        let unwritable = |source| BundlePlaceError::Unwritable { path: self.0.clone(), source };
        match other_content(&self.0, release).map_err(unwritable)? {
            None => Ok(()),
            Some(found) => Err(BundlePlaceError::Taken { path: self.0.clone(), found, release: release.to_string() }),
        }
    }

    /// Writes the hints beside the bundle, and says where; none where there are none, or where something else than hints is. Hints of before are about files,
    /// and do no harm where they are of others.
    pub fn write_hints(&self, hints: Option<&Hints>) -> Result<Option<PathBuf>, DurableError> {
        let path = hints::beside(&self.0);
        let is_ours = match durable::read_file(&path, MAX_HINTS as u64) {
            Ok(None) => true,
            Ok(Some(bytes)) => Hints::parse(&bytes).is_ok(),
            Err(DurableError::TooLarge { .. }) => false,
            Err(error) => return Err(error),
        };
        let Some(bytes) = hints.and_then(|hints| hints.encode().ok()).filter(|_| is_ours && path != self.0) else {
            return Ok(None);
        };
        durable::replace_file(&path, &bytes)?;
        durable::remove_unfinished(&path);
        Ok(Some(path))
    }

    /// Writes the bundle of an entry that the log has by now.
    pub fn write(self, bytes: &[u8], entry: u64, local_state: &LocalState) -> Result<PathBuf, BundlePlaceError> {
        match durable::replace_file(&self.0, bytes) {
            Ok(()) => Ok(self.0),
            Err(source) => {
                let kept = keep(local_state, bytes).ok().flatten();
                Err(BundlePlaceError::Unwritten { path: self.0, entry, kept, source })
            }
        }
    }
}

/// Whether a path is in the folder and not `release.stele` at its top, so that the next walk would take it for a file.
fn is_file_of_release(folder: &Path, path: &Path) -> bool {
    let above = path.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let (Ok(folder), Ok(above)) = (folder.canonicalize(), above.canonicalize()) else { return false };
    above.starts_with(&folder) && above.join(path.file_name().unwrap_or_default()) != folder.join(BUNDLE)
}

/// What a file holds, unless it is missing or a bundle of this release.
pub fn other_content(path: &Path, release: &Coordinate) -> Result<Option<String>, DurableError> {
    let bytes = match durable::read_file(path, MAX_BUNDLE as u64) {
        Ok(None) => return Ok(None),
        Ok(Some(bytes)) => bytes,
        Err(DurableError::TooLarge { .. }) => return Ok(Some("a file larger than any bundle".into())),
        Err(error) => return Err(error),
    };
    // A pointer is no loss.
    if matches!(Bundle::parse(&bytes), Err(BundleError::StandIn { found }) if found.is_replaceable()) {
        return Ok(None);
    }
    let signed = Bundle::parse(&bytes).ok().and_then(|bundle| SignedStatement::parse(&bundle.statement).ok());
    let Some(signed) = signed else { return Ok(Some("a file that is no bundle".into())) };
    let Some(there) = signed.statement().release().map(|there| there.coordinate()) else {
        return Ok(Some(format!("the receipt of a statement, {}", signed.statement().kind())));
    };
    Ok((there != *release).then(|| format!("the bundle of {there}")))
}

/// Keeps a bundle in the local state; `None` where there is none.
fn keep(local_state: &LocalState, bytes: &[u8]) -> Result<Option<PathBuf>, DurableError> {
    let Some(folder) = local_state.folder().map(|folder| folder.join("bundles")) else { return Ok(None) };
    durable::create_dir_all(&folder)?;
    let path = folder.join(format!("{}.stele", Digest::of(bytes)));
    durable::replace_file(&path, bytes)?;
    Ok(Some(path))
}

/// Why a bundle has no place.
#[derive(Debug, thiserror::Error)]
pub enum BundlePlaceError {
    /// It would be a file of the next release of this folder.
    #[error("{} is inside the folder: the bundle would count as a file of the release", .path.display())]
    Inside {
        /// The place.
        path: PathBuf,
    },
    /// A folder stands there.
    #[error("{} is a folder: expected the name of a file for the bundle", .path.display())]
    Folder {
        /// The place.
        path: PathBuf,
    },
    /// No file can be made there.
    #[error("the bundle cannot be written to {}", .path.display())]
    Unwritable {
        /// The place.
        path: PathBuf,
        /// What the machine said.
        #[source]
        source: DurableError,
    },
    /// Something else is there.
    #[error("{} holds {found}, and {release} is about to be published", .path.display())]
    Taken {
        /// The place.
        path: PathBuf,
        /// What it holds.
        found: String,
        /// What would be put there.
        release: String,
    },
    /// The log has the entry, and the bundle could not be written.
    #[error("the release is entry {entry} of the log, and its bundle cannot be written to {}", .path.display())]
    Unwritten {
        /// The place.
        path: PathBuf,
        /// The position in the log.
        entry: u64,
        /// Where the bundle was put instead.
        kept: Option<PathBuf>,
        /// What the machine said.
        #[source]
        source: DurableError,
    },
}

impl Explain for BundlePlaceError {
    explain! {
        Self::Inside { .. } => Exit::BadInput, "bundle-inside-folder",
            hint: "name a file outside the folder with --output; nothing has been sent";
        Self::Folder { .. } => Exit::BadInput, "bundle-is-folder", hint: "name a file with --output; nothing has been sent";
        Self::Unwritable { source, .. } => source.exit(), "bundle-unwritable",
            hint: "check the owner and mode of its folder, or name another file with --output; nothing has been sent";
        Self::Taken { found, release, .. } => Exit::BadInput, "bundle-of-another-release",
            hint: "is the version in release.toml meant? --replace-bundle writes over the file; --output FILE writes \
                   elsewhere; nothing has been sent",
            "expected": format!("nothing, or the bundle of {release}"), "found": found;
        Self::Unwritten { source, entry, kept: Some(kept), .. } => source.exit(), "bundle-unwritten",
            hint: format!(
                "the bundle is in {}: copy it beside the weights; or publish again with --output FILE, which gives the \
                 same entry",
                kept.display()
            ),
            "entry": entry, "bundle": kept.display();
        Self::Unwritten { source, entry, kept: None, .. } => source.exit(), "bundle-unwritten",
            hint: "publish again with --output FILE: the log answers with the same entry",
            "entry": entry;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn release() -> Coordinate {
        "acme.example/tiny@1.0#base".parse().unwrap()
    }

    #[test]
    fn only_the_top_release_stele_is_a_place_inside_the_folder() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("model");
        std::fs::create_dir_all(folder.join("sub")).unwrap();
        let find = |output: Option<&Path>| BundlePlace::find(&folder, output);
        assert!(find(None).is_ok());
        assert!(find(Some(&folder.join("sub/../release.stele"))).is_ok());
        assert!(find(Some(&home.path().join("other.stele"))).is_ok());
        for inside in ["other.stele", "sub/release.stele"] {
            assert!(matches!(find(Some(&folder.join(inside))), Err(BundlePlaceError::Inside { .. })), "{inside}");
        }
        assert!(matches!(find(Some(home.path())), Err(BundlePlaceError::Folder { .. })));
        let left: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert_eq!(left, ["sub"]);
    }

    #[test]
    fn a_file_that_is_no_bundle_of_the_release_is_left_alone() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("model");
        std::fs::create_dir(&folder).unwrap();
        let path = home.path().join("notes.txt");
        std::fs::write(&path, "mine").unwrap();
        let place = BundlePlace::find(&folder, Some(&path)).unwrap();
        assert!(matches!(place.is_for(&release()), Err(BundlePlaceError::Taken { .. })));
        assert!(BundlePlace::find(&folder, None).unwrap().is_for(&release()).is_ok());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "mine");
    }
}
