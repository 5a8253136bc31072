#![doc = include_str!("../README.md")]

// Reading order is dependency order: a module uses only modules above it.
mod error;

mod policy;

mod release;

mod report;

mod sealed;

mod private_copy;

mod verification;

/// The compiled half of the package `stele`. What people import is in `python/stele`.
#[pyo3::pymodule]
mod _native {
    #[pymodule_export]
    use super::policy::Policy;
    #[pymodule_export]
    use super::release::{Checkpoint, File, Release};
    #[pymodule_export]
    use super::report::{Difference, Extra, Report, Unusable};
    #[pymodule_export]
    use super::verification::{Target, Verification, locate, read_bundle, verify, verify_folder};
}
