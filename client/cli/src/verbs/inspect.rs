//! `stele inspect`: what any of our files holds; it verifies nothing.

use std::path::Path;

use serde_json::{Value, json};
use stele_durable as durable;
use stele_explain::Failure;
use stele_log_client::moment::moment;
use stele_publish::error::{self, FileError};
use stele_publish::key_proposal::Proposal;
use stele_publish::statement_proposal::StatementProposal;
use stele_spec::bundle::{Bundle, MAX_BUNDLE};
use stele_spec::checkpoint::Checkpoint;
use stele_spec::coverage::Coverage;
use stele_spec::entry::IndexEntry;
use stele_spec::frozen::Frozen;
use stele_spec::hash::Digest;
use stele_spec::hints::Hints;
use stele_spec::index::Subject;
use stele_spec::key::PublicKey;
use stele_spec::manifest::Manifest;
use stele_spec::merkle::leaf_hash;
use stele_spec::misbehaviour::{MAX_EVIDENCE, Misbehaviour};
use stele_spec::nameproof::{Answer, NameProof};
use stele_spec::note::{SignedNote, VerifierKey};
use stele_spec::policy::Policy;
use stele_spec::proof::TlogProof;
use stele_spec::receipt::{ForeignReceipt, TransparentStatement};
use stele_spec::statement::SignedStatement;

use crate::Output;
use crate::args::{InspectArgs, StatementForm};
use crate::extract;
use crate::proposal;
use crate::render::page::{Page, printable, sized};
use crate::render::{carried_manifest, coverage, parent, receipt, statement};
use crate::transparent;

mod beside;

pub(crate) fn run(args: InspectArgs) -> Result<Output, Failure> {
    if args.extract.is_none()
        && args.form.is_none()
        && let Some((page, json)) = carried_manifest::inspected(&args.file)
    {
        return Ok(Output { text: page.0, json, failure: None });
    }
    let what = "a bundle, statement, receipt, manifest, hints, proof, checkpoint, policy, key, index entry, report, signature, form, lock file or file of evidence";
    let bytes = error::read(&args.file, MAX_BUNDLE.max(MAX_EVIDENCE) as u64, what)?;
    let malformed = |problem: String| FileError::Malformed {
        path: args.file.display().to_string(),
        what,
        problem,
        hint: "the message above is for the kind of file that the first bytes look like; is this the right file?",
    };
    let Inspected { page, json, bundle } = inspect(&bytes).map_err(malformed)?;
    let mut output = Output { text: page.0, json, failure: None };
    if let (Some(StatementForm::TransparentStatement), Some(path)) = (args.form, &args.output) {
        let statement = bundle.as_ref().map_or(bytes.as_slice(), |bundle| &bundle.statement);
        let statement =
            SignedStatement::parse(statement).map_err(|error| malformed(format!("no statement: {error}")))?;
        transparent::write(statement, &args.receipt, path)?;
        output.text.push_str(&format!("wrote {}\n", path.display()));
        if let Some(object) = output.json.as_object_mut() {
            object.insert("written".into(), json!([path.display().to_string()]));
        }
    }
    if let Some(folder) = &args.extract {
        let Some(bundle) = bundle else {
            return Err(malformed("only a bundle can be taken apart".into()).into());
        };
        let written = write_parts(&bundle, folder)?;
        written.iter().for_each(|path| output.text.push_str(&format!("wrote {path}\n")));
        if let Some(object) = output.json.as_object_mut() {
            object.insert("written".into(), written.into());
        }
    }
    Ok(output)
}

/// What a file is and holds.
struct Inspected {
    page: Page,
    json: Value,
    bundle: Option<Bundle>,
}

/// How many files of a manifest are listed for a person.
const LISTED: usize = 200;

