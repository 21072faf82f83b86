//! Messages sent as e-mail, with an SMTP server (RFC 5321) on loopback as the mail catcher.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    sync::{mpsc, watch},
};
use tower_cognito_local::{Config, UserPool};

use crate::support::{
    admin::{admin, last_code, messages},
    captured_logs,
    cognito::call,
    eventually,
};

/// A received mail: sender, recipients and text.
#[derive(Debug)]
struct Mail {
    from: String,
    to: Vec<String>,
    data: String,
}

/// An SMTP server that accepts all mail once it is open.
struct Catcher {
    address: String,
    mails: mpsc::UnboundedReceiver<Mail>,
    open: watch::Sender<bool>,
}

impl Catcher {
    async fn start() -> Self {
        Self::with(true, "250 OK").await
    }

    async fn with(is_open: bool, verdict: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (sender, mails) = mpsc::unbounded_channel();
        let (open, is_open) = watch::channel(is_open);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::spawn(serve(stream, sender.clone(), is_open.clone(), verdict));
            }
        });
        Self { address, mails, open }
    }

    async fn next(&mut self) -> Mail {
        let mail = tokio::time::timeout(Duration::from_secs(30), self.mails.recv());
        mail.await.expect("no mail was received").unwrap()
    }
}

async fn serve(
    mut stream: TcpStream,
    mails: mpsc::UnboundedSender<Mail>,
    mut is_open: watch::Receiver<bool>,
    verdict: &str,
) {
    is_open.wait_for(|is_open| *is_open).await.unwrap();
    let (read, mut write) = stream.split();
    let mut lines = BufReader::new(read).lines();
    let mut mail = Mail { from: String::new(), to: Vec::new(), data: String::new() };
    write.write_all(b"220 catcher\r\n").await.unwrap();
    while let Ok(Some(line)) = lines.next_line().await {
        let word = line.split([' ', ':']).next().unwrap().to_ascii_uppercase();
        let reply = match word.as_str() {
            "EHLO" | "HELO" => "250 catcher",
            "MAIL" => {
                mail.from = path(&line);
                "250 OK"
            }
            "RCPT" => {
                mail.to.push(path(&line));
                verdict
            }
            "DATA" => {
                write.write_all(b"354 go on\r\n").await.unwrap();
                while let Some(line) = lines.next_line().await.unwrap().filter(|line| line != ".") {
                    mail.data += &line;
                    mail.data.push('\n');
                }
                let empty = Mail { from: String::new(), to: Vec::new(), data: String::new() };
                let _ = mails.send(std::mem::replace(&mut mail, empty));
                "250 OK"
            }
            "RSET" | "NOOP" => "250 OK",
            "QUIT" => {
                let _ = write.write_all(b"221 bye\r\n").await;
                return;
            }
            _ => "500 what",
        };
        write.write_all(format!("{reply}\r\n").as_bytes()).await.unwrap();
    }
}

/// Returns the text between `<` and `>`.
fn path(line: &str) -> String {
    line.split(['<', '>']).nth(1).unwrap().to_owned()
}

async fn pool_with(smtp: &str, toml: &str) -> UserPool {
    let config = Config::from_toml(toml).unwrap();
    UserPool::builder().smtp(smtp).config(config).start().await.unwrap()
}

async fn sign_up(pool: &UserPool, name: &str, attributes: Value) {
    let input = json!({
        "ClientId": pool.client_id(), "Username": name, "Password": "Correct-Horse-1",
        "UserAttributes": attributes,
    });
    call(pool, "SignUp", input).await.unwrap();
}

async fn sign_up_by_email(pool: &UserPool, name: &str) {
    let email = format!("{name}@example.com");
    sign_up(pool, name, json!([{ "Name": "email", "Value": email }])).await;
}

#[tokio::test]
async fn emails_are_delivered_with_their_codes_and_in_order() {
    let mut catcher = Catcher::start().await;
    let pool = pool_with(&catcher.address, "").await;
    sign_up_by_email(&pool, "jane").await;
    let mail = catcher.next().await;
    assert_eq!(mail.from, "no-reply@verificationemail.com");
    assert_eq!(mail.to, ["jane@example.com"]);
    let (head, body) = mail.data.split_once("\n\n").unwrap();
    let code = last_code(&pool, "jane").await;
    assert_eq!(body.trim(), format!("Your confirmation code is {code}"));
    let head: Vec<_> = head.lines().collect();
    assert!(head.contains(&"Subject: Your verification code"), "{head:?}");
    assert!(head.contains(&"To: jane@example.com"), "{head:?}");
    assert!(head.contains(&"Content-Type: text/html; charset=utf-8"), "{head:?}");

    for number in 0..5 {
        let name = format!("user{number}");
        let email = json!([{ "Name": "email", "Value": format!("{name}@example.com") }]);
        let input = json!({ "Username": name, "UserAttributes": email });
        admin(&pool, "AdminCreateUser", input).await.unwrap();
    }
    for number in 0..5 {
        let mail = catcher.next().await;
        assert_eq!(mail.to, [format!("user{number}@example.com")]);
        assert!(mail.data.contains("Subject: Your temporary password"));
    }
}

