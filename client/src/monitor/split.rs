//! Split views: two signed tree heads of one log that cannot both be.
//!
//! Of two heads the larger is the one whose tiles can be read. Its tiles say what the root of its first entries is, as many
//! as the smaller head has; the consistency proof ties that root to the larger head. Where the smaller head claims another
//! root, log has signed two histories: anyone can check it with the log's key alone.
//!
//! ```text
//! stele split view v1
//! smaller 303                     the length of its note in bytes
//! larger 512
//! root <base64>                   the root of the larger tree's first entries; of equal sizes, its root
//! <base64>                        the consistency proof from there to the larger tree, a hash a line
//!
//! <the note of the smaller head><the note of the larger head>
//! ```

use stele_spec::checkpoint::{Checkpoint, verify_log_signature};
use stele_spec::hash::{Digest, RootHash};
use stele_spec::merkle::ConsistencyProof;
use stele_spec::note::{SignedNote, VerifierKey};
use stele_spec::text::to_base64;

const MAGIC: &str = "stele split view v1\n";

/// Two heads, and what ties one to the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SplitView {
    /// The note of the smaller head; of equal sizes, either.
    pub(crate) smaller: SignedNote,
    /// The note of the larger head.
    pub(crate) larger: SignedNote,
    /// What the larger tree's first entries hash to.
    pub(crate) root: RootHash,
    /// From there to the larger head.
    pub(crate) proof: ConsistencyProof,
}

impl SplitView {
    /// What it is known by: the two texts that were signed.
    pub(crate) fn id(&self) -> Digest {
        Digest::of(format!("{}\n{}", self.smaller.text(), self.larger.text()).as_bytes())
    }

    /// Whether it convicts the log of this key: both heads signed, and no tree has both roots.
    pub(crate) fn convicts(&self, log: &VerifierKey) -> Result<(Checkpoint, Checkpoint), &'static str> {
        let smaller = verify_log_signature(&self.smaller, log).map_err(|_| "the log did not sign the smaller head")?;
        let larger = verify_log_signature(&self.larger, log).map_err(|_| "the log did not sign the larger head")?;
        if smaller.origin() != larger.origin() {
            return Err("the heads are of two logs");
        }
        self.proof
            .check(smaller.size(), self.root, larger.size(), larger.root())
            .map_err(|_| "the proof does not lead to the larger head")?;
        if smaller.root() == self.root {
            return Err("the heads agree");
        }
        Ok((smaller, larger))
    }

    /// The bytes of a file of evidence.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let (smaller, larger) = (self.smaller.to_bytes(), self.larger.to_bytes());
        let mut head = format!(
            "{MAGIC}smaller {}\nlarger {}\nroot {}\n",
            smaller.len(),
            larger.len(),
            to_base64(self.root.as_bytes())
        );
        for hash in self.proof.path() {
            head.push_str(&to_base64(hash.as_bytes()));
            head.push('\n');
        }
        head.push('\n');
        [head.as_bytes(), &smaller, &larger].concat()
    }

    /// Reads a file of evidence; nothing is checked by that.
    #[cfg(test)]
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        use stele_spec::hash::NodeHash;
        use stele_spec::text::{base64_exact, decimal};

        let end = bytes.windows(2).position(|two| two == b"\n\n")?;
        let (head, notes) = (bytes.get(..end)?, bytes.get(end + 2..)?);
        let mut lines = std::str::from_utf8(head).ok()?.strip_prefix(MAGIC)?.split('\n');
        let smaller = usize::try_from(decimal(lines.next()?.strip_prefix("smaller ")?).ok()?).ok()?;
        let larger = usize::try_from(decimal(lines.next()?.strip_prefix("larger ")?).ok()?).ok()?;
        let root = RootHash::from_bytes(base64_exact(lines.next()?.strip_prefix("root ")?).ok()?);
        let path = lines.map(|line| base64_exact(line).ok().map(NodeHash::from_bytes)).collect::<Option<Vec<_>>>()?;
        let (first, second) = notes.split_at_checked(smaller).filter(|(_, second)| second.len() == larger)?;
        Some(Self {
            smaller: SignedNote::parse(first).ok()?,
            larger: SignedNote::parse(second).ok()?,
            root,
            proof: ConsistencyProof::from_path(path)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use stele_spec::checkpoint::sign_checkpoint;
    use stele_spec::merkle::{MemoryTree, leaf_hash, prove_consistency, root_at};
    use stele_spec::note::{KeyType, SignerKey};

    fn signer(seed: u8) -> SignerKey {
        SignerKey::new("log.example/a".parse().unwrap(), KeyType::Log, [seed; 32])
    }

    fn tree(seed: u8, size: u64) -> MemoryTree {
        let mut tree = MemoryTree::new();
        (0..size).for_each(|i| tree.push(leaf_hash(&[seed, i as u8])));
        tree
    }

    fn note(tree: &MemoryTree, size: u64, key: u8) -> SignedNote {
        let checkpoint = Checkpoint::new("log.example/a".parse().unwrap(), size, root_at(tree, size).unwrap());
        sign_checkpoint(&checkpoint, &signer(key)).unwrap()
    }

    fn split(small: u64, large: u64) -> SplitView {
        let (one, other) = (tree(1, large), tree(2, large));
        SplitView {
            smaller: note(&other, small, 1),
            larger: note(&one, large, 1),
            root: root_at(&one, small).unwrap(),
            proof: prove_consistency(&one, small, large).unwrap(),
        }
    }

    #[test]
    fn heads_that_agree_and_heads_of_others_convict_nobody() {
        let log = signer(1).verifier();
        let (small, large) = (5, 13);
        split(small, large).convicts(&log).unwrap();
        split(large, large).convicts(&log).unwrap();
        let good = split(small, large);
        let agreeing = SplitView { smaller: note(&tree(1, small), small, 1), ..good.clone() };
        assert_eq!(agreeing.convicts(&log), Err("the heads agree"));
        let stranger = SplitView { smaller: note(&tree(2, small), small, 7), ..good.clone() };
        assert!(stranger.convicts(&log).is_err());
        let unproven = SplitView { root: RootHash::from_bytes([0; 32]), ..good };
        assert_eq!(unproven.convicts(&log), Err("the proof does not lead to the larger head"));
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back_and_nothing_else_is(small in 1u64..40, more in 0u64..40, at: prop::sample::Index, byte: u8) {
            let bytes = split(small, small + more).to_bytes();
            prop_assert_eq!(SplitView::parse(&bytes).map(|split| split.to_bytes()), Some(bytes.clone()));
            let mut bad = bytes;
            let at = at.index(bad.len());
            bad[at] = byte;
            if let Some(split) = SplitView::parse(&bad) { prop_assert_eq!(split.to_bytes(), bad); }
        }
    }
}
