//! A record of the lock: a fence or a newly signed tree head, with the hash of the record before it.
//!
//! Text, and then the newest signed tree head as its note, if there is one:
//!
//! ```text
//! stele/lock@v1
//! log.example/stele                                                 the log's origin
//! 12                                                                the number of this record, from 1
//! 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08  SHA-256 of record 11; `-` in the first
//! 3                                                                 the epoch: how many fences there are up to here
//! 5c1f0a37e0b94ad2a9d0b3ee62a1c4f7                                  the run of the writer, 16 random bytes
//! head 00000000000000000042-...                                     or: fence <what the writer calls itself>
//!
//! log.example/stele
//! 42
//! ...
//! ```

use crate::key::MAX_KEY;
use std::fmt::Write as _;
use stele_spec::checkpoint::Origin;
use stele_spec::hash::Digest;
use stele_spec::note::MAX_NOTE;
use stele_spec::text::{decimal, hex_exact};

/// The first line.
const HEADER: &str = "stele/lock@v1";

/// The most bytes of what a writer calls itself.
pub const MAX_WRITER: usize = 256;

/// The most bytes of a record: the lines, of which the origin is the longest that is not bounded here, and the note.
pub const MAX_RECORD: u64 = (MAX_NOTE + MAX_WRITER + MAX_KEY + (4 << 10)) as u64;

/// The random name of one run of a writer: it makes each record unlike every other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Run(pub [u8; 16]);

/// What a record does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Another run takes over: no run before it appends any more. The newest signed tree head stays what it is.
    Fence {
        /// What the writer calls itself, for people.
        writer: String,
    },
    /// A newly signed tree head.
    Head {
        /// The staged batch that leads to it.
        staged: String,
        /// The signed note.
        note: Vec<u8>,
    },
}

/// A record of the lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    origin: Origin,
    number: u64,
    previous: Option<Digest>,
    epoch: u64,
    run: Run,
    act: Act,
    head: Option<Vec<u8>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Act {
    Fence(String),
    Head(String),
}

/// Why bytes are no record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected the {line} of a lock's record")]
pub struct RecordError {
    /// What was expected there.
    line: &'static str,
}

/// Why a step cannot be a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StepError {
    /// The last record is not of this run: it must fence first.
    #[error("the newest record is of another run of a writer")]
    NotFenced,
    /// The name of a writer or of a staged batch is empty, too long or not printable ASCII.
    #[error("expected 1 to {MAX_WRITER} printable ASCII characters for the writer or the staged batch")]
    Name,
    /// The note is empty or too long.
    #[error("expected a note of 1 to {MAX_NOTE} bytes")]
    Note,
    /// There is no number after this one.
    #[error("the lock is at its last number")]
    Last,
}

impl Record {
    /// The record after `previous` by which this run takes a step.
    pub fn after(previous: Option<&Self>, origin: &Origin, run: Run, step: Step) -> Result<Self, StepError> {
        let number = previous.map_or(Some(1), |previous| previous.number.checked_add(1)).ok_or(StepError::Last)?;
        let before = previous.map_or(0, |previous| previous.epoch);
        let (epoch, act, head) = match step {
            Step::Fence { writer } if is_name(&writer) => {
                let epoch = before.checked_add(1).ok_or(StepError::Last)?;
                (epoch, Act::Fence(writer), previous.and_then(|previous| previous.head.clone()))
            }
            Step::Head { .. } if previous.is_none_or(|previous| previous.run != run) => {
                return Err(StepError::NotFenced);
            }
            Step::Head { note, .. } if note.is_empty() || note.len() > MAX_NOTE => return Err(StepError::Note),
            Step::Head { staged, note } if is_name(&staged) => (before, Act::Head(staged), Some(note)),
            Step::Fence { .. } | Step::Head { .. } => return Err(StepError::Name),
        };
        let previous = previous.map(Self::digest);
        Ok(Self { origin: origin.clone(), number, previous, epoch, run, act, head })
    }

    /// Its number, from 1.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// How many fences there are up to it.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The run that wrote it.
    pub fn run(&self) -> Run {
        self.run
    }

    /// The log.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The newest signed tree head up to it, a note; `None` before the first.
    pub fn head(&self) -> Option<&[u8]> {
        self.head.as_deref()
    }

    /// What the writer calls itself, in a fence.
    pub fn writer(&self) -> Option<&str> {
        if let Act::Fence(writer) = &self.act { Some(writer) } else { None }
    }

    /// Where the writer of a fence is reached, `http://HOST:PORT` or another address of HTTP: what stands behind the second slash of what it calls itself.
    /// `None` where that is no address that another machine could ask, as a free port of a version before.
    pub fn writer_address(&self) -> Option<String> {
        let address = self.writer()?.splitn(3, '/').nth(2)?;
        if address.starts_with("http://") || address.starts_with("https://") {
            return Some(address.to_owned());
        }
        // A version before wrote where the config told it to listen.
        let listens = address.parse::<std::net::SocketAddr>().ok()?;
        let is_one = listens.port() != 0 && !listens.ip().is_unspecified();
        is_one.then(|| format!("http://{listens}"))
    }

