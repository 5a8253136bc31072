//! The files of a log as disks leave them. One program: what is linked once is not linked five times.

mod common;
mod manifests;
mod power_cuts;
mod recover;
mod staged_batch;
mod tiles;
