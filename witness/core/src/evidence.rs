//! What a log has signed against itself, kept as files of evidence (chapter *misbehaviour*, `stele/evidence@v1`): what anyone checks
//! with the log's key alone, and `stele inspect` shows.
//!
//! | kind | the file | |
//! |---|---|---|
//! | `same-size`, `forked` | `split-view` with what we had cosigned and what was offered | proof |
//! | `empty-tree` | `impossible-head` | proof |
//! | `unproven` | `split-view` without a path between the two heads | a suspicion |
//! | `wrong-index-root` | `wrong-index-root` with the step that the index cosigner refused | proof |
//!
//! A suspicion is two heads that came without a valid consistency proof, which a sender can spoil; a valid proof between them, from
//! anywhere, clears the log.
//!
//! Kept at most once for each size and root, and at most so many of each kind for a log, the first ones: a sender of
//! more of them cannot fill the disk nor push the first proof out.
//!
//! Witnesses of before wrote a text of their own, `stele evidence v1`. It is read and exported as it always was, and not written.

use stele_durable::{Dir, DurableError};
use stele_spec::checkpoint::{Checkpoint, Origin};
use stele_spec::hash::{NodeHash, RootHash};
use stele_spec::indexcosigner::{MAX_REQUEST, WrongEntry};
use stele_spec::merkle::ConsistencyProof;
use stele_spec::misbehaviour::{EXTENSION, ImpossibleHead, Misbehaviour, Prefix, SplitView, WrongIndexStep};
use stele_spec::note::{MAX_NOTE, SignedNote};
use stele_spec::text::{base64_exact, decimal};

use crate::decide::{ConflictKind, ConflictingCheckpoint};

/// The most proofs of each kind that are kept for a log; one is enough to convict it.
pub const MAX_PROOFS: usize = 64;

/// The most suspicions that are kept for a log.
pub const MAX_SUSPICIONS: usize = 16;

/// The most wrong index roots that are kept for a log: each has all entries of a batch with it, some megabytes at the most where the log is not out to
/// fill the disk.
pub const MAX_WRONG_ROOTS: usize = 2;

/// The longest file: two notes and a proof, or a step of the index, and what stands around them.
const MAX_FILE: u64 = 2 * MAX_NOTE as u64 + MAX_REQUEST as u64 + 8192;

/// How the text of before begins.
const OLD_MAGIC: &str = "stele evidence v1\nconflict ";

/// Two heads that cannot be reconciled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// How they contradict each other.
    pub conflict: ConflictKind,
    /// The note that we had cosigned; empty if none.
    pub known: Vec<u8>,
    /// The note that came.
    pub offered: Vec<u8>,
    /// What the offered tree begins with; with [`ConflictKind::Forked`] alone.
    pub prefix: Option<Prefix>,
    /// What shows a wrong index root; with [`ConflictKind::WrongIndexRoot`] alone.
    pub step: Option<WrongIndexStep>,
}

/// A file of evidence by its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filed {
    /// `<origin hash>/<name>`, below the folder of the evidence.
    pub id: String,
    /// What is in it.
    pub evidence: Evidence,
}

/// What [`Archive::keep`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It is on the disk now.
    New,
    /// This size and root was there already.
    Already,
    /// So much is kept of this log and kind that no more is.
    Full,
}

/// The folder of the evidence.
#[derive(Clone, Debug)]
pub struct Archive(Dir);

impl Archive {
    /// Opens the folder, creating it when missing.
    pub fn open(path: &std::path::Path) -> Result<Self, DurableError> {
        Dir::open(path).map(Self)
    }

    /// The evidence in a folder that is open.
    pub fn of(folder: Dir) -> Self {
        Self(folder)
    }

    /// Keeps evidence against the log of `offered`, durably. The caller holds the log's state: two do not keep at once.
    pub fn keep(
        &self,
        known: Option<&SignedNote>,
        contradiction: &ConflictingCheckpoint,
    ) -> Result<Kept, DurableError> {
        let ConflictingCheckpoint { kind: conflict, offered, prefix } = contradiction;
        let (conflict, checkpoint) = (*conflict, offered.checkpoint());
        let evidence = || misbehaviour(conflict, known, offered.note(), prefix.as_ref());
        self.put(conflict, checkpoint.origin(), (checkpoint.size(), checkpoint.root()), evidence)
    }

