//! A Hugging Face repository: a revision is resolved to a commit, then the commit's tree is read, page by page.
//!
//! `GET /api/models/<repo>/revision/<rev>` has the commit in `sha`. `GET /api/models/<repo>/tree/<commit>?recursive=true` is an
//! array of `{type, path, size, oid}`; a large file has `lfs: {oid, size, pointerSize}` beside it, where `lfs.oid` is the
//! SHA-256 of the content and the outer `oid` is the git id of the pointer. The next page is in the header `Link`. What
//! else there is (`xetHash`, `lastCommit`, `securityFileStatus`) is not needed. A repository that does not exist answers 401, so
//! that its name tells nothing; a revision that does not exist, 404 with `X-Error-Code: RevisionNotFound`; a gated one, 401 or 403
//! with `X-Error-Code: GatedRepo`; a renamed one, 307.

use serde::Deserialize;
use stele_fetch::http_client::Response;
use stele_spec::hash::Digest;
use stele_spec::manifest::{GitBlobId, MAX_FILES};
use stele_spec::statement::HostDigest;

use crate::error::HostError;
use crate::hub_client::{HubClient, Which, is_page};
use crate::place::HostLocation;
use crate::view::{HostFile, HostListing, Part, Scope};

/// The branch that is downloaded where none is named.
const DEFAULT_BRANCH: &str = "main";
/// The most pages of a tree: some are shorter than a thousand items.
const MAX_PAGES: usize = 200;
/// How often a renamed repository is followed.
const MAX_MOVES: usize = 3;

#[derive(Deserialize)]
struct Revision {
    sha: String,
}

/// One line of a tree; fields that are not needed are not read.
#[derive(Deserialize)]
pub(crate) struct Item {
    #[serde(rename = "type")]
    kind: String,
    path: String,
    #[serde(default)]
    size: u64,
    oid: String,
    #[serde(default)]
    lfs: Option<Lfs>,
}

#[derive(Deserialize)]
struct Lfs {
    oid: String,
    size: u64,
}

/// What the repository has at a revision; none where it or the revision does not exist.
pub(crate) fn view(hubs: &HubClient, place: &HostLocation, which: Which<'_>) -> Result<Option<HostListing>, HostError> {
    let base = hubs.bases.of(place);
    let revision = match which {
        Which::Current => place.current.as_deref().unwrap_or(DEFAULT_BRANCH),
        Which::Exact(revision) => revision,
    };
    let url = format!("{base}/api/models/{}/revision/{}", place.name, encoded(revision));
    let Some((url, answer)) = existing(hubs, place, &base, url)? else {
        return match ambiguous(place, which) {
            Some(reason) => Err(HostError::Unclear { locator: place.to_string(), reason }),
            None => Ok(None),
        };
    };
    let Revision { sha } = parse(&url, &answer.body)?;
    if !matches!(sha.len(), 40 | 64) || !sha.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err(HostError::Shape { url, problem: format!("sha is {sha:?}, which is no commit") });
    }
    let mut files = Vec::new();
    let mut next = Some(format!("{base}/api/models/{}/tree/{sha}?recursive=true", place.name));
    for _ in 0..MAX_PAGES {
        let Some(url) = next.take() else {
            return Ok(Some(HostListing { files, revision: Some(sha), scope: Scope::Files }));
        };
        let Some((url, answer)) = existing(hubs, place, &base, url)? else { return Ok(None) };
        files.extend(read_page(&url, &answer.body)?);
        if files.len() > 4 * MAX_FILES {
            break;
        }
        next = answer.header("link").and_then(next_page).map(|path| format!("{base}{path}"));
    }
    Err(HostError::Incomparable { url: base, reason: "the repository has too many files" })
}

