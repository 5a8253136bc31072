//! HTTP/2 over a connection that we opened, on which the other side is the client: how a server behind NAT is reached.
//!
//! The same router and the same [`Limits`] as behind the listener, with these in the place of the limits of a connection:
//!
//! | what the other side does | what happens |
//! |---|---|
//! | opens more than 64 streams | they are refused |
//! | sends a huge header | 431, or the stream is reset |
//! | sends its body slowly, in part, or too much of it | 408 or 413, as behind the listener |
//! | does not take its answer | the stream is reset after `body_time`, `answer_time` and `write_time` together |
//! | resets streams faster than they are taken up | hyper ends the connection |
//! | is gone without a FIN, or a router between us has forgotten the connection | noticed by a PING without an answer |

use crate::connection::answer;
use crate::limits::Limits;
use crate::phase::Shared;
use axum::Router;
use axum::http::{Request, header};
use hyper::body::Incoming;
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};

/// Requests under way on one connection; a request costs at most its body and a task.
pub(crate) const MAX_STREAMS: u32 = 64;

/// How much of a body may be on its way before a handler reads it, for one stream and for all of them.
const STREAM_WINDOW: u32 = 64 * 1024;
const CONNECTION_WINDOW: u32 = 1 << 20;

/// How a connection that is dead without a FIN is noticed.
#[derive(Clone, Copy, Debug)]
pub struct Pings {
    /// The pause between two.
    pub every: Duration,
    /// How long an answer may take.
    pub within: Duration,
}

impl Default for Pings {
    /// Every 15 s, within 10 s: routers forget idle connections after a minute or more.
    fn default() -> Self {
        Self { every: Duration::from_secs(15), within: Duration::from_secs(10) }
    }
}

/// Serves until the other side ends it, or until `shutdown` resolves: then it says so (GOAWAY), and requests under way may finish
/// within `limits.shutdown_time`.
pub async fn serve_opened<S>(
    stream: S,
    peer: SocketAddr,
    router: Router,
    limits: Arc<Limits>,
    pings: Pings,
    shutdown: impl Future<Output = ()>,
) -> Result<(), hyper::Error>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let longest = limits.body_time + limits.answer_time + limits.write_time;
    let shutdown_time = limits.shutdown_time;
    let mut http = http2::Builder::new(ForAtMost(longest));
    http.timer(TokioTimer::new())
        .keep_alive_interval(pings.every)
        .keep_alive_timeout(pings.within)
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(u32::try_from(limits.header_bytes).unwrap_or(u32::MAX))
        .max_send_buf_size(STREAM_WINDOW as usize)
        .initial_stream_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW);
    let service = service_fn(move |request: Request<Incoming>| {
        let (router, limits) = (router.clone(), limits.clone());
        async move {
            let mut response = answer(request, peer, router, &limits, Arc::new(Shared::default())).await?;
            // HTTP/2 knows no such field; a stream ends by itself.
            response.headers_mut().remove(header::CONNECTION);
            Ok::<_, Infallible>(response)
        }
    });
    let mut connection = pin!(http.serve_connection(TokioIo::new(stream), service));
    let mut shutdown = pin!(shutdown);
    tokio::select! {
        ended = connection.as_mut() => return ended,
        () = &mut shutdown => connection.as_mut().graceful_shutdown(),
    }
    tokio::time::timeout(shutdown_time, connection).await.unwrap_or(Ok(()))
}

/// Runs each stream in a task of its own, and drops it (which resets the stream) when it is still there after so long.
#[derive(Clone, Copy)]
struct ForAtMost(Duration);

impl<F: Future<Output = ()> + Send + 'static> hyper::rt::Executor<F> for ForAtMost {
    fn execute(&self, stream: F) {
        tokio::spawn(tokio::time::timeout(self.0, stream));
    }
}
