//! Where a folder came from: a Hugging Face cache, a Hugging Face download, or a git clone. Files are read, no program is run.

use std::fs;
use std::io::Read as _;
use std::path::Path;

use crate::hub_name::HubName;

/// The most bytes of any of these files that are read.
const MAX_FILE: u64 = 1 << 20;

/// Where a folder came from, as far as it says.
#[derive(Debug, Default, PartialEq)]
pub struct Origin {
    /// `org/name` on Hugging Face.
    pub huggingface: Option<String>,
    /// The URL of the git remote, if that is not Hugging Face.
    pub git: Option<String>,
    /// The commit.
    pub revision: Option<String>,
}

/// Looks for the traces.
pub fn of(root: &Path) -> Origin {
    let home = root.canonicalize().unwrap_or_else(|_| root.to_owned());
    cache(&home).or_else(|| git(&home)).or_else(|| download(&home)).unwrap_or_default()
}

/// `models--org--name/snapshots/<commit>`.
fn cache(home: &Path) -> Option<Origin> {
    let commit = home.file_name()?.to_str().filter(|name| is_commit(name))?;
    let snapshots = home.parent().filter(|folder| folder.file_name().is_some_and(|name| name == "snapshots"))?;
    let name = snapshots.parent()?.file_name()?.to_str()?.strip_prefix("models--")?;
    Some(Origin { huggingface: Some(name.replacen("--", "/", 1)), git: None, revision: Some(commit.to_owned()) })
}

/// `.git`: the remote `origin` and the commit that is checked out.
fn git(home: &Path) -> Option<Origin> {
    let git = home.join(".git");
    let head = text(&git.join("HEAD"))?;
    let revision = match head.trim().strip_prefix("ref: ") {
        None => Some(head.trim().to_owned()),
        Some(name) if name.split('/').all(|part| !part.is_empty() && part != "..") => {
            text(&git.join(name)).map(|commit| commit.trim().to_owned()).or_else(|| packed(&git, name))
        }
        Some(_) => None,
    };
    let url = text(&git.join("config")).as_deref().and_then(remote);
    let huggingface = url.as_deref().and_then(HubName::of_remote);
    let git = url.filter(|_| huggingface.is_none());
    Some(Origin { huggingface, git, revision: revision.filter(|commit| is_commit(commit)) })
}

fn packed(git: &Path, name: &str) -> Option<String> {
    let refs = text(&git.join("packed-refs"))?;
    let line = refs.lines().find(|line| line.ends_with(name) && line.len() == 41 + name.len())?;
    Some(line.split(' ').next()?.to_owned())
}

/// The URL of `[remote "origin"]`, without what could be a password in it.
fn remote(config: &str) -> Option<String> {
    let mut lines = config.lines().map(str::trim).skip_while(|line| *line != "[remote \"origin\"]").skip(1);
    let url = lines
        .by_ref()
        .take_while(|line| !line.starts_with('['))
        .find_map(|line| line.strip_prefix("url")?.trim_start().strip_prefix('=').map(|url| url.trim().to_owned()))?;
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
            // Over SSH the name is that of an account that all share, and no secret.
            let user = if scheme == "ssh" {
                host.rsplit_once('@').map(|(user, _)| user.split(':').next().unwrap_or_default())
            } else {
                None
            };
            let user = user.map(|user| format!("{user}@")).unwrap_or_default();
            let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
            Some(format!("{scheme}://{user}{host}/{path}"))
        }
        None => Some(over_ssh(&url).unwrap_or(url)),
    }
}

/// `git@git.acme.example:acme/tiny`, as an address: `ssh://git@git.acme.example/acme/tiny`. A path on a disk is none.
fn over_ssh(url: &str) -> Option<String> {
    let (host, path) = url.split_once(':')?;
    let is_host = !host.contains(['/', '\\']) && host.len() > 1 && !host.contains(' ');
    is_host.then(|| format!("ssh://{host}/{}", path.trim_start_matches('/')))
}

/// `.cache/huggingface/download/<file>.metadata`, which `--local-dir` leaves: the commit is its first line.
fn download(home: &Path) -> Option<Origin> {
    let folder = home.join(".cache/huggingface/download");
    let mut commits: Vec<String> = fs::read_dir(folder)
        .ok()?
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().ends_with(".metadata"))
        .take(1000)
        .filter_map(|entry| Some(text(&entry.path())?.lines().next()?.trim().to_owned()))
        .filter(|commit| is_commit(commit))
        .collect();
    commits.sort();
    commits.dedup();
    match commits.as_slice() {
        [commit] => Some(Origin { huggingface: None, git: None, revision: Some(commit.clone()) }),
        _ => None,
    }
}

fn is_commit(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

fn text(path: &Path) -> Option<String> {
    if !fs::metadata(path).ok()?.is_file() {
        return None;
    }
    let mut text = String::new();
    fs::File::open(path).ok()?.take(MAX_FILE).read_to_string(&mut text).ok()?;
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMIT: &str = "5d3c8a1f0f9e4a3c8e5c6f3d1b2a49788695a4b3";

    #[test]
    fn a_cache_snapshot_says_its_repository_and_commit() {
        let home = Path::new("/x/models--acme--tiny--1/snapshots").join(COMMIT);
        let origin = cache(&home).unwrap();
        assert_eq!((origin.huggingface.as_deref(), origin.revision.as_deref()), (Some("acme/tiny--1"), Some(COMMIT)));
    }

    #[test]
    fn a_clone_says_its_remote_without_the_password() {
        let folder = tempfile::tempdir().unwrap();
        let git = folder.path().join(".git");
        fs::create_dir_all(git.join("refs/heads")).unwrap();
        fs::write(git.join("HEAD"), "ref: refs/heads/main\n").unwrap();
        fs::write(git.join("refs/heads/main"), format!("{COMMIT}\n")).unwrap();
        fs::write(git.join("config"), "[core]\n[remote \"origin\"]\n\turl = https://me:secret@git.acme.example/tiny\n")
            .unwrap();
        let origin = of(folder.path());
        assert_eq!(origin.git.as_deref(), Some("https://git.acme.example/tiny"));
        assert_eq!(origin.revision.as_deref(), Some(COMMIT));

        for url in [
            "https://huggingface.co/acme/tiny",
            "https://me:secret@huggingface.co/acme/tiny.git",
            "git@hf.co:acme/tiny",
            "ssh://git@hf.co/acme/tiny.git",
        ] {
            fs::write(git.join("config"), format!("[remote \"origin\"]\nurl = {url}\n")).unwrap();
            assert_eq!(of(folder.path()).huggingface.as_deref(), Some("acme/tiny"), "{url}");
        }
        fs::write(git.join("config"), "[remote \"origin\"]\nurl = git@git.acme.example:acme/tiny.git\n").unwrap();
        assert_eq!(of(folder.path()).git.as_deref(), Some("ssh://git@git.acme.example/acme/tiny.git"));
    }

    #[test]
    fn a_local_download_says_its_commit_alone() {
        let folder = tempfile::tempdir().unwrap();
        let download_folder = folder.path().join(".cache/huggingface/download");
        fs::create_dir_all(&download_folder).unwrap();
        fs::write(download_folder.join("config.json.metadata"), format!("{COMMIT}\nabc\n1.0\n")).unwrap();
        assert_eq!(of(folder.path()).revision.as_deref(), Some(COMMIT));
    }
}
