//! Where a folder came from: a Hugging Face cache, a Hugging Face download, or a git clone. Files are read, no program is run.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read as _;
use std::path::Path;

use stele_spec::manifest::FilePath;

use crate::git_index::GitIndex;
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
    /// Whether the git remote is a folder of a disk.
    pub is_of_this_machine: bool,
    /// Why the weights may not be those of the commit; see [`doubt`].
    pub doubt: Option<String>,
    /// Why the files may not be those of the commit, all of them.
    pub files_doubt: Option<String>,
}

/// Which files are held against a commit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// These.
    Some,
    /// These are all that there are, and the commit has no others.
    All,
}

/// The remote of a clone.
enum Remote {
    /// An address, without what could be a secret in it.
    Address(String),
    /// A folder of a disk.
    Disk,
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
    Some(Origin {
        huggingface: Some(name.replacen("--", "/", 1)),
        revision: Some(commit.to_owned()),
        ..Origin::default()
    })
}

/// `.git`: the remote `origin` and the commit that is checked out.
fn git(home: &Path) -> Option<Origin> {
    let git = home.join(".git");
    let head = text(&git.join("HEAD"))?;
    let revision = match head.trim().strip_prefix("ref: ") {
        None => Some(head.trim().to_owned()).filter(|commit| is_commit(commit)),
        Some(name) => commit_of(&git, name),
    };
    let (url, is_of_this_machine) = match text(&git.join("config")).as_deref().and_then(remote) {
        Some(Remote::Address(url)) => (Some(url), false),
        Some(Remote::Disk) => (None, true),
        None => (None, false),
    };
    let huggingface = url.as_deref().and_then(HubName::of_remote);
    let git = url.filter(|_| huggingface.is_none());
    Some(Origin { huggingface, git, revision, is_of_this_machine, ..Origin::default() })
}

/// The commit that a name of git stands for.
fn commit_of(git: &Path, name: &str) -> Option<String> {
    let is_name = name.split('/').all(|part| !part.is_empty() && part != "..");
    let loose = || text(&git.join(name)).map(|commit| commit.trim().to_owned());
    let commit = is_name.then(|| loose().or_else(|| packed(git, name)))?;
    commit.filter(|commit| is_commit(commit))
}

/// Why files in a clone may be others than the remote has at its commit: they were replaced in place, or never pushed. What cannot
/// be compared is in doubt too.
pub fn doubt(root: &Path, origin: &Origin, files: &[FilePath], held: Held) -> Option<String> {
    let home = root.canonicalize().unwrap_or_else(|_| root.to_owned());
    let git = home.join(".git");
    let is_clone = cache(&home).is_none() && (origin.huggingface.is_some() || origin.git.is_some());
    let head = text(&git.join("HEAD")).filter(|_| is_clone)?;
    if let Some(branch) = head.trim().strip_prefix("ref: ").and_then(|name| name.strip_prefix("refs/heads/")) {
        match commit_of(&git, &format!("refs/remotes/origin/{branch}")) {
            None => return Some(format!("the branch {branch} is not known to be at the remote")),
            pushed if pushed != origin.revision => {
                return Some(format!("the branch {branch} is at another commit than that of the remote"));
            }
            Some(_) => {}
        }
    }
    let names: BTreeSet<&str> = files.iter().map(FilePath::as_str).collect();
    match GitIndex::read(&git.join("index"), &names) {
        Ok(index) => {
            let gone = || index.gone(&home).filter(|_| held == Held::All);
            names.into_iter().find_map(|name| index.changed(&home, name)).or_else(gone)
        }
        Err(error) => Some(format!("the files could not be compared with .git/index: {error}")),
    }
}

fn packed(git: &Path, name: &str) -> Option<String> {
    let refs = text(&git.join("packed-refs"))?;
    let line = refs.lines().find(|line| line.ends_with(name) && line.len() == 41 + name.len())?;
    Some(line.split(' ').next()?.to_owned())
}

