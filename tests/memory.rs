//! The cache of verified tokens keeps to its bytes, counted by the allocator.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test may say what it expects")]

use std::alloc::System;

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use tower_cognito::{
    Claims,
    local::{TokenBuilder, UserPool},
};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Bytes that are allocated and not freed.
fn live() -> usize {
    let stats = ALLOCATOR.stats();
    stats.bytes_allocated - stats.bytes_deallocated
}

#[derive(serde::Deserialize)]
struct Custom {
    #[allow(dead_code, reason = "it only takes memory")]
    sub: String,
}

const CACHE_BYTES: usize = 2 << 20;

#[tokio::test]
async fn the_cache_keeps_to_its_bytes_whatever_tokens_fill_it() {
    let pool = UserPool::start().await.unwrap();
    let many = vec!["p"; 500].join(" ");
    let groups: Vec<String> = (0..60).map(|number| format!("group{number}")).collect();
    type Fill<'a> = Box<dyn Fn(TokenBuilder) -> TokenBuilder + 'a>;
    let fills: [(&str, Fill<'_>); 4] = [
        ("plain tokens", Box::new(|token| token)),
        (
            "one-letter permissions",
            Box::new(|token| token.claim("custom:permissions", many.as_str())),
        ),
        ("many groups", Box::new(|token| token.claim("cognito:groups", groups.clone()))),
        (
            "many small claims",
            Box::new(|mut token| {
                for number in 0..200 {
                    token = token.claim(format!("c{number}"), number);
                }
                token
            }),
        ),
    ];
    for (name, fill) in fills {
        let verifier = pool.verifier().token_cache_bytes(CACHE_BYTES).build().unwrap();
        verifier.ready().await.unwrap();
        let before = live();
        for user in 0..1500 {
            let token = fill(pool.token(format!("user{user}"))).sign();
            let claims = verifier.verify(&token).await.unwrap();
            // All that is decoded on demand is remembered with the token.
            assert!(claims.claim("sub").is_some());
            assert!(Claims::<Custom>::from_verified(&claims).is_ok());
        }
        let grown = live().saturating_sub(before);
        println!("{name}: {grown} bytes in a cache of {CACHE_BYTES}");
        assert!(grown <= CACHE_BYTES * 5 / 4, "{name}: {grown} bytes");
        assert!(grown >= CACHE_BYTES / 8, "{name}: hardly anything was remembered: {grown} bytes");
    }
}
