//! Who brings steps, and who only says so.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "a test ends where it goes wrong")]

use std::convert::Infallible;
use std::path::Path as FilePath;
use std::pin::Pin;
use std::sync::{Condvar, Mutex};
use std::task::{Context, Poll};

use axum::body::{Bytes, to_bytes};
use axum::http::Request;
use stele_clock::{Clock, ManualClock, SystemClock};
use stele_spec::entry::IndexEntry;
use stele_spec::hash::IndexRoot;
use stele_spec::misbehaviour::{KnownKeys, Misbehaviour};
use stele_witness_core::wall_clock::MAX_JUMP;
use tokio::time::{Sleep, sleep};
use tower::ServiceExt;

use super::*;
use crate::testkit::{Log, cosigner};

fn post(length: usize, body: Body) -> Request<Body> {
    Request::post("/index/add-transition").header("content-length", length).body(body).unwrap()
}

async fn bring(router: &Router, body: Vec<u8>) -> (u16, String) {
    let answer = router.clone().oneshot(post(body.len(), body.into())).await.unwrap();
    let (status, retry) = (answer.status().as_u16(), answer.headers().contains_key(header::RETRY_AFTER));
    let body = String::from_utf8(to_bytes(answer.into_body(), 1 << 20).await.unwrap().to_vec()).unwrap();
    assert_eq!(retry, [429, 503].contains(&status), "{body}");
    let code =
        serde_json::from_str::<serde_json::Value>(&body).ok().and_then(|body| Some(body["error"].as_str()?.into()));
    (status, code.unwrap_or(body))
}

fn told(status: u16, code: &str) -> (u16, String) {
    (status, code.to_owned())
}

/// Some bytes, and then 20 KiB a second for ever.
struct Dribble {
    first: Option<Vec<u8>>,
    next: Pin<Box<Sleep>>,
}

impl http_body::Body for Dribble {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Infallible>>> {
        if let Some(first) = self.first.take() {
            return Poll::Ready(Some(Ok(http_body::Frame::data(first.into()))));
        }
        std::task::ready!(self.next.as_mut().poll(cx));
        self.next = Box::pin(sleep(Duration::from_secs(1)));
        Poll::Ready(Some(Ok(http_body::Frame::data(vec![0; 20 << 10].into()))))
    }
}

/// Somebody who says that a long step comes, and sends it slowly.
fn slowly(router: &Router, first: &[u8]) -> tokio::task::JoinHandle<()> {
    let body = Dribble { first: Some(first.to_vec()), next: Box::pin(sleep(Duration::ZERO)) };
    let (router, request) = (router.clone(), post(MAX_BODY, Body::new(body)));
    tokio::spawn(async move { drop(router.oneshot(request).await) })
}

fn system() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}

#[tokio::test(start_paused = true)]
async fn nobody_takes_the_room_of_a_log_who_has_no_step_of_it_to_bring() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = Log::new("log.example/a");
    let router = routes(Arc::new(cosigner(folder.path(), &[log.trusted()], None, &system())));
    assert_eq!(bring(&router, log.batch(0, |entry| entry)).await.0, 200);
    assert_eq!(bring(&router, log.batch(2, |entry| entry)).await.0, 200);

    let public = log.again();
    let mut others = Log::new("log.example/b");
    let unknown = others.batch(0, |entry| entry);
    let mut forged = public.clone();
    let at = forged.len() - 20;
    forged[at] ^= 1;
    // No head; another log's; one that nobody signed; the public checkpoint, to which no step leads any more.
    let firsts = [&[0, 0, 1, 0, 7][..], &unknown, &forged, &public];
    let slow: Vec<_> = firsts.iter().cycle().take(4 * BODIES as usize).map(|first| slowly(&router, first)).collect();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let step = log.batch(400, |entry| entry);
    assert!(step.len() > stele_serve::FREE, "{}", step.len());
    assert_eq!(bring(&router, step).await.0, 200);
    slow.iter().for_each(tokio::task::JoinHandle::abort);
}

