//! How many signatures this machine can check, on all its cores: the ceiling of every log that checks what it admits.

use std::hint::black_box;
use std::thread;
use std::time::{Duration, Instant};

use stele_spec::key::PublicKey;
use stele_spec::statement::SignedStatement;

use super::machine::cores;
use stele_probe::failure::{Failure, Step};
use stele_samples::supply::Supply;

/// How long each limit is measured.
const TIME: Duration = Duration::from_millis(700);

/// What a core does before it looks at the clock.
const AT_ONCE: u64 = 16;

/// A second of all cores.
#[derive(Clone, Copy, Debug)]
pub struct Limit {
    /// Strict Ed25519 checks of a message as long as a statement.
    pub signatures: f64,
    /// Statements parsed from bytes, field by field, and their signatures checked.
    pub statements: f64,
}

/// Measures both.
pub fn limit(supply: &mut Supply) -> Step<Limit> {
    let key = supply.public();
    let statement = supply.another()?;
    let message = statement.bytes();
    let signature = supply.secret().sign(message);
    Ok(Limit {
        signatures: per_second(&|| key.verify(message, &signature).is_ok())?,
        statements: per_second(&|| admitted(message, &key))?,
    })
}

fn admitted(bytes: &[u8], key: &PublicKey) -> bool {
    SignedStatement::parse(black_box(bytes)).is_ok_and(|signed| signed.verify(key).is_ok())
}

fn per_second(check: &(impl Fn() -> bool + Sync)) -> Step<f64> {
    let count = || {
        let (started, mut done) = (Instant::now(), 0);
        while started.elapsed() < TIME {
            for _ in 0..AT_ONCE {
                if !black_box(check()) {
                    return None;
                }
            }
            done += AT_ONCE;
        }
        Some(done as f64 / started.elapsed().as_secs_f64())
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..cores()).map(|_| scope.spawn(count)).collect();
        let rates = threads.into_iter().map(|thread| thread.join().ok().flatten());
        rates.sum::<Option<f64>>().ok_or_else(|| Failure::new("a good signature was refused"))
    })
}
