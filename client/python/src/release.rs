//! A verified release, and what it names.

use std::path::PathBuf;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use stele_explain::Failure;
use stele_verify::folder::{hints, locate};
use stele_verify::{Allow, Coordinate, Expected, FilePath, KeyId, Publisher, VerifiedRelease};

use crate::error::{failed, raised};
use crate::private_copy;
use crate::report::Report;
use crate::sealed;

/// A release whose bundle was verified. It says nothing of the files on a disk.
#[pyclass(frozen, module = "stele")]
#[derive(Debug)]
pub(crate) struct Release {
    pub(crate) release: VerifiedRelease,
}

/// A file of a release, as its manifest names it.
#[pyclass(frozen, get_all, module = "stele")]
#[derive(Debug)]
pub(crate) struct File {
    path: String,
    role: &'static str,
    size: u64,
    sha256: String,
}

/// The tree head on which a release rests.
#[pyclass(frozen, get_all, module = "stele")]
#[derive(Debug)]
pub(crate) struct Checkpoint {
    origin: String,
    tree_size: u64,
    root: String,
    witnesses: Vec<String>,
    /// The median of the cosignature times, in Unix seconds.
    time: Option<u64>,
}

#[pymethods]
impl Release {
    /// `publisher/model@version#variant`.
    #[getter]
    fn coordinate(&self) -> String {
        self.release.coordinate().to_string()
    }

    #[getter]
    fn publisher(&self) -> String {
        self.release.coordinate().publisher.to_string()
    }

    #[getter]
    fn model(&self) -> String {
        self.release.coordinate().model.to_string()
    }

    #[getter]
    fn version(&self) -> String {
        self.release.coordinate().version.to_string()
    }

    #[getter]
    fn variant(&self) -> String {
        self.release.coordinate().variant.to_string()
    }

    /// The key id of the signer, in hex.
    #[getter]
    fn signer(&self) -> String {
        self.release.signer().to_string()
    }

    /// The entry that revoked the signer's key after the release, if the bundle has it.
    #[getter]
    fn signer_revoked_at(&self) -> Option<u64> {
        self.release.signer_revoked_at()
    }

    /// The position of the release in the log, from 0.
    #[getter]
    fn entry(&self) -> u64 {
        self.release.entry_index()
    }

    #[getter]
    fn checkpoint(&self) -> Checkpoint {
        let found = self.release.checkpoint();
        Checkpoint {
            origin: found.origin().to_string(),
            tree_size: found.size(),
            root: found.root().to_string(),
            witnesses: found.witnesses().iter().map(|one| one.witness.clone()).collect(),
            time: found.time().map(|time| time.seconds()),
        }
    }

    /// Whether the bundle proves that it has all that its publisher said: `checked`, `log-alone` or `none`.
    #[getter]
    fn completeness(&self) -> &'static str {
        self.release.completeness().as_str()
    }

    /// The index cosigners that checked that, by their names in the policy.
    #[getter]
    fn index_cosigners(&self) -> Vec<String> {
        self.release.completeness().index_cosigners().iter().map(|one| one.witness.clone()).collect()
    }

    /// What became of it, by all that the bundle has: `released`, `amended`, `superseded`, `withdrawn` or `conflicting`.
    #[getter]
    fn status(&self) -> &'static str {
        self.release.history().state().as_str()
    }

    /// Refuses a release that was withdrawn, or about which the log contradicts itself, by what the bundle has.
    fn require_in_force(&self, py: Python<'_>) -> PyResult<()> {
        self.release.require_in_force().map_err(|error| raised(py, &error))
    }

    /// Every file, in the order of the manifest.
    #[getter]
    fn files(&self) -> Vec<File> {
        let files = self.release.manifest().files().iter().map(|file| File {
            path: file.path.to_string(),
            role: file.role.as_str(),
            size: file.size,
            sha256: file.sha256.to_string(),
        });
        files.collect()
    }

    /// The digest of all weights, as the record has it.
    #[getter]
    fn weights_digest(&self) -> String {
        self.release.manifest().weights_digest().to_string()
    }

    /// Refuses another publisher, signer or coordinate, and a tree head that was cosigned before `not_before` (Unix seconds).
    #[pyo3(signature = (*, publisher=None, signer=None, coordinate=None, not_before=None))]
    fn require(
        &self,
        py: Python<'_>,
        publisher: Option<&str>,
        signer: Option<&str>,
        coordinate: Option<&str>,
        not_before: Option<u64>,
    ) -> PyResult<()> {
        let expected = Expected::default()
            .publisher(publisher.map(|text| parsed::<Publisher, _>("publisher", text.parse())).transpose()?)
            .signer(signer.map(|text| parsed("signer", KeyId::from_hex(text))).transpose()?)
            .coordinate(coordinate.map(|text| parsed::<Coordinate, _>("coordinate", text.parse())).transpose()?)
            .not_before(not_before);
        self.release.require(&expected).map_err(|error| raised(py, &error))
    }

    /// The path in the release that a folder has, by the place of its bundle; empty for the whole release.
    fn _place(&self, py: Python<'_>, folder: PathBuf, bundle: PathBuf) -> PyResult<String> {
        let place = locate::place_of(&folder, &bundle, false, self.release.manifest());
        place.map_err(|error| raised(py, &error))
    }

    /// A sealed copy in memory of one file, as an open descriptor; its content is the recorded one.
    #[pyo3(signature = (recorded, path, bundle=None))]
    fn _sealed(&self, py: Python<'_>, recorded: &str, path: PathBuf, bundle: Option<PathBuf>) -> PyResult<i32> {
        let recorded: FilePath = parsed("recorded", recorded.parse())?;
        let hints = bundle.and_then(|bundle| hints::read(&bundle).ok().flatten());
        sealed::copy(py, &path, &recorded, &self.release, hints.as_ref())
    }

    /// Copies the recorded files of a folder into another one and compares the copies with the record.
    #[pyo3(signature = (folder, within, into, allow_missing, bundle=None))]
    fn _copy(
        &self,
        py: Python<'_>,
        folder: PathBuf,
        within: &str,
        into: PathBuf,
        allow_missing: bool,
        bundle: Option<PathBuf>,
    ) -> PyResult<Report> {
        let hints = bundle.and_then(|bundle| hints::read(&bundle).ok().flatten());
        let copied = py.detach(|| -> Result<_, Failure> {
            let report = private_copy::copy(&folder, within, &into, &self.release, hints.as_ref())?;
            report.require(Allow::default().missing(allow_missing))?;
            Ok(report)
        });
        Report::new(py, copied.map_err(|failure| failed(py, &failure))?)
    }

    fn __repr__(&self) -> String {
        format!("<stele.Release {} at entry {}>", self.release.coordinate(), self.release.entry_index())
    }
}

/// What an argument says; another text is the caller's error.
fn parsed<T, E: std::fmt::Display>(name: &str, value: Result<T, E>) -> PyResult<T> {
    value.map_err(|error| PyValueError::new_err(format!("{name}: {error}")))
}
