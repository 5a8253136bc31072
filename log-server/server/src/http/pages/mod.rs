//! Pages for people: plain HTML without a script, readable on a phone. They show what the log says of itself and prove nothing; each says how to
//! verify. One, `/verify`, is a file of its own with a script: it verifies in the browser. All text from outside is escaped, and nothing of it is a link that leaves the log.

mod html;

mod policy_text;

mod home;
mod release;

mod search;

mod verify;

pub(super) use home::{page, policy};
pub(super) use release::release;
pub(super) use search::search;
pub(super) use verify::verify;
