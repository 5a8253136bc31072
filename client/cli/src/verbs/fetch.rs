//! `stele fetch`: makes or renews `release.stele` from the log, under the policy of today.

use std::path::{Path, PathBuf};

use serde_json::json;
use stele_clock::{Clock as _, SystemClock};
use stele_durable::{self as durable, DurableError};
use stele_explain::secrets::without_secrets;
use stele_explain::{Exit, Explain, Failure, explain};
use stele_log_client::age;
use stele_log_client::bundle_names;
use stele_log_client::log_end::LogEnd;
use stele_log_client::log_url;
use stele_log_client::log_view::LogView;
use stele_log_client::release_bundle::ReleaseBundle;
use stele_log_client::release_status::ReleaseStatus;
use stele_publish::bundle_place::other_content;
use stele_spec::name::Coordinate;
use stele_spec::policy::Policy;
use stele_spec::status::History;
use stele_verify::folder::BUNDLE;
use stele_verify::verify;

use crate::Output;
use crate::args::FetchArgs;
use crate::fetched::{Located, OldBundle, PathHere, released};
use crate::log_args::LogContext;
use crate::render::lifecycle;
use crate::render::page::Page;
use crate::subject::Subject;

pub(crate) fn run(args: FetchArgs) -> Result<Output, Failure> {
    let path = Path::new(&args.subject);
    let subject = Subject::in_log(&args.subject);
    // What is on this disk comes first; a name that is no path may still be a repository in the cache.
    let here = match subject {
        Some(_) if !path.exists() => None,
        _ => Some(PathHere::look(path).map_err(|error| named(&args.subject, error.into()))?),
    };
    let asked_for = args.output.clone().or_else(|| here.as_ref()?.bundle.clone());
    if let Some(place) = &asked_for {
        check_writable(place)?;
    }
    let origin = here.as_ref().and_then(|here| log_url::origin_of(&here.old.as_ref()?.bytes));
    let asked = LogContext::of_a_copy(&args.asking, origin.as_ref())?;
    let log = asked.log()?;
    let located = match (&here, subject) {
        (Some(here), _) => here.locate(&log, None, None)?,
        (None, Some(subject)) => {
            let found = subject.find(&log)?;
            let coordinate = found.coordinate;
            let entry = released(&log, &coordinate)?;
            let entry = found.entry.unwrap_or(entry);
            Located { entry, coordinate, bundle: PathBuf::from(BUNDLE) }
        }
        (None, None) => return Err(Subject::parse(&args.subject).err().unwrap_or_else(|| unnamed(&args.subject))),
    };
    let place = args.output.clone().unwrap_or_else(|| located.bundle.clone());
    check_writable(&place)?;
    let release_status = log.release_status(&located.coordinate)?;
    if let Some(rejected) = release_status.rejection(located.entry) {
        return Err(
            NotWritten::NotTheirs { entry: located.entry, rule: rejected.code, why: rejected.why.clone() }.into()
        );
    }
    let old = OldBundle::read(&place);
    if !args.replace_bundle {
        let unwritable = |source| NotWritten::Unwritable { path: place.clone(), source };
        if let Some(found) = other_content(&place, &located.coordinate).map_err(unwritable)? {
            let release = located.coordinate.to_string();
            return Err(NotWritten::Taken { path: place, found, release }.into());
        }
        if let Some(old) = &old {
            go_on_from(old, &log, &asked.policy)?;
        }
    }
    let bundle = located.complete_bundle(&log)?;
    if let (false, Some(old), Some(lack)) = (args.replace_bundle, &old, &bundle.lack) {
        keeps_what_is_proven(old, &place, &lack.to_string(), &asked.policy)?;
    }
    let is_told = |history: &History| history.withdrawal().is_some();
    if !args.replace_bundle && is_told(&release_status.history) && !is_told(bundle.release.history()) {
        let lack = bundle.lack.as_ref().map(ToString::to_string).unwrap_or_default();
        return Err(NotWritten::HidesWithdrawal { coordinate: located.coordinate, lack }.into());
    }
    let change = match &old {
        Some(old) if old.bytes == bundle.bytes => Change::None,
        Some(_) => Change::Renewed,
        None => Change::New,
    };
    if change != Change::None {
        let unwritable = |source| NotWritten::Unwritable { path: place.clone(), source };
        durable::replace_file(&place, &bundle.bytes).map_err(unwritable)?;
        durable::remove_unfinished(&place);
    }
    Ok(output(&bundle, &release_status, &place, change, &log))
}

