//! What tools and systems leave in a folder, known by its name.

use stele_spec::manifest::FilePath;

/// What a file is that nobody means to publish, if its name says so.
pub(super) fn leftover(path: &FilePath) -> Option<&'static str> {
    let segments: Vec<&str> = path.segments().collect();
    let (name, folders) = segments.split_last()?;
    let folder = folders.iter().find_map(|folder| match *folder {
        "__pycache__" => Some("a cache of Python"),
        ".ipynb_checkpoints" => Some("a checkpoint of a notebook's editor"),
        ".huggingface" | ".cache" => Some("a cache of a download"),
        ".git" | ".svn" | ".hg" => Some("a repository's own files"),
        ".venv" | "node_modules" | ".pytest_cache" | ".mypy_cache" | ".ruff_cache" => Some("a tool's own files"),
        "__MACOSX" => Some("a copy of what macOS keeps beside a file"),
        _ => None,
    });
    let lower = name.to_ascii_lowercase();
    folder.or_else(|| match lower.as_str() {
        ".ds_store" | "thumbs.db" | "desktop.ini" => Some("a file of a desktop"),
        ".env" | ".netrc" | ".pypirc" | ".npmrc" => Some("settings that often hold secrets"),
        _ if name.starts_with("._") => Some("what macOS keeps beside a file (AppleDouble), and not the file itself"),
        _ if [".incomplete", ".part", ".partial", ".crdownload", ".aria2", ".tmp"]
            .iter()
            .any(|end| lower.ends_with(end)) =>
        {
            Some("a download that is not finished, or a temporary file")
        }
        _ if lower.ends_with(".swp") || lower.ends_with('~') || lower.ends_with(".orig") => {
            Some("a copy that an editor keeps")
        }
        _ if lower.ends_with(".lock") && folders.is_empty() => Some("a lock of a tool"),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(path: &str) -> bool {
        leftover(&path.parse().unwrap()).is_some()
    }

    #[test]
    fn leftovers_are_known_and_files_of_models_are_not() {
        for path in [
            ".DS_Store",
            "sub/.DS_Store",
            "._model.safetensors",
            "sub/._config.json",
            "__pycache__/x.cpython-311.pyc",
            ".huggingface/download/model.safetensors.metadata",
            "sub/.cache/x",
            ".ipynb_checkpoints/a-checkpoint.ipynb",
            "model.safetensors.incomplete",
            "blobs/abc.INCOMPLETE",
            "Thumbs.db",
            ".env",
            "README.md~",
            "__MACOSX/._a",
        ] {
            assert!(is(path), "{path}");
        }
        for path in [
            "model.safetensors",
            ".gitattributes",
            "README.md",
            "checkpoint-100/model.safetensors",
            "partial.json",
            "_x",
        ] {
            assert!(!is(path), "{path}");
        }
    }
}
