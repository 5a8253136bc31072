//! What lies on this disk of a repository that is named by its address on the hub, or by its package URL: a snapshot in the Hugging Face
//! cache of this user. Nothing is downloaded.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use stele_explain::{Exit, Explain, explain};
use stele_verify::folder::hub_cache::{cache_folder, cached_repository};

use crate::package_name::{HubRepository, hub_repository};

/// The path that is meant: as it is given, or the snapshot of the repository that it names. What is on this disk under the very name comes
/// first.
pub(crate) fn meant(path: &Path) -> Result<Cow<'_, Path>, NotCached> {
    if path.symlink_metadata().is_ok() {
        return Ok(path.into());
    }
    let Some(named) = path.to_str().and_then(hub_repository) else { return Ok(path.into()) };
    let found = cached_repository(Path::new(&named.name)).and_then(|repository| match &named.revision {
        None => Some(repository),
        Some(revision) => snapshot_at(&repository, revision),
    });
    let found = found.and_then(|snapshot| match &named.path {
        None => Some(snapshot),
        // An address names one file of a revision: another one is not what it names.
        Some(path) => is_plain(path).then(|| snapshot.join(path)).filter(|found| found.exists()),
    });
    found.map(Cow::Owned).ok_or_else(|| NotCached { named, cache: cache_folder() })
}

/// The snapshot of a revision: a commit, or what `refs/` has under its name.
fn snapshot_at(repository: &Path, revision: &str) -> Option<PathBuf> {
    if !is_plain(revision) {
        return None;
    }
    let snapshot = |commit: &str| {
        let is_commit = !commit.is_empty() && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
        Some(repository.join("snapshots").join(commit)).filter(|snapshot| is_commit && snapshot.is_dir())
    };
    let named = || std::fs::read_to_string(repository.join("refs").join(revision)).ok();
    snapshot(revision).or_else(|| snapshot(named()?.trim()))
}

/// Whether a path leads to nothing but what is below, and has only what names of revisions and of a hub's files have.
fn is_plain(path: &str) -> bool {
    let is_plain = |part: &str| {
        !part.is_empty()
            && part != ".."
            && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.+".contains(&byte))
    };
    path.split('/').all(is_plain)
}

/// A repository, a revision of it or a file of that, that is not on this disk.
#[derive(Debug, thiserror::Error)]
#[error("{} is not in the Hugging Face cache of this user", described(.named))]
pub(crate) struct NotCached {
    named: HubRepository,
    cache: Option<PathBuf>,
}

fn described(HubRepository { name, revision, path }: &HubRepository) -> String {
    let path = path.as_ref().map(|path| format!("{path} of ")).unwrap_or_default();
    match revision {
        Some(revision) => format!("{path}{name} at {revision}"),
        None => format!("{path}{name}"),
    }
}

impl Explain for NotCached {
    explain! {
        Self { named, cache } => Exit::BadInput, "not-cached",
            hint: match &named.revision {
                Some(revision) => format!("`hf download {} --revision {revision}` gets it; or name the folder where it is", named.name),
                None => format!("`hf download {}` gets it; or name the folder where it is", named.name),
            },
            facts: vec![(
                "found",
                match cache {
                    Some(cache) => format!("nothing of it in {}", cache.display()),
                    None => "no place of a cache: neither HOME nor HF_HOME is set".to_owned(),
                },
            )];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_is_a_commit_or_a_name_and_leads_nowhere_else() {
        let folder = tempfile::tempdir().unwrap();
        let repository = folder.path().join("models--acme--tiny");
        let commit = "5d3c8a1f0f9e4a3c8e5c6f3d1b2a49788695a4b3";
        std::fs::create_dir_all(repository.join("snapshots").join(commit)).unwrap();
        std::fs::create_dir_all(repository.join("refs/refs/pr")).unwrap();
        for (name, said) in [("main", commit), ("refs/pr/1", commit), ("gone", "0123"), ("odd", "../..")] {
            std::fs::write(repository.join("refs").join(name), format!("{said}\n")).unwrap();
        }
        let there = Some(repository.join("snapshots").join(commit));
        for revision in [commit, "main", "refs/pr/1"] {
            assert_eq!(snapshot_at(&repository, revision), there, "{revision}");
        }
        for revision in ["", "gone", "odd", "../refs/main", "/etc/passwd", "..", "v1", "0123"] {
            assert_eq!(snapshot_at(&repository, revision), None, "{revision}");
        }
    }

    #[test]
    fn what_is_no_address_of_the_hub_is_a_path() {
        for text in ["./model", "/no/such/folder", "acme/tiny", "https://acme.example/tiny", "pkg:oci/tiny"] {
            assert_eq!(meant(Path::new(text)).unwrap(), Path::new(text));
        }
    }
}
