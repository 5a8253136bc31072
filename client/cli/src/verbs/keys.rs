//! `stele keys`: who holds a name, and changes of that, by one key or by several that agree.
//!
//! With a threshold of one a change is signed and submitted at once. With more it is written as a proposal, which travels
//! between the key holders by whatever way they trust: each approves it, and the last one signs and submits it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use stele_durable as durable;
use stele_explain::secrets::without_secrets;
use stele_explain::{Exit, Explain, Failure, explain};
use stele_log_client::api::LogClient;
use stele_log_client::log_url;
use stele_log_client::proven_entries::{ProvenEntries, ProvenEntriesError};
use stele_log_client::statements::{Lack, ProvenStatement, StatementSource as _};
use stele_publish::error::FileError;
use stele_publish::issued_at::now;
use stele_publish::key_proposal::Proposal;
use stele_publish::problems::Problems;
use stele_publish::publish_error::PublishError;
use stele_publish::receipt;
use stele_publish::register::{self, RegistrationRefused};
use stele_publish::signer::Signer;
use stele_spec::finding::foreseen;
use stele_spec::hash::KeyId;
use stele_spec::key::PublicKey;
use stele_spec::name::Publisher;
use stele_spec::registration::{Holder, KeyHistory};
use stele_spec::statement::{Action, Prose, PublisherClaim, PublisherKey, Statement, StatementError, WordError};
use stele_spec::verify::count;
use stele_terminal::volume::note;

use crate::Output;
use crate::args::{ChangeArgs, KeyOpening, KeysArgs, KeysVerb, LogArgs, SigningKey, SubmitArgs, Trust};
use crate::issue::unremembered;
use crate::key::{self, read_public, signer};
use crate::log_args::{LogContext, local_state, proven_entries};
use crate::policy_file;
use crate::proposal;
use crate::rehearsal::{self, Rehearsal};
use crate::render::difference::between;
use crate::render::page::Page;
use crate::render::statement;

pub(crate) fn run(args: KeysArgs) -> Result<Output, Failure> {
    match args.verb {
        KeysVerb::List { publisher, trust } => list(&publisher, &trust),
        KeysVerb::Add { change: args, new } => change(args, Action::Add, &new, &[]),
        KeysVerb::Rotate { change: args, new, old } => change(args, Action::Rotate, &new, &old),
        KeysVerb::Revoke { change: args, old } => change(args, Action::Revoke, &[], &old),
        KeysVerb::Approve { file, key } => approve(&file, &key),
        KeysVerb::Submit { file, key, said } => submit(&file, &key, &said),
    }
}

fn list(publisher: &Publisher, trust: &Trust) -> Result<Output, Failure> {
    let asked = LogContext::by(&LogArgs { trust: trust.clone(), no_state: false })?;
    let log = asked.log()?;
    let listing = log.keys(publisher)?;
    let history = KeyHistory::fold(publisher, listing.statements.iter().map(ProvenStatement::proven))
        .map_err(ProvenEntriesError::Keys)?;
    let holder = history.at(u64::MAX).ok_or_else(|| KeysError::Unclaimed { publisher: publisher.clone() })?;
    let mut page = Page::titled(&format!(
        "{publisher}, {}",
        count(usize::try_from(holder.statements).unwrap_or(usize::MAX), "key statement")
    ));
    let mut statements = Vec::new();
    for logged in &listing.statements {
        let Statement::Publisher(change) = logged.statement() else { continue };
        page.section(&format!("entry {}: {}, issued {}", logged.position(), change.action, change.issued_at));
        page.row("signed by", &logged.signed().kid());
        change.approvals.iter().for_each(|approval| page.row("approved by", &approval.kid));
        change.keys.iter().for_each(|key| page.row("adds", &key.kid));
        change.revoked.iter().for_each(|kid| page.row("revokes", kid));
        page.row("threshold", &change.threshold);
        page.maybe("for releases", change.release_threshold.as_ref());
        page.maybe("reason", change.reason.as_ref());
        statements.push(json!({
            "entry": logged.position(),
            "leaf_hash": logged.leaf().to_string(),
            "key_id": logged.signed().kid(),
            "statement": change,
        }));
    }
    page.section("Who may speak now");
    holder.keys.iter().for_each(|key| page.row("key", &key.key_id()));
    page.row("threshold", &format!("{} of them sign the next change", holder.threshold));
    page.row("for releases", &format!("{} of them sign each statement about one", holder.release_threshold));
    page.row("shown by", &format!("{}, each statement proven under the policy", without_secrets(log.url())));
    page.row("", &listing.lack.map_or("proven complete", Lack::text));
    let keys: Vec<String> = holder.keys.iter().map(|key| key.key_id().to_string()).collect();
    let revoked: Vec<String> = holder.revoked.iter().map(ToString::to_string).collect();
    Ok(Output {
        text: page.0,
        json: json!({
            "publisher": publisher.to_string(),
            "statements": statements,
            "keys": keys,
            "revoked": revoked,
            "threshold": holder.threshold,
            "release_threshold": holder.release_threshold,
            "complete": listing.lack.is_none(),
            "lack": listing.lack.map(Lack::as_str),
        }),
        failure: None,
    })
}

