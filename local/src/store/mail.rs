//! Sends e-mail messages to a mail catcher on the developer's machine.

use std::{
    io,
    time::{Duration, UNIX_EPOCH},
};

use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport, Message as Mail, Tokio1Executor,
    message::{Mailbox, header::ContentType},
};
use tokio::sync::mpsc::{self, error::TrySendError};

use crate::model::{Message, settings::Contact};

/// Cognito's default sender.
const SENDER: (&str, &str) = ("no-reply", "verificationemail.com");

/// The number of messages that can wait for the mail catcher. Further messages are not sent.
const MAX_WAITING: usize = 1000;

/// How long the mail catcher may take for one SMTP command.
const TIMEOUT: Duration = Duration::from_secs(5);

/// The queue of messages for the mail catcher. All pools of a server share it.
#[derive(Clone)]
pub(crate) struct Outbox(mpsc::Sender<Message>);

impl Outbox {
    /// Starts to send messages to the SMTP server `host:port`. Stops when all outboxes are dropped and the queue is empty.
    ///
    /// # Errors
    /// The address is invalid.
    pub(crate) fn open(server: &str) -> io::Result<Self> {
        let (host, port) = host_and_port(server).ok_or_else(|| {
            let message = format!(
                "invalid SMTP address {server:?}: expected host:port, such as 127.0.0.1:1025"
            );
            io::Error::new(io::ErrorKind::InvalidInput, message)
        })?;
        // A mail catcher speaks plain SMTP and needs no authentication.
        let transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
            .port(port)
            .timeout(Some(TIMEOUT))
            .build();
        let (outbox, mut waiting) = mpsc::channel(MAX_WAITING);
        tokio::spawn(async move {
            while let Some(message) = waiting.recv().await {
                deliver(&transport, &message).await;
            }
        });
        Ok(Self(outbox))
    }

    /// Queues a message, if it is an e-mail. It does not wait for the delivery.
    pub(crate) fn put(&self, message: Message) {
        if message.medium != Contact::Email.medium() {
            return;
        }
        if let Err(error) = self.0.try_send(message) {
            tracing::warn!("an e-mail message was not sent: {}", reason(&error));
        }
    }
}

fn reason(error: &TrySendError<Message>) -> &'static str {
    match error {
        TrySendError::Full(_) => "too many messages wait for the mail catcher",
        TrySendError::Closed(_) => "the runtime that sends messages was shut down",
    }
}

/// Sends a message to the mail catcher. Errors are logged without the message and without the server's response, which
/// may quote it.
async fn deliver(transport: &AsyncSmtpTransport<Tokio1Executor>, message: &Message) {
    let Some(mail) = mail(message) else {
        tracing::warn!("an e-mail message was not sent: its e-mail address is invalid");
        return;
    };
    if let Err(error) = transport.send(mail).await {
        let status = error.status().map(|code| code.to_string());
        tracing::warn!(status, "the mail catcher rejected a message or is unavailable");
    }
}

fn mail(message: &Message) -> Option<Mail> {
    let (name, host) = SENDER;
    let from = Address::new(name, host).ok()?;
    let to: Address = message.destination.parse().ok()?;
    Mail::builder()
        .from(Mailbox::new(None, from))
        .to(Mailbox::new(None, to))
        .date(UNIX_EPOCH + Duration::from_millis(message.at))
        .message_id(None)
        .subject(message.subject.as_deref().unwrap_or_default())
        .header(ContentType::TEXT_HTML)
        .body(message.body.clone())
        .ok()
}

/// Splits an address: `127.0.0.1:1025`, `localhost:1025`, `[::1]:1025`. Returns `None` if it is invalid.
fn host_and_port(server: &str) -> Option<(&str, u16)> {
    let (host, port) = server.rsplit_once(':')?;
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let is_host = match bare {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            !host.is_empty() && !host.contains(|c: char| ":/@[]".contains(c) || c.is_whitespace())
        }
    };
    let port = port.parse().ok().filter(|port| *port != 0)?;
    is_host.then_some((bare.unwrap_or(host), port))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message() -> Message {
        Message {
            username: "jane".to_owned(),
            medium: Contact::Email.medium().to_owned(),
            destination: "jane@example.com".to_owned(),
            subject: None,
            body: String::new(),
            code: None,
            link: None,
            at: 0,
        }
    }

    #[test]
    fn full_queue_and_closed_queue_have_different_reasons() {
        let (sender, receiver) = mpsc::channel(1);
        sender.try_send(message()).unwrap();
        assert!(reason(&sender.try_send(message()).unwrap_err()).contains("too many messages"));
        drop(receiver);
        assert!(reason(&sender.try_send(message()).unwrap_err()).contains("shut down"));
    }
}
