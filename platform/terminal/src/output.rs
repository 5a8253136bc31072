//! What a program says: data on stdout, messages on stderr, and neither panics when the other end is gone.
//!
//! `println!` panics on a closed pipe; `stele show x | head -1` is no failure. So every binary writes through here.

use std::io::{self, Write};
use stele_explain::printable::printable;
use stele_explain::secrets::without_passwords;
use stele_explain::{Exit, Explain, explain};

/// Why data could not be written to stdout.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// The reader went away. This is success: it has what it wanted.
    #[error("the reader of the output is gone")]
    Closed,
    /// Anything else, such as a full disk behind a redirect.
    #[error("cannot write to standard output")]
    Io(#[source] io::Error),
}

impl From<io::Error> for OutputError {
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe { Self::Closed } else { Self::Io(error) }
    }
}

impl Explain for OutputError {
    explain! {
        Self::Closed => Exit::Ok, "output-closed";
        Self::Io(_) => Exit::Io, "output-failed";
    }
}

/// Writes text that a person reads to stdout and flushes it; see [`printable`].
pub fn print(text: &str) -> Result<(), OutputError> {
    print_bytes(printable(text).as_bytes())
}

/// Writes bytes to stdout as they are and flushes them.
pub fn print_bytes(data: &[u8]) -> Result<(), OutputError> {
    write_to(&mut io::stdout().lock(), data)
}

/// Writes one JSON document, indented, and a newline to stdout. No address in it has a password.
pub fn print_json(document: &impl serde::Serialize) -> Result<(), OutputError> {
    let mut text = serde_json::to_string_pretty(document).map_err(|e| OutputError::Io(e.into()))?;
    text.push('\n');
    print_bytes(without_passwords(&text).as_bytes())
}

/// Writes a message to stderr, see [`printable`]. A failure is ignored: there is no other place to report it.
pub fn complain(message: &str) {
    let _ = write_to(&mut io::stderr().lock(), printable(message).as_bytes());
}

fn write_to(to: &mut impl Write, data: &[u8]) -> Result<(), OutputError> {
    to.write_all(data)?;
    to.flush()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Broken(io::ErrorKind);

    impl Write for Broken {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_closed_pipe_is_success_and_a_full_disk_is_not() {
        let gone = write_to(&mut Broken(io::ErrorKind::BrokenPipe), b"x").unwrap_err();
        assert_eq!(gone.exit(), Exit::Ok);
        let full = write_to(&mut Broken(io::ErrorKind::StorageFull), b"x").unwrap_err();
        assert_eq!(full.exit(), Exit::Io);
    }
}
