//! Challenges: each is answered once, in time, and by the client that it was made for.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::json;

use crate::{
    crypto::secret::{self, digest_of},
    domain::{
        attributes,
        messages::{self, Draft},
        sign_in::{
            finish::{Entry, sign_in},
            outcome::{ChallengeRequest, Outcome},
            steps::{Factor, NextStep, factors, names_as_json},
        },
    },
    error::Error,
    model::{Challenge, ChallengeKind, Client, MessageText, User, settings::PoolSettings},
    pool::Pool,
    store::Data,
    time::milliseconds,
    triggers::{Caller, Metadata, Reason, TokenSource, custom_text},
};

/// What identifies the challenge that a client answers.
pub(crate) struct Handle<'a> {
    pub(crate) session: &'a str,
    /// `None` for operations that name neither a client nor a user.
    pub(crate) client_and_name: Option<(&'a str, &'a str)>,
    pub(crate) now: u64,
}

/// A challenge that waits for its answer.
pub(crate) struct Open {
    pub(crate) key: String,
    pub(crate) challenge: Arc<Challenge>,
    pub(crate) user: Arc<User>,
}

/// A sign-in through an app client.
#[derive(Clone, Copy)]
pub(crate) struct SignIn<'a> {
    pub(crate) client: &'a Client,
    /// The client's metadata for triggers.
    pub(crate) metadata: &'a Metadata,
    /// The source that the token trigger is given, if this request completes the sign-in.
    pub(crate) source: TokenSource,
}

/// Issues tokens, or asks for what the user has to do first.
pub(crate) async fn go_on(
    pool: &Pool,
    sign_in_by: &SignIn<'_>,
    user: &User,
    step: NextStep,
) -> Result<Outcome, Error> {
    let SignIn { client, metadata, source } = *sign_in_by;
    if step == NextStep::Done {
        let (auth_time, scopes, nonce, resource) = (pool.now(), None, None, None);
        let entry = Entry { client, user, auth_time, scopes, nonce, resource, metadata, source };
        return sign_in(pool, entry).await.map(Outcome::Tokens);
    }
    ask(pool, client, user, step).await.map(Outcome::Challenge)
}

/// Opens the challenge for what a user has to do.
pub(crate) async fn ask(
    pool: &Pool,
    client: &Client,
    user: &User,
    step: NextStep,
) -> Result<ChallengeRequest, Error> {
    let contact = match step {
        NextStep::Code(factor) => factor.contact(),
        _ => None,
    };
    let text = match contact {
        Some(contact) => {
            let caller = Caller { client_id: &client.settings.client_id, metadata: Metadata::NONE };
            let text = messages::sign_in_text(contact);
            Some(
                custom_text(&pool.events(), user, Reason::Authentication, contact, text, caller)
                    .await?,
            )
        }
        None => None,
    };
    let now = pool.now();
    pool.store
        .write(|data| {
            // The user may have changed while the trigger ran.
            let is_same =
                data.exact_user(&user.username).is_some_and(|now| now.proof() == user.proof());
            if is_same {
                Ok(open(data, client, user, step, text, now))
            } else {
                Err(Error::unknown_session())
            }
        })
        .await?
}

