//! C1 to C9: what a receipt has to be. Each that a run gets is judged, and one in a file as well.

use ciborium::Value;

use crate::item::{Sign1, at, diagnostic, hex, integer, parse};
use crate::keys::{CoseKey, Verdict};
use crate::tree::{self, Hash};
use stele_probe::report::{Outcome, Report};

/// `RFC9162_SHA256`: the one verifiable data structure that this suite knows.
const RFC9162_SHA256: i64 = 1;

/// The longest path: one hash a level, below 2^63 entries.
const MAX_PATH: usize = 63;

/// An inclusion proof.
struct Proof {
    size: u64,
    index: u64,
    path: Vec<Hash>,
}

/// Judges a receipt of a statement by C1 to C8; what came of C9 is for the caller to tell.
pub fn judge(bytes: &[u8], statement: &Sign1, keys: &[CoseKey], report: &mut Report) -> Outcome {
    let skipped = |why: &str| Outcome::Skipped(why.to_owned());
    let Some(receipt) = Sign1::parse(bytes) else {
        report.found("C1", Some(format!("{} bytes that are no COSE_Sign1", bytes.len())));
        return skipped("there is no receipt");
    };
    report.found("C1", (!receipt.tagged).then(|| "no tag".to_owned()));
    let header = receipt.header();
    let number = |label| at(&header, label).and_then(integer);
    let (alg, vds) = (number(1), number(395));
    report.found("C2", alg.is_none().then(|| diagnostic(at(&header, 1))));
    report.found("C3", vds.is_none().then(|| diagnostic(at(&header, 395))));
    let claim = |label| at(&header, 15).and_then(|claims| at(claims, label)).and_then(Value::as_text);
    let named = claim(1).is_some() && claim(2).is_some();
    report.found("C4", (!named).then(|| diagnostic(at(&header, 15))));
    let kid = at(&header, 4).and_then(Value::as_bytes);
    let certified = at(&header, 33).is_some() || at(&header, 34).is_some();
    report.found("C5", (kid.is_none() && !certified).then(|| "none of them".to_owned()));
    report.found("C8", receipt.payload.is_some().then(|| "a payload".to_owned()));
    let named_key = keys.iter().find(|key| kid.is_some() && key.kid() == kid.map(Vec::as_slice));
    match kid {
        None => report.skip(&["C6"], "there is no kid"),
        Some(_) if keys.is_empty() => report.skip(&["C6"], NO_KEYS),
        Some(kid) => report.found("C6", named_key.is_none().then(|| format!("the kid {}", hex(kid)))),
    }
    if let Some(vds) = vds.filter(|vds| *vds != RFC9162_SHA256) {
        let why = format!("this suite knows the vds {RFC9162_SHA256} alone, and not {vds}");
        report.skip(&["C7"], &why);
        return Outcome::Skipped(why);
    }
    let proofs = proofs(&receipt.unprotected);
    report.found("C7", proofs.is_none().then(|| diagnostic(at(&receipt.unprotected, 396))));
    match (proofs, alg) {
        _ if keys.is_empty() => skipped(NO_KEYS),
        // A receipt without a kid, or with one of no key, may still be by one of the keys: C5 and C6 say what is wrong with it.
        (Some(proofs), Some(alg)) => {
            signed_root(&receipt, alg, &proofs, statement, named_key.map_or(keys, std::slice::from_ref))
        }
        _ => skipped("there is no path, or no alg"),
    }
}

const NO_KEYS: &str = "there are no keys";

/// C9: every path leads from the statement to a root that one of the keys has signed.
fn signed_root(receipt: &Sign1, alg: i64, proofs: &[Proof], statement: &Sign1, keys: &[CoseKey]) -> Outcome {
    for proof in proofs {
        let Some(root) = tree::root(&statement.entry(), proof.index, proof.size, &proof.path) else {
            return Outcome::Deviation(format!(
                "a path of {} hashes for entry {} of {}",
                proof.path.len(),
                proof.index,
                proof.size
            ));
        };
        let message = receipt.to_be_signed(&root);
        let verdicts: Vec<_> = keys.iter().map(|key| key.verify(alg, &message, &receipt.signature)).collect();
        if verdicts.contains(&Verdict::Holds) {
            continue;
        }
        if verdicts.contains(&Verdict::Unknown) {
            return Outcome::Skipped(format!("this suite does not verify the algorithm {alg} with such a key"));
        }
        return Outcome::Deviation(format!("no such signature over the root {}", hex(&root)));
    }
    Outcome::Ok
}

fn proofs(unprotected: &Value) -> Option<Vec<Proof>> {
    let proofs = at(at(unprotected, 396)?, -1)?.as_array()?;
    let read = |proof: &Value| {
        let [size, index, path] = <[Value; 3]>::try_from(parse(proof.as_bytes()?)?.into_array().ok()?).ok()?;
        let (size, index) = (integer(&size)?.try_into().ok()?, integer(&index)?.try_into().ok()?);
        let path = path.into_array().ok()?.into_iter().map(Value::into_bytes).collect::<Result<Vec<_>, _>>().ok()?;
        let right = index < size && path.len() <= MAX_PATH && path.iter().all(|hash| hash.len() == 32);
        right.then_some(Proof { size, index, path })
    };
    if proofs.is_empty() { None } else { proofs.iter().map(read).collect() }
}
