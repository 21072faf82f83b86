#![allow(dead_code, reason = "two test binaries use different parts")]

use std::{
    io::{self, Write},
    sync::{Arc, Mutex, Once},
};

use tracing::subscriber::DefaultGuard;
use tracing_subscriber::filter::LevelFilter;

static LOGS: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static START: Once = Once::new();

/// Returns everything that this process has logged so far, at level debug and above.
pub(crate) fn captured_logs() -> String {
    capture_all_threads();
    String::from_utf8_lossy(&LOGS.lock().unwrap()).into_owned()
}

fn capture_all_threads() {
    START.call_once(|| {
        tracing_subscriber::fmt()
            .with_max_level(LevelFilter::DEBUG)
            .with_ansi(false)
            .with_writer(|| Capture)
            .init();
    });
}

/// Captures everything that one thread logs, at all levels and from all crates. On a single-threaded runtime, that is
/// the complete log of a test, without those of other tests.
pub(crate) struct ThreadLogs {
    lines: Lines,
    _guard: DefaultGuard,
}

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl ThreadLogs {
    pub(crate) fn start() -> Self {
        // Without a subscriber for all threads, `tracing` may decide that an event is disabled when another thread is
        // the first to log it, and the event would then be missing here.
        capture_all_threads();
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(LevelFilter::TRACE)
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        Self { lines, _guard: tracing::subscriber::set_default(subscriber) }
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.lines.0.lock().unwrap()).into_owned()
    }
}

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Capture;

impl Write for Capture {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        LOGS.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
