//! Python's pickle, as far as one must read it to know whether to load it is to run it.
//!
//! The unpickler takes one instruction after the other. What it does not know ends it with an error, and until it has imported
//! something nothing was run. So bytes are a pickle where its instructions hold up to the first import, or up to the end.

use std::io::{self, BufRead, Seek};

/// The most instructions that are followed: what is still a pickle then is called one.
const MAX_STEPS: u32 = 1 << 20;
/// The longest line of an instruction in text that is read.
const MAX_LINE: u64 = 1 << 20;

/// Whether a stream is a pickle, from where it stands.
pub fn is_pickle(reader: impl BufRead + Seek, size: u64) -> io::Result<bool> {
    let mut machine = Machine { reader, left: size, depth: 0, marks: Vec::new() };
    for _ in 0..MAX_STEPS {
        match machine.step() {
            Ok(Step::Next) => {}
            Ok(Step::Runs | Step::Ends) => return Ok(true),
            Ok(Step::Fails) => return Ok(false),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
            Err(error) => return Err(error),
        }
    }
    Ok(true)
}

/// Whether a stream that begins as a pickle ends before the pickle does. One that is longer than what is followed, or that breaks
/// elsewhere, is not called cut.
pub fn is_cut(reader: impl BufRead + Seek, size: u64) -> io::Result<bool> {
    let mut machine = Machine { reader, left: size, depth: 0, marks: Vec::new() };
    for _ in 0..MAX_STEPS {
        match machine.step() {
            Ok(Step::Next | Step::Runs) => {}
            Ok(Step::Ends) => return Ok(false),
            Ok(Step::Fails) => return Ok(machine.left == 0),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(true),
            Err(error) => return Err(error),
        }
    }
    Ok(false)
}

/// Whether a stream of an old protocol, which has no mark of its own, would be run: it imports something by a name of Python, and goes on as a
/// pickle does. A text of one's own may begin as a pickle and breaks soon.
pub fn imports(reader: impl BufRead + Seek, size: u64) -> io::Result<bool> {
    /// So many instructions after an import are no accident.
    const ENOUGH: u32 = 3;
    let mut machine = Machine { reader, left: size, depth: 0, marks: Vec::new() };
    let mut since = None;
    for _ in 0..MAX_STEPS {
        match machine.step() {
            Ok(Step::Next) if since.is_some_and(|steps| steps >= ENOUGH) => return Ok(true),
            Ok(Step::Next) => since = since.map(|steps| steps + 1),
            Ok(Step::Runs) => since = since.map(|steps| steps + 1).or(Some(0)),
            Ok(Step::Ends) => return Ok(since.is_some()),
            Ok(Step::Fails) => return Ok(false),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
            Err(error) => return Err(error),
        }
    }
    Ok(since.is_some())
}

/// What an instruction does to the whole.
enum Step {
    /// It is followed by another.
    Next,
    /// It imports something, and is followed by another.
    Runs,
    /// It ends the pickle.
    Ends,
    /// It ends the unpickler with an error.
    Fails,
}

/// The unpickler without values: how many there are, and where the marks among them stand.
struct Machine<R> {
    reader: R,
    left: u64,
    depth: usize,
    marks: Vec<usize>,
}

