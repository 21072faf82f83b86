use std::sync::mpsc;

use tower_cognito::AuthErrorKind;

/// Starts a thread for each function. The threads run until the returned function is dropped. It calls each function
/// once on its thread, and returns whether all of them returned the expected result.
pub(crate) fn on_threads<F>(
    functions: impl IntoIterator<Item = F>,
) -> impl Fn(Option<AuthErrorKind>) -> bool
where
    F: Fn() -> Option<AuthErrorKind> + Send + 'static,
{
    let start = |function: F| {
        let (request, requests) = mpsc::channel::<()>();
        let (report, results) = mpsc::channel();
        std::thread::spawn(move || {
            while requests.recv().is_ok() {
                report.send(function()).unwrap();
            }
        });
        (request, results)
    };
    let threads: Vec<_> = functions.into_iter().map(start).collect();
    move |expected| {
        threads.iter().all(|(request, results)| {
            request.send(()).unwrap();
            results.recv().unwrap() == expected
        })
    }
}
