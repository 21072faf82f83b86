//! Rules that look at the request: the owner of a resource, the tenant in the path, the method, and permissions in a
//! database. A handler rejects requests in the format of the layer too.
//!
//! ```sh
//! cargo run --example request_rules
//! ```

#![allow(clippy::print_stdout, reason = "it prints instructions")]

use std::{
    collections::HashSet,
    sync::{Arc, RwLock},
    time::Duration,
};

use axum::{
    RequestPartsExt, Router,
    extract::{MatchedPath, Path, State},
    routing::get,
};
use http::request::Parts;
use serde::de::DeserializeOwned;
use tower_cognito::{
    Claims, CognitoLayer, Policy, Refusal, Verified, Verifier, group,
    policy::{any, claim},
    require_async, require_with, scope,
    service::RequireAsyncLayer,
};
use tower_cognito_local::UserPool;

/// The users who may edit a document. A real service would use a database.
#[derive(Debug, Clone, Default)]
pub struct Database(Arc<RwLock<HashSet<(String, String)>>>);

impl Database {
    /// Allows a user to edit a document.
    pub fn allow(&self, subject: &str, document: &str) {
        if let Ok(mut editors) = self.0.write() {
            editors.insert((subject.to_owned(), document.to_owned()));
        }
    }

    async fn may_edit(&self, subject: &str, document: &str) -> Result<bool, Refusal> {
        let down = |_| Refusal::unavailable("the database is down", Duration::from_secs(5));
        tokio::task::yield_now().await;
        let editors = self.0.read().map_err(down)?;
        Ok(editors.contains(&(subject.to_owned(), document.to_owned())))
    }
}

/// Reads the parameters of the route, decoded as the handler gets them.
async fn path<T>(head: &mut Parts) -> Result<T, Refusal>
where
    T: DeserializeOwned + Send + 'static,
{
    match head.extract::<Path<T>>().await {
        Ok(Path(parameters)) => Ok(parameters),
        Err(_) => Err(Refusal::not_found("there is no such resource")),
    }
}

/// Allows users to see only themselves, and administrators to see all users.
fn owner() -> RequireAsyncLayer {
    require_async(|user: Verified, mut head: Parts| async move {
        let id: String = path(&mut head).await?;
        (claim("sub", id) | group("admin")).check(&user)?;
        Ok(())
    })
}

/// Allows users to see only their own tenant. The claim is in ID tokens.
fn same_tenant() -> RequireAsyncLayer {
    require_async(|user: Verified, mut head: Parts| async move {
        let tenant: String = path(&mut head).await?;
        // Otherwise clients could find out which tenants exist.
        let hidden = |_| Refusal::not_found("there is no such tenant");
        claim("custom:tenant_id", tenant).check(&user).map_err(hidden)
    })
}

/// Allows users to edit the documents for which the database has a permission. All users can read.
fn editor(database: Database) -> RequireAsyncLayer {
    require_async(move |user: Verified, mut head: Parts| {
        let database = database.clone();
        async move {
            let document: String = path(&mut head).await?;
            if head.method.is_safe() || database.may_edit(user.subject(), &document).await? {
                return Ok(());
            }
            Err(Refusal::forbidden("only its editors can change the document"))
        }
    })
}

/// The rules of the routes below `/shop`. A route or method that is not listed is closed.
fn shop_rules(head: &Parts) -> Policy {
    let route = head.extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
    match (head.method.as_str(), route) {
        ("GET" | "HEAD", "/shop/orders") => scope("orders/read"),
        ("POST", "/shop/orders") => scope("orders/write"),
        ("GET" | "HEAD", "/shop/reports") => group("staff"),
        _ => any([]),
    }
}

/// Rejects a request in the handler, in the format of the layer.
async fn invoice(Path(id): Path<String>, claims: Claims) -> Result<String, Refusal> {
    let owner = id.rsplit_once('-').map(|(owner, _)| owner);
    if owner != claims.username() {
        return Err(Refusal::not_found("there is no such invoice"));
    }
    scope("invoices/read").check(&claims)?;
    Ok(format!("invoice {id}"))
}

/// Handles a request that reached its route. `editor` has already checked who may change the document.
async fn document(Path(id): Path<String>, State(_): State<Database>) -> String {
    format!("document {id}")
}

/// Returns a router with one route for each kind of rule.
pub fn app(verifier: Verifier, database: Database) -> Router {
    let shop = Router::new()
        .route("/orders", get(|| async { "orders" }).post(|| async { "created" }))
        .route("/reports", get(|| async { "reports" }))
        .route("/forgotten", get(|| async { "nobody wrote a rule for this route" }))
        .layer(require_with(shop_rules));
    Router::new()
        .route("/users/{id}", get(|| async { "profile" }).layer(owner()))
        .route("/tenants/{id}", get(|| async { "tenant" }).layer(same_tenant()))
        .route("/documents/{id}", get(document).put(document).layer(editor(database.clone())))
        .route("/invoices/{id}", get(invoice))
        .nest("/shop", shop)
        .layer(CognitoLayer::new(verifier))
        .with_state(database)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let pool = UserPool::start().await?;
    let token = pool.token("alice").scope("orders/read").sign();
    let verifier = pool.verifier().build()?;
    let subject = verifier.verify(&token).await?.subject().to_owned();
    let database = Database::default();
    database.allow(&subject, "plan");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    for (request, status) in [
        (format!("http://{address}/users/{subject}"), 200),
        (format!("http://{address}/users/someone-else"), 403),
        (format!("-X PUT http://{address}/documents/plan"), 200),
        (format!("-X PUT http://{address}/documents/other"), 403),
        (format!("http://{address}/shop/orders"), 200),
        (format!("-X POST http://{address}/shop/orders"), 403),
        (format!("http://{address}/invoices/bob-1"), 404),
    ] {
        println!("curl -i -H 'Authorization: Bearer {token}' {request}   # {status}");
    }
    axum::serve(listener, app(verifier, database)).await?;
    Ok(())
}
