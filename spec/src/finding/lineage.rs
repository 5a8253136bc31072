//! Lineage decay, as one release shows it: a parent that the files name and the lineage does not, and terms left behind.

use super::sheet::{Sheet, short, shown};
use super::{Code, Finding};
use crate::manifest::FilePath;
use crate::statement::{Ancestor, Parent, Release, UnloggedParent, UnseenBytes, UnseenParent};

/// The most base models that are listed as missing; how many there are is said beside them.
const MAX_LISTED: usize = 64;

/// Names of folders in which training leaves models. What begins with one is a place on the disk on which it was trained.
const FOLDERS: [&str; 38] = [
    "adapters",
    "cache",
    "checkpoint",
    "checkpoints",
    "ckpt",
    "ckpts",
    "content",
    "data",
    "exp",
    "experiments",
    "home",
    "local",
    "logs",
    "lora",
    "merged",
    "mnt",
    "model",
    "models",
    "opt",
    "out",
    "output",
    "outputs",
    "pretrained",
    "pretrained_models",
    "result",
    "results",
    "root",
    "run",
    "runs",
    "saved_models",
    "scratch",
    "temp",
    "tmp",
    "trained",
    "training",
    "users",
    "weights",
    "workspace",
];

/// What a file says where it names a base model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BaseName {
    /// A model, by its name or its address.
    Model,
    /// A place on a disk: it names no model to anybody else.
    Path,
}

impl BaseName {
    /// Tells a name from a path. Libraries write whatever a model was loaded from.
    pub fn of(name: &str) -> Self {
        let is_path = if let Some((scheme, _)) = name.split_once("://") {
            scheme.eq_ignore_ascii_case("file")
        } else if name.starts_with("pkg:") {
            false
        } else {
            is_path(name)
        };
        if is_path { Self::Path } else { Self::Model }
    }
}

fn is_path(name: &str) -> bool {
    let drive = matches!(name.as_bytes(), [letter, b':', ..] if letter.is_ascii_alphabetic());
    if drive || name.starts_with(['/', '.', '~', '$', '%']) || name.contains('\\') || name.ends_with('/') {
        return true;
    }
    let name = name.split_once("/tree/").map_or(name, |(before, _)| before).to_ascii_lowercase();
    let segments: Vec<&str> = name.split('/').collect();
    let saved = |segment: &&str| {
        let number = segment.strip_prefix("checkpoint-").or_else(|| segment.strip_prefix("checkpoint_"));
        number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
    };
    // A host may stand before owner and name.
    let most =
        if segments.first().is_some_and(|first| first.ends_with(".co") || first.ends_with(".com")) { 3 } else { 2 };
    segments.len() > most
        || segments.first().is_some_and(|first| FOLDERS.contains(first))
        || segments.last().is_some_and(saved)
}

/// A base model that a file of the release names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeclaredBase {
    /// The file: the model card, `adapter_config.json`, a GGUF file.
    pub file: FilePath,
    /// The field: `base_model`, `base_model_name_or_path`, `general.base_model.0.repo_url`.
    pub field: String,
    /// What it says: `acme/tiny`, `https://huggingface.co/acme/tiny`.
    pub name: String,
}

/// A parent that carries nothing of its licence on. What else is left behind, only the parent's own release tells.
pub(super) fn check(release: &Release, sheet: &mut Sheet) {
    for ancestor in &release.lineage {
        if let Some(purl) = ancestor.parent.purl()
            && !ancestor.carries.license
        {
            let evidence = vec![shown("parent", purl), shown("relation", ancestor.relation)];
            let summary = format!("the licence of {purl} is not carried on");
            sheet.report(Code::LicenseDropped, summary, evidence);
        }
        if let Parent::Unseen(parent) = &ancestor.parent {
            unseen(parent, ancestor, sheet);
        }
    }
}

/// A parent that is no bytes: that it is the one that was used is the publisher's word, or a host's.
fn unseen(parent: &UnseenParent, ancestor: &Ancestor, sheet: &mut Sheet) {
    let purl = &parent.purl;
    let mut evidence = vec![shown("parent", purl), shown("relation", ancestor.relation)];
    let known = match &parent.bytes {
        UnseenBytes::Listed(listing) => {
            evidence.push(shown("listing", listing.digest));
            "only what its host listed is recorded"
        }
        UnseenBytes::Unknown(reason) => {
            evidence.push(shown("unknown", reason));
            "which they are is unknown"
        }
    };
    sheet.report(Code::ParentUnseen, format!("the publisher never had the bytes of {purl}: {known}"), evidence);
}

