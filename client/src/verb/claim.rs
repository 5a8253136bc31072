//! `stele claim`: a name for a key.

use std::path::Path;

use serde_json::json;
use stele_host::clock::{Clock as _, SystemClock};
use stele_spec::bundle::LoggedStatement;
use stele_spec::key::SecretKey;
use stele_spec::name::Publisher;
use stele_spec::policy::Policy;
use stele_spec::proof::{self, TlogProof};
use stele_spec::statement::{PublisherClaim, SignedStatement, Statement, Timestamp, sign};

use crate::Output;
use crate::cli::ClaimArgs;
use crate::error::Failure;
use crate::log_client::LogClient;
use crate::monitor::expected;
use crate::policy_file;
use crate::span::Span;
use crate::verb::{key, publish::PublishError};

/// How long a quorum is waited for.
const WAIT: Span = Span(60);

pub(crate) fn run(args: ClaimArgs) -> Result<Output, Failure> {
    let key = key::read_secret(&args.key)?;
    let loaded = match policy_file::load(args.trust.policy.as_deref()) {
        Ok(loaded) => Some(loaded),
        // With an address alone a claim can be made; whether it is in the log is then nobody's word but the log's.
        Err(failure) if args.trust.log.is_some() && args.trust.policy.is_none() && is_missing(&failure) => None,
        Err(failure) => return Err(failure),
    };
    let log = LogClient::new(policy_file::log_url(&args.trust, loaded.as_ref())?, WAIT);
    let policy = loaded.as_ref().map(|loaded| &loaded.policy);

    let known = log.key_statements(&args.publisher)?;
    let (claimed, new) = match existing(&known, &args.publisher, &key)? {
        Some(existing) => (existing, false),
        None => (submit(&log, &args.publisher, &key)?, true),
    };
    let position = match policy {
        Some(policy) => Some(checked(&claimed, policy)?),
        None => None,
    };
    let (publisher, kid) = (&args.publisher, key.public().key_id());
    let verb = if new { "claimed" } else { "already held" };
    let place = match position {
        Some(position) => format!("entry {position}, proven under the policy"),
        None => "not verified: no policy was given".to_owned(),
    };
    Ok(Output {
        text: format!("{publisher} {verb} by key {kid}\n  log   {}\n  place {place}\n", log.url()),
        json: json!({
            "publisher": publisher.to_string(),
            "key_id": kid.to_string(),
            "new": new,
            "log": log.url(),
            "entry": position,
            "verified": position.is_some(),
        }),
        failure: None,
    })
}

/// No policy is one thing; one that is there and cannot be read is an error.
fn is_missing(failure: &Failure) -> bool {
    failure.as_explain().code() == "policy-missing"
}

/// The claim that already gives the name to this key; an error where it is somebody else's.
pub(crate) fn existing(
    known: &[LoggedStatement],
    publisher: &Publisher,
    key: &SecretKey,
) -> Result<Option<LoggedStatement>, Failure> {
    let kid = key.public().key_id();
    let mut holders = Vec::new();
    for logged in known {
        let Ok(signed) = SignedStatement::parse(&logged.statement) else { continue };
        let Statement::Publisher(claim) = signed.statement() else { continue };
        if claim.key(&kid).is_some() {
            return Ok(Some(logged.clone()));
        }
        holders.extend(claim.keys.iter().map(|key| key.kid));
    }
    if holders.is_empty() {
        return Ok(None);
    }
    Err(PublishError::HeldByOthers { publisher: publisher.clone(), kid, holders }.into())
}

/// Signs a claim now and submits it.
pub(crate) fn submit(log: &LogClient, publisher: &Publisher, key: &SecretKey) -> Result<LoggedStatement, Failure> {
    submit_expected(log, publisher, key, None)
}

/// The same, after adding it to a file of expected statements.
pub(crate) fn submit_expected(
    log: &LogClient,
    publisher: &Publisher,
    key: &SecretKey,
    expect: Option<&Path>,
) -> Result<LoggedStatement, Failure> {
    let claim = PublisherClaim::new(publisher.clone(), now(), &[key.public()]);
    let signed = sign(&Statement::Publisher(claim), key).map_err(PublishError::Statement)?;
    if let Some(path) = expect {
        expected::append(path, &signed)?;
    }
    let proof = log.submit(&signed)?;
    Ok(LoggedStatement { statement: signed.bytes().to_vec(), proof })
}

/// The position of a claim that is proven.
fn checked(claimed: &LoggedStatement, policy: &Policy) -> Result<u64, Failure> {
    let proof = TlogProof::parse(&claimed.proof).map_err(PublishError::Proof)?;
    let proven = proof::check(&proof, &claimed.statement, policy).map_err(PublishError::Proof)?;
    Ok(proven.position())
}

/// The time of this machine.
pub(crate) fn now() -> Timestamp {
    Timestamp::from_unix_seconds(SystemClock.unix_seconds()).unwrap_or(Timestamp::MAX)
}
