//! Many connections at a time: each sends the next request when it has the answer to its last.

use std::net::SocketAddr;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::cpu;
use super::figure::quantile;
use super::line::Line;
use stele_probe::failure::{During, Failure, Step};

/// A thread of the load needs no more.
const STACK: usize = 256 * 1024;

/// A request that was made before the clock starts.
pub trait Request: Sync {
    /// Sends it and waits for its answer.
    fn send(&self, line: &mut Line) -> Step<Vec<u8>>;
}

/// What one run of a load came to.
#[derive(Debug)]
pub struct Load {
    took: Duration,
    cpu: cpu::Account,
    /// How long each request took, in milliseconds.
    times: Vec<f64>,
    /// By the place of the request.
    pub answers: Vec<(usize, Vec<u8>)>,
}

impl Load {
    /// Sends every request over so many connections.
    pub fn run(server: SocketAddr, requests: &[impl Request], connections: usize) -> Step<Self> {
        let next = AtomicUsize::new(0);
        let ready = Barrier::new(connections + 1);
        thread::scope(|scope| {
            let threads: Vec<_> = (0..connections)
                .map(|_| {
                    thread::Builder::new().stack_size(STACK).spawn_scoped(scope, || {
                        let line = Line::open(server);
                        ready.wait();
                        let mut line = line?;
                        let mut answers = Vec::new();
                        while let Some((place, request)) = pick(requests, &next) {
                            let started = Instant::now();
                            let answer = request.send(&mut line)?;
                            answers.push((started.elapsed().as_secs_f64() * 1e3, place, answer));
                        }
                        Ok::<_, Failure>(answers)
                    })
                })
                .collect::<Result<_, _>>()
                .during("starting the load")?;
            ready.wait();
            let (before, started) = (cpu::until_now(), Instant::now());
            let (mut times, mut answers) = (Vec::with_capacity(requests.len()), Vec::with_capacity(requests.len()));
            for thread in threads {
                for (time, place, answer) in
                    thread.join().map_err(|_| Failure::new("a thread of the load failed"))??
                {
                    times.push(time);
                    answers.push((place, answer));
                }
            }
            let took = started.elapsed();
            Ok(Self { took, cpu: cpu::since(&before), times, answers })
        })
    }

    /// Answers a second.
    pub fn per_second(&self) -> f64 {
        self.times.len() as f64 / self.took.as_secs_f64()
    }

    /// The time below which a share of the answers came, in milliseconds.
    pub fn time(&self, share: f64) -> f64 {
        quantile(&self.times, share)
    }

    /// The processor time of a program for a request, in microseconds; of the load itself under an empty name.
    pub fn processor_time(&self, program: &str) -> f64 {
        self.cpu.get(program).map_or(0.0, |used| used.as_secs_f64() * 1e6 / self.times.len() as f64)
    }
}

fn pick<'a, T>(requests: &'a [T], next: &AtomicUsize) -> Option<(usize, &'a T)> {
    let place = next.fetch_add(1, Ordering::Relaxed);
    requests.get(place).map(|request| (place, request))
}
