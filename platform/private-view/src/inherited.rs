//! What a process got from who started it and that leads round a view: open descriptors, and the working folder.

use std::fs;
use std::path::{Path, PathBuf};

use crate::error::ViewError;

/// The descriptors and the working folder that a process was started with.
#[derive(Debug)]
pub struct Inherited {
    working_folder: PathBuf,
    /// Number, where it leads, and whether that is a folder.
    descriptors: Vec<(String, PathBuf, bool)>,
}

impl Inherited {
    /// To be asked before anything else is opened.
    pub fn look() -> Result<Self, ViewError> {
        let failed = ViewError::io("cannot look at", "the working folder");
        let working_folder = std::env::current_dir().map_err(failed)?;
        let own = Path::new("/proc/self/fd");
        let entries = fs::read_dir(own).map_err(|source| ViewError::Unsupported("it see /proc", source))?;
        let numbers: Vec<String> =
            entries.flatten().filter_map(|entry| entry.file_name().to_str().map(str::to_owned)).collect();
        let mut descriptors = Vec::new();
        for number in numbers {
            let link = own.join(&number);
            // The descriptor by which they were listed is gone.
            if let (Ok(path), Ok(found)) = (fs::read_link(&link), fs::metadata(&link)) {
                descriptors.push((number, path, found.is_dir()));
            }
        }
        Ok(Self { working_folder, descriptors })
    }

    /// A path as it is meant from the working folder.
    pub fn absolute(&self, path: &Path) -> PathBuf {
        self.working_folder.join(path)
    }

    /// Refuses what is open in one of these folders, and each folder from which one of them can be reached: a descriptor keeps the mounts with
    /// which it was opened.
    pub fn check(&self, tops: &[PathBuf]) -> Result<(), ViewError> {
        let leads_round = |path: &Path, is_folder: bool| {
            tops.iter().any(|top| path.starts_with(top) || (is_folder && top.starts_with(path)))
        };
        match self.descriptors.iter().find(|(_, path, is_folder)| leads_round(path, *is_folder)) {
            Some((descriptor, path, _)) => {
                Err(ViewError::Inherited { descriptor: descriptor.clone(), path: path.clone() })
            }
            None => Ok(()),
        }
    }

    /// Enters the working folder anew, by its path, which may lead into a view now.
    pub(crate) fn enter_working_folder(&self) -> Result<(), ViewError> {
        let path = &self.working_folder;
        std::env::set_current_dir(path).map_err(|source| ViewError::WorkingFolder { path: path.clone(), source })
    }
}
