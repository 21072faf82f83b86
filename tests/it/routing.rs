//! The tables of the manual's page on axum routers show the statuses that are sent over HTTP.

use std::{
    collections::HashSet,
    fs,
    path::Path,
    sync::{Arc, Mutex},
};

use axum::{
    Router,
    handler::Handler,
    http::{HeaderValue, Method, Request, header::AUTHORIZATION, request::Parts},
    response::Response,
    routing::{get, post},
};
use tower::ServiceBuilder;
use tower_cognito::{
    CognitoLayer, Policy, Verified, group, policy::authenticated, require, require_with,
    service::RequireLayer,
};
use tower_cognito_local::UserPool;
use tower_http::{cors::CorsLayer, trace::TraceLayer};

use crate::support::{HttpResponse, bearer, send, serve};

const PAGE: &str = "src/docs/routing.md";

async fn a() -> &'static str {
    "a"
}

async fn b() -> &'static str {
    "b"
}

fn rules(head: &Parts) -> Policy {
    if head.method == Method::POST { group("staff") } else { authenticated() }
}

/// What the page calls `cognito`, `staff` and `cors`.
#[derive(Clone)]
struct Layers {
    cognito: CognitoLayer,
    staff: RequireLayer,
    cors: CorsLayer,
}

impl Layers {
    fn new(pool: &UserPool) -> Self {
        Self {
            cognito: CognitoLayer::new(pool.verifier().build().unwrap()),
            staff: require(group("staff")),
            cors: CorsLayer::new()
                .allow_origin(HeaderValue::from_static("https://app.example.com"))
                .allow_methods([Method::GET])
                .allow_headers([AUTHORIZATION]),
        }
    }
}

/// A row's code without white space, and the router that the code builds.
type Row = (String, fn(Layers) -> Router);

/// Creates a [`Row`] of each chain of calls, which follows `Router::new()`.
macro_rules! rows {
    (($cognito:ident, $staff:ident, $cors:ident): $( $( . $method:ident $arguments:tt )+ ; )+) => {
        vec![$(
            (without_space(stringify!($( . $method $arguments )+)), |layers: Layers| {
                #[allow(unused_variables, reason = "each row uses some of the layers")]
                let Layers { cognito: $cognito, staff: $staff, cors: $cors } = layers;
                Router::new() $( . $method $arguments )+
            })
        ),+]
    };
}

fn without_space(code: &str) -> String {
    code.split_whitespace().collect()
}

/// Returns the routers of the page.
fn rows() -> Vec<Row> {
    rows! { (cognito, staff, cors):
        // The place of the layer.
        .route("/a", get(a)).layer(cognito);
        .route("/a", get(a)).layer(cognito).route("/b", get(b));
        .route("/a", get(a).layer(cognito)).route("/b", get(b));
        .route("/a", get(a)).route_layer(cognito);
        .route("/a", get(a)).fallback(b).layer(cognito);
        .route("/a", get(a)).layer(cognito).fallback(b);
        .nest("/v1", Router::new().route("/a", get(a)).layer(cognito)).route("/b", get(b));
        .route("/b", get(b)).merge(Router::new().route("/a", get(a)).layer(cognito));
        .route("/b", get(b)).merge(Router::new().route("/a", get(a)).route_layer(cognito));
        // The policy of one path.
        .route("/a", get(a).layer(staff)).layer(cognito);
        .route("/a", get(a).route_layer(staff)).layer(cognito);
        .route("/a", get(a).post(b).layer(staff)).layer(cognito);
        .route("/a", get(a).layer(staff).post(b)).layer(cognito);
        .route("/a", get(a).layer(staff)).route("/a", post(b)).layer(cognito);
        .route("/a", get(a).post(b.layer(staff))).layer(cognito);
        // The policy of several paths.
        .route("/a", get(a)).route_layer(staff).route("/b", get(b)).layer(cognito);
        .route("/a", get(a)).layer(staff).layer(cognito);
        .route("/a", get(a)).layer(cognito.require(group("staff")));
        .nest("/admin", Router::new().route("/a", get(a)).layer(staff)).layer(cognito);
        .nest("/admin", Router::new().route("/a", get(a)).fallback(b).layer(staff)).layer(cognito);
        .merge(Router::new().route("/a", get(a)).route_layer(staff)).route("/b", get(b)).layer(cognito);
        .route("/a", get(a).post(b)).layer(require_with(rules)).layer(cognito);
        // The order of layers.
        .route("/a", get(a)).layer(cognito).layer(staff);
        .route("/a", get(a)).layer(ServiceBuilder::new().layer(cognito).layer(staff));
        .route("/a", get(a)).layer(ServiceBuilder::new().layer(staff).layer(cognito));
        .route("/a", get(a)).layer(cognito).layer(cors);
        .route("/a", get(a)).layer(cors).layer(cognito);
    }
}

