//! `/_local/`: the page of the console.

use std::{cmp::Reverse, sync::LazyLock};

use axum::{
    http::{HeaderMap, StatusCode, header},
    response::Response,
};
use maud::{Markup, html};

use crate::{
    http::{
        html::Layout,
        oauth::{
            form_token::{self, FormToken},
            sign_in_page::sign_in_page,
        },
    },
    model::{Message, Session, User, UserStatus, settings::Contact},
    pool::{Pool, site::Site},
    store::Data,
};

/// The maximum number of messages on the page. `/_local/messages` returns all messages.
const MAX_MESSAGES: usize = 100;

static LAYOUT: LazyLock<Layout> =
    LazyLock::new(|| Layout::new(include_str!("style.css"), None, "form-action 'self'"));

/// Responds with all pools and their messages, users, app clients, sessions and groups.
pub(crate) fn overview(site: &Site, headers: &HeaderMap) -> Response {
    let pools = site.pools();
    let tokens: Vec<_> = pools.iter().map(|pool| FormToken::for_browser(pool, headers)).collect();
    let body = html! {
        header {
            h1 { "Local user pools" }
            p {
                "For development only: this page shows all users and codes. Messages are also available as JSON at "
                a href="/_local/messages" { "/_local/messages" } "."
            }
        }
        main id="messages" {
            @for (pool, token) in pools.iter().zip(&tokens) {
                (section(pool, token))
            }
        }
    };
    let mut response = LAYOUT.page(StatusCode::OK, "Local user pools", &body);
    for cookie in tokens.into_iter().filter_map(|token| token.new_cookie) {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

fn section(pool: &Pool, token: &FormToken) -> Markup {
    let now = pool.now();
    let actions = Actions { pool, token };
    pool.store.read(|data| {
        html! {
            section id=(pool.id()) {
                h2 { (data.settings().name) " " small { (pool.id()) } }
                p { "Issuer: " code { (pool.issuer()) } }
                (clock(pool, &actions))
                (messages(data, now))
                (users(data, &actions))
                (clients(data))
                (sessions(data, now))
                (groups(data))
            }
        }
    })
}

/// The forms of a pool.
struct Actions<'a> {
    pool: &'a Pool,
    token: &'a FormToken,
}

impl Actions<'_> {
    fn form(&self, action: &str, content: &Markup) -> Markup {
        html! {
            form method="post" action="/_local/actions" {
                input type="hidden" name=(form_token::FIELD) value=(self.token.value);
                input type="hidden" name="pool" value=(self.pool.id());
                input type="hidden" name="action" value=(action);
                (content)
            }
        }
    }

    fn on_user(&self, action: &str, user: &User, button: &str) -> Markup {
        self.form(
            action,
            &html! {
                input type="hidden" name="username" value=(user.username);
                button aria-label=(format!("{button} {}", user.username)) { (button) }
            },
        )
    }
}

fn clock(pool: &Pool, actions: &Actions<'_>) -> Markup {
    let ahead = match pool.ahead().as_secs() {
        0 => "Clock: real time".to_owned(),
        seconds => format!("Clock: {} ahead", duration(seconds)),
    };
    let buttons = html! {
        button name="seconds" value="3600" { "Advance 1 hour" }
        button name="seconds" value="86400" { "Advance 1 day" }
    };
    html! { div class="clock" { span { (ahead) } (actions.form("advance", &buttons)) } }
}

fn messages(data: &Data, now: u64) -> Markup {
    let rows = data.messages.values().rev().take(MAX_MESSAGES).map(|message| {
        let subject = message.subject.as_deref().unwrap_or_default();
        [
            html! { (message.username) br; small { (message.destination) " (" (message.medium) ")" } },
            html! { @if !subject.is_empty() { strong { (subject) } br; } (text_of(message)) },
            html! {
                @if let Some(code) = &message.code { code class="code" { (code) } }
                @if let Some(link) = &message.link { " " a href=(link) { "Open link" } }
            },
            html! { (age(message.at, now)) },
        ]
    });
    table("Messages", ["To", "Text", "Code", "Sent"], rows)
}

