//! Which files that a record does not name a loader would take: by the role of their names, and where they can be read
//! by their first bytes.
//!
//! A table of names is never complete, so what begins like weights is weights whatever its name.

use std::fs::OpenOptions;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use stele_spec::manifest::{FilePath, Role};

/// How much of a file is read at its beginning: the first record of an archive names its first file well within it.
const BEGINNING: u64 = 4096;
/// How much of an archive is read at its end, where its list of files is.
const END: u64 = 64 << 10;
/// The largest header that the safetensors library takes.
const MAX_SAFETENSORS_HEADER: u64 = 100_000_000;
/// The most files below a folder that is skipped by rule.
const MAX_SKIPPED: usize = 200_000;

/// Names that loaders look for and whose role by name is none of [`is_loaded`].
const LOADED_NAMES: [&str; 4] = ["model_index.json", "params.json", "adapter_config.json", "modelfile"];
/// Extensions of programs that Python loads and whose role by name is none of [`is_loaded`].
const PROGRAMS: [&str; 3] = ["pyc", "pyd", "dylib"];

/// What a loader would take a file for, if it would.
pub(crate) fn of_file(shown: &str, open: &Path) -> Option<&'static str> {
    of_name(shown).or_else(|| of_content(open))
}

/// What a loader would take a file of a name for. The name may be one that a manifest cannot hold.
pub(crate) fn of_name(shown: &str) -> Option<&'static str> {
    let name = shown.rsplit('/').next().unwrap_or(shown).to_ascii_lowercase();
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    if name.starts_with("adapter_model.") {
        return Some(Role::Weights.as_str());
    }
    if LOADED_NAMES.contains(&name.as_str()) {
        return Some(Role::Config.as_str());
    }
    if PROGRAMS.contains(&extension) {
        return Some(Role::Code.as_str());
    }
    // The folder may give another role, to a configuration below `safety/` for example; a loader goes by the name.
    [shown.to_owned(), plain(&name)].iter().find_map(|path| {
        let role = Role::of_path(&path.parse::<FilePath>().ok()?);
        is_loaded(role).then(|| role.as_str())
    })
}

/// A name with only such characters as every path can have.
fn plain(name: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "._-".contains(c) { c } else { '_' };
    let mut plain: String = name.chars().map(plain).collect();
    // The extension is at the end.
    plain.split_off(plain.len().saturating_sub(200))
}

/// Whether a loader takes files of a role.
fn is_loaded(role: Role) -> bool {
    match role {
        Role::Weights
        | Role::WeightsIndex
        | Role::Config
        | Role::Code
        | Role::Tokenizer
        | Role::ChatTemplate
        | Role::GenerationConfig
        | Role::SystemPrompt
        | Role::Classifier => true,
        Role::Licence | Role::ModelCard | Role::Safety | Role::Evaluation | Role::Other => false,
    }
}

/// What a file is by its content; nothing where it is not known, or cannot be read.
fn of_content(path: &Path) -> Option<&'static str> {
    let nonblocking = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or_default();
    let mut file = OpenOptions::new().read(true).custom_flags(nonblocking).open(path).ok()?;
    let length = file.metadata().ok().filter(std::fs::Metadata::is_file)?.len();
    let mut read = |at: u64, count: u64| {
        let mut bytes = Vec::new();
        file.seek(SeekFrom::Start(at)).ok()?;
        file.by_ref().take(count).read_to_end(&mut bytes).ok()?;
        Some(bytes)
    };
    let beginning = read(0, BEGINNING)?;
    if is_archive(&beginning) {
        let end = read(length.saturating_sub(END), END)?;
        return (holds_weights(&beginning) || holds_weights(&end)).then(|| Role::Weights.as_str());
    }
    is_weights(&beginning).then(|| Role::Weights.as_str())
}

/// Whether bytes begin a file of weights: a pickle, safetensors, GGUF or GGML, HDF5, NumPy, TensorFlow Lite.
pub(crate) fn is_weights(bytes: &[u8]) -> bool {
    let begins = |magic: &[u8]| bytes.starts_with(magic);
    is_pickle(bytes)
        || is_safetensors(bytes)
        || [&b"GGUF"[..], b"lmgg", b"tjgg", b"fmgg", b"\x89HDF\r\n\x1a\n", b"\x93NUMPY"].into_iter().any(begins)
        || bytes.get(4..8) == Some(b"TFL3")
}

