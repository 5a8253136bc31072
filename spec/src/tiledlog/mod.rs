#![doc = include_str!("../../text/tiledlog.md")]

mod chunk;
mod entries;
mod error;
mod growth;
#[cfg(test)]
mod tests;
mod tree;

pub use chunk::Chunk;
pub use entries::Entries;
pub use error::TiledLogError;
pub use growth::Growth;
pub use tree::TiledLog;

/// The largest bundle in bytes: 256 entries of 65,535 bytes, each after two length bytes.
pub const MAX_BUNDLE: u64 = 256 * 65_537;

/// The largest tile in bytes.
pub const MAX_TILE: u64 = 256 * 32;

/// Where the files of a log are: a folder, an address, a map.
pub trait Files {
    /// Why a file could not be read.
    type Error;

    /// The file at a path without a leading slash, of at most `limit` bytes; none where there is none.
    fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, Self::Error>;
}

/// Files that a function reads.
#[derive(Debug, Clone, Copy)]
pub struct FilesFn<F>(pub F);

impl<F: Fn(&str, u64) -> Result<Option<Vec<u8>>, E>, E> Files for FilesFn<F> {
    type Error = E;

    fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, E> {
        self.0(path, limit)
    }
}

impl<F: Files> Files for &F {
    type Error = F::Error;

    fn read(&self, path: &str, limit: u64) -> Result<Option<Vec<u8>>, F::Error> {
        (**self).read(path, limit)
    }
}
