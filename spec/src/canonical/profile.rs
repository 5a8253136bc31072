//! What a canonical document may hold.

/// Arrays and maps inside each other; a release needs five.
pub const MAX_DEPTH: usize = 16;

/// The largest integer that every JSON reader keeps exactly (RFC 7493 §2.2): `2^53 - 1`.
pub const MAX_INTEGER: u64 = (1 << 53) - 1;

/// What a document may hold besides maps with text keys, arrays, text, unsigned integers and booleans.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// Nothing: statements and manifests, whose JSON and TOML forms hold the same data.
    Payload,
    /// Byte strings, for files carried as they are.
    Container,
}
