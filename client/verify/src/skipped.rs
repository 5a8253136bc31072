//! What lies in a folder of a release and is none of its files, by its path alone: anyone who lists a folder asks here.

/// The bundle's name, at the top of a folder.
pub const BUNDLE: &str = "release.stele";
/// The hints' name, at the top of a folder.
pub const HINTS: &str = "release.hints";
/// The draft's name, at the top of a folder.
pub const DRAFT: &str = "release.toml";
/// The name of a signature of OpenSSF Model Signing, at the top of a folder: it is about the files, and may come before a release or after it.
pub const SIGNATURE: &str = "model.sig";

/// Whether a file or folder is not counted, unless a manifest names it. What lies below a folder that is not counted is not either.
pub fn is_skipped(path: &str) -> bool {
    matches!(path, ".cache" | BUNDLE | HINTS | DRAFT | SIGNATURE)
        || path == ".git"
        || path.ends_with("/.git")
        || is_unfinished(path, BUNDLE)
        || is_unfinished(path, HINTS)
        || is_unfinished(path, DRAFT)
        || is_unfinished(path, SIGNATURE)
}

/// What git, and the hub's client in `.cache/huggingface`, keep for themselves in what is not counted. No loader is looked for there.
pub fn is_own_of_tools(path: &str) -> bool {
    let in_git = |part: &str| {
        let within = format!(".git/{part}");
        path == within || path.ends_with(&format!("/{within}"))
    };
    let kept_by_git = ["annex", "objects", "lfs", "refs", "logs", "hooks", "modules", "index"];
    let kept_by_hub = [".metadata", ".lock", ".incomplete"];
    kept_by_git.into_iter().any(in_git)
        || path.starts_with(".cache/huggingface/") && kept_by_hub.iter().any(|end| path.ends_with(end))
}

/// The longest of the files of [`is_noted_by_tools`] that is taken for one, in bytes.
pub const MAX_NOTED: u64 = 1 << 20;

/// Whether a path is that of a file in which ModelScope's client notes what it has downloaded: a pickle of a list of words. It is no weights unless it imports
/// something.
pub fn is_noted_by_tools(path: &str) -> bool {
    matches!(path, ".msc" | ".mdl" | ".mv")
}

/// What AppleDouble begins with: its number, and version 2.
const APPLE_DOUBLE: [u8; 8] = [0, 5, 0x16, 7, 0, 2, 0, 0];

/// Whether a path is one where macOS keeps what a disk of others has no place for: `._NAME` beside `NAME`.
pub fn is_beside_by_macos(path: &str) -> bool {
    path.rsplit('/').next().is_some_and(|name| name.len() > 2 && name.starts_with("._"))
}

/// Whether a file there is AppleDouble by its first bytes. It is nothing that a loader takes, whatever the rest of its name: in safetensors those bytes are a
/// header that is longer than readers take, and no text, pickle, GGUF or HDF5 begins so. An archive is found from its end, so it must hold none.
pub fn is_apple_double(path: &str, size: u64, beginning: &[u8]) -> bool {
    is_beside_by_macos(path) && size <= MAX_NOTED && beginning.starts_with(&APPLE_DOUBLE)
}

/// A path and every folder above it, the topmost first: `a`, `a/b`, `a/b/c`. For who has a list of files and no tree of folders.
pub fn with_folders_above(path: &str) -> impl Iterator<Item = &str> {
    let above = path.match_indices('/').filter_map(move |(at, _)| path.get(..at));
    above.chain([path])
}

/// Whether a name is what a killed program left of a file: `.NAME.` and 16 hex digits.
fn is_unfinished(found: &str, name: &str) -> bool {
    let nonce =
        found.strip_prefix('.').and_then(|rest| rest.strip_prefix(name)).and_then(|rest| rest.strip_prefix('.'));
    nonce.is_some_and(|hex| hex.len() == 16 && hex.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_of_files_is_judged_as_a_tree_of_folders_is() {
        let counts = |path: &str| !with_folders_above(path).any(is_skipped);
        for path in [
            "config.json",
            "a/release.stele",
            "a/.cache/x",
            "a/model.sig",
            "x.sig",
            ".gitignore",
            ".release.stele.0123",
            "x.git/y",
        ] {
            assert!(counts(path), "{path}");
        }
        for path in [
            "release.stele",
            "release.toml",
            "release.hints",
            "model.sig",
            ".model.sig.0123456789abcdef",
            ".release.stele.0123456789abcdef",
            ".git/config",
            "a/.git/x/notes",
            ".cache/modeling.py",
        ] {
            assert!(!counts(path), "{path}");
        }
        assert_eq!(with_folders_above("a/b/c").collect::<Vec<_>>(), ["a", "a/b", "a/b/c"]);
    }
}
