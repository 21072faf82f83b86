use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// A JWKS endpoint that sends a configured reply, which may be faulty HTTP.
pub(crate) struct KeyServer {
    address: SocketAddr,
    reply: Arc<Mutex<Reply>>,
    fetches: Arc<AtomicU64>,
    /// The head of the last request.
    request: Arc<Mutex<String>>,
}

#[derive(Clone)]
pub(crate) enum Reply {
    /// A well-formed response with this document.
    Json(String),
    /// These bytes, then the connection is closed.
    Bytes(Vec<u8>),
    /// These bytes one by one, with a pause in between.
    Drip(Vec<u8>, Duration),
    /// These bytes, then nothing until the client disconnects.
    Hang(Vec<u8>),
    /// The connection is closed at once.
    Close,
}

impl KeyServer {
    pub(crate) async fn start(reply: Reply) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (reply, fetches) = (Arc::new(Mutex::new(reply)), Arc::new(AtomicU64::new(0)));
        let request = Arc::default();
        let server = Self { address, reply, fetches, request };
        let (reply, fetches) = (Arc::clone(&server.reply), Arc::clone(&server.fetches));
        tokio::spawn(accept(listener, reply, fetches, Arc::clone(&server.request)));
        server
    }

    pub(crate) fn uri(&self) -> String {
        format!("http://{}/jwks.json", self.address)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn set(&self, reply: Reply) {
        *self.reply.lock().unwrap() = reply;
    }

    /// Returns the head of the last request, in lower case.
    pub(crate) fn last_request(&self) -> String {
        self.request.lock().unwrap().to_ascii_lowercase()
    }

    /// Returns the number of requests received.
    pub(crate) fn fetches(&self) -> u64 {
        self.fetches.load(Ordering::SeqCst)
    }
}

/// Returns a complete HTTP response with a body.
pub(crate) fn response(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n{headers}\r\n", body.len())
        .into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

impl Reply {
    pub(crate) fn json(document: &(impl ToString + ?Sized)) -> Self {
        Self::Json(document.to_string())
    }

    pub(crate) fn status(status: &str, body: &str) -> Self {
        Self::Bytes(response(status, "Content-Type: application/json\r\n", body.as_bytes()))
    }
}

async fn accept(
    listener: TcpListener,
    reply: Arc<Mutex<Reply>>,
    fetches: Arc<AtomicU64>,
    last_request: Arc<Mutex<String>>,
) {
    while let Ok((stream, _)) = listener.accept().await {
        let reply = reply.lock().unwrap().clone();
        fetches.fetch_add(1, Ordering::SeqCst);
        tokio::spawn(respond(stream, reply, Arc::clone(&last_request)));
    }
}

async fn respond(
    mut stream: TcpStream,
    reply: Reply,
    last_request: Arc<Mutex<String>>,
) -> std::io::Result<()> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let byte = stream.read_u8().await?;
        request.push(byte);
    }
    *last_request.lock().unwrap() = String::from_utf8_lossy(&request).into_owned();
    match reply {
        Reply::Json(document) => {
            let kind = "Content-Type: application/json\r\nConnection: close\r\n";
            stream.write_all(&response("200 OK", kind, document.as_bytes())).await
        }
        Reply::Bytes(bytes) => stream.write_all(&bytes).await,
        Reply::Drip(bytes, pause) => {
            for byte in bytes {
                stream.write_all(&[byte]).await?;
                tokio::time::sleep(pause).await;
            }
            Ok(())
        }
        Reply::Hang(bytes) => {
            stream.write_all(&bytes).await?;
            let _ = stream.read_u8().await;
            Ok(())
        }
        Reply::Close => Ok(()),
    }
}
