//! A vector that grows by a chunk at a time: it never moves what it holds, and has little room that nothing is in.

/// Items of a chunk.
const CHUNK: usize = 4096;

/// Items, numbered from 0.
#[derive(Debug)]
pub(super) struct Chunks<T>(Vec<Vec<T>>);

impl<T> Default for Chunks<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

/// A number is made by a push and forgotten by the truncation that takes its item away, so it is always in range; if it
/// were not, to stop would be better than to sign.
#[allow(clippy::indexing_slicing)]
impl<T> core::ops::Index<u32> for Chunks<T> {
    type Output = T;

    fn index(&self, number: u32) -> &T {
        let number = number as usize;
        &self.0[number / CHUNK][number % CHUNK]
    }
}

/// As for reading.
#[allow(clippy::indexing_slicing)]
impl<T> core::ops::IndexMut<u32> for Chunks<T> {
    fn index_mut(&mut self, number: u32) -> &mut T {
        let number = number as usize;
        &mut self.0[number / CHUNK][number % CHUNK]
    }
}

impl<T> Chunks<T> {
    /// How many there are. The caller has made sure that they are fewer than 2^32.
    pub(super) fn len(&self) -> u32 {
        self.0.last().map_or(0, |last| (self.0.len() - 1) * CHUNK + last.len()) as u32
    }

    /// Adds one.
    pub(super) fn push(&mut self, item: T) {
        match self.0.last_mut().filter(|last| last.len() < CHUNK) {
            Some(last) => last.push(item),
            None => {
                let mut next = Vec::with_capacity(CHUNK);
                next.push(item);
                self.0.push(next);
            }
        }
    }

    /// Forgets those from this number on.
    pub(super) fn truncate(&mut self, length: u32) {
        let length = length as usize;
        self.0.truncate(length.div_ceil(CHUNK));
        if let Some(last) = self.0.last_mut().filter(|_| !length.is_multiple_of(CHUNK)) {
            last.truncate(length % CHUNK);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_pushed_is_there_until_it_is_cut_off() {
        let mut chunks = Chunks::default();
        for length in [CHUNK * 2 + 5, CHUNK * 2, CHUNK + 1, CHUNK, 7, 0] {
            for number in chunks.len()..(CHUNK * 2 + 5) as u32 {
                chunks.push(number);
            }
            chunks[3] = 30;
            assert_eq!((chunks[3], chunks[CHUNK as u32], chunks.len()), (30, CHUNK as u32, (CHUNK * 2 + 5) as u32));
            chunks[3] = 3;
            chunks.truncate(length as u32);
            assert_eq!(chunks.len(), length as u32);
            assert!((0..length as u32).all(|number| chunks[number] == number));
        }
    }
}