fn change(args: ChangeArgs, action: Action, new: &[PathBuf], old: &[String]) -> Result<Output, Failure> {
    let mut problems = Problems::default();
    let source = key::named(&args.key)?;
    let key = problems.keep(key::signer_in(&source, &args.key));
    let policy = problems.keep(policy_file::load(args.said.trust.policy.as_deref())).map(|loaded| loaded.policy);
    let new: Vec<PublicKey> =
        new.iter().filter_map(|file| problems.keep(read_public(file, &args.key.opening))).collect();
    let old: Vec<KeyId> = old.iter().filter_map(|key| problems.keep(named(key, &args.key.opening))).collect();
    let reason: Option<Option<Prose>> =
        problems.keep(args.reason.as_deref().map(str::parse).transpose().map_err(KeysError::Reason));
    let url = policy
        .as_ref()
        .and_then(|policy| problems.keep(log_url::log_url(args.said.trust.log.as_deref(), Some(policy))));
    let (Some(policy), Some(url)) = (policy, url) else { return rehearsal::refused(problems, args.said.dry_run) };
    let log = LogClient::new(url, args.said.wait, note);
    let mut record = proven_entries(&log, &policy, args.said.trust.accept_incomplete_answer)?;
    let publisher = args.publisher;
    let unclaimed = || KeysError::Unclaimed { publisher: publisher.clone() }.into();
    let holder = problems.keep(record.holder(&publisher).and_then(|holder| holder.ok_or_else(unclaimed)));
    if !problems.is_empty() {
        return rehearsal::refused(problems, args.said.dry_run);
    }
    let (Some(key), Some(holder)) = (key, holder) else { return rehearsal::refused(problems, args.said.dry_run) };
    let mut statement = PublisherClaim::new(publisher.clone(), now(), &[]);
    statement.action = action;
    statement.keys = new.into_iter().map(PublisherKey::from).collect();
    statement.revoked = old;
    statement.threshold = args.threshold.unwrap_or(holder.threshold);
    statement.release_threshold = above_one(args.release_threshold.unwrap_or(holder.release_threshold));
    statement.previous = Some(holder.newest);
    statement.reason = reason.flatten();
    if let Some(done) = record.known(holder.newest.entry).filter(|newest| says(newest, &statement)).cloned() {
        if args.said.dry_run {
            return same(&done, args.said.output.as_deref());
        }
        return kept(&done, &mut record, args.said.output.as_deref(), false);
    }
    let of_others = statement.revoked.iter().find(|kid| holder.keys.iter().all(|key| key.key_id() != **kid));
    if let Some(kid) = of_others {
        let keys = holder.keys.iter().map(|key| key.key_id().to_string()).collect();
        problems.keep(Err::<(), _>(KeysError::NotItsKey { publisher: publisher.clone(), kid: *kid, keys }));
        return rehearsal::refused(problems, args.said.dry_run);
    }
    problems.keep(statement.check().map_err(|error| PublishError::Statement(StatementError::Field(error))));
    problems.keep(register::still_open(&record));
    // The signatures aside, by the rules of registration: nobody should be asked to sign what cannot be.
    let alone = Holder { threshold: 1, ..holder.clone() };
    let kid = key.key_id();
    if let Err(refusal) = alone.check(&publisher, &kid, &statement) {
        let said = Statement::Publisher(statement.clone());
        problems.keep(Err::<(), _>(RegistrationRefused::of_keys(refusal, &record, &holder, kid, &said)));
    }
    if holder.threshold == 1 {
        problems.keep(receipt::check_place(args.said.output.as_deref().filter(|_| !args.said.dry_run)));
    }
    if !problems.is_empty() {
        return rehearsal::refused(problems, args.said.dry_run);
    }
    if args.said.dry_run {
        return rehearsed(statement, Some(&holder), Some(&record), args.said.output.as_deref());
    }
    if holder.threshold > 1 {
        return propose(Proposal { needed: holder.threshold, statement }, &key, args.proposal);
    }
    let signed = key.sign(&Statement::Publisher(statement))?;
    let logged = register::submit(&mut record, &signed, args.said.expect.as_deref())?;
    kept(&logged, &mut record, args.said.output.as_deref(), true)
}

