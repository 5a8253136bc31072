//! The log over HTTP. Nothing is decided here: requests are taken apart, answers are put together.
//!
//! | request | answer |
//! |---|---|
//! | `POST /entries` of `application/cose` | a signed statement: 200 with the c2sp.org/tlog-proof, or JSON `{index, leaf_hash, proof}` for `Accept: application/json` |
//! | `POST /entries` of `application/cbor-seq` | a signed release and its manifest, as [`stele_spec::submission`] says: the same answer |
//! | `GET /manifests/<sha256>` | the manifest of a release |
//! | `GET /checkpoint`, `/tile/...` | c2sp.org/tlog-tiles |
//! | `GET /entries/<index>`, `/entries/<index>/proof` | an entry; its proof at the newest checkpoint |
//! | `GET /lookup/{coordinate,publisher}?name=`, `/lookup/digest?hex=`, `/lookup/leaf?hex=` | JSON `{positions}`, and `next` when there are more |
//! | `GET /lookup/{name,about,under}/proof?name=`, `/lookup/digest/proof?hex=` | the name proof at the newest checkpoint; `&from=` for what came since |
//! | `GET /entries/<index>/inclusion?size=` | the path to the root of a tree of that size: base64 lines |
//! | `GET /lookup/file?hex=`, `/lookup/purl?name=`, `/lookup/children?name=` | the releases with a file (SHA-256 or git blob id), with a package URL, made of a coordinate |
//! | `GET /`, `/release?name=`, `/search?q=` | pages for people |
//! | `GET /policy` | the trust policy that the log publishes under |
//! | `GET /healthz`, `/metrics` | for probes and Prometheus |
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
//! | 503 `lookups-away` | the derived lookups are made again; everything else goes on |
//!
//! Errors are JSON `{error, message, hint}`, with `existing: {index, proof, entry}` where an entry stands in the way.

mod answers;

mod stories;

mod server;

mod caller;
mod cross_origin;
mod health;
mod lookups;
mod name_proofs;
mod pages;
mod static_files;

mod submit;

mod router;

pub use router::router;