/// The URL of `[remote "origin"]`, without what could be a password or a token in it.
fn remote(config: &str) -> Option<Remote> {
    let mut lines = config.lines().map(str::trim).skip_while(|line| *line != "[remote \"origin\"]").skip(1);
    let url = lines
        .by_ref()
        .take_while(|line| !line.starts_with('['))
        .find_map(|line| line.strip_prefix("url")?.trim_start().strip_prefix('=').map(|url| url.trim().to_owned()))?;
    let url = url.trim_matches('"');
    let url = url.split(['?', '#']).next().unwrap_or_default();
    Some(match url.split_once("://") {
        Some((scheme, _)) if scheme.eq_ignore_ascii_case("file") => Remote::Disk,
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
            Remote::Address(format!("{scheme}://{user}{host}/{path}"))
        }
        None => over_ssh(url).map_or(Remote::Disk, Remote::Address),
    })
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
        [commit] => Some(Origin { revision: Some(commit.clone()), ..Origin::default() }),
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
        for url in ["https://git.acme.example/y.git?private_token=abc", "https://git.acme.example/y.git#abc"] {
            fs::write(git.join("config"), format!("[remote \"origin\"]\nurl = {url}\n")).unwrap();
            assert_eq!(of(folder.path()).git.as_deref(), Some("https://git.acme.example/y.git"), "{url}");
        }
        for url in ["/srv/git/x.git", "../x", "file:///home/me/x", "C:\\models\\x"] {
            fs::write(git.join("config"), format!("[remote \"origin\"]\nurl = {url}\n")).unwrap();
            let origin = of(folder.path());
            assert_eq!((origin.git, origin.huggingface, origin.is_of_this_machine), (None, None, true), "{url}");
        }
        fs::write(git.join("config"), "[remote \"origin\"]\nurl = git@git.acme.example:acme/tiny.git\n").unwrap();
        assert_eq!(of(folder.path()).git.as_deref(), Some("ssh://git@git.acme.example/acme/tiny.git"));
    }

    #[test]
    fn weights_that_were_replaced_in_a_clone_are_in_doubt() {
        let folder = tempfile::tempdir().unwrap();
        let git = folder.path().join(".git");
        let write = |path: &str, bytes: &[u8]| {
            let path = git.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        };
        let commit = format!("{COMMIT}\n");
        write("HEAD", b"ref: refs/heads/main\n");
        write("refs/heads/main", commit.as_bytes());
        write("config", b"[remote \"origin\"]\nurl = https://huggingface.co/acme/base\n");
        let weights = ["model.safetensors".parse().unwrap()];
        fs::write(folder.path().join("model.safetensors"), b"base").unwrap();
        let doubted = || doubt(folder.path(), &of(folder.path()), &weights, Held::Some);
        assert!(doubted().unwrap().contains("is not known to be at the remote"));
        write("refs/remotes/origin/main", commit.as_bytes());
        assert!(doubted().unwrap().contains("could not be compared with .git/index"));
        let blob = stele_spec::manifest::FileDigests::of(b"base").git_sha1;
        write("index", &crate::git_index::tests::index(&[("model.safetensors", blob)]));
        assert_eq!(doubted(), None);
        fs::write(folder.path().join("model.safetensors"), b"mine").unwrap();
        assert_eq!(doubted().unwrap(), "model.safetensors is not the file of the repository");
        fs::write(folder.path().join("model.safetensors"), b"base").unwrap();
        // A card beside them that was changed, or removed, is no other weights, and another release.
        let card = stele_spec::manifest::FileDigests::of(b"card").git_sha1;
        write("index", &crate::git_index::tests::index(&[("README.md", card), ("model.safetensors", blob)]));
        let of_all = |files: &[FilePath]| doubt(folder.path(), &of(folder.path()), files, Held::All);
        assert_eq!(of_all(&weights).unwrap(), "README.md is in the repository and not here");
        let all = ["README.md".parse().unwrap(), weights[0].clone()];
        fs::write(folder.path().join("README.md"), b"card").unwrap();
        assert_eq!(of_all(&all), None);
        fs::write(folder.path().join("README.md"), b"changed").unwrap();
        assert_eq!(of_all(&all).unwrap(), "README.md is not the file of the repository");
        assert_eq!(doubted(), None);
        write("refs/remotes/origin/main", "1".repeat(40).as_bytes());
        assert!(doubted().unwrap().contains("at another commit"));
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
