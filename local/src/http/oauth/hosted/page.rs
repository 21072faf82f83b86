//! What all hosted pages have in common.

use std::sync::LazyLock;

use aws_lc_rs::digest::{SHA256, digest};
use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};

use crate::{
    error::ApiError,
    http::{
        html::Escaped,
        oauth::{
            guard::{self, FormKey},
            hosted::field::Field,
            redirect::encoded,
            request::Asking,
        },
    },
};

const STYLE: &str = include_str!("style.css");

/// The one style that the pages' policy lets in.
static STYLE_HASH: LazyLock<String> =
    LazyLock::new(|| STANDARD.encode(digest(&SHA256, STYLE.as_bytes())));

/// Where the page of a request is made: its forms carry the request on, and prove that they are ours.
pub(crate) struct Desk<'a> {
    asking: &'a Asking,
    key: FormKey,
    query: String,
    problem: Option<String>,
    notice: Option<String>,
}

impl<'a> Desk<'a> {
    pub(crate) fn new(asking: &'a Asking, headers: &HeaderMap) -> Self {
        let key = guard::key(&asking.pool, headers);
        Self { asking, key, query: asking.query(), problem: None, notice: None }
    }

    /// Tells what went wrong.
    pub(crate) fn problem(mut self, problem: impl Into<String>) -> Self {
        self.problem = Some(problem.into());
        self
    }

    /// Shows why the API refused what was entered.
    pub(crate) fn refused(self, error: &ApiError) -> Self {
        self.problem(in_plain_words(error))
    }

    /// Tells what went well.
    pub(crate) fn notice(mut self, notice: impl Into<String>) -> Self {
        self.notice = Some(notice.into());
        self
    }

    pub(crate) fn asking(&self) -> &'a Asking {
        self.asking
    }

    /// A form that is sent to a path. `inside` is HTML.
    pub(crate) fn form(&self, path: &str, inside: &str, button: &str) -> String {
        self.form_with(path, inside, &format!("<button>{}</button>", Escaped(button)))
    }

    /// A form whose button is not what the page is for.
    pub(crate) fn quiet_form(&self, path: &str, inside: &str, button: &str) -> String {
        let button = format!("<button class=\"quiet\">{}</button>", Escaped(button));
        self.form_with(path, inside, &button)
    }

    /// HTML of a field.
    pub(crate) fn field(&self, field: &Field<'_>) -> String {
        field.html(self.problem.is_some())
    }

    /// A link to another page of the same request.
    pub(crate) fn link(&self, path: &str, text: &str) -> String {
        format!("<a href=\"{}\">{}</a>", Escaped(&self.address(path)), Escaped(text))
    }

    /// A link to a provider.
    pub(crate) fn provider_button(&self, name: &str) -> String {
        let provider = encoded(&[("identity_provider", name)]);
        let address = format!("{}&{provider}", self.address("/oauth2/authorize"));
        let address = Escaped(&address);
        format!("<a class=\"button\" href=\"{address}\">Continue with {}</a>", Escaped(name))
    }

    /// The page. `body` is HTML.
    pub(crate) fn page(self, title: &str, body: &str) -> Response {
        let has_problem = self.problem.is_some();
        let status = if has_problem { StatusCode::BAD_REQUEST } else { StatusCode::OK };
        let told = told(self.problem.as_deref(), self.notice.as_deref());
        let html = document(title, has_problem, &format!("{told}{body}"));
        let mut response = answer(status, html);
        if let Some(cookie) = self.key.cookie {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        response
    }

    fn address(&self, path: &str) -> String {
        format!("{path}?{}", self.query)
    }

    fn form_with(&self, path: &str, inside: &str, button: &str) -> String {
        format!(
            "<form method=\"post\" action=\"{}\">{}{inside}{button}</form>",
            Escaped(&self.address(path)),
            hidden(guard::FIELD, &self.key.token),
        )
    }
}

/// A field that nobody sees.
pub(crate) fn hidden(name: &str, value: &str) -> String {
    format!("<input type=\"hidden\" name=\"{}\" value=\"{}\">", Escaped(name), Escaped(value))
}

/// A page that leads nowhere.
pub(crate) fn dead_end(status: StatusCode, title: &str, text: &str) -> Response {
    let body = format!("<p>{}</p>", Escaped(text));
    answer(status, document(title, true, &body))
}

fn told(problem: Option<&str>, notice: Option<&str>) -> String {
    let problem = problem.map_or_else(String::new, |text| {
        format!(
            "<div class=\"problem\" id=\"problem\" role=\"alert\"><h2>There is a problem</h2>\
             <p>{}</p></div>",
            Escaped(text)
        )
    });
    let notice = notice.map_or_else(String::new, |text| {
        format!("<div class=\"notice\" role=\"status\"><p>{}</p></div>", Escaped(text))
    });
    problem + &notice
}

fn document(title: &str, has_problem: bool, body: &str) -> String {
    let title = Escaped(title);
    let mark = if has_problem { "Error: " } else { "" };
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>{mark}{title}</title><style>{STYLE}</style></head>\
         <body><main><h1>{title}</h1>{body}</main>\
         <footer>A local user pool, for development and tests.</footer></body></html>\n"
    )
}

/// Nothing runs in a page, and it is framed nowhere. Where its forms lead is not held against the policy: browsers
/// take it for all redirects that follow, and an app may lead on to wherever it likes.
fn answer(status: StatusCode, html: String) -> Response {
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{}'; base-uri 'none'; frame-ancestors 'none'",
        *STYLE_HASH
    );
    let headers = [(header::CONTENT_TYPE, "text/html; charset=utf-8")];
    let mut response = (status, headers, html).into_response();
    if let Ok(policy) = HeaderValue::try_from(policy) {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// The message of an error for a person. Faults against the service model name members of the API, which users do not
/// know.
fn in_plain_words(error: &ApiError) -> &str {
    if error.faulty.is_empty() {
        return &error.message;
    }
    let is_at = |member: &str| error.faulty.iter().any(|faulty| faulty == member);
    if is_at("username") {
        "The user name is too long or has a character that is not allowed."
    } else if ["password", "proposedPassword"].into_iter().any(is_at) {
        "The password is too long or has a space in it."
    } else if ["confirmationCode", "userCode", "challengeResponses"].into_iter().any(is_at) {
        "This is not a valid code. Enter it as you received it, without spaces."
    } else {
        "A value is too long or has a character that is not allowed."
    }
}

#[cfg(test)]
mod tests {
    use super::{ApiError, in_plain_words};

    #[test]
    fn faults_against_the_model_are_in_words_that_people_know() {
        for (member, word) in [
            ("username", "user name"),
            ("password", "password"),
            ("confirmationCode", "code"),
            ("userCode", "code"),
            ("userAttributes.1.member.value", "A value"),
        ] {
            let message = format!(
                "1 validation error detected: Value 'a b' at '{member}' failed to satisfy constraint: \
                 Member must satisfy regular expression pattern: [\\S]+"
            );
            let faulty = vec![member.to_owned()];
            let error = ApiError { faulty, ..ApiError::invalid_parameter(message) };
            let words = in_plain_words(&error);
            assert!(words.contains(word) && !words.contains("Member"), "{member}: {words}");
        }
        for message in [
            "Incorrect username or password.",
            "Invalid code provided, please try again.",
            // A trigger may use the same words.
            "1 validation error detected: Value at 'username' is taken",
        ] {
            assert_eq!(in_plain_words(&ApiError::not_authorized(message)), message);
        }
    }
}
