//! `stele oms sign`, `stele oms verify`: OpenSSF Model Signing.

use std::path::{Path, PathBuf};

use serde_json::json;
use stele_durable as durable;
use stele_explain::Failure;
use stele_explain::printable::one_line;
use stele_oms::{
    BESIDE_A_RELEASE, Bundle, CheckOptions, MAX_BUNDLE, Model, Report, SIGNATURE_FILE, SignOptions, SignedModel, sign,
};
use stele_publish::error::{self, FileError};
use stele_spec::hash::Digest;

use crate::Output;
use crate::args::{OmsArgs, OmsSignArgs, OmsVerb, OmsVerifyArgs};
use crate::oms_key::{self, Trusted};
use crate::render::page::Page;

/// What no signature of this kind answers.
const IN_NO_LOG: &str = "this signature is in no log: whether its signer signed other files under the name, or no longer stands by these, nobody can know from it";

pub(crate) fn run(args: OmsArgs) -> Result<Output, Failure> {
    match args.verb {
        OmsVerb::Sign(args) => sign_model(&args),
        OmsVerb::Verify(args) => verify(&args),
    }
}

fn sign_model(args: &OmsSignArgs) -> Result<Output, Failure> {
    let model = Model::at(&args.path)?;
    let (place, ignored) = place_and_ignored(&model, args.signature.as_deref(), &args.ignore_path)?;
    if place.symlink_metadata().is_ok() {
        let hint = "name another file with --signature, or move this one away";
        return Err(FileError::Exists { path: place.display().to_string(), hint }.into());
    }
    let key = oms_key::secret(&args.key, args.allow_group_readable_key)?;
    let chain = oms_key::chain(&args.certificate)?;
    let options = SignOptions { ignored, allow_symlinks: args.allow_symlinks, chain };
    let signed = sign(&args.path, &key, &options, &|_| {})?;
    durable::create_file(&place, &signed.bundle, 0o644)?;
    let (hint, count) = (key.public().hint(), signed.statement.files().len());
    let mut page = Page::titled(&format!("signed {} of {}", files(count), signed.statement.model()));
    page.row("wrote", &place.display());
    page.row("key", &oms_key::named(key.public()));
    page.row("root digest", &signed.statement.root());
    page.maybe("left aside", list(&signed.ignored).as_ref());
    page.row("log", &IN_NO_LOG);
    let json = json!({
        "model": signed.statement.model(),
        "key": { "hint": hint.to_string(), "curve": key.public().curve().as_str() },
        "root": signed.statement.root().to_string(),
        "bundle": Digest::of(&signed.bundle).to_string(),
        "signed": count,
        "ignored": signed.ignored,
        "logged": false,
        "written": [place.display().to_string()],
    });
    Ok(Output { text: page.0, json, failure: None })
}

fn verify(args: &OmsVerifyArgs) -> Result<Output, Failure> {
    let model = Model::at(&args.path)?;
    let (place, ignored) = place_and_ignored(&model, args.signature.as_deref(), &args.ignore_path)?;
    // What a release puts beside a signature is none of the model.
    let beside = BESIDE_A_RELEASE.into_iter().filter(|_| matches!(model, Model::Folder(_)));
    let beside = beside.map(str::to_owned).collect();
    let trusted = Trusted::by(args.public_key.as_deref(), &args.root)?;
    let bundle = error::read(&place, MAX_BUNDLE as u64, "the model.sig of the model")?;
    let signed = trusted.verify(&Bundle::parse(&bundle)?)?;
    let options = CheckOptions {
        beside,
        ignored,
        allow_symlinks: args.allow_symlinks,
        ignore_unsigned_files: args.ignore_unsigned_files,
    };
    let report = signed.check(&args.path, &options, &|_| {})?;
    let output = Output { text: page(&signed, &report), json: document(&signed, &report), failure: None };
    Ok(output.with_failure(report.require().err()))
}

