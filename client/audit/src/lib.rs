#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

// Reading order is dependency order: a module uses only modules above it.
mod format;
mod store;

mod error;

mod fields;
mod pages;

mod buckets;

mod index_nodes;

mod index_tree;

mod index_check;

mod registry_rows;
mod row;

mod finding_rows;

mod manifests;
mod parsed;
mod progress;

mod convict;

mod heads;
mod mirror;

mod auditor;

mod report;

mod audit;

pub use audit::{Order, run};
pub use error::{AuditError, Contradiction, Found};
pub use format::ReportFormat;
pub use store::StoreError;
