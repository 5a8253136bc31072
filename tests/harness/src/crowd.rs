//! Strangers who occupy a server: each opens a connection, sends nothing or the beginning of a request, and stays. Whoever is
//! turned out comes back.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustix::process::{Resource, getrlimit, setrlimit};

use stele_probe::failure::{During, Step};

/// How long a stranger waits for its connection.
const PATIENCE: Duration = Duration::from_secs(1);

/// Strangers at one server, until the value is dropped.
#[derive(Debug)]
pub struct Crowd {
    gone: Arc<AtomicBool>,
    turned_out: Arc<AtomicUsize>,
    thread: Option<JoinHandle<()>>,
}

impl Crowd {
    /// One stranger for each beginning of a request, which may be empty.
    pub fn at(address: SocketAddr, beginnings: Vec<Vec<u8>>) -> Step<Self> {
        allow_descriptors()?;
        let (gone, turned_out) = (Arc::<AtomicBool>::default(), Arc::<AtomicUsize>::default());
        let (stop, count) = (gone.clone(), turned_out.clone());
        let thread = thread::spawn(move || {
            let mut strangers: Vec<_> = beginnings.into_iter().map(|beginning| (beginning, None)).collect();
            while !stop.load(Ordering::SeqCst) {
                for (beginning, line) in &mut strangers {
                    if line.as_mut().is_some_and(is_open) {
                        continue;
                    }
                    if line.take().is_some() {
                        count.fetch_add(1, Ordering::SeqCst);
                    }
                    *line = come(address, beginning);
                }
                thread::sleep(Duration::from_millis(5));
            }
        });
        Ok(Self { gone, turned_out, thread: Some(thread) })
    }

    /// How often the server ended the connection of one of them.
    pub fn turned_out(&self) -> usize {
        self.turned_out.load(Ordering::SeqCst)
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.gone.store(true, Ordering::SeqCst);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// A connection on which the beginning was sent, as far as the kernel takes it at once.
fn come(address: SocketAddr, beginning: &[u8]) -> Option<TcpStream> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE).ok()?;
    stream.set_nonblocking(true).ok()?;
    let mut left = beginning;
    while !left.is_empty() {
        match stream.write(left) {
            Ok(written) if written > 0 => left = left.get(written..)?,
            _ => break,
        }
    }
    Some(stream)
}

/// Whether the server has not ended it: an answer is its end too.
fn is_open(stream: &mut TcpStream) -> bool {
    matches!(stream.read(&mut [0]), Err(error) if error.kind() == ErrorKind::WouldBlock)
}

/// As many descriptors as the system gives to us and to the servers that are started later.
fn allow_descriptors() -> Step {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).during("allowing more descriptors")
}
