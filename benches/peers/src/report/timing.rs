//! Timing in pairs: each round times all calls one after the other.

use std::time::Instant;

/// A call that is timed.
pub type Call<'a> = Box<dyn FnMut() + 'a>;

/// How many calls make one measurement.
const CALLS: usize = 100;

/// Nanoseconds a call of each, for each round.
pub fn paired(rounds: usize, calls: &mut [Call<'_>]) -> Vec<Vec<f64>> {
    let mut times = vec![Vec::with_capacity(rounds); calls.len()];
    for round in 0..rounds + 1 {
        for (call, times) in calls.iter_mut().zip(&mut times) {
            let start = Instant::now();
            for _ in 0..CALLS {
                call();
            }
            // The first round makes caches and branches warm.
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

/// The median over rounds of one's time as a multiple of another's.
pub fn ratio(own: &[f64], other: &[f64]) -> f64 {
    median(own.iter().zip(other).map(|(own, other)| own / other))
}
