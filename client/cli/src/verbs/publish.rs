//! `stele publish`: checks, hashes, signs, submits, waits for the cosigned proof, verifies it, and writes `release.stele`.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use stele_clock::{Clock as _, SystemClock};
use stele_durable as durable;
use stele_durable::lock::{Lock, LockError};
use stele_explain::printable::one_line;
use stele_explain::{Exit, Explain, Failure};
use stele_log_client::age;
use stele_log_client::api::LogClient;
use stele_log_client::bundle_names::{self, CompletedBundle, completed};
use stele_log_client::log_url;
use stele_log_client::proven_entries::ProvenEntries;
use stele_log_client::statements::ProvenStatement;
use stele_model_files::examine::ComputedClaims;
use stele_model_files::roles::{self, Roles};
use stele_publish::bundle_place::BundlePlace;
use stele_publish::foresight::Earlier;
use stele_publish::issued_at::{check_near, now};
use stele_publish::name;
use stele_publish::oddity;
use stele_publish::parent_folder;
use stele_publish::problems::Problems;
use stele_publish::publish_check;
use stele_publish::publish_error::PublishError;
use stele_publish::receipt;
use stele_publish::register;
use stele_publish::release;
use stele_publish::release_file::ReleaseFile;
use stele_publish::signer::Signer;
use stele_publish::statement_proposal::StatementProposal;
use stele_spec::hints::Hints;
use stele_spec::manifest::{FilePath, Manifest};
use stele_spec::name::Publisher;
use stele_spec::policy::Policy;
use stele_spec::statement::{PublisherClaim, Release, Statement, Timestamp};
use stele_terminal::volume::note;
use stele_verify::folder::walk::{self as folder, DRAFT, Found, SIGNATURE};

use crate::Output;
use crate::args::{GLOB, PublishArgs};
use crate::contradicted::Contradicted;
use crate::key;
use crate::log_args::{local_state, proven_entries};
use crate::policy_file;
use crate::progress::Progress;
use crate::proposal;
use crate::rehearsal::{self, Rehearsal};
use crate::release_signature::{self, AskedSignature, ReleaseSignature};
use crate::render::difference::{self, Change};
use crate::render::page::{Page, sized};
use crate::version_before::VersionBefore;

/// How many differing fields a refusal names.
const LISTED: usize = 20;

