//! Paired timing: each round times all calls in turn.

use std::time::Instant;

/// A timed call.
pub type Call<'a> = Box<dyn FnMut() + 'a>;

/// The number of calls per measurement.
const CALLS: usize = 100;

/// Returns the nanoseconds per call, for each call and round.
pub fn paired(rounds: usize, calls: &mut [Call<'_>]) -> Vec<Vec<f64>> {
    let mut times = vec![Vec::with_capacity(rounds); calls.len()];
    for round in 0..rounds + 1 {
        for (call, times) in calls.iter_mut().zip(&mut times) {
            let start = Instant::now();
            for _ in 0..CALLS {
                call();
            }
            // The first round warms up caches and branch predictors.
            if round > 0 {
                times.push(start.elapsed().as_secs_f64() * 1e9 / CALLS as f64);
            }
        }
    }
    times
}

pub fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    quantile(values, 0.5)
}

pub fn quantile(values: impl IntoIterator<Item = f64>, part: f64) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    let last = values.len().saturating_sub(1);
    values.get((last as f64 * part).round() as usize).copied().unwrap_or(f64::NAN)
}

/// Returns the median over rounds of the ratio of two times.
pub fn ratio(own: &[f64], other: &[f64]) -> f64 {
    median(own.iter().zip(other).map(|(own, other)| own / other))
}
