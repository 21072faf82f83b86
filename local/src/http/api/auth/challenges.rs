//! Steps of a sign-in that wait for the client: each is answered once, in time, and by its own client.

use serde_json::{Map, Value, json};

use crate::{
    crypto::secret,
    error::ApiError,
    http::api::{
        Answer, attributes,
        auth::{
            finish::{Entry, sign_in},
            password::proof,
            steps::{NextStep, factors},
        },
    },
    messages::{self, Draft, Text},
    model::{
        Challenge, ChallengeKind, Client, User,
        settings::{Contact, PoolSettings},
    },
    pool::{
        Shared,
        issue::{digest_of, milliseconds},
    },
    store::Data,
    triggers::{Caller, Metadata, Reason, TokenSource, custom_text},
};

/// What a caller shows to answer a step.
pub(crate) struct Handle<'a> {
    pub(crate) session: &'a str,
    /// Nothing where an operation does not say for whom it is.
    pub(crate) client_and_name: Option<(&'a str, &'a str)>,
    pub(crate) now: u64,
}

/// A step that was found, with its key.
pub(crate) struct Open {
    pub(crate) key: String,
    pub(crate) challenge: Challenge,
    pub(crate) user: User,
}

/// A step that a client is asked to take.
pub(crate) struct Asked {
    pub(crate) challenge: &'static str,
    pub(crate) session: String,
    pub(crate) parameters: Map<String, Value>,
}

/// A client's turn in a sign-in.
#[derive(Clone, Copy)]
pub(crate) struct Turn<'a> {
    pub(crate) client: &'a Client,
    /// What the client says to triggers.
    pub(crate) metadata: &'a Metadata,
    /// What tokens would be made for, if this turn were the last.
    pub(crate) source: TokenSource,
}

/// Makes the tokens, or asks for what has to come before them.
pub(crate) async fn go_on(pool: &Shared, turn: &Turn<'_>, user: &User, step: NextStep) -> Answer {
    let Turn { client, metadata, source } = *turn;
    if step == NextStep::Done {
        let (auth_time, scopes, nonce, resource) = (pool.now(), None, None, None);
        let entry = Entry { client, user, auth_time, scopes, nonce, resource, metadata, source };
        let result = sign_in(pool, entry).await?;
        return Ok(json!({ "AuthenticationResult": result, "ChallengeParameters": {} }));
    }
    let Asked { challenge, session, parameters } = ask(pool, client, user, step).await?;
    Ok(json!({ "ChallengeName": challenge, "Session": session, "ChallengeParameters": parameters }))
}

/// Asks a client for the step that its user has to take.
pub(crate) async fn ask(
    pool: &Shared,
    client: &Client,
    user: &User,
    step: NextStep,
) -> Result<Asked, ApiError> {
    let text = match contact_of(step) {
        Some(contact) => {
            let caller = Caller { client_id: &client.settings.client_id, metadata: Metadata::NONE };
            let text = messages::sign_in_text(contact);
            Some(custom_text(pool, user, Reason::Authentication, contact, text, caller).await?)
        }
        None => None,
    };
    let now = pool.now();
    pool.store
        .write(|data| {
            // Who a trigger took time over may be gone by now.
            let stands =
                data.exact_user(&user.username).is_some_and(|now| proof(now) == proof(user));
            if stands {
                Ok(open(data, client, user, step, text, now))
            } else {
                Err(session_is_over())
            }
        })
        .await?
}

/// Where a step's code goes, if it has one.
fn contact_of(step: NextStep) -> Option<Contact> {
    match step {
        NextStep::SmsCode => Some(Contact::PhoneNumber),
        NextStep::EmailCode => Some(Contact::Email),
        _ => None,
    }
}

