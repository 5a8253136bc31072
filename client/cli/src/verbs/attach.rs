//! `stele attach`, `stele push`: a release beside an artifact of a registry.

use std::path::Path;

use serde_json::{Value, json};
use stele_explain::{Exit, Explain, Failure, explain};
use stele_log_client::judgement::WithdrawnError;
use stele_oci::{Artifact, At, Attachment, Pushed, Reference, Registry, RegistryOptions, Way, attach, contents, push};
use stele_publish::error;
use stele_spec::bundle::MAX_BUNDLE;
use stele_spec::verify::Allow;
use stele_verify::VerifiedRelease;
use stele_verify::folder::locate::TargetKind;
use stele_verify::folder::{SIGNATURE, Shortcuts, Survey, locate};
use stele_verify::verify;

use crate::Output;
use crate::args::{AttachArgs, GLOB, PushArgs, StoringArgs};
use crate::known_here;
use crate::policy_file;
use crate::progress::Progress;
use crate::render::page::Page;

pub(crate) fn run_attach(args: &AttachArgs) -> Result<Output, Failure> {
    let (bytes, release, withdrawn) = read(&args.release, &args.storing)?;
    let registry = registry(&args.artifact, &args.storing)?;
    let artifact = registry.artifact(&args.artifact)?;
    let found = contents(&registry, &artifact.image, release.manifest())?;
    let mut report = release.check(&found.folder);
    report.allow_extra(&|path| args.allow_extra.iter().any(|glob| glob.matches_with(path, GLOB)));
    report.require(Allow::default().missing(args.partial))?;
    let attached = store(&registry, &artifact, &bytes, &args.storing)?;
    let json = document(&artifact, &release, &attached, &args.storing);
    let mut page = page("attached", "would attach", &artifact, &release, &args.storing, attached.stored);
    rows(&mut page, &attached, &args.storing);
    // A withdrawal is what a reader of the artifact is to be told: by this bundle, if it has it.
    page.maybe(
        "withdrawn",
        withdrawn
            .map(|withdrawn| match (&withdrawn, release.history().withdrawal()) {
                (WithdrawnError::Critical { .. }, _) => {
                    format!("{withdrawn}: `stele verify --online` of the artifact says so")
                }
                (_, Some(_)) => format!("{withdrawn}: `stele verify` of the artifact says so"),
                (_, None) => {
                    format!("{withdrawn}, and this bundle does not have it: `stele fetch` makes one that does")
                }
            })
            .as_ref(),
    );
    Ok(Output { text: page.0, json: json.into(), failure: None })
}

pub(crate) fn run_push(args: &PushArgs) -> Result<Output, Failure> {
    if let At::Digest(_) = args.artifact.at() {
        return Err(NoTag { reference: args.artifact.to_string() }.into());
    }
    let target = locate::find(&args.folder, None)?;
    let (bytes, release, withdrawn) = read(&target.bundle, &args.storing)?;
    if let Some(objection) =
        withdrawn.filter(|objection| !args.accept.as_ref().is_some_and(|state| objection.is_accepted_by(state)))
    {
        return Err(TakenBack(objection).into());
    }
    let TargetKind::Folder(folder) = &target.kind else {
        return Err(NoFolder { path: args.folder.display().to_string() }.into());
    };
    let place = locate::place_of(folder, &target.bundle, false, release.manifest())?;
    if !place.is_empty() {
        return Err(NoFolder { path: args.folder.display().to_string() }.into());
    }
    let progress = Progress::of(release.manifest().total_bytes());
    let survey = Survey::of(folder, "", &release)?;
    let shortcuts = Shortcuts { hints: None, cache: None };
    let found = progress.during(|progress| survey.hash(shortcuts, progress));
    release.check(&found).require(Allow::default())?;
    let registry = registry(&args.artifact, &args.storing)?;
    let pushed = push(&registry, &args.artifact, folder, &release, args.storing.dry_run)?;
    let Pushed { artifact, sent, bytes: sent_bytes, moved } = pushed;
    let attached = store(&registry, &artifact, &bytes, &args.storing)?;
    let mut json = document(&artifact, &release, &attached, &args.storing);
    json.insert("files".into(), release.manifest().files().len().into());
    json.insert("sent_files".into(), sent.into());
    json.insert("sent_bytes".into(), sent_bytes.into());
    json.insert("tagged".into(), (moved && !args.storing.dry_run).into());
    // A bundle of Sigstore beside an artifact is taken for a signature of its manifest, and one of Model Signing signs files.
    let path = folder.join(SIGNATURE);
    let is_left = path.exists() && release.manifest().files().iter().all(|file| file.path.as_str() != SIGNATURE);
    let left = is_left.then_some(SIGNATURE);
    json.insert("not_pushed".into(), left.into_iter().collect());
    let is_new = moved || sent > 0 || attached.stored;
    let mut page = page("pushed", "would push", &artifact, &release, &args.storing, is_new);
    page.row(
        "tag",
        &match (moved, args.storing.dry_run) {
            (true, true) => format!("{} would name it", args.artifact),
            (true, false) => format!("{} names it now", args.artifact),
            (false, _) => format!("{} named it before", args.artifact),
        },
    );
    page.row(
        "files",
        &format!(
            "{} layers, {sent} of them {} ({sent_bytes} bytes)",
            artifact.image.layers.len(),
            if args.storing.dry_run { "are not there" } else { "were not there" }
        ),
    );
    rows(&mut page, &attached, &args.storing);
    page.maybe(
        "not pushed",
        left.map(|name| format!("{name}: it signs files and is none of the release; put it into the pulled folder, where `stele verify` reads it"))
            .as_ref(),
    );
    Ok(Output { text: page.0, json: json.into(), failure: None })
}

