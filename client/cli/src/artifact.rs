//! An artifact of a registry, and the release that is attached to it.
//!
//! Anyone with the right to write to the repository may attach anything. So each release that is listed is verified and reported, and none is chosen by its
//! verdict: a release that its publisher withdrew is not passed over for another one that holds.

use std::path::Path;

use serde_json::{Value, json};
use stele_explain::printable::one_line;
use stele_explain::{Exit, Explain, Failure, explain};
use stele_log_client::judgement::WithdrawnError;
use stele_log_client::local_state::{LocalState, LogInconsistent};
use stele_oci::layers::is_packed;
use stele_oci::{
    Artifact, ArtifactContents, Attached, NotAttached, OciError, Reference, Referrers, Registry, RegistryOptions,
    Setting, Way, contents, settings,
};
use stele_publish::error;
use stele_spec::bundle::MAX_BUNDLE;
use stele_spec::hash::Digest;
use stele_spec::name::Coordinate;
use stele_spec::policy::Policy;
use stele_terminal::volume::note;
use stele_verify::{FolderReport, VerifiedRelease, verify};

use crate::args::{GLOB, VerifyArgs};
use crate::known_here;

/// How many referrers a document lists.
const LISTED: usize = 100;

/// How many settings of an artifact a person is told.
const SETTINGS: usize = 3;

/// What a registry has of an artifact.
#[derive(Debug)]
pub(crate) struct ArtifactSeen {
    /// The artifact by its digest.
    pub(crate) artifact: Artifact,
    /// What it holds, as far as that was looked at.
    pub(crate) contents: ArtifactContents,
    /// What is in it that decides what the model is told or says, and is not of the release.
    pub(crate) settings: Vec<Setting>,
    /// How the releases were found; none where the bundle is a file here.
    pub(crate) way: Option<Way>,
    /// Each that is listed, and what came of it.
    pub(crate) referrers: Vec<Judged>,
}

/// A referrer that is listed as a release.
#[derive(Debug)]
pub(crate) struct Judged {
    referrer: Digest,
    state: State,
    coordinate: Option<Coordinate>,
    /// How much of its release the artifact is, and whether that was taken back, where it was compared.
    standing: Option<Standing>,
    problem: Option<Failure>,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The verdict is by this one.
    Taken,
    /// It verifies and is of the same release.
    Same,
    /// It verifies and is of a release of which the artifact is a part, as it is the whole of another.
    LargerRelease,
    /// It verifies and is of a release of which the artifact has no file, or fewer than of another.
    OtherRelease,
    /// It verifies and is of a publisher who was not asked for.
    OtherPublisher,
    /// It does not verify, or is none.
    Refused,
}

/// A release that verifies.
struct Candidate {
    at: usize,
    release: VerifiedRelease,
}

/// How much of a release an artifact is, from the least on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Fit {
    /// So many of its files are here, and something that is not of it.
    Shares(usize),
    /// All that is here is of it, and more of it is not here.
    Part,
    /// It is the release.
    Whole,
}

/// A release that was held against the artifact.
#[derive(Debug)]
struct Standing {
    fit: Fit,
    /// How many of its files are here, and how many it has.
    files: (usize, usize),
    /// That its publisher took it back, as far as is known here.
    withdrawn: Option<WithdrawnError>,
}

/// Finds an artifact, and the release that the verdict is by.
pub(crate) fn find(
    args: &VerifyArgs,
    reference: &Reference,
    policy: &Policy,
    local_state: &LocalState,
) -> Result<(VerifiedRelease, ArtifactSeen), Failure> {
    let registry = Registry::of(reference, RegistryOptions { plain_http: args.plain_http, writes: false })?;
    let artifact = registry.artifact(reference)?;
    let (release, way, referrers) = match &args.bundle {
        Some(bundle) => (of_file(bundle, policy, local_state)?, None, Vec::new()),
        None => {
            let referrers = registry.referrers(&artifact.digest)?;
            let attached = registry.attached(&artifact, &referrers)?;
            let (release, judged) = choose(&registry, &artifact, &referrers, attached, args, policy, local_state)?;
            (release, Some(referrers.way), judged)
        }
    };
    let (contents, settings) = match args.no_hash {
        true => Default::default(),
        false => {
            let licence = release.release().license.spdx.as_str();
            (
                contents(&registry, &artifact.image, release.manifest())?,
                settings(&registry, &artifact.image, release.manifest(), licence)?,
            )
        }
    };
    Ok((release, ArtifactSeen { artifact, contents, settings, way, referrers }))
}