/// A threshold for releases, as key statements say it: not at all where one key is enough.
pub(crate) const fn above_one(threshold: u64) -> Option<u64> {
    if threshold == 1 { None } else { Some(threshold) }
}

/// Approves a proposal with a first key and writes it.
pub(crate) fn propose(mut proposal: Proposal, key: &Signer, file: Option<PathBuf>) -> Result<Output, Failure> {
    proposal.approve(key)?;
    let name = || {
        let name = proposal.statement.publisher.name.as_str().replace('/', "-");
        PathBuf::from(format!("{}-{name}.toml", proposal.statement.action))
    };
    let file = file.unwrap_or_else(name);
    if file.exists() {
        let hint = "it may hold approvals: move it away first, or choose another with --proposal";
        return Err(FileError::Exists { path: file.display().to_string(), hint }.into());
    }
    durable::create_file(&file, text_of(&proposal)?.as_bytes(), 0o644)?;
    Ok(waiting(&proposal, &file))
}

fn approve(file: &Path, key: &SigningKey) -> Result<Output, Failure> {
    let key = signer(key)?;
    let mut proposal = proposal::of_keys(file)?;
    proposal.approve(&key)?;
    durable::replace_file(file, text_of(&proposal)?.as_bytes())?;
    Ok(waiting(&proposal, file))
}

fn submit(file: &Path, key: &SigningKey, said: &SubmitArgs) -> Result<Output, Failure> {
    let key = signer(key)?;
    let proposal = proposal::of_keys(file)?;
    let loaded = policy_file::load(said.trust.policy.as_deref())?;
    let log = LogClient::new(log_url::log_url(said.trust.log.as_deref(), Some(&loaded.policy))?, said.wait, note);
    let mut record = proven_entries(&log, &loaded.policy, said.trust.accept_incomplete_answer)?;
    let statement = proposal.signed_by(&key.public())?;
    let publisher = statement.publisher.name.clone();
    let holder = record.holder(&publisher)?;
    // Submitting it again, by whichever key, finds what is in the log.
    let done = record.key_statements(&publisher, u64::MAX).find(|logged| says_all(logged, &statement)).cloned();
    if let Some(done) = done {
        if said.dry_run {
            return same(&done, said.output.as_deref());
        }
        return kept(&done, &mut record, said.output.as_deref(), false);
    }
    let kid = key.key_id();
    let whole = Statement::Publisher(statement.clone());
    match &holder {
        Some(holder) => {
            if let Err(refusal) = holder.check(&publisher, &kid, &statement) {
                return Err(RegistrationRefused::of_keys(refusal, &record, holder, kid, &whole).into());
            }
        }
        None => {
            let (needed, found) = (statement.threshold, 1 + statement.approvals.len() as u64);
            if found < needed {
                return Err(KeysError::Waiting { publisher, needed, found }.into());
            }
        }
    }
    register::still_open(&record)?;
    if said.dry_run {
        return rehearsed(statement, holder.as_ref(), Some(&record), said.output.as_deref());
    }
    let signed = key.sign(&whole)?;
    let logged = register::submit(&mut record, &signed, said.expect.as_deref())?;
    kept(&logged, &mut record, said.output.as_deref(), true)
}

