//! The text of a name proof: what it holds, read strictly and written back.

use core::fmt;

use super::error::{Malformed, Problem};
use super::limits::{MAX_POINTERS, MAX_STEPS};
use super::lines::Lines;
use crate::hash::{IndexKey, IndexRoot, LeafHash, ListRoot, NodeHash};
use crate::index::{Absence, MAX_SUBJECT, Path, Pointer, Proof, Step, Subject, Subtree, Value};
use crate::merkle::{InclusionProof, MAX_PROOF};
use crate::note::{MAX_NOTE, SignedNote};
use crate::text::to_base64;

/// The first line of every name proof.
const HEADER: &str = "stele/name-proof@v1";

/// A line of base64 of 32 bytes.
const HASH_LINE: usize = 44 + 1;

/// A decimal of 64 bits, and a space or line feed.
const NUMBER: usize = 20 + 1;

/// The longest name proof in bytes: every part at its longest.
pub const MAX_NAME_PROOF: usize = MAX_NOTE
    + HEADER.len()
    + MAX_SUBJECT
    + MAX_PROOF * HASH_LINE
    + MAX_STEPS * (NUMBER + HASH_LINE)
    + MAX_POINTERS * (NUMBER + HASH_LINE)
    + 512;

/// A name proof as it came; nothing in it is verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameProof {
    subject: Subject,
    index: IndexRoot,
    inclusion: InclusionProof,
    answer: Answer,
    checkpoint: SignedNote,
}

/// What the index is said to hold under the subject's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// A list.
    Listed {
        /// Its size and root.
        value: Value,
        /// The way from the key's leaf to the root of the index.
        path: Path,
        /// The part of it that is shown.
        shown: Shown,
    },
    /// Nothing.
    Absent(Absence),
}

/// A part of a list: its pointers from a position of the log on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Shown {
    /// The first position of the log of which pointers are shown.
    pub from: u64,
    /// How many pointers the list has before that position.
    pub before: u64,
    /// The pointers from there on: all of them, or the first [`MAX_POINTERS`].
    pub pointers: Vec<Pointer>,
}

impl NameProof {
    /// Puts a proof together: what the index says of `subject`, and the pointers to show of the list that is there.
    ///
    /// A proof that would not be read back is refused.
    pub fn new(
        subject: Subject,
        index: IndexRoot,
        inclusion: InclusionProof,
        said: Proof,
        shown: Shown,
        checkpoint: SignedNote,
    ) -> Result<Self, Malformed> {
        let answer = match said {
            Proof::Present { value, path } => Answer::Listed { value, path, shown },
            Proof::Absent(absence) => Answer::Absent(absence),
        };
        Self::parse(&Self { subject, index, inclusion, answer, checkpoint }.to_bytes())
    }

    /// Reads a name proof.
    pub fn parse(bytes: &[u8]) -> Result<Self, Malformed> {
        if bytes.len() > MAX_NAME_PROOF {
            let problem = Problem::TooLong { limit: MAX_NAME_PROOF, found: bytes.len() };
            return Err(Malformed { line: 1, problem });
        }
        let mut lines = Lines::of(bytes)?;
        lines.exactly(HEADER).map_err(|at| at.because(Problem::Header))?;
        let subject = lines.next(Problem::Ended)?;
        let subject = subject.text.parse().map_err(|error| subject.because(Problem::Subject(error)))?;
        let index = lines.next(Problem::Index)?;
        let index = index.word("index ").and_then(|word| word.hash()).map_err(|at| at.because(Problem::Index))?;
        let inclusion = read_inclusion(&mut lines)?;
        let answer = read_answer(&mut lines)?;
        let checkpoint = lines.rest();
        let checkpoint =
            SignedNote::parse(checkpoint.text.as_bytes()).map_err(|error| checkpoint.because(Problem::Note(error)))?;
        Ok(Self { subject, index: IndexRoot::from_bytes(index), inclusion, answer, checkpoint })
    }

