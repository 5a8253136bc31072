//! `stele approve`: a statement that waits for several keys, shown; and signed with one of them, if it is what was shown.

use std::path::Path;

use serde_json::{Value, json};
use stele_explain::{Exit, Explain, Failure, explain};
use stele_log_client::api::LogClient;
use stele_log_client::log_url;
use stele_model_files::roles::Roles;
use stele_publish::register;
use stele_publish::release;
use stele_publish::signer::Signer;
use stele_publish::statement_proposal::StatementProposal;
use stele_spec::hash::KeyId;
use stele_spec::manifest::Manifest;
use stele_spec::registration::View as _;
use stele_terminal::volume::note;
use stele_verify::folder::walk;

use crate::Output;
use crate::args::ApproveArgs;
use crate::issue;
use crate::key;
use crate::log_args::proven_entries;
use crate::policy_file;
use crate::progress::Progress;
use crate::proposal::{self, Approvals};
use crate::render::difference::Change;
use crate::render::page::Page;
use crate::version_before::VersionBefore;

/// How long a log is waited for.
const WAIT: stele_clock::duration::HumanDuration = stele_clock::duration::HumanDuration(60);

/// How many changes and differing files a person is shown.
const LISTED: usize = 50;

/// What was looked at beside the proposal.
#[derive(Debug, Default)]
struct Checked {
    /// The folder that has each of its files.
    folder: Option<String>,
    /// What it would change of what stands.
    changes: Option<Vec<Value>>,
    /// What differs from the version before.
    earlier: Option<Value>,
    /// Whether its approvals hold.
    approvals: Approvals,
}

pub(crate) fn run(args: ApproveArgs) -> Result<Output, Failure> {
    let mut proposal = proposal::of_statement(&args.file)?;
    if let Some(shown) = args.digest {
        proposal.check_shown(shown)?;
    }
    let mut checked = Checked::default();
    let mut more = Page(String::new());
    if let Some(folder) = &args.folder {
        let manifest = proposal.manifest().ok_or(ApproveError::NoFiles)?;
        compare(folder, manifest)?;
        more.section("Your files");
        more.row("all match", &folder.display());
        checked.folder = Some(folder.display().to_string());
    }
    let key = args.digest.map(|_| key::signer(&args.key)).transpose()?;
    // Who names a policy or a log and signs has somebody to ask: an approval that counts for nothing is refused before it is written.
    let can_ask = args.trust.policy.is_some() || args.trust.log.is_some();
    if args.online || (key.is_some() && can_ask) {
        online(&args, &proposal, key.as_ref(), &mut more, &mut checked)?;
    }
    if let Some(key) = &key {
        proposal.approve(key)?;
        checked.approvals.renew(&key.public().key_id());
        proposal.replace(&args.file)?;
    }
    let mut page = proposal::page(&proposal, &checked.approvals)?;
    page.0.push_str(&more.0);
    if args.digest.is_some() {
        page.0.push_str(&format!("\nsigned, and written to {}\n", args.file.display()));
    } else if let Approvals::Checked { .. } = checked.approvals {
        page.0.push_str("\nIts approvals were held against the keys that the name has in the log now. What is signed is what stands above, and nothing else.\n");
    } else {
        page.0.push_str("\nNobody has checked its signatures: `stele submit` does. What is signed is what stands above, and nothing else.\n");
    }
    page.0.push_str(&proposal::next(&proposal, &args.file, &checked.approvals)?);
    let mut output = proposal::output(&proposal, &args.file, page)?;
    if let Some(document) = output.json.as_object_mut() {
        document.insert("signed".into(), args.digest.is_some().into());
        document.insert("folder".into(), json!(checked.folder));
        document.insert("changes".into(), json!(checked.changes));
        document.insert("earlier".into(), json!(checked.earlier));
    }
    // Who signs has the program's word already that these are left out.
    let unheld: Vec<KeyId> = checked.approvals.unheld().to_vec();
    let failure = (key.is_none() && !unheld.is_empty()).then(|| ApproveError::Unheld { unheld }.into());
    Ok(Output { failure, ..output })
}

