//! A list of logs that witnesses share (witness-network, `logs/v0`): whom one may ask to cosign, and how often.
//!
//! ```text
//! # comment
//! logs/v0
//!
//! vkey log.example/stele+1f2e3d4c+A...
//! origin log.example/stele
//! qpd 1440
//! contact operator@log.example
//! ```
//! `vkey` begins a log; `origin` is the key's name unless given; `qpd` is how many requests a day the log means to make. A key of a
//! type that is not ours to verify is skipped with its reason. Nothing here is trusted: what is done with a list is to add what is
//! new, never to change what is known.

use stele_spec::checkpoint::Origin;
use stele_spec::note::{NoteError, VerifierKey, shows};

use stele_witness_core::trusted_log::TrustedLog;

/// The longest list in bytes.
pub const MAX_LIST: usize = 4 << 20;

/// A log of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedLog {
    /// Origin and key.
    pub log: TrustedLog,
    /// Requests a day, if the list says so.
    pub qpd: Option<u64>,
}

/// What a list says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NetworkList {
    /// In the order of the list.
    pub logs: Vec<ListedLog>,
    /// Keys that we cannot verify, with the reason.
    pub skipped: Vec<(String, String)>,
}

/// Why bytes are no list.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ListError {
    /// Too long, or not text.
    #[error("a list is UTF-8 text of at most {MAX_LIST} bytes")]
    NotText,
    /// The first line is not the header.
    #[error("expected a first line `logs/v0`")]
    NoHeader,
    /// A line that says none of the four things, or says one before the first `vkey` or twice.
    #[error("line {line}: expected {expected}")]
    Line {
        /// Which one, from 1.
        line: usize,
        /// What belongs there.
        expected: &'static str,
    },
}

/// What is read of one log so far.
struct Entry<'a> {
    vkey: &'a str,
    origin: Option<&'a str>,
    qpd: Option<u64>,
    contact: bool,
}

impl NetworkList {
    /// Reads a list.
    pub fn parse(bytes: &[u8]) -> Result<Self, ListError> {
        if bytes.len() > MAX_LIST {
            return Err(ListError::NotText);
        }
        let text = std::str::from_utf8(bytes).map_err(|_| ListError::NotText)?;
        let mut lines = text
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line.trim()))
            .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
        if lines.next().is_none_or(|(_, line)| line != "logs/v0") {
            return Err(ListError::NoHeader);
        }
        let mut list = Self::default();
        let mut entry: Option<Entry<'_>> = None;
        for (line, text) in lines {
            let bad = |expected| ListError::Line { line, expected };
            let (keyword, value) = text.split_once([' ', '\t']).ok_or(bad("a keyword and a value"))?;
            let value = value.trim();
            if keyword == "vkey" {
                list.take(entry.replace(Entry { vkey: value, origin: None, qpd: None, contact: false }));
                continue;
            }
            let entry = entry.as_mut().ok_or(bad("`vkey` before anything else of a log"))?;
            match keyword {
                "origin" if entry.origin.is_none() => entry.origin = Some(value),
                "qpd" if entry.qpd.is_none() => {
                    entry.qpd = Some(per_day(value).ok_or(bad("a number of requests a day"))?);
                }
                "contact" if !entry.contact => entry.contact = true,
                _ => return Err(bad("vkey, origin, qpd or contact, each once for a log")),
            }
        }
        list.take(entry);
        Ok(list)
    }

    fn take(&mut self, entry: Option<Entry<'_>>) {
        let Some(Entry { vkey, origin, qpd, .. }) = entry else { return };
        match log_of(vkey, origin) {
            Ok(log) => self.logs.push(ListedLog { log, qpd }),
            Err(reason) => self.skipped.push((vkey.chars().take(200).collect(), reason)),
        }
    }
}

fn log_of(vkey: &str, origin: Option<&str>) -> Result<TrustedLog, String> {
    let key: VerifierKey = vkey.parse().map_err(|error: NoteError| error.to_string())?;
    let origin: Origin = origin.unwrap_or(key.name().as_str()).parse().map_err(|error| format!("{error}"))?;
    for name in [origin.as_str(), key.name().as_str()] {
        shows(name).map_err(|error| error.to_string())?;
    }
    TrustedLog::new(origin, vec![key]).map_err(|error| error.to_string())
}

/// A decimal number, with or without a fraction, rounded up.
fn per_day(text: &str) -> Option<u64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(fraction) {
        return None;
    }
    let more = u64::from(fraction.bytes().any(|byte| byte != b'0'));
    whole.parse::<u64>().ok()?.checked_add(more)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use stele_witness_core::samples::{Log, witness_key};

    fn vkey(name: &str) -> String {
        Log::new(name, 1).vkey().to_string()
    }

    #[test]
    fn loose_lists_are_refused_with_their_line() {
        let key = vkey("log.example/a");
        assert_eq!(NetworkList::parse(b""), Err(ListError::NoHeader));
        assert_eq!(NetworkList::parse(b"logs/v1\n"), Err(ListError::NoHeader));
        assert_eq!(NetworkList::parse(&[0xff]), Err(ListError::NotText));
        for (rest, line) in [
            ("qpd 3\n".to_owned(), 2),
            (format!("vkey {key}\nqpd\n"), 3),
            (format!("vkey {key}\nqpd -1\n"), 3),
            (format!("vkey {key}\nqpd 1e9\n"), 3),
            (format!("vkey {key}\nqpd 1\nqpd 2\n"), 4),
            (format!("vkey {key}\nurl https://x\n"), 3),
            ("logs/v0\n".to_owned(), 2),
        ] {
            let error = NetworkList::parse(format!("logs/v0\n{rest}").as_bytes()).unwrap_err();
            assert!(matches!(error, ListError::Line { line: found, .. } if found == line), "{rest:?} {error}");
        }
    }

    #[test]
    fn logs_are_read_and_keys_that_are_not_ours_to_verify_are_skipped() {
        let cosigner = witness_key().own().keys().next().unwrap().to_string();
        let text = format!(
            "# logs\nlogs/v0\n\nvkey {}\nqpd 86400\ncontact a b c\n\nvkey {}\n\torigin another origin\n  qpd 0.5\n\nvkey {cosigner}\nvkey x+y\n",
            vkey("log.example/a"),
            vkey("log.example/b"),
        );
        let list = NetworkList::parse(text.as_bytes()).unwrap();
        let found: Vec<_> = list.logs.iter().map(|listed| (listed.log.origin().as_str(), listed.qpd)).collect();
        assert_eq!(found, [("log.example/a", Some(86400)), ("another origin", Some(1))]);
        assert_eq!(list.skipped.len(), 2, "{:?}", list.skipped);
    }

    #[test]
    fn a_name_that_does_not_show_is_for_no_person_to_compare() {
        let turned = vkey("log.example/\u{202e}a");
        let text = format!("logs/v0\nvkey {turned}\nvkey {turned}\norigin log.example/b\n");
        let list = NetworkList::parse(text.as_bytes()).unwrap();
        assert!(list.logs.is_empty(), "{:?}", list.logs);
        assert!(list.skipped.iter().all(|(_, reason)| reason.contains("U+202E")), "{:?}", list.skipped);
        assert_eq!(list.skipped.len(), 2);
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_parser_panic(lines in proptest::collection::vec("(vkey|origin|qpd|contact|#)?( [a-z0-9+.=]{1,5}){0,2}\n", 0..9)) {
            let _ = NetworkList::parse(format!("logs/v0\n{}", lines.concat()).as_bytes());
        }
    }
}
