//! The cost of a request compared with peers, baseline and limit.

use std::error::Error;

use super::{
    Scope, Section,
    chart::{Chart, Kind},
};
use crate::{
    measure::{self, Figures},
    subject::Subject,
    subjects,
    world::{Token, World},
};

pub async fn sections(world: &World, scope: &Scope) -> Result<Vec<Section>, Box<dyn Error>> {
    let mut subjects = subjects::all(world, scope.crypto).await?;
    crate::check::all(world, &mut subjects).await?;
    let users = world.tokens(crate::USERS)?;
    let one: Vec<Token> = (0..crate::USERS).map(|_| users[0].clone()).collect();

    let figures = measure::all(&mut subjects, &one, scope.rounds, subjects::LIMIT).await?;
    let (added, alone): (Vec<_>, Vec<_>) =
        subjects.iter().zip(&figures).partition(|(subject, _)| subject.is_app());
    let bars = |rows: &[(&Subject, &Figures)], value: fn(&Figures) -> Option<f64>| {
        let bar = |(subject, figures): &(&Subject, &Figures)| {
            value(figures).map(|value| (subject.name.to_owned(), value / 1e3))
        };
        Kind::Bars(rows.iter().filter_map(bar).collect())
    };
    let text = format!(
        "All requests have the same token of {} bytes. They run in process, on one thread. Each of {} rounds \
         measures all rows in turn, and the table has the medians.\n\n\
         - \"Around\": one `CognitoLayer`, which also checks the policy, wraps the whole router.\n\
         - \"Inside, one layer\": the same layer is added by axum's `layer`.\n\
         - \"Inside\": the layer is added by axum's `layer`, and `require` checks the policy at the route.\n\n\
         For each layer inside a router, axum boxes the service, its future and its body again. The row with two \
         layers that do nothing shows the cost of that.\n\n\
         `tower-cognito` checks the client, the kind of token, the scope, the group and the permission. No peer \
         checks all of these. Each peer uses the fastest RSA implementation that it supports. With their default \
         implementation, `axum-jwt-auth` and `tower-oauth2-resource-server` take about 125 µs.\n\n{}",
        users[0].text.len(),
        scope.rounds,
        table(&subjects, &figures),
    );
    let cost = Section {
        title: "One request, compared with peers and the limit",
        text,
        charts: vec![
            Chart {
                file: "added.svg",
                title: "What authorization adds to a request",
                unit: "µs",
                kind: bars(&added, |figures| figures.added.filter(|added| *added > 1.0)),
            },
            Chart {
                file: "verify.svg",
                title: "One token alone",
                unit: "µs",
                kind: bars(&alone, |figures| Some(figures.time)),
            },
        ],
    };

    let figures = measure::all(&mut subjects, &users, scope.rounds, subjects::LIMIT).await?;
    let text = format!(
        "The same measurement with the tokens of {} users in turn. Most of the data about a token is then in the \
         processor's outer caches only.\n\n{}",
        crate::USERS,
        table(&subjects, &figures),
    );
    let users = Section { title: "Many users", text, charts: Vec::new() };
    Ok(vec![cost, users])
}

fn table(subjects: &[Subject], figures: &[Figures]) -> String {
    let mut table =
        "| | version | RSA by | µs | added over bare, µs | times the signature alone |\n\
         |---|---|---|--:|--:|--:|\n"
            .to_owned();
    for (subject, figures) in subjects.iter().zip(figures) {
        let Subject { name, version, rsa, .. } = subject;
        let Figures { time, added, ratio } = figures;
        let (rsa, time) = (rsa.unwrap_or_default(), time / 1e3);
        let added = added.map(|added| format!("{:.2}", added / 1e3)).unwrap_or_default();
        table += &format!("| {name} | {version} | {rsa} | {time:.2} | {added} | {ratio:.3} |\n");
    }
    table
}
