//! A progress bar on stderr, for people only: nothing is drawn where stderr is no terminal.

use std::io::IsTerminal as _;

use stele_terminal::volume::{Volume, volume};

use indicatif::{ProgressBar, ProgressStyle};

/// Bytes done, of bytes to do. Shared between threads.
#[derive(Debug, Clone)]
pub(crate) struct Progress(Option<ProgressBar>);

/// Below this many bytes the work is over before a bar can be read.
const WORTH_SHOWING: u64 = 256 << 20;

impl Progress {
    /// A bar for so many bytes.
    pub(crate) fn of(bytes: u64) -> Self {
        if bytes < WORTH_SHOWING || !std::io::stderr().is_terminal() || volume() == Volume::Quiet {
            return Self(None);
        }
        let bar = ProgressBar::new(bytes);
        if let Ok(style) =
            ProgressStyle::with_template("hashing {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}")
        {
            bar.set_style(style);
        }
        Self(Some(bar))
    }

    /// Shows the work, which says how many bytes more are done, and takes the bar away.
    pub(crate) fn during<T>(self, work: impl FnOnce(&(dyn Fn(u64) + Sync)) -> T) -> T {
        let done = work(&|bytes| self.advance(bytes));
        self.finish();
        done
    }

    /// So many bytes more are done.
    fn advance(&self, bytes: u64) {
        if let Some(bar) = &self.0 {
            bar.inc(bytes);
        }
    }

    /// Takes the bar away.
    fn finish(&self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
