//! Lineage decay, as one release shows it: a parent that the files name and the lineage does not, and terms left behind.

use super::sheet::{Sheet, shown};
use super::{Code, Finding};
use crate::manifest::FilePath;
use crate::statement::{Ancestor, Parent, Release};

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
        if let Parent::Unlogged(parent) = &ancestor.parent
            && !ancestor.carries.license
        {
            let evidence = vec![shown("parent", &parent.purl), shown("relation", ancestor.relation)];
            let summary = format!("the licence of {} is not carried on", parent.purl);
            sheet.report(Code::LicenseDropped, summary, evidence);
        }
    }
}

/// The base models that files name and the lineage does not have, for whoever has the files.
///
/// `names_of` gives further names of a parent: the package URL and the hosts of a logged one, if its release is known. A
/// logged parent of which no further name is known may be any base model, so that as many names are let pass.
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
            Parent::Unlogged(parent) => known.push(plain(parent.purl.as_str())),
            Parent::Logged(parent) => {
                unknown += usize::from(further.is_empty());
                known.push(plain(&format!("{}/{}", parent.coordinate.publisher, parent.coordinate.model)));
            }
        }
        known.extend(further.iter().map(|name| plain(name)));
    }
    let mut missing: Vec<(String, &DeclaredBase)> =
        declared.iter().map(|base| (plain(&base.name), base)).filter(|(name, _)| !known.contains(name)).collect();
    missing.sort_by(|(a, _), (b, _)| a.cmp(b));
    let mut names: Vec<&String> = missing.iter().map(|(name, _)| name).collect();
    names.dedup();
    if names.len() <= unknown {
        return Vec::new();
    }
    for (_, base) in &missing {
        let evidence = vec![shown("file", &base.file), shown("field", &base.field), shown("names", &base.name)];
        let summary = format!("{} names {} as a base, and the lineage does not", base.file, base.name);
        sheet.report(Code::ParentMissing, summary, evidence);
    }
    sheet.into_sorted()
}

/// `account/model` of a hub address, a package URL or a name: lower case, without host, version and `.git`.
fn plain(name: &str) -> String {
    let name = name.to_lowercase();
    let name = name.split(['?', '#', '@']).next().unwrap_or_default();
    let name = name.split_once("://").map_or(name, |(_, rest)| rest.split_once('/').map_or(rest, |(_, path)| path));
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
    fn one_model_has_one_plain_name() {
        for name in [
            "acme/Tiny",
            "https://huggingface.co/acme/tiny",
            "https://huggingface.co/acme/tiny/tree/main",
            "pkg:huggingface/acme/tiny@9f2d",
            "https://git.example/acme/tiny.git",
        ] {
            assert_eq!(plain(name), "acme/tiny", "{name}");
        }
        assert_eq!(plain("tiny"), "tiny");
        assert_eq!(plain(""), "");
    }
}