pub(crate) fn run(args: PublishArgs) -> Result<Output, Failure> {
    let mut problems = Problems::default();
    let sources = key::all_named(&args.key)?;
    let keys = problems.keep(key::signers_in(&sources, &args.key));
    let policy = problems.keep(policy_file::load(args.trust.policy.as_deref())).map(|loaded| loaded.policy);
    // Two at once would each give the release a time of its own. A folder that cannot be locked is said further on, or is read-only.
    let _alone = match Lock::of_folder(&args.folder) {
        Err(error @ LockError::Held { .. }) => return Err(error.into()),
        lock => lock.ok(),
    };
    let log = policy.as_ref().and_then(|policy| {
        let url = problems.keep(log_url::log_url(args.trust.log.as_deref(), Some(policy)))?;
        Some(LogClient::new(url, args.wait, note))
    });
    let release_file = args.release.clone().unwrap_or_else(|| args.folder.join(DRAFT));
    let mut file = ReleaseFile::read(&release_file, &mut problems);
    let signature = problems.keep(AskedSignature::by(&args));
    let walked = problems.keep(folder::walk(&args.folder));
    let skipped = walked.as_ref().map(|walk| walk.skipped.clone()).unwrap_or_default();
    let files = walked.and_then(|walk| problems.keep(walk.into_publishable(&args.folder)));
    // With --dry-run the option names the place of the payload.
    let output = args.output.as_deref().filter(|_| !args.dry_run);
    let place = problems.keep(BundlePlace::find(&args.folder, output));
    let roles = files.as_deref().map(Roles::of_files);
    if let (Some(file), Some(files), Some(roles)) = (&file, &files, &roles) {
        let role_of = |path: &FilePath| file.role_of(path).unwrap_or_else(|| roles.of(path));
        let sized = files.iter().map(|found| (&found.path, role_of(&found.path), found.size));
        let questions = roles::questions(sized, |path| file.role_of(path).is_some());
        let allowed = |path: &str| args.allow_file.iter().any(|glob| glob.matches_with(path, GLOB));
        problems.keep(publish_check::check(files, roles, &role_of, &questions, &allowed));
    }
    let mut record = match (&log, &policy) {
        (Some(log), Some(policy)) => problems.keep(proven_entries(log, policy, args.trust.accept_incomplete_answer)),
        _ => None,
    };
    if let (Some(file), Some(record)) = (&mut file, &mut record) {
        file.resolve_parents(record, &mut problems);
    }
    if let (Some(file), Some(files), Some(roles)) = (&file, &files, &roles) {
        file.check(files, roles, now(), &mut problems);
    }
    let coordinate = file.as_ref().and_then(ReleaseFile::coordinate);
    if let (Some(place), Some(coordinate), false) = (&place, &coordinate, args.replace_bundle) {
        problems.keep(place.is_for(coordinate));
    }
    let publisher = file.as_ref().and_then(ReleaseFile::publisher);
    let mut held = None;
    if let (Some(record), Some(publisher), Some(keys), false) =
        (&mut record, publisher, &keys, problems.has_unavailable())
    {
        held = problems.keep(holding(record, &publisher, keys.first(), args.claim));
    }
    if !problems.is_empty() {
        return rehearsal::refused(problems, args.dry_run);
    }
    let (Some(keys), Some(policy), Some(mut file), Some(files)) = (keys, policy.as_ref(), file, files) else {
        return rehearsal::refused(problems, args.dry_run);
    };
    let (Some(place), Some(roles), Some(mut record), Some(held)) = (place, roles, record, held) else {
        return rehearsal::refused(problems, args.dry_run);
    };
    let Some(signature) = signature else { return rehearsal::refused(problems, args.dry_run) };
    // Days that are left out are those of the release: of one that is in the log, its own.
    let there = match &coordinate {
        Some(coordinate) => record.release(coordinate)?,
        None => None,
    };
    let files = with_recorded(files, &skipped, there.as_ref(), &mut record)?;

    let progress = Progress::of(files.iter().map(|file| file.size).sum());
    let hashed = progress.during(|progress| release::hash(&args.folder, &files, &roles, progress))?;
    let hints = hashed.hints;
    let manifest = file.manifest(hashed.files)?;
    parent_folder::hash_parents(&mut file, &|_| {})?;
    let signature = signature.over(&args.folder, &files, &manifest, place.path())?;
    let mut release =
        file.resolve(&manifest, there.as_ref().map_or_else(now, |there| there.statement().issued_at()))?;
    let of_there = there.as_ref().and_then(|there| there.statement().release()).map(|there| &there.weights);
    let is_new = of_there.is_none();
    release_signature::name_in(&mut release, signature.as_ref(), of_there, place.path())?;
    if let Some(there) = there.filter(|there| says(there, &release)) {
        if !args.dry_run {
            write(signature.as_ref())?;
        }
        let output = already(&args, policy, record, &there, &manifest, hints.as_ref(), place)?;
        return Ok(with_signature(output, signature.as_ref()));
    }
    // What others have still to sign keeps the time at which it was proposed.
    if is_new && args.propose.is_none() {
        check_near(release.issued_at, now())?;
    }
    let earlier = Earlier::of_release(&mut record, &release, &manifest)?;
    let examined = release::foreseen(&args.folder, &release, &manifest, &earlier)?;
    examined.lines().iter().for_each(|line| note(&format!("auditors will report: {}\n", one_line(line))));
    let statement = Statement::Release(Box::new(release.clone()));
    oddity::of(&mut record, &statement)?.iter().for_each(|odd| note(&format!("warning: {}\n", one_line(odd))));
    let signed = keys.sign(&statement)?;
    if let Some(target) = &args.propose {
        write(signature.as_ref())?;
        let needed = register::check_alone(&mut record, &signed)?;
        let mut proposed = StatementProposal::new(needed, signed.statement().without_approvals(), Some(manifest));
        for key in keys.all() {
            proposed.approve(key)?;
        }
        // Its time is fixed before anybody else signs, and the same command proposes the same again.
        file.keep_issued_at(release.issued_at)?;
        return proposal::propose(&proposed, target);
    }
    if held == Held::ByKey {
        registrable(&mut record, &signed, &release)?;
    }
    let contradicted = Contradicted::by(&examined, &args.accept_finding);
    if args.dry_run {
        let name = match held {
            Held::ByKey => format!("{}, held by this key", release.publisher.name),
            Held::ByNobody => {
                format!("{}, which nobody holds: it would be claimed for this key first", release.publisher.name)
            }
        };
        let mut said = vec![("name", name)];
        said.extend(signature.as_ref().map(|signature| ("model.sig", signature.text(false))));
        let before = VersionBefore::of(&mut record, &release, &manifest)?;
        let rehearsed = rehearsed(&args, &release, &manifest, &examined, before, place, &said)?;
        return Ok(Output { failure: contradicted.map(Failure::from), ..rehearsed });
    }
    if let Some(contradicted) = contradicted {
        return Err(contradicted.into());
    }
    write(signature.as_ref())?;
    keep_issued_at(&file, &release_file, release.issued_at)?;
    let expect = args.expect.as_deref();
    if held == Held::ByNobody {
        let key = keys.first();
        note(&format!("claiming {} for key {}\n", release.publisher.name, key.key_id()));
        name::claim(
            &mut record,
            PublisherClaim::new(release.publisher.name.clone(), now(), &[key.public()]),
            key,
            expect,
        )?;
    }
    let logged = register::submit_release(&mut record, &signed, manifest.bytes(), expect)?;
    let local_state = local_state(false);
    local_state.keep_own(&mut record, &logged)?;
    let bundle = completed(Some(record.log()), policy, receipt::bundle(&logged, &record, manifest.encode()))?;
    write_hints(&place, hints.as_ref());
    let path = place.write(&bundle.bytes, logged.position(), &local_state)?;
    // What a killed run left beside them.
    [&path, &release_file].into_iter().for_each(|path| durable::remove_unfinished(path));
    Ok(with_signature(published(&bundle, policy, &path, Sent::Release(&examined)), signature.as_ref()))
}

