//! Checks that each subject verifies tokens before it is measured.

use std::{
    convert::Infallible,
    error::Error,
    time::{Duration, UNIX_EPOCH},
};

use http::{Request, Response, StatusCode};
use http_body::Body;
use http_body_util::BodyExt;
use tower::{Service, ServiceExt};

use crate::{
    subject::{Subject, Work},
    world::{Token, World, request},
};

/// The lifetime of a token. The expired token was issued two hours ago, which no peer's leeway covers.
const HOUR: Duration = Duration::from_secs(60 * 60);

/// Sends each subject a valid token, and invalid ones that differ from it in one respect.
///
/// # Errors
/// Returns the first unexpected response, with the name of the subject.
pub async fn all(world: &World, subjects: &mut [Subject]) -> Result<(), Box<dyn Error>> {
    for subject in subjects.iter_mut().filter(|subject| subject.rsa.is_some()) {
        let (name, version) = (subject.name, subject.version);
        check(world, &mut subject.work)
            .await
            .map_err(|error| format!("{name} {version} cannot be measured: {error}"))?;
    }
    Ok(())
}

async fn check(world: &World, work: &mut Work) -> Result<(), Box<dyn Error>> {
    match work {
        Work::Request(app) => check_app::<_, axum::body::Body, _>(world, app).await,
        Work::Around(app) => check_app::<_, axum::body::Body, _>(world, app).await,
        Work::Request07(app) => check_app::<_, axum_07::body::Body, _>(world, app).await,
        Work::Call(call) => {
            let token = Token::new(world.token("alice").sign())?;
            match (call(&token), call(&token.forged())) {
                (true, false) => Ok(()),
                (false, _) => Err("it rejected a valid token".into()),
                (_, true) => Err("it accepted an invalid signature".into()),
            }
        }
    }
}

async fn check_app<S, B, R>(world: &World, app: &mut S) -> Result<(), Box<dyn Error>>
where
    S: Service<Request<B>, Response = Response<R>, Error = Infallible>,
    B: Default,
    R: Body<Error: Error + 'static>,
{
    let token = world.token("alice");
    let payload = token.payload();
    let subject = payload["sub"].as_str().ok_or("the token has no `sub`")?;
    let now = payload["iat"].as_u64().ok_or("the token has no `iat`")?;
    let issued_at = UNIX_EPOCH + Duration::from_secs(now) - 2 * HOUR;

    let good = Token::new(token.sign())?;
    let (status, body) = send(app, Some(&good.text)).await?;
    if status != StatusCode::OK || body != subject {
        return Err(format!("a valid token got {status}: {body}").into());
    }

    let forged = good.forged().text;
    let expired = world.token("alice").issued_at(issued_at).expires_in(HOUR).sign();
    let foreign = world.token("alice").claim("iss", format!("{}2", world.issuer())).sign();
    for (what, token) in [
        ("an invalid signature", Some(forged.as_str())),
        ("an expired token", Some(expired.as_str())),
        ("another issuer", Some(foreign.as_str())),
        ("no token", None),
    ] {
        let (status, _) = send(app, token).await?;
        if !status.is_client_error() {
            return Err(format!("{what} got {status}").into());
        }
    }
    Ok(())
}

async fn send<S, B, R>(
    app: &mut S,
    token: Option<&str>,
) -> Result<(StatusCode, String), Box<dyn Error>>
where
    S: Service<Request<B>, Response = Response<R>, Error = Infallible>,
    B: Default,
    R: Body<Error: Error + 'static>,
{
    let response = app.ready().await?.call(request(token)?).await?;
    let status = response.status();
    let body = response.into_body().collect().await?.to_bytes();
    Ok((status, String::from_utf8_lossy(&body).into_owned()))
}

#[cfg(test)]
mod tests {
    use axum::{Router, routing::get};

    use super::*;
    use crate::world::PATH;

    #[tokio::test]
    async fn subject_that_does_not_verify_is_reported() -> Result<(), Box<dyn Error>> {
        let world = World::start().await?;
        let subject = world.token("alice").payload()["sub"].to_string().replace('"', "");
        let app = Router::new().route(PATH, get(|| async { subject }));
        let open = Subject::request("open", "1.0.0", Some("nobody"), app);

        let error = all(&world, &mut [open]).await.err().map(|error| error.to_string());
        let expected = "open 1.0.0 cannot be measured: an invalid signature got 200 OK";
        assert_eq!(error.as_deref(), Some(expected));
        Ok(())
    }
}