#[tokio::test]
async fn a_head_is_refused_for_what_is_wrong_with_it_before_the_rest_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = Log::new("log.example/a");
    let router = routes(Arc::new(cosigner(folder.path(), &[log.trusted()], None, &system())));
    let first = log.batch(0, |entry| entry);
    assert_eq!(bring(&router, first.clone()).await.0, 200);
    // It is longer than its few entries can be, whatever is in it.
    let step = log.batch(1, |entry| entry);
    let long = [step.clone(), vec![0; 400 << 10]].concat();
    assert_eq!(bring(&router, long).await, told(413, "too-large"));
    assert_eq!(bring(&router, step[..40].to_vec()).await, told(400, "malformed"));
    assert_eq!(bring(&router, vec![255; 90]).await, told(400, "malformed"));
    assert_eq!(bring(&router, vec![0]).await, told(400, "malformed"));
    assert_eq!(bring(&router, first).await, told(409, "1\n"));
    assert_eq!(bring(&router, step).await.0, 200);
    assert_eq!(bring(&router, Log::new("log.example/b").batch(0, |entry| entry)).await, told(404, "unknown-origin"));
}

/// A clock that stands still for whoever reads it, once it is held.
#[derive(Default)]
struct Gate(Mutex<(bool, usize)>, Condvar);

impl Clock for Gate {
    fn unix_seconds(&self) -> u64 {
        let mut state = self.0.lock().unwrap();
        state.1 += 1;
        while state.0 {
            state = self.1.wait(state).unwrap();
        }
        state.1 -= 1;
        1_800_000_000
    }

    fn steady(&self) -> Duration {
        Duration::ZERO
    }

    fn sleep(&self, _: Duration) {}
}

