//! A statement about a release that waits for signatures, where its name asks for several keys: a small TOML file that key holders
//! hand on to each other.
//!
//! Its time stands in it, fixed before anybody signs, and so do the files of a release: everything that is signed can be read in it.
//! It has one spelling, the one that we write; a file that was edited is refused. Nothing in it is secret, and nothing in it is verified
//! by reading it.

use std::path::Path;

use serde::{Deserialize, Serialize};
use stele_durable as durable;
use stele_explain::{Exit, Explain, Failure, explain};
use stele_spec::canonical;
use stele_spec::hash::{Digest, KeyId};
use stele_spec::key::PublicKey;
use stele_spec::manifest::{MAX_MANIFEST, Manifest, ManifestFile};
use stele_spec::statement::{Kind, MAX_STATEMENT, Statement, StatementError};

use crate::error::{self, FileError};
use crate::publish_error::PublishError;
use crate::signer::Signer;

/// How a proposal begins.
const HEADER: &str = "# A statement that waits for signatures. Do not edit it: what stands here is what is signed.\n\
                      # Read it:    stele approve FILE\n\
                      # Approve it: stele approve FILE --key YOUR.pem --digest DIGEST\n\
                      # The last:   stele submit FILE --key YOUR.pem --digest DIGEST\n\n";
/// The largest file: a statement and a manifest in text, which has its bytes in hex and its fields by name.
const MAX_PROPOSAL: u64 = 4 * (MAX_STATEMENT + MAX_MANIFEST) as u64;

/// A statement, its files where it is a release, and how many keys sign it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementProposal {
    needed: u64,
    statement: Statement,
    manifest: Option<Manifest>,
}

/// The text, as it is written.
#[derive(Serialize)]
struct Written<'a> {
    needed: u64,
    statement: &'a Statement,
    #[serde(skip_serializing_if = "<[ManifestFile]>::is_empty")]
    files: &'a [ManifestFile],
}

/// The text, as it is read.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Read {
    needed: u64,
    statement: toml::Value,
    #[serde(default)]
    files: Vec<ManifestFile>,
}

impl StatementProposal {
    /// A proposal that nobody has approved. A release comes with its manifest, and nothing else does.
    pub fn new(needed: u64, statement: Statement, manifest: Option<Manifest>) -> Self {
        Self { needed, statement, manifest }
    }

    /// Reads a file.
    pub fn read(path: &Path) -> Result<Self, Failure> {
        let bytes = error::read(path, MAX_PROPOSAL, "a proposal, as --propose writes it")?;
        Self::parse(&bytes)
            .map_err(|problem| UnusableProposal::Malformed { path: path.display().to_string(), problem }.into())
    }

    /// The proposal in a file, if it begins as one.
    pub fn of_file(path: &Path) -> Result<Option<Self>, Failure> {
        match durable::read_file(path, MAX_PROPOSAL) {
            Ok(Some(bytes)) if bytes.starts_with(HEADER.as_bytes()) => Self::read(path).map(Some),
            // What is no file, or too long for one of these, is for others to read.
            _ => Ok(None),
        }
    }

