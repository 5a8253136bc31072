//! `stele claim`: a name for a key, or for several of which some must agree.

use std::path::{Path, PathBuf};

use serde_json::json;
use stele_clock::duration::HumanDuration;
use stele_explain::Failure;
use stele_explain::secrets::without_secrets;
use stele_log_client::api::{LogClient, LogError};
use stele_log_client::log_url;
use stele_log_client::statements::ProvenStatement;
use stele_publish::issued_at::now;
use stele_publish::key_proposal::Proposal;
use stele_publish::name::{self, NAME_CLAIMED, held, signed};
use stele_publish::publish_error::PublishError;
use stele_publish::receipt;
use stele_publish::register;
use stele_publish::signer::Signer;
use stele_spec::key::PublicKey;
use stele_spec::name::Publisher;
use stele_spec::statement::{PublisherClaim, SignedStatement, Statement, StatementError};
use stele_terminal::volume::note;

use crate::Output;
use crate::args::ClaimArgs;
use crate::key;
use crate::log_args::proven_entries;
use crate::policy_file;
use crate::render::page::Page;
use crate::verbs::keys;

/// How long a quorum is waited for.
const WAIT: HumanDuration = HumanDuration(60);

pub(crate) fn run(args: ClaimArgs) -> Result<Output, Failure> {
    let key = key::signer(&args.key)?;
    let receipt = args.output.as_deref().filter(|_| !args.dry_run);
    let loaded = match policy_file::load(args.trust.policy.as_deref()) {
        Ok(loaded) => Some(loaded),
        // With an address alone a claim can be made; whether it is in the log is then nobody's word but the log's, and there is no receipt.
        Err(failure) if args.trust.log.is_some() && args.trust.policy.is_none() && is_missing(&failure) => {
            if receipt.is_some() {
                return Err(failure);
            }
            None
        }
        Err(failure) => return Err(failure),
    };
    let log = LogClient::new(
        log_url::log_url(args.trust.log.as_deref(), loaded.as_ref().map(|loaded| &loaded.policy))?,
        WAIT,
        note,
    );
    let mut all = vec![key.public()];
    for file in &args.with {
        all.push(key::read_public(file, &args.key.opening)?);
    }
    let mut claim = PublisherClaim::new(args.publisher.clone(), now(), &all);
    claim.threshold = args.threshold;
    claim.release_threshold = keys::above_one(args.release_threshold);
    claim.check().map_err(|error| PublishError::Statement(StatementError::Field(error)))?;
    let Some(loaded) = loaded else {
        if args.dry_run {
            return keys::rehearsed(claim, None, None, args.output.as_deref());
        }
        if args.threshold > 1 {
            return propose(claim, &key, args.proposal);
        }
        let is_new = match log.submit(&signed(claim, &key)?, None) {
            Ok(_) => true,
            Err(failure) if is_own(&failure, &log, &args.publisher, &key)? => false,
            Err(failure) => return Err(failure),
        };
        return Ok(render(&args.publisher, &key, &log, is_new, None, None));
    };

    if let Some(receipt) = receipt {
        receipt::check_place(Some(receipt))?;
    }
    let mut record = proven_entries(&log, &loaded.policy, args.trust.accept_incomplete_answer)?;
    let there = held(&mut record, &args.publisher, &key)?;
    if there.is_none() {
        register::still_open(&record)?;
    }
    let (logged, is_new) = match there {
        Some(logged) => (logged, false),
        None if args.dry_run => return keys::rehearsed(claim, None, None, args.output.as_deref()),
        None if args.threshold > 1 => return propose(claim, &key, args.proposal),
        None => name::claim(&mut record, claim, &key, args.expect.as_deref())?,
    };
    if !is_new {
        let holder = record.holder(&args.publisher)?;
        let lacks = |key: &&PublicKey| !holder.iter().any(|holder| holder.key(&key.key_id()).is_some());
        for more in all.iter().filter(lacks) {
            note(&format!("{} is no key of the name: `stele keys add` adds it\n", more.key_id()));
        }
    }
    let receipt = receipt.map(|place| receipt::write(&logged, &mut record, None, Some(place))).transpose()?;
    Ok(render(&args.publisher, &key, &log, is_new, Some(&logged), receipt.as_deref()))
}

/// Whether a claim is refused since this key made it before, by the entry that the log names.
fn is_own(failure: &Failure, log: &LogClient, publisher: &Publisher, key: &Signer) -> Result<bool, Failure> {
    let error: &dyn std::error::Error = failure.as_explain();
    let Some(LogError::Refused { code, existing: Some(existing), .. }) = error.downcast_ref::<LogError>() else {
        return Ok(false);
    };
    if code != NAME_CLAIMED {
        return Ok(false);
    }
    let entry = log.entry(existing.index)?;
    Ok(SignedStatement::parse(&entry).is_ok_and(|signed| {
        matches!(signed.statement(), Statement::Publisher(claim)
            if claim.publisher.name == *publisher && claim.key(&key.key_id()).is_some())
    }))
}

/// A claim that more than one key must sign.
fn propose(claim: PublisherClaim, key: &Signer, file: Option<PathBuf>) -> Result<Output, Failure> {
    let proposal = Proposal { needed: claim.threshold, statement: claim };
    keys::propose(proposal, key, file)
}

/// The outcome; without an entry that is proven, by the log's word alone.
fn render(
    publisher: &Publisher,
    key: &Signer,
    log: &LogClient,
    is_new: bool,
    logged: Option<&ProvenStatement>,
    receipt: Option<&Path>,
) -> Output {
    let (kid, entry) = (key.key_id(), logged.map(ProvenStatement::position));
    let done = if is_new { "claimed" } else { "already claimed" };
    let mut page = Page::titled(&format!("{publisher} {done} by key {kid}"));
    page.row("log", &without_secrets(log.url()));
    page.row(
        "place",
        &entry.map_or("not verified: no policy was given".to_owned(), |entry| {
            format!("entry {entry}, proven under the policy")
        }),
    );
    let receipt = receipt.map(|receipt| receipt.display().to_string());
    page.maybe("receipt", receipt.as_ref());
    Output {
        text: page.0,
        json: json!({
            "publisher": publisher.to_string(),
            "key_id": kid.to_string(),
            "new": is_new,
            "log": without_secrets(log.url()),
            "entry": entry,
            "verified": entry.is_some(),
            "receipt": receipt,
        }),
        failure: None,
    }
}

/// No policy is one thing; one that is there and cannot be read is an error.
fn is_missing(failure: &Failure) -> bool {
    failure.as_explain().code() == "policy-missing"
}
