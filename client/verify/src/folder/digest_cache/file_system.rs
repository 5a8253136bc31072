//! Which file systems keep the promise that the cache rests on: a write leaves another time behind, set by the kernel of this machine.

use std::fs::File;

/// By the numbers of `statfs(2)`: ext2 to ext4, XFS, Btrfs, F2FS, and overlays, whose times are those of their layers.
///
/// Every other one is hashed each time. On NFS, CIFS, 9p and FUSE another machine or program sets the times, or they are known here from a
/// moment ago; FAT and exFAT keep whole seconds; on tmpfs a write through a mapping leaves the times as they were.
const KEEP_TIMES: [u64; 5] = [0xef53, 0x5846_5342, 0x9123_683e, 0xf2f5_2010, 0x794c_7630];

/// tmpfs: its clock is that of this kernel, so that the cache itself may lie there.
const TMPFS: u64 = 0x0102_1994;

/// The identity of the file system that an open file is on, where its times can be relied on.
pub(super) fn keeping_times(file: &File) -> Option<u64> {
    let kind = kind(file)?;
    KEEP_TIMES.contains(&kind).then(|| identity(file)).flatten()
}

/// Whether the clock of the file system that an open file or folder is on is that of this machine.
pub(super) fn has_own_clock(folder: &File) -> bool {
    kind(folder).is_some_and(|kind| kind == TMPFS || KEEP_TIMES.contains(&kind))
}

#[cfg(target_os = "linux")]
fn kind(file: &File) -> Option<u64> {
    u64::try_from(rustix::fs::fstatfs(file).ok()?.f_type).ok()
}

/// What other systems say by that number is not known.
#[cfg(not(target_os = "linux"))]
fn kind(_: &File) -> Option<u64> {
    None
}

fn identity(file: &File) -> Option<u64> {
    Some(rustix::fs::fstatvfs(file).ok()?.f_fsid)
}
