//! `POST /_local/actions`: the forms of the page.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use crate::{
    domain::{sessions, users},
    http::{
        console::clock,
        oauth::{
            form_token::is_own_form,
            parameters::{Parameters, read_form},
        },
    },
    pool::{Pool, site::Site},
    triggers::Metadata,
};

type Rejection = (StatusCode, String);

/// Runs the action of a form, and redirects to the page. A form from another page is rejected.
pub(crate) async fn submit(State(site): State<Arc<Site>>, request: Request) -> Response {
    match run(&site, request).await {
        Ok(pool) => {
            let location = format!("/_local/#{}", pool.id());
            (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response()
        }
        Err((status, message)) => (status, message + "\n").into_response(),
    }
}

async fn run(site: &Arc<Site>, request: Request) -> Result<Arc<Pool>, Rejection> {
    let headers = request.headers().clone();
    let form = read_form(request, site).await;
    let form = form.map_err(|error| (error.status(), error.message().to_owned()))?;
    let pool = form.get("pool").and_then(|id| site.pool(id));
    let pool = pool.ok_or((StatusCode::NOT_FOUND, "No user pool has this ID.".to_owned()))?;
    if !is_own_form(&pool, &headers, &form) {
        let message = "The form was not sent from the page /_local/ in this browser.";
        return Err((StatusCode::FORBIDDEN, message.to_owned()));
    }
    run_on(&pool, &form).await?;
    Ok(pool)
}

async fn run_on(pool: &Pool, form: &Parameters) -> Result<(), Rejection> {
    let name = form.raw("username");
    let result = match form.raw("action") {
        "confirm" => users::confirm(pool, name, Metadata::NONE).await,
        "sign_out" => sessions::sign_out_named(pool, name).await,
        "advance" => {
            let seconds = form.raw("seconds").parse().map(Duration::from_secs);
            let advance = seconds.map_err(|_| bad_request("seconds must be a whole number"))?;
            return clock::check_advance(pool, advance)
                .map(|()| pool.advance(advance))
                .map_err(bad_request);
        }
        _ => return Err(bad_request("The action is unknown.")),
    };
    result.map_err(|error| bad_request(&error.message))
}

fn bad_request(message: &str) -> Rejection {
    (StatusCode::BAD_REQUEST, message.to_owned())
}
