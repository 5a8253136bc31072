//! What people do: publish, change keys, withdraw, look up, compare; and cases that happened.

mod drafts;
mod lifecycle;
mod publish;
mod real_cases;
mod scripts;
mod truth;
