#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

// Reading order is dependency order: a module uses only modules above it.
mod limits;

mod refusal;

mod segments;

mod phase;

mod limited_body;

mod body;

mod client_network;

mod slots;

mod connection;

mod outbound;

mod server;

pub mod cross_origin;

pub mod html;

pub use body::{Bodies, FREE, Held, Pieces, Unread};
pub use client_network::client_network;
pub use limits::{Limits, PER_ADDRESS};
pub use outbound::{Pings, serve_opened};
pub use refusal::{Refusal, refusal, with_retry_after};
pub use segments::Segments;
pub use server::{Drained, serve};