/// The release of a file here.
fn of_file(path: &Path, policy: &Policy, local_state: &LocalState) -> Result<VerifiedRelease, Failure> {
    let bytes = error::read(path, MAX_BUNDLE as u64, "a release.stele")?;
    verify(&bytes, policy).map_err(|error| LogInconsistent::in_bundle(local_state, error))
}

fn choose(
    registry: &Registry,
    artifact: &Artifact,
    referrers: &Referrers,
    attached: Vec<Attached>,
    args: &VerifyArgs,
    policy: &Policy,
    local_state: &LocalState,
) -> Result<(VerifiedRelease, Vec<Judged>), Failure> {
    if attached.is_empty() {
        let (reference, others) = (artifact.pinned.to_string(), referrers.listed.len());
        return Err(OciError::NoRelease { reference, others }.into());
    }
    let mut judged = Vec::new();
    let mut candidates = Vec::new();
    for (at, Attached { referrer, bundle }) in attached.into_iter().enumerate() {
        let verified = match bundle {
            Ok(bytes) => verify(&bytes, policy).map_err(|error| LogInconsistent::in_bundle(local_state, error)),
            Err(NotAttached::Unread(error)) => Err(error.into()),
            Err(error) => Err(Refused(error).into()),
        };
        let (state, coordinate, problem) = match verified {
            Ok(release) => {
                let coordinate = release.coordinate();
                let is_asked_for = args.required.publisher.as_ref().is_none_or(|name| *name == coordinate.publisher);
                let state = match (is_asked_for, is_of(artifact, &release)) {
                    (false, _) => State::OtherPublisher,
                    (true, false) => State::OtherRelease,
                    (true, true) => State::Same,
                };
                candidates.push(Candidate { at, release });
                (state, Some(coordinate), None)
            }
            Err(problem) => (State::Refused, None, Some(problem)),
        };
        judged.push(Judged { referrer, state, coordinate, standing: None, problem });
    }
    let is = |candidate: &Candidate, state| judged.get(candidate.at).is_some_and(|one| one.state == state);
    // The best that there is: of these files; else of the publisher that was asked for; else whatever verifies, so that it is said what differs.
    let best = [State::Same, State::OtherRelease, State::OtherPublisher]
        .into_iter()
        .find(|state| candidates.iter().any(|candidate| is(candidate, *state)));
    let Some(best) = best else { return Err(none_verifies(judged)) };
    candidates.retain(|candidate| is(candidate, best));
    if coordinates_of(&candidates).len() > 1 {
        for candidate in &candidates {
            if let Some(one) = judged.get_mut(candidate.at) {
                one.standing = Standing::of(registry, artifact, &candidate.release, args, policy)?;
            }
        }
        let fits = judged.iter().filter_map(|one| Some(one.standing.as_ref()?.fit));
        let most = fits.max();
        for one in judged.iter_mut().filter(|one| one.state == best) {
            one.state = match &one.standing {
                Some(standing) if Some(standing.fit) == most => best,
                // Nobody is told that these files are good by who does not know that they were taken back.
                Some(Standing { fit: Fit::Part, withdrawn: Some(_), .. }) => best,
                Some(Standing { fit: Fit::Part, .. }) => State::LargerRelease,
                Some(_) => State::OtherRelease,
                None => best,
            };
        }
        candidates.retain(|candidate| judged.get(candidate.at).is_some_and(|one| one.state == best));
    }
    let mut coordinates = coordinates_of(&candidates);
    if coordinates.len() > 1 {
        let said = |coordinate: &Coordinate| {
            let of = judged.iter().filter(|one| one.state == best && one.coordinate.as_ref() == Some(coordinate));
            let standing = of.filter_map(|one| one.standing.as_ref()).max_by_key(|one| one.withdrawn.is_some());
            standing.map(Standing::text).unwrap_or_default()
        };
        let releases: Vec<String> = coordinates.iter().map(|one| format!("{one}{}", said(one))).collect();
        let meant = coordinates.swap_remove(0);
        return Err(SeveralReleases { reference: artifact.pinned.to_string(), releases, meant }.into());
    }
    // Of one release the evidence that knows the worst, then the newest.
    let rank = |candidate: &Candidate| {
        let is_in_force = candidate.release.require_in_force().is_ok();
        (!is_in_force, candidate.release.checkpoint().trusted().value().size())
    };
    let taken = candidates.into_iter().max_by_key(rank);
    let Some(Candidate { at, release }) = taken else { return Err(none_verifies(judged)) };
    if let Some(one) = judged.get_mut(at) {
        one.state = State::Taken;
    }
    for one in judged.iter().filter(|one| !matches!(one.state, State::Taken | State::Same)) {
        note(&format!("{}\n", one.text()));
    }
    Ok((release, judged))
}

