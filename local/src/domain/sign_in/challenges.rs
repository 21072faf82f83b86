//! Challenges of a sign-in. Each accepts one valid response, before it expires, from the client for which it was
//! created.

use std::sync::Arc;

use crate::{
    crypto::secret::{self, digest_of},
    domain::{
        attributes,
        messages::{self, Draft},
        sign_in::{
            finish::{CompletedSignIn, finish_sign_in},
            outcome::{ChallengeParameters, ChallengeRequest, Outcome},
            steps::{NextStep, factors},
        },
    },
    error::Error,
    model::{
        Challenge, ChallengeKind, Client, Factor, MessageText, User,
        settings::{Contact, PoolSettings},
    },
    pool::Pool,
    store::Data,
    time::milliseconds,
    triggers::{Caller, Metadata, Reason, TokenSource, custom_text},
};

/// Identifies the challenge to which a client responds.
pub(crate) struct ChallengeRef<'a> {
    pub(crate) session: &'a str,
    /// `None` for operations without a client ID and a user name.
    pub(crate) client_and_name: Option<(&'a str, &'a str)>,
    pub(crate) now: u64,
}

/// A challenge that has no response yet.
pub(crate) struct OpenChallenge {
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
    /// The source that is passed to the token trigger if this request completes the sign-in.
    pub(crate) source: TokenSource,
}

/// Issues tokens, or creates the challenge for the user's next step.
pub(crate) async fn continue_sign_in(
    pool: &Pool,
    sign_in: &SignIn<'_>,
    user: &User,
    step: NextStep,
) -> Result<Outcome, Error> {
    let SignIn { client, metadata, source } = *sign_in;
    if step != NextStep::Done {
        return start_challenge(pool, client, user, step).await.map(Outcome::Challenge);
    }
    let completed = CompletedSignIn {
        client,
        user,
        auth_time: pool.now(),
        scopes: None,
        nonce: None,
        resource: None,
        metadata,
        source,
    };
    finish_sign_in(pool, completed).await.map(Outcome::Tokens)
}

/// Creates the challenge for a user's next step.
pub(crate) async fn start_challenge(
    pool: &Pool,
    client: &Client,
    user: &User,
    step: NextStep,
) -> Result<ChallengeRequest, Error> {
    let text = code_text(pool, client, user, step).await?;
    let now = pool.now();
    pool.store
        .write(|data| {
            // The user may have changed while the trigger ran.
            let is_same =
                data.exact_user(&user.username).is_some_and(|now| now.proof() == user.proof());
            if !is_same {
                return Err(Error::unknown_session());
            }
            let (parameters, kind) = create(data, user, step, text, now);
            let session = store_challenge(data, client, user, kind, now);
            let username = user.username.clone();
            Ok(ChallengeRequest { username, session: Some(session), parameters })
        })
        .await?
}

/// A message with a code that is a second factor.
struct CodeText {
    contact: Contact,
    text: MessageText,
}

/// Returns the message of a step that sends a code.
async fn code_text(
    pool: &Pool,
    client: &Client,
    user: &User,
    step: NextStep,
) -> Result<Option<CodeText>, Error> {
    let NextStep::Code(factor) = step else { return Ok(None) };
    let Some(contact) = factor.contact() else { return Ok(None) };
    let caller = Caller::of(client, Metadata::NONE);
    let (context, reason) = (pool.events(), Reason::Authentication);
    let text = messages::sign_in_text(contact);
    let text = custom_text(&context, user, reason, contact, text, caller).await?;
    Ok(Some(CodeText { contact, text }))
}

