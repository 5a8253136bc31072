//! How much a monitor remembers.

/// With so many events waiting, no more entries are read: the log keeps them, we need not.
pub(crate) const MAX_WAITING: usize = 10_000;
/// So many hosts are remembered, and looked at: with `everything = true` the log chooses them.
pub(super) const MAX_HOSTS: usize = 20_000;
/// So many different contradictions of one log are kept and told: the first says enough.
pub(crate) const MAX_MISBEHAVIOUR: usize = 1_000;

/// The largest files, in bytes: each is refused before it is written, not when it is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// A log: its head and those of its witnesses.
    pub log: u64,
    /// One release: a coordinate with hundreds of large statements is somebody's joke.
    pub release: u64,
    /// All releases of a log: they are held in memory.
    pub releases: u64,
    /// One event: lists in it are cut long before.
    pub event: u64,
    /// The rest: some kilobytes for each of [`MAX_HOSTS`].
    pub core: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { log: 16 << 20, release: 4 << 20, releases: 128 << 20, event: 1 << 20, core: 256 << 20 }
    }
}
