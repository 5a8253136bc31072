//! Who holds a name, and the claim that makes it a key's.

use std::path::Path;

use stele_explain::Failure;
use stele_log_client::proven_entries::ProvenEntries;
use stele_log_client::statements::ProvenStatement;
use stele_spec::name::Publisher;
use stele_spec::registration::Refusal;
use stele_spec::statement::{PublisherClaim, SignedStatement, Statement};

use crate::issued_at::now;
use crate::register::{self, RegistrationRefused};
use crate::signer::Signer;

/// The key statement that brought the name to this key, if it may speak; none where nobody has the name; else an error.
pub fn held(
    record: &mut ProvenEntries,
    publisher: &Publisher,
    key: &Signer,
) -> Result<Option<ProvenStatement>, Failure> {
    let Some(holder) = record.holder(publisher)? else { return Ok(None) };
    let kid = key.key_id();
    if holder.key(&kid).is_some() {
        let brings = |logged: &&ProvenStatement| match logged.statement() {
            Statement::Publisher(change) => change.key(&kid).is_some(),
            _ => false,
        };
        return Ok(record.key_statements(publisher, u64::MAX).find(brings).cloned());
    }
    let publisher = publisher.clone();
    let refusal = if holder.revoked.contains(&kid) {
        Refusal::KeyRevoked { publisher: publisher.clone(), kid }
    } else {
        Refusal::KeyNotHeld { publisher: publisher.clone(), kid }
    };
    let said = Statement::Publisher(PublisherClaim::new(publisher, now(), &[key.public()]));
    Err(RegistrationRefused::of_keys(refusal, record, &holder, kid, &said).into())
}

/// Claims a name now: the key statement that brought it to this key, and whether that was sent now.
pub fn claim(
    record: &mut ProvenEntries,
    claim: PublisherClaim,
    key: &Signer,
    expect: Option<&Path>,
) -> Result<(ProvenStatement, bool), Failure> {
    let publisher = claim.publisher.name.clone();
    match register::submit(record, &signed(claim, key)?, expect) {
        Ok(logged) => Ok((logged, true)),
        // An answer was lost, and the log's newest tree head is older than the claim: what stands in the way is proven, and is this key's own.
        Err(failure) if failure.as_explain().code() == NAME_CLAIMED => match held(record, &publisher, key) {
            Ok(Some(logged)) => Ok((logged, false)),
            _ => Err(failure),
        },
        Err(failure) => Err(failure),
    }
}

/// The code of a claim of a name that has one.
pub const NAME_CLAIMED: &str = "name-claimed";

/// A claim, signed by a key.
pub fn signed(claim: PublisherClaim, key: &Signer) -> Result<SignedStatement, Failure> {
    key.sign(&Statement::Publisher(claim))
}
