//! Sends any request headers. Only requests with the valid token are accepted.

#![no_main]

use std::convert::Infallible;

use http::{HeaderValue, Request, Response, StatusCode, header};
use libfuzzer_sys::fuzz_target;
use tower::{Layer, ServiceExt, service_fn};
use tower_cognito::{CognitoLayer, Verified, service::Credential};
use tower_cognito_fuzz::FIXTURE;

fuzz_target!(|data: &[u8]| {
    let Some((choice, rest)) = data.split_first() else { return };
    let places = [
        Credential::authorization(),
        Credential::cookie("id").unwrap(),
        Credential::header("x-token").unwrap(),
        Credential::query("t").unwrap(),
        Credential::websocket_protocol("bearer").unwrap(),
    ];
    let names = [
        header::AUTHORIZATION,
        header::COOKIE,
        "x-token".parse().unwrap(),
        header::SEC_WEBSOCKET_PROTOCOL,
    ];
    let mut layer = CognitoLayer::new(FIXTURE.verifier.clone());
    if choice & 0x80 != 0 {
        layer = layer.allow_anonymous();
    }
    if choice & 0x40 != 0 {
        layer = layer.credentials(places);
    }
    let mut request = Request::new(());
    // `\x01` is replaced by the valid token, so that the fuzzer can place it. Each line is a header.
    for (number, line) in rest.split(|byte| *byte == b'\n').take(4).enumerate() {
        let mut bytes = Vec::new();
        for byte in line {
            match byte {
                1 => bytes.extend_from_slice(FIXTURE.good.as_bytes()),
                byte => bytes.push(*byte),
            }
        }
        let name = &names[(number + usize::from(choice & 3)) % names.len()];
        if let Ok(value) = HeaderValue::from_bytes(&bytes) {
            request.headers_mut().append(name, value);
        }
    }
    let has_good = rest.contains(&1);
    let service = layer.layer(service_fn(|request: Request<()>| async move {
        let known = request.extensions().get::<Verified>().is_some();
        Ok::<_, Infallible>(Response::new(String::from(if known { "user" } else { "guest" })))
    }));
    let response = FIXTURE.runtime.block_on(service.oneshot(request)).unwrap();
    let served = response.status() == StatusCode::OK;
    assert!(!response.status().is_server_error());
    assert!(!served || has_good || choice & 0x80 != 0, "served without a token");
});
