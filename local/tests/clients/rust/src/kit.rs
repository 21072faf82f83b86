//! The counterpart of `kit.mjs`, where the details are documented.

use std::{
    env, fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
};

use aws_sdk_cognitoidentityprovider::error::ProvideErrorMetadata;
use data_encoding::{BASE32_NOPAD, BASE64, BASE64URL_NOPAD};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::Value;

pub type Outcome = Result<(), Box<dyn std::error::Error>>;

const PLAIN: &str = include_str!("../../pool.toml");

/// A pool in its own process.
pub struct Pool {
    pub title: &'static str,
    pub endpoint: String,
    pub has_email_names: bool,
    process: Child,
}

impl Pool {
    pub const ID: &'static str = "us-east-1_Local0001";
    pub const CLIENT_ID: &'static str = "localclient0000000000000000";

    pub fn start(title: &'static str, has_email_names: bool) -> Self {
        let program = env::var("LOCAL_POOL").expect("LOCAL_POOL is the path of the program");
        let names = if has_email_names {
            "username_attributes = [\"email\"]"
        } else {
            "username_attributes = []"
        };
        let file = env::temp_dir().join(format!("pool-{}.toml", std::process::id()));
        fs::write(&file, PLAIN.replace("username_attributes = []", names)).unwrap();
        let mut process = Command::new(program)
            .args([
                "--port",
                "0",
                "--pool-id",
                Self::ID,
                "--client-id",
                Self::CLIENT_ID,
                "--config",
            ])
            .arg(&file)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(process.stdout.take().unwrap());
        let endpoint = output
            .lines()
            .map_while(Result::ok)
            .find_map(|line| {
                let (_, rest) = line.split_once(" is at ")?;
                Some(rest.split_once(". ")?.0.to_owned())
            })
            .expect("the pool prints its address");
        fs::remove_file(file).unwrap();
        Self { title, endpoint, has_email_names, process }
    }

    /// Returns the sign-in data and address of a user.
    pub fn user(&self, name: &str) -> (String, String) {
        let email = format!("{name}@example.com");
        (if self.has_email_names { email.clone() } else { name.to_owned() }, email)
    }

    /// Returns the newest code sent to a user.
    pub fn code(&self, username: &str) -> String {
        let username = username.replace('@', "%40");
        let messages = self.http("GET", &format!("/_local/messages?username={username}"), "");
        messages[0]["code"].as_str().unwrap().to_owned()
    }

    /// Advances the clock, and returns the pool's time in seconds.
    pub fn advance(&self, seconds: u64) -> f64 {
        let body = format!("{{\"advance_seconds\":{seconds}}}");
        self.http("POST", "/_local/clock", &body)[Self::ID].as_f64().unwrap()
    }

    /// Returns an unused one-time password (RFC 6238), by advancing the clock to the next time step.
    pub fn totp(&self, secret: &str) -> String {
        let step = self.advance(30) as u64 / 30;
        let key = BASE32_NOPAD.decode(secret.as_bytes()).unwrap();
        let mut mac = Hmac::<sha1::Sha1>::new_from_slice(&key).unwrap();
        mac.update(&step.to_be_bytes());
        let tag = mac.finalize().into_bytes();
        let start = usize::from(tag[19] & 0x0f);
        let number = u32::from_be_bytes(tag[start..start + 4].try_into().unwrap()) & 0x7fff_ffff;
        format!("{:06}", number % 1_000_000)
    }

    fn http(&self, method: &str, path: &str, body: &str) -> Value {
        let address = self.endpoint.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        let length = body.len();
        write!(
            stream,
            "{method} {path} HTTP/1.0\r\nhost: {address}\r\ncontent-type: application/json\r\n\
             content-length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(" 200 "), "{head}");
        serde_json::from_str(body).unwrap()
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Counts the steps of the program.
#[derive(Default)]
pub struct Steps {
    pub done: usize,
    pub failed: usize,
}

impl Steps {
    pub async fn step(&mut self, title: &str, run: impl AsyncFnOnce() -> Outcome) {
        self.done += 1;
        if let Err(error) = run().await {
            self.failed += 1;
            println!("  FAILED: {title}\n    {error:?}");
        }
    }
}

/// Passes if the call fails with an error of one of these names.
pub async fn refused<T, E: ProvideErrorMetadata>(
    call: impl Future<Output = Result<T, E>>,
    names: &[&str],
) -> Outcome {
    match call.await {
        Ok(_) => Err(format!("expected {names:?}, but the call succeeded").into()),
        Err(error) if error.code().is_some_and(|code| names.contains(&code)) => Ok(()),
        Err(error) => {
            let (code, message) = (error.code(), error.message());
            Err(format!("expected {names:?}, found {code:?} ({message:?})").into())
        }
    }
}

/// Decodes the claims of a token without verification.
pub fn claims(token: &str) -> Value {
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&BASE64URL_NOPAD.decode(payload.as_bytes()).unwrap()).unwrap()
}

/// Returns the token with another user.
pub fn forged(token: &str) -> String {
    let parts: Vec<_> = token.split('.').collect();
    let mut claims = claims(token);
    claims["username"] = "somebody".into();
    let payload = BASE64URL_NOPAD.encode(claims.to_string().as_bytes());
    [parts[0], &payload, parts[2]].join(".")
}

/// Returns the secret hash of a client.
pub fn secret_hash(username: &str, client_id: &str, secret: &str) -> String {
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret.as_bytes()).unwrap();
    mac.update(username.as_bytes());
    mac.update(client_id.as_bytes());
    BASE64.encode(&mac.finalize().into_bytes())
}

/// Returns a six-digit code that differs from `code`.
pub fn wrong(code: &str) -> &'static str {
    if code == "123456" { "654321" } else { "123456" }
}
