//! `stele publish`: checks, hashes, signs, submits, waits for the cosigned proof, verifies it, and writes `release.stele`.

use std::path::Path;

use serde_json::json;
use stele_durable as durable;
use stele_durable::lock::{Lock, LockError};
use stele_explain::Failure;
use stele_explain::printable::one_line;
use stele_log_client::api::LogClient;
use stele_log_client::log_url;
use stele_log_client::proven_entries::ProvenEntries;
use stele_model_files::roles::{self, Roles};
use stele_publish::bundle_place::BundlePlace;
use stele_publish::foresight::Earlier;
use stele_publish::issued_at::now;
use stele_publish::name;
use stele_publish::publish_check;
use stele_publish::publish_error::PublishError;
use stele_publish::receipt;
use stele_publish::register;
use stele_publish::release;
use stele_publish::release_file::ReleaseFile;
use stele_spec::key::SecretKey;
use stele_spec::manifest::FilePath;
use stele_spec::name::Publisher;
use stele_spec::statement::{Statement, sign};
use stele_terminal::output::complain;
use stele_verify::folder::walk::{self as folder, DRAFT};

use crate::args::{GLOB, PublishArgs};
use crate::key;
use crate::log_args::{local_state, proven_entries};
use crate::output::Output;
use crate::policy_file;
use crate::progress::Progress;
use crate::render::page::Page;

pub(crate) fn run(args: PublishArgs) -> Result<Output, Failure> {
    let key = key::read_secret(&args.key)?;
    let loaded = policy_file::load(args.trust.policy.as_deref())?;
    // Two at once would each give the release a time of its own. A folder that cannot be locked is said further on, or is read-only.
    let _alone = match Lock::of_folder(&args.folder) {
        Err(error @ LockError::Held { .. }) => return Err(error.into()),
        lock => lock.ok(),
    };
    let log = LogClient::new(log_url::log_url(args.trust.log.as_deref(), Some(&loaded.policy))?, args.wait, complain);
    let policy = &loaded.policy;
    let release_file = args.release.clone().unwrap_or_else(|| args.folder.join(DRAFT));
    let mut file = ReleaseFile::read(&release_file)?;
    let files = folder::walk(&args.folder)?.into_publishable(&args.folder)?;
    let place = BundlePlace::find(&args.folder, args.output.as_deref())?;
    let roles = Roles::of_files(&files);
    let role_of = |path: &FilePath| file.role_of(path).unwrap_or_else(|| roles.of(path));
    let sized = files.iter().map(|found| (&found.path, role_of(&found.path), found.size));
    let questions = roles::questions(sized, |path| file.role_of(path).is_some());
    let allowed = |path: &str| args.allow_file.iter().any(|glob| glob.matches_with(path, GLOB));
    publish_check::check(&files, &roles, &role_of, &questions, &allowed)?;
    let mut record = proven_entries(&log, policy, args.trust.accept_incomplete_answer)?;
    file.resolve_parents(&mut record)?;
    let progress = Progress::of(files.iter().map(|file| file.size).sum());
    let hashed = progress.during(|progress| release::hash(&args.folder, &files, &roles, progress))?;
    let manifest = file.manifest(hashed)?;
    let release = file.resolve(&manifest, now())?;
    let earlier = Earlier::of_release(&mut record, &release, &manifest)?;
    let examined = release::foreseen(&args.folder, &release, &manifest, &earlier)?;
    if !args.replace_bundle {
        place.is_for(&release.coordinate())?;
    }
    examined.lines().iter().for_each(|line| complain(&format!("auditors will report: {}\n", one_line(line))));
    file.keep_issued_at(release.issued_at)?;
    let signed = sign(&Statement::Release(Box::new(release.clone())), &key).map_err(PublishError::Statement)?;

    let expect = args.expect.as_deref();
    hold_name(&mut record, &release.publisher.name, &key, args.claim, expect)?;
    let logged = register::submit_release(&mut record, &signed, manifest.bytes(), expect)?;
    let local_state = local_state(false);
    local_state.keep_own(&mut record, &logged)?;
    let bundle = receipt::bundle(&logged, &record, manifest.encode());
    let bytes = bundle.encode().map_err(PublishError::Bundle)?;
    let evidence = stele_verify::verify(&bytes, policy)?;
    let path = place.write(&bytes, logged.position(), &local_state)?;
    // What a killed run left beside them.
    [&path, &release_file].into_iter().for_each(|path| durable::remove_unfinished(path));

    let head = evidence.checkpoint().trusted();
    let witnesses: Vec<_> = head.cosigned().iter().map(|cosigned| cosigned.witness.clone()).collect();
    let coordinate = release.coordinate();
    let mut page = Page::titled(&format!("published {coordinate}"));
    page.row(
        "weights",
        &format!("{} ({} files, {} bytes)", release.weights.digest, release.weights.files, release.weights.bytes),
    );
    page.row("files", &manifest.files().len());
    page.row(
        "entry",
        &format!(
            "{} of log {}, in a tree of {}",
            evidence.statement().position(),
            head.value().origin(),
            head.value().size()
        ),
    );
    page.row(
        "witnesses",
        &format!("{} of {} cosigned: {}", witnesses.len(), policy.witnesses().len(), witnesses.join(", ")),
    );
    page.row("bundle", &format!("{} ({} bytes): let it travel with the weights", path.display(), bytes.len()));
    Ok(Output {
        text: page.0,
        json: json!({
            "coordinate": coordinate.to_string(),
            "publisher": release.publisher.name.to_string(),
            "key_id": signed.kid().to_string(),
            "weights": release.weights,
            "manifest": release.manifest,
            "files": manifest.files().len(),
            "issued_at": release.issued_at.to_string(),
            "entry": evidence.statement().position(),
            "log": head.value().origin().to_string(),
            "tree_size": head.value().size(),
            "witnesses": witnesses,
            "bundle": path.display().to_string(),
            "warnings": examined.findings(),
            "warnings_left_out": examined.left_out(),
        }),
        failure: None,
    })
}

/// The name is this key's: the log shows it, or it is claimed now, where nobody has it and that was asked for.
fn hold_name(
    record: &mut ProvenEntries,
    publisher: &Publisher,
    key: &SecretKey,
    may_claim: bool,
    expect: Option<&Path>,
) -> Result<(), Failure> {
    if name::held(record, publisher, key)?.is_some() {
        return Ok(());
    }
    if !may_claim {
        return Err(PublishError::Unclaimed { publisher: publisher.clone() }.into());
    }
    complain(&format!("claiming {publisher} for key {}\n", key.public().key_id()));
    name::submit(record, publisher, key, expect).map(drop)
}
