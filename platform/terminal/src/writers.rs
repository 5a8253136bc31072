//! A warning where any user of this machine may change a file or folder that decides: a config, a policy, a key, a state, a hook.
//!
//! Only the "others" bits of modes are read: groups and access lists are the operator's own arrangement.

use crate::volume::note;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use stele_explain::printable::one_line;

/// The bit by which others may write.
const OTHERS_WRITE: u32 = 0o002;
/// In a folder with this bit, others cannot replace what is not theirs.
const STICKY: u32 = 0o1000;

/// Prints a warning where [`anybody_may_change`] a path; `decides` is what depends on it, as in "what is trusted".
pub fn warn_of_writers(path: &Path, decides: &str) {
    if let Some(open) = anybody_may_change(path) {
        note(&warning(&open, decides));
    }
}

/// The file or folder by which any user of this machine may change what is at `path`: itself, or a folder above it in which others
/// may replace what they do not own. `None` where there is none, or where that cannot be known.
pub fn anybody_may_change(path: &Path) -> Option<PathBuf> {
    let path = std::fs::canonicalize(path).ok()?;
    let mode = |path: &Path| std::fs::metadata(path).map_or(0, |found| found.permissions().mode());
    let may_replace_in = |folder: &Path| mode(folder) & (OTHERS_WRITE | STICKY) == OTHERS_WRITE;
    let open = (mode(&path) & OTHERS_WRITE != 0).then_some(path.as_path());
    open.or_else(|| path.ancestors().skip(1).find(|folder| may_replace_in(folder))).map(Path::to_owned)
}

fn warning(open: &Path, decides: &str) -> String {
    let open = open.display().to_string();
    let open = one_line(&open);
    format!("warning: anybody on this machine may change {open}, which decides {decides}: chmod o-w {open}\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, Permissions};

    fn set(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_file_a_folder_and_a_folder_above_are_found_by_their_modes() {
        let home = tempfile::tempdir().unwrap();
        let root = home.path().canonicalize().unwrap();
        let (above, folder) = (root.join("a"), root.join("a/state"));
        let file = folder.join("hook");
        fs::create_dir_all(&folder).unwrap();
        fs::write(&file, "#!/bin/sh\n").unwrap();
        for (path, mode) in [(&above, 0o755), (&folder, 0o775), (&file, 0o770)] {
            set(path, mode);
        }
        assert_eq!((anybody_may_change(&file), anybody_may_change(&folder)), (None, None));

        set(&file, 0o702);
        assert_eq!(anybody_may_change(&file).as_ref(), Some(&file));
        set(&file, 0o700);
        set(&folder, 0o777);
        assert_eq!(anybody_may_change(&file).as_ref(), Some(&folder));
        assert_eq!(anybody_may_change(&folder).as_ref(), Some(&folder));
        // Others cannot replace the file, but they can add to the folder.
        set(&folder, 0o1777);
        assert_eq!(anybody_may_change(&file), None);
        assert_eq!(anybody_may_change(&folder).as_ref(), Some(&folder));
        set(&folder, 0o755);
        set(&above, 0o777);
        assert_eq!(anybody_may_change(&file).as_ref(), Some(&above));
        set(&above, 0o755);
    }

    #[test]
    fn a_link_is_judged_by_what_it_leads_to_and_what_is_missing_by_nothing() {
        let home = tempfile::tempdir().unwrap();
        let root = home.path().canonicalize().unwrap();
        fs::create_dir(root.join("open")).unwrap();
        set(&root.join("open"), 0o777);
        fs::write(root.join("open/policy"), "").unwrap();
        std::os::unix::fs::symlink(root.join("open/policy"), root.join("policy")).unwrap();
        assert_eq!(anybody_may_change(&root.join("policy")), Some(root.join("open")));
        assert_eq!(anybody_may_change(&root.join("nothing")), None);
    }

    #[test]
    fn the_warning_names_path_purpose_and_command() {
        assert_eq!(
            warning(Path::new("/a\nb"), "what is run"),
            "warning: anybody on this machine may change /a\\nb, which decides what is run: chmod o-w /a\\nb\n"
        );
    }
}
