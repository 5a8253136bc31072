//! How much, and for how long, the other side of a connection may occupy a server.

use std::num::NonZeroU64;
use std::time::Duration;

/// From one address by default, this machine's own not counted.
pub const PER_ADDRESS: usize = 128;

/// How much, and for how long, the other side may occupy us.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Open connections. Each costs a descriptor and up to about 100 KiB.
    pub connections: usize,
    /// Open connections from one address, which in IPv6 is a network of 64 bits. `None`: [`PER_ADDRESS`], and as many as
    /// there are from this machine, where a proxy speaks for everybody. A number counts for every address: behind a proxy
    /// on another machine it must be what that proxy opens.
    pub connections_per_address: Option<usize>,
    /// The request line and all header fields, in bytes. At least 1; hyper refuses more than 100 fields as well.
    pub header_bytes: usize,
    /// From the first byte of a request to the end of its header.
    pub header_time: Duration,
    /// The hard cap on a request's body, in bytes, whatever the routes say.
    pub body_bytes: u64,
    /// From the end of a request's header to the end of its body.
    pub body_time: Duration,
    /// Where bodies may be long: the least bytes a second that add to `body_time`. For so many bytes that came a body has a second more, and the
    /// answer as well; `None` adds nothing.
    pub body_rate: Option<NonZeroU64>,
    /// From the end of a request's header to the beginning of its answer.
    pub answer_time: Duration,
    /// How long a connection may wait for its first or next request.
    pub idle_time: Duration,
    /// How long the other side may take for every 64 KiB of an answer.
    pub write_time: Duration,
    /// After the wish to stop: how long requests under way may go on.
    pub shutdown_time: Duration,
}

impl Limits {
    /// What a body of so many bytes adds to its time.
    pub(crate) fn time_of(&self, bytes: u64) -> Duration {
        self.body_rate.map_or(Duration::ZERO, |rate| {
            Duration::from_millis(bytes.saturating_mul(1000).checked_div(rate.get()).unwrap_or_default())
        })
    }
}

impl Default for Limits {
    /// For a public server behind nothing: 512 connections; header 16 KiB in 10 s; body 16 MiB in 60 s (a manifest of
    /// tens of thousands of files over 2 Mbit/s); an answer begun in 90 s (a submission waits for cosignatures); idle
    /// 60 s; 30 s for every 64 KiB taken; 10 s to stop, which is what container managers allow.
    fn default() -> Self {
        Self {
            connections: 512,
            connections_per_address: None,
            header_bytes: 16 * 1024,
            header_time: Duration::from_secs(10),
            body_bytes: 16 << 20,
            body_time: Duration::from_secs(60),
            body_rate: None,
            answer_time: Duration::from_secs(90),
            idle_time: Duration::from_secs(60),
            write_time: Duration::from_secs(30),
            shutdown_time: Duration::from_secs(10),
        }
    }
}
