//! Who looks at logs: auditors, index cosigners, monitors, mirrors.

mod audit;
mod audit_runs;
mod bundles;
mod ended;
mod index;
mod mirror;
mod monitor;
mod names;
