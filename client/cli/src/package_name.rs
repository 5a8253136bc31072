//! Package URLs, and what people paste in their place: the address of a repository of the hub, or the name of its folder in a cache.
//!
//! | text | package URLs that it may be recorded as |
//! |---|---|
//! | `pkg:huggingface/acme/tiny@main` | the same; without its version |
//! | `https://huggingface.co/acme/tiny` | `pkg:huggingface/acme/tiny` |
//! | `.../acme/tiny/tree/main`, also `blob`, `resolve`, `raw`, `commit` | with `@main`; without |
//! | `hf://acme/tiny@main`, `git@hf.co:acme/tiny` | as above |
//! | `models--acme--tiny` | `pkg:huggingface/acme/tiny` |

use stele_spec::statement::Purl;

/// The names of the hub's host.
const HOSTS: [&str; 4] = ["huggingface.co", "www.huggingface.co", "hf.co", "ssh.hf.co"];
/// First parts of the hub's addresses that are no owner of models.
const NO_OWNERS: [&str; 10] =
    ["api", "blog", "collections", "datasets", "docs", "models", "organizations", "papers", "settings", "spaces"];
/// Pages of a repository that name a revision next.
const OF_A_REVISION: [&str; 8] = ["tree", "blob", "resolve", "raw", "blame", "edit", "commit", "commits"];
/// Those of them that name a file or a folder after it.
const OF_A_PATH: [&str; 6] = ["tree", "blob", "resolve", "raw", "blame", "edit"];
/// Pages of a repository that name none.
const OF_NONE: [&str; 4] = ["discussions", "settings", "community", "activity"];

/// A repository of the hub, as somebody names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HubRepository {
    /// `acme/tiny`.
    pub(crate) name: String,
    /// A branch, a commit, or `refs/pr/1`.
    pub(crate) revision: Option<String>,
    /// The file or folder in it, where its page was named.
    pub(crate) path: Option<String>,
}

/// The package URLs that a text may be recorded as, the likeliest first; none where it names no package.
pub(crate) fn packages(text: &str) -> Option<Vec<Purl>> {
    match package_url(text.trim()) {
        Some(purl) => Some(versions_of(purl?)),
        None => recorded_as(&pasted(text.trim())?),
    }
}

/// The repository of the hub that a text names, by its address, its package URL, or the name of its folder in a cache.
pub(crate) fn hub_repository(text: &str) -> Option<HubRepository> {
    let Some(purl) = package_url(text.trim()) else { return pasted(text.trim()) };
    let purl = purl?.to_string();
    let name = purl.strip_prefix("pkg:huggingface/")?.split(['?', '#']).next()?;
    let (name, revision) = name.split_once('@').map_or((name, None), |(name, revision)| (name, Some(revision)));
    let revision = revision.map(|revision| revision.replace("%2F", "/"));
    Some(HubRepository { name: name.to_owned(), revision, path: None })
}

/// A package URL, where a text begins as one; none in it where it is malformed.
fn package_url(text: &str) -> Option<Option<Purl>> {
    let is_one = text.get(..4).is_some_and(|scheme| scheme.eq_ignore_ascii_case("pkg:"));
    is_one.then(|| format!("pkg:{}", text.get(4..)?).parse().ok())
}

/// What is pasted in the place of a package URL.
fn pasted(text: &str) -> Option<HubRepository> {
    match text.trim_end_matches('/').strip_prefix("models--") {
        Some(cached) => repository(&cached.replacen("--", "/", 1)),
        None => repository(path_on_hub(text)?),
    }
}

/// The package URLs under which a repository may be recorded.
fn recorded_as(HubRepository { name, revision, .. }: &HubRepository) -> Option<Vec<Purl>> {
    let bare: Purl = format!("pkg:huggingface/{name}").parse().ok()?;
    let at = revision.as_ref().map(|revision| revision.replace('/', "%2F"));
    let at = at.and_then(|revision| format!("pkg:huggingface/{name}@{revision}").parse().ok());
    Some(at.into_iter().chain([bare]).collect())
}

/// Whether a recorded package URL is one that a text may mean. Where no version was asked for every version is meant; where one was, not
/// another.
pub(crate) fn means(packages: &[Purl], recorded: &Purl) -> bool {
    match packages {
        [any] => recorded == any || bare(recorded).as_ref() == Some(any),
        _ => packages.contains(recorded),
    }
}

/// A package URL without its version.
fn bare(purl: &Purl) -> Option<Purl> {
    purl.to_string().split(['@', '?', '#']).next()?.parse().ok()
}

/// A package URL, and the same without its version: a release may be recorded under either.
fn versions_of(purl: Purl) -> Vec<Purl> {
    let bare = bare(&purl).filter(|bare| *bare != purl);
    [Some(purl), bare].into_iter().flatten().collect()
}

/// What stands behind the hub's host in an address.
fn path_on_hub(address: &str) -> Option<&str> {
    if let Some(path) = address.strip_prefix("hf://") {
        return Some(path);
    }
    let (authority, path) = match address.split_once("://") {
        Some((scheme, rest)) => {
            let known = ["https", "http", "ssh", "git", "git+ssh"];
            known.iter().find(|known| scheme.eq_ignore_ascii_case(known))?;
            rest.split_once('/')?
        }
        // A remote of git over SSH: `git@hf.co:acme/tiny`.
        None => address.split_once(':').filter(|(authority, _)| authority.starts_with("git@"))?,
    };
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = host.split_once(':').map_or(host, |(host, _)| host);
    HOSTS.iter().any(|known| known.eq_ignore_ascii_case(host)).then_some(path)
}

