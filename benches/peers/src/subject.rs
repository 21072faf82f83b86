//! The subjects of the measurement.

use serde::Deserialize;
use tower_cognito::service::CognitoService;

use crate::world::Token;

/// One row of the table.
pub struct Subject {
    pub name: &'static str,
    pub version: &'static str,
    /// The RSA implementation; `None` if nothing is verified.
    pub rsa: Option<&'static str>,
    pub work: Work,
}

/// Returns whether a token is valid.
pub type Check = Box<dyn Fn(&Token) -> bool + Send + Sync>;

pub enum Work {
    /// A request through a complete application.
    Request(axum::Router),
    /// An application that is wrapped as a whole.
    Around(CognitoService<axum::Router>),
    /// The same with axum 0.7, for the peer that requires it.
    Request07(axum_07::Router),
    /// A single function that returns whether a token is valid.
    Call(Check),
}

/// The claims that all handlers extract.
#[derive(Clone, Deserialize)]
pub struct User {
    pub sub: String,
}

impl Subject {
    pub fn request(
        name: &'static str,
        version: &'static str,
        rsa: Option<&'static str>,
        app: axum::Router,
    ) -> Self {
        // Provides the state once, as a server does, and not for each request.
        Self { name, version, rsa, work: Work::Request(app.with_state(())) }
    }

    pub fn around(
        name: &'static str,
        version: &'static str,
        rsa: Option<&'static str>,
        app: CognitoService<axum::Router>,
    ) -> Self {
        Self { name, version, rsa, work: Work::Around(app) }
    }

    pub fn request_07(
        name: &'static str,
        version: &'static str,
        rsa: Option<&'static str>,
        app: axum_07::Router,
    ) -> Self {
        Self { name, version, rsa, work: Work::Request07(app.with_state(())) }
    }

    pub fn call(
        name: &'static str,
        version: &'static str,
        rsa: &'static str,
        call: impl Fn(&Token) -> bool + Send + Sync + 'static,
    ) -> Self {
        Self { name, version, rsa: Some(rsa), work: Work::Call(Box::new(call)) }
    }

    /// Returns whether the subject is an application.
    pub fn is_app(&self) -> bool {
        !matches!(self.work, Work::Call(_))
    }

    /// Returns whether `bare` is this application without authorization.
    pub fn is_guarded_form_of(&self, bare: &Self) -> bool {
        bare.name.starts_with("bare")
            && matches!(
                (&self.work, &bare.work),
                (Work::Request(_) | Work::Around(_), Work::Request(_))
                    | (Work::Request07(_), Work::Request07(_))
            )
    }
}

/// Returns the version of a built package; with several versions, the one that starts with `prefix`.
pub fn version_of(package: &str, prefix: &str) -> &'static str {
    let name = format!("name = \"{package}\"");
    include_str!("../Cargo.lock")
        .split("[[package]]")
        .filter(|entry| entry.lines().any(|line| line == name))
        .filter_map(|entry| {
            entry.lines().find_map(|line| line.strip_prefix("version = \"")?.strip_suffix('"'))
        })
        .find(|version| version.starts_with(prefix))
        .unwrap_or("unknown")
}