    /// Keeps the step that shows a wrong index entry of a log, under the size and root of the tree that ends with it.
    pub fn keep_step(&self, log: &Origin, wrong: &WrongEntry, step: &WrongIndexStep) -> Result<Kept, DurableError> {
        let tree = (wrong.position.saturating_add(1), wrong.root);
        self.put(ConflictKind::WrongIndexRoot, log, tree, || Misbehaviour::WrongIndexStep(step.clone()))
    }

    fn put(
        &self,
        conflict: ConflictKind,
        log: &Origin,
        (size, root): (u64, RootHash),
        evidence: impl FnOnce() -> Misbehaviour,
    ) -> Result<Kept, DurableError> {
        let folder = log.digest().to_string();
        let name = file_name(conflict, size, root);
        let kind = format!("{}-", conflict.word());
        let there = self.0.list(&folder)?.unwrap_or_default();
        let mut alike = there.iter().filter(|listed| listed.name.starts_with(&kind));
        // Of before, the same name without the extension.
        if alike
            .clone()
            .any(|listed| name.strip_prefix(&listed.name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
        {
            return Ok(Kept::Already);
        }
        if alike.nth(conflict.most() - 1).is_some() {
            return Ok(Kept::Full);
        }
        // It is below the limit of a file: two notes and a path, or a step.
        let Ok(bytes) = evidence().to_bytes() else { return Ok(Kept::Full) };
        self.0.put_if_absent(&format!("{folder}/{name}"), &bytes)?;
        Ok(Kept::New)
    }
}

impl Archive {
    /// All that is kept, by place; a file that is no evidence is left out.
    pub fn all(&self) -> Result<Vec<Filed>, DurableError> {
        let mut all = Vec::new();
        for folder in self.0.list("")?.unwrap_or_default() {
            for file in self.0.list(&folder.name)?.unwrap_or_default() {
                let id = format!("{}/{}", folder.name, file.name);
                let bytes = self.0.read(&id, MAX_FILE)?.unwrap_or_default();
                all.extend(Evidence::parse(&bytes).map(|evidence| Filed { id, evidence }));
            }
        }
        Ok(all)
    }
}

/// What a file of this kind against a tree of this size and root is called.
pub fn file_name(conflict: ConflictKind, size: u64, root: RootHash) -> String {
    format!("{}-{size}-{root}.{EXTENSION}", conflict.word())
}

/// The file of a contradiction. Where nothing was cosigned before, the offered head stands alone and proves what it can.
fn misbehaviour(
    conflict: ConflictKind,
    known: Option<&SignedNote>,
    offered: &SignedNote,
    prefix: Option<&Prefix>,
) -> Misbehaviour {
    match known {
        Some(known) if conflict != ConflictKind::EmptyTree => {
            let prefix = prefix.filter(|_| conflict == ConflictKind::Forked).cloned();
            Misbehaviour::SplitView(SplitView { older: known.clone(), newer: offered.clone(), prefix })
        }
        _ => Misbehaviour::ImpossibleHead(ImpossibleHead { head: offered.clone() }),
    }
}

impl ConflictKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::EmptyTree, Self::SameSize, Self::Forked, Self::Unproven, Self::WrongIndexRoot];

    /// The name in files and metrics.
    pub fn word(self) -> &'static str {
        match self {
            Self::EmptyTree => "empty-tree",
            Self::SameSize => "same-size",
            Self::Forked => "forked",
            Self::Unproven => "unproven",
            Self::WrongIndexRoot => "wrong-index-root",
        }
    }

    /// What a file of this kind proves of a log's key.
    pub const fn says(self) -> &'static str {
        match self {
            Self::EmptyTree => "signed a tree of no entries that has some",
            Self::SameSize | Self::Forked | Self::Unproven => "signed two histories",
            Self::WrongIndexRoot => "signed a wrong index",
        }
    }

    fn most(self) -> usize {
        match self {
            Self::EmptyTree | Self::SameSize | Self::Forked => MAX_PROOFS,
            Self::Unproven => MAX_SUSPICIONS,
            Self::WrongIndexRoot => MAX_WRONG_ROOTS,
        }
    }
}

