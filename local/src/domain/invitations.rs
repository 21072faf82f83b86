//! Users that administrators create, with an invitation and a temporary password.

use crate::{
    domain::{
        attributes::{self, AttributeInput, Writer},
        find::named_user,
        messages::{self, Draft},
        new_password::set_password,
        sign_up::TakesAliases,
        temporary_password::{TemporaryPassword, temporary_password},
        user_names::{NewName, check_name_free, new_name},
    },
    error::{Error, ErrorKind},
    model::{
        MessageText, PLACE_OF_NAME, User, UserStatus,
        settings::{Contact, PoolSettings},
    },
    pool::Pool,
    store::Data,
    triggers::{Caller, Metadata, ProspectiveUser, Reason, SignUpSource, custom_text, pre_sign_up},
};

const NAME_EXISTS: &str = "User account already exists";

/// The input of an administrator for a user.
pub(crate) struct Invitation {
    pub(crate) name: String,
    pub(crate) attributes: Vec<AttributeInput>,
    /// `None` for a random password.
    pub(crate) temporary_password: Option<String>,
    pub(crate) takes_aliases: TakesAliases,
    pub(crate) message: InvitationMessage,
    /// The media by which the invitation is sent, for example `SMS`. If the list is empty, one medium is chosen.
    pub(crate) mediums: Vec<String>,
    /// Data for the pre-sign-up trigger.
    pub(crate) validation: Metadata,
    pub(crate) metadata: Metadata,
}

/// Decides whether the invitation is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InvitationMessage {
    Send,
    Suppress,
}

/// Creates a user.
pub(crate) async fn create(pool: &Pool, invitation: Invitation) -> Result<User, Error> {
    let settings = pool.store.read(Data::settings);
    let given = &invitation.name;
    let NewName { username, sub, contact } = new_name(&settings, given)?;
    let mut attributes = attributes::check_new(&settings, Writer::Admin, invitation.attributes)?;
    if let Some((contact, value)) = contact {
        attributes.insert(contact.attribute().to_owned(), value);
    }
    let now = pool.now();
    let mut user = User::new(username, sub, now);
    user.status = UserStatus::ForceChangePassword;
    attributes::write(&mut user, &attributes);
    pool.store.read(|data| check_name_free(data, &settings, given, NAME_EXISTS))?;
    let password =
        temporary_password(pool, &settings, &user, invitation.temporary_password).await?;
    user.password = Some(password.stored.clone());
    // The response is ignored: the function can confirm a user and verify contacts only at sign-up.
    let prospective = ProspectiveUser {
        username: &user.username,
        attributes: &attributes,
        validation: &invitation.validation,
    };
    let caller = Caller::administrator(&invitation.metadata);
    pre_sign_up(&pool.events(), prospective, SignUpSource::AdminCreateUser, caller).await?;
    let texts = match invitation.message {
        InvitationMessage::Send => {
            compose(pool, &settings, &user, &invitation.mediums, caller).await?
        }
        InvitationMessage::Suppress => Vec::new(),
    };
    pool.store
        .write(|data| {
            check_name_free(data, &settings, given, NAME_EXISTS)?;
            if invitation.takes_aliases == TakesAliases::Yes {
                attributes::take_aliases(data, &user)?;
            }
            if let Some(clash) = attributes::alias_clash(data, &user) {
                let is_name = settings.signs_in_with_contacts();
                return Err(if is_name { Error::user_exists(clash.message) } else { clash });
            }
            let key = data.user_key(&user.username);
            data.users.insert(key, user.clone());
            send(data, &user, &texts, &password, now);
            Ok(user)
        })
        .await?
}

/// Sends another invitation to a user who has not signed in yet, with a new temporary password.
pub(crate) async fn send_again(pool: &Pool, invitation: Invitation) -> Result<User, Error> {
    let (settings, user) = pool.store.read(|data| {
        let user = named_user(data, &invitation.name)?;
        check_invited(user)?;
        Ok::<_, Error>((data.settings(), user.clone()))
    })?;
    let password =
        temporary_password(pool, &settings, &user, invitation.temporary_password).await?;
    let caller = Caller::administrator(&invitation.metadata);
    let texts = compose(pool, &settings, &user, &invitation.mediums, caller).await?;
    let now = pool.now();
    pool.store
        .write(|data| {
            let present = data.exact_user_mut(&user.username).filter(|found| found.sub == user.sub);
            let present = present.ok_or_else(Error::user_not_found)?;
            check_invited(present)?;
            set_password(present, &settings, password.stored.clone());
            present.modified_at = now;
            let present = present.clone();
            send(data, &present, &texts, &password, now);
            Ok(present)
        })
        .await?
}

fn check_invited(user: &User) -> Result<(), Error> {
    if user.status == UserStatus::ForceChangePassword {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::UnsupportedUserState,
        format!("Resend not possible. {} status is not FORCE_CHANGE_PASSWORD", user.username),
    ))
}

/// Composes invitations for all contacts that the administrator requested and the user has. By default a phone number
/// is preferred to an e-mail address. A user without contacts gets none.
async fn compose(
    pool: &Pool,
    settings: &PoolSettings,
    user: &User,
    wanted: &[String],
    caller: Caller<'_>,
) -> Result<Vec<(Contact, MessageText)>, Error> {
    let has = |contact: &Contact| user.attribute(contact.attribute()).is_some();
    let contacts = [Contact::PhoneNumber, Contact::Email].into_iter().filter(has);
    let contacts: Vec<_> = if wanted.is_empty() {
        contacts.take(1).collect()
    } else {
        contacts.filter(|contact| wanted.iter().any(|medium| medium == contact.medium())).collect()
    };
    let mut texts = Vec::new();
    for contact in contacts {
        let text = messages::invitation(settings, contact);
        let (context, reason) = (pool.events(), Reason::AdminCreateUser);
        let text = custom_text(&context, user, reason, contact, text, caller).await?;
        let body = text.body.replace(PLACE_OF_NAME, sign_in_name(settings, user));
        texts.push((contact, MessageText { body, ..text }));
    }
    Ok(texts)
}

fn send(
    data: &mut Data,
    user: &User,
    texts: &[(Contact, MessageText)],
    password: &TemporaryPassword,
    now: u64,
) {
    for (contact, text) in texts {
        let draft = Draft {
            contact: *contact,
            subject: text.subject.as_deref(),
            body: &text.body,
            code: Some(&password.text),
            link: None,
        };
        messages::send(data, user, &draft, now);
    }
}

/// Returns the name with which the user signs in.
fn sign_in_name<'a>(settings: &PoolSettings, user: &'a User) -> &'a str {
    let contacts = settings.username_attributes.iter();
    contacts
        .filter_map(|contact| user.attribute(contact.attribute()))
        .next()
        .unwrap_or(&user.username)
}