impl<R: BufRead + Seek> Machine<R> {
    fn step(&mut self) -> io::Result<Step> {
        let [op] = self.array()?;
        let holds = match op {
            b'.' => return Ok(if self.depth > 0 { Step::Ends } else { Step::Fails }),
            // GLOBAL and INST: the module and the name are UTF-8. INST takes what stands since a mark.
            b'c' => return Ok(Self::runs(self.line(is_utf8)? && self.line(is_utf8)? && self.push())),
            b'i' => return Ok(Self::runs(self.line(is_utf8)? && self.line(is_utf8)? && self.pop_to_mark(1))),
            // STACK_GLOBAL; OBJ; the extension registry; persistent ids, which a loader gives meaning.
            0x93 => return Ok(Self::runs(self.depth >= 2 && self.pop(2, 1))),
            b'o' => return Ok(Self::runs(self.pop_to_mark(1))),
            0x82..=0x84 => {
                self.skip(1 << (op - 0x82))?;
                return Ok(Self::runs(self.push()));
            }
            b'P' => return Ok(Self::runs(self.line(|line| line.is_ascii())? && self.push())),
            b'Q' => return Ok(Self::runs(self.depth > 0)),
            0x80 => matches!(self.array::<1>()?, [0..=5]),
            0x95 => self.array::<8>().is_ok(),
            b'(' => {
                self.marks.push(self.depth);
                true
            }
            // Values.
            b'N' | b'}' | b']' | b')' | 0x88 | 0x89 | 0x8f | 0x97 => self.push(),
            b'J' => self.skip(4)? && self.push(),
            b'K' => self.skip(1)? && self.push(),
            b'M' => self.skip(2)? && self.push(),
            b'G' => self.skip(8)? && self.push(),
            b'h' => self.skip(1)? && self.push(),
            b'j' => self.skip(4)? && self.push(),
            b'I' | b'F' | b'L' | b'g' => self.line(is_number)? && self.push(),
            b'S' => self.line(is_quoted)? && self.push(),
            b'V' => self.line(|_| true)? && self.push(),
            b'U' | b'C' | 0x8a | 0x8c => self.counted::<1>()? && self.push(),
            b'T' | b'X' | b'B' | 0x8b => self.counted::<4>()? && self.push(),
            0x8d | 0x8e | 0x96 => self.counted::<8>()? && self.push(),
            // What is kept for later.
            b'p' => self.line(is_number)? && self.depth > 0,
            b'q' => self.skip(1)? && self.depth > 0,
            b'r' => self.skip(4)? && self.depth > 0,
            0x94 | 0x98 => self.depth > 0,
            // What takes values from the top.
            b'0' => self.pop(1, 0),
            b'2' => self.pop(1, 2),
            0x85 => self.pop(1, 1),
            0x86 | b'R' | b'b' | b'a' | 0x81 => self.pop(2, 1),
            0x87 | b's' | 0x92 => self.pop(3, 1),
            // What takes all values since a mark.
            b'1' => self.pop_to_mark(0),
            b't' | b'l' | b'd' | 0x91 => self.pop_to_mark(1),
            b'e' | b'u' | 0x90 => self.pop_to_mark(0) && self.depth > 0,
            _ => false,
        };
        Ok(if holds { Step::Next } else { Step::Fails })
    }

    fn runs(holds: bool) -> Step {
        if holds { Step::Runs } else { Step::Fails }
    }

    fn push(&mut self) -> bool {
        self.depth += 1;
        true
    }

    fn pop(&mut self, taken: usize, given: usize) -> bool {
        let floor = self.marks.last().copied().unwrap_or(0);
        // To drop where nothing is above a mark drops the mark.
        if taken == 1 && given == 0 && self.depth == floor {
            return self.marks.pop().is_some();
        }
        if self.depth < floor + taken {
            return false;
        }
        self.depth = self.depth - taken + given;
        true
    }

    fn pop_to_mark(&mut self, given: usize) -> bool {
        let Some(mark) = self.marks.pop() else { return false };
        self.depth = mark + given;
        true
    }

    fn array<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.reader.read_exact(&mut bytes)?;
        self.left = self.left.saturating_sub(N as u64);
        Ok(bytes)
    }

    /// Leaves bytes out, if there are so many.
    fn skip(&mut self, bytes: u64) -> io::Result<bool> {
        let (Ok(step), true) = (i64::try_from(bytes), bytes <= self.left) else {
            // It goes beyond the end.
            self.left = 0;
            return Ok(false);
        };
        self.reader.seek_relative(step)?;
        self.left -= bytes;
        Ok(true)
    }

    /// A length in `N` bytes, the lowest first, and as many bytes.
    fn counted<const N: usize>(&mut self) -> io::Result<bool> {
        let mut length = [0; 8];
        for (to, from) in length.iter_mut().zip(self.array::<N>()?) {
            *to = from;
        }
        self.skip(u64::from_le_bytes(length))
    }

    /// The rest of a line, if it is as it must be.
    fn line(&mut self, is: fn(&[u8]) -> bool) -> io::Result<bool> {
        let mut line = Vec::new();
        io::Read::take(&mut self.reader, MAX_LINE).read_until(b'\n', &mut line)?;
        self.left = self.left.saturating_sub(line.len() as u64);
        Ok(line.pop() == Some(b'\n') && is(&line))
    }
}

fn is_utf8(line: &[u8]) -> bool {
    std::str::from_utf8(line).is_ok()
}

fn is_number(line: &[u8]) -> bool {
    !line.is_empty() && line.iter().all(|byte| byte.is_ascii_alphanumeric() || b" +-._\r\t".contains(byte))
}