    /// The bytes of the proof: `format(parse(x)) == x`.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.to_string().into_bytes()
    }

    /// Puts the lines of a proof together with what a bundle has of it elsewhere: its subject, and its checkpoint.
    ///
    /// `index` and `answer` must be what [`NameProof::index_lines`] and [`NameProof::answer_lines`] give.
    pub fn assemble(
        subject: &Subject,
        index: &[u8],
        answer: &[u8],
        checkpoint: &SignedNote,
    ) -> Result<Self, Malformed> {
        let head = format!("{HEADER}\n{subject}\n");
        let bytes = [head.as_bytes(), index, answer, b"\n", checkpoint.to_string().as_bytes()].concat();
        let proof = Self::parse(&bytes)?;
        // Otherwise one part could hold lines of another, and a proof would have more encodings than one.
        match proof.index_lines().as_bytes() == index && proof.answer_lines().as_bytes() == answer {
            true => Ok(proof),
            false => Err(Malformed { line: 3, problem: Problem::Index }),
        }
    }

    /// The same proof for a reader who has the whole list: it shows no pointer.
    pub fn without_pointers(&self, size: u64) -> Self {
        let mut proof = self.clone();
        if let Answer::Listed { value, shown, .. } = &mut proof.answer {
            *shown = Shown { from: size, before: value.count, pointers: Vec::new() };
        }
        proof
    }

    /// The lines that state the root of the index: `index <root>`, and the inclusion path of the last entry.
    pub fn index_lines(&self) -> String {
        let path = self.inclusion.path().iter().map(|hash| format!("{}\n", to_base64(hash.as_bytes())));
        core::iter::once(format!("index {}\n", to_base64(self.index.as_bytes()))).chain(path).collect()
    }

    /// The lines of the answer, from `list` or `absent` up to the empty line, which is not among them.
    pub fn answer_lines(&self) -> String {
        WrittenAnswer(&self.answer).to_string()
    }

    /// What was asked.
    pub const fn subject(&self) -> &Subject {
        &self.subject
    }

    /// The root of the index, as the last entry of the tree is said to state it.
    pub const fn index(&self) -> IndexRoot {
        self.index
    }

    /// The claimed path of the last entry.
    pub const fn inclusion(&self) -> &InclusionProof {
        &self.inclusion
    }

    /// The claimed answer.
    pub const fn answer(&self) -> &Answer {
        &self.answer
    }

    /// The checkpoint it leads to, with its signatures.
    pub const fn checkpoint(&self) -> &SignedNote {
        &self.checkpoint
    }
}

/// Base64 lines up to the first that has a space or is `absent`, which is left where it is.
fn read_inclusion(lines: &mut Lines<'_>) -> Result<InclusionProof, Malformed> {
    let mut path = Vec::new();
    while let Some(line) = lines.next_if(|text| text.len() + 1 == HASH_LINE && !text.contains(' ')) {
        if path.len() == MAX_PROOF {
            return Err(line.because(Problem::TooManyHashes));
        }
        path.push(NodeHash::from_bytes(line.hash().map_err(|at| at.because(Problem::Hash))?));
    }
    InclusionProof::from_path(path).ok_or(Malformed { line: 3, problem: Problem::TooManyHashes })
}

/// The answer with the empty line at its end.
fn read_answer(lines: &mut Lines<'_>) -> Result<Answer, Malformed> {
    let head = lines.next(Problem::Answer)?;
    let malformed = |at: super::lines::At| at.because(Problem::Answer);
    if head.text == "absent" {
        lines.exactly("").map_err(|at| at.because(Problem::Ended))?;
        return Ok(Answer::Absent(Absence::Empty));
    }
    if let Ok(words) = head.word("absent ") {
        let (key, value) = words.split().map_err(malformed)?;
        let (key, value) = (IndexKey::from_bytes(key.hash().map_err(malformed)?), read_value(value)?);
        let path = read_path(lines)?;
        lines.exactly("").map_err(|at| at.because(Problem::Step))?;
        return Ok(Answer::Absent(Absence::Other { key, value, path }));
    }
    let value = read_value(head.word("list ").map_err(malformed)?)?;
    let path = read_path(lines)?;
    Ok(Answer::Listed { value, path, shown: read_shown(lines, value.count)? })
}

