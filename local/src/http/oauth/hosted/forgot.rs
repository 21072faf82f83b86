//! `/forgot`: a code by which a password is set anew.

use std::sync::Arc;

use axum::{extract::State, http::HeaderMap, response::Response};
use serde_json::{Value, json};

use crate::{
    http::{
        html::Escaped,
        oauth::{
            hosted::{
                field::Field,
                login,
                page::{Desk, hidden},
                read_form, read_page, voice,
            },
            parameters::{PageForm, Query},
        },
    },
    pool::site::Site,
};

pub(crate) async fn show(
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
    Query(query): Query,
) -> Response {
    match read_page(&site, &query) {
        Ok(asking) => page(Desk::new(&asking, &headers), ""),
        Err(response) => *response,
    }
}

pub(crate) async fn send(
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
    Query(query): Query,
    PageForm(form): PageForm,
) -> Response {
    let asking = match read_form(&site, &headers, &query, &form) {
        Ok(asking) => asking,
        Err(response) => return *response,
    };
    let desk = Desk::new(&asking, &headers);
    let name = form.typed("username").trim();
    let hides = voice::hides_users(&asking);
    match voice::call(&site, &asking, "ForgotPassword", name, json!({})).await {
        Ok(answer) if !hides => {
            let sent = answer.pointer("/CodeDeliveryDetails/Destination").and_then(Value::as_str);
            let sent = sent.unwrap_or_default();
            reset_page(desk.notice(format!("A code was sent to {sent}.")), name)
        }
        Err(error) if name.is_empty() || !hides || !voice::tells_of_user(&error) => {
            page(desk.refused(&error), name)
        }
        // The same for all, whether or not there is somebody to send a code to.
        _ => {
            let notice =
                "If there is such an account with a proven contact, a code was sent to it.";
            reset_page(desk.notice(notice), name)
        }
    }
}

pub(crate) async fn reset(
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
    Query(query): Query,
    PageForm(form): PageForm,
) -> Response {
    let asking = match read_form(&site, &headers, &query, &form) {
        Ok(asking) => asking,
        Err(response) => return *response,
    };
    let desk = Desk::new(&asking, &headers);
    let name = form.typed("username").trim();
    let members = json!({
        "ConfirmationCode": form.typed("code").trim(),
        "Password": form.typed("password"),
    });
    match voice::call(&site, &asking, "ConfirmForgotPassword", name, members).await {
        Ok(_) => {
            login::page(desk.notice("Your password is changed. Sign in with it."), &headers, name)
        }
        Err(error) => reset_page(desk.refused(&error), name),
    }
}

pub(crate) fn reset_page(desk: Desk<'_>, name: &str) -> Response {
    let hint = voice::password_hint(&voice::settings(desk.asking()));
    let code = desk.field(&Field::code());
    let password = desk.field(&Field::new_password("New password", &hint));
    let fields = format!("{}{code}{password}", hidden("username", name));
    let form = desk.form("/forgot/reset", &fields, "Set the password");
    let links = desk.link("/forgot", "Send another code") + &desk.link("/login", "Back to sign in");
    let account = format!("<p>Account: <strong>{}</strong></p>", Escaped(name));
    desk.page("Set a new password", &format!("{account}{form}<p class=\"links\">{links}</p>"))
}

fn page(desk: Desk<'_>, name: &str) -> Response {
    let settings = voice::settings(desk.asking());
    let (label, kind) = (voice::name_label(&settings), voice::name_input(&settings));
    let field = desk.field(&Field::new("username", label, kind, "username").value(name));
    let form = desk.form("/forgot", &field, "Send me a code");
    let links = desk.link("/login", "Back to sign in");
    let intro = "<p>A code to set a new password is sent to your email address or phone.</p>";
    desk.page("Forgot your password?", &format!("{intro}{form}<p class=\"links\">{links}</p>"))
}
