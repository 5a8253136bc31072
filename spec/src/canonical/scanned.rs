//! A document that the scan has accepted, on its way to a value.

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::error::CanonicalError;
use super::profile::Profile;
use super::shape::{self, ShapeError};
use super::tape::{MAX_TAPED, Tape};
use super::{read, same, scan, sort};

/// Up to this length a wrongly shaped document is read a second time, to name the field.
const MAX_DIAGNOSED: usize = 65_535;

/// Bytes whose encoding and kinds of items are checked, whatever they mean.
#[derive(Debug)]
pub(crate) struct Scanned<'a> {
    bytes: &'a [u8],
    /// `None` of a long document.
    tape: Option<Tape<'a>>,
}

impl<'a> Scanned<'a> {
    /// Checks the encoding and the kinds of items of at most `limit` bytes, in one pass.
    pub(crate) fn scan(bytes: &'a [u8], limit: usize, profile: Profile) -> Result<Self, CanonicalError> {
        if bytes.len() > MAX_TAPED || bytes.len() > limit {
            return Self::scan_untaped(bytes, limit, profile);
        }
        Ok(Self { bytes, tape: Some(Tape::of(bytes, profile)?) })
    }

    /// The same for the general decoder alone: for long documents, and what the tape is held against in tests and fuzz targets.
    pub(crate) fn scan_untaped(bytes: &'a [u8], limit: usize, profile: Profile) -> Result<Self, CanonicalError> {
        if bytes.len() > limit {
            return Err(CanonicalError::TooLong { limit, found: bytes.len() });
        }
        scan::scan(bytes, profile, &mut ())?;
        Ok(Self { bytes, tape: None })
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
            return Err(self.diagnose::<T>().map_or(CanonicalError::NotReproduced, CanonicalError::Shape));
        }
        Ok(value)
    }

    fn read_in_general<T: DeserializeOwned>(&self) -> Result<T, CanonicalError> {
        serde_cbor::from_slice(self.bytes)
            .map_err(|error| CanonicalError::Shape(self.diagnose::<T>().unwrap_or_else(|| ShapeError::anywhere(error))))
    }

    /// Names the field that does not fit, unless the document is too long to be read twice.
    fn diagnose<T: DeserializeOwned>(&self) -> Option<ShapeError> {
        if self.bytes.len() > MAX_DIAGNOSED {
            return None;
        }
        shape::read::<T>(&serde_cbor::from_slice(self.bytes).ok()?).err()
    }

    /// What is decoded is what the general decoder and encoder say, to the letter: asked of every document of every test and fuzz target.
    #[cfg(any(test, fuzzing))]
    fn agrees<T: DeserializeOwned + Serialize>(&self, decoded: &Result<T, CanonicalError>) {
        let written = |result: &Result<T, CanonicalError>| match result {
            Ok(value) => sort::declared(value),
            Err(error) => Err(error.clone()),
        };
        assert_eq!(written(decoded), written(&self.decode_in_general()));
    }

    /// Whether nothing is left to the general decoder.
    #[cfg(test)]
    pub(crate) fn is_decoded_by_tape<T: DeserializeOwned + Serialize>(&self) -> bool {
        self.decode_taped::<T>().is_some()
    }
}
