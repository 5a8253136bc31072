//! The log over HTTP. Nothing is decided here: requests are taken apart, answers are put together.
//!
//! What is served is one table in `router`; `docs/api.yaml` has parameters, bodies and statuses. `POST /entries` takes `application/cose`, a signed
//! statement, or `application/cbor-seq`, a signed release and its manifest as [`stele_spec::submission`] says; the answer is a
//! c2sp.org/tlog-proof, or JSON `{index, leaf_hash, proof}`, by `Accept`. A lookup answers `{positions}`, and `next` when
//! there are more.
//!
//! A client that names `application/scitt-receipt+cose` or `application/cose` in `Accept`, or sends COSE and names no type, speaks with a SCITT transparency service
//! (RFC 9943, SCITT Reference APIs): `POST /entries` answers 201 with the receipt, or 303 while a signed statement is not published;
//! `GET /entries/<index>` is the receipt; errors are Concise Problem Details (RFC 9290). A statement that is waited for is found by its leaf
//! hash: `GET /entries/<leaf hash>`, 302 until it has a receipt.
//!
//! A release is submitted with its manifest, unless the log has that manifest already. Submitting both again puts back a
//! public manifest that is missing or damaged.
//!
//! What never changes (tiles, entries, manifests) is `immutable`; what is not there yet is `no-store`. Pages of other
//! origins may read every answer, and may submit; `OPTIONS` says so.
//!
//! | refused with | when |
//! |---|---|
//! | 400 `body-cut`, 408 `request-timeout`, 413 `too-large` | the body ended early, came too slowly, is too long |
//! | 410 `log-frozen` | the operator has frozen the log: nothing new is taken |
//! | 422 `manifest-missing` | a release came alone, and the log does not have its manifest |
//! | 429 `quota` | the name, the key or the caller has added what it may in a day; `Retry-After` says when to come back |
//! | 500 `manifest-damaged` | a manifest on the disk is not the one of its digest |
//! | 503 `busy` | too much is received or read at a time |
//! | 503 `lookups-away` | the derived lookups are made or opened again; everything else goes on |
//!
//! Errors are JSON `{error, message, hint}`, with `existing: {index, proof, entry}` where an entry stands in the way.

mod accepted;

mod answers;

mod problems;

mod stories;

mod made_of;
mod signers;

mod server;

mod caller;
mod health;
mod lookups;
mod name_proofs;
mod pages;
mod static_files;

mod receipts;

mod submit;

mod router;

pub use router::router;
