//! The names that a path is made of, as the kernel looks them up one after the other, and who may put something else behind one.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf};

/// The most symlinks on a way, as for the kernel (`path_resolution(7)`).
const MAX_LINKS: usize = 40;

/// Others than the owner may write.
const OTHERS_WRITE: u32 = 0o022;
/// Only its owner removes or renames an entry.
pub(crate) const STICKY: u32 = 0o1000;

/// The way to a path.
#[derive(Debug)]
pub(crate) struct Lookups {
    /// In order.
    pub(crate) steps: Vec<Lookup>,
    /// Where it ends: without links.
    pub(crate) end: PathBuf,
}

/// One name, looked up in one folder.
#[derive(Debug)]
pub(crate) struct Lookup {
    /// Its path has no links.
    pub(crate) folder: PathBuf,
    pub(crate) name: OsString,
    /// What the name is, where it is a link.
    pub(crate) link: Option<PathBuf>,
}

impl Lookups {
    /// The way to what is at an absolute path.
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        let mut ahead: VecDeque<OsString> = names(path);
        let mut steps = Vec::new();
        let mut at = PathBuf::from("/");
        let mut links = 0;
        while let Some(name) = ahead.pop_front() {
            if name == ".." {
                at.pop();
                continue;
            }
            let next = at.join(&name);
            let link = if fs::symlink_metadata(&next)?.is_symlink() { Some(fs::read_link(&next)?) } else { None };
            if let Some(target) = &link {
                links += 1;
                if links > MAX_LINKS {
                    return Err(rustix::io::Errno::LOOP.into());
                }
                for name in names(target).into_iter().rev() {
                    ahead.push_front(name);
                }
            }
            let folder = at.clone();
            at = match &link {
                Some(target) if target.is_absolute() => PathBuf::from("/"),
                Some(_) => at,
                None => next,
            };
            steps.push(Lookup { folder, name, link });
        }
        Ok(Self { steps, end: at })
    }
}

impl Lookup {
    /// Whether root alone may put something else behind the name.
    pub(crate) fn is_stable(&self) -> io::Result<bool> {
        let folder = fs::symlink_metadata(&self.folder)?;
        if folder.uid() != 0 {
            return Ok(false);
        }
        let of_root = || fs::symlink_metadata(self.folder.join(&self.name)).map(|found| found.uid() == 0);
        Ok(folder.mode() & OTHERS_WRITE == 0 || (folder.mode() & STICKY != 0 && of_root()?))
    }
}

fn names(path: &Path) -> VecDeque<OsString> {
    let names = path.components().filter_map(|part| match part {
        Component::Normal(name) => Some(name.to_owned()),
        Component::ParentDir => Some("..".into()),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    });
    names.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn each_name_is_looked_up_and_links_lead_on() {
        let home = tempfile::tempdir().unwrap();
        let top = home.path().canonicalize().unwrap();
        fs::create_dir_all(top.join("a/b")).unwrap();
        fs::write(top.join("a/b/file"), b"").unwrap();
        symlink("a/../link2", top.join("link")).unwrap();
        symlink(top.join("a"), top.join("link2")).unwrap();
        let lookups = Lookups::of(&top.join("link/b/./file")).unwrap();
        assert_eq!(lookups.end, top.join("a/b/file"));
        let below = |lookup: &Lookup| {
            let folder = lookup.folder.strip_prefix(&top).ok()?;
            Some((folder.to_str()?.to_owned(), lookup.name.to_str()?.to_owned(), lookup.link.is_some()))
        };
        let seen: Vec<_> = lookups.steps.iter().filter_map(below).collect();
        let expected = [
            ("", "link", true),
            ("", "a", false),
            ("", "link2", true),
            ("", "a", false),
            ("a", "b", false),
            ("a/b", "file", false),
        ];
        assert_eq!(seen, expected.map(|(folder, name, is_link)| (folder.to_owned(), name.to_owned(), is_link)));
    }

    #[test]
    fn a_circle_ends() {
        let home = tempfile::tempdir().unwrap();
        symlink("b", home.path().join("a")).unwrap();
        symlink("a", home.path().join("b")).unwrap();
        let error = Lookups::of(&home.path().join("a")).unwrap_err();
        assert_eq!(rustix::io::Errno::from_io_error(&error), Some(rustix::io::Errno::LOOP));
    }

    #[test]
    fn what_others_may_rename_is_not_stable() {
        let of = |folder: &str, name: &str| Lookup { folder: folder.into(), name: name.into(), link: None };
        assert!(of("/", "usr").is_stable().unwrap());
        let home = tempfile::tempdir().unwrap();
        std::fs::write(home.path().join("x"), b"").unwrap();
        std::fs::set_permissions(home.path(), std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
        assert!(!of(home.path().to_str().unwrap(), "x").is_stable().unwrap());
    }
}