    /// Reads the one spelling of a proposal, and checks the fields of its statement, and its files against it.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(bytes).map_err(|_| "not UTF-8".to_owned())?;
        if !Self::looks_like(text) {
            return Err("it does not begin as a proposal does".to_owned());
        }
        let Read { needed, statement, files } = toml::from_str(text).map_err(|error| error.message().to_owned())?;
        let payload = canonical::to_bytes(&statement).map_err(|error| error.to_string())?;
        let statement = Statement::from_payload(&payload).map_err(|error| error.to_string())?;
        if statement.kind() == Kind::Publisher {
            return Err("a change of keys is approved with `stele keys approve`".to_owned());
        }
        let manifest = match (&statement, files.is_empty()) {
            (Statement::Release(release), _) => {
                let manifest = Manifest::new(files).map_err(|error| error.to_string())?;
                release.check_manifest(&manifest).map_err(|error| error.to_string())?;
                Some(manifest)
            }
            (_, true) => None,
            (_, false) => return Err("files are those of a release, and this is none".to_owned()),
        };
        let proposal = Self { needed, statement, manifest };
        if proposal.format()? != text {
            return Err(
                "it was edited, or changed on its way: its text is not the one that --propose writes".to_owned()
            );
        }
        Ok(proposal)
    }

    /// Whether a text begins as a proposal.
    pub fn looks_like(text: &str) -> bool {
        text.starts_with(HEADER)
    }

    /// The text: `format(parse(x)) == x`.
    pub fn format(&self) -> Result<String, String> {
        let files = self.manifest.as_ref().map_or(&[][..], Manifest::files);
        let written = Written { needed: self.needed, statement: &self.statement, files };
        Ok(format!("{HEADER}{}", toml::to_string(&written).map_err(|error| error.to_string())?))
    }

    /// Writes it to a new file.
    pub fn create(&self, path: &Path) -> Result<(), Failure> {
        if path.exists() {
            let hint = "it may hold approvals: move it away first, or choose another with --propose";
            return Err(FileError::Exists { path: path.display().to_string(), hint }.into());
        }
        Ok(durable::create_file(path, self.text()?.as_bytes(), 0o644)?)
    }

    /// Writes it in the place of what it was made of.
    pub fn replace(&self, path: &Path) -> Result<(), Failure> {
        Ok(durable::replace_file(path, self.text()?.as_bytes())?)
    }

    /// How many keys must sign, as the log said when it was written. The log decides.
    pub const fn needed(&self) -> u64 {
        self.needed
    }

    /// What is signed, with the approvals that it has.
    pub const fn statement(&self) -> &Statement {
        &self.statement
    }

    /// The files of a release.
    pub const fn manifest(&self) -> Option<&Manifest> {
        self.manifest.as_ref()
    }

    /// Names what is signed: the SHA-256 of the payload without approvals.
    pub fn digest(&self) -> Result<Digest, Failure> {
        let digest = self.statement.approved_digest();
        Ok(digest.map_err(|error| PublishError::Statement(StatementError::Payload(error)))?)
    }

    /// Refuses to sign anything but what was shown.
    pub fn check_shown(&self, shown: Digest) -> Result<(), Failure> {
        let found = self.digest()?;
        if found == shown { Ok(()) } else { Err(UnusableProposal::Other { expected: shown, found }.into()) }
    }

    /// Signs it with one more key. Which keys the name has, the log knows.
    pub fn approve(&mut self, key: &Signer) -> Result<(), Failure> {
        key.approve(&mut self.statement)
    }

    /// The statement for the last signer, without the approval of that key: the signer of the envelope counts once.
    pub fn for_signer(&self, signer: &PublicKey) -> Statement {
        self.statement.without_approval(&signer.key_id())
    }

    /// The statement for the last signer, and whose approvals are left out of it: of keys that the name does not have now, or whose signature does not
    /// hold. With one of them the log would refuse the whole.
    pub fn counted(
        &self,
        signer: &PublicKey,
        held: impl Fn(&KeyId) -> Option<PublicKey>,
    ) -> Result<(Statement, Vec<KeyId>), Failure> {
        let mut statement = self.for_signer(signer);
        let mut left_out = self.unheld(held)?;
        left_out.retain(|kid| *kid != signer.key_id());
        for kid in &left_out {
            statement = statement.without_approval(kid);
        }
        Ok((statement, left_out))
    }

    /// Whose approvals do not hold: of keys that the name does not have now, or whose signature is of something else.
    pub fn unheld(&self, held: impl Fn(&KeyId) -> Option<PublicKey>) -> Result<Vec<KeyId>, Failure> {
        let bytes =
            self.statement.approved_bytes().map_err(|error| PublishError::Statement(StatementError::Payload(error)))?;
        let counts = |kid: &KeyId, signature| held(kid).is_some_and(|key| key.verify(&bytes, signature).is_ok());
        let approvals = self.statement.approvals().iter();
        Ok(approvals
            .filter(|approval| !counts(&approval.kid, &approval.signature))
            .map(|approval| approval.kid)
            .collect())
    }

    fn text(&self) -> Result<String, UnusableProposal> {
        self.format().map_err(UnusableProposal::Format)
    }
}

/// Why a proposal is not signed or written.
#[derive(Debug, thiserror::Error)]
pub enum UnusableProposal {
    /// Not a proposal as it was written.
    #[error("{path} is not a proposal: {problem}")]
    Malformed {
        /// The file.
        path: String,
        /// What is wrong.
        problem: String,
    },
    /// Something else than what was shown.
    #[error("this is not the statement that was shown")]
    Other {
        /// What was shown.
        expected: Digest,
        /// What the file has.
        found: Digest,
    },
    /// It cannot be written as text.
    #[error("the proposal cannot be written: {0}")]
    Format(String),
}

