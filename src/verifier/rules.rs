use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::{
    claims::{TokenUse, Validity},
    error::{AuthError, AuthErrorKind},
    token::Signed,
    verifier::pool_rules::PoolRules,
};

/// A rule that a signed token must meet.
struct Rule {
    /// The rule's name in [the manual](crate::docs::threats#the-rules-in-their-order).
    name: &'static str,
    check: fn(&Context<'_>) -> Result<(), AuthError>,
}

/// All rules of a signed token, in the order in which they are checked: the first rule that fails determines the error.
const RULES: [Rule; 9] = [
    Rule { name: "dates", check: dates },
    Rule { name: "expiry", check: expiry },
    Rule { name: "not_before", check: not_before },
    Rule { name: "token_use", check: token_use },
    Rule { name: "claims_by_use", check: claims_by_use },
    Rule { name: "client", check: client },
    Rule { name: "resource", check: resource },
    Rule { name: "confirmation", check: confirmation },
    Rule { name: "user", check: user },
];

/// The input of the rules: a signed token, and what it is compared with.
pub(super) struct Context<'a> {
    pub(super) token: &'a Signed<'a>,
    /// The pool whose key signed the token.
    pub(super) pool: &'a PoolRules,
    pub(super) tolerance: Tolerance,
    pub(super) now: SystemTime,
}

/// The accepted differences between clocks.
#[derive(Clone, Copy)]
pub(super) struct Tolerance {
    /// How long a token is accepted after `exp`.
    pub(super) expiry_leeway: Duration,
    /// How far `nbf` and `iat` may be in the future.
    pub(super) clock_skew: Duration,
}

/// Checks all rules, and calls `passed` with the name of each rule that the token meets.
///
/// # Errors
/// The error of the first rule that fails.
pub(super) fn check(
    context: &Context<'_>,
    mut passed: impl FnMut(&'static str),
) -> Result<(), AuthError> {
    RULES.iter().try_for_each(|rule| {
        (rule.check)(context).inspect_err(|error| {
            tracing::trace!(rule = rule.name, code = error.code(), "token rejected by a rule");
        })?;
        passed(rule.name);
        Ok(())
    })
}

/// Returns the names of all rules, in the order in which they are checked.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    RULES.iter().map(|rule| rule.name)
}

impl Context<'_> {
    /// Returns the period in which the token is accepted, with the tolerance applied.
    pub(super) fn validity(&self) -> Result<Validity, AuthError> {
        let start = self.token.not_before()?.max(self.token.issued_at()?).unwrap_or_default();
        let start = Duration::from_secs(start).saturating_sub(self.tolerance.clock_skew);
        let end = Duration::from_secs(self.token.expires_at()?) + self.tolerance.expiry_leeway;
        Ok(Validity { start: UNIX_EPOCH + start, end: UNIX_EPOCH + end })
    }
}

fn dates(context: &Context<'_>) -> Result<(), AuthError> {
    context.token.expires_at()?;
    context.token.not_before()?;
    context.token.issued_at()?;
    Ok(())
}

fn expiry(context: &Context<'_>) -> Result<(), AuthError> {
    context.validity()?.check_end(context.now)
}

fn not_before(context: &Context<'_>) -> Result<(), AuthError> {
    context.validity()?.check_start(context.now)
}

fn token_use(context: &Context<'_>) -> Result<(), AuthError> {
    context.token.token_use().map(drop)
}

fn claims_by_use(context: &Context<'_>) -> Result<(), AuthError> {
    context.token.client_id()?;
    context.token.scope()?;
    context.token.username()?;
    Ok(())
}

fn client(context: &Context<'_>) -> Result<(), AuthError> {
    context.pool.accepts(context.token.token_use()?, context.token.client_id()?)
}

fn resource(context: &Context<'_>) -> Result<(), AuthError> {
    match context.token.token_use()? {
        TokenUse::Access => context.pool.accepts_audience(context.token.audience()?),
        // The `aud` of an ID token is its client.
        TokenUse::Id => Ok(()),
    }
}

/// Rejects a token that is bound to a key (RFC 7800). This crate does not verify that the sender has the key, so a
/// stolen token would be accepted.
fn confirmation(context: &Context<'_>) -> Result<(), AuthError> {
    if !context.token.has_confirmation() {
        return Ok(());
    }
    Err(AuthError::new(
        AuthErrorKind::UnsupportedConfirmation,
        "the token is bound to a key (`cnf`), which is not supported",
    ))
}

fn user(context: &Context<'_>) -> Result<(), AuthError> {
    context.token.subject()?;
    context.token.auth_time()?;
    context.token.groups()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_manual_lists_the_rules_by_name_and_in_order() {
        let manual = include_str!("../docs/threats.md");
        let (_, table) = manual.split_once("\n| rule of a signed token |").unwrap();
        let (table, _) = table.split_once("\n\n").unwrap();
        // The first two lines are the rest of the heading and the line below it.
        let listed: Vec<_> =
            table.lines().skip(2).map(|row| row.split('`').nth(1).unwrap()).collect();
        let names: Vec<_> = RULES.iter().map(|rule| rule.name).collect();
        assert_eq!(listed, names);
    }
}
