use std::collections::BTreeMap;

use crate::{domain::messages::CodeDelivery, model::Factor, pool::issue::Tokens};

/// The result of a step of a sign-in.
pub(crate) enum Outcome {
    Tokens(Tokens),
    /// The client has to respond to this challenge first.
    Challenge(ChallengeRequest),
}

/// A challenge to which a client has to respond.
pub(crate) struct ChallengeRequest {
    /// The user name for the response.
    pub(crate) username: String,
    /// Identifies the challenge in the response. `None` for [`ChallengeParameters::PasswordVerifier`], which is
    /// identified by its secret block.
    pub(crate) session: Option<String>,
    pub(crate) parameters: ChallengeParameters,
}

/// What a client needs to respond to a challenge.
pub(crate) enum ChallengeParameters {
    PasswordVerifier {
        /// In hexadecimal, as is `public_number`.
        salt: String,
        public_number: String,
        /// In base64.
        secret_block: String,
    },
    NewPassword {
        attributes: BTreeMap<String, String>,
        /// The required attributes that the user does not have.
        missing: Vec<String>,
    },
    SoftwareToken {
        device_name: Option<String>,
    },
    /// The code of an SMS or an e-mail.
    SentCode(CodeDelivery),
    /// One of several second factors has to be chosen.
    SelectFactor(Vec<Factor>),
    /// One of these factors has to be set up.
    SetUpFactor(Vec<Factor>),
    /// What a trigger function returned for the client.
    Custom(BTreeMap<String, String>),
}