fn coordinates_of(candidates: &[Candidate]) -> Vec<Coordinate> {
    let mut coordinates: Vec<Coordinate> = candidates.iter().map(|candidate| candidate.release.coordinate()).collect();
    coordinates.sort_unstable_by_key(ToString::to_string);
    coordinates.dedup();
    coordinates
}

/// Whether an artifact has a file of a release, as far as its manifest shows: what is in archives is not known before they are read.
fn is_of(artifact: &Artifact, release: &VerifiedRelease) -> bool {
    let files = release.manifest().files();
    artifact.image.layers.iter().any(|layer| {
        is_packed(layer) || files.iter().any(|file| file.sha256 == layer.digest && file.size == layer.size)
    })
}

fn none_verifies(mut judged: Vec<Judged>) -> Failure {
    let refused: Vec<String> = judged.iter().map(Judged::text).collect();
    match judged.pop() {
        Some(Judged { problem: Some(problem), .. }) if judged.is_empty() => problem,
        Some(Judged { problem: Some(problem), .. }) => {
            NoneVerifies { exit: problem.as_explain().exit(), refused }.into()
        }
        _ => NoneVerifies { exit: Exit::NotInLog, refused }.into(),
    }
}

impl Judged {
    fn text(&self) -> String {
        let coordinate = self.coordinate.as_ref().map(ToString::to_string).unwrap_or_default();
        let what = match (self.state, &self.problem) {
            (State::Taken | State::Same, _) => format!("is of {coordinate}"),
            (State::LargerRelease | State::OtherRelease, _) if let Some(standing) = &self.standing => {
                format!("is of another release, {coordinate}{}", standing.text())
            }
            (State::LargerRelease | State::OtherRelease, _) => {
                format!("is of another release, {coordinate}, whose files these are not")
            }
            (State::OtherPublisher, _) => format!("is of {coordinate}, and not of the publisher that is asked for"),
            (State::Refused, Some(problem)) => format!("is refused: {}", problem.as_explain()),
            (State::Refused, None) => "is refused".to_owned(),
        };
        format!("the referrer sha256:{} {what}", self.referrer)
    }

    fn json(&self) -> Value {
        json!({
            "referrer": self.referrer.to_string(),
            "state": self.state.as_str(),
            "coordinate": self.coordinate.as_ref().map(ToString::to_string),
            "files_here": self.standing.as_ref().map(|standing| standing.files.0),
            "withdrawn": self.standing.as_ref().map(|standing| standing.withdrawn.is_some()),
            "error": self.problem.as_ref().map(|problem| problem.as_explain().code()),
        })
    }
}

impl Standing {
    /// Holds a release against an artifact. One with archives would be downloaded once for each release: then it is not known.
    fn of(
        registry: &Registry,
        artifact: &Artifact,
        release: &VerifiedRelease,
        args: &VerifyArgs,
        policy: &Policy,
    ) -> Result<Option<Self>, Failure> {
        if artifact.image.layers.iter().any(is_packed) {
            return Ok(None);
        }
        let mut report = release.check(&contents(registry, &artifact.image, release.manifest())?.folder);
        report.allow_extra(&|path| args.allow_extra.iter().any(|glob| glob.matches_with(path, GLOB)));
        let is_alone = report.unrecorded().is_empty() && report.differing.is_empty() && report.unusable.is_empty();
        let files = (report.matching.len(), report.of);
        let fit = match is_alone {
            true if report.is_whole() => Fit::Whole,
            true => Fit::Part,
            false => Fit::Shares(files.0),
        };
        let known = known_here::kept(release, policy, args.required.no_state)?;
        Ok(Some(Self { fit, files, withdrawn: known.as_ref().and_then(|known| known_here::objection(known, None)) }))
    }

    /// To follow the name of the release.
    fn text(&self) -> String {
        let (here, of) = self.files;
        let beside = match self.fit {
            Fit::Whole | Fit::Part => "nothing else",
            Fit::Shares(_) => "others",
        };
        let withdrawn = self.withdrawn.as_ref().map(|why| format!("; {why}")).unwrap_or_default();
        format!(": {here} of its {of} files here, and {beside}{withdrawn}")
    }
}

impl State {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Same => "same-release",
            Self::LargerRelease => "larger-release",
            Self::OtherRelease => "other-release",
            Self::OtherPublisher => "other-publisher",
            Self::Refused => "refused",
        }
    }
}

