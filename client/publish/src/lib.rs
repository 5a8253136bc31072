#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

// Reading order is dependency order: a module uses only modules above it.
pub mod error;
pub mod problems;
pub mod publish_error;

pub mod expected;
pub mod issued_at;

mod key_kind;

pub mod passphrase;

pub mod encrypted_key;
mod openssh_key;

pub mod signer;

pub mod agent_choice;

pub mod key;
pub mod key_proposal;
pub mod statement_proposal;

pub mod form;

pub mod short_forms;

pub mod publish_check;

pub mod draft;

pub mod register;

pub mod name;

pub mod foresight;
mod host_locators;
pub mod parent_listing;
pub mod receipt;
pub mod release_file;

pub mod bundle_place;

pub mod release;

pub mod parent_folder;

mod public_again;

mod no_effect;

pub mod oddity;

mod replacement;

pub mod form_header;
pub mod issue;
