//! How much a program says beside its data and its errors: one setting of the process, which has one stderr.

use std::sync::atomic::{AtomicU8, Ordering};

use crate::output::complain;

/// How much is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Volume {
    /// Errors alone.
    Quiet,
    /// Notes and warnings as well.
    #[default]
    Normal,
    /// Each step as well.
    Verbose,
}

/// The volume as a number: atomics hold no enums.
static VOLUME: AtomicU8 = AtomicU8::new(1);

/// Sets the volume of this process.
pub fn set(volume: Volume) {
    let number = match volume {
        Volume::Quiet => 0,
        Volume::Normal => 1,
        Volume::Verbose => 2,
    };
    VOLUME.store(number, Ordering::Relaxed);
}

/// The volume of this process.
pub fn volume() -> Volume {
    match VOLUME.load(Ordering::Relaxed) {
        0 => Volume::Quiet,
        1 => Volume::Normal,
        _ => Volume::Verbose,
    }
}

/// A note or a warning on stderr, unless the process is quiet.
pub fn note(message: &str) {
    if volume() != Volume::Quiet {
        complain(message);
    }
}

/// A step on stderr, where the process is verbose.
pub fn step(message: &str) {
    if volume() == Volume::Verbose {
        complain(message);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_set_is_what_holds() {
        assert_eq!(volume(), Volume::default());
        for set_to in [Volume::Quiet, Volume::Verbose, Volume::Normal] {
            set(set_to);
            assert_eq!(volume(), set_to);
        }
    }
}
