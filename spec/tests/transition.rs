//! Transition proofs: what a log makes, what a verifier makes of it, and the vectors.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test says what failed by failing")]

#[path = "transition/properties.rs"]
mod properties;
#[path = "transition/vectors.rs"]
mod vectors;
