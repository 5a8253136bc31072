//! `stele verify`: offline, in one command, with no badge.

use serde_json::{Map, Value, json};
use stele_host::clock::{Clock as _, SystemClock};
use stele_host::exit::{Exit, Explain};
use stele_spec::bundle::MAX_BUNDLE;
use stele_spec::policy::Policy;

use crate::Output;
use crate::claims;
use crate::cli::VerifyArgs;
use crate::comparison::{self, Comparison, LISTED};
use crate::error::{self, Failure};
use crate::evidence::{self, Evidence, Pins};
use crate::page::{Page, printable};
use crate::policy_file;
use crate::span::{Span, moment};
use crate::target::{self, What};

pub(crate) fn run(args: VerifyArgs) -> Result<Output, Failure> {
    let target = target::find(&args.path, args.bundle.as_deref())?;
    let policy = policy_file::load(args.policy.as_deref())?.policy;
    let bytes = error::read(&target.bundle, MAX_BUNDLE as u64, "a release.stele")?;
    let pins = Pins { publisher: args.publisher.clone(), key_id: args.key_id };
    let evidence = evidence::check(&bytes, &policy, &pins)?;
    let age = Age::of(&evidence, SystemClock.unix_seconds());
    age.check(args.max_age)?;
    let comparison = match &target.what {
        _ if args.no_hash => None,
        What::Bundle => None,
        What::Folder(folder) => Some(comparison::of_folder(folder, evidence.manifest())?),
        What::File(file) => Some(comparison::of_file(file, evidence.manifest())?),
    };
    let is_file = matches!(target.what, What::File(_));
    let failure = comparison.as_ref().and_then(Comparison::problem).map(Failure::from);
    Ok(Output {
        text: text(&evidence, &policy, comparison.as_ref(), is_file, &age),
        json: report(&evidence, &policy, comparison.as_ref(), is_file, &age),
        failure,
    })
}

/// How old the tree head is that the verdict rests on.
struct Age {
    as_of: Option<u64>,
    now: u64,
}

impl Age {
    fn of(evidence: &Evidence, now: u64) -> Self {
        Self { as_of: evidence.head().time().map(|time| time.seconds()), now }
    }

    fn seconds(&self) -> Option<u64> {
        self.as_of.map(|as_of| self.now.saturating_sub(as_of))
    }

    fn check(&self, max: Option<Span>) -> Result<(), VerifyError> {
        let Some(max) = max else { return Ok(()) };
        match self.seconds() {
            Some(found) if found <= max.0 => Ok(()),
            found => Err(VerifyError::TooOld { max, found: found.map(Span) }),
        }
    }

    fn text(&self) -> String {
        match self.as_of {
            None => "unknown: no witness gives a time".to_owned(),
            Some(as_of) if as_of > self.now => {
                let ahead = Span(as_of - self.now);
                format!("{} ({ahead} ahead of this machine's clock)", moment(as_of))
            }
            Some(as_of) => {
                format!("{} ({} ago); what came later is not in this evidence", moment(as_of), Span(self.now - as_of))
            }
        }
    }
}

fn text(evidence: &Evidence, policy: &Policy, comparison: Option<&Comparison>, is_file: bool, age: &Age) -> String {
    let release = evidence.release();
    let head = evidence.head();
    let mut page = Page::titled(&printable(&release.coordinate().to_string()));
    page.row("publisher", &format!("{}, key {}", release.publisher.name, evidence.entry().value().kid()));

    page.section("integrity");
    page.row("bytes", &bytes(comparison, is_file, evidence));
    if let Some(comparison) = comparison {
        for difference in comparison.differing.iter().take(LISTED) {
            page.row("differs", &difference.path);
        }
        for (path, problem, _) in comparison.unusable.iter().take(LISTED) {
            page.row("unusable", &format!("{path}: {problem}"));
        }
        if !is_file {
            let missing: Vec<String> = comparison.missing.iter().map(ToString::to_string).collect();
            list(&mut page, "missing", &missing);
            let extra: Vec<String> = comparison
                .extra
                .iter()
                .map(|(path, what)| match what {
                    None => path.clone(),
                    Some(what) => format!("{path} ({what})"),
                })
                .collect();
            list(&mut page, "not in record", &extra);
        }
    }
    page.row("weights", &release.weights.digest);
    page.row(
        "log",
        &format!(
            "entry {} of {}, in a tree of {}",
            evidence.entry().position(),
            head.value().origin(),
            head.value().size()
        ),
    );
    let witnesses: Vec<_> = head.cosigned().iter().map(|cosigned| cosigned.witness.as_str()).collect();
    page.row(
        "witnesses",
        &format!("{} of {} cosigned: {}", witnesses.len(), policy.witnesses().len(), witnesses.join(", ")),
    );
    page.row("name held", &name_held(evidence));

    page.section("what the publisher says, as recorded");
    page.row("availability", &claims::availability(release));
    page.row("openness", &claims::openness(release));
    page.row("release safety", &claims::safety(release));

    page.section("as of");
    page.row("", &age.text());
    page.0
}

/// Since when the name is held, and whether the key was revoked after it signed.
fn name_held(evidence: &Evidence) -> String {
    let keys = evidence.keys();
    let since = keys.claimed_at().map(|claim| format!(" since entry {claim}")).unwrap_or_default();
    let many = if keys.len() > 1 { format!(", {} key statements", keys.len()) } else { String::new() };
    let revoked = keys.revoked_at(&evidence.entry().value().kid());
    let revoked = revoked.map(|at| format!("; the key was revoked later, at entry {at}")).unwrap_or_default();
    format!("{}{since}{many}{revoked}", keys.publisher())
}