/// A release of before `model.sig` was left aside may have it among its files: then it is one when that release is published again.
fn with_recorded(
    mut files: Vec<Found>,
    skipped: &[(String, PathBuf)],
    there: Option<&ProvenStatement>,
    record: &mut ProvenEntries<'_>,
) -> Result<Vec<Found>, Failure> {
    let Some((_, open)) = skipped.iter().find(|(path, _)| path == SIGNATURE) else { return Ok(files) };
    let Some(release) = there.and_then(|there| there.statement().release()) else { return Ok(files) };
    let Ok(path) = SIGNATURE.parse::<FilePath>() else { return Ok(files) };
    // Without its manifest, which the log may have lost, it is not known.
    let is_recorded = matches!(record.manifest(release.manifest), Ok(Some(manifest)) if manifest.file(&path).is_some());
    if let (true, Ok(found)) = (is_recorded, std::fs::metadata(open)) {
        let at = files.partition_point(|file| file.path < path);
        files.insert(at, Found { path, open: open.clone(), size: found.len() });
    }
    Ok(files)
}

/// The signature as well, where there is one.
fn with_signature(mut output: Output, signature: Option<&ReleaseSignature>) -> Output {
    if let Some(signature) = signature {
        let mut page = Page(std::mem::take(&mut output.text));
        page.row("model.sig", &signature.text(true));
        output.text = page.0;
    }
    if let Value::Object(document) = &mut output.json {
        document.insert("model_signature".into(), signature.map(ReleaseSignature::json).into());
    }
    output
}

/// Before anything is sent: the record names the digest, and the same bytes can never be made again.
fn write(signature: Option<&ReleaseSignature>) -> Result<(), Failure> {
    signature.map_or(Ok(()), ReleaseSignature::write)
}

/// Who holds the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Held {
    /// The key that signs.
    ByKey,
    /// Nobody: it is claimed first.
    ByNobody,
}

/// The name is this key's: the log shows it, or it may be claimed, where nobody has it and that was asked for.
fn holding(record: &mut ProvenEntries, publisher: &Publisher, key: &Signer, may_claim: bool) -> Result<Held, Failure> {
    match (name::held(record, publisher, key)?, may_claim) {
        (Some(_), _) => Ok(Held::ByKey),
        (None, true) => Ok(Held::ByNobody),
        (None, false) => Err(PublishError::Unclaimed { publisher: publisher.clone() }.into()),
    }
}

/// Whether an entry is the same release, its time aside.
fn says(there: &ProvenStatement, release: &Release) -> bool {
    let same_time =
        |there: &Release| Release { issued_at: there.issued_at, approvals: there.approvals.clone(), ..release.clone() };
    there.statement().release().is_some_and(|there| *there == same_time(there))
}

