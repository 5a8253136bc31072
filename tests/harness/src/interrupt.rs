//! A person who has seen enough: Ctrl-C and SIGTERM.

use tokio::signal::unix::{SignalKind, signal};

/// Returns at Ctrl-C or SIGTERM. Without a runtime nothing is caught, and the system's own handling stays.
pub fn wait() {
    let waited = tokio::runtime::Builder::new_current_thread().enable_all().build().map(|runtime| {
        runtime.block_on(async {
            let mut terminate = signal(SignalKind::terminate())?;
            tokio::select! {
                interrupt = tokio::signal::ctrl_c() => interrupt,
                _ = terminate.recv() => Ok(()),
            }
        })
    });
    if !matches!(waited, Ok(Ok(()))) {
        loop {
            std::thread::park();
        }
    }
}
