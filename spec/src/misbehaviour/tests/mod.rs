//! What convicts, and first what does not.

mod entries;
mod format;
mod heads;
mod log;
