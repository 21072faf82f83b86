use std::fmt;

use crate::{
    error::{AuthError, AuthErrorKind},
    keys::Miss,
    verifier::{
        cold::{self, Examined},
        pools::PoolSet,
        rules,
        verify::{Inner, Verifier, no_key},
    },
};

/// Explanation of why a token is accepted or rejected, step by step. Returned by [`Verifier::explain`].
///
/// It contains no token and no value of a claim. Its `Display` output is a list with one line for each step:
///
/// ```text
/// form: passed
/// issuer: passed
/// key: passed
/// signature: passed
/// dates: passed
/// expiry: failed (token_expired): the token has expired
///   get a new token with the refresh token; if the token is new, check this machine's clock
/// not_before: not reached
/// …
/// ```
#[derive(Debug, Clone)]
pub struct Explanation(Vec<Step>);

/// One step of a verification.
#[derive(Debug, Clone)]
pub struct Step {
    name: &'static str,
    outcome: Outcome,
    advice: Option<String>,
}

/// The outcome of a [`Step`].
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Outcome {
    /// The token passed the step.
    Passed,
    /// The token is rejected with this error.
    Failed(AuthError),
    /// The step cannot be decided without a fetch or without waiting. The text is the reason.
    Undecided(&'static str),
    /// An earlier step failed or is undecided.
    NotReached,
}

/// The name of the last step: the application's own checks.
const CHECKS: &str = "checks";

/// The advice if such a check rejects the token.
const OWN_CHECK: &str = "a check of this service decided so: see `VerifierBuilder::add_check`";

/// How many configured issuers are listed.
const MAX_ISSUERS: usize = 8;

impl Verifier {
    /// Explains which rule rejects a token, and what to do about it. Intended for support and for operators.
    ///
    /// The steps, their order and the functions that check them are those of [`verify`](Self::verify). Claims are
    /// checked only if the signature is valid: anyone can write the claims of another token. Nothing is fetched
    /// or cached. If the key of the token is not in memory, the step `key` is undecided. Your own synchronous checks are
    /// run, asynchronous ones are not.
    ///
    /// The result contains no token and no claim. Show it to operators, not to clients: it names the configured
    /// issuers.
    ///
    /// ```
    /// # use tower_cognito::{Pool, Verifier};
    /// # let verifier = Verifier::builder(Pool::new("eu-west-1_A").access_tokens(["web"])).build()?;
    /// let explanation = verifier.explain("Bearer eyJ");
    /// assert_eq!(explanation.verdict().unwrap().unwrap_err().code(), "malformed_token");
    /// println!("{explanation}");
    /// # Ok::<(), tower_cognito::ConfigError>(())
    /// ```
    pub fn explain(&self, token: &str) -> Explanation {
        self.0.explain(token.as_bytes())
    }
}

impl Explanation {
    /// Returns the steps in their order.
    pub fn steps(&self) -> impl Iterator<Item = &Step> {
        self.0.iter()
    }

    /// Returns `Ok` if the token passed all steps, the error of the step that failed, or `None` if a step is undecided.
    pub fn verdict(&self) -> Option<Result<(), &AuthError>> {
        let stop = self.steps().find(|step| !matches!(step.outcome, Outcome::Passed));
        match stop.map(|step| &step.outcome) {
            None => Some(Ok(())),
            Some(Outcome::Failed(error)) => Some(Err(error)),
            Some(_) => None,
        }
    }
}

impl Step {
    /// Returns the name of the step: `form`, `issuer`, `key`, `signature`, the name of a rule in
    /// [the manual](crate::docs::threats#the-rules-in-their-order), or `checks` for your own checks.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Returns the outcome.
    pub fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    /// Returns what to do about a step that failed.
    pub fn advice(&self) -> Option<&str> {
        self.advice.as_deref()
    }
}

impl Inner {
    fn explain(&self, token: &[u8]) -> Explanation {
        let pools = self.pools.load_full();
        let now = self.clock.now();
        let mut passed = Vec::new();
        let examined =
            self.examine(&pools, token, now, |keys| keys.set_in_memory(now), |it| passed.push(it));
        let end = match examined {
            Ok(Examined::Verified(verified)) => match self.checks.run(&verified) {
                Ok(()) if self.checks.has_async() => {
                    Outcome::Undecided("the asynchronous checks are not run")
                }
                Ok(()) => Outcome::Passed,
                Err(error) => Outcome::Failed(error),
            },
            Ok(Examined::NoKey { pool, .. }) if pool.keys.is_static() => {
                Outcome::Failed(no_key(Miss::Unknown))
            }
            Ok(Examined::NoKey { .. }) => Outcome::Undecided(
                "the key is not in memory; a request would fetch the pool's keys, unless the limit on fetches is reached",
            ),
            Err(error) => Outcome::Failed(error),
        };
        let checks = (self.checks.len() > 0).then_some(CHECKS);
        let names = cold::STEPS.into_iter().chain(rules::names()).chain(checks);
        let mut passed = passed.into_iter();
        let mut end = Some(end);
        let steps = names.map(|name| {
            let outcome = match passed.next() {
                Some(_) => Outcome::Passed,
                None => end.take().unwrap_or(Outcome::NotReached),
            };
            let advice = match &outcome {
                // A check may return an error of any kind.
                Outcome::Failed(_) if name == CHECKS => Some(OWN_CHECK.to_owned()),
                Outcome::Failed(error) => advice(error.kind(), &pools),
                _ => None,
            };
            Step { name, outcome, advice }
        });
        Explanation(steps.collect())
    }
}

/// Returns what to do about an error.
fn advice(kind: AuthErrorKind, pools: &PoolSet) -> Option<String> {
    let advice = match kind {
        AuthErrorKind::MalformedToken => {
            "pass the JWT alone, without `Bearer`, quotes and line breaks; a refresh token is not a JWT of this form"
        }
        AuthErrorKind::UnsupportedAlgorithm => {
            "Cognito signs with RS256; the token is from another issuer, or is not a Cognito token"
        }
        AuthErrorKind::UntrustedIssuer => return Some(issuers(pools)),
        AuthErrorKind::UnknownKey => {
            "the key was withdrawn, or the token is from another pool; get a new token, and check the configured keys"
        }
        AuthErrorKind::BadSignature => {
            "the token was changed, or its key has the `kid` of another one; get a new token"
        }
        AuthErrorKind::InvalidClaim => {
            "Cognito does not write such a claim; check the pre-token-generation trigger"
        }
        AuthErrorKind::Expired => {
            "get a new token with the refresh token; if the token is new, check this machine's clock"
        }
        AuthErrorKind::NotYetValid => {
            "check this machine's clock; `VerifierBuilder::clock_skew` sets the tolerance"
        }
        AuthErrorKind::WrongTokenUse => {
            "send the other kind of token, or accept this one by `Pool::access_tokens` or `Pool::id_tokens`"
        }
        AuthErrorKind::WrongClient => {
            "add the app client to `Pool::access_tokens` or `Pool::id_tokens`, if its tokens are for this service"
        }
        AuthErrorKind::WrongAudience => {
            "compare the `resource` that the client requests with `Pool::resources`; without that setting, no token that \
             is bound to a resource is accepted"
        }
        AuthErrorKind::UnsupportedConfirmation => {
            "Cognito does not write `cnf`; check the pre-token-generation trigger"
        }
        _ => return None,
    };
    Some(advice.to_owned())
}

fn issuers(pools: &PoolSet) -> String {
    let all: Vec<_> = pools.iter().flat_map(|pool| &pool.issuers).collect();
    let (first, others) = all.split_at(all.len().min(MAX_ISSUERS));
    if first.is_empty() {
        return "the verifier has no pool; add one by `Verifier::add_pool`".to_owned();
    }
    let mut text = "compare the token's `iss` with the configured issuers, which are:".to_owned();
    for issuer in first {
        text.push(' ');
        text.push_str(issuer);
    }
    if !others.is_empty() {
        text.push_str(&format!(" and {} more", others.len()));
    }
    text
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.steps().enumerate() {
            if position > 0 {
                f.write_str("\n")?;
            }
            write!(f, "{step}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.name)?;
        match &self.outcome {
            Outcome::Passed => f.write_str("passed"),
            Outcome::Failed(error) => write!(f, "failed ({}): {error}", error.code()),
            Outcome::Undecided(reason) => write!(f, "undecided: {reason}"),
            Outcome::NotReached => f.write_str("not reached"),
        }?;
        match self.advice() {
            Some(advice) => write!(f, "\n  {advice}"),
            None => Ok(()),
        }
    }
}
