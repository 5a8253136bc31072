//! One connection, from its first byte to its last, with a deadline on whatever it waits for.
//!
//! hyper drives the protocol. What hyper waits for is visible from outside: bytes that are read while nothing is under
//! way begin a header, a call of the service ends it, the flush behind the answer makes the connection idle again. All
//! of this happens inside hyper's `poll`, so looking at the [phase](crate::phase) after each `poll` misses nothing and needs no
//! second task.

use crate::limited_body::LimitedBody;
use crate::limits::Limits;
use crate::phase::{Cut, Shared};
use crate::refusal::refusal;
use crate::slots::Line;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::ConnectInfo;
use axum::http::{HeaderValue, Method, Request, StatusCode, header};
use axum::response::Response;
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::convert::Infallible;
use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::{Instant, Sleep};
use tower::ServiceExt;

/// After we end a connection on which the other side still sends: how long we read on, so that our answer reaches it
/// before the reset that the kernel sends for unread bytes.
const LINGER: Duration = Duration::from_secs(2);

/// What a reader must take in every `write_time`: by default no reader below 18 kbit/s keeps a connection.
const PROGRESS: usize = 64 * 1024;

/// hyper's buffer: it must hold a whole header and makes up most of the cost of a connection.
const BUFFER: usize = 64 * 1024;

/// Serves one connection to its end.
pub(crate) async fn run(
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    limits: &Limits,
    line: &Line,
    mut stopping: watch::Receiver<bool>,
) {
    // An answer is written whole; waiting to fill a packet would only delay it.
    let _ = stream.set_nodelay(true);
    let shared = line.shared.clone();
    let io = TokioIo::new(Guarded {
        stream,
        write_time: limits.write_time,
        stalled: None,
        taken: 0,
        shared: shared.clone(),
    });
    let service = service_fn(|request| answer(request, peer, router.clone(), limits, shared.clone()));
    let mut http = http1::Builder::new();
    http.half_close(true)
        .header_read_timeout(None)
        .max_buf_size(BUFFER.max(limits.header_bytes))
        .max_header_size(limits.header_bytes);
    let mut connection = http.serve_connection(io, service);

    let mut alarm = pin!(tokio::time::sleep(limits.idle_time));
    let mut stop = pin!(stopping.wait_for(|stop| *stop));
    let mut make_room = pin!(line.make_room.notified());
    let mut stopped = false;
    let outcome = poll_fn(|cx| {
        if !stopped && stop.as_mut().poll(cx).is_ready() {
            stopped = true;
            if shared.is_fresh() {
                return Poll::Ready(Outcome::Ended);
            }
            Pin::new(&mut connection).graceful_shutdown();
        }
        if let Poll::Ready(result) = Pin::new(&mut connection).poll(cx) {
            if let Err(error) = result {
                tracing::debug!(%peer, %error, "connection failed");
            }
            return Poll::Ready(Outcome::Ended);
        }
        // Checked after hyper has read: a request that came meanwhile is answered.
        while make_room.as_mut().poll(cx).is_ready() {
            if shared.waiting().is_some() {
                return Poll::Ready(Outcome::MadeRoom);
            }
            make_room.set(line.make_room.notified());
        }
        let Some(deadline) = shared.deadline(limits) else { return Poll::Pending };
        if alarm.deadline() != deadline {
            alarm.as_mut().reset(deadline);
        }
        ready!(alarm.as_mut().poll(cx));
        Poll::Ready(Outcome::TimedOut)
    })
    .await;

    let cut_short = shared.is_cut_short();
    let parts = connection.into_parts();
    let mut stream = parts.io.into_inner().stream;
    if outcome == Outcome::TimedOut && (cut_short || !parts.read_buf.is_empty()) {
        let _ = tokio::time::timeout(LINGER, stream.write_all(header_too_slow().as_bytes())).await;
    }
    if cut_short && outcome != Outcome::MadeRoom {
        linger(stream).await;
    }
}

#[derive(PartialEq, Eq)]
enum Outcome {
    Ended,
    TimedOut,
    /// A new connection gets the place.
    MadeRoom,
}