fn open(
    data: &mut Data,
    client: &Client,
    user: &User,
    step: NextStep,
    text: Option<MessageText>,
    now: u64,
) -> ChallengeRequest {
    let settings = data.settings();
    let mut parameters = BTreeMap::new();
    let mut set = |name: &str, value: String| drop(parameters.insert(name.to_owned(), value));
    set("USER_ID_FOR_SRP", user.username.clone());
    let (name, kind) = match step {
        NextStep::NewPassword => {
            set("userAttributes", json!(user.attributes).to_string());
            set("requiredAttributes", json!(missing_attributes(&settings, user)).to_string());
            ("NEW_PASSWORD_REQUIRED", ChallengeKind::NewPasswordRequired)
        }
        NextStep::Code(factor) => {
            let kind = match factor.contact() {
                None => {
                    let device = user.software_token.as_ref().and_then(|token| token.name.clone());
                    set("FRIENDLY_DEVICE_NAME", device.unwrap_or_default());
                    ChallengeKind::SoftwareTokenMfa
                }
                Some(contact) => {
                    let code = secret::code();
                    let text = text.unwrap_or_else(|| messages::sign_in_text(contact));
                    let draft = Draft {
                        contact,
                        subject: text.subject.as_deref(),
                        body: &text.body,
                        code: Some(&code),
                    };
                    let delivery = messages::send(data, user, &draft, now);
                    set("CODE_DELIVERY_DELIVERY_MEDIUM", contact.medium().to_owned());
                    set("CODE_DELIVERY_DESTINATION", delivery.destination);
                    match factor {
                        Factor::Sms => ChallengeKind::SmsMfa { code },
                        Factor::Email | Factor::SoftwareToken => ChallengeKind::EmailOtp { code },
                    }
                }
            };
            (factor.name(), kind)
        }
        NextStep::SelectFactor => {
            set("MFAS_CAN_CHOOSE", names_as_json(&factors(&settings, user)));
            ("SELECT_MFA_TYPE", ChallengeKind::SelectMfaType)
        }
        NextStep::SetUpFactor | NextStep::Done => {
            let token = settings.software_token_mfa_configuration.enabled;
            let can: &[Factor] = if token { &[Factor::SoftwareToken] } else { &[] };
            set("MFAS_CAN_SETUP", names_as_json(can));
            ("MFA_SETUP", ChallengeKind::MfaSetup { verified: false })
        }
    };
    let session = open_challenge(data, client, user, kind, now);
    ChallengeRequest { name, session: Some(session), parameters }
}

/// Opens a challenge, and returns the `Session` by which it is answered.
pub(crate) fn open_challenge(
    data: &mut Data,
    client: &Client,
    user: &User,
    kind: ChallengeKind,
    now: u64,
) -> String {
    open_for(data, client, (&user.username, user.proof()), kind, now)
}

/// As [`open_challenge`], for a user name and the user's proof, which is empty if there is no such user.
pub(crate) fn open_for(
    data: &mut Data,
    client: &Client,
    (username, proof): (&str, String),
    kind: ChallengeKind,
    now: u64,
) -> String {
    let session = secret::random_text();
    let challenge = Challenge {
        username: username.to_owned(),
        proof,
        client_id: client.settings.client_id.clone(),
        expires_at: expiry(client, now),
        kind,
    };
    prune(data, now);
    data.challenges.insert(digest_of(&session), challenge);
    session
}

pub(crate) fn expiry(client: &Client, now: u64) -> u64 {
    now.saturating_add(milliseconds(client.settings.auth_session_lifetime()))
}

/// Returns the challenge that a client answers, if it is the client's and still valid.
pub(crate) fn open_step(data: &Data, handle: &Handle<'_>) -> Result<Open, Error> {
    let key = digest_of(handle.session);
    let challenge = data.challenges.get(&key).ok_or_else(Error::unknown_session)?;
    let user = data.exact_user(&challenge.username).ok_or_else(Error::unknown_session)?;
    let is_theirs = handle
        .client_and_name
        .is_none_or(|(client, name)| challenge.client_id == client && is_named(data, user, name));
    let is_valid =
        handle.now < challenge.expires_at && challenge.proof == user.proof() && user.enabled;
    if is_theirs && is_valid {
        Ok(Open { key, challenge: Arc::clone(challenge), user: Arc::clone(user) })
    } else {
        Err(Error::unknown_session())
    }
}

/// Whether a name that a client gives is a name of this user.
pub(crate) fn is_named(data: &Data, user: &User, name: &str) -> bool {
    name == user.username || data.find_user(name).is_some_and(|found| found.sub == user.sub)
}

/// Removes expired challenges.
pub(crate) fn prune(data: &mut Data, now: u64) {
    data.challenges.prune(|_, challenge| now < challenge.expires_at);
}

fn missing_attributes(settings: &PoolSettings, user: &User) -> Vec<String> {
    let missing = attributes::missing(settings, |name| user.attribute(name).is_some());
    missing.map(|name| format!("userAttributes.{name}")).collect()
}
