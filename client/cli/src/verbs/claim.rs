//! `stele claim`: a name for a key, or for several of which some must agree.

use std::path::PathBuf;

use serde_json::json;
use stele_clock::duration::HumanDuration;
use stele_explain::Failure;
use stele_explain::secrets::without_secrets;
use stele_log_client::api::LogClient;
use stele_log_client::log_url;
use stele_publish::issued_at::now;
use stele_publish::key_proposal::Proposal;
use stele_publish::name::{held, signed};
use stele_publish::publish_error::PublishError;
use stele_publish::register;
use stele_publish::signer::Signer;
use stele_spec::name::Publisher;
use stele_spec::statement::{PublisherClaim, StatementError};
use stele_terminal::volume::note;

use crate::Output;
use crate::args::ClaimArgs;
use crate::key;
use crate::log_args::proven_entries;
use crate::policy_file;
use crate::verbs::keys;

/// How long a quorum is waited for.
const WAIT: HumanDuration = HumanDuration(60);

pub(crate) fn run(args: ClaimArgs) -> Result<Output, Failure> {
    let key = key::signer(&args.key)?;
    let loaded = match policy_file::load(args.trust.policy.as_deref()) {
        Ok(loaded) => Some(loaded),
        // With an address alone a claim can be made; whether it is in the log is then nobody's word but the log's.
        Err(failure) if args.trust.log.is_some() && args.trust.policy.is_none() && is_missing(&failure) => None,
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
        log.submit(&signed(claim, &key)?, None)?;
        let place = "not verified: no policy was given";
        return Ok(render(&args.publisher, &key, &log, true, None, place));
    };

    let mut record = proven_entries(&log, &loaded.policy, args.trust.accept_incomplete_answer)?;
    if let Some(logged) = held(&mut record, &args.publisher, &key)? {
        let place = format!("entry {}, proven under the policy", logged.position());
        return Ok(render(&args.publisher, &key, &log, false, Some(logged.position()), &place));
    }
    if args.dry_run {
        return keys::rehearsed(claim, None, None, args.output.as_deref());
    }
    if args.threshold > 1 {
        return propose(claim, &key, args.proposal);
    }
    let logged = register::submit(&mut record, &signed(claim, &key)?, args.expect.as_deref())?;
    let place = format!("entry {}, proven under the policy", logged.position());
    Ok(render(&args.publisher, &key, &log, true, Some(logged.position()), &place))
}

/// A claim that more than one key must sign.
fn propose(claim: PublisherClaim, key: &Signer, file: Option<PathBuf>) -> Result<Output, Failure> {
    let proposal = Proposal { needed: claim.threshold, statement: claim };
    keys::propose(proposal, key, file)
}

fn render(publisher: &Publisher, key: &Signer, log: &LogClient, new: bool, entry: Option<u64>, place: &str) -> Output {
    let (kid, verb) = (key.key_id(), if new { "claimed" } else { "already held" });
    Output {
        text: format!("{publisher} {verb} by key {kid}\n  log   {}\n  place {place}\n", without_secrets(log.url())),
        json: json!({
            "publisher": publisher.to_string(),
            "key_id": kid.to_string(),
            "new": new,
            "log": without_secrets(log.url()),
            "entry": entry,
            "verified": entry.is_some(),
        }),
        failure: None,
    }
}

/// No policy is one thing; one that is there and cannot be read is an error.
fn is_missing(failure: &Failure) -> bool {
    failure.as_explain().code() == "policy-missing"
}
