//! What is done to a witness's folder beside serving it; a file for each concern.

pub(crate) mod about;
pub(crate) mod bastion;
pub(crate) mod doctor;
pub(crate) mod evidence;
pub(crate) mod keys;
pub(crate) mod logs;
pub(crate) mod mirror;
pub(crate) mod run;

/// Text for people and the same for programs.
pub(crate) type VerbOutput = (String, serde_json::Value);
