//! Addresses as people paste them: of a file, a folder or a page of a repository, cut to the repository.
//!
//! | host | address | repository, branch or tag |
//! |---|---|---|
//! | Hugging Face | `/acme/tiny/blob/main/README.md`, also `resolve`, `raw`, `tree`, `commit`, ... | `acme/tiny`, `main` |
//! | | `/acme/tiny/discussions/3`, `/acme/tiny.git`, `/acme/tiny?library=x` | `acme/tiny` |
//! | | `/datasets/...`, `/spaces/...`, `/acme/tiny/anything` | refused |
//! | Ollama | `/library/tiny:1b/blobs/...`, `/acme/tiny/tags` | `library/tiny`, `1b`; `acme/tiny` |
//! | a registry | `/acme/tiny:v1`, `/acme/tiny@sha256:...` | `acme/tiny`, `v1` |
//!
//! Asked for as it stands, such an address names no repository, and its absence would be said of a repository that is there.

/// A repository within a host.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Repository<'a> {
    /// Its name.
    pub(crate) name: &'a str,
    /// The branch or tag.
    pub(crate) current: Option<&'a str>,
    /// What was cut off.
    pub(crate) rest: &'a str,
}

/// The web pages of registries, which answer no questions of a registry's client.
pub(crate) const PAGES_OF_REGISTRIES: [&str; 3] = ["hub.docker.com", "github.com", "gitlab.com"];

/// First segments of a hub's addresses that are no owner of models.
const NO_OWNERS: [&str; 16] = [
    "api",
    "blog",
    "buckets",
    "chat",
    "collections",
    "datasets",
    "docs",
    "join",
    "kernels",
    "learn",
    "login",
    "models",
    "organizations",
    "papers",
    "settings",
    "spaces",
];
/// Pages of a repository that name a revision next.
const OF_A_REVISION: [&str; 9] = ["tree", "blob", "resolve", "raw", "blame", "edit", "commit", "commits", "delete"];
/// Pages of a repository that name none.
const OF_NONE: [&str; 6] = ["discussions", "settings", "upload", "community", "new", "activity"];

/// The name under which a hub with several names is recorded.
pub(crate) fn main_name(authority: &str) -> &str {
    match authority {
        "hf.co" | "www.hf.co" | "www.huggingface.co" => "huggingface.co",
        "www.ollama.com" | "ollama.ai" | "www.ollama.ai" => "ollama.com",
        other => other,
    }
}

/// A path of a Hugging Face hub, without slashes around it.
pub(crate) fn huggingface(path: &str) -> Option<Repository<'_>> {
    let first = path.split('/').next()?;
    if NO_OWNERS.contains(&first) {
        return None;
    }
    let is_page = |segment: &str| OF_A_REVISION.contains(&segment) || OF_NONE.contains(&segment);
    // A name of one segment is older than owners: `gpt2`.
    let segments = match path.split('/').nth(1) {
        Some(second) if !is_page(second) => 2,
        _ => 1,
    };
    let (name, after) = split_after(path, segments);
    let name = name.strip_suffix(".git").unwrap_or(name);
    let dotted = if path.starts_with(&format!("{name}.git")) { ".git" } else { "" };
    let (page, rest) = split_after(after, 1);
    if page.is_empty() {
        return Some(Repository { name, current: None, rest: dotted });
    }
    if OF_NONE.contains(&page) {
        return Some(Repository { name, current: None, rest: after });
    }
    if !OF_A_REVISION.contains(&page) || rest.is_empty() {
        return None;
    }
    // `refs/pr/1` is one revision. Other branches may have a `/` as well: then a tree's address names a branch or a folder.
    let length = if rest.starts_with("refs/") { 3 } else { 1 };
    let (revision, within) = split_after(rest, length);
    let known = length == 3 || revision == "main" || is_commit(revision);
    match page {
        "tree" if !known => Some(Repository { name, current: Some(rest), rest: "" }),
        "tree" => Some(Repository { name, current: Some(revision), rest: within }),
        _ => Some(Repository { name, current: Some(revision), rest }),
    }
}

