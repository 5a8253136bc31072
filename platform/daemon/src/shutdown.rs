//! The wish to stop: SIGTERM from a service manager, SIGINT from a terminal.

use std::future::Future;
use std::io;
use tokio::signal::unix::{SignalKind, signal};

/// A future that resolves at the first SIGTERM or SIGINT.
///
/// The handlers are in force when this returns, not when the future is first polled: a signal that arrives while the
/// program still recovers is not lost. A second SIGINT does not end the process faster; SIGKILL is always safe.
/// Must be called inside a tokio runtime.
pub fn signals() -> io::Result<impl Future<Output = ()> + Send + 'static> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        let name = tokio::select! {
            _ = terminate.recv() => "SIGTERM",
            _ = interrupt.recv() => "SIGINT",
        };
        tracing::info!(signal = name, "stopping");
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[tokio::test]
    async fn a_signal_between_start_and_first_poll_is_seen() {
        let stop = signals().unwrap();
        rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::TERM).unwrap();
        tokio::time::timeout(Duration::from_secs(5), stop).await.unwrap();
    }
}
