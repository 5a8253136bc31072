//! `stele verify`: in one command, what a script may believe and a person can read. Offline, unless it is asked to ask the log.

use std::path::Path;

use stele_clock::{Clock as _, SystemClock};
use stele_explain::printable::one_line;
use stele_explain::secrets::without_secrets;
use stele_explain::{Exit, Explain as _, Failure};
use stele_log_client::age::CheckpointAge;
use stele_log_client::index_end::Incomplete;
use stele_log_client::judgement::{Accepted, Judgement};
use stele_log_client::local_state::{LocalState, LogInconsistent};
use stele_log_client::log_url;
use stele_log_client::log_view::{LogAddress, LogView, MAX_VERDICT_WAIT};
use stele_log_client::release_status::Source;
use stele_model_files::examine::{AtHand, ComputedClaims};
use stele_oci::Reference;
use stele_publish::error;
use stele_spec::bundle::{BundleError as MalformedBundle, MAX_BUNDLE};
use stele_spec::name::Coordinate;
use stele_spec::policy::{Policy, TrustedCheckpoint};
use stele_spec::statement::Ancestor;
use stele_terminal::volume::{Volume, note, volume};
use stele_verify::FolderReport;
use stele_verify::folder::digest_cache::DigestCache;
use stele_verify::folder::hints;
use stele_verify::folder::locate::{self as target, Target, TargetError, TargetKind};
use stele_verify::folder::{Copying, SIGNATURE, Shortcuts, Survey};
use stele_verify::{Expected, VerifiedRelease, VerifyError as BundleError, folder, verify};

use crate::Output;
use crate::absence::{Absence, NoRecord};
use crate::args::{GLOB, VerifyArgs};
use crate::artifact::{self, ArtifactSeen};
use crate::digest_cache;
use crate::fetched::{Located, PathHere};
use crate::hub_snapshot;
use crate::log_args::local_state;
use crate::oms_key;
use crate::policy_file;
use crate::progress::Progress;
use crate::recorded_signature::RecordedSignature;
use crate::release_search as search;
use crate::render::carried_manifest;
use crate::render::colour;
use crate::render::page::printable;
use crate::render::verdict::{self, Detail, FromLog, VerifyReport, WhyFromLog};
use crate::transparent::{Received, TransparentRelease};
use crate::verify_error::Outgrown;

mod reader;

use reader::{Known, Reader};

pub(crate) fn run(args: VerifyArgs) -> Result<Output, Failure> {
    let detail = if volume() == Volume::Verbose { Detail::Page } else { Detail::Short };
    let cache = digest_cache::open(args.no_cache || args.no_hash, args.rehash);
    let means = Means { view: None, cache: cache.as_ref(), examines: !args.no_hash, copy: None, registries: true };
    let output = judge(&args, &means, |verdict, judged| {
        let is_colour = colour::is_wanted();
        let paint = |word, text: &str| if is_colour { colour::painted(word, text) } else { text.to_owned() };
        let (text, json) = (verdict.text(judged, detail, paint), verdict.json(judged));
        let failure = (!judged.problems.is_empty()).then(|| judged.problems.remove(0));
        Output { text, json, failure }
    });
    match output {
        Ok(output) => Ok(output),
        // Nothing is verified: a script finds the same keys, and a person the same first line.
        Err(failure) => {
            let json = verdict::unverified(&failure);
            let why = printable(&failure.as_explain().to_string()).replace('\n', " ");
            Ok(Output { text: format!("NOT VERIFIED  {why}\n"), json, failure: Some(failure) })
        }
    }
}

/// By what a verdict is made, beside the command line.
pub(crate) struct Means<'a> {
    /// The log, where it was asked for its newest head already: then it is asked, and no other.
    pub(crate) view: Option<&'a LogView<'a>>,
    /// Digests that are known.
    pub(crate) cache: Option<&'a DigestCache>,
    /// Whether what the publisher claims is computed again.
    pub(crate) examines: bool,
    /// Where copies of the files of a folder go, which are hashed in their place.
    pub(crate) copy: Option<Copying<'a>>,
    /// Whether an artifact of a registry may stand in the place of a path.
    pub(crate) registries: bool,
}

