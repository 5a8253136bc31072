//! Which files on a disk that a record does not name a loader would take: by their names, and by their first bytes.

use std::io::{BufReader, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use stele_spec::manifest::Role;
use stele_spec::verify::pickle;
use stele_spec::verify::{archive_holds_weights, begins_archive, begins_weights, loadable_by_name};

use crate::skipped::{MAX_NOTED, is_apple_double, is_beside_by_macos, is_noted_by_tools, is_own_of_tools};

/// How much of a file is read at its beginning: the first record of an archive names its first file well within it.
const BEGINNING: u64 = 4096;
/// How much of an archive is read at its end, where its list of files is.
const END: u64 = 64 << 10;
/// The most files below a folder that is skipped by rule.
const MAX_SKIPPED: usize = 200_000;

/// What a loader would take a file for, if it would.
pub fn of_file(shown: &str, open: &Path) -> Option<&'static str> {
    if is_beside_by_macos(shown) && is_left_by_macos(shown, open) {
        return None;
    }
    loadable_by_name(shown).or_else(|| of_content(shown, open))
}

/// Whether a file is what macOS leaves beside another, and nothing else as well.
fn is_left_by_macos(shown: &str, open: &Path) -> bool {
    let Ok((file, found)) = stele_regular_file::open(open) else { return false };
    let mut bytes = Vec::new();
    let is_read = file.take(MAX_NOTED).read_to_end(&mut bytes).is_ok();
    is_read && is_apple_double(shown, found.len(), &bytes) && !archive_holds_weights(&bytes)
}

/// The first bytes of a regular file; none where it cannot be read.
pub fn beginning(path: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    let read = stele_regular_file::open(path).map(|(file, _)| file.take(64).read_to_end(&mut bytes));
    if matches!(read, Ok(Ok(_))) { bytes } else { Vec::new() }
}

/// What a file is by its content; nothing where it is not known, or cannot be read.
fn of_content(shown: &str, path: &Path) -> Option<&'static str> {
    let (mut file, found) = stele_regular_file::open(path).ok()?;
    let length = found.len();
    let mut read = |at: u64, count: u64| {
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(at)).ok()?;
        file.by_ref().take(count).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    };
    let beginning = read(0, BEGINNING)?;
    if begins_archive(&beginning) {
        let end = read(length.saturating_sub(END), END)?;
        return (archive_holds_weights(&beginning) || archive_holds_weights(&end)).then(|| Role::Weights.as_str());
    }
    let noted = is_noted_by_tools(shown) && length <= MAX_NOTED;
    let is_weights = !noted && begins_weights(&beginning) || {
        // Old pickles have no mark of their own.
        file.seek(SeekFrom::Start(0)).ok()?;
        pickle::imports(BufReader::new(&mut file), length).ok()?
    };
    is_weights.then(|| Role::Weights.as_str())
}

