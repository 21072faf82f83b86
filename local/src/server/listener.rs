//! The listener of a server: HTTP, and also HTTPS on the same port if there is a certificate.

use std::{
    future::{Future, poll_fn},
    io,
    net::SocketAddr,
    pin::pin,
    task::Poll,
    time::Duration,
};

use axum::{
    extract::connect_info::Connected,
    serve::{IncomingStream, Listener},
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::{JoinError, JoinSet},
    time::timeout,
};
use tokio_rustls::TlsAcceptor;

use crate::{
    http::transport::Transport,
    server::connection::{Connection, Stream},
};

/// The maximum time until the protocol of a connection is known and its TLS handshake is complete.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// The first byte of a TLS connection: a record of the type `handshake` (RFC 8446, section 5.1). HTTP/1 starts with a
/// letter.
const TLS_HANDSHAKE: u8 = 22;

/// A listener whose connections end when its server is dropped. `axum::serve` alone would leave them open while a
/// request is incomplete or its handler waits.
pub(crate) struct ServerListener {
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    /// Connections whose protocol is not known yet, or whose TLS handshake is not complete.
    pending: JoinSet<io::Result<Accepted>>,
    stopped: watch::Receiver<()>,
}

type Accepted = (Transport, Box<dyn Stream>, SocketAddr);

enum Event {
    Connected(TcpStream, SocketAddr),
    Finished(Result<io::Result<Accepted>, JoinError>),
}

impl ServerListener {
    pub(crate) fn new(
        listener: TcpListener,
        tls: Option<TlsAcceptor>,
        stopped: watch::Receiver<()>,
    ) -> Self {
        Self { listener, tls, pending: JoinSet::new(), stopped }
    }

    /// Waits for a new connection, or for the end of a pending one.
    async fn next_event(&mut self) -> Event {
        let Self { listener, pending, .. } = self;
        let mut connected = pin!(Listener::accept(listener));
        poll_fn(|cx| {
            if let Poll::Ready(Some(finished)) = pending.poll_join_next(cx) {
                return Poll::Ready(Event::Finished(finished));
            }
            let connected = connected.as_mut().poll(cx);
            connected.map(|(stream, address)| Event::Connected(stream, address))
        })
        .await
    }
}

impl Listener for ServerListener {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        loop {
            let (transport, stream, address): Accepted = match self.next_event().await {
                Event::Connected(stream, address) => match &self.tls {
                    None => (Transport::Plain, Box::new(stream), address),
                    Some(tls) => {
                        self.pending.spawn(detect_protocol(tls.clone(), stream, address));
                        continue;
                    }
                },
                Event::Finished(Ok(Ok(accepted))) => accepted,
                Event::Finished(Ok(Err(error))) => {
                    // For example, a client does not trust the certificate.
                    tracing::debug!(%error, "a TLS handshake failed");
                    continue;
                }
                Event::Finished(Err(_)) => continue,
            };
            return (Connection::new(transport, stream, self.stopped.clone()), address);
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

impl Connected<IncomingStream<'_, ServerListener>> for Transport {
    fn connect_info(stream: IncomingStream<'_, ServerListener>) -> Self {
        stream.io().transport
    }
}

/// Waits for the first byte of a connection, and completes the handshake if that byte is the start of TLS.
async fn detect_protocol(
    tls: TlsAcceptor,
    stream: TcpStream,
    address: SocketAddr,
) -> io::Result<Accepted> {
    let detect = async {
        let mut first = [0];
        stream.peek(&mut first).await?;
        let (transport, stream): (_, Box<dyn Stream>) = if first == [TLS_HANDSHAKE] {
            (Transport::Tls, Box::new(tls.accept(stream).await?))
        } else {
            (Transport::Plain, Box::new(stream))
        };
        Ok((transport, stream, address))
    };
    timeout(HANDSHAKE_TIMEOUT, detect).await?
}