fn inspect(bytes: &[u8]) -> Result<Inspected, String> {
    let plain = |(page, json): (Page, Value)| Inspected { page, json, bundle: None };
    match bytes {
        [] => Err("an empty file".into()),
        [0xD2, ..] if TransparentStatement::looks_like(bytes) => TransparentStatement::parse(bytes)
            .map(|found| plain(receipt::transparent_page(&found, statement(found.statement()))))
            .map_err(|error| error.to_string()),
        [0xD2, ..] if ForeignReceipt::parse(bytes).is_ok() => Ok(plain(receipt::page(bytes))),
        [0xD2, ..] => {
            SignedStatement::parse(bytes).map(|signed| plain(statement(&signed))).map_err(|error| error.to_string())
        }
        // It says so in a field near its beginning or after what it carries.
        [0xA0..=0xBF, ..] if holds(bytes, b"hevidenceqstele/evidence@v") => {
            Misbehaviour::parse(bytes).map(|found| plain(evidence_page(&found))).map_err(|error| error.to_string())
        }
        [0xA2, ..] if Coverage::looks_like(bytes) => {
            Coverage::parse(bytes).map(|found| plain(coverage::page(&found))).map_err(|error| error.to_string())
        }
        [0xA0..=0xBF, ..] if holds(bytes, b"ehintsnstele/hints@v") => {
            Hints::parse(bytes).map(|found| plain(hints_page(&found))).map_err(|error| error.to_string())
        }
        // A map of two fields, or of five.
        [0xA2, ..] => Manifest::parse(bytes).map(|found| plain(manifest(&found))).map_err(|error| error.to_string()),
        [0xA0..=0xBF, ..] => {
            let bundle = Bundle::parse(bytes).map_err(|error| error.to_string())?;
            let (page, json) = bundle_page(&bundle, bytes.len());
            Ok(Inspected { page, json, bundle: Some(bundle) })
        }
        _ => {
            let text = std::str::from_utf8(bytes).map_err(|_| "neither CBOR of ours nor text".to_owned())?;
            inspect_text(text).map(plain)
        }
    }
}

/// Whether a file has a field with the name and version of a format.
fn holds(bytes: &[u8], version: &[u8]) -> bool {
    bytes.windows(version.len()).any(|window| window == version)
}

fn evidence_page(found: &Misbehaviour) -> (Page, Value) {
    let (page, mut json) = super::evidence::describe(found);
    if let Some(object) = json.as_object_mut() {
        let evidence_of = object.insert("kind".into(), "evidence".into());
        object.insert("evidence_of".into(), evidence_of.unwrap_or_default());
    }
    (page, json)
}

fn inspect_text(text: &str) -> Result<(Page, Value), String> {
    if text.as_bytes().starts_with(super::evidence::OLD_TEXT) {
        let page = Page::titled(
            "a witness's evidence in its old form: `stele-witness evidence export` writes it as a file of evidence",
        );
        return Ok((page, json!({ "kind": "evidence-old-text" })));
    }
    if text.starts_with("stele/index@") {
        let entry = IndexEntry::parse(text.as_bytes()).map_err(|error| error.to_string())?;
        let mut page = Page::titled("an index entry");
        page.row("entry", &entry.position);
        page.row("index root", &entry.root);
        return Ok((page, json!({ "kind": "index-entry", "entry": entry.position, "root": entry.root.to_string() })));
    }
    if Proposal::looks_like(text) {
        let proposal = Proposal::parse(text.as_bytes())?;
        let json = json!({ "kind": "proposal", "needed": proposal.needed, "statement": proposal.statement });
        return Ok((Page(format!("a proposal: {}", statement::of_proposal(&proposal))), json));
    }
    if StatementProposal::looks_like(text) {
        let proposal = StatementProposal::parse(text.as_bytes())?;
        let json = json!({ "kind": "proposal", "needed": proposal.needed(), "statement": proposal.statement() });
        let page = proposal::page(&proposal, &proposal::Approvals::default()).map_err(|failure| failure.to_string())?;
        return Ok((Page(format!("a proposal: {}", page.0)), json));
    }
    if text.starts_with("c2sp.org/tlog-proof@") {
        let proof = TlogProof::parse(text.as_bytes()).map_err(|error| error.to_string())?;
        return Ok(proof_page(&proof));
    }
    if text.contains("-----BEGIN PUBLIC KEY-----") {
        let key = PublicKey::from_pem(text).map_err(|error| error.to_string())?;
        let mut page = Page::titled("a publisher's public key");
        page.row("key id", &key.key_id());
        return Ok((page, json!({ "kind": "public-key", "key_id": key.key_id().to_string() })));
    }
    if text.contains("PRIVATE KEY-----") || text.starts_with("PRIVATE+KEY+") {
        let page = Page::titled("a secret key: `stele key show` shows the public half of a publisher's");
        return Ok((page, json!({ "kind": "secret-key" })));
    }
    if let Ok(key) = text.trim_end_matches('\n').parse::<VerifierKey>() {
        let mut page = Page::titled("a verifier key");
        page.row("name", key.name());
        page.row("key id", &key.hash());
        page.row("of a", &format!("{:?}", key.key_type()).to_lowercase());
        return Ok((page, json!({ "kind": "vkey", "name": key.name().to_string(), "key_id": key.hash().to_string() })));
    }
    if text.contains("\n\n\u{2014} ") {
        let note = SignedNote::parse(text.as_bytes()).map_err(|error| error.to_string())?;
        if let Ok(end) = Frozen::parse(note.text()) {
            return Ok(end_page(&end, &note));
        }
        let (mut page, json) = (Page::titled("a checkpoint"), checkpoint_json(&note));
        checkpoint_rows(&mut page, &note);
        return Ok((page, json!({ "kind": "checkpoint", "checkpoint": json })));
    }
    if let Some(found) = beside::text(text) {
        return found;
    }
    if !is_like_a_policy(text) {
        return Err("a text of no kind that these programs write".into());
    }
    let policy = Policy::parse(text.as_bytes()).map_err(|error| format!("no policy: {error}"))?;
    let mut page = Page::titled("a trust policy: `stele policy check` says what it requires");
    page.row("logs", &policy.logs().len());
    page.row("witnesses", &policy.witnesses().len());
    Ok((page, json!({ "kind": "policy", "logs": policy.logs().len(), "witnesses": policy.witnesses().len() })))
}

