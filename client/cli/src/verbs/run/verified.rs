//! One model: copied, and judged by its copies.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};
use stele_explain::Failure;
use stele_explain::printable::one_line;
use stele_private_view::{Copied, Copies, Namespace, View, ViewError};
use stele_spec::bundle::MAX_BUNDLE;
use stele_spec::manifest::{FilePath, ManifestFile};
use stele_spec::policy::Policy;
use stele_spec::verify::{Scope, names};
use stele_verify::folder::BUNDLE;
use stele_verify::folder::hash::CopyInto;
use stele_verify::folder::walk::is_cached_repository;
use stele_verify::{FolderReport, bounded_read};

use super::model::Model;
use crate::args::{RunArgs, VerifyArgs};
use crate::render::verdict::headline;
use crate::schema;
use crate::verbs::verify::{Means, judge};

/// How many names stand in a line.
const NAMED: usize = 3;
/// How many names stand in the document.
const LISTED: usize = 1000;
/// A commit of a hub, and the end of its line.
const MAX_REF: u64 = 100;

/// What was verified, and the view of it.
#[derive(Debug)]
pub(super) struct Verified {
    /// Why it is not.
    pub(super) problem: Option<Failure>,
    /// For a person.
    pub(super) text: String,
    /// What the command will see.
    pub(super) view: View,
    document: Value,
    left_out: Vec<String>,
    shared: u64,
}

impl Verified {
    /// Copies a model and judges the copies as `stele verify` judges a folder. What the record does not name is not copied, and so is nothing to refuse.
    pub(super) fn of(model: &Model, args: &RunArgs, policy: &Policy, namespace: &Namespace) -> Result<Self, Failure> {
        let copies = match args.in_memory {
            true => Copies::in_memory(namespace)?,
            false => Copies::on_disk(namespace, args.workdir.as_deref()),
        };
        let mut view = View::new(model.top.clone(), copies);
        let made: Mutex<Vec<(FilePath, Copied)>> = Mutex::default();
        let failed: Mutex<Option<ViewError>> = Mutex::default();
        let copy = |file: &ManifestFile, source: &File, from: &Path| match view.copies().begin(source, from, file.size)
        {
            Ok((copied, target)) => {
                let is_shared = copied.is_shared();
                made.lock().unwrap_or_else(PoisonError::into_inner).push((file.path.clone(), copied));
                Ok(if is_shared { CopyInto::Shared(target) } else { CopyInto::Empty(target) })
            }
            Err(error) => {
                let said = io::Error::other(error.to_string());
                failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                Err(said)
            }
        };
        let means = Means { view: None, cache: None, examines: false, copy: Some(&copy), registries: false };
        let verify = verify_args(model, args);
        let judged = judge(&verify, &means, |report, judged| {
            let line = headline::first_line(report, judged, |_, word| word.to_owned());
            let fields = report.json(judged);
            let problem = (!judged.problems.is_empty()).then(|| judged.problems.remove(0));
            ((problem, line, fields), report.comparison.cloned(), report.evidence.entry_index())
        });
        // Why there is no copy says more than that a file could not be read.
        if let Some(error) = failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
            return Err(error.into());
        }
        let ((problem, line, fields), report, entry) = judged?;
        let document =
            stele_terminal::finish::document(schema::VERIFY, fields, problem.as_ref().map(Failure::as_explain));
        let report = report.unwrap_or_default();
        let within = match &report.scope {
            Scope::Part(within) => format!("{within}/"),
            Scope::Whole | Scope::File => String::new(),
        };
        let mut shared = 0;
        for (path, copied) in made.into_inner().unwrap_or_else(PoisonError::into_inner) {
            let Some(below) = path.as_str().strip_prefix(&within).filter(|_| report.matching.contains(&path)) else {
                continue;
            };
            if copied.is_shared() {
                shared += copied.size();
            }
            view.add(model.below.join(below), copied)?;
        }
        add_bundle(&mut view, model, policy, entry)?;
        add_reference(&mut view, model)?;
        let left_out = left_out(&report);
        let text = format!("{}: {line}\n{}", model.folder.display(), left_out_line(&left_out));
        Ok(Self { problem, text, view, document, left_out, shared })
    }

    /// For a script.
    pub(super) fn json(&self, model: &Model) -> Value {
        json!({
            "path": model.folder.display().to_string(),
            "view": model.top.display().to_string(),
            "shared_bytes": self.shared,
            "left_out": self.left_out.iter().take(LISTED).collect::<Vec<_>>(),
            "left_out_count": self.left_out.len(),
            "verify": self.document,
        })
    }
}

fn verify_args(model: &Model, args: &RunArgs) -> VerifyArgs {
    VerifyArgs {
        path: model.folder.clone(),
        required: args.required.clone(),
        bundle: None,
        no_hash: false,
        oms_key: None,
        // What the record does not name is not in the view.
        allow_extra: glob::Pattern::new("**").into_iter().collect(),
        rehash: true,
        no_cache: false,
        plain_http: false,
    }
}

/// The bundle by which it was verified, for programs that verify again. Another one than that is not shown.
fn add_bundle(view: &mut View, model: &Model, policy: &Policy, entry: u64) -> Result<(), Failure> {
    let Ok(bytes) = bounded_read::read(&model.folder.join(BUNDLE), MAX_BUNDLE as u64, "a release.stele") else {
        return Ok(());
    };
    if stele_verify::verify(&bytes, policy).is_ok_and(|release| release.entry_index() == entry) {
        view.add_short(model.below.join(BUNDLE), bytes)?;
    }
    Ok(())
}

/// The name by which a loader finds the snapshot in the cache, where it is that of this one.
fn add_reference(view: &mut View, model: &Model) -> Result<(), Failure> {
    if !is_cached_repository(&model.top) {
        return Ok(());
    }
    let Ok(bytes) = bounded_read::read(&model.top.join("refs/main"), MAX_REF, "a reference") else { return Ok(()) };
    let commit = model.below.file_name().unwrap_or_default();
    if std::str::from_utf8(&bytes).is_ok_and(|text| text.trim() == commit) {
        view.add_short("refs/main", bytes)?;
    }
    Ok(())
}

fn left_out(report: &FolderReport) -> Vec<String> {
    report.extra.iter().map(stele_spec::verify::Extra::with_role).collect()
}

fn left_out_line(left_out: &[String]) -> String {
    match left_out {
        [] => String::new(),
        some => {
            let shown = some.iter().map(|name| one_line(name).to_string());
            format!("not in the record, and so not there for the command: {}\n", names(shown, some.len(), NAMED))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_a_file_is_no_line_of_its_own() {
        let line = left_out_line(&["a\nerror: nothing\n.py (code)".to_owned()]);
        assert_eq!(line, "not in the record, and so not there for the command: a\\nerror: nothing\\n.py (code)\n");
        assert_eq!(left_out_line(&[]), "");
    }
}
