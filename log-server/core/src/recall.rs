//! What witnesses remember of this log, against what this machine remembers. Pure.
//!
//! A data folder that was put back from an older copy looks whole: nothing on its disk tells that more was signed. The witnesses
//! know. So no run signs anything before so many of them have said what they cosigned last that every quorum has one of
//! them in it; for `k` of `n` that is `n - k + 1`. Only a head with this log's own signature counts against it: a witness that
//! merely names a large size proves nothing, and cannot stop the log.

use crate::checkpoint::SignedCheckpoint;
use stele_explain::{Exit, Explain, explain};
use stele_spec::hash::RootHash;
use stele_spec::merkle::root_at;
use stele_spec::policy::{Policy, Quorum};
use stele_spec::tile::{TileNodes, TileSource};

/// A head that this log's key signed, and that the newest signed head here does not continue.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Elsewhere {
    /// More was signed than is here.
    #[error(
        "{holder} holds a tree head of {theirs} entries signed by this log's key; the newest in lock/signed-head has \
         {ours}: this data is older than what the log signed"
    )]
    Larger {
        /// Who holds it.
        holder: String,
        /// Its size.
        theirs: u64,
        /// The size here; 0 where nothing is signed.
        ours: u64,
    },
    /// Another tree.
    #[error(
        "{holder} holds a tree head of {size} entries with root {theirs} signed by this log's key; the first {size} \
         entries here have root {ours}"
    )]
    Other {
        /// Who holds it.
        holder: String,
        /// Its size.
        size: u64,
        /// Its root.
        theirs: RootHash,
        /// The root here.
        ours: RootHash,
    },
}

impl Explain for Elsewhere {
    explain! {
        _ => Exit::Inconsistent, "backup-restored",
            hint: "stop this log and fetch what is missing from a copy of its public files: `stele-log adopt DIR --from \
                   FOLDER-OR-URL`; until then nothing is signed, and what is published here stays readable";
    }
}

/// What is wrong with `theirs`, a head that this log's key signed, seen from `ours` and its tiles; `None` when `ours` continues it.
pub fn compare<S: TileSource>(
    holder: &str,
    tiles: &S,
    ours: Option<&SignedCheckpoint>,
    theirs: &SignedCheckpoint,
) -> Result<Option<Elsewhere>, S::Error> {
    let (size, root) = (theirs.checkpoint.size(), theirs.checkpoint.root());
    let known = ours.map_or(0, |head| head.checkpoint.size());
    let holder = || holder.to_owned();
    if size > known {
        return Ok(Some(Elsewhere::Larger { holder: holder(), theirs: size, ours: known }));
    }
    let found = root_at(&TileNodes::new(tiles, known), size)?;
    Ok((found != root).then(|| Elsewhere::Other { holder: holder(), size, theirs: root, ours: found }))
}

/// Whether every quorum of the policy has a witness in it that has answered: those that have not cannot meet it alone.
pub fn suffices(policy: &Policy, answered: impl Fn(usize) -> bool) -> bool {
    matches!(policy.quorum(), Quorum::None) || !policy.quorum().is_met(&|index| !answered(index))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{Offline, claim, signer};
    use stele_spec::checkpoint::Checkpoint;
    use stele_spec::note::{KeyType, SignerKey};

    #[test]
    fn a_head_that_ours_continues_is_no_reason_to_stop_and_any_other_is() {
        let mut log = Offline::in_memory();
        let mut heads = vec![log.write(vec![]).unwrap().head];
        for i in 0..3 {
            heads.push(log.write(vec![claim(&format!("a{i}.example"), 1)]).unwrap().head);
        }
        let (last, before) = (heads[3].clone(), heads[2].clone());
        for head in &heads {
            assert_eq!(compare("w", &log.store, Some(&last), head).unwrap(), None);
        }
        let larger = compare("w", &log.store, Some(&before), &last).unwrap().unwrap();
        assert_eq!(larger, Elsewhere::Larger { holder: "w".into(), theirs: 7, ours: 5 });
        assert!(matches!(
            compare("w", &log.store, None, &heads[0]).unwrap(),
            Some(Elsewhere::Larger { theirs: 1, ours: 0, .. })
        ));
        // The same size, and a smaller one, with another root.
        for size in [7, 5, 1] {
            let forked =
                Checkpoint::new(signer().keys().name().as_str().parse().unwrap(), size, RootHash::from_bytes([7; 32]));
            let forked = SignedCheckpoint::sign(forked, &signer()).unwrap();
            let found = compare("w", &log.store, Some(&last), &forked).unwrap();
            assert!(matches!(found, Some(Elsewhere::Other { size: at, .. }) if at == size), "{found:?}");
        }
    }

    #[test]
    fn so_many_must_answer_that_every_quorum_has_one_of_them() {
        let witness = |i: u8| {
            let key = SignerKey::new(format!("w{i}.example").parse().unwrap(), KeyType::Cosigner, [i + 1; 32]);
            format!("witness w{i} {} https://w{i}.example\n", key.verifier())
        };
        let lines: String = (0..4).map(witness).collect();
        let least = |rest: &str| {
            let policy = crate::samples::policy(&format!("{lines}{rest}"));
            // The least number of answers with which every choice of that many suffices.
            (0..=4).find(|k| {
                (0_u32..16).filter(|set| set.count_ones() == *k).all(|set| suffices(&policy, |i| set & (1 << i) != 0))
            })
        };
        assert_eq!(least("quorum none\n"), Some(0));
        assert_eq!(least("group g 3 w0 w1 w2 w3\nquorum g\n"), Some(2));
        assert_eq!(least("group g 2 w0 w1 w2 w3\nquorum g\n"), Some(3));
        assert_eq!(least("group g all w0 w1 w2 w3\nquorum g\n"), Some(1));
        // The one witness that every quorum needs is the one whose answer is needed.
        assert_eq!(least("quorum w2\n"), Some(4));
        let policy = crate::samples::policy(&format!("{lines}group g 1 w0 w1\ngroup h all g w2\nquorum h\n"));
        assert!(suffices(&policy, |i| i == 2) && suffices(&policy, |i| i < 2) && !suffices(&policy, |i| i == 0));
    }
}
