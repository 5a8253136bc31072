//! Who looks at logs: auditors, monitors, mirrors.

mod audit;
mod mirror;
mod monitor;
