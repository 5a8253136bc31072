//! Paths in a signature: of files, and of what is left aside. No path of a signature is ever opened: a name that was read is only compared with those that a
//! folder has.

use core::fmt;
use std::path::{Component, Path};

use stele_explain::{Exit, Explain, explain};

/// The longest path in bytes, as Linux has it.
pub const MAX_NAME: usize = 4096;

/// What is left aside at the top of a folder, whether a signature says so or not (section 6.2 of the specification).
pub const DEFAULT_IGNORED: [&str; 4] = [".git", ".gitattributes", ".github", ".gitignore"];

/// What the model_signing tool (1.1.1) calls the one file of a model that is a file; the specification has its name there.
pub const SINGLE_FILE: &str = ".";

/// Why a path is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameError {
    /// Empty, or longer than any path.
    Length,
    /// It begins with a slash.
    Absolute,
    /// An empty part, `.` or `..`.
    Part,
    /// A NUL.
    Nul,
    /// A character of a pattern, in a path that is left aside.
    Pattern,
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Length => "expected 1 to 4096 bytes",
            Self::Absolute => "expected a path from the model's folder on, without a slash before it",
            Self::Part => "expected no empty part and none that is `.` or `..`",
            Self::Nul => "expected no NUL",
            Self::Pattern => "expected a path, and no pattern with *, ? or [",
        })
    }
}

/// Whether a path is one of a file in a model (section 6.1.2).
pub fn check(name: &str) -> Result<(), NameError> {
    if name.is_empty() || name.len() > MAX_NAME {
        Err(NameError::Length)
    } else if name.starts_with('/') {
        Err(NameError::Absolute)
    } else if name.contains('\0') {
        Err(NameError::Nul)
    } else if name.split('/').any(|part| matches!(part, "" | "." | "..")) {
        Err(NameError::Part)
    } else {
        Ok(())
    }
}

/// Whether a path may be left aside (section 6.2.1).
pub fn check_ignored(name: &str) -> Result<(), NameError> {
    check(name)?;
    if name.contains(['*', '?', '[']) { Err(NameError::Pattern) } else { Ok(()) }
}

/// What a person leaves aside: a path of the machine that lies in the folder `home`, or one from there on; as a signature has it.
pub fn ignored_by_user(path: &Path, home: &Path) -> Result<String, IgnoredPathError> {
    let error = |problem| IgnoredPathError { path: path.display().to_string(), problem };
    let resolved = path.is_absolute().then(|| path.canonicalize().ok()).flatten();
    let inside = path.strip_prefix(home).ok().or_else(|| resolved.as_ref()?.strip_prefix(home).ok()).unwrap_or(path);
    let mut parts = Vec::new();
    for part in inside.components() {
        match part {
            Component::Normal(part) => parts.push(part.to_str().ok_or_else(|| error(NameError::Part))?),
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => return Err(error(NameError::Absolute)),
            Component::ParentDir => return Err(error(NameError::Part)),
        }
    }
    let name = parts.join("/");
    check_ignored(&name).map_err(error)?;
    Ok(name)
}

/// A path that cannot be left aside.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the path {path:?} cannot be left aside: {problem}")]
pub struct IgnoredPathError {
    /// As it was given.
    pub path: String,
    /// Why.
    pub problem: NameError,
}

impl Explain for IgnoredPathError {
    explain! { Self { .. } => Exit::BadInput, "oms-ignored-path", hint: "give a path inside the model, from its folder on"; }
}

/// Whether a path is one of these, or below one of them.
pub fn is_within<'a>(name: &str, mut above: impl Iterator<Item = &'a str>) -> bool {
    above.any(|above| name.strip_prefix(above).is_some_and(|rest| rest.is_empty() || rest.starts_with('/')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leaves_the_folder_or_has_two_spellings_is_no_path() {
        for (name, error) in [
            ("", NameError::Length),
            ("/etc/passwd", NameError::Absolute),
            ("..", NameError::Part),
            ("a/../b", NameError::Part),
            ("./a", NameError::Part),
            ("a//b", NameError::Part),
            ("a/", NameError::Part),
            (".", NameError::Part),
            ("a\0b", NameError::Nul),
        ] {
            assert_eq!(check(name), Err(error), "{name:?}");
        }
        assert_eq!(check(&"a".repeat(MAX_NAME + 1)), Err(NameError::Length));
        for name in ["a", "a/b", "..a", "a b", "é", "a:0:1", "[a]", "a\\b"] {
            assert_eq!(check(name), Ok(()), "{name:?}");
        }
        assert_eq!(check_ignored("*.bin"), Err(NameError::Pattern));
    }

    #[test]
    fn a_folder_covers_what_is_below_it_and_nothing_that_begins_like_it() {
        let within = |name| is_within(name, [".git", "a/b"].into_iter());
        for name in [".git", ".git/config", "a/b", "a/b/c"] {
            assert!(within(name), "{name}");
        }
        for name in [".gitmodules", "sub/.git", "a", "a/bc", "b"] {
            assert!(!within(name), "{name}");
        }
    }
}
