//! Where a chain is cut.

/// The length of a piece in bytes: 64 MiB, so that 100 GB have 51 kB of hints and a damaged file is located well enough to fetch a piece again.
pub const PIECE: u64 = 64 * 1024 * 1024;

/// A length of pieces: whole blocks of SHA-256, and not none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PieceSize(u64);

impl PieceSize {
    /// The format's.
    pub const FORMAT: Self = Self(PIECE);

    /// Another, to try chains of short messages.
    pub const fn new(bytes: u64) -> Option<Self> {
        if bytes == 0 || !bytes.is_multiple_of(64) { None } else { Some(Self(bytes)) }
    }

    /// In bytes.
    pub const fn bytes(self) -> u64 {
        self.0
    }

    /// Whether a writer takes hints of a message of `size` bytes: of the format's pieces, from 128 MiB on. Less is hashed before a second core has begun.
    pub const fn is_hinted(self, size: u64) -> bool {
        size / self.0 >= 2
    }

    /// How many states a message of `size` bytes has between its pieces. Each piece but the last is whole, and no piece of a message that has
    /// bytes is empty.
    pub const fn states(self, size: u64) -> u64 {
        size.saturating_sub(1) / self.0
    }
}