/// What a change of keys would make of them.
pub(crate) fn rehearsed(
    change: PublisherClaim,
    holder: Option<&Holder>,
    record: Option<&ProvenEntries>,
    output: Option<&Path>,
) -> Result<Output, Failure> {
    let ids = |keys: &mut dyn Iterator<Item = KeyId>| -> BTreeSet<String> { keys.map(|kid| kid.to_string()).collect() };
    let before = ids(&mut holder.iter().flat_map(|holder| &holder.keys).map(PublicKey::key_id));
    let revoked = ids(&mut change.revoked.iter().copied());
    let added = ids(&mut change.keys.iter().map(|key| key.kid));
    let after: BTreeSet<String> = before.iter().filter(|kid| !revoked.contains(*kid)).cloned().chain(added).collect();
    let standing = |keys: &BTreeSet<String>, thresholds: Option<(u64, u64)>| {
        let keys: serde_json::Map<String, Value> =
            keys.iter().map(|kid| (kid.clone(), "a key of the name".into())).collect();
        let (threshold, for_releases) = thresholds.unzip();
        json!({ "keys": keys, "threshold": threshold, "release_threshold": for_releases })
    };
    let changes = between(
        &standing(&before, holder.map(|holder| (holder.threshold, holder.release_threshold))),
        &standing(&after, Some((change.threshold, change.keys_for_releases()))),
    );
    let needed = holder.map_or(change.threshold, |holder| holder.threshold);
    let signatures = match needed {
        1 => "one, which is this key's".to_owned(),
        needed => format!("{needed} keys: a proposal would be written for the others"),
    };
    let title = format!("send this {} of {}", change.action, change.publisher.name);
    let statement = Statement::Publisher(change);
    let earlier = record.into_iter().flat_map(ProvenEntries::all).map(|logged| (logged.position(), logged.statement()));
    let findings = foreseen(earlier, &statement, &[]);
    Rehearsal {
        title,
        statement: &statement,
        output,
        findings: &findings,
        changes,
        earlier: None,
        rows: vec![("signatures", signatures)],
        there: None,
    }
    .output()
}

/// A change that is in the log already.
fn same(done: &ProvenStatement, output: Option<&Path>) -> Result<Output, Failure> {
    Rehearsal {
        title: String::new(),
        statement: done.statement(),
        output,
        findings: &[],
        changes: Vec::new(),
        earlier: None,
        rows: Vec::new(),
        there: Some(done.position()),
    }
    .output()
}

/// A change that is in the log.
fn kept(
    logged: &ProvenStatement,
    record: &mut ProvenEntries,
    output: Option<&Path>,
    new: bool,
) -> Result<Output, Failure> {
    unremembered(local_state(false).keep_keys_of(record, logged.statement().publisher()));
    let receipt = receipt::write(logged, record, None, output)?;
    let mut page = Page(statement::of(logged.signed()));
    let before = if new { "" } else { ", as it was before" };
    page.row("entry", &format!("{}{before}, proven under the policy", logged.position()));
    page.row("receipt", &receipt.display());
    let publisher = logged.statement().publisher();
    let holder = record.holder(publisher)?;
    let keys = holder.iter().flat_map(|holder| &holder.keys).map(|key| key.key_id().to_string());
    Ok(Output {
        text: page.0,
        json: json!({
            "publisher": logged.statement().publisher().to_string(),
            "new": new,
            "entry": logged.position(),
            "leaf_hash": logged.leaf().to_string(),
            "keys": keys.collect::<Vec<_>>(),
            "receipt": receipt.display().to_string(),
            "statement": logged.statement(),
        }),
        failure: None,
    })
}