/// The release is in the log: its bundle is written, and nothing is sent but a manifest that the log has lost.
fn already(
    args: &PublishArgs,
    policy: &Policy,
    mut record: ProvenEntries<'_>,
    there: &ProvenStatement,
    manifest: &Manifest,
    hints: Option<&Hints>,
    place: BundlePlace,
) -> Result<Output, Failure> {
    record.keys(there.statement().publisher())?;
    if args.dry_run {
        let title = String::new();
        let rehearsal = Rehearsal {
            title,
            statement: there.statement(),
            output: args.output.as_deref(),
            findings: &[],
            changes: Vec::new(),
            earlier: None,
            rows: vec![("bundle", format!("would be written to {}", place.path().display()))],
            there: Some(there.position()),
        };
        return rehearsal.output();
    }
    // One that is damaged is not served: the log answers that with an error of its own.
    let is_manifest_lost = !matches!(record.manifest(manifest.digest()), Ok(Some(_)));
    if is_manifest_lost {
        // The log takes the manifest of an entry that it has, and who else could give it?
        register::submit_release(&mut record, there.signed(), manifest.bytes(), None)?;
    }
    let bundle = completed(Some(record.log()), policy, receipt::bundle(there, &record, manifest.encode()))?;
    let local_state = local_state(false);
    local_state.keep_own(&mut record, there)?;
    write_hints(&place, hints);
    let path = place.write(&bundle.bytes, there.position(), &local_state)?;
    durable::remove_unfinished(&path);
    let sent = if is_manifest_lost { Sent::Manifest } else { Sent::Nothing };
    Ok(published(&bundle, policy, &path, sent))
}

/// Writes the time of the release into its form. Where that cannot be written, as on a medium that is mounted read-only, the entry has it, and
/// who publishes the same again is given that entry.
fn keep_issued_at(file: &ReleaseFile, path: &Path, issued_at: Timestamp) -> Result<(), Failure> {
    match file.keep_issued_at(issued_at) {
        Err(error) if error.as_explain().exit() == Exit::Io => {
            let path = path.display().to_string();
            note(&format!("issued_at = \"{issued_at}\" is not written into {}: {error}\n", one_line(&path)));
            Ok(())
        }
        kept => kept,
    }
}

/// Without hints a verdict takes longer and is the same, so that a release does not end for them.
fn write_hints(place: &BundlePlace, hints: Option<&Hints>) {
    match place.write_hints(hints) {
        Ok(Some(path)) => {
            note(&format!("hints for hashing on many cores are in {}\n", one_line(&path.display().to_string())))
        }
        Ok(None) => {}
        Err(error) => note(&format!("no hints were written: {}\n", one_line(&error.to_string()))),
    }
}

/// Refuses what registration would refuse. Of a coordinate that is taken by the same weights it is said what else differs.
fn registrable(
    record: &mut ProvenEntries,
    signed: &stele_spec::statement::SignedStatement,
    release: &Release,
) -> Result<(), Failure> {
    let Err(refused) = register::check(record, signed) else { return Ok(()) };
    if refused.as_explain().code() != "coordinate-released" {
        return Err(refused);
    }
    let there = record.release(&release.coordinate())?;
    let Some(before) = there.as_ref().and_then(|there| there.statement().release()) else { return Err(refused) };
    let same_time = Release { issued_at: before.issued_at, approvals: before.approvals.clone(), ..release.clone() };
    let differing = difference::between(&json!(before), &json!(same_time));
    Err(AlreadyReleased { refused, differing }.into())
}

