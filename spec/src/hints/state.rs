//! SHA-256 between two blocks.

use core::fmt;

use sha2::block_api::compress256;

use crate::hash::Digest;

/// The eight words of SHA-256 after some whole blocks (FIPS 180-4, section 6.2.2). Nothing is proven by having one.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct State([u32; 8]);

impl State {
    /// Before the first block (FIPS 180-4, section 5.3.3).
    pub const INITIAL: Self =
        Self([0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19]);

    /// Takes words as they are.
    pub const fn from_words(words: [u32; 8]) -> Self {
        Self(words)
    }

    /// The words.
    pub const fn words(self) -> [u32; 8] {
        self.0
    }

    /// Reads each word from four bytes, the highest first, as a digest is written.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        let (words, _) = bytes.as_chunks::<4>();
        let mut state = [0; 8];
        state.iter_mut().zip(words).for_each(|(word, bytes)| *word = u32::from_be_bytes(*bytes));
        Self(state)
    }

    /// The words, each as four bytes, the highest first.
    pub fn to_bytes(self) -> [u8; 32] {
        let mut bytes = [0; 32];
        let (words, _) = bytes.as_chunks_mut::<4>();
        words.iter_mut().zip(self.0).for_each(|(bytes, word)| *bytes = word.to_be_bytes());
        bytes
    }

    /// The state after these blocks as well.
    #[must_use]
    pub fn after(self, blocks: &[[u8; 64]]) -> Self {
        let mut words = self.0;
        compress256(&mut words, blocks);
        Self(words)
    }

    /// The digest of a message of `size` bytes whose last bytes are `rest`, this being the state before them.
    pub fn finish(self, rest: &[u8], size: u64) -> Digest {
        let (blocks, tail) = rest.as_chunks::<64>();
        // FIPS 180-4, section 5.1.1: a one bit, zeros to eight bytes before the end of a block, and the length in bits.
        let mut padded = tail.to_vec();
        padded.push(0x80);
        padded.resize(if padded.len() > 56 { 120 } else { 56 }, 0);
        padded.extend(size.wrapping_mul(8).to_be_bytes());
        let (last, _) = padded.as_chunks::<64>();
        Digest::from_bytes(self.after(blocks).after(last).to_bytes())
    }
}

impl fmt::Debug for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "State({})", hex::encode(self.to_bytes()))
    }
}