    /// Whether the writer of a fence is on another machine than a run of this name, and reached at an address that its own machine alone reaches.
    pub fn is_local_elsewhere(&self, run: &str) -> bool {
        let host = |run: &str| run.split('/').next().map(str::to_owned);
        let (Some(writer), Some(address)) = (self.writer(), self.writer_address()) else { return false };
        let authority = address.split("://").nth(1).and_then(|rest| rest.split('/').next()).unwrap_or_default();
        let listens = authority.parse::<std::net::SocketAddr>().ok();
        let is_local = authority.starts_with("localhost")
            || listens.is_some_and(|listens| listens.ip().is_loopback() || listens.ip().is_unspecified());
        is_local && host(writer) != host(run)
    }

    /// The staged batch that leads to its tree head, unless it is a fence.
    pub fn staged(&self) -> Option<&str> {
        if let Act::Head(staged) = &self.act { Some(staged) } else { None }
    }

    /// Whether it is what may stand behind `previous`: its number, its hash, its epoch, its run, and what it says of the tree head.
    pub fn follows(&self, previous: &Self) -> bool {
        let chained = self.previous == Some(previous.digest()) && previous.number.checked_add(1) == Some(self.number);
        let kept = match self.act {
            Act::Fence(_) => self.head == previous.head && previous.epoch.checked_add(1) == Some(self.epoch),
            Act::Head(_) => self.run == previous.run && self.epoch == previous.epoch,
        };
        chained && kept && self.origin == previous.origin
    }

    /// Its bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let previous = self.previous.map_or_else(|| "-".to_owned(), |digest| digest.to_string());
        let run = self.run.0.iter().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        let (word, name) = match &self.act {
            Act::Fence(writer) => ("fence", writer),
            Act::Head(staged) => ("head", staged),
        };
        let Self { origin, number, epoch, .. } = self;
        let lines = format!("{HEADER}\n{origin}\n{number}\n{previous}\n{epoch}\n{run}\n{word} {name}\n\n");
        let mut bytes = lines.into_bytes();
        bytes.extend_from_slice(self.head.as_deref().unwrap_or_default());
        bytes
    }

    /// Reads the bytes of a record.
    pub fn parse(bytes: &[u8]) -> Result<Self, RecordError> {
        let mut rest = bytes;
        let mut line = |line| {
            let error = RecordError { line };
            let end = rest.iter().position(|byte| *byte == b'\n').ok_or(error)?;
            let (text, after) = rest.split_at_checked(end).ok_or(error)?;
            rest = after.get(1..).ok_or(error)?;
            std::str::from_utf8(text).map(|text| (text, error)).map_err(|_| error)
        };
        let (text, error) = line("first line")?;
        (text == HEADER).then_some(()).ok_or(error)?;
        let (text, error) = line("origin")?;
        let origin: Origin = text.parse().map_err(|_| error)?;
        let (text, error) = line("number")?;
        let number = decimal(text).ok().filter(|number| *number > 0).ok_or(error)?;
        let (text, error) = line("hash of the record before")?;
        let previous = if text == "-" { None } else { Some(Digest::from_hex(text).map_err(|_| error)?) };
        (previous.is_none() == (number == 1)).then_some(()).ok_or(error)?;
        let (text, error) = line("epoch")?;
        let epoch = decimal(text).ok().filter(|epoch| (1..=number).contains(epoch)).ok_or(error)?;
        let (text, error) = line("run of the writer")?;
        let run = Run(hex_exact(text).map_err(|_| error)?);
        let (text, error) = line("step")?;
        let (word, name) = text.split_once(' ').filter(|(_, name)| is_name(name)).ok_or(error)?;
        let act = match word {
            "fence" => Act::Fence(name.to_owned()),
            // The first record is a fence, and a head stands behind its run's.
            "head" if number > 1 => Act::Head(name.to_owned()),
            _ => return Err(error),
        };
        let (text, error) = line("empty line")?;
        text.is_empty().then_some(()).ok_or(error)?;
        let head = (!rest.is_empty()).then(|| rest.to_vec());
        let is_head = matches!(act, Act::Head(_));
        let fits = rest.len() <= MAX_NOTE && !(is_head && head.is_none()) && !(number == 1 && head.is_some());
        fits.then_some(()).ok_or(RecordError { line: "tree head" })?;
        Ok(Self { origin, number, previous, epoch, run, act, head })
    }

    fn digest(&self) -> Digest {
        Digest::of(&self.to_bytes())
    }
}