/// A path of Ollama's site, without slashes around it.
pub(crate) fn ollama(path: &str) -> Option<Repository<'_>> {
    let tagged = |segment: &str| segment.contains(':');
    let segments = match path.split('/').next()? {
        first if tagged(first) => 1,
        _ => 2,
    };
    let (name, rest) = split_after(path, segments);
    // `/tiny/tags` is a page of the library's `tiny`.
    let pages = ["tags", "blobs"];
    let (name, rest) = match name.rsplit_once('/') {
        Some((short, page)) if pages.contains(&page) => (short, page),
        _ => (name, rest),
    };
    if !rest.is_empty() && !pages.iter().any(|page| rest == *page || rest.starts_with(&format!("{page}/"))) {
        return None;
    }
    Some(Repository { rest, ..image(name) })
}

/// A path of a registry: a name, and a tag or a digest.
pub(crate) fn image(path: &str) -> Repository<'_> {
    let path = path.split_once('@').map_or(path, |(path, _)| path);
    match path.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => Repository { name, current: Some(tag), rest: "" },
        _ => Repository { name: path, current: None, rest: "" },
    }
}

/// So many segments, and what comes after them.
fn split_after(path: &str, segments: usize) -> (&str, &str) {
    let at = path.match_indices('/').nth(segments.saturating_sub(1)).map(|(at, _)| at);
    at.and_then(|at| Some((path.get(..at)?, path.get(at + 1..)?))).unwrap_or((path, ""))
}

/// Whether a revision is a commit of git, in full.
pub(crate) fn is_commit(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hub(path: &str) -> Option<(&str, Option<&str>, &str)> {
        huggingface(path).map(|found| (found.name, found.current, found.rest))
    }

    #[test]
    fn a_page_of_a_repository_is_cut_to_the_repository() {
        let commit = "0f1e2d3c4b5a69788796a5b4c3d2e1f001122334";
        for (path, found) in [
            ("acme/tiny", ("acme/tiny", None, "")),
            ("gpt2", ("gpt2", None, "")),
            ("acme/tiny.git", ("acme/tiny", None, ".git")),
            ("acme/tiny/tree/main", ("acme/tiny", Some("main"), "")),
            ("acme/tiny/tree/main/sub/folder", ("acme/tiny", Some("main"), "sub/folder")),
            ("acme/tiny/tree/refs/pr/1", ("acme/tiny", Some("refs/pr/1"), "")),
            ("acme/tiny/tree/refs/pr/1/sub", ("acme/tiny", Some("refs/pr/1"), "sub")),
            ("acme/tiny/tree/feature/x", ("acme/tiny", Some("feature/x"), "")),
            ("acme/tiny/blob/main/README.md", ("acme/tiny", Some("main"), "main/README.md")),
            ("acme/tiny/resolve/main/model.safetensors", ("acme/tiny", Some("main"), "main/model.safetensors")),
            ("gpt2/blob/main/README.md", ("gpt2", Some("main"), "main/README.md")),
            ("acme/tiny/discussions/3", ("acme/tiny", None, "discussions/3")),
        ] {
            assert_eq!(hub(path), Some(found), "{path}");
        }
        assert_eq!(hub(&format!("acme/tiny/commit/{commit}")), Some(("acme/tiny", Some(commit), commit)));
    }

    #[test]
    fn what_is_no_repository_of_models_is_refused() {
        for path in
            ["datasets/acme/tiny", "spaces/acme/tiny", "acme/tiny/README.md", "acme/tiny/blob", "api/models/acme/tiny"]
        {
            assert_eq!(hub(path), None, "{path}");
        }
        assert_eq!(ollama("acme/tiny/README"), None);
    }

    #[test]
    fn ollama_s_pages_are_cut_as_well() {
        for (path, found) in [
            ("tiny", ("tiny", None, "")),
            ("tiny:1b", ("tiny", Some("1b"), "")),
            ("library/tiny:1b", ("library/tiny", Some("1b"), "")),
            ("tiny/tags", ("tiny", None, "tags")),
            ("library/tiny:1b/blobs/abc", ("library/tiny", Some("1b"), "blobs/abc")),
            ("tiny:1b/blobs/abc", ("tiny", Some("1b"), "blobs/abc")),
        ] {
            let Repository { name, current, rest } = ollama(path).unwrap();
            assert_eq!((name, current, rest), found, "{path}");
        }
    }
}