/// Why nothing being there may be the address's fault, not the host's.
fn ambiguous(place: &HostLocation, which: Which<'_>) -> Option<&'static str> {
    if !place.name.contains('/') {
        return Some("it names an owner, or a model without one");
    }
    let branch = place.current.as_deref().filter(|branch| which == Which::Current && !branch.starts_with("refs/"))?;
    branch.contains('/').then_some("it names a folder of a branch, or a branch with a `/` in its name")
}

/// The files of one page.
pub(crate) fn read_page(url: &str, body: &[u8]) -> Result<Vec<HostFile>, HostError> {
    let items: Vec<Item> = parse(url, body)?;
    let refuse = |path: &str, oid: &str| HostError::Shape {
        url: url.to_owned(),
        problem: format!("{path} has the oid {oid:?}"),
    };
    items
        .into_iter()
        .filter(|item| item.kind == "file")
        .map(|item| {
            let (size, digest) = match &item.lfs {
                Some(lfs) => {
                    let hex = lfs.oid.strip_prefix("sha256:").unwrap_or(&lfs.oid);
                    let digest = Digest::from_hex(hex).map_err(|_| refuse(&item.path, &lfs.oid))?;
                    (lfs.size, HostDigest::Sha256(digest))
                }
                None => {
                    let id = GitBlobId::from_hex(&item.oid).map_err(|_| refuse(&item.path, &item.oid))?;
                    (item.size, HostDigest::GitSha1(id))
                }
            };
            Ok(HostFile { path: Some(item.path), size, digest, part: Part::Other, media_type: String::new() })
        })
        .collect()
}

/// An answer with content, following a renamed repository on the same hub; none where there is none.
fn existing(
    hubs: &HubClient,
    place: &HostLocation,
    base: &str,
    mut url: String,
) -> Result<Option<(String, Response)>, HostError> {
    for _ in 0..=MAX_MOVES {
        let answer = hubs.get(place, &url, Some("application/json"))?;
        let gated = answer.header("x-error-code") == Some("GatedRepo");
        match answer.status {
            200 => return Ok(Some((url, answer))),
            status @ (401 | 403) if gated => return Err(HostError::Closed { url, status }),
            status @ (401 | 404 | 410) if is_page(&answer) => return Err(HostError::Status { url, status }),
            401 | 404 | 410 => return Ok(None),
            403 => return Err(HostError::Closed { url, status: 403 }),
            status @ (301 | 302 | 307 | 308) => match answer.header("location").and_then(path_of) {
                Some(path) if path.starts_with("/api/models/") => url = format!("{base}{path}"),
                _ => return Err(HostError::Status { url, status }),
            },
            status => return Err(HostError::Status { url, status }),
        }
    }
    Err(HostError::Status { url, status: 307 })
}

/// The path and query of `<https://...>; rel="next"`: the host of the link is not asked, ours is.
pub(crate) fn next_page(link: &str) -> Option<&str> {
    link.split(',').map(str::trim).find_map(|link| {
        let (url, parameters) = link.strip_prefix('<')?.split_once('>')?;
        let next = parameters.split(';').any(|parameter| matches!(parameter.trim(), "rel=\"next\"" | "rel=next"));
        if next { path_of(url) } else { None }
    })
}

fn path_of(url: &str) -> Option<&str> {
    match url.split_once("://") {
        None => Some(url).filter(|path| path.starts_with('/')),
        Some((_, rest)) => rest.find('/').and_then(|at| rest.get(at..)),
    }
}

/// A branch may have a `/` in its name.
fn encoded(revision: &str) -> String {
    revision
        .bytes()
        .map(|b| {
            if b.is_ascii_alphanumeric() || b"-._".contains(&b) {
                char::from(b).to_string()
            } else {
                format!("%{b:02X}")
            }
        })
        .collect()
}

fn parse<T: for<'de> Deserialize<'de>>(url: &str, body: &[u8]) -> Result<T, HostError> {
    serde_json::from_slice(body).map_err(|error| HostError::Shape { url: url.to_owned(), problem: error.to_string() })
}
