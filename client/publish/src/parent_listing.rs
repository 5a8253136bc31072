//! `listing = "FILE"` of a parent: what its host answered about the files of a commit, where the publisher does not have their bytes.
//!
//! The file is the answer of `GET /api/models/<owner>/<model>/tree/<commit>?recursive=true` of a Hugging Face hub, an array of
//! `{type, path, size, oid}`; a large file has `lfs: {oid, size}` beside it. A long answer has pages: a list names their files.

use std::convert::Infallible;
use std::path::Path;

use serde::Deserialize;
use stele_explain::{Exit, Explain, Failure, explain};
use stele_spec::hash::Digest;
use stele_spec::manifest::GitBlobId;
use stele_spec::statement::{HostDigest, ListedFile, Listing, ListingError};
use toml::{Table, Value};

use crate::error;
use crate::form::{DECIDE, Form};
use crate::problems::Problems;

/// The longest answer: a page of a thousand files has some 300 KB.
const MAX_ANSWER: u64 = 64 << 20;
/// The most pages.
const MAX_PAGES: usize = 200;

/// One line of an answer; fields that are not needed are not read.
#[derive(Deserialize)]
struct Item {
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

/// Gives each parent whose listing is named by its files the listing itself.
pub(crate) fn fill(form: &mut Form, problems: &mut Problems) {
    let before = form.clone();
    let beside = before.path().and_then(Path::parent).unwrap_or(Path::new(""));
    let Ok(()) = form.each::<Infallible>("lineage.*", |at, ancestor| {
        let Some(Value::Table(parent)) = ancestor.get_mut("parent") else { return Ok(()) };
        let Some(listing) = parent.get_mut("listing") else { return Ok(()) };
        let place = format!("{at}.parent.listing");
        let names = match &*listing {
            // As it is signed.
            Value::Table(_) => return Ok(()),
            Value::String(name) => Some(vec![name.as_str()]),
            Value::Array(names) if names.len() <= MAX_PAGES => names.iter().map(Value::as_str).collect(),
            _ => None,
        };
        let read = match names {
            // The form is refused for that already.
            Some(names) if names.iter().any(|name| name.starts_with(DECIDE)) => None,
            Some(names) => problems.keep(read(&place, beside, &names)),
            None => {
                let message = format!(
                    "{place}: expected the file with its host's answer, or a list of up to {MAX_PAGES} for its pages"
                );
                problems.keep(Err(before.invalid(&place, message)))
            }
        };
        *listing = fields(read.as_ref());
        Ok(())
    });
}

/// The fields of a listing. In a form that is only checked, one that could not be read is of nothing.
fn fields(listing: Option<&Listing>) -> Value {
    let (digest, files, bytes) =
        listing.map_or((Digest::of(b""), 1, 0), |listing| (listing.digest, listing.files.get(), listing.bytes));
    let integer = |number: u64| i64::try_from(number).map_or_else(|_| number.to_string().into(), Value::from);
    Table::from_iter([
        ("digest".to_owned(), digest.to_string().into()),
        ("files".to_owned(), integer(files)),
        ("bytes".to_owned(), integer(bytes)),
    ])
    .into()
}

fn read(at: &str, beside: &Path, names: &[&str]) -> Result<Listing, Failure> {
    let mut files = Vec::new();
    for name in names {
        let path = beside.join(name);
        let refused = |why| ParentListingError { at: at.to_owned(), file: path.display().to_string(), why };
        let bytes = error::read(&path, MAX_ANSWER, "the answer of a hub about a commit's files")?;
        let items: Vec<Item> =
            serde_json::from_slice(&bytes).map_err(|error| refused(Unfit::Json(error.to_string())))?;
        for item in items {
            match item.kind.as_str() {
                "file" => files.push(listed(&item).map_err(|why| refused(Unfit::File { path: item.path, why }))?),
                "directory" => {}
                kind => return Err(refused(Unfit::Kind { path: item.path, kind: kind.to_owned() }).into()),
            }
        }
    }
    let of_all = |why| ParentListingError { at: at.to_owned(), file: names.join(", "), why: Unfit::Listing(why) };
    Ok(Listing::of(files).map_err(of_all)?)
}

fn listed(item: &Item) -> Result<ListedFile, String> {
    let path = item.path.parse().map_err(|error| format!("{error}"))?;
    let (size, digest) = match &item.lfs {
        Some(lfs) => {
            let hex = lfs.oid.strip_prefix("sha256:").unwrap_or(&lfs.oid);
            (lfs.size, Digest::from_hex(hex).map(HostDigest::Sha256).ok())
        }
        None => (item.size, GitBlobId::from_hex(&item.oid).map(HostDigest::GitSha1).ok()),
    };
    let digest = digest.ok_or("expected a SHA-256 in lfs.oid, or an id of git in oid, in lower-case hex")?;
    Ok(ListedFile { path, size, digest })
}

/// Files that are not what a host answers about the files of a commit.
#[derive(Debug, thiserror::Error)]
#[error("{at}: {file} is no listing of a parent's files: {why}")]
pub struct ParentListingError {
    at: String,
    file: String,
    why: Unfit,
}

/// Why they are not.
#[derive(Debug, thiserror::Error)]
enum Unfit {
    /// Another document.
    #[error("expected an array of {{type, path, size, oid}}: {0}")]
    Json(String),
    /// A line that is no file and no folder.
    #[error("{path:?} is of the type {kind:?}: expected file or directory")]
    Kind { path: String, kind: String },
    /// A file that cannot be listed.
    #[error("{path:?}: {why}")]
    File { path: String, why: String },
    /// All together.
    #[error("{0}")]
    Listing(ListingError),
}

impl Explain for ParentListingError {
    explain! {
        Self { .. } => Exit::BadInput, "parent-listing",
            hint: "save what the host answers at /api/models/OWNER/MODEL/tree/COMMIT?recursive=true, or say unknown = \"why\" in the place of listing; nothing has been sent";
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The fields of the one parent of a form, after its listing was read; or what is wrong.
    fn filled(listing: &str, answers: &[(&str, &str)]) -> Result<Value, String> {
        let folder = tempfile::tempdir().unwrap();
        for (name, answer) in answers {
            std::fs::write(folder.path().join(name), answer).unwrap();
        }
        let path = folder.path().join("release.toml");
        std::fs::write(&path, format!("[[lineage]]\nparent = {{ listing = {listing} }}\n")).unwrap();
        let mut form = Form::read(&path, "a form").unwrap();
        let mut problems = Problems::default();
        fill(&mut form, &mut problems);
        match problems.iter().next() {
            None => Ok(form.into_table()["lineage"][0]["parent"]["listing"].clone()),
            Some(problem) => Err(problem.to_string()),
        }
    }

    const PAGE: &str = r#"[{"type": "directory", "oid": "00", "path": "x"},
        {"type": "file", "oid": "1111111111111111111111111111111111111111", "size": 7, "path": "config.json", "xetHash": "0"}]"#;
    const LARGE: &str = r#"[{"type": "file", "oid": "2222222222222222222222222222222222222222", "size": 134, "path": "model.safetensors",
        "lfs": {"oid": "3333333333333333333333333333333333333333333333333333333333333333", "size": 4096, "pointerSize": 134}}]"#;

    #[test]
    fn the_pages_of_an_answer_are_one_listing() {
        let file = |path: &str, size, digest: &str| ListedFile {
            path: path.parse().unwrap(),
            size,
            digest: digest.parse().unwrap(),
        };
        let small = file("config.json", 7, &format!("git-sha1:{}", "1".repeat(40)));
        let large = file("model.safetensors", 4096, &format!("sha256:{}", "3".repeat(64)));
        let listing = Listing::of([small.clone(), large]).unwrap();
        let pages = [("a.json", PAGE), ("b.json", LARGE)];
        assert_eq!(filled("[\"b.json\", \"a.json\"]", &pages), Ok(fields(Some(&listing))));
        assert_eq!(filled("\"a.json\"", &pages), Ok(fields(Some(&Listing::of([small]).unwrap()))));
        // What is signed stands as it is.
        let signed = fields(Some(&listing));
        assert_eq!(filled(&signed.to_string(), &[]), Ok(signed));
    }

    #[test]
    fn what_is_no_answer_of_a_host_is_refused() {
        for (listing, answer, says) in [
            ("\"b.json\"", PAGE, "there is no"),
            ("7", PAGE, "expected the file with its host's answer"),
            ("[\"a.json\", 7]", PAGE, "expected the file with its host's answer"),
            ("[\"a.json\", \"a.json\"]", PAGE, "expected each path once, found config.json twice"),
            ("\"a.json\"", "[]", "expected at least one file, found none"),
            ("\"a.json\"", "{\"error\": \"Repository not found\"}", "expected an array"),
            ("\"a.json\"", "<html>", "expected an array"),
            ("\"a.json\"", &PAGE.replace("directory", "submodule"), "is of the type \"submodule\""),
            ("\"a.json\"", &PAGE.replace("config.json", "../config.json"), "\"../config.json\": "),
            ("\"a.json\"", &PAGE.replace("1111", "11"), "expected a SHA-256 in lfs.oid, or an id of git"),
            ("\"a.json\"", &LARGE.replace("3333", "33"), "expected a SHA-256 in lfs.oid"),
        ] {
            let said = filled(listing, &[("a.json", answer)]).unwrap_err();
            assert!(said.contains(says), "{listing} {answer}: {said}");
        }
    }
}