fn rehearsed(
    args: &PublishArgs,
    release: &Release,
    manifest: &Manifest,
    examined: &ComputedClaims,
    earlier: Option<VersionBefore>,
    place: BundlePlace,
    said: &[(&'static str, String)],
) -> Result<Output, Failure> {
    let weights = &release.weights;
    let statement = Statement::Release(Box::new(release.clone()));
    let rehearsal = Rehearsal {
        title: format!("publish {}", release.coordinate()),
        statement: &statement,
        output: args.output.as_deref(),
        findings: examined.findings(),
        changes: Vec::new(),
        earlier,
        rows: said
            .iter()
            .cloned()
            .chain([
                ("weights", sized(weights.digest, weights.files, weights.bytes)),
                ("files", manifest.files().len().to_string()),
                ("issued at", format!("{}, or the time of publishing where release.toml has none", release.issued_at)),
                ("bundle", format!("would be written to {}", place.path().display())),
                ("stands", "nothing is released under this coordinate".to_owned()),
            ])
            .collect(),
        there: None,
    };
    let mut output = rehearsal.output()?;
    if let Value::Object(document) = &mut output.json {
        document.insert("coordinate".into(), release.coordinate().to_string().into());
        document.insert("weights".into(), json!(release.weights));
        document.insert("manifest".into(), json!(release.manifest));
        document.insert("files".into(), manifest.files().len().into());
        document.insert("bundle".into(), place.path().display().to_string().into());
        document.insert("warnings_left_out".into(), examined.left_out().into());
    }
    Ok(output)
}

/// What of a release was sent now.
#[derive(Debug, Clone, Copy)]
enum Sent<'a> {
    /// All of it; with what auditors will report.
    Release(&'a ComputedClaims),
    /// The manifest alone, which the log had lost.
    Manifest,
    /// The log had all of it.
    Nothing,
}

/// The page of a release that is in the log.
fn published(bundle: &CompletedBundle, policy: &Policy, path: &Path, sent: Sent<'_>) -> Output {
    let (evidence, bytes) = (&bundle.release, bundle.bytes.len());
    let (release, manifest) = (evidence.release(), evidence.manifest());
    let examined = match sent {
        Sent::Release(examined) => Some(examined),
        Sent::Manifest | Sent::Nothing => None,
    };
    let head = evidence.checkpoint().trusted();
    let witnesses: Vec<_> = head.cosigned().iter().map(|cosigned| cosigned.witness.clone()).collect();
    let coordinate = release.coordinate();
    let entry = evidence.entry_index();
    let mut page = Page::titled(&match sent {
        Sent::Release(_) => format!("published {coordinate}"),
        Sent::Manifest => {
            format!("this is entry {entry} already: {coordinate}; its manifest was sent, which the log had lost")
        }
        Sent::Nothing => format!("this is entry {entry} already: {coordinate}; nothing was sent"),
    });
    page.row("weights", &sized(release.weights.digest, release.weights.files, release.weights.bytes));
    page.row("files", &manifest.files().len());
    page.row("entry", &format!("{entry} of log {}, in a tree of {}", head.value().origin(), head.value().size()));
    page.witnesses(head, policy);
    page.row("completeness", &bundle_names::text(evidence, bundle.lack.as_ref()));
    page.row("bundle", &format!("{} ({bytes} bytes): let it travel with the weights", path.display()));
    Output {
        text: page.0,
        json: json!({
            "coordinate": coordinate.to_string(),
            "publisher": release.publisher.name.to_string(),
            "key_id": evidence.signer().to_string(),
            "new": matches!(sent, Sent::Release(_)),
            "manifest_restored": matches!(sent, Sent::Manifest),
            "weights": release.weights,
            "manifest": release.manifest,
            "files": manifest.files().len(),
            "issued_at": release.issued_at.to_string(),
            "entry": entry,
            "log": head.value().origin().to_string(),
            "tree_size": head.value().size(),
            "witnesses": witnesses,
            "bundle": path.display().to_string(),
            "bytes": bytes,
            "completeness": age::completeness_json(evidence, SystemClock.unix_seconds()),
            "no_completeness": bundle.lack.as_ref().map(ToString::to_string),
            "warnings": examined.map(ComputedClaims::findings).unwrap_or_default(),
            "warnings_left_out": examined.map(ComputedClaims::left_out).unwrap_or_default(),
        }),
        failure: None,
    }
}

/// A release under a coordinate that has one, of the same weights and with other fields.
#[derive(Debug, thiserror::Error)]
#[error("{refused}")]
pub(crate) struct AlreadyReleased {
    refused: Failure,
    differing: Vec<Change>,
}

impl Explain for AlreadyReleased {
    fn exit(&self) -> Exit {
        self.refused.as_explain().exit()
    }

    fn code(&self) -> &'static str {
        self.refused.as_explain().code()
    }

    fn hint(&self) -> Option<String> {
        self.refused.as_explain().hint()
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        let mut facts = self.refused.as_explain().facts();
        facts.extend(self.differing.iter().take(LISTED).map(|change| ("differs", change.sentence())));
        let left = self.differing.len().saturating_sub(LISTED);
        if left > 0 {
            facts.push(("differs", format!("and {left} more fields")));
        }
        facts
    }
}