fn is_name(name: &str) -> bool {
    (1..=MAX_WRITER).contains(&name.len()) && name.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn origin() -> Origin {
        "log.example/stele".parse().unwrap()
    }

    fn fence(previous: Option<&Record>, run: u8) -> Record {
        Record::after(previous, &origin(), Run([run; 16]), Step::Fence { writer: "a".into() }).unwrap()
    }

    fn head(previous: &Record, run: u8, note: &str) -> Result<Record, StepError> {
        let step = Step::Head { staged: "42-aa".into(), note: note.into() };
        Record::after(Some(previous), &origin(), Run([run; 16]), step)
    }

    #[test]
    fn a_fence_keeps_the_head_and_shuts_out_the_run_before() {
        let first = fence(None, 1);
        assert_eq!((first.number(), first.epoch(), first.head()), (1, 1, None));
        let signed = head(&first, 1, "note\n").unwrap();
        let taken = fence(Some(&signed), 2);
        assert_eq!((taken.number(), taken.epoch(), taken.head()), (3, 2, Some(&b"note\n"[..])));
        assert!(signed.follows(&first) && taken.follows(&signed) && !taken.follows(&first));
        assert_eq!(head(&taken, 1, "fork\n"), Err(StepError::NotFenced));
        assert!(!signed.follows(&fence(None, 9)), "another record has that number");
    }

    #[test]
    fn what_is_no_record_is_refused() {
        let first = fence(None, 1);
        let good = String::from_utf8(head(&first, 1, "note\n").unwrap().to_bytes()).unwrap();
        assert!(Record::parse(good.as_bytes()).is_ok());
        for (from, to) in [
            ("stele/lock@v1", "stele/lock@v2"),
            ("log.example/stele\n", "\n"),
            ("\n2\n", "\n02\n"),
            ("\n2\n", "\n0\n"),
            ("\n2\n", "\n1\n"),
            ("\n1\n", "\n3\n"),
            ("\n1\n", "\n0\n"),
            ("0101", "010"),
            ("0101", "0A01"),
            ("head 42-aa", "head"),
            ("head 42-aa", "head 42 aa"),
            ("head 42-aa", "tail 42-aa"),
            ("\n\nnote\n", "\n"),
            ("\n\nnote\n", "\n\n"),
        ] {
            let bad = good.replacen(from, to, 1);
            assert_ne!(bad, good);
            assert!(Record::parse(bad.as_bytes()).is_err(), "{from:?} -> {to:?}: {bad}");
        }
        for end in 0..good.len() - "note\n".len() {
            assert!(Record::parse(&good.as_bytes()[..end]).is_err(), "{end}");
        }
    }

    /// What fences say of their writer: as this version writes it, and as those before did.
    #[test]
    fn the_address_of_a_writer_is_read_from_fences_of_every_version() {
        for (writer, address) in [
            ("a.example/4711/http://10.0.0.1:8080", Some("http://10.0.0.1:8080")),
            ("a.example/4711/https://log-a.example/mine", Some("https://log-a.example/mine")),
            ("/4711/http://[::1]:80", Some("http://[::1]:80")),
            ("a.example/4711/127.0.0.1:8080", Some("http://127.0.0.1:8080")),
            ("a.example/4711/[2001:db8::1]:80", Some("http://[2001:db8::1]:80")),
            ("a.example/4711/127.0.0.1:0", None),
            ("a.example/4711/0.0.0.0:8080", None),
            ("a.example/4711/", None),
            ("simulation", None),
        ] {
            let record = format!(
                "stele/lock@v1\nlog.example/stele\n1\n-\n1\n01010101010101010101010101010101\nfence {writer}\n\n"
            );
            let record = Record::parse(record.as_bytes()).unwrap();
            assert_eq!(record.writer_address().as_deref(), address, "{writer}");
        }
    }

    #[test]
    fn an_address_of_another_machine_alone_is_told_from_one_that_can_be_asked() {
        let fenced = |writer: &str| {
            let record = format!(
                "stele/lock@v1\nlog.example/stele\n1\n-\n1\n01010101010101010101010101010101\nfence {writer}\n\n"
            );
            Record::parse(record.as_bytes()).unwrap()
        };
        for (writer, is_it) in [
            ("a/1/http://127.0.0.1:8080", true),
            ("a/1/http://[::1]:8080", true),
            ("a/1/http://localhost:8080", true),
            ("a/1/http://127.0.0.1:8080/mine", true),
            ("a/1/127.0.0.1:8080", true),
            ("b/1/http://127.0.0.1:8080", false),
            ("a/1/http://10.0.0.1:8080", false),
            ("a/1/https://log.example", false),
        ] {
            assert_eq!(fenced(writer).is_local_elsewhere("b/2/http://127.0.0.1:8080"), is_it, "{writer}");
        }
    }

    /// Every byte removed, doubled and changed to each of some others.
    #[test]
    fn what_is_read_is_written_the_same() {
        let first = fence(None, 1);
        let signed = head(&first, 1, "note\n").unwrap();
        for record in [&first, &signed, &fence(Some(&signed), 2)] {
            let bytes = record.to_bytes();
            assert_eq!(Record::parse(&bytes).as_ref(), Ok(record));
            for at in 0..bytes.len() {
                for other in
                    [&b""[..], b"0", b"1", b" ", b"\n", b"-", b"a", b"A", b"\r\n", b"\xff", &[bytes[at], bytes[at]]]
                {
                    let mut damaged = bytes.clone();
                    damaged.splice(at..=at, other.iter().copied());
                    if let Ok(read) = Record::parse(&damaged) {
                        assert_eq!(read.to_bytes(), damaged);
                    }
                }
            }
        }
    }
}
