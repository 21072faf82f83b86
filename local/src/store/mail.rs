//! E-mail messages as real mail, for a mail catcher on the developer's machine.

use std::{
    io,
    time::{Duration, UNIX_EPOCH},
};

use lettre::{
    Address, AsyncSmtpTransport, AsyncTransport, Message as Mail, Tokio1Executor,
    message::{Mailbox, header::ContentType},
};
use tokio::sync::mpsc;

use crate::model::{Message, settings::Contact};

/// Cognito's default sender.
const SENDER: (&str, &str) = ("no-reply", "verificationemail.com");

/// So many messages wait for the mail catcher. Those that come after are in the list alone.
const MAX_WAITING: usize = 1000;

/// How long the mail catcher may take for a step.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where the pools of a site put what is to be mailed.
#[derive(Clone)]
pub(crate) struct Outbox(mpsc::Sender<Message>);

impl Outbox {
    /// Mails by the SMTP server `host:port`, as long as there is an outbox and what it holds.
    pub(crate) fn open(server: &str) -> io::Result<Self> {
        let (host, port) = host_and_port(server).ok_or_else(|| {
            let message = format!("`{server}` is no SMTP address: it has to be `host:port`");
            io::Error::new(io::ErrorKind::InvalidInput, message)
        })?;
        // A mail catcher speaks plain SMTP and needs no authentication.
        let transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
            .port(port)
            .timeout(Some(PATIENCE))
            .build();
        let (outbox, mut waiting) = mpsc::channel(MAX_WAITING);
        tokio::spawn(async move {
            while let Some(message) = waiting.recv().await {
                deliver(&transport, &message).await;
            }
        });
        Ok(Self(outbox))
    }

    /// Has a message mailed, if it is an e-mail. Nobody waits for it.
    pub(crate) fn put(&self, message: Message) {
        let is_email = message.medium == Contact::Email.medium();
        if is_email && self.0.try_send(message).is_err() {
            tracing::warn!("the mail catcher is too far behind: a message is not mailed");
        }
    }
}

/// Gives a message to the mail catcher. Errors are logged without the message and without the server's response,
/// which may quote it.
async fn deliver(transport: &AsyncSmtpTransport<Tokio1Executor>, message: &Message) {
    let Some(mail) = mail(message) else {
        tracing::warn!("a message has an address that no mail goes to: it is not mailed");
        return;
    };
    if let Err(error) = transport.send(mail).await {
        let status = error.status().map(|code| code.to_string());
        tracing::warn!(status, "the mail catcher did not take a message");
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

/// `127.0.0.1:1025`, `localhost:1025`, `[::1]:1025`.
fn host_and_port(server: &str) -> Option<(&str, u16)> {
    let (host, port) = server.rsplit_once(':')?;
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let is_host = match bare {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            !host.is_empty()
                && !host.contains(|sign: char| ":/@[]".contains(sign) || sign.is_whitespace())
        }
    };
    let port = port.parse().ok().filter(|port| *port != 0)?;
    is_host.then_some((bare.unwrap_or(host), port))
}
