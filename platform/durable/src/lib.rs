#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

// Reading order is dependency order: a module uses only modules above it.
mod op;

mod error;

pub mod fault;

mod disk;

#[cfg(any(test, feature = "simulated"))]
mod forgetful;

mod step;

mod unfinished;

mod file;

mod dir;

mod metadata;

mod journal;

pub mod compare_and_swap;

pub mod lock;

pub mod key_file;

pub use dir::{Dir, OpenFile};
pub use disk::{Access, At, Disk, Handle, Machine};
pub use error::DurableError;
pub use file::{
    check_writable, create_dir_all, create_file, is_unfinished, read_file, remove_unfinished, replace_file,
    sync_filesystem,
};
#[cfg(any(test, feature = "simulated"))]
pub use forgetful::ForgetfulDisk;
pub use journal::Journal;
pub use op::{Listed, Op, Put};