/// The files below a folder or file that is skipped by rule, that a loader would take. What git and the hub's client keep
/// there for themselves is not looked at.
pub fn in_skipped(shown: &str, open: &Path) -> Vec<(String, &'static str)> {
    let mut found = Vec::new();
    let mut seen = 0;
    let mut waiting: Vec<(String, PathBuf)> = vec![(shown.to_owned(), open.to_owned())];
    while let Some((shown, open)) = waiting.pop() {
        seen += 1;
        // A link is named by its own name and is not followed to a folder.
        let is_folder = std::fs::symlink_metadata(&open).is_ok_and(|found| found.is_dir());
        if is_own_of_tools(&shown) || seen > MAX_SKIPPED {
            continue;
        }
        if is_folder {
            let entries = std::fs::read_dir(&open).into_iter().flatten().flatten();
            waiting.extend(
                entries.map(|entry| (format!("{shown}/{}", entry.file_name().to_string_lossy()), entry.path())),
            );
        } else if let Some(role) = of_file(&shown, &open).filter(|_| std::fs::metadata(&open).is_ok()) {
            found.push((shown, role));
        }
    }
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_like_weights_is_weights_whatever_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let zip = |name: &str| [b"PK\x03\x04".as_slice(), &[0; 26], name.as_bytes()].concat();
        let long = [zip("x/first"), vec![0; 10_000], b"x/data.pkl".to_vec()].concat();
        let safetensors = [&2u64.to_le_bytes()[..], b"{}"].concat();
        let late = [b"I1\n0".repeat(5000), b"cposix\nsystem\n(S'id'\ntR.".to_vec()].concat();
        let weights: [&[u8]; 10] = [
            &late,
            b"\x80\x04\x95\x00",
            b"cposix\nsystem\n(S'id'\ntR.",
            &zip("archive/data.pkl"),
            &zip("arr_0.npy"),
            &long,
            &safetensors,
            b"GGUF\x03",
            b"\x89HDF\r\n\x1a\n",
            b"\x1c\0\0\0TFL3",
        ];
        for bytes in weights {
            std::fs::write(folder.path().join("notes.txt"), bytes).unwrap();
            assert_eq!(of_file("notes.txt", &folder.path().join("notes.txt")), Some("weights"), "{bytes:?}");
        }
        let others: [&[u8]; 7] =
            [b"", b"\x80", b"{\"a\": 1}", b"# Notes\n", &zip("word/document.xml"), b"code\nis\nhere\n", &[0xff; 64]];
        for bytes in others {
            std::fs::write(folder.path().join("notes.txt"), bytes).unwrap();
            assert_eq!(of_file("notes.txt", &folder.path().join("notes.txt")), None, "{bytes:?}");
        }
    }

    #[test]
    fn what_macos_leaves_beside_a_file_is_none_and_what_only_has_such_a_name_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let double = [b"\0\x05\x16\x07\0\x02\0\0Mac OS X        ".as_slice(), &[0; 4000]].concat();
        let with_archive = [double.as_slice(), b"PK\x03\x04", &[0; 26], b"archive/data.pkl"].concat();
        for (at, bytes, expected) in [
            ("._model.safetensors", double.as_slice(), None),
            ("unet/._config.json", &double, None),
            ("._model.safetensors", b"{}", Some("weights")),
            ("model.safetensors", &double, Some("weights")),
            ("a._model.safetensors", &double, Some("weights")),
            ("._modeling.py", b"import os\n", Some("code")),
            ("._model.bin", &with_archive, Some("weights")),
        ] {
            std::fs::write(&path, bytes).unwrap();
            assert_eq!(of_file(at, &path), expected, "{at}");
        }
    }

    #[test]
    fn what_a_client_notes_of_a_download_is_weights_only_where_it_imports_something() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(".msc");
        // pickle.dumps([{'Path': 'config.json'}], 4)
        let words = b"\x80\x04\x95\x1b\0\0\0\0\0\0\0]\x94}\x94\x8c\x04Path\x94\x8c\x0bconfig.json\x94sa.";
        let runs = b"\x80\x02cposix\nsystem\nU\x02id\x85R.";
        for (at, bytes, expected) in [
            (".msc", &words[..], None),
            ("a/.msc", &words[..], Some("weights")),
            (".mdl", &runs[..], Some("weights")),
            (".msc", &[&words[..], &vec![0; MAX_NOTED as usize]].concat(), Some("weights")),
        ] {
            std::fs::write(&path, bytes).unwrap();
            assert_eq!(of_file(at, &path), expected, "{at}");
        }
    }

    #[test]
    fn what_tools_keep_for_themselves_is_not_loaded_and_what_lies_beside_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, bytes: &[u8]| {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        };
        let own = [
            ".git/objects/aa/bb",
            ".git/annex/objects/Xk/9z/KEY/KEY",
            ".git/lfs/objects/aa/cc",
            ".git/refs/heads/fix.py",
            ".cache/huggingface/download/model.safetensors.metadata",
            ".cache/huggingface/download/model.safetensors.lock",
            ".cache/huggingface/download/x.incomplete",
        ];
        for path in own {
            write(path, b"GGUF");
        }
        write(".cache/huggingface/.gitignore", b"*");
        write(".cache/modeling.py", b"");
        write(".git/x/notes", b"GGUF");
        let found: Vec<_> = [".git", ".cache"].iter().flat_map(|at| in_skipped(at, &folder.path().join(at))).collect();
        assert_eq!(found, [(".git/x/notes".to_owned(), "weights"), (".cache/modeling.py".to_owned(), "code")]);
    }
}
