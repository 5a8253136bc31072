//! Why there is no view.

use std::io;
use std::path::PathBuf;

use stele_explain::{Exit, Explain, explain};

/// Why a command does not get a view.
#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    /// This machine, or the container that the process is in, does not let it.
    #[error("this machine does not let {0}")]
    Unsupported(&'static str, #[source] io::Error),
    /// A folder on the way in which anybody else may put another one, and nothing can be mounted over it.
    #[error("others than root may rename what is in /, and nothing can be mounted over that")]
    UnsafeRoot,
    /// A folder on the way with too many files.
    #[error("{} has more files and folders than are kept in their places", .folder.display())]
    TooMany {
        /// The folder.
        folder: PathBuf,
        /// How many are kept.
        limit: usize,
    },
    /// No place for copies.
    #[error("there is no place for a copy of {}", .path.display())]
    NoPlace {
        /// What was to be copied.
        path: PathBuf,
        /// Where it was tried, and what was said.
        tried: Vec<String>,
    },
    /// The machine failed.
    #[error("{what} {}", .path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// With what.
        path: PathBuf,
        /// What the machine said.
        #[source]
        source: io::Error,
    },
    /// A descriptor that leads round the view.
    #[error("descriptor {descriptor} is open on {}, and would lead the command round the view", .path.display())]
    Inherited {
        /// Its number.
        descriptor: String,
        /// What it is open on.
        path: PathBuf,
    },
    /// The folder that the command was to work in.
    #[error("the working folder {} is not there in the view", .path.display())]
    WorkingFolder {
        /// The folder.
        path: PathBuf,
        /// What the machine said.
        #[source]
        source: io::Error,
    },
    /// A path that no view can hold.
    #[error("{} is no path below a folder", .path.display())]
    Path {
        /// The path.
        path: PathBuf,
    },
    /// The command.
    #[error("cannot run {program}")]
    Command {
        /// Its name.
        program: String,
        /// What the machine said.
        #[source]
        source: io::Error,
    },
}

impl ViewError {
    pub(crate) fn io(what: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { what, path, source }
    }
}

const UNSUPPORTED: &str = "run it as root, or where a user may make namespaces: in a container that takes CAP_SYS_ADMIN, or a seccomp profile that \
allows unshare(2) and mount(2); on Ubuntu, an AppArmor profile for stele that allows `userns`. `stele verify` verifies without a view";

impl Explain for ViewError {
    explain! {
        Self::Unsupported(..) => Exit::Unsupported, "view-unsupported", hint: UNSUPPORTED,
            "expected": "a mount namespace of its own", "found": "none; the command was not started";
        Self::UnsafeRoot => Exit::Unsupported, "view-unsupported", hint: "chmod go-w /, and let root own it";
        Self::TooMany { limit, .. } => Exit::Unsupported, "view-unsupported",
            hint: "put the model into a folder of its own, which holds little else", "expected": format!("at most {limit}");
        Self::NoPlace { tried, .. } => Exit::Io, "no-place-for-copies",
            hint: "--workdir DIR names a folder on a disk with room for the model; --in-memory keeps the copies in memory",
            facts: tried.iter().map(|tried| ("tried", tried.clone())).collect();
        Self::Io { source, .. } if source.kind() == io::ErrorKind::StorageFull => Exit::Io, "disk-full",
            hint: "the model is copied: make room, or --workdir DIR names another disk";
        Self::Io { .. } => Exit::Io, "io";
        Self::Inherited { .. } => Exit::BadInput, "open-descriptor",
            hint: "close it before, and give the command the path; a redirection from a file of the model is such a descriptor";
        Self::WorkingFolder { .. } => Exit::BadInput, "working-folder", hint: "start it from a folder outside the model";
        Self::Path { .. } => Exit::BadInput, "bad-path";
        Self::Command { source, .. } => Exit::BadInput,
            if source.kind() == io::ErrorKind::NotFound { "command-not-found" } else { "command-not-executable" },
            hint: "check its name and its mode; what stands after -- is the command, and no shell reads it";
    }
}
