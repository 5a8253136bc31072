//! The wire format of Protocol Buffers: the fields of a message one after the other, with a bound on everything.

use std::io::{self, BufRead, Read as _, Seek, SeekFrom};

/// A message in a file, of which values are read where they are asked for.
pub struct Fields<R> {
    file: R,
    at: u64,
    left: u64,
}

impl<R: BufRead + Seek> Fields<R> {
    /// The fields of a message that begins here; `most` of them are looked at, those of messages inside it among them.
    pub const fn new(file: R, most: u64) -> Self {
        Self { file, at: 0, left: most }
    }

    /// How many bytes were read.
    pub const fn at(&self) -> u64 {
        self.at
    }

    /// The number of the next field, and of bytes how many there are, which come next; a number is read over. None where no field stands that ends
    /// before `end`, or where there are too many.
    pub fn field(&mut self, end: u64) -> io::Result<Option<(u64, Option<u64>)>> {
        let Some(left) = self.left.checked_sub(1) else { return Ok(None) };
        self.left = left;
        let Some(tag) = self.varint(end)? else { return Ok(None) };
        let (skipped, length) = match tag & 7 {
            0 => match self.varint(end)? {
                Some(_) => (0, None),
                None => return Ok(None),
            },
            1 => (8, None),
            2 => match self.varint(end)? {
                Some(length) => (0, Some(length)),
                None => return Ok(None),
            },
            5 => (4, None),
            _ => return Ok(None),
        };
        let is_within = self.at.checked_add(skipped.max(length.unwrap_or_default())).is_some_and(|after| after <= end);
        if tag >> 3 == 0 || !is_within {
            return Ok(None);
        }
        self.go_to(self.at + skipped)?;
        Ok(Some((tag >> 3, length)))
    }

    /// The next bytes; fewer where the file ends.
    pub fn bytes(&mut self, length: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.file.by_ref().take(length).read_to_end(&mut bytes)?;
        self.at += bytes.len() as u64;
        Ok(bytes)
    }

    /// Goes on at a place further down.
    pub fn go_to(&mut self, at: u64) -> io::Result<()> {
        match i64::try_from(at.saturating_sub(self.at)) {
            Ok(step) => self.file.seek_relative(step)?,
            Err(_) => drop(self.file.seek(SeekFrom::Start(at))?),
        }
        self.at = at;
        Ok(())
    }

    fn varint(&mut self, end: u64) -> io::Result<Option<u64>> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            if self.at >= end {
                return Ok(None);
            }
            let mut byte = [0];
            match self.file.read_exact(&mut byte) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
                Err(error) => return Err(error),
            }
            self.at += 1;
            let [byte] = byte;
            // The tenth byte holds one bit.
            if shift == 63 && byte > 1 {
                return Ok(None);
            }
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(Some(value));
            }
        }
        Ok(None)
    }
}
