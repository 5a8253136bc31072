//! Every word that a person reads, and the same facts for a script.

pub(crate) mod page;

pub(crate) mod carried_manifest;
pub(crate) mod claims;
pub(crate) mod computed_claims;
pub(crate) mod difference;

pub(crate) mod parent;

pub(crate) mod lifecycle;
pub(crate) mod statement;

pub(crate) mod receipt;

pub(crate) mod coverage;

pub(crate) mod lineage_drawing;

pub(crate) mod verdict;

pub(crate) mod colour;