#[tokio::test(flavor = "multi_thread")]
async fn so_many_steps_are_checked_at_one_time_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let gate = Arc::new(Gate::default());
    let mut logs: Vec<_> = (0..3 * CHECKS).map(|number| Log::new(&format!("log.example/{number}"))).collect();
    let trusted: Vec<_> = logs.iter().map(Log::trusted).collect();
    let clock: Arc<dyn Clock> = gate.clone();
    let router = routes(Arc::new(cosigner(folder.path(), &trusted, None, &clock)));
    gate.0.lock().unwrap().0 = true;
    let brought: Vec<_> = logs.iter_mut().map(|log| log.batch(0, |entry| entry)).collect();
    let all: Vec<_> = brought
        .into_iter()
        .map(|body| {
            let router = router.clone();
            tokio::spawn(async move { bring(&router, body).await.0 })
        })
        .collect();
    let within = || gate.0.lock().unwrap().1;
    while within() < CHECKS {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(within(), CHECKS, "the others wait without a thread");
    gate.0.lock().unwrap().0 = false;
    gate.1.notify_all();
    for one in all {
        assert_eq!(one.await.unwrap(), 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_repeats_its_steps_leaves_the_places_of_others() {
    let folder = tempfile::tempdir().unwrap();
    let gate = Arc::new(Gate::default());
    let mut logs = ["log.example/a", "log.example/b"].map(Log::new);
    let trusted: Vec<_> = logs.iter().map(Log::trusted).collect();
    let clock: Arc<dyn Clock> = gate.clone();
    let router = routes(Arc::new(cosigner(folder.path(), &trusted, None, &clock)));
    gate.0.lock().unwrap().0 = true;
    let [often, once] = logs.each_mut().map(|log| log.batch(0, |entry| entry));
    let mut all = Vec::new();
    for body in std::iter::repeat_n(often, 2 * CHECKS).chain([once]) {
        let router = router.clone();
        all.push(tokio::spawn(async move { bring(&router, body).await.0 }));
    }
    let within = || gate.0.lock().unwrap().1;
    while within() < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(within(), 2, "one of each log");
    gate.0.lock().unwrap().0 = false;
    gate.1.notify_all();
    for one in all {
        assert!(matches!(one.await.unwrap(), 200 | 409), "a repeat may come behind what it repeats");
    }
}

fn files(folder: &FilePath, log: &Log) -> Vec<std::path::PathBuf> {
    let folder = folder.join("evidence").join(log.origin().digest().to_string());
    std::fs::read_dir(folder).map(|files| files.map(|file| file.unwrap().path()).collect()).unwrap_or_default()
}

#[tokio::test]
async fn a_wrong_root_leaves_a_file_that_convicts_the_log_and_is_not_kept_twice() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = Log::new("log.example/a");
    let router = routes(Arc::new(cosigner(folder.path(), &[log.trusted()], None, &system())));
    assert_eq!(bring(&router, log.batch(0, |entry| entry)).await.0, 200);
    assert_eq!(bring(&router, log.batch(2, |entry| entry)).await.0, 200);
    let honest = log.again();
    assert_eq!(bring(&router, honest).await.0, 200);
    assert!(files(folder.path(), &log).is_empty());

    let lie = log.batch(3, |entry| IndexEntry { root: IndexRoot::from_bytes([7; 32]), ..entry });
    for _ in 0..3 {
        assert_eq!(bring(&router, lie.clone()).await, told(422, "wrong-index-root"));
    }
    let kept = files(folder.path(), &log);
    let name = kept[0].file_name().unwrap().to_str().unwrap().to_owned();
    assert!(
        kept.len() == 1 && name.starts_with("wrong-index-root-8-") && name.ends_with(".stele-evidence"),
        "{kept:?}"
    );
    let file = Misbehaviour::parse(&std::fs::read(&kept[0]).unwrap()).unwrap();
    let verdict = file.check(&KnownKeys::new([log.signer.verifier()])).unwrap();
    assert_eq!(verdict.what, "log.example/a says at entry 7 what its own entries before it contradict");
    let metrics = router.clone().oneshot(Request::get("/index/metrics").body(Body::empty()).unwrap()).await.unwrap();
    let metrics = String::from_utf8(to_bytes(metrics.into_body(), 1 << 20).await.unwrap().to_vec()).unwrap();
    assert!(metrics.contains("stele_index_cosigner_wrong_roots_total{origin=\"log.example/a\"} 1\n"), "{metrics}");

    // An entry that is no index entry for its place convicts as well.
    let mut other = Log::new("log.example/a");
    other.batch(0, |entry| entry);
    other.batch(2, |entry| entry);
    let elsewhere = other.batch(5, |entry| IndexEntry { position: 99, ..entry });
    assert_eq!(bring(&router, elsewhere).await, told(422, "no-index-entry"));
    assert_eq!(files(folder.path(), &log).len(), 2);
}

#[tokio::test]
async fn a_clock_that_runs_ahead_or_back_dates_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = Log::new("log.example/a");
    let manual = Arc::new(ManualClock::at(1_800_000_000));
    let clock: Arc<dyn Clock> = manual.clone();
    let router = routes(Arc::new(cosigner(folder.path(), &[log.trusted()], None, &clock)));
    assert_eq!(bring(&router, log.batch(0, |entry| entry)).await.0, 200);
    let step = log.batch(1, |entry| entry);
    manual.jump(1_800_000_000 + MAX_JUMP + 2);
    assert_eq!(bring(&router, step.clone()).await, told(503, "clock-jumped"));
    manual.jump(1_800_000_000 - 1);
    assert_eq!(bring(&router, step.clone()).await, told(503, "clock-back"));
    manual.jump(1_800_000_000 + MAX_JUMP - 2);
    assert_eq!(bring(&router, step).await.0, 200);
}

#[tokio::test]
async fn a_log_has_no_more_cosignatures_a_day_than_it_may() {
    let folder = tempfile::tempdir().unwrap();
    let mut log = Log::new("log.example/a");
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(1_800_000_000));
    let router = routes(Arc::new(cosigner(folder.path(), &[log.trusted()], Some(24), &clock)));
    assert_eq!(bring(&router, log.batch(0, |entry| entry)).await.0, 200);
    for _ in 1..10 {
        assert_eq!(bring(&router, log.again()).await.0, 200);
    }
    assert_eq!(bring(&router, log.again()).await, told(429, "too-often"));
}

#[test]
fn a_reload_that_is_not_taken_over_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (mut log, other) = (Log::new("log.example/a"), Log::new("log.example/b"));
    let cosigner = cosigner(folder.path(), &[log.trusted()], None, &system());
    drop(cosigner.prepare(Vec::new()).unwrap_or_else(|error| panic!("{error}")));
    let missing = crate::IndexedLog { log: other.trusted(), qpd: None, copy: None };
    assert!(cosigner.prepare(vec![missing]).is_err(), "it was never added");
    let first = log.batch(0, |entry| entry);
    assert_eq!(cosigner.add_transition(&first).status(), 200);
    cosigner.prepare(Vec::new()).unwrap_or_else(|error| panic!("{error}")).commit();
    assert_eq!(cosigner.add_transition(&log.again()).status(), 404);
}
