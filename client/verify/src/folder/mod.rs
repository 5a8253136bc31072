//! Folders, files and caches of models on a disk.

pub mod digest_cache;

pub mod hash;
pub mod hints;
pub mod loadable;
pub mod walk;

pub mod hub_cache;

pub mod locate;

mod shortcuts;

mod survey;

mod compare;

pub use compare::{
    check_file, check_recorded, copy_recorded, read_folder, read_part, verify_folder, verify_folder_allowing,
    verify_folder_by,
};
pub use shortcuts::Shortcuts;
pub use survey::{CopyError, Copying, Survey};
pub use walk::{BUNDLE, DRAFT, FolderError, HINTS, SIGNATURE};