/// Where the signature is or goes, and what is left aside: what the user says, and the signature itself where it lies in the model.
fn place_and_ignored(
    model: &Model,
    signature: Option<&Path>,
    ignore: &[PathBuf],
) -> Result<(PathBuf, Vec<String>), Failure> {
    let mut ignored = Vec::new();
    for path in ignore {
        ignored.push(stele_oms::ignored_by_user(path, model.path())?);
    }
    let place = match (signature, model) {
        (Some(place), _) => place.to_owned(),
        (None, Model::Folder(home)) => home.join(SIGNATURE_FILE),
        (None, Model::File(path, _)) => {
            let mut name = path.clone().into_os_string();
            name.push(".sig");
            name.into()
        }
    };
    if let Some(own) = model.name_of(&place) {
        ignored.push(own);
    }
    Ok((place, ignored))
}

fn page(signed: &SignedModel, report: &Report) -> String {
    let statement = signed.statement();
    let signer = match signed.holder() {
        Some(holder) => format!("{}, by its certificate,", one_line(holder.subject())),
        None => format!("the holder of the key {}", signed.key().hint()),
    };
    let (count, matching) = (statement.files().len(), report.matching.len());
    let headline = if report.is_exact() {
        format!("verified  all {} are as {signer} signed them.", files(count))
    } else {
        format!("NOT VERIFIED  {matching} of {} are as {signer} signed them.", files(count))
    };
    let mut page = Page::titled(&headline);
    if let Some(holder) = signed.holder() {
        page.row("root", &one_line(holder.root()));
        page.row(
            "certificate",
            &format!("SHA-256 {}; nothing here knows whether it was revoked", holder.fingerprint()),
        );
    }
    page.row("key", &oms_key::named(signed.key()));
    page.row("signed as", &one_line(statement.model()));
    page.row("root digest", &statement.root());
    for difference in &report.differing {
        page.row("differs", &one_line(&difference.name));
    }
    for (name, unusable) in &report.unusable {
        page.row("unusable", &format!("{}: {}", one_line(name), unusable.why));
    }
    page.maybe("missing", list(&report.missing).as_ref());
    page.maybe("not signed", list(&report.unsigned).as_ref());
    page.maybe("left aside", list(&report.ignored).as_ref());
    page.row("log", &IN_NO_LOG);
    page.0
}

fn document(signed: &SignedModel, report: &Report) -> serde_json::Value {
    let (statement, key) = (signed.statement(), signed.key());
    let differing = report.differing.iter().map(
        |difference| json!({ "path": difference.name, "expected": difference.expected, "found": difference.found }),
    );
    let unusable = report.unusable.iter().map(|(path, unusable)| json!({ "path": path, "why": unusable.why }));
    json!({
        "model": statement.model(),
        "key": { "hint": key.hint().to_string(), "curve": key.curve().as_str() },
        "certificate": signed.holder().map(|holder| json!({
            "subject": holder.subject(), "root": holder.root(), "sha256": holder.fingerprint().to_string(),
        })),
        "root": statement.root().to_string(),
        "bundle": signed.bundle().to_string(),
        "method": statement.method().as_str(),
        "signed": statement.files().len(),
        "matching": report.matching.len(),
        "differing": differing.collect::<Vec<_>>(),
        "missing": report.missing,
        "unusable": unusable.collect::<Vec<_>>(),
        "unsigned": report.unsigned,
        "ignored": report.ignored,
        "logged": false,
    })
}

/// Some names in a line; none where there is none.
fn list(names: &[String]) -> Option<String> {
    const SHOWN: usize = 8;
    if names.is_empty() {
        return None;
    }
    let shown: Vec<String> = names.iter().take(SHOWN).map(|name| one_line(name).to_string()).collect();
    let more = names.len().saturating_sub(SHOWN);
    let more = if more > 0 { format!(", and {more} more") } else { String::new() };
    Some(shown.join(", ") + &more)
}

fn files(count: usize) -> String {
    if count == 1 { "1 file".to_owned() } else { format!("{count} files") }
}
