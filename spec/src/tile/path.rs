//! Where a tile or an entry bundle is served.

use core::fmt;

use super::{MAX_LEVEL, TILE_HEIGHT, TILE_WIDTH, TileError};
use crate::text::decimal;

/// What a tile path leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Resource {
    /// Hashes of this level.
    Level(u8),
    /// The entries themselves.
    Entries,
}

/// The path of a tile or bundle: `tile/<L>/<N>[.p/<W>]` or `tile/entries/<N>[.p/<W>]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TilePath {
    /// Hashes or entries.
    pub resource: Resource,
    /// `<N>`: which tile of its level.
    pub index: u64,
    /// How many hashes or entries: 1 to 256, where 256 is a full tile.
    pub width: u16,
}

impl TilePath {
    /// A full tile.
    pub const fn full(resource: Resource, index: u64) -> Self {
        Self { resource, index, width: TILE_WIDTH }
    }

    /// Whether the tile is full and so will never be replaced by a wider one.
    pub const fn is_full(&self) -> bool {
        self.width == TILE_WIDTH
    }

    /// Whether a tree of `size` entries has all that this names.
    pub fn is_within(&self, size: u64) -> bool {
        let hashes = match self.resource {
            Resource::Entries => size,
            Resource::Level(level) => size.checked_shr(u32::from(level) * u32::from(TILE_HEIGHT)).unwrap_or(0),
        };
        let end = self.index.checked_mul(TILE_WIDTH.into()).and_then(|first| first.checked_add(self.width.into()));
        end.is_some_and(|end| end <= hashes)
    }

    /// Reads a path without a leading slash.
    pub fn parse(path: &str) -> Result<Self, TileError> {
        let refuse = || TileError::Path { found: path.chars().take(80).collect() };
        let mut parts = path.split('/');
        if parts.next() != Some("tile") {
            return Err(refuse());
        }
        let resource = match parts.next() {
            Some("entries") => Resource::Entries,
            Some(level) => match decimal(level) {
                Ok(level) if level <= u64::from(MAX_LEVEL) => Resource::Level(level as u8),
                _ => return Err(refuse()),
            },
            None => return Err(refuse()),
        };
        let mut index: u64 = 0;
        let mut width = TILE_WIDTH;
        let mut groups = 0;
        loop {
            let group = parts.next().ok_or_else(refuse)?;
            groups += 1;
            let (digits, more) = match group.strip_prefix('x') {
                Some(digits) => (digits, true),
                None => (group, false),
            };
            let (digits, partial) = match digits.strip_suffix(".p") {
                Some(digits) if !more => (digits, true),
                _ => (digits, false),
            };
            let three = digits.len() == 3 && digits.bytes().all(|b| b.is_ascii_digit());
            // The first of several groups may not be zero: it would be another spelling of a shorter path.
            if !three || (more && groups == 1 && digits == "000") {
                return Err(refuse());
            }
            let value: u64 = digits.parse().map_err(|_| refuse())?;
            index = index.checked_mul(1000).and_then(|index| index.checked_add(value)).ok_or_else(refuse)?;
            if partial {
                width = match parts.next().map(decimal) {
                    Some(Ok(width)) if (1..u64::from(TILE_WIDTH)).contains(&width) => width as u16,
                    _ => return Err(refuse()),
                };
            }
            if !more {
                break;
            }
        }
        if parts.next().is_some() {
            return Err(refuse());
        }
        Ok(Self { resource, index, width })
    }
}

impl fmt::Display for TilePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.resource {
            Resource::Level(level) => write!(f, "tile/{level}/")?,
            Resource::Entries => f.write_str("tile/entries/")?,
        }
        let mut groups = vec![self.index % 1000];
        let mut rest = self.index / 1000;
        while rest > 0 {
            groups.push(rest % 1000);
            rest /= 1000;
        }
        for group in groups.iter().skip(1).rev() {
            write!(f, "x{group:03}/")?;
        }
        write!(f, "{:03}", self.index % 1000)?;
        if self.is_full() { Ok(()) } else { write!(f, ".p/{}", self.width) }
    }
}

/// Every tile and bundle that a tree of `new` entries has and a tree of `old` entries has not, leaves first.
pub fn tiles_for(old: u64, new: u64) -> Vec<TilePath> {
    let mut paths = Vec::new();
    if old >= new {
        return paths;
    }
    level_tiles(Resource::Entries, old, new, &mut paths);
    let (mut old, mut new) = (old, new);
    for level in 0..=MAX_LEVEL {
        if old == new {
            break;
        }
        level_tiles(Resource::Level(level), old, new, &mut paths);
        old >>= TILE_HEIGHT;
        new >>= TILE_HEIGHT;
    }
    paths
}

/// The tiles of one level that change while it grows from `old` to `new` hashes.
fn level_tiles(resource: Resource, old: u64, new: u64, paths: &mut Vec<TilePath>) {
    let width = u64::from(TILE_WIDTH);
    paths.extend((old / width..new / width).map(|index| TilePath::full(resource, index)));
    if !new.is_multiple_of(width) {
        paths.push(TilePath { resource, index: new / width, width: (new % width) as u16 });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_has_the_tiles_that_end_within_it() {
        let path = |text: &str| TilePath::parse(text).unwrap();
        for (text, has) in [
            ("tile/0/000", true),
            ("tile/0/001.p/44", true),
            ("tile/0/001.p/45", false),
            ("tile/0/001", false),
            ("tile/1/000.p/1", true),
            ("tile/1/000.p/2", false),
            ("tile/entries/001.p/44", true),
            ("tile/entries/002", false),
            ("tile/63/000.p/1", false),
        ] {
            assert_eq!(path(text).is_within(300), has, "{text}");
        }
        assert!(!TilePath::full(Resource::Entries, u64::MAX).is_within(u64::MAX));
    }
}