/// Returns a message as its recipient sees it. E-mail messages are HTML.
fn text_of(message: &Message) -> String {
    let (mut text, mut rest) = (String::new(), message.body.as_str());
    let is_html = message.medium == Contact::Email.medium();
    while let Some((before, (_, after))) =
        rest.split_once('<').filter(|_| is_html).and_then(|(a, b)| Some((a, b.split_once('>')?)))
    {
        text.push_str(before);
        rest = after;
    }
    text + rest
}

fn users(data: &Data, actions: &Actions<'_>) -> Markup {
    let rows = data.users.values().map(|user| {
        let attributes: Vec<_> =
            user.attributes.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        let groups: Vec<_> = user.groups.iter().map(String::as_str).collect();
        [
            html! { (user.username) br; small { "sub " (user.sub) } },
            html! { (user.status.as_str()) @if !user.enabled { ", disabled" } },
            html! { (attributes.join("\n")) },
            html! { (groups.join(", ")) },
            html! {
                div class="actions" {
                    @if user.status == UserStatus::Unconfirmed {
                        (actions.on_user("confirm", user, "Confirm"))
                    }
                    (actions.on_user("sign_out", user, "Sign out"))
                }
            },
        ]
    });
    table("Users", ["User name", "Status", "Attributes", "Groups", "Actions"], rows)
}

fn clients(data: &Data) -> Markup {
    let rows = data.clients.values().map(|client| {
        let settings = &client.settings;
        [
            html! { (settings.name) },
            html! { code { (settings.client_id) } },
            html! {
                @match sign_in_page(settings) {
                    Some(address) => a href=(address) { "Open the sign-in page" },
                    None => "No sign-in page",
                }
            },
        ]
    });
    table("App clients", ["Name", "Client ID", "Pages"], rows)
}

fn sessions(data: &Data, now: u64) -> Markup {
    let state = |session: &Session| {
        if session.revoked {
            "revoked"
        } else if session.expires_at <= now {
            "expired"
        } else {
            "open"
        }
    };
    let mut sessions: Vec<_> = data.sessions.values().collect();
    sessions.sort_by_key(|session| Reverse(session.auth_time));
    let rows = sessions.into_iter().map(|session| {
        [
            html! { (session.username) },
            html! { (session.client_id) },
            html! { (age(session.auth_time, now)) },
            html! { (state(session)) },
        ]
    });
    table("Sessions", ["User name", "App client", "Signed in", "State"], rows)
}

fn groups(data: &Data) -> Markup {
    let rows = data.groups.values().map(|group| {
        [
            html! { (group.name) },
            html! { (group.description.as_deref().unwrap_or_default()) },
            html! { @if let Some(precedence) = group.precedence { (precedence) } },
            html! { (group.role_arn.as_deref().unwrap_or_default()) },
        ]
    });
    table("Groups", ["Name", "Description", "Precedence", "Role"], rows)
}

/// Returns a table. On a narrow screen each row is a card, whose cells have the names of their columns.
fn table<const N: usize>(
    caption: &str,
    columns: [&str; N],
    rows: impl Iterator<Item = [Markup; N]>,
) -> Markup {
    let mut rows = rows.peekable();
    html! {
        h3 { (caption) }
        @if rows.peek().is_none() {
            p class="none" { "None yet." }
        } @else {
            table aria-label=(caption) {
                thead { tr { @for column in columns { th scope="col" { (column) } } } }
                tbody {
                    @for row in rows {
                        tr {
                            @for (column, cell) in columns.iter().zip(row) {
                                @if !cell.0.is_empty() { td data-label=(column) { div { (cell) } } }
                                @else { td class="empty" {} }
                            }
                        }
                    }
                }
            }
        }
    }
}

fn age(at: u64, now: u64) -> String {
    format!("{} ago", duration(now.saturating_sub(at) / 1000))
}

fn duration(seconds: u64) -> String {
    match seconds {
        0..=59 => format!("{seconds} s"),
        60..=3599 => format!("{} min", seconds / 60),
        3600..=86399 => format!("{} h", seconds / 3600),
        86400..=172_799 => "1 day".to_owned(),
        _ => format!("{} days", seconds / 86400),
    }
}