fn is_quoted(line: &[u8]) -> bool {
    matches!(line.trim_ascii_end(), [b'\'', .., b'\''] | [b'"', .., b'"'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn is(bytes: &[u8]) -> bool {
        is_pickle(Cursor::new(bytes), bytes.len() as u64).unwrap()
    }

    #[test]
    fn pickles_of_every_protocol_are_known() {
        // pickle.dumps({"a": [1, 2.5, "x"]}, protocol=0..5) and pickle.dumps(os.system, protocol=0), of Python 3.13.
        assert!(is(b"(dp0\nVa\np1\n(lp2\nI1\naF2.5\naVx\np3\nas."));
        assert!(is(b"}q\0X\x01\0\0\0aq\x01]q\x02(K\x01G@\x04\0\0\0\0\0\0X\x01\0\0\0xq\x03es."));
        assert!(is(b"\x80\x02}q\0X\x01\0\0\0aq\x01]q\x02(K\x01G@\x04\0\0\0\0\0\0X\x01\0\0\0xq\x03es."));
        assert!(is(b"\x80\x04\x95\x1b\0\0\0\0\0\0\0}\x94\x8c\x01a\x94]\x94(K\x01G@\x04\0\0\0\0\0\0\x8c\x01x\x94es."));
        assert!(is(b"cposix\nsystem\np0\n."));
        assert!(is(b"cposix\nsystem\n(S'id'\ntR"), "what runs before it breaks has run");
    }

    #[test]
    fn an_import_of_an_old_protocol_is_seen_wherever_it_stands() {
        let imports = |bytes: &[u8]| imports(Cursor::new(bytes), bytes.len() as u64).unwrap();
        let call = b"cos\nsystem\n(S'id'\ntR.";
        for before in [&b""[..], b"I1\n0", b"(1", b"N0"] {
            assert!(imports(&[before, call].concat()), "{before:?}");
        }
        assert!(imports(&[b"I1\n0".repeat(5000), call.to_vec()].concat()), "beyond what one looks at first");
        for text in [
            &b"copyright Acme\nand others\nall rights reserved\n"[..],
            b"code\nis\nhere\n",
            b"I am a text\n",
            b"# Notes\n",
            b"{}",
        ] {
            assert!(!imports(text), "{text:?}");
        }
    }

    #[test]
    fn a_pickle_that_ends_early_is_cut() {
        let cut = |bytes: &[u8]| is_cut(Cursor::new(bytes), bytes.len() as u64).unwrap();
        let whole = b"\x80\x02}q\0X\x01\0\0\0aq\x01]q\x02(K\x01G@\x04\0\0\0\0\0\0X\x01\0\0\0xq\x03es.";
        assert!(!cut(whole));
        assert!(!cut(&[&whole[..], b"what PyTorch's old format has behind it"].concat()));
        for end in 2..whole.len() {
            assert!(cut(&whole[..end]), "{end}");
        }
        assert!(cut(b"cos\nsystem\n(S'id'\ntR"), "an import does not end it");
        assert!(!cut(b"cos\nsystem\n(S'id'\ntR."));
    }

    #[test]
    fn a_value_before_the_import_hides_nothing() {
        for before in [&b"N0"[..], b"K\x01", b"(1", b"X\x02\0\0\0ab0", b"]\x94", b"\x8c\x01a\x8c\x01b\x86"] {
            assert!(is(&[before, b"cos\nsystem\n."].concat()), "{before:?}");
        }
        assert!(
            is(&[&b"B\0\0\x01\0"[..], &[0; 65_536], b"0cos\nsystem\n."].concat()),
            "beyond what one looks at first"
        );
    }

    #[test]
    fn other_bytes_are_no_pickle() {
        for bytes in [
            &b""[..],
            b".",
            b"0",
            b"\0\0\0\0",
            b"\x80\x09N.",
            b"\x00\x00\x80\x3f",
            b"\x93NUMPY\x01\0",
            b"Not a pickle",
            b"{\"a\": 1}",
            b"K",
            b"X\xff\xff\xff\x7fabc",
            b"c\xff\xfe\nx\n.",
            b"t.",
            b"\x01\0\0\0\x02\0\0\0",
        ] {
            assert!(!is(bytes), "{bytes:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_read_to_an_end(bytes: Vec<u8>) {
            is(&bytes);
        }
    }
}