/// What became of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    New,
    Renewed,
    None,
}

/// Checks that a bundle which the policy accepts is of the tree that is shown now: a copy that is behind replaces nothing newer.
fn go_on_from(old: &OldBundle, log: &LogView<'_>, policy: &Policy) -> Result<(), Failure> {
    // What the policy no longer accepts proves nothing about the log.
    let Ok(release) = verify(&old.bytes, policy) else { return Ok(()) };
    release.checkpoints().try_for_each(|head| log.same_as(head))
}

/// A bundle that proves that nothing else was said, or what was, is not replaced by one that proves neither.
fn keeps_what_is_proven(old: &OldBundle, path: &Path, lack: &str, policy: &Policy) -> Result<(), NotWritten> {
    match verify(&old.bytes, policy) {
        Ok(release) if release.completeness().record().is_some() => {
            Err(NotWritten::LessComplete { path: path.to_owned(), lack: lack.to_owned() })
        }
        // What the policy no longer accepts proves nothing.
        Ok(_) | Err(_) => Ok(()),
    }
}

fn check_writable(path: &Path) -> Result<(), NotWritten> {
    if path.is_dir() {
        return Err(NotWritten::Folder { path: path.to_owned() });
    }
    durable::check_writable(path).map_err(|source| NotWritten::Unwritable { path: path.to_owned(), source })
}

/// Of a text that is no path here, and names nothing in a log.
fn named(text: &str, failure: Failure) -> Failure {
    match failure.as_explain().code() {
        "path-unreadable" if !Path::new(text).exists() => Subject::parse(text).err().unwrap_or(failure),
        _ => failure,
    }
}

fn unnamed(text: &str) -> Failure {
    crate::subject::SubjectError::of(text).into()
}

fn output(
    bundle: &ReleaseBundle,
    release_status: &ReleaseStatus,
    place: &Path,
    change: Change,
    log: &LogView<'_>,
) -> Output {
    let release = &bundle.release;
    let head = release.checkpoint().trusted();
    let coordinate = release.coordinate();
    let witnesses: Vec<_> = head.cosigned().iter().map(|cosigned| cosigned.witness.clone()).collect();
    let policy = log.policy();
    let now = SystemClock.unix_seconds();
    let done = match change {
        Change::New => "fetched",
        Change::Renewed => "renewed",
        Change::None => "unchanged:",
    };
    let state = match release_status.history.withdrawal() {
        Some(_) => ", WITHDRAWN by its publisher",
        None => "",
    };
    let mut page = Page::titled(&format!("{done} {coordinate}{state}"));
    page.row(
        "entry",
        &format!("{} of log {}, in a tree of {}", release.entry_index(), head.value().origin(), head.value().size()),
    );
    page.row("signed by", &release.signer());
    page.witnesses(head, policy);
    lifecycle::rows(&mut page, release_status);
    page.row("completeness", &bundle_names::text(release, bundle.lack.as_ref()));
    if release_status.history.withdrawal().is_some() && release.history().withdrawal().is_none() {
        page.row(
            "NOT IN IT",
            &"the withdrawal: who verifies by this bundle, and has not asked the log, is not told of it",
        );
    }
    let unchanged = if change == Change::None { ", as it was" } else { "" };
    page.row("bundle", &format!("{} ({} bytes{unchanged})", place.display(), bundle.bytes.len()));
    page.row("not checked", &"the files: `stele verify` compares them");
    page.section("as of");
    let whole = if log.is_read_whole() { ", all of its entries read" } else { "" };
    page.row("", &format!("{} ({}{whole})", age::status(release_status, now), without_secrets(log.url())));
    let end = log.end();
    page.maybe("log ended", end.map(LogEnd::text).as_ref());
    Output {
        text: page.0,
        json: json!({
            "coordinate": coordinate.to_string(),
            "publisher": release.release().publisher.name.to_string(),
            "key_id": release.signer().to_string(),
            "key_statements": release.key_history().len(),
            "entry": release.entry_index(),
            "log": head.value().origin().to_string(),
            "url": without_secrets(log.url()),
            "read_whole": log.is_read_whole(),
            "tree_size": head.value().size(),
            "witnesses": witnesses,
            "weights": release.release().weights,
            "manifest": release.release().manifest,
            "files": release.manifest().files().len(),
            "bundle": place.display().to_string(),
            "bytes": bundle.bytes.len(),
            "completeness": age::completeness_json(release, now),
            "no_completeness": bundle.lack.as_ref().map(ToString::to_string),
            "written": change != Change::None,
            "renewed": change == Change::Renewed,
            "lifecycle": lifecycle::json(release_status),
            "as_of": age::status_json(release_status, now),
            "log_end": end.map(|end| end.json()),
        }),
        failure: None,
    }
}

