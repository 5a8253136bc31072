//! An artifact of a registry, and the release that is attached to it.
//!
//! Anyone with the right to write to the repository may attach anything. So each release that is listed is verified and reported, and none is chosen by its
//! verdict: a release that its publisher withdrew is not passed over for another one that holds.

use std::path::Path;

use serde_json::{Value, json};
use stele_explain::{Exit, Explain, Failure, explain};
use stele_log_client::local_state::{LocalState, LogInconsistent};
use stele_oci::layers::is_packed;
use stele_oci::{
    Artifact, ArtifactContents, Attached, NotAttached, OciError, Reference, Referrers, Registry, RegistryOptions, Way,
    contents,
};
use stele_publish::error;
use stele_spec::bundle::MAX_BUNDLE;
use stele_spec::hash::Digest;
use stele_spec::name::{Coordinate, Publisher};
use stele_spec::policy::Policy;
use stele_terminal::volume::note;
use stele_verify::{FolderReport, VerifiedRelease, verify};

use crate::args::VerifyArgs;

/// How many referrers a document lists.
const LISTED: usize = 100;

/// What a registry has of an artifact.
#[derive(Debug)]
pub(crate) struct ArtifactSeen {
    /// The artifact by its digest.
    pub(crate) artifact: Artifact,
    /// What it holds, as far as that was looked at.
    pub(crate) contents: ArtifactContents,
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
    problem: Option<Failure>,
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// The verdict is by this one.
    Taken,
    /// It verifies and is of the same release.
    Same,
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
            let (release, judged) = choose(
                &registry,
                &artifact,
                &referrers,
                attached,
                args.required.publisher.as_ref(),
                policy,
                local_state,
            )?;
            (release, Some(referrers.way), judged)
        }
    };
    let contents = match args.no_hash {
        true => ArtifactContents::default(),
        false => contents(&registry, &artifact.image, release.manifest())?,
    };
    Ok((release, ArtifactSeen { artifact, contents, way, referrers }))
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
    publisher: Option<&Publisher>,
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
                let is_asked_for = publisher.is_none_or(|name| *name == coordinate.publisher);
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
        judged.push(Judged { referrer, state, coordinate, problem });
    }
    let is = |candidate: &Candidate, state| judged.get(candidate.at).is_some_and(|one| one.state == state);
    // The best that there is: of these files; else of the publisher that was asked for; else whatever verifies, so that it is said what differs.
    let best = [State::Same, State::OtherRelease, State::OtherPublisher]
        .into_iter()
        .find(|state| candidates.iter().any(|candidate| is(candidate, *state)));
    let Some(best) = best else { return Err(none_verifies(judged)) };
    candidates.retain(|candidate| is(candidate, best));
    if coordinates_of(&candidates).len() > 1 && !artifact.image.layers.iter().any(is_packed) {
        for candidate in fitting_least(registry, artifact, &mut candidates)? {
            if let Some(one) = judged.get_mut(candidate.at) {
                one.state = State::OtherRelease;
            }
        }
    }
    let coordinates = coordinates_of(&candidates);
    if coordinates.len() > 1 {
        return Err(SeveralReleases { reference: artifact.pinned.to_string(), coordinates }.into());
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

/// Takes out those of which less is here than of another: versions of a model share files. What became of a release has no part in it.
fn fitting_least(
    registry: &Registry,
    artifact: &Artifact,
    candidates: &mut Vec<Candidate>,
) -> Result<Vec<Candidate>, OciError> {
    let mut fits = Vec::new();
    for candidate in candidates.drain(..) {
        let found = contents(registry, &artifact.image, candidate.release.manifest())?;
        let report = candidate.release.check(&found.folder);
        let is_exact = report.is_whole() && report.unrecorded().is_empty();
        fits.push(((is_exact, report.matching.len()), candidate));
    }
    let most = fits.iter().map(|(fit, _)| *fit).max();
    let (best, rest): (Vec<_>, Vec<_>) = fits.into_iter().partition(|(fit, _)| Some(*fit) == most);
    candidates.extend(best.into_iter().map(|(_, candidate)| candidate));
    Ok(rest.into_iter().map(|(_, candidate)| candidate).collect())
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
            (State::OtherRelease, _) => format!("is of another release, {coordinate}, whose files these are not"),
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
            "error": self.problem.as_ref().map(|problem| problem.as_explain().code()),
        })
    }
}

impl State {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Same => "same-release",
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

    /// What was checked of it, and what that says.
    pub(crate) fn checked(&self, comparison: Option<&FolderReport>) -> String {
        let ArtifactContents { layers, unpacked, downloaded, .. } = &self.contents;
        let by_digest = layers.saturating_sub(*unpacked);
        let are = |count: usize| if count == 1 { "1 layer is".to_owned() } else { format!("{count} layers are") };
        let mut parts = Vec::new();
        if by_digest > 0 {
            parts
                .push(format!("{} compared by the digest that the manifest names, and not downloaded", are(by_digest)));
        }
        if *unpacked > 0 {
            parts.push(format!("{} archives, read and hashed ({downloaded} bytes)", are(*unpacked)));
        }
        let what = if parts.is_empty() { "no layer was looked at".to_owned() } else { parts.join("; ") };
        match comparison {
            Some(found) if found.differing.is_empty() && found.unusable.is_empty() && !found.matching.is_empty() => {
                format!(
                    "{what}: who pulls the manifest by its digest and checks digests, as clients of OCI do, gets these bytes"
                )
            }
            _ => what,
        }
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
#[error("{reference} has files of {} releases, and it is not said which is meant", .coordinates.len())]
struct SeveralReleases {
    reference: String,
    coordinates: Vec<Coordinate>,
}

impl Explain for SeveralReleases {
    explain! {
        Self { coordinates, .. } => Exit::BadInput, "several-releases",
            hint: "--bundle FILE takes the release.stele that is meant from here; where they are of several publishers, --publisher NAME says whose",
            facts: coordinates.iter().map(|one| ("attached", one.to_string())).collect();
    }
}
