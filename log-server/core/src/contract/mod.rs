//! What the log needs of a place to keep things, and what each implementation must hold to.

pub mod storage_error;

pub mod objects;

pub mod head_store;

pub mod lookup;

pub mod cosigner;