/// Where each file may be begun, so that several cores hash it.
fn hints_page(hints: &Hints) -> (Page, Value) {
    let mut page = Page::titled("hints, which nobody signs: they let several cores hash one large file");
    let files = hints.files().count();
    page.row("files", &files);
    (page, json!({ "kind": "hints", "files": files }))
}

/// Whether the first line that is no comment begins as a line of a policy.
fn is_like_a_policy(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let first = lines.next().and_then(|line| line.split_whitespace().next());
    first.is_none_or(|word| ["log", "witness", "group", "quorum"].contains(&word))
}

fn statement(signed: &SignedStatement) -> (Page, Value) {
    let statement = signed.statement();
    let mut page = Page::titled(&format!("a signed statement: {}", statement.kind()));
    let leaf = leaf_hash(signed.bytes());
    page.row("publisher", statement.publisher());
    if let Some(coordinate) = statement.coordinate() {
        page.row("coordinate", &coordinate);
    }
    page.row("issued", &statement.issued_at());
    page.row("key id", &signed.kid());
    for ancestor in statement.lineage() {
        page.row(ancestor.relation.as_str(), &parent::words(&ancestor.parent));
    }
    page.row("leaf hash", &leaf);
    page.row("bytes", &signed.bytes().len());
    let json =
        json!({ "kind": "statement", "key_id": signed.kid(), "leaf_hash": leaf.to_string(), "statement": statement });
    (page, json)
}

fn manifest(manifest: &Manifest) -> (Page, Value) {
    let mut page = Page::titled("a manifest");
    page.row("digest", &manifest.digest());
    page.row("weights", &sized(manifest.weights_digest(), manifest.weights_files(), manifest.weights_bytes()));
    page.row("tree", &sized(manifest.tree_digest(), manifest.files().len(), manifest.total_bytes()));
    for file in manifest.files().iter().take(LISTED) {
        page.row(file.role.as_str(), &format!("{}  {} ({} bytes)", file.sha256, file.path, file.size));
    }
    if manifest.files().len() > LISTED {
        page.row("", &format!("and {} more", manifest.files().len() - LISTED));
    }
    let json = json!({
        "kind": "manifest",
        "digest": manifest.digest(),
        "weights_digest": manifest.weights_digest(),
        "tree_digest": manifest.tree_digest(),
        "files": manifest.files(),
    });
    (page, json)
}

fn proof_page(proof: &TlogProof) -> (Page, Value) {
    let mut page = Page::titled("a proof of inclusion (c2sp.org/tlog-proof)");
    page.row("entry", &proof.index());
    page.row("path", &format!("{} hashes", proof.path().path().len()));
    checkpoint_rows(&mut page, proof.checkpoint());
    let path: Vec<_> = proof.path().path().iter().map(ToString::to_string).collect();
    let json = json!({
        "kind": "tlog-proof",
        "entry": proof.index(),
        "path": path,
        "checkpoint": checkpoint_json(proof.checkpoint()),
    });
    (page, json)
}

