//! What is done to a witness's folder while no server runs, or beside one that reads it again at SIGHUP.

mod index;
mod init;
mod logs;
mod mirror;

pub use index::init as init_index;
pub use logs::{Added, Pulled};
pub use mirror::{Mirrored, init as init_mirror};
