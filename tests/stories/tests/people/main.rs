//! What people do: publish, change keys, withdraw, look up, compare; and cases that happened.

mod amended;
mod clocks;
mod drafts;
mod gate;
mod lifecycle;
mod log_keys;
mod named;
mod operator;
mod publish;
mod real_cases;
mod receipts;
mod registries;
mod revoked;
mod said;
mod same_bytes;
mod scanned;
mod scripts;
mod several_keys;
mod third_parties;
mod truth;
mod two_logs;
mod unseen;
mod verified_once;
