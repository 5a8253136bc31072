//! How long a database that failed rests before it is opened again: longer each time, so that a disk that stays broken is neither worn out
//! nor fills the journal.

use std::time::Duration;

/// The first pause.
const FIRST: Duration = Duration::from_secs(1);

/// The longest: who makes room or mends the disk does not wait longer.
const LONGEST: Duration = Duration::from_secs(300);

/// The next pause.
#[derive(Debug)]
pub(super) struct Pause(Duration);

impl Pause {
    /// The one to make now; the next is twice as long.
    pub(super) fn take(&mut self) -> Duration {
        let now = self.0;
        self.0 = now.saturating_mul(2).min(LONGEST);
        now
    }

    /// What was written is on the disk: the next failure is another one.
    pub(super) fn reset(&mut self) {
        *self = Self::default();
    }
}

impl Default for Pause {
    fn default() -> Self {
        Self(FIRST)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_twice_the_one_before_up_to_the_longest_until_something_is_on_the_disk() {
        let mut pause = Pause::default();
        let taken: Vec<u64> = (0..12).map(|_| pause.take().as_secs()).collect();
        assert_eq!(taken, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]);
        pause.reset();
        assert_eq!(pause.take(), FIRST);
    }
}
