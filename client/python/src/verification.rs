//! What the package does: a bundle under a policy, and a folder by its bundle.

use std::path::PathBuf;

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use stele_explain::Failure;
use stele_spec::bundle::MAX_BUNDLE;
use stele_verify::folder::digest_cache::{self, CacheUse, DigestCache};
use stele_verify::folder::locate::{TargetKind, find};
use stele_verify::folder::verify_folder_by;
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
    /// How many files were not hashed, being unchanged since they were.
    cached: u64,
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

/// Verifies a folder, one file, or a snapshot in a Hugging Face cache by the bundle beside or above it. What the program `stele` keeps of files that
/// were hashed is used and kept as it does; with `rehash` every file is hashed.
#[pyfunction]
#[pyo3(signature = (path, policy=None, allow_missing=false, allow_extra=false, rehash=false, allow_withdrawn=false))]
pub(crate) fn verify_folder(
    py: Python<'_>,
    path: PathBuf,
    policy: Option<&Bound<'_, PyAny>>,
    allow_missing: bool,
    allow_extra: bool,
    rehash: bool,
    allow_withdrawn: bool,
) -> PyResult<Verification> {
    let policy = policy::given(py, policy)?;
    let policy = &policy.get().policy;
    let allow = Allow::default().missing(allow_missing).extra(allow_extra).withdrawn(allow_withdrawn);
    let verified = py.detach(|| -> Result<_, Failure> {
        let cache = cache(rehash);
        let verified = verify_folder_by(&path, policy, allow, cache.as_ref())?;
        Ok((verified, cache.map_or(0, |cache| cache.used().files)))
    });
    let ((release, report), cached) = verified.map_err(|failure| failed(py, &failure))?;
    let (release, report) = (Py::new(py, Release { release })?, Py::new(py, Report::new(py, report)?)?);
    Ok(Verification { release, report, cached })
}

/// The cache of this machine's user; where it cannot be used every file is hashed.
fn cache(rehash: bool) -> Option<DigestCache> {
    DigestCache::open(&digest_cache::place()?, if rehash { CacheUse::Rehash } else { CacheUse::Use }).ok()
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