fn bytes(comparison: Option<&Comparison>, is_file: bool, evidence: &Evidence) -> String {
    let of = evidence.manifest().files().len();
    match comparison {
        None => format!("not looked at ({of} files in the record)"),
        Some(comparison) if is_file => match comparison.matching.first() {
            Some(path) => format!("matches {path}, {} of {of} files", comparison.matching.len()),
            None => "DIFFER".to_owned(),
        },
        Some(comparison) => {
            let matching = comparison.matching.len();
            let bad = comparison.differing.len();
            let unusable = comparison.unusable.len();
            match (matching, bad, unusable) {
                (0, 0, 0) => format!("0 of {of} files are here"),
                (_, 0, 0) => format!("{matching} of {of} files, all match ({} bytes)", comparison.bytes),
                _ => {
                    let unusable =
                        if unusable > 0 { format!(", {unusable} cannot be verified") } else { String::new() };
                    format!("{bad} DIFFER{unusable}; {matching} of {of} files match")
                }
            }
        }
    }
}

fn list(page: &mut Page, name: &str, items: &[String]) {
    for (at, item) in items.iter().take(LISTED).enumerate() {
        let title = if at == 0 { format!("{name} ({})", items.len()) } else { String::new() };
        page.row(&title, item);
    }
    if items.len() > LISTED {
        page.row("", &format!("and {} more", items.len() - LISTED));
    }
}

/// How many names of each kind the JSON holds.
const LISTED_JSON: usize = 1000;

fn report(evidence: &Evidence, policy: &Policy, comparison: Option<&Comparison>, is_file: bool, age: &Age) -> Value {
    let (release, head) = (evidence.release(), evidence.head());
    let cosigned: Vec<Value> = head
        .cosigned()
        .iter()
        .map(|cosigned| {
            json!({
                "witness": cosigned.witness,
                "key_name": cosigned.key_name.to_string(),
                "time": moment(cosigned.time.seconds()),
            })
        })
        .collect();
    let mut document = Map::new();
    document.insert("coordinate".into(), release.coordinate().to_string().into());
    document.insert(
        "publisher".into(),
        json!({
            "name": release.publisher.name.to_string(),
            "key_id": evidence.entry().value().kid().to_string(),
            "claimed_at_entry": evidence.keys().claimed_at(),
            "key_statements": evidence.keys().len(),
            "key_revoked_at_entry": evidence.keys().revoked_at(&evidence.entry().value().kid()),
        }),
    );
    document.insert(
        "integrity".into(),
        json!({
            "bytes": comparison.map(|comparison| bytes_json(comparison, is_file)),
            "weights": release.weights,
            "tree": release.tree,
            "manifest": release.manifest,
            "log": {
                "origin": head.value().origin().to_string(),
                "entry": evidence.entry().position(),
                "tree_size": head.value().size(),
                "root": head.value().root().to_string(),
            },
            "witnesses": { "cosigned": cosigned, "of": policy.witnesses().len(), "required": policy.quorum().least() },
        }),
    );
    for (name, claim) in claims::json(release) {
        document.insert(name.into(), claim);
    }
    document.insert("as_of".into(), json!({ "time": age.as_of.map(moment), "age_seconds": age.seconds() }));
    document.into()
}

fn bytes_json(comparison: &Comparison, is_file: bool) -> Value {
    let names = |paths: &mut dyn Iterator<Item = String>| paths.take(LISTED_JSON).collect::<Vec<_>>();
    let differing: Vec<Value> = comparison
        .differing
        .iter()
        .take(LISTED_JSON)
        .map(|difference| {
            json!({
                "path": difference.path.to_string(),
                "expected": { "bytes": difference.expected.size, "sha256": difference.expected.sha256 },
                "found": { "bytes": difference.found.size, "sha256": difference.found.sha256 },
            })
        })
        .collect();
    let unusable = comparison.unusable.iter().map(|(path, problem, _)| json!({ "path": path, "problem": problem }));
    json!({
        "scope": if is_file { "file" } else { "folder" },
        "matching": comparison.matching.len(),
        "of": comparison.of,
        "bytes": comparison.bytes,
        "files": if is_file { names(&mut comparison.matching.iter().map(ToString::to_string)) } else { Vec::new() },
        "differing": differing,
        "unusable": unusable.take(LISTED_JSON).collect::<Vec<_>>(),
        "missing": names(&mut comparison.missing.iter().map(ToString::to_string)),
        "missing_count": comparison.missing.len(),
        "extra": names(&mut comparison.extra.iter().map(|(path, _)| path.clone())),
        "extra_count": comparison.extra.len(),
    })
}

/// Why evidence that holds is not enough.
#[derive(Debug, thiserror::Error)]
pub(crate) enum VerifyError {
    /// Older than asked for.
    #[error("the evidence is too old")]
    TooOld {
        /// What was asked for.
        max: Span,
        /// How old it is, if it has a time.
        found: Option<Span>,
    },
}

impl Explain for VerifyError {
    fn exit(&self) -> Exit {
        Exit::QuorumMissing
    }

    fn code(&self) -> &'static str {
        "evidence-too-old"
    }

    fn hint(&self) -> Option<String> {
        Some("get a newer release.stele from the publisher, a mirror or the log: the release is the same, the proof younger".into())
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        let Self::TooOld { max, found } = self;
        let found = found.map_or_else(|| "no time at all".to_owned(), |found| found.to_string());
        vec![("expected", format!("at most {max}")), ("found", found)]
    }
}
