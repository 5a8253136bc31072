//! Names of operations on files, and what they find.

/// A step on the way to the disk; faults and errors go by these names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is the system call of its name")]
pub enum Op {
    Open,
    Create,
    Write,
    Sync,
    Link,
    Rename,
    Unlink,
    Mkdir,
    SyncDir,
    SyncFs,
    Read,
    List,
}

impl Op {
    /// Every step.
    pub const ALL: [Self; 12] = [
        Self::Open,
        Self::Create,
        Self::Write,
        Self::Sync,
        Self::Link,
        Self::Rename,
        Self::Unlink,
        Self::Mkdir,
        Self::SyncDir,
        Self::SyncFs,
        Self::Read,
        Self::List,
    ];

    /// The name in messages and in `STELE_FAULT`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Create => "create",
            Self::Write => "write",
            Self::Sync => "sync",
            Self::Link => "link",
            Self::Rename => "rename",
            Self::Unlink => "unlink",
            Self::Mkdir => "mkdir",
            Self::SyncDir => "sync-dir",
            Self::SyncFs => "sync-fs",
            Self::Read => "read",
            Self::List => "list",
        }
    }
}

/// What [`Dir::put_if_absent`](crate::Dir::put_if_absent) found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Put {
    /// Nothing was there; these bytes are now.
    New,
    /// These very bytes were there.
    Same,
}

/// A name in a folder, from [`Dir::list`](crate::Dir::list).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listed {
    /// The last segment of its path.
    pub name: String,
    /// Whether it is a folder.
    pub is_dir: bool,
}