/// A proposal that was written, and what is to be done with it.
fn waiting(proposal: &Proposal, file: &Path) -> Output {
    let (have, needed) = (proposal.statement.approvals.len() as u64, proposal.needed);
    let shown = file.display();
    // The last one signs the envelope: its approval is not needed, and not counted twice.
    let next = if have + 1 < needed {
        format!("{} more: stele keys approve {shown} --key FILE\n", needed - have - 1)
    } else {
        String::new()
    };
    let text = format!(
        "{}\nwrote {shown}\n{next}the last: stele keys submit {shown} --key FILE\n",
        statement::of_proposal(proposal)
    );
    let json = json!({
        "proposal": file.display().to_string(),
        "approvals": have,
        "needed": needed,
        "statement": proposal.statement,
    });
    Output { text, json: Value::Object(json.as_object().cloned().unwrap_or_default()), failure: None }
}

fn text_of(proposal: &Proposal) -> Result<String, KeysError> {
    proposal.format().map_err(KeysError::Format)
}

/// Whether the newest key statement is this very change, its time and what came before it aside.
fn says(newest: &ProvenStatement, change: &PublisherClaim) -> bool {
    matches!(newest.statement(), Statement::Publisher(there) if {
        let (issued_at, previous) = (there.issued_at, there.previous);
        *there == PublisherClaim { issued_at, previous, approvals: there.approvals.clone(), ..change.clone() }
    })
}

/// Whether an entry is this very change, its signatures aside.
fn says_all(logged: &ProvenStatement, change: &PublisherClaim) -> bool {
    matches!(logged.statement(), Statement::Publisher(there)
        if *there == PublisherClaim { approvals: there.approvals.clone(), ..change.clone() })
}

/// A key by its id, or by its file.
fn named(key: &str, opening: &KeyOpening) -> Result<KeyId, Failure> {
    let is_hex = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_hexdigit());
    match KeyId::from_hex(&key.to_ascii_lowercase()) {
        Ok(kid) => Ok(kid),
        Err(_) if is_hex && !Path::new(key).exists() => Err(KeysError::ShortId { found: key.len() }.into()),
        Err(_) => read_public(Path::new(key), opening).map(|key| key.key_id()),
    }
}

/// Why keys are not changed or shown.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KeysError {
    /// Nobody holds the name.
    #[error("nobody has claimed {publisher} in this log")]
    Unclaimed {
        /// The name.
        publisher: Publisher,
    },
    /// A key that is to go is none of the name's.
    #[error("--old {kid} is no key of {publisher}")]
    NotItsKey {
        /// The name.
        publisher: Publisher,
        /// The key.
        kid: KeyId,
        /// Its keys.
        keys: Vec<String>,
    },
    /// Digits, and not those of a whole id.
    #[error("a key id has 64 hex digits, found {found}")]
    ShortId {
        /// How many there are.
        found: usize,
    },
    /// Not a reason.
    #[error("--reason: {0}")]
    Reason(WordError),
    /// A claim with too few signatures.
    #[error("a claim of {publisher} needs {needed} of its keys to sign, found {found}")]
    Waiting {
        /// The name.
        publisher: Publisher,
        /// How many keys must sign.
        needed: u64,
        /// How many would have.
        found: u64,
    },
    /// It cannot be written as text.
    #[error("the proposal cannot be written: {0}")]
    Format(String),
}

impl Explain for KeysError {
    explain! {
        Self::Unclaimed { .. } => Exit::NotInLog, "name-unclaimed", hint: "`stele claim NAME --key FILE` claims it";
        Self::NotItsKey { publisher, kid, keys } => Exit::Refused, "key-not-held",
            hint: format!("`stele keys list {publisher}` has its keys, and those that were revoked"),
            "expected": keys.join(", "), "found": kid;
        Self::ShortId { .. } => Exit::BadInput, "key-id-cut", hint: "give all of it, as `stele keys list` and `stele key show` do, or a file";
        Self::Reason(_) => Exit::Usage, "bad-reason", hint: "write it as text that can be read, in a few lines";
        Self::Waiting { needed, found, .. } => Exit::Refused, "approvals-missing",
            hint: "let further keys approve it: stele keys approve FILE --key THEIRS",
            "expected": format!("{needed} keys that sign"), "found": found;
        Self::Format(_) => Exit::Internal, "proposal-unwritable", hint: "this is a bug of ours: please tell us";
    }
}
