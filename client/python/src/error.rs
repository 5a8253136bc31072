//! Errors of the library as the exception `stele.VerifyError`.

use pyo3::prelude::*;
use stele_explain::{Explain, Failure, causes};

/// The exception of an explained error; the error of importing its class, if that fails.
pub(crate) fn raised(py: Python<'_>, error: &dyn Explain) -> PyErr {
    exception(py, error).unwrap_or_else(|error| error)
}

/// The exception of a failure.
pub(crate) fn failed(py: Python<'_>, failure: &Failure) -> PyErr {
    raised(py, failure.as_explain())
}

fn exception(py: Python<'_>, error: &dyn Explain) -> PyResult<PyErr> {
    let class = py.import("stele._error")?.getattr("VerifyError")?;
    // A fact that is said more than once is a list; the others are one text.
    let facts: Vec<(&str, String)> = error.facts();
    let message = causes(error).join(": ");
    let raised = class.call1((message, error.code(), facts, error.hint(), error.exit().number()))?;
    Ok(PyErr::from_value(raised))
}
