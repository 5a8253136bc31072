//! One file a verb.

pub(crate) mod amend;
pub(crate) mod audit;
pub(crate) mod claim;
pub(crate) mod diff;
pub(crate) mod draft;
pub(crate) mod evaluate;
pub(crate) mod evidence;
pub(crate) mod help;
pub(crate) mod history;
pub(crate) mod incident;
pub(crate) mod inspect;
pub(crate) mod key;
pub(crate) mod keys;
pub(crate) mod lineage;
pub(crate) mod monitor;
pub(crate) mod observe;
pub(crate) mod policy;
pub(crate) mod publish;
pub(crate) mod resolve;
pub(crate) mod show;
pub(crate) mod stage;
pub(crate) mod supersede;
pub(crate) mod verify;
pub(crate) mod version;
pub(crate) mod withdraw;
