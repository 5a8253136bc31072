//! `stele draft`: a `release.toml` to complete.

use std::path::Path;

use stele_explain::printable::one_line;
use stele_explain::{Exit, Explain, Failure, explain};
use stele_oms::{Bundle as Signature, MAX_BUNDLE as MAX_SIGNATURE};
use stele_publish::draft::{self, Answers, Facts, Names, Old, Preset, PresetParent, Source};
use stele_publish::error::FileError;
use stele_spec::bundle::MAX_BUNDLE;
use stele_spec::status::State;
use stele_terminal::volume::note;
use stele_terminal::writers::warn_of_writers;
use stele_verify::bounded_read::read_if_there;
use stele_verify::folder::locate::snapshot_of;
use stele_verify::folder::{BUNDLE, DRAFT, SIGNATURE};

use crate::Output;
use crate::args::{DraftArgs, LogArgs};
use crate::draft_file;
use crate::loaded_statement::LoadedStatement;
use crate::log_args::LogContext;
use crate::policy_file;
use crate::subject::Subject;

pub(crate) fn run(args: DraftArgs) -> Result<Output, Failure> {
    let mut facts = draft::facts(&args.folder)?;
    let answers = Answers {
        old: args.from.as_deref().map(|old| old_of(old, &args.asking, &mut facts)).transpose()?,
        defaults: defaults(args.defaults.as_deref())?,
        ..presets(&args.preset, &mut facts)?
    };
    let names =
        Names { publisher: args.publisher, model: args.model, version: args.model_version, variant: args.variant };
    let draft = draft::release_toml(&names, &facts, &answers);
    // A repository of a hub's cache is drafted from its snapshot, which is what is published.
    let folder = snapshot_of(&args.folder)?.unwrap_or(args.folder);
    facts.notes.extend(signature_in(&folder));
    for said in &facts.notes {
        note(&format!("note: {}\n", one_line(said)));
    }
    let target = args.output.unwrap_or_else(|| folder.join(DRAFT));
    let next = format!("stele publish {} --key FILE --policy FILE", folder.display());
    draft_file::write_draft(draft.text, &draft.tally, &target, &next, &facts.notes)
}

/// What to do with a signature of Model Signing that lies in the folder: whose it is, only its signer's public key shows.
fn signature_in(folder: &Path) -> Option<String> {
    let place = folder.join(SIGNATURE);
    let bytes = read_if_there(&place, MAX_SIGNATURE as u64).ok()??;
    let place = place.display();
    Some(match Signature::parse(&bytes) {
        Ok(bundle) => format!(
            "{place} is signed by the key {}, as it says itself, and is no file of the release; with the public key of its signer \
             `stele publish ... --oms-bundle {place} --oms-key KEY` verifies it and names it in the record",
            bundle.named_key()
        ),
        Err(problem) => format!("{place} is no file of the release, and no signature that is read: {problem}"),
    })
}

/// The earlier release: a file or folder of this disk first, else a release of the log, proven.
fn old_of(name: &str, asking: &LogArgs, facts: &mut Facts) -> Result<Old, Failure> {
    let path = Path::new(name);
    if path.is_dir() && !path.join(BUNDLE).exists() && path.join(DRAFT).exists() {
        return Old::of_file(&path.join(DRAFT));
    }
    if path.is_file() && path.extension().is_some_and(|extension| extension == "toml") {
        return Old::of_file(path);
    }
    let subject = Subject::parse(name)?;
    let loaded = match &subject {
        Subject::File(file) => {
            let loaded = LoadedStatement::file(file)?;
            verify_bundle(name, file, asking, facts)?;
            loaded
        }
        subject => {
            let context = LogContext::by(asking)?;
            subject.load(Some(&context.log()?))?
        }
    };
    let Some(release) = loaded.release() else {
        let kind = loaded.statement().kind().to_string();
        return Err(FileError::Malformed {
            path: name.to_owned(),
            what: "a release",
            problem: format!("a statement of the kind {kind}"),
            hint: "name publisher/model@version#variant, its release.stele, or a release.toml",
        }
        .into());
    };
    let state = loaded.release_status.as_ref().map(|release_status| release_status.history.state());
    if let Some(state @ (State::Withdrawn | State::Conflicting)) = state {
        facts
            .notes
            .push(format!("{name} is {state}: `stele history` says why; what is carried on from it may not hold"));
    }
    Old::of_release(name, release, loaded.manifest.as_ref())
}

/// Verifies a bundle by the policy, where there is one. Without a policy a note says that nobody has.
fn verify_bundle(name: &str, file: &Path, asking: &LogArgs, facts: &mut Facts) -> Result<(), Failure> {
    match policy_file::load(asking.trust.policy.as_deref()) {
        Ok(loaded) => {
            let bytes = stele_publish::error::read(file, MAX_BUNDLE as u64, "a release.stele")?;
            stele_verify::verify(&bytes, &loaded.policy)?;
        }
        Err(failure) if asking.trust.policy.is_some() => return Err(failure),
        Err(_) => {
            let unverified = format!(
                "{name} was not verified, for there is no trust policy: read what goes on from it before you sign"
            );
            facts.notes.push(unverified);
        }
    }
    Ok(())
}

/// The publisher's answers: those of a file that is named, or of the user's own.
fn defaults(named: Option<&Path>) -> Result<Option<Source>, Failure> {
    let Some(path) = named.map(Path::to_owned).or_else(draft::find_defaults) else { return Ok(None) };
    let source = draft::defaults_of(&path)?;
    warn_of_writers(&path, "what is answered in your name");
    Ok(Some(source))
}

/// The answers of presets, of which one may name a parent.
fn presets(presets: &[Preset], facts: &mut Facts) -> Result<Answers, Failure> {
    let mut answers = Answers::default();
    for preset in presets {
        let (source, against) = preset.answers(facts);
        let stands = against.is_none();
        facts.notes.extend(against);
        if let Some((coordinate, relation)) = preset.parent() {
            if answers.parent.is_some() {
                return Err(TwoParents { second: preset.name() }.into());
            }
            let (coordinate, relation) = (coordinate.clone(), stands.then_some(relation));
            answers.parent = Some(PresetParent { coordinate, relation, source: source.clone() });
        }
        answers.presets.push(source);
    }
    Ok(answers)
}

/// Two presets that each say what the release is.
#[derive(Debug, thiserror::Error)]
#[error("preset {second}: another preset names a parent already")]
struct TwoParents {
    second: String,
}

impl Explain for TwoParents {
    explain! {
        Self { .. } => Exit::Usage, "preset-twice",
            hint: "name one of quantization-of and adapter-of; further parents are written under [[lineage]]";
    }
}
