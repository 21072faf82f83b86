use std::collections::BTreeMap;

use crate::pool::issue::Tokens;

/// The result of a step of a sign-in.
pub(crate) enum Outcome {
    Tokens(Tokens),
    /// The client has to answer this first.
    Challenge(ChallengeRequest),
}

/// A challenge that a client has to answer.
pub(crate) struct ChallengeRequest {
    /// As the API writes it, for example `SMS_MFA`.
    pub(crate) name: &'static str,
    /// By which the answer is matched. A `PASSWORD_VERIFIER` has a secret block in its parameters instead.
    pub(crate) session: Option<String>,
    pub(crate) parameters: BTreeMap<String, String>,
}
