//! What SHA-256 works on, and with.

/// What SHA-256 works on at once.
pub type Block = [u8; 64];

/// SHA-256's eight words between two blocks (FIPS 180-4, section 6.2.2).
pub type State = [u32; 8];

/// The words before the first block (FIPS 180-4, section 5.3.3).
pub const INITIAL_STATE: State =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];