/// The base models that files name and the lineage does not have, for anyone who has the files.
///
/// `names_of` gives further names of a parent: the package URL and the hosts of a logged one, if its release is known. A
/// logged parent of which no further name is known may be any base model, so that as many names are let pass. A path on a disk
/// names no model ([`BaseName`]).
pub fn of_declared_bases(
    position: Option<u64>,
    release: &Release,
    declared: &[DeclaredBase],
    names_of: impl Fn(&Ancestor) -> Vec<String>,
) -> Vec<Finding> {
    let mut sheet = Sheet::new(position, release.coordinate());
    let mut known = Vec::new();
    let mut unknown = 0;
    for ancestor in &release.lineage {
        let further = names_of(ancestor);
        match &ancestor.parent {
            Parent::Unlogged(UnloggedParent { purl, .. }) | Parent::Unseen(UnseenParent { purl, .. }) => {
                known.push(plain(purl.as_str()));
            }
            Parent::Logged(parent) => {
                unknown += usize::from(further.is_empty());
                known.push(plain(&format!("{}/{}", parent.coordinate.publisher, parent.coordinate.model)));
            }
        }
        known.extend(further.iter().map(|name| plain(name)));
    }
    let mut missing: Vec<(String, &DeclaredBase)> = declared
        .iter()
        .filter(|base| BaseName::of(&base.name) == BaseName::Model)
        .map(|base| (plain(&base.name), base))
        .filter(|(name, _)| !known.iter().any(|known| is_same(known, name)))
        .collect();
    missing.sort_by(|(a, _), (b, _)| a.cmp(b));
    let mut names: Vec<&String> = missing.iter().map(|(name, _)| name).collect();
    names.dedup();
    if names.len() <= unknown {
        return Vec::new();
    }
    for (_, base) in missing.iter().take(MAX_LISTED) {
        let (field, name) = (short(&base.field), short(&base.name));
        let summary = format!("{} names {name} as a base, and the lineage does not", base.file);
        let evidence = vec![shown("file", &base.file), shown("field", field), shown("names", name)];
        sheet.report(Code::ParentMissing, summary, evidence);
    }
    if missing.len() > MAX_LISTED {
        let all = missing.len();
        let summary =
            format!("bases are named {all} times that the lineage does not have, of which {MAX_LISTED} are listed");
        sheet.report(Code::ParentMissing, summary, vec![shown("names, in all", all)]);
    }
    sheet.into_sorted()
}

/// Whether two plain names are of one model. The first models of hubs had no owner, and got one later: `gpt2`.
fn is_same(one: &str, other: &str) -> bool {
    let of_model = |long: &str, short: &str| {
        !short.contains('/') && !short.is_empty() && long.rsplit_once('/').is_some_and(|(_, model)| model == short)
    };
    one == other || of_model(one, other) || of_model(other, one)
}

/// `account/model` of a hub address, a package URL or a name: lower case, without host, version and `.git`.
fn plain(name: &str) -> String {
    let name = name.to_lowercase();
    let name = name.split(['?', '#', '@']).next().unwrap_or_default();
    let name = name.split_once("://").map_or(name, |(_, rest)| rest.split_once('/').map_or(rest, |(_, path)| path));
    let name = name.strip_prefix("pkg:").and_then(|purl| purl.split_once('/')).map_or(name, |(_, name)| name);
    let name = ["huggingface.co/", "www.huggingface.co/", "hf.co/"]
        .iter()
        .find_map(|host| name.strip_prefix(host))
        .unwrap_or(name);
    let name = name.split_once("/tree/").map_or(name, |(before, _)| before);
    let name = name.trim_end_matches('/').trim_end_matches(".git");
    let mut parts = name.rsplit('/').filter(|part| !part.is_empty());
    match (parts.next(), parts.next()) {
        (Some(model), Some(account)) => format!("{account}/{model}"),
        (Some(model), None) => model.to_owned(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_no_model() {
        for path in [
            "/home/user/models/base",
            "./base",
            "../base",
            "~/base",
            "C:\\models\\base",
            "C:/models/base",
            "models\\base",
            "\\\\server\\share",
            "outputs/base",
            "out/base",
            "results/checkpoint-500",
            "acme/checkpoint-500",
            "checkpoint-500",
            "a/b/c",
            "base/",
            "$HOME/base",
            "%USERPROFILE%/base",
            "file:///data/base",
            "output",
        ] {
            assert_eq!(BaseName::of(path), BaseName::Path, "{path}");
        }
        for name in [
            "acme/tiny",
            "gpt2",
            "acme/tiny-checkpoint-500-merged",
            "https://huggingface.co/acme/tiny",
            "https://huggingface.co/acme/tiny/tree/main",
            "huggingface.co/acme/tiny",
            "pkg:huggingface/acme/tiny@9f2d",
            "pkg:npm/a/b/c/d",
            "Runs-Org/Model_1.0",
        ] {
            assert_eq!(BaseName::of(name), BaseName::Model, "{name}");
        }
    }

    #[test]
    fn one_model_has_one_plain_name() {
        for name in [
            "acme/Tiny",
            "https://huggingface.co/acme/tiny",
            "https://huggingface.co/acme/tiny/tree/main",
            "pkg:huggingface/acme/tiny@9f2d",
            "https://git.example/acme/tiny.git",
            "hf.co/acme/tiny",
        ] {
            assert_eq!(plain(name), "acme/tiny", "{name}");
        }
        for name in ["tiny", "https://huggingface.co/tiny", "huggingface.co/tiny", "pkg:huggingface/tiny"] {
            assert_eq!(plain(name), "tiny", "{name}");
        }
        assert_eq!(plain(""), "");
    }

    #[test]
    fn a_name_without_an_owner_is_that_of_any_owner() {
        assert!(is_same("openai-community/gpt2", "gpt2") && is_same("gpt2", "openai-community/gpt2"));
        assert!(is_same("gpt2", "gpt2") && is_same("acme/tiny", "acme/tiny"));
        for (one, other) in [
            ("acme/tiny", "other/tiny"),
            ("acme/tiny", "ny"),
            ("acme/tiny", ""),
            ("", "acme/tiny"),
            ("gpt2", "gpt2-xl"),
        ] {
            assert!(!is_same(one, other), "{one} {other}");
        }
    }
}