/// Creates a challenge, and sends its code if it has one.
fn create(
    data: &mut Data,
    user: &User,
    step: NextStep,
    text: Option<CodeText>,
    now: u64,
) -> (ChallengeParameters, ChallengeKind) {
    if let Some(text) = text {
        return send_code(data, user, &text, now);
    }
    let settings = data.settings();
    match step {
        NextStep::NewPassword => {
            let missing = attributes::missing(&settings, |name| user.attribute(name).is_some());
            let (attributes, missing) = (user.attributes.clone(), missing.collect());
            (
                ChallengeParameters::NewPassword { attributes, missing },
                ChallengeKind::NewPasswordRequired,
            )
        }
        NextStep::Code(_) => {
            let device_name = user.software_token.as_ref().and_then(|token| token.name.clone());
            (ChallengeParameters::SoftwareToken { device_name }, ChallengeKind::SoftwareTokenMfa)
        }
        NextStep::SelectFactor => {
            let factors = factors(&settings, user);
            (ChallengeParameters::SelectFactor(factors), ChallengeKind::SelectMfaType)
        }
        NextStep::SetUpFactor | NextStep::Done => {
            let parameters = ChallengeParameters::SetUpFactor(factors_to_set_up(&settings));
            (parameters, ChallengeKind::MfaSetup { verified: false })
        }
    }
}

fn send_code(
    data: &mut Data,
    user: &User,
    CodeText { contact, text }: &CodeText,
    now: u64,
) -> (ChallengeParameters, ChallengeKind) {
    let code = secret::code();
    let draft = Draft {
        contact: *contact,
        subject: text.subject.as_deref(),
        body: &text.body,
        code: Some(&code),
        link: None,
    };
    let delivery = messages::send(data, user, &draft, now);
    let kind = match contact {
        Contact::PhoneNumber => ChallengeKind::SmsMfa { code },
        Contact::Email => ChallengeKind::EmailOtp { code },
    };
    (ChallengeParameters::SentCode(delivery), kind)
}

fn factors_to_set_up(settings: &PoolSettings) -> Vec<Factor> {
    let has_token = settings.software_token_mfa_configuration.enabled;
    has_token.then_some(Factor::SoftwareToken).into_iter().collect()
}

/// Stores a challenge, and returns the `Session` that identifies it in the response.
pub(crate) fn store_challenge(
    data: &mut Data,
    client: &Client,
    user: &User,
    kind: ChallengeKind,
    now: u64,
) -> String {
    store_challenge_of_name(data, client, (&user.username, user.proof()), kind, now)
}

/// Stores a challenge for a user name and the proof of its user, as [`store_challenge`] does. The proof is empty if no
/// user has the name.
pub(crate) fn store_challenge_of_name(
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

/// Returns the time at which a challenge that is created now expires.
pub(crate) fn expiry(client: &Client, now: u64) -> u64 {
    now.saturating_add(milliseconds(client.settings.auth_session_lifetime()))
}

/// Returns the challenge to which a client responds, if it belongs to the client and is still valid.
pub(crate) fn find_challenge(
    data: &Data,
    reference: &ChallengeRef<'_>,
) -> Result<OpenChallenge, Error> {
    let key = digest_of(reference.session);
    let challenge = data.challenges.get(&key).ok_or_else(Error::unknown_session)?;
    let user = data.exact_user(&challenge.username).ok_or_else(Error::unknown_session)?;
    let is_own = reference
        .client_and_name
        .is_none_or(|(client, name)| challenge.client_id == client && is_named(data, user, name));
    let is_valid =
        reference.now < challenge.expires_at && challenge.proof == user.proof() && user.enabled;
    if is_own && is_valid {
        Ok(OpenChallenge { key, challenge: Arc::clone(challenge), user: Arc::clone(user) })
    } else {
        Err(Error::unknown_session())
    }
}

/// Returns whether a name that a client sends is a name of this user.
pub(crate) fn is_named(data: &Data, user: &User, name: &str) -> bool {
    name == user.username || data.find_user(name).is_some_and(|found| found.sub == user.sub)
}

/// Removes expired challenges.
pub(crate) fn prune(data: &mut Data, now: u64) {
    data.challenges.prune(|_, challenge| now < challenge.expires_at);
}