/// A path of the hub: a repository, and of a page of it the revision.
fn repository(path: &str) -> Option<HubRepository> {
    let path = path.split(['?', '#']).next()?;
    let mut parts = path.split('/').filter(|part| !part.is_empty()).peekable();
    let first = parts.next().filter(|first| !NO_OWNERS.contains(first))?;
    let is_page = |part: &&str| OF_A_REVISION.contains(part) || OF_NONE.contains(part);
    // A name of one part is older than owners: `gpt2`.
    let name = match parts.next_if(|second| !is_page(second)) {
        Some(second) => format!("{first}/{second}"),
        None => first.to_owned(),
    };
    let (name, at) = name.split_once('@').map_or((name.as_str(), None), |(name, at)| (name, Some(at)));
    let name = name.strip_suffix(".git").unwrap_or(name);
    let page = parts.next();
    let revision = match (at, page) {
        (Some(at), _) => Some(at.to_owned()),
        (None, Some(page)) if OF_A_REVISION.contains(&page) => match parts.next() {
            // `refs/pr/1` is one revision.
            Some("refs") => Some(["refs", parts.next()?, parts.next()?].join("/")),
            revision => revision.map(str::to_owned),
        },
        (None, Some(page)) if OF_NONE.contains(&page) => None,
        // Whatever that is, it is no page of a repository.
        (None, Some(_)) => return None,
        (None, None) => None,
    };
    let path = parts.collect::<Vec<_>>().join("/");
    let path = Some(path).filter(|path| !path.is_empty() && page.is_some_and(|page| OF_A_PATH.contains(&page)));
    Some(HubRepository { name: name.to_owned(), revision, path })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Option<Vec<String>> {
        packages(text).map(|purls| purls.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn what_is_no_model_of_the_hub_names_no_package() {
        for text in [
            "https://huggingface.co/datasets/acme/words",
            "https://huggingface.co/spaces/acme/demo",
            "https://huggingface.co/",
            "https://huggingface.co",
            "https://huggingface.co/acme/tiny/README.md",
            "https://huggingface.co.acme.example/acme/tiny",
            "https://huggingface.co@acme.example/acme/tiny",
            "https://acme.example/acme/tiny",
            "ftp://huggingface.co/acme/tiny",
            "git@git.acme.example:acme/tiny",
            "pkg:",
            "pkg",
            "models--",
            "acme/tiny",
            "",
        ] {
            assert_eq!(names(text), None, "{text}");
        }
    }

    #[test]
    fn without_a_version_every_version_is_meant_and_with_one_no_other() {
        let recorded: Purl = "pkg:huggingface/acme/tiny@1.0.2".parse().unwrap();
        for (text, meant) in [
            ("pkg:huggingface/acme/tiny@1.0.3", false),
            ("https://huggingface.co/acme/tiny/tree/main", false),
            ("pkg:huggingface/acme/tin", false),
            ("https://huggingface.co/acme/tiny", true),
            ("models--acme--tiny", true),
            ("pkg:huggingface/acme/tiny@1.0.2", true),
        ] {
            assert_eq!(means(&packages(text).unwrap(), &recorded), meant, "{text}");
        }
    }

    #[test]
    fn one_repository_has_one_package_url_and_a_revision_comes_first() {
        let bare = "pkg:huggingface/acme/tiny";
        for text in [
            "pkg:huggingface/acme/tiny",
            "https://huggingface.co/acme/tiny",
            "HTTPS://HuggingFace.co/acme/tiny/",
            "http://www.huggingface.co/acme/tiny?library=transformers",
            "https://hf.co/acme/tiny.git",
            "https://huggingface.co/acme/tiny/discussions/3",
            "https://me:token@huggingface.co/acme/tiny",
            "hf://acme/tiny",
            "git@hf.co:acme/tiny",
            "ssh://git@hf.co/acme/tiny.git",
            "models--acme--tiny",
            "models--acme--tiny/",
        ] {
            assert_eq!(names(text), Some(vec![bare.to_owned()]), "{text}");
        }
        for (text, revision) in [
            ("pkg:huggingface/acme/tiny@main", "main"),
            ("PKG:huggingface/acme/tiny@main", "main"),
            ("hf://acme/tiny@main", "main"),
            ("https://huggingface.co/acme/tiny/tree/main", "main"),
            ("https://huggingface.co/acme/tiny/tree/main/sub", "main"),
            ("https://huggingface.co/acme/tiny/blob/main/config.json", "main"),
            ("https://huggingface.co/acme/tiny/resolve/main/model.safetensors?download=true", "main"),
            ("https://huggingface.co/acme/tiny/commit/0f1e2d3c4b5a", "0f1e2d3c4b5a"),
        ] {
            assert_eq!(names(text), Some(vec![format!("{bare}@{revision}"), bare.to_owned()]), "{text}");
        }
        assert_eq!(names("https://huggingface.co/gpt2/blob/main/x").unwrap().last().unwrap(), "pkg:huggingface/gpt2");
        assert_eq!(names("https://huggingface.co/acme/tiny/tree/refs/pr/1").unwrap().last().unwrap(), bare);
    }
}
