//! An accept loop on hyper in which nothing waits for ever and nothing grows without bound.
//!
//! `axum::serve` sets no timeout on headers, bodies or slow readers. Here every phase of a connection has one, by a
//! named limit in [`Limits`], and ends with an answer where HTTP allows one:
//!
//! | what the other side does | what happens |
//! |---|---|
//! | opens too many connections | the one that has been idle longest is closed; if all are at work, new ones wait in the kernel's backlog |
//! | opens more than `connections_per_address` | the same among its own; if all are at work, 503 and closed |
//! | sends its header slowly | 408 after `header_time`, closed |
//! | sends a huge header, or very many fields | 431, closed |
//! | sends its body slowly, or stops in it | 408 after `body_time`, with `body_rate` a second more for so many bytes that came; closed |
//! | announces or sends a body over `body_bytes` | 413, closed (a route may set less with `DefaultBodyLimit`) |
//! | keeps an idle connection | closed after `idle_time` |
//! | does not read its answer, or hardly | closed when it took less than 64 KiB (or the rest) in `write_time` |
//! | ends the connection within a body | 400 where [`Bodies`](crate::Bodies) reads it |
//! | sends what is no HTTP | 400, closed |
//! | shuts down its writing half after a whole request | gets its answer |
//!
//! A handler that panics answers 500; one that does not answer within `answer_time` is dropped and answers 503. So a
//! handler must not leave work half done when it is dropped: what must be finished belongs in a task of its own.
//!
//! [`serve_opened`](crate::serve_opened) serves the same over a connection that we opened ourselves, in HTTP/2.
//!
//! HTTP/1.1 without TLS: a proxy in front speaks TLS and HTTP/2. Handlers find the peer's address in
//! `axum::extract::ConnectInfo<SocketAddr>`; behind a proxy that is the proxy.

use crate::connection;
use crate::limits::Limits;
use crate::slots::{Slot, Slots};
use axum::Router;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

/// How serving ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drained {
    /// Connections that were cut because they were still busy after `shutdown_time`.
    pub cut_off: usize,
}

/// Serves until `shutdown` resolves, then lets requests under way finish within `limits.shutdown_time`.
///
/// Errors of single connections and of `accept` (no descriptors left) are logged, never returned: a server that ends
/// because a client was rude would be its own denial of service.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    limits: Limits,
    shutdown: impl Future<Output = ()>,
) -> Drained {
    let limits = Arc::new(limits);
    let slots = Slots::new(&limits);
    let (stop, stopping) = watch::channel(false);
    let mut open = JoinSet::new();
    let mut shutdown = pin!(shutdown);
    {
        // One future for each new connection: the end of another must not drop one that waits for a place.
        let mut accepted = pin!(accept(&listener, &slots));
        loop {
            tokio::select! {
                biased;
                () = &mut shutdown => break,
                Some(ended) = open.join_next(), if !open.is_empty() => note(ended),
                (stream, peer, slot) = &mut accepted => {
                    accepted.set(accept(&listener, &slots));
                    let (router, limits, stopping) = (router.clone(), limits.clone(), stopping.clone());
                    open.spawn(async move {
                        connection::run(stream, peer, router, &limits, &slot.line, stopping).await;
                        drop(slot);
                    });
                }
            }
        }
    }
    drop(listener);
    let _ = stop.send(true);
    drain(open, limits.shutdown_time).await
}

async fn accept(listener: &TcpListener, slots: &Arc<Slots>) -> (TcpStream, SocketAddr, Slot) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => match slots.take(peer.ip()).await {
                Some(slot) => return (stream, peer, slot),
                None => send_away(&stream),
            },
            Err(error) => {
                // The peer was gone already, or descriptors ran out: waiting helps against both.
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

/// Answers that this address has too many connections, as far as the kernel takes it at once.
fn send_away(stream: &TcpStream) {
    let body = "{\"error\":\"too-many-connections\",\"message\":\"your address has too many connections open\"}\n";
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\nx-content-type-options: nosniff\r\n\
         retry-after: 1\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    let _ = stream.try_write(answer.as_bytes());
}

async fn drain(mut open: JoinSet<()>, within: Duration) -> Drained {
    let finished = async {
        while let Some(ended) = open.join_next().await {
            note(ended);
        }
    };
    let _ = tokio::time::timeout(within, finished).await;
    let cut_off = open.len();
    open.shutdown().await;
    if cut_off > 0 {
        tracing::warn!(cut_off, "connections were still busy");
    }
    Drained { cut_off }
}

fn note(ended: Result<(), tokio::task::JoinError>) {
    if let Err(error) = ended {
        tracing::error!(%error, "a connection's task failed");
    }
}
