//! `stele export`: a verified release as the document of another ecosystem.

use serde_json::{Value, json};
use stele_durable as durable;
use stele_explain::Failure;
use stele_publish::error::{self, FileError};
use stele_spec::bundle::MAX_BUNDLE;
use stele_spec::hash::Digest;
use stele_verify::folder::locate;
use stele_verify::verify;

use crate::Output;
use crate::args::ExportArgs;
use crate::export::{self, Subject};
use crate::hub_snapshot;
use crate::known_here;
use crate::policy_file;
use crate::render::lifecycle;

pub(crate) fn run(args: ExportArgs) -> Result<Output, Failure> {
    let policy = policy_file::load(args.policy.as_deref())?.policy;
    let target = locate::find(&hub_snapshot::meant(&args.path)?, None)?;
    let bytes = error::read(&target.bundle, MAX_BUNDLE as u64, "a release.stele")?;
    let verified = verify(&bytes, &policy)?;
    // A document that others keep does not outlive, in silence, what it is about.
    let status = known_here::status(&verified, &policy)?;
    if let Some(objection) = known_here::objection(&status, args.accept.as_ref()) {
        return Err(objection.into());
    }
    let release = status.history.current().unwrap_or(verified.release());
    let (bundle, witnesses) = (Digest::of(&bytes), policy.witnesses().len());
    let mut known = lifecycle::json(&status);
    let events = known.get_mut("events").map(Value::take).unwrap_or_default();
    let subject = Subject { verified: &verified, status: &status, release, bundle, events, witnesses };
    let document = export::document(&subject, args.form);
    let mut text = format!("{document:#}\n");
    let mut json = json!({ "coordinate": verified.coordinate().to_string(), "entry": verified.entry_index() });
    let mut say = |name: &str, value| json.as_object_mut().map(|fields| fields.insert(name.to_owned(), value));
    // As everywhere, `-` is standard output.
    match args.output.as_ref().filter(|path| path.as_os_str() != "-") {
        Some(path) if path.exists() => {
            let (path, hint) = (path.display().to_string(), "name another file, or move this one away");
            return Err(FileError::Exists { path, hint }.into());
        }
        Some(path) => {
            durable::create_file(path, text.as_bytes(), 0o644)?;
            say("written", json!([path.display().to_string()]));
            text = format!("wrote {}\n", path.display());
        }
        None => {
            say("document", document);
        }
    }
    Ok(Output { text, json, failure: None })
}
