//! `/_local/`: the page of the console.

use std::{cmp::Reverse, sync::LazyLock};

use axum::{http::StatusCode, response::Response};
use maud::{Markup, html};

use crate::{
    http::html::Layout,
    model::Session,
    pool::{Pool, site::Site},
    store::Data,
};

/// The maximum number of messages on the page. `/_local/messages` returns all messages.
const MAX_MESSAGES: usize = 100;

static LAYOUT: LazyLock<Layout> =
    LazyLock::new(|| Layout::new(include_str!("style.css"), "form-action 'none'"));

/// Responds with all pools and their users, groups, sessions and messages.
pub(crate) fn overview(site: &Site) -> Response {
    let body = html! {
        header {
            h1 { "Local user pools" }
            p {
                "For development only: this page shows all users and codes. Messages are also available as JSON at "
                a href="/_local/messages" { "/_local/messages" } "."
            }
        }
        main {
            @for pool in site.pools() {
                (section(&pool))
            }
        }
    };
    LAYOUT.page(StatusCode::OK, "Local user pools", &body)
}

fn section(pool: &Pool) -> Markup {
    let now = pool.now();
    pool.store.read(|data| {
        html! {
            section {
                h2 { (data.settings().name) " " small { "(" (pool.id()) ")" } }
                p { "Issuer: " code { (pool.issuer()) } }
                (users(data))
                (groups(data))
                (sessions(data, now))
                (messages(data, now))
            }
        }
    })
}

fn users(data: &Data) -> Markup {
    let rows = data.users.values().map(|user| {
        let disabled = if user.enabled { "" } else { ", disabled" };
        let attributes: Vec<_> =
            user.attributes.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        let groups: Vec<_> = user.groups.iter().map(String::as_str).collect();
        [
            user.username.clone(),
            user.sub.clone(),
            format!("{}{disabled}", user.status.as_str()),
            attributes.join("\n"),
            groups.join(", "),
        ]
    });
    table("Users", ["User name", "sub", "Status", "Attributes", "Groups"], rows)
}

fn groups(data: &Data) -> Markup {
    let rows = data.groups.values().map(|group| {
        [
            group.name.clone(),
            group.description.clone().unwrap_or_default(),
            group.precedence.map(|number| number.to_string()).unwrap_or_default(),
            group.role_arn.clone().unwrap_or_default(),
        ]
    });
    table("Groups", ["Name", "Description", "Precedence", "Role"], rows)
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
            session.username.clone(),
            session.client_id.clone(),
            age(session.auth_time, now),
            state(session).to_owned(),
        ]
    });
    table("Sessions", ["User name", "App client", "Signed in", "State"], rows)
}

fn messages(data: &Data, now: u64) -> Markup {
    let rows = data.messages.values().rev().take(MAX_MESSAGES).map(|message| {
        [
            format!("{} ({})", message.destination, message.medium),
            message.username.clone(),
            message.subject.clone().unwrap_or_default(),
            message.body.clone(),
            message.code.clone().unwrap_or_default(),
            age(message.at, now),
        ]
    });
    table("Messages", ["To", "User name", "Subject", "Text", "Code", "Sent"], rows)
}

fn table<const N: usize>(
    caption: &str,
    columns: [&str; N],
    rows: impl Iterator<Item = [String; N]>,
) -> Markup {
    let mut rows = rows.peekable();
    html! {
        // On a narrow screen only the table scrolls. It can be focused to scroll it with the keyboard.
        div class="table" role="region" aria-label=(caption) tabindex="0" {
            table {
                caption { (caption) }
                thead { tr { @for column in columns { th scope="col" { (column) } } } }
                tbody {
                    @if rows.peek().is_none() {
                        tr { td colspan=(N) { "None yet." } }
                    }
                    @for row in rows {
                        tr { @for cell in row { td { (cell) } } }
                    }
                }
            }
        }
    }
}

fn age(at: u64, now: u64) -> String {
    let seconds = now.saturating_sub(at) / 1000;
    match seconds {
        0..=59 => format!("{seconds} s ago"),
        60..=3599 => format!("{} min ago", seconds / 60),
        3600..=86399 => format!("{} h ago", seconds / 3600),
        _ => format!("{} days ago", seconds / 86400),
    }
}
