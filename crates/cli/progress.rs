//! A sign of life for long runs.
//!
//! Not for results. Invariant: nothing is drawn in the first half second, nor where standard error is
//! no terminal.

use indicatif::ProgressBar;
use std::io::IsTerminal as _;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

/// How long a run may last without one.
const PATIENCE: Duration = Duration::from_millis(500);

/// A spinner that appears late.
pub(crate) struct Progress {
    running: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Progress {
    /// Starts waiting; does nothing where it is not wanted.
    pub(crate) fn start(wanted: bool) -> Self {
        if !wanted || !std::io::stderr().is_terminal() {
            return Self { running: None };
        }
        let (sender, receiver) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            if receiver.recv_timeout(PATIENCE) == Err(RecvTimeoutError::Timeout) {
                let bar = ProgressBar::new_spinner();
                bar.set_message("checking");
                bar.enable_steady_tick(Duration::from_millis(100));
                let _ = receiver.recv();
                bar.finish_and_clear();
            }
        });
        Self {
            running: Some((sender, thread)),
        }
    }

    /// Removes it.
    pub(crate) fn stop(self) {
        if let Some((sender, thread)) = self.running {
            drop(sender);
            let _ = thread.join();
        }
    }
}
