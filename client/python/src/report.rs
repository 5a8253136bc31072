//! Files that were found, held against a release.

use pyo3::prelude::*;
use stele_verify::FolderReport;

/// Every path of the manifest and of the folder, in exactly one list.
#[pyclass(frozen, get_all, module = "stele")]
#[derive(Debug)]
pub(crate) struct Report {
    /// How many files the asked part of the record has.
    of: usize,
    matching: Vec<String>,
    /// The bytes of the matching files together.
    bytes: u64,
    differing: Vec<Py<Difference>>,
    missing: Vec<String>,
    unusable: Vec<Py<Unusable>>,
    extra: Vec<Py<Extra>>,
    /// The digest of the weights, if all of them were read and match.
    weights: Option<String>,
    is_complete_and_exact: bool,
}

/// A file with another content than the recorded one.
#[pyclass(frozen, get_all, module = "stele")]
#[derive(Debug)]
pub(crate) struct Difference {
    path: String,
    expected_size: u64,
    expected_sha256: String,
    size: u64,
    /// None where a file of another length was not hashed.
    sha256: Option<String>,
}

/// Something in the place of a recorded file that is no regular file.
#[pyclass(frozen, get_all, module = "stele")]
#[derive(Debug)]
pub(crate) struct Unusable {
    path: String,
    why: String,
}

/// Something that the record does not name.
#[pyclass(frozen, get_all, module = "stele")]
#[derive(Debug)]
pub(crate) struct Extra {
    path: String,
    /// What it is, if it is no file.
    what: Option<String>,
    /// What a loader would take it for; None where no loader would.
    role: Option<&'static str>,
}

impl Report {
    /// The same for Python.
    pub(crate) fn new(py: Python<'_>, report: FolderReport) -> PyResult<Self> {
        let texts = |paths: &[stele_verify::FilePath]| paths.iter().map(ToString::to_string).collect();
        let differing = report.differing.iter().map(|found| {
            let difference = Difference {
                path: found.path.to_string(),
                expected_size: found.expected.size,
                expected_sha256: found.expected.sha256.to_string(),
                size: found.size,
                sha256: found.sha256.map(|digest| digest.to_string()),
            };
            Py::new(py, difference)
        });
        let unusable =
            report.unusable.iter().map(|odd| Py::new(py, Unusable { path: odd.path.clone(), why: odd.why.clone() }));
        let extra = report
            .extra
            .iter()
            .map(|extra| Py::new(py, Extra { path: extra.path.clone(), what: extra.what.clone(), role: extra.role }));
        Ok(Self {
            of: report.of,
            matching: texts(&report.matching),
            bytes: report.bytes,
            differing: differing.collect::<PyResult<_>>()?,
            missing: texts(&report.missing),
            unusable: unusable.collect::<PyResult<_>>()?,
            extra: extra.collect::<PyResult<_>>()?,
            weights: report.weights().map(|digest| digest.to_string()),
            is_complete_and_exact: report.is_complete_and_exact(),
        })
    }
}

#[pymethods]
impl Report {
    fn __repr__(&self) -> String {
        format!("<stele.Report: {} of {} files match>", self.matching.len(), self.of)
    }
}