/// A line of a table: the code, the request, and the status without a token, with a user's and with a staff member's.
struct Line {
    code: String,
    request: String,
    statuses: Vec<u16>,
}

/// Reads the tables of the page. A line without code belongs to the code above it.
fn lines(page: &str) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for row in page.lines().filter_map(|line| line.strip_prefix('|')?.strip_suffix('|')) {
        let cells: Vec<_> = row.split('|').map(|cell| cell.trim().trim_matches('`')).collect();
        let [code, request, statuses @ ..] = &cells[..] else { continue };
        let statuses: Vec<u16> =
            statuses.iter().map_while(|cell| cell.trim_matches('*').parse().ok()).collect();
        if statuses.len() != 3 {
            continue;
        }
        let code = match (without_space(code), lines.last()) {
            (code, Some(above)) if code.is_empty() => above.code.clone(),
            (code, _) => code,
        };
        lines.push(Line { code, request: (*request).to_owned(), statuses });
    }
    lines
}

#[tokio::test]
async fn routers_of_the_manual_send_the_statuses_that_it_shows() {
    let pool = UserPool::start().await.unwrap();
    let layers = Layers::new(&pool);
    let tokens = [None, Some(pool.token("u").sign()), Some(pool.token("s").group("staff").sign())];
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(PAGE)).unwrap();
    let lines = lines(&page);
    let rows = rows();
    assert!(lines.len() >= 50, "only {} lines were found in the tables", lines.len());
    let documented: HashSet<_> = lines.iter().map(|line| line.code.as_str()).collect();
    let built: HashSet<_> = rows.iter().map(|(code, _)| code.as_str()).collect();
    assert_eq!(documented, built, "the page and this test have different rows");

    let mut wrong = Vec::new();
    for (code, router) in rows {
        let address = serve(router(layers.clone())).await;
        for line in lines.iter().filter(|line| line.code == code) {
            let (method, path) = line.request.split_once(' ').unwrap();
            let mut statuses = Vec::new();
            for token in &tokens {
                let mut headers = token.as_deref().map(bearer).unwrap_or_default();
                if method == "OPTIONS" {
                    headers.extend_from_slice(PREFLIGHT);
                }
                statuses.push(send(address, method, path, &headers).await.status);
            }
            if statuses != line.statuses {
                wrong.push(format!(
                    "{code} {}: {statuses:?}, not {:?}",
                    line.request, line.statuses
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

const PREFLIGHT: &[u8] =
    b"Origin: https://app.example.com\r\nAccess-Control-Request-Method: GET\r\n\
    Access-Control-Request-Headers: authorization\r\n";

#[tokio::test]
async fn rejection_has_cors_headers_only_inside_of_the_cors_layer() {
    let pool = UserPool::start().await.unwrap();
    let Layers { cognito, cors, .. } = Layers::new(&pool);
    let route = Router::new().route("/a", get(a));
    let origin = b"Origin: https://app.example.com\r\n";
    let allowed =
        |response: &HttpResponse| response.headers.contains_key("access-control-allow-origin");
    let inside = serve(route.clone().layer(cognito.clone()).layer(cors.clone())).await;
    let response = send(inside, "GET", "/a", origin).await;
    assert_eq!((response.status, allowed(&response)), (401, true));
    let outside = serve(route.layer(cors).layer(cognito)).await;
    let response = send(outside, "GET", "/a", origin).await;
    assert_eq!((response.status, allowed(&response)), (401, false));
}

#[tokio::test]
async fn outer_trace_layer_sees_rejections_and_inner_one_sees_claims() {
    let pool = UserPool::start().await.unwrap();
    let cognito = CognitoLayer::new(pool.verifier().build().unwrap());
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let trace = |place: &'static str| {
        let (requests, responses) = (Arc::clone(&seen), Arc::clone(&seen));
        TraceLayer::new_for_http()
            .make_span_with(move |request: &Request<_>| {
                let user = request.extensions().get::<Verified>().and_then(Verified::username);
                requests.lock().unwrap().push(format!("{place} user={user:?}"));
                tracing::Span::none()
            })
            .on_response(move |response: &Response, _, _: &tracing::Span| {
                responses.lock().unwrap().push(format!("{place} {}", response.status().as_u16()));
            })
    };
    let app = Router::new().route("/a", get(a)).layer(trace("inner")).layer(cognito);
    let address = serve(app.layer(trace("outer"))).await;
    for (token, expected) in [
        (None, vec!["outer user=None", "outer 401"]),
        (
            Some(pool.token("alice").sign()),
            vec!["outer user=None", "inner user=Some(\"alice\")", "inner 200", "outer 200"],
        ),
    ] {
        send(address, "GET", "/a", &token.as_deref().map(bearer).unwrap_or_default()).await;
        assert_eq!(std::mem::take(&mut *seen.lock().unwrap()), expected);
    }
}
