//! The test logs that follow from a seed: keys, origins, and every entry that they will ever have.

use std::fmt;

use stele_spec::checkpoint::{Checkpoint, Origin, sign_checkpoint};
use stele_spec::hash::{Digest, RootHash};
use stele_spec::key::SecretKey;
use stele_spec::merkle::{MemoryTree, leaf_hash, prove_consistency, root_at};
use stele_spec::note::{KeyType, NoteSignature, SignedNote, SignerKey};
use stele_spec::text::{hex_exact, to_base64};

use stele_probe::failure::{During, Failure, Step};

/// The largest tree that is computed again: some thousand runs against one witness.
pub const MAX_SIZE: u64 = 1 << 18;

/// The longest phrase in bytes.
pub const MAX_PHRASE: usize = 1024;

/// What everything follows from. It is no secret, except that who knows it can speak for the test logs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Seed([u8; 32]);

impl Seed {
    /// 64 hexadecimal digits in lower case, or a phrase.
    pub fn parse(text: &str) -> Step<Self> {
        if text.is_empty() || text.len() > MAX_PHRASE {
            return Err(Failure::new(format!(
                "a seed is 64 hexadecimal digits or a phrase of 1 to {MAX_PHRASE} bytes"
            )));
        }
        Ok(Self(hex_exact(text).unwrap_or_else(|_| *Digest::of(text.as_bytes()).as_bytes())))
    }

    fn derive(&self, purpose: &str) -> [u8; 32] {
        let label = b"a test log of the witness conformance suite\n";
        *Digest::of(&[label.as_slice(), &self.0, purpose.as_bytes()].concat()).as_bytes()
    }
}

impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed(…)")
    }
}

/// What a test log is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Grows as an honest log does.
    Main,
    /// Is forked by its operator, again and again.
    Fork,
    /// Gets many requests at once.
    Race,
    /// Gets its first cosignature in the first run.
    First,
    /// Never gets one.
    Never,
    /// Never gets beyond the empty tree.
    Empty,
    /// Signs with ML-DSA-44; need not be configured.
    MlDsa,
    /// Is copied by a mirror, which takes what is pushed.
    Mirror,
    /// The same, and it never gets a checkpoint.
    Unmirrored,
    /// Is not to be configured.
    Stranger,
}

impl Role {
    /// Those that a witness is to be told of; a mirror of the last two.
    pub const CONFIGURED: [Self; 9] = [
        Self::Main,
        Self::Fork,
        Self::Race,
        Self::First,
        Self::Never,
        Self::Empty,
        Self::MlDsa,
        Self::Mirror,
        Self::Unmirrored,
    ];

    /// The last part of its origin.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Main => "main",
            Self::Fork => "fork",
            Self::Race => "race",
            Self::First => "first",
            Self::Never => "never",
            Self::Empty => "empty",
            Self::MlDsa => "ml-dsa",
            Self::Mirror => "mirror",
            Self::Unmirrored => "mirror-without-a-checkpoint",
            Self::Stranger => "stranger",
        }
    }
}

/// One of the two histories that a log has; they have no entry in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Branch {
    /// The one that it grows by.
    Honest,
    /// The other one.
    Other,
}

/// A test log.
#[derive(Debug)]
pub struct TestLog {
    origin: Origin,
    secret: [u8; 32],
    signer: SignerKey,
    trees: [MemoryTree; 2],
    /// The size that the witness cosigned last, as far as is known.
    pub size: u64,
    /// Whether it has cosigned anything in this run.
    pub cosigned: bool,
    /// The history that it cosigned.
    pub branch: Branch,
}

impl TestLog {
    /// The log of a role.
    pub fn new(seed: Seed, role: Role) -> Step<Self> {
        let [a, b, c, d, ..] = seed.derive("name");
        let name = format!("conformance.example/{}/{}", hex::encode([a, b, c, d]), role.name());
        let secret = seed.derive(role.name());
        let key_type = if role == Role::MlDsa { KeyType::MlDsa } else { KeyType::Log };
        Ok(Self {
            origin: name.parse().during("naming a test log")?,
            signer: SignerKey::new(name.parse().during("naming a test log")?, key_type, secret),
            secret,
            trees: [MemoryTree::new(), MemoryTree::new()],
            size: 0,
            cosigned: false,
            branch: Branch::Honest,
        })
    }

