//! The mounts of this process and of what it starts.

use std::fs;
use std::io;

use rustix::io::Errno;
use rustix::mount::{MountPropagationFlags, mount_change};
use rustix::process::{
    DumpableBehavior, Resource, Rlimit, getegid, geteuid, getrlimit, set_dumpable_behavior, setrlimit,
};
use rustix::thread::UnshareFlags;

use crate::error::ViewError;

/// By which right this process may mount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Right {
    /// `CAP_SYS_ADMIN`.
    Root,
    /// A user namespace, in which the user is who he was and other users are nobody.
    UserNamespace,
}

/// A mount namespace of this process's own. There is no way back out of it.
#[derive(Debug)]
pub struct Namespace {
    right: Right,
    descriptors: Rlimit,
}

impl Namespace {
    /// Enters one. The process must have one thread: the kernel gives no user namespace to several.
    pub fn enter() -> Result<Self, ViewError> {
        let right = match unshare(UnshareFlags::NEWNS) {
            Ok(()) => Right::Root,
            Err(_) => {
                enter_user_namespace().map_err(|source| ViewError::Unsupported("a user make a namespace", source))?;
                Right::UserNamespace
            }
        };
        // No mount that is made elsewhere later comes in, and none goes out.
        mount_change("/", MountPropagationFlags::PRIVATE | MountPropagationFlags::REC)
            .map_err(|error| ViewError::Unsupported("it mount in a namespace of its own", error.into()))?;
        // Nobody but root gets at the descriptors of this process while it copies, nor at its memory.
        set_dumpable_behavior(DumpableBehavior::NotDumpable)
            .map_err(|error| ViewError::Unsupported("it hide its descriptors", error.into()))?;
        let descriptors = getrlimit(Resource::Nofile);
        // Each copy is an open file until it is mounted. Where the limit stays, a large release says so.
        let _ = setrlimit(Resource::Nofile, Rlimit { current: descriptors.maximum, ..descriptors });
        Ok(Self { right, descriptors })
    }

    /// By which right.
    pub const fn right(&self) -> Right {
        self.right
    }

    /// Puts back what only the copying needed.
    pub(crate) fn restore_limits(&self) {
        let _ = setrlimit(Resource::Nofile, self.descriptors);
    }
}

fn enter_user_namespace() -> io::Result<()> {
    let (user, group) = (geteuid().as_raw(), getegid().as_raw());
    unshare(UnshareFlags::NEWUSER | UnshareFlags::NEWNS)?;
    // Without it a group may not be mapped (user_namespaces(7)).
    fs::write("/proc/self/setgroups", "deny")?;
    fs::write("/proc/self/uid_map", format!("{user} {user} 1"))?;
    fs::write("/proc/self/gid_map", format!("{group} {group} 1"))
}

#[expect(deprecated, reason = "it is unsafe for UnshareFlags::FILES alone, with which nobody calls it here")]
fn unshare(flags: UnshareFlags) -> Result<(), Errno> {
    rustix::thread::unshare(flags)
}
