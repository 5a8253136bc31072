//! What the package does: a bundle under a policy, and a folder by its bundle.

use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use stele_spec::bundle::MAX_BUNDLE;
use stele_verify::folder::locate::{TargetKind, find};
use stele_verify::{Allow, bounded_read};

use crate::error::{failed, raised};
use crate::policy;
use crate::release::Release;
use crate::report::Report;

/// A release, and the files that were compared with it.
#[pyclass(frozen, get_all, module = "stele")]
#[derive(Debug)]
pub(crate) struct Verification {
    release: Py<Release>,
    report: Py<Report>,
}

/// What a path means.
#[pyclass(frozen, get_all, module = "stele")]
#[derive(Debug)]
pub(crate) struct Target {
    /// `folder`, `file` or `bundle`.
    kind: &'static str,
    path: PathBuf,
    bundle: PathBuf,
}

/// Verifies a `release.stele` under a policy.
#[pyfunction]
#[pyo3(signature = (bundle, policy=None))]
pub(crate) fn verify(
    py: Python<'_>,
    bundle: &Bound<'_, PyBytes>,
    policy: Option<&Bound<'_, PyAny>>,
) -> PyResult<Release> {
    let policy = policy::given(py, policy)?;
    let (bytes, policy) = (bundle.as_bytes(), &policy.get().policy);
    let release = py.detach(|| stele_verify::verify(bytes, policy)).map_err(|error| raised(py, &error))?;
    Ok(Release { release })
}

/// Verifies a folder, one file, or a snapshot in a Hugging Face cache by the bundle beside or above it.
#[pyfunction]
#[pyo3(signature = (path, policy=None, allow_missing=false, allow_extra=false))]
pub(crate) fn verify_folder(
    py: Python<'_>,
    path: PathBuf,
    policy: Option<&Bound<'_, PyAny>>,
    allow_missing: bool,
    allow_extra: bool,
) -> PyResult<Verification> {
    let policy = policy::given(py, policy)?;
    let policy = &policy.get().policy;
    let allow = Allow::default().missing(allow_missing).extra(allow_extra);
    let verified = py.detach(|| stele_verify::verify_folder_allowing(&path, policy, allow));
    let (release, report) = verified.map_err(|failure| failed(py, &failure))?;
    Ok(Verification { release: Py::new(py, Release { release })?, report: Py::new(py, Report::new(py, report)?)? })
}

/// The bytes of a bundle's file. A pipe in its place does not hang the caller.
#[pyfunction]
pub(crate) fn read_bundle(py: Python<'_>, path: PathBuf) -> PyResult<Py<PyBytes>> {
    let read = py.detach(|| bounded_read::read(&path, MAX_BUNDLE as u64, "a release.stele"));
    Ok(PyBytes::new(py, &read.map_err(|error| raised(py, &error))?).unbind())
}

/// Finds out what a path means, and where its bundle is.
#[pyfunction]
pub(crate) fn locate(py: Python<'_>, path: PathBuf) -> PyResult<Target> {
    let target = py.detach(|| find(&path, None)).map_err(|error| raised(py, &error))?;
    let (kind, path) = match target.kind {
        TargetKind::Folder(folder) => ("folder", folder),
        TargetKind::File(file) => ("file", file),
        TargetKind::Bundle => ("bundle", target.bundle.clone()),
    };
    Ok(Target { kind, path, bundle: target.bundle })
}