/// Judges what is at a path, and has the verdict told.
pub(crate) fn judge<T>(
    args: &VerifyArgs,
    means: &Means<'_>,
    tell: impl FnOnce(&VerifyReport<'_>, &mut Judgement) -> T,
) -> Result<T, Failure> {
    if let Some(reference) = args.path.to_str().and_then(Reference::named).filter(|_| means.registries) {
        let policy = policy_file::load(args.required.policy.as_deref())?.policy;
        let local_state = local_state(args.required.no_state);
        let (evidence, artifact) = artifact::find(args, &reference?, &policy, &local_state)?;
        let target = Target { kind: TargetKind::Bundle, bundle: args.path.clone() };
        let evidence = Evidence { target, evidence, from_log: None, artifact: Some(artifact) };
        return judge_evidence(args, means, &policy, local_state, evidence, None, tell);
    }
    let transparent = TransparentRelease::at(&args.path)?;
    let found = target::find(&hub_snapshot::meant(&args.path)?, args.bundle.as_deref());
    let found = match found {
        // The log may have what is not here. A bundle that was named must be here.
        Err(TargetError::NoBundle { .. }) if args.required.online && args.bundle.is_none() => None,
        // Its receipts are checked before it is said what else is needed.
        Err(TargetError::NoBundle { .. }) if transparent.is_some() => None,
        // It may have any name, also one that a bundle has.
        Ok(Target { kind: TargetKind::Bundle, .. }) if transparent.is_some() && args.bundle.is_none() => None,
        Err(error @ TargetError::NoBundle { .. }) if args.bundle.is_none() => {
            return Err(NoRecord::of(error, args.oms_key.as_deref())?.into());
        }
        found => Some(found?),
    };
    let policy = policy_file::load(args.required.policy.as_deref())?.policy;
    let received = transparent.map(|transparent| transparent.check(&policy)).transpose()?;
    let local_state = local_state(args.required.no_state);
    let evidence = Evidence::find(args, found, received.as_ref(), &policy, &local_state, means)?;
    if let Some(received) = &received {
        received.is_of(&evidence.evidence)?;
    }
    let receipt = received.map(|received| received.head);
    judge_evidence(args, means, &policy, local_state, evidence, receipt, tell)
}

/// The verdict by evidence that holds.
fn judge_evidence<T>(
    args: &VerifyArgs,
    means: &Means<'_>,
    policy: &Policy,
    local_state: LocalState,
    Evidence { target, evidence, from_log, artifact }: Evidence,
    receipt: Option<TrustedCheckpoint>,
    tell: impl FnOnce(&VerifyReport<'_>, &mut Judgement) -> T,
) -> Result<T, Failure> {
    let expected = Expected::default().publisher(args.required.publisher.clone()).signer(args.required.key_id);
    evidence.require(&expected)?;
    let now = SystemClock.unix_seconds();
    let reader = Reader { evidence: &evidence, receipt: receipt.as_ref(), policy, local_state };
    let log = reader.see()?;
    let place = match &target.kind {
        TargetKind::Folder(folder) => {
            target::place_of(folder, &target.bundle, args.bundle.is_some(), evidence.manifest())?
        }
        TargetKind::File(_) | TargetKind::Bundle => String::new(),
    };
    let signature = signature(args, &target, &place, &evidence)?;
    let allowed = |path: &str| args.allow_extra.iter().any(|glob| glob.matches_with(path, GLOB));
    let progress = Progress::of(evidence.manifest().total_bytes());
    let hints = match &target.kind {
        TargetKind::Folder(_) | TargetKind::File(_) if !args.no_hash => {
            hints::read(&target.bundle).unwrap_or_else(|why| {
                note(&format!("{}\n", one_line(&why)));
                None
            })
        }
        _ => None,
    };
    let shortcuts = Shortcuts { hints: hints.as_ref(), cache: means.cache };
    let mut comparison = match &target.kind {
        _ if args.no_hash => None,
        TargetKind::Bundle => artifact.as_ref().map(|artifact| evidence.check(&artifact.contents.folder)),
        TargetKind::Folder(folder) => {
            let survey = Survey::of(folder, &place, &evidence)?;
            let contents = progress.during(|progress| match means.copy {
                Some(copy) => survey.hash_copying(copy, shortcuts.hints, progress),
                None => Ok(survey.hash(shortcuts, progress)),
            })?;
            Some(evidence.check(&contents))
        }
        TargetKind::File(file) => {
            let root = target.bundle.parent().filter(|_| args.bundle.is_none());
            Some(progress.during(|progress| folder::check_file(file, root, &evidence, shortcuts, progress))?)
        }
    };
    if let Some(report) = &mut comparison {
        report.allow_extra(&allowed);
    }
    let url =
        || log_url::url_of(args.required.log.as_deref(), policy, evidence.checkpoint().trusted().value().origin());
    let (known, unanswered) = if args.required.online {
        match means.view {
            Some(view) => reader.asking(view, log)?,
            None => reader.online(&log_address(args, url()?), log)?,
        }
    } else {
        (reader.offline(log)?, None)
    };
    if let (TargetKind::Folder(folder), true, Some(true)) =
        (&target.kind, args.required.online, comparison.as_ref().map(|found| !found.differing.is_empty()))
        && let Some(other) = other_version(folder, &reader, means, &|| Ok(log_address(args, url()?)))
    {
        let (own, bundle) = (evidence.coordinate(), target.bundle.display());
        note(&format!(
            "the weights here are those of {other}, and {bundle} is of {own}: `stele fetch {other} --output {bundle} --replace-bundle` gets the one that belongs to them\n"
        ));
    }
    let age = CheckpointAge::of(evidence.checkpoint(), now);
    let age = match known.release_status.source {
        Source::Log => age.or_younger(CheckpointAge::of(&known.release_status.head, now)),
        Source::Bundle | Source::Kept => age,
    };
    let too_old = age.check(args.required.max_age).err();
    let newest = match log {
        Some(log) => reader.local_state.heads(log).newest(policy)?,
        None => None,
    };
    // The list of licence texts alone takes ten times as long as the whole check of the evidence.
    let examination = means.examines.then(|| examine(&evidence, &known, &target.kind, &place, comparison.as_ref()));
    // A file that carries one is read once more, and only where the page was asked for.
    let carried = (means.examines && volume() == Volume::Verbose)
        .then(|| carried_manifest::among(&evidence, &target.kind, &place, comparison.as_ref()));
    let verdict = VerifyReport {
        evidence: &evidence,
        policy,
        comparison: comparison.as_ref(),
        cached: means.cache.map(DigestCache::used).unwrap_or_default(),
        release_status: &known.release_status,
        examination: examination.as_ref(),
        lineage: &known.lineage,
        recalled: &known.recalled,
        replacement: known.replacement.as_ref(),
        newest: newest.as_ref(),
        log_end: known.log_end.as_ref(),
        from_log: from_log.as_ref(),
        artifact: artifact.as_ref(),
        receipt: receipt.as_ref(),
        signature: signature.as_ref(),
        carried: carried.as_deref(),
        now,
    };
    let accepts =
        Accepted { partial: args.required.partial, states: args.required.accept.clone(), record_alone: args.no_hash };
    let mut judged = Judgement::of(comparison.as_ref(), &known.release_status.history, accepts, unanswered);
    // What is wrong with the release is not kept from anybody because the evidence of it is old.
    if let Some(too_old) = too_old {
        if judged.problems.is_empty() {
            return Err(too_old.asked(args.required.online).into());
        }
        judged.problems.push(too_old.asked(args.required.online).into());
    }
    Ok(tell(&verdict, &mut judged))
}

/// The release of the same publisher that the weights of a folder are, where that is another one than its bundle says: the most frequent honest cause of
/// files that differ.
fn other_version(
    folder: &Path,
    reader: &Reader<'_>,
    means: &Means<'_>,
    address: &dyn Fn() -> Result<LogAddress, Failure>,
) -> Option<Coordinate> {
    let own = reader.evidence.coordinate();
    let search = |log: &LogView<'_>| search::of_folder(log, folder, Some(&own.publisher), means.cache).ok();
    let (found, _) = match means.view {
        Some(view) => search(view)?,
        None => search(&address().ok()?.ask(reader.policy, &reader.local_state).ok()?)?,
    };
    let is_another = found.coordinate.publisher == own.publisher && found.coordinate != own;
    is_another.then_some(found.coordinate)
}

/// The signature of Model Signing at the top of the release's folder.
fn signature(
    args: &VerifyArgs,
    target: &Target,
    place: &str,
    evidence: &VerifiedRelease,
) -> Result<Option<RecordedSignature>, Failure> {
    let path = match &target.kind {
        TargetKind::Folder(folder) => target::root_of(folder, place).join(SIGNATURE),
        TargetKind::File(_) | TargetKind::Bundle => target.bundle.with_file_name(SIGNATURE),
    };
    let key = args.oms_key.as_deref().map(oms_key::public).transpose()?;
    RecordedSignature::at(&path, &evidence.release().weights, evidence.manifest(), key.as_ref())
}

/// The log of `--online`, with one deadline for all of its answers, from now on.
fn log_address(args: &VerifyArgs, url: String) -> LogAddress {
    LogAddress::new(url, note)
        .accepting(Incomplete::by(args.required.accept_incomplete_answer))
        .within(MAX_VERDICT_WAIT)
}

/// A path, and the evidence for it: the bundle that lies there, or with `--online` one that is made from the log.
struct Evidence {
    target: Target,
    evidence: VerifiedRelease,
    from_log: Option<FromLog>,
    /// What a registry has of an artifact, where it stands in the place of the path.
    artifact: Option<ArtifactSeen>,
}

impl Evidence {
    fn find(
        args: &VerifyArgs,
        found: Option<Target>,
        received: Option<&Received>,
        policy: &Policy,
        local_state: &LocalState,
        means: &Means<'_>,
    ) -> Result<Self, Failure> {
        let Some(target) = found else {
            if let Some(received) = received.filter(|_| !args.required.online) {
                return Err(received.without_evidence().into());
            }
            return Self::from_log(args, received, policy, local_state, means, WhyFromLog::Missing);
        };
        // What is at the path is evidence itself, and no file of the release.
        let target = if received.is_some() { Target { kind: TargetKind::Bundle, ..target } } else { target };
        let bytes = error::read(&target.bundle, MAX_BUNDLE as u64, "a release.stele")?;
        match verify(&bytes, policy) {
            Ok(evidence) => Ok(Self { target, evidence, from_log: None, artifact: None }),
            Err(error) if is_outgrown(&error) && args.required.online && args.bundle.is_none() => {
                Self::from_log(args, received, policy, local_state, means, WhyFromLog::Outgrown)
            }
            Err(error) if is_outgrown(&error) => Err(Outgrown(error).into()),
            Err(BundleError::Bundle(MalformedBundle::StandIn { found }))
                if found.is_replaceable() && args.required.online && args.bundle.is_none() =>
            {
                Self::from_log(args, received, policy, local_state, means, WhyFromLog::Missing)
            }
            Err(error) => Err(LogInconsistent::in_bundle(local_state, error)),
        }
    }

    /// The evidence that the log gives now, for whatever release the path belongs to.
    fn from_log(
        args: &VerifyArgs,
        received: Option<&Received>,
        policy: &Policy,
        local_state: &LocalState,
        means: &Means<'_>,
        why: WhyFromLog,
    ) -> Result<Self, Failure> {
        if let Some(view) = means.view {
            return Self::of_view(args, received, view, means, why);
        }
        let address = log_address(args, log_url::log_url(args.required.log.as_deref(), Some(policy))?);
        Self::of_view(args, received, &address.ask(policy, local_state)?, means, why)
    }

    fn of_view(
        args: &VerifyArgs,
        received: Option<&Received>,
        log: &LogView<'_>,
        means: &Means<'_>,
        why: WhyFromLog,
    ) -> Result<Self, Failure> {
        if let Some(received) = received {
            let located =
                Located { entry: received.entry, coordinate: received.coordinate.clone(), bundle: args.path.clone() };
            let target = Target { kind: TargetKind::Bundle, bundle: args.path.clone() };
            let from_log = Some(FromLog { why, url: without_secrets(log.url()).into_owned() });
            return Ok(Self { target, evidence: located.bundle(log)?.release, from_log, artifact: None });
        }
        let here = PathHere::look(&hub_snapshot::meant(&args.path)?)?;
        let located = match (here.locate(log, args.required.publisher.as_ref(), means.cache), &here.kind) {
            // Where many models are looked at, each is asked about once, elsewhere.
            (Err(failure), TargetKind::Folder(folder)) if means.view.is_none() => {
                return Err(Absence::of_folder(failure, folder, log, means.cache));
            }
            (located, _) => located?,
        };
        let bundle = located.bundle(log)?;
        let target = Target { kind: here.kind, bundle: located.bundle };
        let from_log = Some(FromLog { why, url: without_secrets(log.url()).into_owned() });
        Ok(Self { target, evidence: bundle.release, from_log, artifact: None })
    }
}

/// Whether a bundle is refused for nothing but a quorum that its checkpoints do not meet.
fn is_outgrown(error: &BundleError) -> bool {
    matches!(error, BundleError::Checkpoint(_) | BundleError::KeyProof(_) | BundleError::Proof(_))
        && error.exit() == Exit::QuorumMissing
}

/// What the record shows as it stands, and the files that match it.
fn examine(
    evidence: &VerifiedRelease,
    known: &Known,
    kind: &TargetKind,
    place: &str,
    comparison: Option<&FolderReport>,
) -> ComputedClaims {
    let position = Some(evidence.statement().position());
    let release = known.release_status.history.current().unwrap_or(evidence.release());
    let names_of = |ancestor: &Ancestor| known.lineage.names_of(ancestor);
    let licence = evidence.release().license.spdx.as_str();
    let examination = ComputedClaims::of_record(position, release, Some(evidence.manifest()));
    match (kind, comparison) {
        (TargetKind::Folder(folder), Some(comparison)) => {
            // The files are read by their paths in the whole release.
            let root = target::root_of(folder, place);
            let files = AtHand::new(&root, &comparison.matching);
            ComputedClaims::of_files(position, release, evidence.manifest(), &files, licence, &names_of)
        }
        (TargetKind::File(file), Some(FolderReport { matching, .. })) => match matching.as_slice() {
            [path] => {
                let files = AtHand::one(path, file);
                ComputedClaims::of_files(position, release, evidence.manifest(), &files, licence, &names_of)
            }
            _ => examination,
        },
        _ => examination,
    }
}
