//! Paired timing: each round measures all subjects in turn, so that other load on the machine affects all of them.

use std::{
    convert::Infallible,
    error::Error,
    time::{Duration, Instant},
};

use http::{Request, Response, StatusCode};
use tower::{Service, ServiceExt};

use crate::{
    subject::{Subject, Work},
    world::{Token, request},
};

/// The results of one subject.
pub struct Figures {
    /// The median over rounds, in nanoseconds per token.
    pub time: f64,
    /// The median over rounds of the time added to the application without authorization.
    pub added: Option<f64>,
    /// The median over rounds of the ratio to the baseline.
    pub ratio: f64,
}

/// Rounds that are not counted, which warm up caches and branch predictors.
const WARM_UP: usize = 3;

/// Measures all subjects with all tokens in each round.
///
/// # Errors
/// A subject responds to a valid token with a status other than 200, or no subject has the name of the baseline.
pub async fn all(
    subjects: &mut [Subject],
    tokens: &[Token],
    rounds: usize,
    baseline: &str,
) -> Result<Vec<Figures>, Box<dyn Error>> {
    let count = subjects.len();
    let mut times = vec![Vec::with_capacity(rounds); count];
    for round in 0..WARM_UP + rounds {
        for position in 0..count {
            // Each round starts with another subject, and every second round is reversed, so that no subject
            // always follows the same one.
            let position = if round % 2 == 0 { position } else { count - 1 - position };
            let number = (position + round) % count;
            let Some(subject) = subjects.get_mut(number) else { continue };
            // In a server, tokio refills the budget of a task between requests.
            let spent = tokio::task::unconstrained(time(&mut subject.work, tokens)).await;
            let spent = spent.map_err(|error| format!("{}: {error}", subject.name))?;
            if round >= WARM_UP
                && let Some(times) = times.get_mut(number)
            {
                times.push(spent.as_secs_f64() * 1e9 / tokens.len() as f64);
            }
        }
    }

    let baseline = subjects.iter().zip(&times).find(|(subject, _)| subject.name == baseline);
    let (_, baseline) = baseline.ok_or("no subject has the name of the baseline")?;
    let figures = subjects.iter().zip(&times).map(|(subject, own)| {
        let mut bare = subjects.iter().zip(&times);
        let bare = bare.find(|(bare, _)| subject.is_guarded_form_of(bare));
        Figures {
            time: median(own.iter().copied()),
            added: bare.map(|(_, bare)| median(own.iter().zip(bare).map(|(own, bare)| own - bare))),
            ratio: median(own.iter().zip(baseline).map(|(own, baseline)| own / baseline)),
        }
    });
    Ok(figures.collect())
}

async fn time(work: &mut Work, tokens: &[Token]) -> Result<Duration, Box<dyn Error>> {
    match work {
        Work::Request(app) => time_app::<_, axum::body::Body, _>(app, tokens).await,
        Work::Around(app) => time_app::<_, axum::body::Body, _>(app, tokens).await,
        Work::Request07(app) => time_app::<_, axum_07::body::Body, _>(app, tokens).await,
        Work::Call(call) => {
            let start = Instant::now();
            let good = tokens.iter().all(call);
            let spent = start.elapsed();
            if good { Ok(spent) } else { Err("it rejected a valid token".into()) }
        }
    }
}

async fn time_app<S, B, R>(app: &mut S, tokens: &[Token]) -> Result<Duration, Box<dyn Error>>
where
    S: Service<Request<B>, Response = Response<R>, Error = Infallible>,
    B: Default,
{
    // Built before the clock starts, because a server receives them from the network.
    let requests: Vec<Request<B>> =
        tokens.iter().map(|token| request(Some(&token.text))).collect::<Result<_, _>>()?;
    let start = Instant::now();
    for request in requests {
        let response = app.ready().await?.call(request).await?;
        if response.status() != StatusCode::OK {
            return Err(format!("a valid token got {}", response.status()).into());
        }
    }
    Ok(start.elapsed())
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