impl Explain for UnusableProposal {
    explain! {
        Self::Malformed { .. } => Exit::BadInput, "proposal-malformed",
            hint: "get the file again, attached and not pasted as text; nothing was signed";
        Self::Other { expected, found } => Exit::Refused, "proposal-differs",
            hint: "read it again with `stele approve FILE` before you sign; nothing was signed",
            "expected": expected, "found": found;
        Self::Format(_) => Exit::Internal, "proposal-unwritable", hint: "this is a bug of ours: please tell us";
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use stele_spec::key::SecretKey;
    use stele_spec::statement::Release;

    fn key(seed: u8) -> SecretKey {
        SecretKey::from_seed([seed; 32])
    }

    /// The release of the vectors, of which a text is another.
    fn proposal(support: &str) -> StatementProposal {
        let manifest: serde_json::Value =
            serde_json::from_str(include_str!("../../../spec/vectors/statement/manifest.json")).unwrap();
        let files: Vec<ManifestFile> = serde_json::from_value(manifest["files"].clone()).unwrap();
        let mut release: Release =
            toml::from_str(include_str!("../../../spec/vectors/statement/sample-release.toml")).unwrap();
        release.support = support.parse().ok();
        StatementProposal::new(2, Statement::Release(Box::new(release)), Some(Manifest::new(files).unwrap()))
    }

    #[test]
    fn what_was_edited_is_refused_even_where_it_means_the_same() {
        let text = proposal("Ask us.").format().unwrap();
        for (from, to) in [
            ("needed = 2", "needed  = 2"),
            ("needed = 2", "needed = 2 # two"),
            ("needed = 2", "needed = 2\nextra = 1"),
            ("Ask us.", "Ask them.\\t"),
            ("role = \"weights\"", "role = \"docs\""),
            ("[[files]]", "[[files]] "),
            ("# Read it:", "# Ignore it:"),
        ] {
            let edited = text.replacen(from, to, 1);
            assert_ne!(edited, text, "{from}");
            assert!(StatementProposal::parse(edited.as_bytes()).is_err(), "{to}");
        }
        let without_files = text.split("[[files]]").next().unwrap();
        assert!(StatementProposal::parse(without_files.as_bytes()).is_err());
        assert_eq!(StatementProposal::parse(text.as_bytes()), Ok(proposal("Ask us.")));
    }

    #[test]
    fn only_what_was_shown_is_signed_and_nobody_signs_twice() {
        let mut proposed = proposal("Ask us.");
        let shown = proposed.digest().unwrap();
        assert_eq!(proposal("Ask them.").check_shown(shown).unwrap_err().as_explain().code(), "proposal-differs");
        for seed in [3, 1, 3] {
            proposed.approve(&key(seed).into()).unwrap();
            proposed = StatementProposal::parse(proposed.format().unwrap().as_bytes()).unwrap();
            assert!(proposed.check_shown(shown).is_ok(), "approvals are no part of what is approved");
        }
        assert_eq!(proposed.statement().approvals().len(), 2);
        let last = proposed.for_signer(&key(1).public());
        assert_eq!(last.approvals().len(), 1);
        let known = |kid: &KeyId| (*kid == key(3).public().key_id()).then(|| key(3).public());
        assert!(last.verify_approvals(known).is_ok());
    }

    #[test]
    fn an_approval_that_does_not_count_is_left_out_and_named() {
        let mut proposed = proposal("Ask us.");
        for seed in [1, 2, 3] {
            proposed.approve(&key(seed).into()).unwrap();
        }
        let held = |seeds: &'static [u8]| {
            move |kid: &KeyId| seeds.iter().map(|seed| key(*seed).public()).find(|key| key.key_id() == *kid)
        };
        let (statement, left_out) = proposed.counted(&key(1).public(), held(&[1, 3])).unwrap();
        assert_eq!(left_out, [key(2).public().key_id()]);
        assert!(statement.verify_approvals(held(&[3])).is_ok());
        assert_eq!(statement.approvals().len(), 1);
        let (all, none) = proposed.counted(&key(1).public(), held(&[1, 2, 3])).unwrap();
        assert_eq!((all.approvals().len(), none.len()), (2, 0));
        // A signature of a key of the name over something else counts as little.
        let mut other = proposal("Ask them.");
        other.approve(&key(2).into()).unwrap();
        let stolen = other.statement().approvals()[0].clone();
        let mut forged = proposal("Ask us.");
        forged.statement.take_approval(stolen.kid, stolen.signature);
        assert_eq!(forged.counted(&key(1).public(), held(&[1, 2])).unwrap().1, [stolen.kid]);
    }

    proptest! {
        #[test]
        fn any_text_is_read_as_it_was_written(support: String) {
            let text = proposal(&support).format().unwrap();
            let parsed = StatementProposal::parse(text.as_bytes()).unwrap();
            prop_assert_eq!(parsed.format().unwrap(), text);
            prop_assert_eq!(parsed, proposal(&support));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            if let Ok(text) = std::str::from_utf8(&bytes) {
                let text = format!("{HEADER}{text}");
                prop_assert!(StatementProposal::parse(text.as_bytes()).is_err());
            }
            prop_assert!(StatementProposal::parse(&bytes).is_err());
        }
    }
}
