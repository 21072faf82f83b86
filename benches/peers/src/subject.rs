//! What is measured.

use serde::Deserialize;
use tower_cognito::service::CognitoService;

use crate::world::Token;

/// One row of the table.
pub struct Subject {
    pub name: &'static str,
    pub version: &'static str,
    /// Who computes RSA; nobody, if nothing is verified.
    pub rsa: Option<&'static str>,
    pub work: Work,
}

/// Tells whether a token is good.
pub type Check = Box<dyn Fn(&Token) -> bool + Send + Sync>;

pub enum Work {
    /// A request through a whole application.
    Request(axum::Router),
    /// An application that is wrapped as a whole.
    Around(CognitoService<axum::Router>),
    /// The same with the version of axum before, for the peer that is made for it.
    Request07(axum_07::Router),
    /// One function alone, which tells whether a token is good.
    Call(Check),
}

/// The claims that all handlers take.
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
        // With its state the router is finished here, as a server does it, and not at each request.
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

    /// Whether it answers requests.
    pub fn is_app(&self) -> bool {
        !matches!(self.work, Work::Call(_))
    }

    /// Whether the other is this application without authorization.
    pub fn is_guarded_form_of(&self, bare: &Self) -> bool {
        bare.name.starts_with("bare")
            && matches!(
                (&self.work, &bare.work),
                (Work::Request(_) | Work::Around(_), Work::Request(_))
                    | (Work::Request07(_), Work::Request07(_))
            )
    }
}

/// The version of a package that was built, the one that begins so if there are several.
pub fn version_of(package: &str, begins_with: &str) -> &'static str {
    let name = format!("name = \"{package}\"");
    include_str!("../Cargo.lock")
        .split("[[package]]")
        .filter(|entry| entry.lines().any(|line| line == name))
        .filter_map(|entry| {
            entry.lines().find_map(|line| line.strip_prefix("version = \"")?.strip_suffix('"'))
        })
        .find(|version| version.starts_with(begins_with))
        .unwrap_or("unknown")
}