impl Evidence {
    /// Reads a file of evidence; `None` if it is none that a witness keeps. Nothing in it is verified by that.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        match Misbehaviour::parse(bytes) {
            Ok(file) => Self::of(file),
            Err(_) => Self::parse_old(bytes),
        }
    }

    fn of(file: Misbehaviour) -> Option<Self> {
        let size = |note: &SignedNote| Checkpoint::parse(note.text()).ok().map(|head| head.size());
        match file {
            Misbehaviour::ImpossibleHead(ImpossibleHead { head }) => {
                let conflict = if size(&head) == Some(0) { ConflictKind::EmptyTree } else { ConflictKind::Unproven };
                Some(Self { conflict, known: Vec::new(), offered: head.to_bytes(), prefix: None, step: None })
            }
            Misbehaviour::SplitView(SplitView { older, newer, prefix }) => {
                let conflict = match &prefix {
                    Some(_) => ConflictKind::Forked,
                    None if size(&older) == size(&newer) => ConflictKind::SameSize,
                    None => ConflictKind::Unproven,
                };
                Some(Self { conflict, known: older.to_bytes(), offered: newer.to_bytes(), prefix, step: None })
            }
            Misbehaviour::WrongIndexStep(step) => {
                let offered = step.step().ok()?.note().to_bytes();
                let conflict = ConflictKind::WrongIndexRoot;
                Some(Self { conflict, known: Vec::new(), offered, prefix: None, step: Some(step) })
            }
            _ => None,
        }
    }

    /// The text of before.
    fn parse_old(bytes: &[u8]) -> Option<Self> {
        let head_end = bytes.windows(2).position(|two| two == b"\n\n")? + 1;
        let (head, rest) = bytes.split_at_checked(head_end)?;
        let head = std::str::from_utf8(head).ok()?.strip_prefix(OLD_MAGIC)?;
        let mut lines = head.split_inclusive('\n').map_while(|line| line.strip_suffix('\n'));
        let word = lines.next()?;
        let old = |conflict: &ConflictKind| *conflict != ConflictKind::WrongIndexRoot && conflict.word() == word;
        let conflict = ConflictKind::ALL.into_iter().find(old)?;
        let known = decimal(lines.next()?.strip_prefix("known ")?).ok()?;
        let offered = decimal(lines.next()?.strip_prefix("offered ")?).ok()?;
        let (known, offered) = (usize::try_from(known).ok()?, usize::try_from(offered).ok()?);
        let prefix = match conflict {
            ConflictKind::Forked => {
                let root = RootHash::from_bytes(base64_exact(lines.next()?.strip_prefix("prefix ")?).ok()?);
                let hash = |line: &str| Some(NodeHash::from_bytes(base64_exact(line.strip_prefix("path ")?).ok()?));
                let path = ConsistencyProof::from_path(lines.by_ref().map(hash).collect::<Option<_>>()?)?;
                Some(Prefix { root, path })
            }
            _ => None,
        };
        let (known_bytes, offered_bytes) = rest.get(1..)?.split_at_checked(known)?;
        let whole = lines.next().is_none() && offered_bytes.len() == offered;
        whole.then(|| Self {
            conflict,
            known: known_bytes.to_vec(),
            offered: offered_bytes.to_vec(),
            prefix,
            step: None,
        })
    }

    /// The file that anyone can check (`stele evidence verify`): of a suspicion too, which then proves nothing.
    pub fn file(&self) -> Option<Misbehaviour> {
        if let Some(step) = &self.step {
            return Some(Misbehaviour::WrongIndexStep(step.clone()));
        }
        let offered = SignedNote::parse(&self.offered).ok()?;
        let known = SignedNote::parse(&self.known).ok();
        Some(misbehaviour(self.conflict, known.as_ref(), &offered, self.prefix.as_ref()))
    }

    /// The same of what is proof by its kind; none of a suspicion.
    pub fn misbehaviour(&self) -> Option<Misbehaviour> {
        self.file().filter(|_| self.conflict != ConflictKind::Unproven)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::Log;
    use proptest::prelude::*;
    use stele_spec::misbehaviour::KnownKeys;
    use stele_spec::text::to_base64;

    #[test]
    fn evidence_is_kept_once_and_bounded_and_a_flood_does_not_push_out_proof() {
        let home = tempfile::tempdir().unwrap();
        let archive = Archive::open(home.path()).unwrap();
        let log = Log::new("log.example/a", 1);
        let known = log.signed(9);
        let smaller = log.signed(3);
        let fork = |n: u8, kind| {
            let offered = log.trusted().verify(&log.signed_root(9, RootHash::from_bytes([n; 32]))).unwrap();
            ConflictingCheckpoint { kind, offered, prefix: None }
        };
        let suspicion = |n| fork(n, ConflictKind::Unproven);
        for n in 0..MAX_SUSPICIONS as u8 {
            assert_eq!(archive.keep(Some(&smaller), &suspicion(n)).unwrap(), Kept::New);
        }
        assert_eq!(archive.keep(Some(&smaller), &suspicion(0)).unwrap(), Kept::Already);
        assert_eq!(archive.keep(Some(&smaller), &suspicion(99)).unwrap(), Kept::Full);
        let proof = fork(99, ConflictKind::SameSize);
        assert_eq!(archive.keep(Some(&known), &proof).unwrap(), Kept::New);
        let all = archive.all().unwrap();
        assert_eq!(all.len(), MAX_SUSPICIONS + 1);
        let id = format!("{}/same-size-9-{}.stele-evidence", log.origin().digest(), RootHash::from_bytes([99; 32]));
        let found = &all.iter().find(|filed| filed.id == id).unwrap().evidence;
        assert_eq!(found.offered, proof.offered.note().to_bytes());
        let file = std::fs::read(home.path().join(&id)).unwrap();
        assert!(Misbehaviour::parse(&file).unwrap().check(&KnownKeys::new([log.vkey()])).is_ok(), "as it lies there");
        assert_eq!((found.conflict, found.known.as_slice()), (ConflictKind::SameSize, &known.to_bytes()[..]));
    }

    #[test]
    fn each_kind_but_suspicion_convicts_with_the_log_s_key_alone() {
        let (log, liar) = (Log::new("log.example/a", 1), Log::salted("log.example/a", 1, 1));
        let keys = KnownKeys::new([log.vkey()]);
        let request = liar.request(3, 7);
        let prefix = Some(Prefix { root: liar.root(3), path: request.proof().clone() });
        let of = |conflict, known: SignedNote, offered: SignedNote, prefix| Evidence {
            conflict,
            known: known.to_bytes(),
            offered: offered.to_bytes(),
            prefix,
            step: None,
        };
        let empty = log.signed_root(0, RootHash::from_bytes([7; 32]));
        for evidence in [
            of(ConflictKind::SameSize, log.signed(7), liar.signed(7), None),
            of(ConflictKind::EmptyTree, log.signed(7), empty, None),
            of(ConflictKind::Forked, log.signed(3), liar.signed(7), prefix.clone()),
        ] {
            let file = evidence.misbehaviour().unwrap().to_bytes().unwrap();
            let read = Evidence::parse(&file).unwrap();
            assert_eq!((read.conflict, &read.offered), (evidence.conflict, &evidence.offered));
            assert_eq!(read.misbehaviour(), evidence.misbehaviour());
            assert_eq!(Evidence::parse(&old_text(&evidence)), Some(evidence.clone()), "what was written before");
            let verdict = Misbehaviour::parse(&file).unwrap().check(&keys).unwrap();
            assert_eq!(verdict.log.as_str(), "log.example/a", "{:?}", evidence.conflict);
            let stranger = KnownKeys::new([Log::new("log.example/a", 2).vkey()]);
            assert!(Misbehaviour::parse(&file).unwrap().check(&stranger).is_err());
        }
        let suspicion = of(ConflictKind::Unproven, log.signed(3), liar.signed(7), None);
        assert_eq!(suspicion.misbehaviour(), None);
        let file = suspicion.file().unwrap();
        assert_eq!(Evidence::parse(&file.to_bytes().unwrap()), Some(suspicion));
        assert!(file.check(&keys).is_err());
        let honest = of(ConflictKind::SameSize, log.signed(7), log.signed(7), None).misbehaviour().unwrap();
        assert!(honest.check(&keys).is_err());
    }

    /// A file as witnesses of before wrote it.
    fn old_text(evidence: &Evidence) -> Vec<u8> {
        let Evidence { conflict, known, offered, prefix, .. } = evidence;
        let mut head = format!("{OLD_MAGIC}{}\nknown {}\noffered {}\n", conflict.word(), known.len(), offered.len());
        if let Some(Prefix { root, path }) = prefix {
            head += &format!("prefix {}\n", to_base64(root.as_bytes()));
            path.path().iter().for_each(|hash| head += &format!("path {}\n", to_base64(hash.as_bytes())));
        }
        [head.as_bytes(), b"\n", known, offered].concat()
    }

    #[test]
    fn an_old_file_is_listed_and_the_same_is_not_kept_twice() {
        let home = tempfile::tempdir().unwrap();
        let archive = Archive::open(home.path()).unwrap();
        let log = Log::new("log.example/a", 1);
        let root = RootHash::from_bytes([9; 32]);
        let offered = log.trusted().verify(&log.signed_root(9, root)).unwrap();
        let conflict = ConflictKind::SameSize;
        let (known, note) = (log.signed(9), offered.note().to_bytes());
        let old = Evidence { conflict, known: known.to_bytes(), offered: note, prefix: None, step: None };
        let id = format!("{}/same-size-9-{root}", log.origin().digest());
        std::fs::create_dir_all(home.path().join(&id).parent().unwrap()).unwrap();
        std::fs::write(home.path().join(&id), old_text(&old)).unwrap();
        let again = ConflictingCheckpoint { kind: conflict, offered, prefix: None };
        assert_eq!(archive.keep(Some(&known), &again).unwrap(), Kept::Already);
        assert_eq!(archive.all().unwrap(), [Filed { id, evidence: old.clone() }]);
        assert!(old.file().unwrap().check(&KnownKeys::new([log.vkey()])).is_ok());
    }

    #[test]
    fn what_is_no_evidence_is_none() {
        let good = old_text(&Evidence {
            conflict: ConflictKind::SameSize,
            known: b"ab".to_vec(),
            offered: b"\n\nc".to_vec(),
            prefix: None,
            step: None,
        });
        for length in 0..good.len() {
            assert_eq!(Evidence::parse(&good[..length]), None);
        }
        let text = String::from_utf8(good).unwrap();
        for bad in [format!("{text}x"), text.replace("known 2", "known 02"), text.replace("same", "Same")] {
            assert_eq!(Evidence::parse(bad.as_bytes()), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_of_a_text_is_what_it_says(text in "stele evidence v1\nconflict (same-size|unproven|forked)\nknown [0-9]{1,2}\noffered [0-9]{1,2}\n(prefix [A-D]{42}A=\n)?(path [A-D]{42}A=\n){0,2}\n{1,2}[a\n]{0,9}") {
            if let Some(evidence) = Evidence::parse(text.as_bytes()) {
                prop_assert_eq!(old_text(&evidence), text.into_bytes());
            }
        }

        #[test]
        fn an_old_text_of_any_bytes_is_read(known in any::<Vec<u8>>(), offered in any::<Vec<u8>>()) {
            let evidence = Evidence { conflict: ConflictKind::EmptyTree, known, offered, prefix: None, step: None };
            prop_assert_eq!(Evidence::parse(&old_text(&evidence)), Some(evidence));
        }
    }
}
