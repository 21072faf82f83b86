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

/// A JWKS endpoint at the TCP level, which writes configured bytes in a configured way.
pub(crate) struct KeyServer {
    address: SocketAddr,
    reply: Arc<Mutex<Reply>>,
    fetches: Arc<AtomicU64>,
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
        tokio::spawn(accept(listener, Arc::clone(&reply), Arc::clone(&fetches)));
        Self { address, reply, fetches }
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

    /// The number of requests received.
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

async fn accept(listener: TcpListener, reply: Arc<Mutex<Reply>>, fetches: Arc<AtomicU64>) {
    while let Ok((stream, _)) = listener.accept().await {
        let reply = reply.lock().unwrap().clone();
        fetches.fetch_add(1, Ordering::SeqCst);
        tokio::spawn(answer(stream, reply));
    }
}

async fn answer(mut stream: TcpStream, reply: Reply) -> std::io::Result<()> {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let byte = stream.read_u8().await?;
        request.push(byte);
    }
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
