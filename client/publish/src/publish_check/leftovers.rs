//! What tools and systems leave in a folder, known by its name.

use stele_spec::manifest::FilePath;

/// Hidden names that belong to a repository of a model. Any other is a tool's or a person's own.
const HIDDEN: [&str; 20] = [
    ".clang-format",
    ".dockerignore",
    ".editorconfig",
    ".env.example",
    ".env.sample",
    ".env.template",
    ".eval_results",
    ".flake8",
    ".gitattributes",
    ".github",
    ".gitignore",
    ".gitkeep",
    ".gitlab-ci.yml",
    ".gitmodules",
    ".markdownlint.json",
    ".nojekyll",
    ".pre-commit-config.yaml",
    ".python-version",
    ".readthedocs.yaml",
    ".well-known",
];

/// Ends of names of what is not finished or was put aside.
const UNFINISHED: [&str; 10] = [
    ".!qb",
    ".aria2",
    ".crdownload",
    ".download",
    ".filepart",
    ".incomplete",
    ".opdownload",
    ".part",
    ".partial",
    ".tmp",
];

/// Locks that belong to a repository: the versions of what its programs need.
const LOCKS: [&str; 8] =
    ["cargo.lock", "conda.lock", "pdm.lock", "pipfile.lock", "pixi.lock", "poetry.lock", "uv.lock", "yarn.lock"];

/// Ends of names of files that hold keys or passwords; what is in them is often encrypted, and then not known by its content.
const KEY_STORES: [&str; 6] = [".jks", ".kdbx", ".keystore", ".p12", ".pfx", ".ppk"];

/// What a file is that is not meant to be published, if its name says so.
pub(super) fn leftover(path: &FilePath) -> Option<&'static str> {
    let segments: Vec<&str> = path.segments().collect();
    let (name, folders) = segments.split_last()?;
    let lower = name.to_ascii_lowercase();
    let ends = |ends: &[&str]| ends.iter().any(|end| lower.ends_with(end));
    let by_folder = folders.iter().find_map(|folder| of_folder(folder));
    by_folder.or_else(|| match lower.as_str() {
        ".ds_store" | "thumbs.db" | "desktop.ini" => Some("a file of a desktop"),
        ".env" | ".netrc" | ".pypirc" | ".npmrc" | ".git-credentials" | ".dockercfg" | ".s3cfg" | ".boto" | "netrc"
        | "_netrc" | "kaggle.json" | "rclone.conf" | "pip.conf" => Some("settings that often hold secrets"),
        "id_rsa" | "id_dsa" | "id_ecdsa" | "id_ed25519" => Some("a private key, by its name"),
        _ if ends(&KEY_STORES) => Some("a store of keys or passwords, by its name"),
        _ if name.starts_with("._") => Some("what macOS keeps beside a file (AppleDouble), and not the file itself"),
        _ if ends(&UNFINISHED) => Some("a download that is not finished, or a temporary file"),
        _ if ends(&[".swp", "~", ".orig", ".bak", ".rej"]) || name.starts_with("~$") => {
            Some("a copy that an editor keeps")
        }
        _ if name.len() > 2 && name.starts_with('#') && name.ends_with('#') => Some("a copy that an editor keeps"),
        _ if lower.ends_with(".dvc") => Some("a pointer of DVC, and not the file itself"),
        _ if lower.ends_with(".lock") && folders.is_empty() && !LOCKS.contains(&lower.as_str()) => {
            Some("a lock of a tool")
        }
        "nohup.out" | "pyvenv.cfg" => Some("a tool's own files"),
        _ if lower == "core" || lower.strip_prefix("core.").is_some_and(is_number) => {
            Some("what a program left when it broke down")
        }
        _ if is_output_of_a_job(&lower) => Some("what a job of a cluster printed"),
        _ if name.starts_with('.') && !HIDDEN.contains(&lower.as_str()) => Some("a hidden file"),
        _ => None,
    })
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// `slurm-1234.out`, and `slurm-1234_5.out` of an array of jobs.
fn is_output_of_a_job(name: &str) -> bool {
    let number = name.strip_prefix("slurm-").and_then(|rest| rest.strip_suffix(".out").or(rest.strip_suffix(".err")));
    number.is_some_and(|number| number.split('_').all(is_number))
}

fn of_folder(folder: &str) -> Option<&'static str> {
    match folder {
        "__pycache__" => Some("a cache of Python"),
        ".ipynb_checkpoints" => Some("a checkpoint of a notebook's editor"),
        ".huggingface" | ".cache" | ".locks" | ".no_exist" => Some("a cache of a download"),
        ".git" | ".svn" | ".hg" => Some("a repository's own files"),
        "node_modules" | "venv" | "wandb" => Some("a tool's own files"),
        "__MACOSX" => Some("a copy of what macOS keeps beside a file"),
        "lost+found" => Some("a folder of a disk's repairs"),
        "@eaDir" | "#recycle" | "$RECYCLE.BIN" | "System Volume Information" => Some("a folder of a desktop"),
        _ if folder.ends_with(".egg-info") => Some("a tool's own files"),
        _ if folder.ends_with(".download") => Some("a download that is not finished, or a temporary file"),
        _ if folder.starts_with('.') && !HIDDEN.contains(&folder) => Some("in a hidden folder"),
        _ => None,
    }
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
            ".aws/credentials",
            ".kaggle/kaggle.json",
            ".docker/config.json",
            ".git-credentials",
            ".bash_history",
            ".ssh/config",
            ".nfs00001",
            ".idea/workspace.xml",
            "sub/.vscode/settings.json",
            ".Trash-1000/files/a",
            "$RECYCLE.BIN/a",
            "core.1234",
            "core",
            "slurm-123.out",
            "slurm-123_4.err",
            "#card.md#",
            "@eaDir/model.safetensors@SynoEAStream",
            "lost+found/#1234",
            "nohup.out",
            "wandb/run-1/a.log",
            "venv/bin/python",
            "env/pyvenv.cfg",
            "tiny.egg-info/PKG-INFO",
            "config.json.bak",
            "~$card.docx",
            ".msc",
            "model.safetensors.opdownload",
            "model.safetensors.download/a",
            "model.safetensors.dvc",
            "id_ed25519",
            "sub/Cert.P12",
            "debug.keystore",
            "model.lock",
            ".env.local",
            "sub/rclone.conf",
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
            ".gitignore",
            ".eval_results/mmlu.yaml",
            ".github/workflows/check.yml",
            ".env.example",
            ".gitlab-ci.yml",
            ".python-version",
            ".nojekyll",
            "uv.lock",
            "poetry.lock",
            "core.py",
            "core/config.json",
            "slurm-job.out",
            "##",
            "core.md",
            "runs/events.out.tfevents.1",
        ] {
            assert!(!is(path), "{path}");
        }
    }
}