/// Why a bundle is not written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotWritten {
    /// A folder stands there.
    #[error("{} is a folder: expected the name of a file for the bundle", .path.display())]
    Folder {
        /// The place.
        path: PathBuf,
    },
    /// No file can be made there.
    #[error("the bundle cannot be written to {}", .path.display())]
    Unwritable {
        /// The place.
        path: PathBuf,
        /// What the machine said.
        #[source]
        source: DurableError,
    },
    /// Something else is there.
    #[error("{} holds {found}, and not the bundle of {release}", .path.display())]
    Taken {
        /// The place.
        path: PathBuf,
        /// What it holds.
        found: String,
        /// What would be put there.
        release: String,
    },
    /// What is there has a word about completeness, and what would be put there has none.
    #[error("{} proves what else was said of the release, and what this address gives does not: {lack}", .path.display())]
    LessComplete {
        /// The place.
        path: PathBuf,
        /// Why.
        lack: String,
    },
    /// It was withdrawn, and the file would not say so.
    #[error("{coordinate} is withdrawn, and a bundle from this address would not say so: {lack}")]
    HidesWithdrawal {
        /// The release.
        coordinate: Coordinate,
        /// Why.
        lack: String,
    },
    /// By the key history that the log has the signer may not speak.
    #[error("the release at entry {entry} is not its publisher's: {why}")]
    NotTheirs {
        /// The release.
        entry: u64,
        /// The rule.
        rule: &'static str,
        /// The reason.
        why: String,
    },
}

impl Explain for NotWritten {
    explain! {
        Self::Folder { .. } => Exit::BadInput, "bundle-is-folder", hint: "name a file with --output";
        Self::Unwritable { source, .. } => source.exit(), "bundle-unwritable",
            hint: "check the owner and mode of its folder, or name another file with --output: stele verify PATH --bundle FILE \
                   takes it";
        Self::Taken { found, release, .. } => Exit::BadInput, "bundle-of-another-release",
            hint: "is this the release that is meant? --replace-bundle writes over the file; --output FILE writes elsewhere",
            "expected": format!("nothing, or the bundle of {release}"), "found": found;
        Self::LessComplete { .. } => Exit::Refused, "less-complete",
            hint: "nothing was written: a withdrawal in the old file would be in the new one no more. Ask the log itself, or write elsewhere with --output FILE; \
                   --replace-bundle replaces it all the same";
        Self::HidesWithdrawal { .. } => Exit::Withdrawn, "less-complete",
            hint: "nothing was written: who verifies by it, and has not asked the log, would be told that all is well. Ask the log itself; --replace-bundle \
                   writes it all the same";
        Self::NotTheirs { rule, .. } => Exit::BadSignature, "not-the-publisher",
            hint: "somebody else may speak in this publisher's name: do not use these files", "rule": rule;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Value;
    use stele_spec::text::base64;

    #[test]
    fn what_proves_a_withdrawal_is_not_replaced_by_what_proves_nothing() {
        let vectors: Value =
            serde_json::from_str(include_str!("../../../../spec/vectors/bundle/bundles.json")).unwrap();
        let withdrawn = |case: &&Value| case["accept"]["state"] == "withdrawn";
        let case = vectors["cases"].as_array().unwrap().iter().find(withdrawn).expect("a withdrawn release");
        let policies = vectors["policies"].as_object().unwrap();
        let named = |name: &str| Policy::parse(policies[name].as_str().unwrap().as_bytes()).unwrap();
        let policy = case["policy"].as_str().unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(BUNDLE);
        std::fs::write(&path, base64(case["bundle"].as_str().unwrap()).unwrap()).unwrap();
        let kept = |policy: &Policy| keeps_what_is_proven(&OldBundle::read(&path).unwrap(), &path, "none", policy);
        assert!(matches!(kept(&named(policy)), Err(NotWritten::LessComplete { .. })));
        // What a policy does not accept proves nothing.
        let mut others = policies.keys().filter(|name| *name != policy);
        assert!(others.any(|name| kept(&named(name)).is_ok()));
    }
}
