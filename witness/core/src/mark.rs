//! The mark: a second durable file for each log, written before the state and never part of the same backup.
//!
//! ```text
//! stele-witness mark v1
//! intent
//! previous 47dc540c94ceb704a23875c11273e16bb0b8a87aed84de911f2133568115f254
//!
//! <the whole record that the state is about to hold>
//! ```
//! `previous` is the SHA-256 of the record that the state held before; `settled` replaces `intent` once the state holds
//! the new one. So a crash between the two files can be told from a state that somebody has put back, and can be
//! finished: nothing was answered before the state was durable, and the mark has everything that was to be in it.

use stele_spec::hash::Digest;

const MAGIC: &str = "stele-witness mark v1\n";

/// What the state of one log holds, or is about to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// How far it got.
    pub phase: Phase,
    /// The digest of the record before.
    pub previous: Digest,
    /// The record.
    pub record: Vec<u8>,
}

/// How far a change of state got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The state may still hold the record before.
    Intent,
    /// The state holds this record.
    Settled,
}

impl Phase {
    fn word(self) -> &'static str {
        match self {
            Self::Intent => "intent",
            Self::Settled => "settled",
        }
    }
}

impl Mark {
    /// Reads a mark; `None` if it is none.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(MAGIC.as_bytes())?;
        let (phase, rest) = [Phase::Intent, Phase::Settled].into_iter().find_map(|phase| {
            let rest = rest.strip_prefix(phase.word().as_bytes())?.strip_prefix(b"\nprevious ")?;
            Some((phase, rest))
        })?;
        let (digest, rest) = rest.split_at_checked(64)?;
        let previous = Digest::from_hex(std::str::from_utf8(digest).ok()?).ok()?;
        let record = rest.strip_prefix(b"\n\n")?.to_vec();
        Some(Self { phase, previous, record })
    }

    /// The bytes of the mark.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = format!("{MAGIC}{}\nprevious {}\n\n", self.phase.word(), self.previous).into_bytes();
        bytes.extend_from_slice(&self.record);
        bytes
    }

    /// The same, settled.
    pub fn settled(self) -> Self {
        Self { phase: Phase::Settled, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_no_mark_is_none() {
        let good = Mark { phase: Phase::Intent, previous: Digest::of(b""), record: b"x".to_vec() }.to_bytes();
        for length in 0..good.len() - 1 {
            assert_eq!(Mark::parse(&good[..length]), None, "{length}");
        }
        let text = String::from_utf8(good).unwrap();
        for bad in [text.replace("v1", "v2"), text.replace("intent", "Intent"), text.replace("e3b0", "E3B0")] {
            assert_eq!(Mark::parse(bad.as_bytes()), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_parses_is_written_back_as_it_was(phase in "intent|settled|inten", hex in "[0-9a-fA]{63,64}", rest in "\n{0,3}[a\n]{0,5}") {
            let text = format!("{MAGIC}{phase}\nprevious {hex}{rest}");
            if let Some(mark) = Mark::parse(text.as_bytes()) {
                prop_assert_eq!(mark.to_bytes(), text.into_bytes());
            }
        }
    }
}
