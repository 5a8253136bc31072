//! What is done to a witness's folder while no server runs, or beside one that reads it again at SIGHUP.

mod init;
mod logs;
mod mirror;

pub use logs::{Added, Pulled};
pub use mirror::{Mirrored, init as init_mirror};
