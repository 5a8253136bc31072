//! What verifying says: the verdict in one sentence, and a few lines. Then, for who asks for it, a page that is never one
//! badge: integrity and inclusion first, then the three claims, each with what the record says for it, then what became of
//! the release and of what it was made of, then as of when.

mod known;

pub(crate) mod headline;

mod json;
mod text;

pub(crate) use json::unverified;
pub(crate) use known::{FromLog, VerifyReport, WhyFromLog};
pub(crate) use text::Detail;
