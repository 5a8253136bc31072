//! The decision: a pure function of a statement and of the log before it.

use super::{Binding, Refusal, Swap, Unknown, View};
use crate::hash::{Digest, KeyId, LeafHash};
use crate::key::PublicKey;
use crate::name::Coordinate;
use crate::statement::{Action, Copies, Kind, Parent, SignedStatement, Statement};

/// What becomes of a statement that is not refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is logged.
    New,
    /// These very bytes are logged at this position.
    Known(u64),
}

/// The keys whose signatures a statement must bear.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signers {
    signer: PublicKey,
    approvers: Vec<PublicKey>,
}

/// Everything but the signatures, against the log as `view` shows it.
///
/// Signatures are checked once, by [`authenticate`], before a statement waits for its batch: a key id is the hash of its
/// key, so a signature that was good under a key stays good. Whether the key may speak is asked again here.
pub fn admit(leaf: &LeafHash, signed: &SignedStatement, view: &impl View) -> Result<Verdict, Refusal> {
    if let Some(position) = view.position_of(leaf) {
        return Ok(Verdict::Known(position));
    }
    signers(signed, view)?;
    let statement = signed.statement();
    // One key that was stolen could else sign again, and as the newest word, what others approved once.
    if let Some(position) = statement.used_approvals().and_then(|digest| view.approved(&digest)) {
        return Err(Refusal::ApprovalsUsed { publisher: statement.publisher().clone(), position });
    }
    check_references(statement, view)?;
    match statement {
        Statement::Release(release) => {
            let coordinate = release.coordinate();
            if let Some(binding) = view.binding(&coordinate) {
                let position = binding.position;
                check_weights(&coordinate, binding, release.weights.digest).map_err(Refusal::CoordinateBound)?;
                return Err(Refusal::CoordinateReleased { coordinate, position });
            }
        }
        Statement::Withdraw(withdraw) if withdraw.copies == Copies::NeverLeft => {
            let coordinate = withdraw.release.coordinate.clone();
            if let Some(position) = view.binding(&coordinate).and_then(|binding| binding.public_since) {
                return Err(Refusal::FalseRecall { coordinate, position });
            }
        }
        _ => {}
    }
    Ok(Verdict::New)
}

/// The keys that must have signed, if they may speak under the name at this point of the log.
pub fn signers(signed: &SignedStatement, view: &impl View) -> Result<Signers, Refusal> {
    let (publisher, kid) = (signed.statement().publisher(), signed.kid());
    let holder = view.holder(publisher);
    if let Statement::Publisher(change) = signed.statement() {
        match holder {
            Some(holder) => holder.check(publisher, &kid, change)?,
            None if change.action != Action::Claim => {
                return Err(Refusal::NameUnclaimed { publisher: publisher.clone() });
            }
            None => {}
        }
    }
    let approvals = signed.statement().approvals();
    let key = |kid| {
        let found = match (holder, signed.statement()) {
            (Some(holder), _) => holder.key(&kid).copied().ok_or_else(|| holder.not_held(publisher.clone(), kid))?,
            (None, Statement::Publisher(claim)) => {
                *claim.key(&kid).ok_or_else(|| Refusal::KeyNotHeld { publisher: publisher.clone(), kid })?
            }
            (None, _) => return Err(Refusal::NameUnclaimed { publisher: publisher.clone() }),
        };
        Ok(found)
    };
    let signer = key(kid)?;
    let approvers = approvals.iter().map(|approval| key(approval.kid)).collect::<Result<_, _>>()?;
    if let (Some(holder), false) = (holder, signed.statement().kind() == Kind::Publisher) {
        // Nobody signs twice: the statement was refused as it was read.
        holder.check_release(publisher, signed.statement().kind(), 1 + approvals.len() as u64)?;
    }
    Ok(Signers { signer, approvers })
}

/// Verifies the signatures under the keys that [`signers`] gave.
pub fn authenticate(signed: &SignedStatement, keys: &Signers) -> Result<(), Refusal> {
    signed.verify(&keys.signer)?;
    let approver = |kid: &KeyId| keys.approvers.iter().find(|key| key.key_id() == *kid).copied();
    Ok(signed.statement().verify_approvals(approver)?)
}

/// Whatever a statement refers to is in this log, with these weights.
fn check_references(statement: &Statement, view: &impl View) -> Result<(), Refusal> {
    for (field, release) in statement.references() {
        let binding = view.binding(&release.coordinate);
        if !binding.is_some_and(|binding| binding.is(release)) {
            let (coordinate, entry) = (release.coordinate.clone(), release.entry);
            let released = binding.map(|binding| binding.position);
            return Err(Refusal::ReferenceUnknown(Box::new(Unknown { field, coordinate, entry, released })));
        }
    }
    let differ = |field: &str, coordinate: &Coordinate, offered| match view.binding(coordinate) {
        Some(binding) => check_weights(coordinate, binding, offered)
            .map_err(|swap| Refusal::WeightsDiffer { field: field.to_owned(), swap }),
        None => Ok(()),
    };
    for (number, ancestor) in statement.lineage().iter().enumerate() {
        if let (Parent::Logged(parent), Some(weights)) = (&ancestor.parent, ancestor.parent_weights) {
            let field = format!("lineage[{number}].parent_weights");
            differ(&field, &parent.coordinate, weights)?;
        }
    }
    match statement {
        Statement::Evaluation(report) => {
            differ("evaluation.subject", &report.release.coordinate, report.evaluation.subject)?;
        }
        // What a host served may be anything: that is what an observation is for.
        Statement::Observation(_) => {}
        _ => {
            if let (Some(release), Some(offered)) = (statement.subject_release(), statement.weights_digest()) {
                differ("weights_digest", &release.coordinate, offered)?;
            }
        }
    }
    Ok(())
}

fn check_weights(coordinate: &Coordinate, binding: &Binding, offered: Digest) -> Result<(), Box<Swap>> {
    if binding.weights == offered {
        return Ok(());
    }
    let (position, bound) = (binding.position, binding.weights);
    Err(Box::new(Swap { coordinate: coordinate.clone(), position, bound, offered }))
}