    /// Its identity.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Its key.
    pub fn signer(&self) -> &SignerKey {
        &self.signer
    }

    /// A key of the same name that nobody trusts.
    pub fn other_key(&self, number: u8) -> SignerKey {
        SignerKey::new(self.signer.verifier().name().clone(), KeyType::Log, [number; 32])
    }

    /// The root of a history at a size.
    pub fn root(&mut self, branch: Branch, size: u64) -> Step<RootHash> {
        root_at(self.tree(branch, size)?, size).during("hashing a test log")
    }

    /// The consistency proof between two sizes of a history, as lines.
    pub fn proof(&mut self, branch: Branch, old: u64, new: u64) -> Step<Vec<String>> {
        let proof = prove_consistency(self.tree(branch, new)?, old, new).during("proving consistency")?;
        Ok(proof.path().iter().map(|hash| to_base64(hash.as_bytes())).collect())
    }

    /// The checkpoint of a history at a size.
    pub fn checkpoint(&mut self, branch: Branch, size: u64) -> Step<Checkpoint> {
        Ok(Checkpoint::new(self.origin.clone(), size, self.root(branch, size)?))
    }

    /// A checkpoint with the log's line.
    pub fn sign(&self, checkpoint: &Checkpoint) -> Step<SignedNote> {
        sign_checkpoint(checkpoint, &self.signer).during("signing a test log's checkpoint")
    }

    /// A line of the log's Ed25519 key over any text, checkpoint or not.
    pub fn line_over(&self, text: &str) -> NoteSignature {
        let verifier = self.signer.verifier();
        let bytes = SecretKey::from_seed(self.secret).sign(text.as_bytes()).as_bytes().to_vec();
        NoteSignature { name: verifier.name().clone(), hash: verifier.hash(), bytes }
    }

    /// An entry of a history.
    pub fn entry(&self, branch: Branch, number: u64) -> Vec<u8> {
        entry(&self.origin, branch, number)
    }

    /// The tree of a history with at least so many entries.
    pub fn tree(&mut self, branch: Branch, size: u64) -> Step<&MemoryTree> {
        if size > MAX_SIZE {
            return Err(Failure::new(format!(
                "{} has {size} entries at this witness, and the suite goes to {MAX_SIZE}\nhint: take another seed",
                self.origin
            )));
        }
        let [honest, other] = &mut self.trees;
        let tree = if branch == Branch::Honest { honest } else { other };
        while tree.size() < size {
            let number = tree.size();
            tree.push(leaf_hash(&entry(&self.origin, branch, number)));
        }
        Ok(tree)
    }
}

fn entry(origin: &Origin, branch: Branch, number: u64) -> Vec<u8> {
    format!("{origin}\n{branch:?}\n{number}\n").into_bytes()
}

/// What a witness's operator configures: the logs in the form that witnesses share (witness-network, `logs/v0`).
pub fn network_list(seed: Seed) -> Step<String> {
    let mut text = "logs/v0\n".to_owned();
    for role in Role::CONFIGURED {
        let log = TestLog::new(seed, role)?;
        let vkey = log.signer.verifier();
        // A run asks for less than two hundred cosignatures of one log, within a minute: an hour's worth has to be more.
        text.push_str(&format!(
            "\nvkey {vkey}\norigin {}\nqpd 100000\ncontact conformance suite, {}\n",
            log.origin,
            role.name()
        ));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_follow_from_the_seed_alone() {
        let phrase = Seed::parse("a phrase").unwrap();
        let hex = Seed::parse(&Digest::of(b"a phrase").to_string()).unwrap();
        assert_eq!(network_list(phrase).unwrap(), network_list(hex).unwrap());
        assert_ne!(network_list(phrase).unwrap(), network_list(Seed::parse("another").unwrap()).unwrap());
        assert!(Seed::parse("").is_err());
        let mut one = TestLog::new(phrase, Role::Main).unwrap();
        let mut two = TestLog::new(phrase, Role::Main).unwrap();
        two.root(Branch::Honest, 100).unwrap();
        for size in 0..20 {
            assert_eq!(one.root(Branch::Honest, size).unwrap(), two.root(Branch::Honest, size).unwrap());
            assert_eq!(one.root(Branch::Honest, size).unwrap() == one.root(Branch::Other, size).unwrap(), size == 0);
        }
        assert!(one.root(Branch::Honest, MAX_SIZE + 1).is_err());
    }
}
