use std::{
    io::{self, Write},
    sync::{Mutex, Once},
};

static LOGS: Mutex<Vec<u8>> = Mutex::new(Vec::new());
static START: Once = Once::new();

/// All that was logged by this process so far, down to debug messages.
pub(crate) fn captured_logs() -> String {
    START.call_once(|| {
        tracing_subscriber::fmt()
            .with_max_level(tracing_subscriber::filter::LevelFilter::DEBUG)
            .with_writer(|| Capture)
            .init();
    });
    String::from_utf8_lossy(&LOGS.lock().unwrap()).into_owned()
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
