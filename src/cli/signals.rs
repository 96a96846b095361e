//! Ctrl-C, and the politer of the signals that end a process: the first drains, the second breaks off.

use crate::runner::Stop;
use tokio::sync::watch;

/// A listener for both. Kept for a whole run: one made anew each time would miss what comes in between.
pub struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    /// Listens from here on; the signals no longer end the process by themselves.
    pub fn listen() -> std::io::Result<Signals> {
        Ok(Signals {
            #[cfg(unix)]
            interrupt: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt())?,
            #[cfg(unix)]
            terminate: tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?,
        })
    }

    /// Waits for the next one.
    pub async fn next(&mut self) {
        #[cfg(unix)]
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
        #[cfg(not(unix))]
        let _ = tokio::signal::ctrl_c().await;
    }
}

/// What a signal does to a run, and the words for it.
pub fn stopping(stop: &watch::Sender<Stop>) -> &'static str {
    let next = if *stop.borrow() == Stop::Go { Stop::Drain } else { Stop::Cancel };
    stop.send_replace(next);
    match next {
        Stop::Drain => "finishing the requests in flight; once more breaks them off",
        _ => "breaking off",
    }
}
