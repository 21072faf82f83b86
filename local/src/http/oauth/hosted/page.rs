//! What all hosted pages have in common.

use std::sync::Arc;

use axum::{
    extract::{FromRequest, FromRequestParts, Request},
    http::{HeaderMap, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use maud::{Markup, html};

use crate::{
    error::{Error, ErrorKind},
    http::oauth::{
        form_token::{self, FormToken},
        hosted::fields::{Field, hidden},
        message_page::{document, error_page, message_page},
        parameters::{Parameters, Query, read_form},
        paths,
        redirect::{self, encoded},
        request::AuthorizationRequest,
    },
    model::settings::PoolSettings,
    pool::site::Site,
    store::Data,
};

/// A page for an authorization request: its links and forms pass the request to the next page.
///
/// As an extractor it validates the request in the page's address.
pub(crate) struct Page {
    request: AuthorizationRequest,
    headers: HeaderMap,
    form_token: FormToken,
    problem: Option<Problem>,
    notice: Option<String>,
}

/// What went wrong.
struct Problem {
    text: String,
    /// The name of the field that it is about.
    field: Option<String>,
}

/// A form that was sent from one of the pool's own pages in this browser.
///
/// As an extractor it rejects all other forms.
pub(crate) struct SubmittedForm {
    /// The page for the response.
    pub(crate) page: Page,
    pub(crate) fields: Parameters,
}

/// A submitted form of a page that leads to a sign-in with a password.
///
/// As an extractor it also rejects the forms of an app whose users cannot sign in with a password.
pub(crate) struct PasswordForm {
    /// The page for the response.
    pub(crate) page: Page,
    pub(crate) fields: Parameters,
}

impl Page {
    /// Shows what went wrong.
    pub(crate) fn problem(mut self, text: impl Into<String>) -> Self {
        self.problem = Some(Problem { text: text.into(), field: None });
        self
    }

    /// Shows what is wrong in a field, and marks the field.
    pub(crate) fn problem_at(mut self, field: &str, text: impl Into<String>) -> Self {
        self.problem = Some(Problem { text: text.into(), field: Some(field.to_owned()) });
        self
    }

    /// Shows why the input was rejected, and marks the field that the error is about.
    pub(crate) fn error(self, error: &Error) -> Self {
        let message = user_facing_message(error);
        match faulty_field(error) {
            Some(field) => self.problem_at(field, message),
            None => self.problem(message),
        }
    }

    /// Shows what was done.
    pub(crate) fn notice(mut self, notice: impl Into<String>) -> Self {
        self.notice = Some(notice.into());
        self
    }

    pub(crate) fn request(&self) -> &AuthorizationRequest {
        &self.request
    }

    /// Returns the headers of the browser's request.
    pub(crate) fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    pub(crate) fn pool_settings(&self) -> Arc<PoolSettings> {
        self.request.pool.store.read(Data::settings)
    }

    /// Returns a form that is sent to a path.
    pub(crate) fn form(&self, path: &str, fields: &Markup, button: &str) -> Markup {
        self.form_with(path, fields, &html! { button { (button) } })
    }

    /// Returns a form for a secondary action of the page.
    pub(crate) fn secondary_form(&self, path: &str, fields: &Markup, button: &str) -> Markup {
        self.form_with(path, fields, &html! { button class="quiet" { (button) } })
    }

    pub(crate) fn field(&self, field: &Field<'_>) -> Markup {
        let field_of_problem = self.problem.as_ref().and_then(|problem| problem.field.as_deref());
        field.render(field_of_problem == Some(field.name()))
    }

    /// Returns a link to another page of the same request.
    pub(crate) fn link(&self, path: &str, text: &str) -> Markup {
        html! { a href=(self.address(path)) { (text) } }
    }

    /// Returns a link to the sign-in at an identity provider.
    pub(crate) fn provider_link(&self, name: &str) -> Markup {
        let provider = encoded(&[("identity_provider", name)]);
        let address = format!("{}&{provider}", self.address(paths::AUTHORIZE));
        html! { a class="button" href=(address) { "Continue with " (name) } }
    }

    /// Returns the page as a response. Its status is 400 if it shows a problem.
    pub(crate) fn respond(self, title: &str, body: &Markup) -> Response {
        let app = &self.request.client.settings.name;
        let content = html! {
            @if !app.is_empty() {
                p class="app" { "to continue to " strong { (app) } }
            }
            @if let Some(problem) = &self.problem {
                div class="problem" id="problem" role="alert" {
                    h2 { "There is a problem" }
                    p { (problem.text) }
                }
            }
            @if let Some(notice) = &self.notice {
                div class="notice" role="status" { p { (notice) } }
            }
            (body)
        };
        let mut response = match self.problem {
            Some(_) => {
                document(StatusCode::BAD_REQUEST, &format!("Error: {title}"), title, &content)
            }
            None => document(StatusCode::OK, title, title, &content),
        };
        if let Some(cookie) = self.form_token.new_cookie {
            response.headers_mut().append(header::SET_COOKIE, cookie);
        }
        response
    }

    fn address(&self, path: &str) -> String {
        self.request.address_of(path)
    }

    fn form_with(&self, path: &str, fields: &Markup, button: &Markup) -> Markup {
        html! {
            form method="post" action=(self.address(path)) {
                (hidden(form_token::FIELD, &self.form_token.value))
                (fields)
                (button)
            }
        }
    }
}

impl FromRequestParts<Arc<Site>> for Page {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, site: &Arc<Site>) -> Result<Self, Response> {
        let Ok(Query(query)) = Query::from_request_parts(parts, site).await;
        let request =
            AuthorizationRequest::parse(site, &query).map_err(IntoResponse::into_response)?;
        if request.prompt.forbids_pages() {
            // The authorization endpoint responds without a page.
            return Err(redirect::to(&request.address_of(paths::AUTHORIZE)));
        }
        let headers = parts.headers.clone();
        let form_token = FormToken::for_browser(&request.pool, &headers);
        Ok(Self { request, headers, form_token, problem: None, notice: None })
    }
}

impl FromRequest<Arc<Site>> for SubmittedForm {
    type Rejection = Response;

    async fn from_request(request: Request, site: &Arc<Site>) -> Result<Self, Response> {
        let (parts, body) = request.into_parts();
        let mut page_parts = parts.clone();
        let fields = read_form(Request::from_parts(parts, body), site).await.map_err(|error| {
            message_page(error.status(), "The form cannot be read", error.message())
        })?;
        let page = Page::from_request_parts(&mut page_parts, site).await?;
        let is_own_form = fields.is_unambiguous()
            && form_token::is_own_form(&page.request.pool, &page.headers, &fields);
        if is_own_form { Ok(Self { page, fields }) } else { Err(foreign_form()) }
    }
}

impl FromRequest<Arc<Site>> for PasswordForm {
    type Rejection = Response;

    async fn from_request(request: Request, site: &Arc<Site>) -> Result<Self, Response> {
        let SubmittedForm { page, fields } = SubmittedForm::from_request(request, site).await?;
        if page.request.allows_passwords() {
            Ok(Self { page, fields })
        } else {
            Err(error_page("unauthorized_client"))
        }
    }
}

fn foreign_form() -> Response {
    let message = "The form was not sent from a page of this pool in this browser, or the page is too old. Allow \
                   cookies, go back, reload the page and try again.";
    message_page(StatusCode::FORBIDDEN, "The form cannot be accepted", message)
}

/// `GET /error`: shows the message of a known error code.
pub(crate) async fn show_error(Query(query): Query) -> Response {
    error_page(query.get("error").unwrap_or_default())
}

/// Returns the error message that a page shows. The messages of service model violations are replaced, because they
/// name members of the API, which users do not know.
pub(crate) fn user_facing_message(error: &Error) -> &str {
    if error.faulty.is_empty() {
        return &error.message;
    }
    let is_at = |member: &str| error.faulty.iter().any(|faulty| faulty == member);
    if is_at("username") {
        "The user name is too long or has a character that is not allowed."
    } else if ["password", "proposedPassword"].into_iter().any(is_at) {
        "The password is too long or contains a space."
    } else if ["confirmationCode", "userCode", "challengeResponses"].into_iter().any(is_at) {
        "This is not a valid code. Enter it as you received it."
    } else {
        "A value is too long or has a character that is not allowed."
    }
}

/// Returns the name of the field that an error is about. A wrong user name or password is reported at the password,
/// which has to be typed again.
fn faulty_field(error: &Error) -> Option<&'static str> {
    let is_at = |member: &str| error.faulty.iter().any(|faulty| faulty == member);
    match error.kind {
        _ if is_at("username") => Some("username"),
        _ if ["password", "proposedPassword"].into_iter().any(is_at) => Some("password"),
        _ if ["confirmationCode", "userCode", "challengeResponses"].into_iter().any(is_at) => {
            Some("code")
        }
        ErrorKind::UsernameExists | ErrorKind::UserNotFound => Some("username"),
        ErrorKind::InvalidPassword | ErrorKind::PasswordHistoryPolicyViolation => Some("password"),
        ErrorKind::CodeMismatch | ErrorKind::ExpiredCode | ErrorKind::EnableSoftwareTokenMFA => {
            Some("code")
        }
        _ if *error == Error::wrong_password() => Some("password"),
        _ => None,
    }
}

/// Returns where to find the messages that a page waits for.
pub(crate) fn messages_hint() -> Markup {
    let address = format!("{}#messages", paths::CONSOLE);
    html! {
        p class="hint" {
            "This is a local pool, and no message leaves this machine. "
            a href=(address) target="_blank" rel="noopener" { "Open its messages" }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Error, user_facing_message};

    #[test]
    fn model_violations_are_described_without_member_names() {
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
            let error = Error { faulty, ..Error::invalid_parameter(message) };
            let shown = user_facing_message(&error);
            assert!(shown.contains(word) && !shown.contains("Member"), "{member}: {shown}");
        }
        for message in [
            "Incorrect username or password.",
            "Invalid code provided, please try again.",
            // A trigger can use the same words.
            "1 validation error detected: Value at 'username' is taken",
        ] {
            assert_eq!(user_facing_message(&Error::not_authorized(message)), message);
        }
    }
}
