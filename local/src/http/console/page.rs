use crate::{
    http::html::Escaped,
    model::Session,
    pool::{Shared, site::Site},
    store::Data,
};

/// So many messages are on the page; all are at `/_local/messages`.
const MAX_MESSAGES: usize = 100;

const STYLE: &str = "\
body{font:1rem/1.5 system-ui,sans-serif;margin:0 auto;max-width:72rem;padding:1rem;\
color:#1a1a1a;background:#fff}\
div{overflow-x:auto}table{border-collapse:collapse;width:100%}\
caption{text-align:left;font-weight:600;padding:1rem 0 .25rem}\
th,td{text-align:left;vertical-align:top;padding:.4rem .6rem;border-bottom:1px solid #767676}\
td{overflow-wrap:anywhere;min-width:8rem}\
@media(prefers-color-scheme:dark){body{color:#eee;background:#161616}a{color:#9cf}}";

/// All pools with their users, groups, sessions and messages.
pub(crate) fn overview(site: &Site) -> String {
    let mut html = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <title>Local user pools</title><style>{STYLE}</style></head><body>\
         <header><h1>Local user pools</h1>\
         <p>For development: codes and users are plain to see here. Messages are also at \
         <a href=\"/_local/messages\">/_local/messages</a> as JSON.</p></header><main>"
    );
    for pool in site.pools() {
        html.push_str(&section(&pool));
    }
    html.push_str("</main></body></html>\n");
    html
}

fn section(pool: &Shared) -> String {
    let now = pool.now();
    pool.store.read(|data| {
        let name = &data.settings().name;
        let parts = [users(data), groups(data), sessions(data, now), messages(data, now)];
        format!(
            "<section><h2>{} <small>({})</small></h2><p>Issuer: <code>{}</code></p>{}</section>",
            Escaped(name),
            Escaped(pool.id().as_str()),
            Escaped(pool.issuer()),
            parts.concat()
        )
    })
}

fn users(data: &Data) -> String {
    let rows = data.users.values().map(|user| {
        let status = if user.enabled { "" } else { ", disabled" };
        let attributes: Vec<_> =
            user.attributes.iter().map(|(name, value)| format!("{name}: {value}")).collect();
        let groups: Vec<_> = user.groups.iter().map(String::as_str).collect();
        vec![
            user.username.clone(),
            user.sub.clone(),
            format!("{}{status}", user.status.as_str()),
            attributes.join("\n"),
            groups.join(", "),
        ]
    });
    table("Users", &["User name", "sub", "Status", "Attributes", "Groups"], rows)
}

fn groups(data: &Data) -> String {
    let rows = data.groups.values().map(|group| {
        vec![
            group.name.clone(),
            group.description.clone().unwrap_or_default(),
            group.precedence.map(|number| number.to_string()).unwrap_or_default(),
            group.role_arn.clone().unwrap_or_default(),
        ]
    });
    table("Groups", &["Name", "Description", "Precedence", "Role"], rows)
}

fn sessions(data: &Data, now: u64) -> String {
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
    sessions.sort_by_key(|session| std::cmp::Reverse(session.auth_time));
    let rows = sessions.into_iter().map(|session| {
        vec![
            session.username.clone(),
            session.client_id.clone(),
            ago(session.auth_time, now),
            state(session).to_owned(),
        ]
    });
    table("Sessions", &["User name", "App client", "Signed in", "State"], rows)
}

fn messages(data: &Data, now: u64) -> String {
    let rows = data.messages.values().rev().take(MAX_MESSAGES).map(|message| {
        vec![
            format!("{} ({})", message.destination, message.medium),
            message.username.clone(),
            message.subject.clone().unwrap_or_default(),
            message.body.clone(),
            message.code.clone().unwrap_or_default(),
            ago(message.at, now),
        ]
    });
    table("Messages", &["To", "User name", "Subject", "Text", "Code", "Sent"], rows)
}

fn table(caption: &str, columns: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let heads: String =
        columns.iter().map(|name| format!("<th scope=\"col\">{}</th>", Escaped(name))).collect();
    let mut body = String::new();
    for row in rows {
        body.push_str("<tr>");
        for cell in row {
            body.push_str("<td>");
            body.push_str(&Escaped(&cell).to_string().replace('\n', "<br>"));
            body.push_str("</td>");
        }
        body.push_str("</tr>");
    }
    if body.is_empty() {
        body = format!("<tr><td colspan=\"{}\">None yet.</td></tr>", columns.len());
    }
    // A table that is wider than a phone is scrolled by itself, by keyboard too.
    format!(
        "<div role=\"region\" aria-label=\"{caption}\" tabindex=\"0\"><table>\
         <caption>{caption}</caption><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>",
        caption = Escaped(caption)
    )
}

fn ago(at: u64, now: u64) -> String {
    let seconds = now.saturating_sub(at) / 1000;
    match seconds {
        0..=59 => format!("{seconds} s ago"),
        60..=3599 => format!("{} min ago", seconds / 60),
        3600..=86399 => format!("{} h ago", seconds / 3600),
        _ => format!("{} days ago", seconds / 86400),
    }
}
