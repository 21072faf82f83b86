//! HTML pages. All have the same document structure and the same basic content security policy.

use aws_lc_rs::digest::{SHA256, digest};
use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use maud::{DOCTYPE, Markup, PreEscaped, html};

/// The style sheet of a group of pages, and a content security policy that allows only this style sheet.
pub(crate) struct Layout {
    css: &'static str,
    policy: HeaderValue,
}

impl Layout {
    /// Returns a layout for pages that cannot load resources or be framed, and that run only the given script, if any.
    /// `directives` are added to that policy.
    pub(crate) fn new(css: &'static str, script: Option<&str>, directives: &str) -> Self {
        let style = hash(css);
        let script = script.map(|script| format!(" script-src {};", hash(script)));
        let script = script.unwrap_or_default();
        let policy = format!(
            "default-src 'none'; style-src {style};{script} base-uri 'none'; frame-ancestors 'none'; {directives}"
        );
        let policy = HeaderValue::try_from(policy);
        Self { css, policy: policy.unwrap_or(HeaderValue::from_static("default-src 'none'")) }
    }

    /// Returns a page as a response.
    pub(crate) fn page(&self, status: StatusCode, title: &str, body: &Markup) -> Response {
        let document = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    title { (title) }
                    // The policy has the hash of this exact text.
                    style { (PreEscaped(self.css)) }
                }
                body { (body) }
            }
        };
        let content_type = HeaderValue::from_static("text/html; charset=utf-8");
        let headers = [
            (header::CONTENT_TYPE, content_type),
            (header::CONTENT_SECURITY_POLICY, self.policy.clone()),
        ];
        (status, headers, document.into_string()).into_response()
    }
}

/// Returns the source expression of a content security policy for the exact text of an element.
fn hash(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(digest(&SHA256, text.as_bytes())))
}