impl ArtifactSeen {
    /// The artifact, to follow the verdict: a tag may name another one later.
    pub(crate) fn headline(&self) -> String {
        format!("Artifact {}", self.artifact.pinned)
    }

    /// Which files were compared, by what, and what was not looked at.
    pub(crate) fn checked(&self, comparison: Option<&FolderReport>) -> String {
        let ArtifactContents { layers, unpacked, downloaded, .. } = &self.contents;
        let Some(found) = comparison else { return "not looked at: the layers".to_owned() };
        let read = format!("downloaded, read and hashed ({downloaded} bytes)");
        let archives = if *unpacked == 1 { "an archive that was" } else { "archives that were" };
        let by = match (layers - unpacked, unpacked) {
            (_, 0) => {
                "by the SHA-256 that the registry's manifest has for their layers, which were not downloaded".to_owned()
            }
            (0, _) => format!("by the SHA-256 of members of {archives} {read}"),
            _ => format!(
                "by the SHA-256 that the registry's manifest has for their layers, which were not downloaded, or of members of {archives} {read}"
            ),
        };
        let others = match found.extra.len() {
            0 => "no other file is there".to_owned(),
            1 => "one other is there, and was not looked into".to_owned(),
            many => format!("{many} others are there, and were not looked into"),
        };
        let below = match self.contents.below.as_str() {
            "" => String::new(),
            folder => format!(" below {}/, beside which nothing was looked at,", one_line(folder)),
        };
        let files = format!(
            "{} of {} files of the release ({} bytes){below} {by}; {others}",
            found.matching.len(),
            found.of,
            found.bytes
        );
        match found.differing.is_empty() && found.unusable.is_empty() && !found.matching.is_empty() {
            true => format!(
                "{files}. Who pulls by the manifest's digest and checks digests, as clients of OCI do, gets these bytes"
            ),
            false => files,
        }
    }

    /// What decides what the model is told or says and is not of the release: a sentence each.
    pub(crate) fn settings(&self) -> impl Iterator<Item = String> + '_ {
        self.settings.iter().take(SETTINGS).map(Setting::text)
    }

    /// For a script.
    pub(crate) fn json(&self) -> Value {
        let taken = self.referrers.iter().find(|one| one.state == State::Taken);
        json!({
            "reference": self.artifact.pinned.to_string(),
            "manifest": self.artifact.digest.to_string(),
            "type": self.artifact.image.artifact_type,
            "layers": self.contents.layers,
            "unpacked": self.contents.unpacked,
            "downloaded_bytes": self.contents.downloaded,
            "below": self.contents.below,
            "settings": self.settings.iter().map(|one| json!({ "what": one.what, "place": one.place, "recorded": one.recorded })).collect::<Vec<_>>(),
            "found_by": self.way.map(Way::as_str),
            "referrer": taken.map(|one| one.referrer.to_string()),
            "referrers": self.referrers.iter().take(LISTED).map(Judged::json).collect::<Vec<_>>(),
        })
    }
}

/// What is attached is no release.
#[derive(Debug, thiserror::Error)]
#[error("what is attached is not taken: {0}")]
struct Refused(NotAttached);

impl Explain for Refused {
    explain! { Self { .. } => Exit::BadInput, "referrer-malformed", hint: "`stele attach` attaches a release; --bundle FILE takes one from here"; }
}

/// Nothing of what is attached verifies.
#[derive(Debug, thiserror::Error)]
#[error("none of {} releases that are attached verifies", .refused.len())]
struct NoneVerifies {
    exit: Exit,
    refused: Vec<String>,
}

impl Explain for NoneVerifies {
    explain! {
        Self { exit, refused } => *exit, "no-attached-release-verifies",
            hint: "is the policy that of the log that the releases are in? --bundle FILE takes a release.stele from here",
            facts: refused.iter().map(|one| ("found", one.clone())).collect();
    }
}

/// Releases of several names, each with files of the artifact.
#[derive(Debug, thiserror::Error)]
#[error("{reference} has files of {} releases, and it is not said which is meant", .releases.len())]
struct SeveralReleases {
    reference: String,
    /// Each with what of it is here.
    releases: Vec<String>,
    /// One of them.
    meant: Coordinate,
}

impl Explain for SeveralReleases {
    explain! {
        Self { releases, meant, .. } => Exit::BadInput, "several-releases",
            hint: format!(
                "verify by the one that is meant: `stele fetch {meant} --output meant.stele` gets it from the log, then the same command with \
                 --bundle meant.stele; where they are of several publishers, --publisher NAME says whose"
            ),
            facts: releases.iter().map(|one| ("attached", one.clone())).collect();
    }
}
