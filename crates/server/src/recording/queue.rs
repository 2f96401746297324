//! Calls on their way into the log: put down by requests, picked up by one thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use prilavok_store::requests::RequestLog;
use prometheus::IntCounter;

use super::captured::Captured;
use crate::settings::RequestLogSettings;

/// How long the thread gathers what comes after the first call: one transaction takes them all, and requests wake the
/// thread no more often than that.
const GATHERING: Duration = Duration::from_millis(50);
/// Calls in one transaction, so that memory for their texts is bounded too.
const BATCH: usize = 1_000;

/// Calls that wait to be written.
pub(super) struct Queue {
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

struct Shared {
    waiting: Mutex<Waiting>,
    wake: Condvar,
    /// The most that may wait.
    max_bytes: usize,
    dropped: IntCounter,
    told: AtomicBool,
}

#[derive(Default)]
struct Waiting {
    calls: Vec<Captured>,
    bytes: usize,
    closed: bool,
}

impl Queue {
    pub(super) fn start(
        log: Arc<RequestLog>,
        settings: &RequestLogSettings,
        dropped: IntCounter,
    ) -> std::io::Result<Self> {
        let shared = Arc::new(Shared {
            waiting: Mutex::default(),
            wake: Condvar::new(),
            max_bytes: settings.queue_bytes(),
            dropped,
            told: AtomicBool::new(false),
        });
        let max_file_bytes = settings.max_file_bytes();
        let of_thread = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("request-log".to_owned())
            .spawn(move || of_thread.write(&log, max_file_bytes))?;
        Ok(Self {
            shared,
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Puts a call down, or drops it when there is no room. Waits for nothing but the thread's one swap of vectors.
    pub(super) fn push(&self, call: Captured) {
        let weight = call.weight();
        let is_first = {
            let mut waiting = self.shared.waiting.lock();
            if waiting.closed || waiting.bytes + weight > self.shared.max_bytes {
                drop(waiting);
                self.shared.lost(1, "more calls than can be written");
                return;
            }
            waiting.bytes += weight;
            waiting.calls.push(call);
            waiting.calls.len() == 1
        };
        if is_first {
            self.shared.wake.notify_one();
        }
    }

    /// Writes what waits, and ends the thread.
    pub(super) fn close(&self) {
        self.shared.waiting.lock().closed = true;
        self.shared.wake.notify_one();
        if let Some(thread) = self.thread.lock().take() {
            // A thread that panicked has told so.
            let _ = thread.join();
        }
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        self.close();
    }
}

impl Shared {
    fn write(&self, log: &RequestLog, max_file_bytes: u64) {
        while let Some(calls) = self.take() {
            for batch in calls.chunks(BATCH) {
                let entries: Vec<_> = batch.iter().map(Captured::logged).collect();
                if let Err(error) = log.append(&entries, max_file_bytes) {
                    self.lost(batch.len() as u64, &error.to_string());
                }
            }
        }
    }

    /// Waits for calls; `None` once the queue is closed and empty.
    fn take(&self) -> Option<Vec<Captured>> {
        let mut waiting = self.waiting.lock();
        while waiting.calls.is_empty() && !waiting.closed {
            self.wake.wait(&mut waiting);
        }
        if !waiting.closed {
            self.wake
                .wait_while_for(&mut waiting, |waiting| !waiting.closed, GATHERING);
        }
        waiting.bytes = 0;
        let calls = std::mem::take(&mut waiting.calls);
        (!calls.is_empty()).then_some(calls)
    }

    /// Counts what was lost; the log of the server is told of it once, the metric each time.
    fn lost(&self, calls: u64, why: &str) {
        self.dropped.inc_by(calls);
        if !self.told.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                why,
                "calls are missing in the request log; prilavok_request_log_dropped_total counts them"
            );
        }
    }
}
