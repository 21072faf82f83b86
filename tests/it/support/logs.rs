use std::{
    io::{self, Write},
    sync::{Arc, Mutex, Once},
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

/// What the present thread logs, at all levels, until this is dropped. Other tests log elsewhere.
pub(crate) struct ThreadLog {
    lines: Arc<Mutex<Vec<u8>>>,
    _subscriber: tracing::subscriber::DefaultGuard,
}

struct Append(Arc<Mutex<Vec<u8>>>);

impl ThreadLog {
    pub(crate) fn start() -> Self {
        let lines = Arc::<Mutex<Vec<u8>>>::default();
        let writer = Arc::clone(&lines);
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
            .with_writer(move || Append(Arc::clone(&writer)))
            .finish();
        Self { lines, _subscriber: tracing::subscriber::set_default(subscriber) }
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.lines.lock().unwrap()).into_owned()
    }
}

impl Write for Append {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