fn end_page(end: &Frozen, note: &SignedNote) -> (Page, Value) {
    let mut page = Page::titled("a log's word that it has ended, with this tree");
    page.row("origin", end.origin());
    page.row("tree size", &end.size());
    page.row("root", &end.root());
    page.row("time", &moment(end.time()));
    for signature in note.signatures() {
        page.row("signed", &format!("{} key {}", signature.name, signature.hash));
    }
    let (origin, root) = (end.origin().to_string(), end.root().to_string());
    (
        page,
        json!({ "kind": "frozen", "origin": origin, "tree_size": end.size(), "root": root, "time": moment(end.time()) }),
    )
}

fn checkpoint_rows(page: &mut Page, note: &SignedNote) {
    match Checkpoint::parse(note.text()) {
        Ok(checkpoint) => {
            page.row("origin", checkpoint.origin());
            page.row("tree size", &checkpoint.size());
            page.row("root", &checkpoint.root());
        }
        Err(error) => page.row("checkpoint", &error),
    }
    for signature in note.signatures() {
        page.row("signed", &format!("{} key {}", signature.name, signature.hash));
    }
}

fn checkpoint_json(note: &SignedNote) -> Value {
    let signatures =
        note.signatures().iter().map(|line| json!({ "name": line.name.to_string(), "key_id": line.hash.to_string() }));
    let signatures: Vec<Value> = signatures.collect();
    match Checkpoint::parse(note.text()) {
        Ok(checkpoint) => json!({
            "origin": checkpoint.origin().to_string(),
            "tree_size": checkpoint.size(),
            "root": checkpoint.root().to_string(),
            "signatures": signatures,
        }),
        Err(error) => json!({ "error": error.to_string(), "signatures": signatures }),
    }
}

fn bundle_page(bundle: &Bundle, length: usize) -> (Page, Value) {
    let receipt = bundle.manifest.is_empty();
    let title = if receipt { "a receipt: a bundle without a manifest" } else { "a bundle (release.stele)" };
    let mut page = Page::titled(title);
    page.row("bytes", &length);
    let part = |name: &str, page: &mut Page, read: Result<(Page, Value), String>| match read {
        Ok((inner, json)) => {
            page.section(name);
            page.0.push_str(&inner.0);
            json
        }
        Err(error) => {
            page.section(name);
            page.row("broken", &printable(&error));
            json!({ "error": error })
        }
    };
    let signed = |bytes: &[u8]| {
        SignedStatement::parse(bytes).map(|signed| statement(&signed)).map_err(|error| error.to_string())
    };
    let proven =
        |bytes: &[u8]| TlogProof::parse(bytes).map(|proof| proof_page(&proof)).map_err(|error| error.to_string());
    let statement = part("statement", &mut page, signed(&bundle.statement));
    let files = if receipt {
        Value::Null
    } else {
        let read = Manifest::parse(&bundle.manifest).map(|found| manifest(&found)).map_err(|error| error.to_string());
        part("manifest", &mut page, read)
    };
    let proof = part("proof", &mut page, proven(&bundle.proof));
    let keys: Vec<Value> = bundle
        .keys
        .iter()
        .enumerate()
        .map(|(n, key)| {
            let statement = part(&format!("key statement {n}"), &mut page, signed(&key.statement));
            let proof = part(&format!("proof of key statement {n}"), &mut page, proven(&key.proof));
            json!({ "statement": statement, "proof": proof })
        })
        .collect();
    let mut page_of_names = Page(String::new());
    let names = bundle.names.as_ref().map(|names| {
        let mut answer = |what: &str, kind, answer: &[u8]| {
            let read = name_proof(bundle, kind, answer).map(|proof| name_proof_page(&proof));
            part(&format!("name proof about {what}"), &mut page_of_names, read)
        };
        let release = answer("the release", Asked::Release, &names.release);
        let keys = answer("the publisher's name", Asked::Publisher, &names.keys);
        let said = names.said.iter().enumerate().map(|(n, said)| {
            let statement = part(&format!("further statement {n}"), &mut page_of_names, signed(&said.statement));
            let proof = part(&format!("proof of further statement {n}"), &mut page_of_names, proven(&said.proof));
            json!({ "statement": statement, "proof": proof })
        });
        json!({ "release": release, "keys": keys, "said": said.collect::<Vec<_>>() })
    });
    page.0.push_str(&page_of_names.0);
    let json = json!({
        "kind": "bundle",
        "manifest_sha256": (!receipt).then(|| Digest::of(&bundle.manifest)),
        "statement": statement,
        "manifest": files,
        "proof": proof,
        "names": names,
        "keys": keys,
    });
    (page, json)
}