/// hyper on its own closes without an answer; the user of a slow line should learn why.
fn header_too_slow() -> String {
    let body = "{\"error\":\"request-timeout\",\"message\":\"the request's header took too long\"}\n";
    let length = body.len();
    format!(
        "HTTP/1.1 408 Request Timeout\r\ncontent-type: application/json\r\nx-content-type-options: nosniff\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

/// Answers one request: the router's answer, unless a limit cut it.
pub(crate) async fn answer(
    request: Request<Incoming>,
    peer: SocketAddr,
    router: Router,
    limits: &Limits,
    shared: Arc<Shared>,
) -> Result<Response<AnswerBody>, Infallible> {
    shared.request_came();
    let answered = Answered(shared.clone());
    let now = Instant::now();
    let announced = request.body().size_hint().lower();
    let is_reading = matches!(*request.method(), Method::GET | Method::HEAD);
    let (mut parts, body) = request.into_parts();
    let body = LimitedBody::new(body, limits, now, shared.clone());
    let mut response = if announced > limits.body_bytes {
        drop(body);
        too_large(limits)
    } else {
        parts.extensions.insert(ConnectInfo(peer));
        let handler = caught(router.oneshot(Request::from_parts(parts, Body::new(body))));
        let response = tokio::time::timeout_at(now + limits.answer_time + limits.time_of(announced), handler).await;
        let cut = shared.cut_of_body();
        match (cut, response) {
            (Some(Cut::TooLarge { .. }), _) => too_large(limits),
            (Some(Cut::TooSlow), _) => closing(refusal(
                StatusCode::REQUEST_TIMEOUT,
                "request-timeout",
                "the request's body took too long",
                Some("send it in one go, over a faster line"),
            )),
            (None, Ok(Some(response))) => response,
            (None, Ok(None)) => closing(refusal(
                StatusCode::INTERNAL_SERVER_ERROR,
                "internal",
                "the server failed on this request",
                None,
            )),
            (None, Err(_)) => closing(refusal(
                StatusCode::SERVICE_UNAVAILABLE,
                "too-slow",
                "the server did not finish in time",
                Some("try again later"),
            )),
        }
    };
    if shared.is_unread() {
        // hyper closes behind a body that was not read to its end. A client that is not told so sends its next request into the closed connection.
        response = closing(response);
    }
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    if is_reading {
        // Everything that is read here is public: a page in a browser may verify it.
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    }
    Ok(response.map(|inner| AnswerBody { inner, _answered: answered }))
}

/// `None` when the handler panicked. Its state is dropped, and what it shares with others must hold without it.
async fn caught(handler: impl Future<Output = Result<Response, Infallible>>) -> Option<Response> {
    let mut handler = pin!(handler);
    poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| handler.as_mut().poll(cx))) {
        Ok(Poll::Pending) => Poll::Pending,
        Ok(Poll::Ready(Ok(response))) => Poll::Ready(Some(response)),
        Err(_) => Poll::Ready(None),
    })
    .await
}

fn too_large(limits: &Limits) -> Response {
    let message = format!("the request's body is larger than {} bytes", limits.body_bytes);
    closing(refusal(StatusCode::PAYLOAD_TOO_LARGE, "too-large", &message, None))
}

fn closing(mut response: Response) -> Response {
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

/// Notes that hyper has the whole answer, or gave it up.
struct Answered(Arc<Shared>);

impl Drop for Answered {
    fn drop(&mut self) {
        self.0.answered();
    }
}

/// The answer's body, dropped by hyper when its last byte is in the write buffer: long before it is written.
pub(crate) struct AnswerBody {
    inner: Body,
    _answered: Answered,
}

impl http_body::Body for AnswerBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.inner).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// The socket: notes when bytes come, and gives up on a reader that takes none.
struct Guarded {
    stream: TcpStream,
    write_time: Duration,
    stalled: Option<Pin<Box<Sleep>>>,
    taken: usize,
    shared: Arc<Shared>,
}

impl Guarded {
    fn watch(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(result) = &written {
            self.taken += result.as_ref().map_or(0, |bytes| *bytes);
            if self.taken >= PROGRESS {
                self.all_is_well();
            }
            return written;
        }
        let write_time = self.write_time;
        if self.stalled.is_none() {
            self.shared.body_awaited();
        }
        let alarm = self.stalled.get_or_insert_with(|| Box::pin(tokio::time::sleep(write_time)));
        ready!(alarm.as_mut().poll(cx));
        // Else the kernel would go on feeding its buffer to this reader.
        let _ = self.stream.set_zero_linger();
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    fn all_is_well(&mut self) {
        if self.stalled.take().is_some() {
            self.shared.body_came();
        }
        self.taken = 0;
    }
}

impl AsyncRead for Guarded {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.stream).poll_read(cx, buf))?;
        if buf.filled().len() > before {
            self.shared.bytes_came();
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Guarded {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.shared.writes();
        let written = Pin::new(&mut self.stream).poll_write(cx, buf);
        self.watch(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.shared.writes();
        let written = Pin::new(&mut self.stream).poll_write_vectored(cx, bufs);
        self.watch(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // hyper flushes when it has nothing left to write.
        self.all_is_well();
        self.shared.written();
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// Reads and forgets until the other side has closed, for at most [`LINGER`].
async fn linger(mut stream: TcpStream) {
    let rest = async {
        stream.shutdown().await.ok()?;
        let mut sink = [0; 8 * 1024];
        while stream.read(&mut sink).await.ok()? > 0 {}
        Some(())
    };
    let _ = tokio::time::timeout(LINGER, rest).await;
}
