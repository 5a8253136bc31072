//! How much one name proof shows.

/// The most steps of a path through the index: one for each bit of a key.
pub const MAX_STEPS: usize = 256;

/// The most pointers in one proof, about 60 kB. A longer list is shown in several.
pub const MAX_POINTERS: usize = 1024;