/// What a name proof of a bundle is about.
#[derive(Debug, Clone, Copy)]
enum Asked {
    Release,
    Publisher,
}

/// A name proof of a bundle with the lines that the bundle has elsewhere.
fn name_proof(bundle: &Bundle, asked: Asked, answer: &[u8]) -> Result<NameProof, String> {
    let names = bundle.names.as_ref().ok_or("no name proofs")?;
    let signed = SignedStatement::parse(&bundle.statement).map_err(|error| error.to_string())?;
    let release = signed.statement().release().ok_or("no release")?.coordinate();
    let subject = match asked {
        Asked::Release => Subject::release(&release),
        Asked::Publisher => Subject::publisher(&release.publisher),
    };
    let proof = TlogProof::parse(&bundle.proof).map_err(|error| error.to_string())?;
    NameProof::assemble(&subject, &names.index, answer, proof.checkpoint()).map_err(|error| error.to_string())
}

fn name_proof_page(proof: &NameProof) -> (Page, Value) {
    let mut page = Page::titled("a name proof, under the checkpoint above");
    page.row("subject", proof.subject());
    page.row("index root", &proof.index());
    let positions: Option<Vec<u64>> = match proof.answer() {
        Answer::Listed { shown, .. } => Some(shown.pointers.iter().map(|pointer| pointer.position).collect()),
        Answer::Absent(_) => None,
    };
    let listed = positions.as_ref().map(|at| at.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "));
    page.row("entries", &listed.unwrap_or_else(|| "nothing is listed".to_owned()));
    let (subject, root) = (proof.subject().to_string(), proof.index().to_string());
    (page, json!({ "subject": subject, "index": root, "entries": positions }))
}

/// Writes the parts as the standard files that they are. Nothing is overwritten.
fn write_parts(bundle: &Bundle, folder: &Path) -> Result<Vec<String>, Failure> {
    durable::create_dir_all(&folder.join("keys"))?;
    if bundle.names.as_ref().is_some_and(|names| !names.said.is_empty()) {
        durable::create_dir_all(&folder.join("said"))?;
    }
    let mut names = Vec::new();
    for (asked, name) in [(Asked::Release, "release.name-proof"), (Asked::Publisher, "publisher.name-proof")] {
        let answer = bundle.names.as_ref().map(|names| match asked {
            Asked::Release => &names.release,
            Asked::Publisher => &names.keys,
        });
        // What is no name proof is no file of that kind: the page says so.
        let proof = answer.and_then(|answer| name_proof(bundle, asked, answer).ok());
        names.extend(proof.map(|proof| (name.to_owned(), proof.to_bytes())));
    }
    let mut parts = vec![
        ("statement.cose".to_owned(), &bundle.statement),
        ("manifest.cbor".to_owned(), &bundle.manifest),
        ("proof.tlog-proof".to_owned(), &bundle.proof),
    ];
    parts.retain(|(_, bytes)| !bytes.is_empty());
    for (n, key) in bundle.keys.iter().enumerate() {
        parts.push((format!("keys/{n}.cose"), &key.statement));
        parts.push((format!("keys/{n}.tlog-proof"), &key.proof));
    }
    for (n, said) in bundle.names.iter().flat_map(|names| &names.said).enumerate() {
        parts.push((format!("said/{n}.cose"), &said.statement));
        parts.push((format!("said/{n}.tlog-proof"), &said.proof));
    }
    parts.extend(names.iter().map(|(name, bytes)| (name.clone(), bytes)));
    extract::write(parts.into_iter().map(|(name, bytes)| (name, bytes.as_slice())), folder)
}