/// `<count> <list root>`; no list in an index is empty.
fn read_value(words: super::lines::Line<'_>) -> Result<Value, Malformed> {
    let malformed = |at: super::lines::At| at.because(Problem::Answer);
    let (count, root) = words.split().map_err(malformed)?;
    let (count, root) = (count.number().map_err(malformed)?, root.hash().map_err(malformed)?);
    if count == 0 {
        return Err(words.because(Problem::Answer));
    }
    Ok(Value { count, root: ListRoot::from_bytes(root) })
}

/// Lines of `<bit> <base64>`, up to the first that does not begin with a digit.
fn read_path(lines: &mut Lines<'_>) -> Result<Path, Malformed> {
    let mut steps = Vec::new();
    while let Some(line) = lines.next_if(|text| text.starts_with(|first: char| first.is_ascii_digit())) {
        let malformed = |at: super::lines::At| at.because(Problem::Step);
        if steps.len() == MAX_STEPS {
            return Err(line.because(Problem::TooManySteps));
        }
        let (bit, sibling) = line.split().map_err(malformed)?;
        let bit = u8::try_from(bit.number().map_err(malformed)?).map_err(|_| line.because(Problem::Step))?;
        steps.push(Step { bit, sibling: Subtree::from_bytes(sibling.hash().map_err(malformed)?) });
    }
    Ok(Path::new(steps))
}

/// `from <position> <pointers before>`, and lines of `<position> <leaf hash>` up to the empty line.
fn read_shown(lines: &mut Lines<'_>, count: u64) -> Result<Shown, Malformed> {
    let malformed = |at: super::lines::At| at.because(Problem::From);
    let head = lines.next(Problem::From)?;
    let (from, before) = head.word("from ").and_then(|words| words.split()).map_err(malformed)?;
    let (from, before) = (from.number().map_err(malformed)?, before.number().map_err(malformed)?);
    // Pointers have different positions, so there are no more of them than positions.
    if before > from || before > count {
        return Err(head.because(Problem::From));
    }
    let mut pointers = Vec::new();
    loop {
        let line = lines.next(Problem::Pointer)?;
        if line.text.is_empty() {
            return Ok(Shown { from, before, pointers });
        }
        let malformed = |at: super::lines::At| at.because(Problem::Pointer);
        if pointers.len() == MAX_POINTERS || pointers.len() as u64 == count - before {
            return Err(line.because(Problem::TooManyPointers));
        }
        let (position, leaf) = line.split().map_err(malformed)?;
        let position = position.number().map_err(malformed)?;
        pointers.push(Pointer { position, leaf: LeafHash::from_bytes(leaf.hash().map_err(malformed)?) });
    }
}

impl fmt::Display for NameProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let answer = WrittenAnswer(&self.answer);
        write!(f, "{HEADER}\n{}\n{}{answer}\n{}", self.subject, self.index_lines(), self.checkpoint)
    }
}

/// The lines of an answer.
struct WrittenAnswer<'a>(&'a Answer);

impl fmt::Display for WrittenAnswer<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Answer::Absent(Absence::Empty) => writeln!(f, "absent"),
            Answer::Absent(Absence::Other { key, value, path }) => {
                writeln!(f, "absent {} {}", to_base64(key.as_bytes()), Written(value))?;
                write_path(f, path)
            }
            Answer::Listed { value, path, shown } => {
                writeln!(f, "list {}", Written(value))?;
                write_path(f, path)?;
                writeln!(f, "from {} {}", shown.from, shown.before)?;
                let mut pointers = shown.pointers.iter();
                pointers
                    .try_for_each(|Pointer { position, leaf }| writeln!(f, "{position} {}", to_base64(leaf.as_bytes())))
            }
        }
    }
}

fn write_path(f: &mut fmt::Formatter<'_>, path: &Path) -> fmt::Result {
    path.steps().iter().try_for_each(|step| writeln!(f, "{} {}", step.bit, to_base64(step.sibling.as_bytes())))
}

/// A value as it is written here: `<count> <list root>`.
struct Written<'a>(&'a Value);

impl fmt::Display for Written<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0.count, to_base64(self.0.root.as_bytes()))
    }
}
