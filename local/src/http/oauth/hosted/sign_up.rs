//! `/signup` and `/confirm`.

use std::{collections::BTreeSet, sync::Arc};

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
                read_form, read_page,
                step_page::{ATTRIBUTE, attribute_field},
                voice,
            },
            parameters::{PageForm, Parameters, Query},
        },
    },
    model::settings::PoolSettings,
    pool::site::Site,
};

pub(crate) async fn show(
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
    Query(query): Query,
) -> Response {
    match read_page(&site, &query) {
        Ok(asking) => page(Desk::new(&asking, &headers), &Parameters::default()),
        Err(response) => *response,
    }
}

pub(crate) async fn sign_up(
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
    let (name, password) = (form.typed("username").trim(), form.typed("password"));
    let attributes: Vec<_> = form
        .behind(ATTRIBUTE)
        .map(|(name, value)| json!({ "Name": name, "Value": value.trim() }))
        .collect();
    let members = json!({ "Password": password, "UserAttributes": attributes });
    let answer = match voice::call(&site, &asking, "SignUp", name, members).await {
        Ok(answer) => answer,
        Err(error) => return page(desk.refused(&error), &form),
    };
    if answer.get("UserConfirmed") == Some(&json!(true)) {
        return login::with_password(desk, &headers, name, password).await;
    }
    let sent = answer.pointer("/CodeDeliveryDetails/Destination").and_then(Value::as_str);
    let notice = match sent {
        Some(destination) => format!("A code was sent to {destination}."),
        None => "Your account waits for an administrator to confirm it.".to_owned(),
    };
    confirm_page(desk.notice(notice), name)
}

pub(crate) async fn show_confirm(
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
    Query(query): Query,
) -> Response {
    match read_page(&site, &query) {
        Ok(asking) => confirm_page(Desk::new(&asking, &headers), ""),
        Err(response) => *response,
    }
}

pub(crate) async fn confirm(
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
    let members = json!({ "ConfirmationCode": form.typed("code").trim() });
    match voice::call(&site, &asking, "ConfirmSignUp", name, members).await {
        Ok(_) => login::page(desk.notice("Your account is confirmed. Sign in."), &headers, name),
        Err(error) if voice::hides_users(&asking) && voice::tells_of_user(&error) => {
            confirm_page(desk.problem("Invalid code provided, please request a code again."), name)
        }
        Err(error) => confirm_page(desk.refused(&error), name),
    }
}

pub(crate) async fn resend(
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
    match voice::call(&site, &asking, "ResendConfirmationCode", name, json!({})).await {
        Err(error) if !(voice::hides_users(&asking) && voice::tells_of_user(&error)) => {
            confirm_page(desk.refused(&error), name)
        }
        // The same for all, whether or not there is somebody to send a code to.
        _ => confirm_page(desk.notice("If the account waits for it, a new code was sent."), name),
    }
}

pub(crate) fn confirm_page(desk: Desk<'_>, name: &str) -> Response {
    let settings = voice::settings(desk.asking());
    let code = desk.field(&Field::code());
    let mut body = String::new();
    if name.is_empty() {
        let (label, kind) = (voice::name_label(&settings), voice::name_input(&settings));
        let username = desk.field(&Field::new("username", label, kind, "username"));
        body.push_str(&desk.form("/confirm", &format!("{username}{code}"), "Confirm"));
    } else {
        let carried = hidden("username", name);
        body.push_str(&format!("<p>Account: <strong>{}</strong></p>", Escaped(name)));
        body.push_str(&desk.form("/confirm", &format!("{carried}{code}"), "Confirm"));
        body.push_str(&desk.quiet_form("/confirm/resend", &carried, "Send a new code"));
    }
    let back = desk.link("/login", "Back to sign in");
    body.push_str(&format!("<p class=\"links\">{back}</p>"));
    desk.page("Confirm your account", &body)
}

fn page(desk: Desk<'_>, form: &Parameters) -> Response {
    let settings = voice::settings(desk.asking());
    let kind = voice::name_input(&settings);
    let label =
        if settings.signs_in_with_contacts() { voice::name_label(&settings) } else { "User name" };
    let name = Field::new("username", label, kind, "username").value(form.typed("username"));
    let mut fields = desk.field(&name);
    for name in asked_attributes(&settings) {
        let value = form.typed(&format!("{ATTRIBUTE}{name}"));
        fields.push_str(&attribute_field(&desk, &name, value));
    }
    let hint = voice::password_hint(&settings);
    fields.push_str(&desk.field(&Field::new_password("Password", &hint)));
    let body = desk.form("/signup", &fields, "Create the account");
    let links = desk.link("/login", "I have an account");
    desk.page("Create an account", &format!("{body}<p class=\"links\">{links}</p>"))
}

/// What a new user is asked for beside the name: what codes are sent to, and all that is required.
fn asked_attributes(settings: &PoolSettings) -> Vec<String> {
    let contacts = settings.auto_verified_attributes.iter();
    let contacts = contacts.map(|contact| contact.attribute().to_owned());
    // Contacts that stand for the user name are asked for as such.
    let is_name = |name: &String| {
        settings.username_attributes.iter().any(|contact| contact.attribute() == name)
    };
    let mut seen = BTreeSet::new();
    contacts
        .chain(settings.required_attributes())
        .filter(|name| name != "sub" && !is_name(name) && seen.insert(name.clone()))
        .collect()
}