/// A bundle that verifies, and the withdrawal of its release that is known here.
fn read(path: &Path, storing: &StoringArgs) -> Result<(Vec<u8>, VerifiedRelease, Option<WithdrawnError>), Failure> {
    let policy = policy_file::load(storing.policy.as_deref())?.policy;
    let bytes = error::read(path, MAX_BUNDLE as u64, "a release.stele")?;
    let release = verify(&bytes, &policy)?;
    let withdrawn = known_here::objection(&known_here::status(&release, &policy)?, None);
    Ok((bytes, release, withdrawn))
}

fn registry(reference: &Reference, storing: &StoringArgs) -> Result<Registry, Failure> {
    let options = RegistryOptions { plain_http: storing.plain_http, writes: !storing.dry_run };
    Ok(Registry::of(reference, options)?)
}

fn store(
    registry: &Registry,
    artifact: &Artifact,
    bundle: &[u8],
    storing: &StoringArgs,
) -> Result<Attachment, Failure> {
    let referrers = registry.referrers(&artifact.digest)?;
    Ok(attach(registry, artifact, &referrers, bundle, storing.dry_run)?)
}

fn page(
    done: &str,
    would: &str,
    artifact: &Artifact,
    release: &VerifiedRelease,
    storing: &StoringArgs,
    is_new: bool,
) -> Page {
    let did = match (is_new, storing.dry_run) {
        (false, _) => "unchanged:",
        (true, true) => would,
        (true, false) => done,
    };
    let mut page = Page::titled(&format!("{did} {}", release.coordinate()));
    page.row("artifact", &artifact.pinned);
    page
}

fn rows(page: &mut Page, attached: &Attachment, storing: &StoringArgs) {
    let state = match (attached.stored, storing.dry_run) {
        (false, _) => ", which was there before",
        (true, true) => ", which is not there",
        (true, false) => "",
    };
    page.row("release", &format!("the referrer sha256:{}{state}", attached.referrer));
    if !(attached.stored && storing.dry_run) {
        let way = match attached.way {
            Way::Api => "the registry's list of referrers",
            Way::Tag => "the tag that stands for it: this registry keeps no list of referrers",
        };
        page.row("found by", &way);
    }
    page.row("verified by", &"stele verify with the reference above: a tag may name another artifact later");
}

fn document(
    artifact: &Artifact,
    release: &VerifiedRelease,
    attached: &Attachment,
    storing: &StoringArgs,
) -> serde_json::Map<String, Value> {
    let mut fields = serde_json::Map::new();
    let way = (!(attached.stored && storing.dry_run)).then(|| attached.way.as_str());
    fields.insert("coordinate".into(), release.coordinate().to_string().into());
    fields.insert("reference".into(), artifact.pinned.to_string().into());
    fields.insert("manifest".into(), artifact.digest.to_string().into());
    fields.insert("referrer".into(), attached.referrer.to_string().into());
    fields.insert("stored".into(), (attached.stored && !storing.dry_run).into());
    fields.insert("found_by".into(), json!(way));
    fields.insert("dry_run".into(), storing.dry_run.into());
    fields
}

/// A release that its publisher took back, or of which a critical incident is reported, is not sent anywhere.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct TakenBack(WithdrawnError);

impl Explain for TakenBack {
    explain! {
        Self(withdrawn @ WithdrawnError::Critical { .. }) => Exit::Withdrawn, withdrawn.code(),
            hint: "nothing was sent; --accept incident sends it all the same", facts: withdrawn.facts();
        Self(withdrawn) => Exit::Withdrawn, "withdrawn",
            hint: "nothing was sent; at an artifact that is there already, `stele attach` of a bundle that `stele fetch` made says so",
            facts: withdrawn.facts();
    }
}

/// A digest is what comes of pushing.
#[derive(Debug, thiserror::Error)]
#[error("{reference} names a manifest by its digest, and not where one goes")]
struct NoTag {
    reference: String,
}

impl Explain for NoTag {
    explain! { Self { .. } => Exit::BadInput, "no-tag", hint: "name a tag: oci://HOST/NAME:TAG"; }
}

/// The artifact is a whole release.
#[derive(Debug, thiserror::Error)]
#[error("{path} is not the folder of a whole release")]
struct NoFolder {
    path: String,
}

impl Explain for NoFolder {
    explain! { Self { .. } => Exit::BadInput, "not-a-release-folder", hint: "name the folder in which release.stele lies"; }
}