#[tokio::test]
async fn text_message_is_not_mailed() {
    let mut catcher = Catcher::start().await;
    let pool = pool_with(
        &catcher.address,
        "[aws_cognito_user_pool]\nauto_verified_attributes = [\"email\", \"phone_number\"]\n",
    )
    .await;
    sign_up(&pool, "jane", json!([{ "Name": "phone_number", "Value": "+4915112340456" }])).await;
    assert_eq!(messages(&pool, "jane").await[0]["medium"], "SMS");
    sign_up_by_email(&pool, "bob").await;
    assert_eq!(catcher.next().await.to, ["bob@example.com"]);
}

#[tokio::test]
async fn message_text_cannot_inject_headers_or_end_the_mail() {
    let mut catcher = Catcher::start().await;
    let pool = pool_with(
        &catcher.address,
        "[aws_cognito_user_pool]\n\
         email_verification_subject = \"Grüße\\r\\nBcc: eve@example.com\"\n\
         email_verification_message = \"one\\r\\n.\\r\\nMAIL FROM:<eve@example.com>\\r\\n{####}\"\n",
    )
    .await;
    sign_up_by_email(&pool, "jane").await;
    let mail = catcher.next().await;
    assert_eq!(mail.to, ["jane@example.com"]);
    let (head, body) = mail.data.split_once("\n\n").unwrap();
    assert!(!head.lines().any(|line| line.starts_with("Bcc")), "{head}");
    assert!(body.contains(&last_code(&pool, "jane").await));
    // An address that could name several recipients gets no mail, and does not block later mails.
    let several = json!([{ "Name": "email", "Value": "a@example.com,eve@example.com" }]);
    sign_up(&pool, "several", several).await;
    sign_up_by_email(&pool, "bob").await;
    assert_eq!(catcher.next().await.to, ["bob@example.com"]);
}

#[tokio::test]
async fn operations_do_not_wait_for_the_mail_catcher() {
    let mut catcher = Catcher::with(false, "250 OK").await;
    let pool = pool_with(&catcher.address, "").await;
    // The server is silent until the operation is done: an operation that waited would run into the timeout.
    sign_up_by_email(&pool, "jane").await;
    last_code(&pool, "jane").await;
    catcher.open.send(true).unwrap();
    assert_eq!(catcher.next().await.to, ["jane@example.com"]);
}

#[tokio::test]
async fn unavailable_mail_catcher_fails_no_operation_and_logs_no_secret() {
    captured_logs();
    let refused = "550 no mailbox for secret-recipient@example.com";
    let refusing = Catcher::with(true, refused).await;
    let away = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().to_string();
    for address in [refusing.address, away] {
        let before = captured_logs()
            .matches("the mail catcher rejected a message or is unavailable")
            .count();
        let pool = pool_with(&address, "").await;
        sign_up_by_email(&pool, "secret-recipient").await;
        let code = last_code(&pool, "secret-recipient").await;
        eventually("the failure is logged", async || {
            captured_logs().matches("the mail catcher rejected a message or is unavailable").count()
                > before
        })
        .await;
        let logs = captured_logs();
        let warnings: Vec<_> = logs.lines().filter(|line| line.contains("mail catcher")).collect();
        let is_logged = |text: &str| warnings.iter().any(|line| line.contains(text));
        assert!(!is_logged("secret-recipient") && !is_logged(&code));
        let input = json!({
            "ClientId": pool.client_id(), "Username": "secret-recipient", "ConfirmationCode": code,
        });
        call(&pool, "ConfirmSignUp", input).await.unwrap();
    }
    assert!(captured_logs().contains("550"));
}

#[tokio::test]
async fn smtp_address_must_have_a_host_and_a_port() {
    for wrong in
        ["", "localhost", "127.0.0.1", ":25", "a:b", "a:0", "a:99999", "smtp://a:25", "[x]:25"]
    {
        let error = UserPool::builder().smtp(wrong).start().await.unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("invalid SMTP address {wrong:?}: expected host:port, such as 127.0.0.1:1025")
        );
    }
    for right in ["localhost:1025", "[::1]:1025", "mail-pit.test:25"] {
        UserPool::builder().smtp(right).start().await.unwrap();
    }
}
