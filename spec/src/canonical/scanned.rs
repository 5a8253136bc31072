//! A document that the scan has accepted, on its way to a value.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::CanonicalError;
use super::profile::Profile;
use super::shape::{self, ShapeError};
use super::tape::Tape;
use super::{read, same, sort};

/// The most items of a document that the general decoder reads: it keeps a value for each, of some hundred bytes.
const MAX_GENERAL: usize = 1 << 18;

/// Bytes whose encoding and kinds of items are checked, whatever they mean.
#[derive(Debug)]
pub(crate) struct Scanned<'a> {
    bytes: &'a [u8],
    /// `None` where only the general decoder is to be asked.
    tape: Option<Tape<'a>>,
}

impl<'a> Scanned<'a> {
    /// Checks the encoding and the kinds of items of at most `limit` bytes, in one pass.
    pub(crate) fn scan(bytes: &'a [u8], limit: usize, profile: Profile) -> Result<Self, CanonicalError> {
        if bytes.len() > limit {
            return Err(CanonicalError::TooLong { limit, found: bytes.len() });
        }
        Ok(Self { bytes, tape: Some(Tape::of(bytes, profile)?) })
    }

    /// The same for the general decoder alone: what the tape is held against in tests and fuzz targets.
    #[cfg(any(test, fuzzing))]
    pub(crate) fn scan_untaped(bytes: &'a [u8], limit: usize, profile: Profile) -> Result<Self, CanonicalError> {
        Ok(Self { tape: None, ..Self::scan(bytes, limit, profile)? })
    }

    /// The value of which the document is the one encoding.
    ///
    /// A value that is read from the tape, and whose encoding is on the tape, is that value: the general decoder reads the same items, and the
    /// encoder writes the same. Every other document is decided by these two, which also say what is wrong with it.
    pub(crate) fn decode<T: DeserializeOwned + Serialize>(&self) -> Result<T, CanonicalError> {
        let decoded = match self.decode_taped() {
            Some(value) => Ok(value),
            None => self.decode_in_general(),
        };
        #[cfg(any(test, fuzzing))]
        self.agrees(&decoded);
        decoded
    }

    /// Reads some fields; the others are skipped.
    pub(crate) fn peek<T: DeserializeOwned>(&self) -> Result<T, CanonicalError> {
        let read = self.tape.as_ref().and_then(|tape| read::read(tape).ok());
        read.map_or_else(|| self.read_in_general(), Ok)
    }

    fn decode_taped<T: DeserializeOwned + Serialize>(&self) -> Option<T> {
        let tape = self.tape.as_ref()?;
        read::read(tape).ok().filter(|value| same::is(value, tape))
    }

    fn decode_in_general<T: DeserializeOwned + Serialize>(&self) -> Result<T, CanonicalError> {
        let value: T = self.read_in_general()?;
        // The scan leaves one spelling of every item; this leaves one choice of items for every value. What equals scanned bytes needs no scan.
        let declared = sort::declared(&value)?;
        if declared != self.bytes && sort::sorted(&declared)? != self.bytes {
            return Err(CanonicalError::NotReproduced);
        }
        Ok(value)
    }

    fn read_in_general<T: DeserializeOwned>(&self) -> Result<T, CanonicalError> {
        let read = || {
            if self.has_many_items() {
                return Err(ShapeError::anywhere("it does not fit, and has too many items to say where"));
            }
            shape::read(&serde_cbor::from_slice(self.bytes).map_err(ShapeError::anywhere)?)
        };
        read().map_err(CanonicalError::Shape)
    }

    fn has_many_items(&self) -> bool {
        self.tape.as_ref().is_some_and(|tape| tape.len() > MAX_GENERAL)
    }

    /// What is decoded is what the general decoder and encoder say, to the letter: asked of every document of every test and fuzz target.
    #[cfg(any(test, fuzzing))]
    fn agrees<T: DeserializeOwned + Serialize>(&self, decoded: &Result<T, CanonicalError>) {
        let written = |result: &Result<T, CanonicalError>| match result {
            Ok(value) => sort::declared(value),
            Err(error) => Err(error.clone()),
        };
        if !self.has_many_items() {
            assert_eq!(written(decoded), written(&self.decode_in_general()));
        }
    }

    /// Whether nothing is left to the general decoder.
    #[cfg(test)]
    pub(crate) fn is_decoded_by_tape<T: DeserializeOwned + Serialize>(&self) -> bool {
        self.decode_taped::<T>().is_some()
    }
}