/// Protocols 2 to 5 begin with their number; the older ones with an opcode, of which a global is the one that runs code.
fn is_pickle(bytes: &[u8]) -> bool {
    if let [0x80, 2..=5, ..] = bytes {
        return true;
    }
    let mut lines = bytes.strip_prefix(b"c").unwrap_or_default().splitn(3, |byte| *byte == b'\n');
    let is_name = |text: &[u8]| {
        !text.is_empty() && text.len() < 200 && text.iter().all(|b| b.is_ascii_alphanumeric() || b"._".contains(b))
    };
    let (module, name, rest) = (lines.next(), lines.next(), lines.next());
    module.is_some_and(is_name) && name.is_some_and(is_name) && rest.is_some_and(|rest| rest.ends_with(b"."))
}

/// The length of a JSON header, and the header.
fn is_safetensors(bytes: &[u8]) -> bool {
    let length = bytes.first_chunk::<8>().map_or(0, |length| u64::from_le_bytes(*length));
    (2..=MAX_SAFETENSORS_HEADER).contains(&length) && bytes.get(8) == Some(&b'{')
}

fn is_archive(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04")
}

/// Whether the names in an archive are those of PyTorch's or NumPy's.
fn holds_weights(bytes: &[u8]) -> bool {
    let holds = |name: &[u8]| bytes.windows(name.len()).any(|found| found == name);
    holds(b".pkl") || holds(b".npy")
}

/// The files below a folder or file that is skipped by rule, that a loader would take. What git and the hub's client keep
/// there for themselves is not looked at.
pub(crate) fn in_skipped(shown: &str, open: &Path) -> Vec<(String, &'static str)> {
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

/// What git, and the hub's client in `.cache/huggingface`, keep for themselves.
fn is_own_of_tools(shown: &str) -> bool {
    let in_git = |part: &str| {
        let within = format!(".git/{part}");
        shown == within || shown.ends_with(&format!("/{within}"))
    };
    let kept_by_git = ["objects", "lfs", "refs", "logs", "hooks", "modules", "index"];
    let kept_by_hub = [".metadata", ".lock", ".incomplete"];
    kept_by_git.into_iter().any(in_git)
        || shown.starts_with(".cache/huggingface/") && kept_by_hub.iter().any(|end| shown.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_a_loader_looks_for_is_known_wherever_it_lies() {
        for (path, role) in [
            ("pytorch_model.bin", "weights"),
            ("model.safetensors.index.json", "weights-index"),
            ("adapter_config.json", "config"),
            ("adapter_model.safetensors", "weights"),
            ("sub/modeling_tiny.py", "code"),
            ("__pycache__/modeling_tiny.cpython-311.pyc", "code"),
            ("tokenizer.json", "tokenizer"),
            ("chat_template.jinja", "chat-template"),
            ("generation_config.json", "generation-config"),
            ("system_prompt.txt", "system-prompt"),
            ("model_index.json", "config"),
            ("safety/config.json", "config"),
            ("safety/model.safetensors", "classifier"),
            ("a\nb/modeling\u{7}.py", "code"),
        ] {
            assert_eq!(of_name(path), Some(role), "{path}");
        }
        for path in ["README.md", "notes.txt", "LICENSE", ".DS_Store", "figure.png", "release.toml", ".gitattributes"] {
            assert_eq!(of_name(path), None, "{path}");
        }
    }

    #[test]
    fn what_begins_like_weights_is_weights_whatever_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let zip = |name: &str| [b"PK\x03\x04".as_slice(), &[0; 26], name.as_bytes()].concat();
        let long = [zip("x/first"), vec![0; 10_000], b"x/data.pkl".to_vec()].concat();
        let safetensors = [&2u64.to_le_bytes()[..], b"{}"].concat();
        let weights: [&[u8]; 9] = [
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
    fn what_tools_keep_for_themselves_is_not_loaded_and_what_lies_beside_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, bytes: &[u8]| {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        };
        let own = [
            ".git/objects/aa/bb",
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