fn open(
    data: &mut Data,
    client: &Client,
    user: &User,
    step: NextStep,
    text: Option<Text>,
    now: u64,
) -> Asked {
    let settings = data.settings();
    let mut parameters = Map::new();
    let mut set = |name: &str, value: String| drop(parameters.insert(name.into(), json!(value)));
    set("USER_ID_FOR_SRP", user.username.clone());
    let (challenge, kind) = match step {
        NextStep::NewPassword => {
            set("userAttributes", json!(user.attributes).to_string());
            set("requiredAttributes", json!(missing_attributes(&settings, user)).to_string());
            ("NEW_PASSWORD_REQUIRED", ChallengeKind::NewPasswordRequired)
        }
        NextStep::SoftwareToken => {
            let device = user.software_token.as_ref().and_then(|token| token.name.clone());
            set("FRIENDLY_DEVICE_NAME", device.unwrap_or_default());
            ("SOFTWARE_TOKEN_MFA", ChallengeKind::SoftwareTokenMfa)
        }
        NextStep::SmsCode | NextStep::EmailCode => {
            let code = secret::code();
            let contact = contact_of(step).unwrap_or(Contact::Email);
            let text = text.unwrap_or_else(|| messages::sign_in_text(contact));
            let draft = Draft {
                contact,
                subject: text.subject.as_deref(),
                body: &text.body,
                code: Some(&code),
            };
            let delivery = messages::send(data, user, &draft, now);
            let told =
                |member: &str| delivery.get(member).and_then(Value::as_str).map(str::to_owned);
            set("CODE_DELIVERY_DELIVERY_MEDIUM", told("DeliveryMedium").unwrap_or_default());
            set("CODE_DELIVERY_DESTINATION", told("Destination").unwrap_or_default());
            match contact {
                Contact::PhoneNumber => ("SMS_MFA", ChallengeKind::SmsMfa { code }),
                Contact::Email => ("EMAIL_OTP", ChallengeKind::EmailOtp { code }),
            }
        }
        NextStep::SelectMfaType => {
            set("MFAS_CAN_CHOOSE", json!(factors(&settings, user)).to_string());
            ("SELECT_MFA_TYPE", ChallengeKind::SelectMfaType)
        }
        NextStep::MfaSetup | NextStep::Done => {
            let token = settings.software_token_mfa_configuration.enabled;
            let can: &[&str] = if token { &["SOFTWARE_TOKEN_MFA"] } else { &[] };
            set("MFAS_CAN_SETUP", json!(can).to_string());
            ("MFA_SETUP", ChallengeKind::MfaSetup { verified: false })
        }
    };
    let session = open_challenge(data, client, user, kind, now);
    Asked { challenge, session, parameters }
}

/// Begins a step, and gives the `Session` by which it is answered.
pub(crate) fn open_challenge(
    data: &mut Data,
    client: &Client,
    user: &User,
    kind: ChallengeKind,
    now: u64,
) -> String {
    open_for(data, client, (&user.username, proof(user)), kind, now)
}

/// As [`open_challenge`], for a name and what its user has to prove still: nothing, if there is no such user.
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

/// The step that a caller answers, if it is theirs and still stands.
pub(crate) fn open_step(data: &Data, handle: &Handle<'_>) -> Result<Open, ApiError> {
    let key = digest_of(handle.session);
    let challenge = data.challenges.get(&key).ok_or_else(session_is_over)?;
    let user = data.exact_user(&challenge.username).ok_or_else(session_is_over)?;
    let is_theirs = handle
        .client_and_name
        .is_none_or(|(client, name)| challenge.client_id == client && is_named(data, user, name));
    let stands =
        handle.now < challenge.expires_at && challenge.proof == proof(user) && user.enabled;
    if is_theirs && stands {
        Ok(Open { key, challenge: challenge.clone(), user: user.clone() })
    } else {
        Err(session_is_over())
    }
}

/// Whether a caller's name for a user means this one.
pub(crate) fn is_named(data: &Data, user: &User, name: &str) -> bool {
    name == user.username || data.find_user(name).is_some_and(|found| found.sub == user.sub)
}

/// Forgets steps that nobody answered in time.
pub(crate) fn prune(data: &mut Data, now: u64) {
    data.challenges.prune(|_, challenge| now < challenge.expires_at);
}

pub(crate) fn session_is_over() -> ApiError {
    ApiError::not_authorized("Invalid session for the user, session is expired.")
}

fn missing_attributes(settings: &PoolSettings, user: &User) -> Vec<String> {
    let missing = attributes::missing(settings, |name| user.attribute(name).is_some());
    missing.map(|name| format!("userAttributes.{name}")).collect()
}
