//! The cost of longer tokens.

use std::error::Error;

use futures_util::FutureExt;

use super::{
    Scope, Section, call_of,
    chart::{Chart, Kind},
    timing::{Call, median, paired, ratio},
};
use crate::{
    subjects,
    world::{Token, World},
};

pub fn section(world: &World, scope: &Scope) -> Result<Section, Box<dyn Error>> {
    let verifier = |bytes| world.pool.verifier().token_cache_bytes(bytes).build();
    let (warm, cold) = (verifier(32 << 20)?, verifier(0)?);
    let limit = call_of(subjects::functions::limit(world)?)?;
    let decode = call_of(subjects::functions::jsonwebtoken(world, scope.crypto)?)?;

    let mut text = "| bytes | limit, µs | jsonwebtoken, µs | cold, µs | times the limit | times \
         jsonwebtoken | warm, µs |\n|--:|--:|--:|--:|--:|--:|--:|\n"
        .to_owned();
    let names = ["the signature alone", "jsonwebtoken::decode", "cold", "warm"];
    let mut lines = names.map(|name| (name.to_owned(), Vec::new()));
    for kibibytes in [1_usize, 2, 4, 8, 12] {
        let padding = "p".repeat((kibibytes << 10).saturating_sub(1024) * 3 / 4);
        let token = Token::new(world.token("alice").claim("event_id", padding).sign())?;
        let verify = |verifier: &tower_cognito::Verifier| {
            assert!(verifier.verify(&token.text).now_or_never().is_some_and(|it| it.is_ok()));
        };
        // Fetches the keys, unless they have been fetched before.
        for verifier in [&warm, &cold] {
            tokio::task::block_in_place(|| {
                tokio::runtime::Handle::current().block_on(verifier.verify(&token.text))
            })?;
        }
        let mut calls: [Call<'_>; 4] = [
            Box::new(|| assert!(limit(&token))),
            Box::new(|| assert!(decode(&token))),
            Box::new(|| verify(&cold)),
            Box::new(|| verify(&warm)),
        ];
        let times = paired(scope.rounds, &mut calls);
        let [limit, decode, cold, warm] = times.as_slice() else { continue };
        let median = |times: &[f64]| median(times.iter().copied()) / 1e3;
        let bytes = token.text.len();
        text += &format!(
            "| {bytes} | {:.2} | {:.2} | {:.2} | {:.3} | {:.3} | {:.2} |\n",
            median(limit),
            median(decode),
            median(cold),
            ratio(cold, limit),
            ratio(cold, decode),
            median(warm),
        );
        for ((_, points), times) in lines.iter_mut().zip(&times) {
            points.push((bytes as f64 / 1024.0, median(times)));
        }
    }
    let chart = Chart {
        file: "sizes.svg",
        title: "Cost by the length of the token",
        unit: "µs",
        kind: Kind::Lines { over: "KiB", lines: lines.into() },
    };
    let text = format!("`Verifier::verify` with tokens of several lengths.\n\n{text}");
    Ok(Section { title: "Longer tokens", text, charts: vec![chart] })
}