/// What the log says of it: what it changes; and for who signs, whether it would be let in with enough keys.
fn online(
    args: &ApproveArgs,
    proposal: &StatementProposal,
    key: Option<&Signer>,
    page: &mut Page,
    checked: &mut Checked,
) -> Result<(), Failure> {
    let loaded = policy_file::load(args.trust.policy.as_deref())?;
    let log = LogClient::new(log_url::log_url(args.trust.log.as_deref(), Some(&loaded.policy))?, WAIT, note);
    let mut record = proven_entries(&log, &loaded.policy, args.trust.accept_incomplete_answer)?;
    let statement = proposal.statement();
    page.section("What would change");
    record.keys(statement.publisher())?;
    let plain = statement.without_approvals();
    for coordinate in statement.coordinates() {
        let about = record.about(&coordinate)?;
        if let Some(there) = about.into_iter().find(|logged| logged.statement().without_approvals() == plain) {
            page.row(
                "in the log",
                &format!("this is entry {} already: nothing more is to be signed", there.position()),
            );
            checked.changes = Some(Vec::new());
            return match key {
                Some(_) => Err(ApproveError::Logged { position: there.position() }.into()),
                None => Ok(()),
            };
        }
    }
    let registry = record.registry();
    let held = |kid: &KeyId| registry.holder(statement.publisher())?.key(kid).copied();
    checked.approvals = Approvals::Checked { unheld: proposal.unheld(held)? };
    let mut this = None;
    if let Some(key) = key {
        let (counted, left_out) = proposal.counted(&key.public(), held)?;
        for kid in left_out {
            page.row("does not count", &format!("the approval of {kid}: `stele submit` leaves it out"));
        }
        this = Some(key.sign(&counted)?);
    }
    if let Some(signed) = &this {
        // As if this key were the last: what the log would refuse, nobody should sign; the approvals that are there are verified.
        let needed = register::check_alone(&mut record, signed)?;
        page.row("needed", &format!("{needed} keys, as the log has it now"));
    }
    let (rows, mut changes) = issue::changed(statement, true, &record);
    // All of a release is new, and stands on the page already; what differs from the version before comes below.
    changes.retain(|_| statement.release().is_none());
    rows.iter().for_each(|(name, value)| page.row(name, value));
    changes.iter().take(LISTED).for_each(|change| page.row("", &change.sentence()));
    if changes.len() > LISTED {
        page.row("", &format!("and {} more: --json has all", changes.len() - LISTED));
    }
    checked.changes = Some(changes.iter().map(Change::json).collect());
    if let (Some(release), Some(manifest)) = (statement.release(), proposal.manifest())
        && let Some(before) = VersionBefore::of(&mut record, release, manifest)?
    {
        before.rows(page);
        checked.earlier = Some(before.json());
    }
    Ok(())
}

/// Hashes a folder, and refuses where a file of the release is not in it or is another.
fn compare(folder: &Path, manifest: &Manifest) -> Result<(), Failure> {
    let files = walk::walk(folder).and_then(|walk| walk.into_publishable(folder))?;
    let files: Vec<_> = files.into_iter().filter(|found| manifest.file(&found.path).is_some()).collect();
    let roles = Roles::of_files(&files);
    let progress = Progress::of(files.iter().map(|file| file.size).sum());
    let hashed = progress.during(|progress| release::hash(folder, &files, &roles, progress))?.files;
    let mut differing = Vec::new();
    for recorded in manifest.files() {
        match hashed.iter().find(|file| file.path == recorded.path) {
            None => differing.push(format!("{} is not there", recorded.path)),
            Some(found) if (found.size, found.sha256) != (recorded.size, recorded.sha256) => {
                differing.push(format!("{}: expected {}, found {}", recorded.path, recorded.sha256, found.sha256));
            }
            Some(_) => {}
        }
    }
    if differing.is_empty() { Ok(()) } else { Err(ApproveError::FilesDiffer { differing }.into()) }
}

/// Why a proposal is not approved.
#[derive(Debug, thiserror::Error)]
enum ApproveError {
    /// The log has it.
    #[error("this statement is entry {position} of the log already")]
    Logged {
        /// Which entry.
        position: u64,
    },
    /// Approvals that do not hold.
    #[error("approvals in this file do not hold")]
    Unheld {
        /// Whose.
        unheld: Vec<KeyId>,
    },
    /// It is of no release.
    #[error("--folder: this statement has no files")]
    NoFiles,
    /// Other files than the approver has.
    #[error("the files of this release are not those of the folder")]
    FilesDiffer {
        /// Each that differs.
        differing: Vec<String>,
    },
}

impl Explain for ApproveError {
    explain! {
        Self::Logged { .. } => Exit::Refused, "already-logged",
            hint: "nothing is to be signed: `stele submit FILE` with any key of the name fetches its receipt";
        Self::Unheld { unheld } => Exit::BadSignature, "approval-does-not-hold",
            hint: "the file was changed since they signed, or the name has other keys now: ask them to read it and to approve it again",
            facts: unheld.iter().map(|kid| ("approval", kid.to_string())).collect();
        Self::NoFiles => Exit::Usage, "no-files", hint: "leave out --folder: only a release has files";
        Self::FilesDiffer { differing } => Exit::BytesDiffer, "files-differ",
            hint: "ask who proposed it which files they are; nothing was signed",
            facts: differing.iter().take(LISTED).map(|file| ("differs", file.clone())).collect();
    }
}
