//! Sign-up: creates users, confirms them with a code, and sends another code.

use std::sync::Arc;

use crate::{
    domain::{
        attributes::{self, AttributeInput, Writer},
        codes,
        messages::CodeDelivery,
        new_password::new_password,
        simulation,
        user_names::{NewName, check_name_free, new_name},
    },
    error::Error,
    model::{
        Client, CodePurpose, User, UserStatus,
        settings::{Contact, PoolSettings},
    },
    pool::Pool,
    store::Data,
    triggers::{
        Caller, ConfirmationSource, Metadata, ProspectiveUser, Reason, SignUpSource,
        post_confirmation, pre_sign_up,
    },
};

/// The input of a sign-up.
pub(crate) struct NewUser<'a> {
    /// The user name, or a contact in pools that use contacts instead.
    pub(crate) name: &'a str,
    pub(crate) password: Option<&'a str>,
    pub(crate) attributes: Vec<AttributeInput>,
    /// Data for the pre-sign-up trigger only.
    pub(crate) validation: &'a Metadata,
}

/// The result of a sign-up.
pub(crate) struct SignedUp {
    pub(crate) sub: String,
    pub(crate) is_confirmed: bool,
    /// Where the code to confirm the user was sent.
    pub(crate) delivery: Option<CodeDelivery>,
}

/// Signs a user up.
pub(crate) async fn sign_up(
    pool: &Pool,
    client: &Client,
    new: NewUser<'_>,
    metadata: &Metadata,
) -> Result<SignedUp, Error> {
    let caller = Caller::of(client, metadata);
    let settings = pool.store.read(Data::settings);
    if settings.admin_create_user_config.allow_admin_create_user_only {
        return Err(Error::not_authorized("SignUp is not permitted for this user pool"));
    }
    let password = new.password.ok_or_else(|| Error::missing("Password"))?;
    let NewName { username, sub, contact } = new_name(&settings, new.name)?;
    let writer = Writer::User(&client.settings);
    let mut attributes = attributes::check_new(&settings, writer, new.attributes)?;
    if let Some((contact, value)) = contact {
        attributes.insert(contact.attribute().to_owned(), value);
    }
    attributes::check_required(&settings, &attributes)?;
    let now = pool.now();
    let mut user = User::new(username, sub, now);
    attributes::write(&mut user, &attributes);
    pool.store.read(|data| check_free(data, &settings, new.name, &user))?;
    user.password = Some(new_password(pool, &settings, &user, password).await?);
    let prospective = ProspectiveUser {
        username: &user.username,
        attributes: &attributes,
        validation: new.validation,
    };
    let verdict = pre_sign_up(&pool.events(), prospective, SignUpSource::SignUp, caller).await?;
    verdict.apply(&mut user)?;
    let contact = codes::sign_up_contact(&settings, &user).filter(|_| !verdict.confirms());
    let message = match contact {
        Some(contact) => {
            let (purpose, reason) = (CodePurpose::SignUp, Reason::SignUp);
            Some(codes::compose(pool, &user, purpose, contact, reason, caller).await?)
        }
        None => None,
    };
    let delivery = pool
        .store
        .write(|data| {
            check_free(data, &settings, new.name, &user)?;
            let key = data.user_key(&user.username);
            data.users.insert(key, user.clone());
            message.map(|message| codes::send(data, &message, now)).transpose()
        })
        .await??;
    if verdict.confirms() {
        post_confirmation(&pool.events(), &user, ConfirmationSource::SignUp, caller).await?;
    }
    Ok(SignedUp { sub: user.sub, is_confirmed: verdict.confirms(), delivery })
}

/// Confirms a user with the code that was sent. With [`TakesAliases::Yes`], the user's verified contact becomes their
/// alias even if it is already an alias of another user.
pub(crate) async fn confirm(
    pool: &Pool,
    client: &Client,
    name: &str,
    code: &str,
    takes_aliases: TakesAliases,
    metadata: &Metadata,
) -> Result<(), Error> {
    let now = pool.now();
    // The count of wrong codes is saved even though the request fails. All other changes of a failed confirmation are
    // undone.
    pool.store
        .write_always(|data| {
            let user = unconfirmed_user(data, client, name)?;
            codes::check(&mut user.codes, CodePurpose::SignUp, code, now)
        })
        .await??;
    let confirmed =
        pool.store.write(|data| confirm_user(data, client, name, code, takes_aliases, now));
    let user = confirmed.await??;
    let caller = Caller::of(client, metadata);
    post_confirmation(&pool.events(), &user, ConfirmationSource::SignUp, caller).await
}

/// Decides whether a confirmation may take an alias from another user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TakesAliases {
    No,
    Yes,
}

/// Sends another code to confirm a user.
pub(crate) async fn resend_code(
    pool: &Pool,
    client: &Client,
    name: &str,
    metadata: &Metadata,
) -> Result<CodeDelivery, Error> {
    let caller = Caller::of(client, metadata);
    let Some((user, contact)) = pool.store.read(|data| recipient(data, client, name))? else {
        return Ok(pool.store.read(|data| simulation::delivery(pool, data, name)));
    };
    let (purpose, reason) = (CodePurpose::SignUp, Reason::ResendCode);
    let message = codes::compose(pool, &user, purpose, contact, reason, caller).await?;
    let now = pool.now();
    pool.store
        .write(|data| match recipient(data, client, name)? {
            Some((user, contact)) => {
                message.check_recipient(&user, contact)?;
                codes::send(data, &message, now)
            }
            None => Ok(simulation::delivery(pool, data, name)),
        })
        .await?
}

/// Returns the unconfirmed user with this name, and the contact that another code is sent to. If there is no such user
/// and the app client hides which users exist, returns `None`.
fn recipient(
    data: &Data,
    client: &Client,
    name: &str,
) -> Result<Option<(Arc<User>, Contact)>, Error> {
    let user = match data.find_user(name).cloned() {
        Some(user) if user.enabled => user,
        _ if client.settings.hides_users() => return Ok(None),
        Some(_) => return Err(Error::user_disabled()),
        None => return Err(Error::user_not_found()),
    };
    if user.status != UserStatus::Unconfirmed {
        return Err(Error::invalid_parameter("User is already confirmed."));
    }
    let contact = codes::sign_up_contact(&data.settings(), &user).ok_or_else(|| {
        Error::invalid_parameter("Cannot resend codes. Auto verification not turned on.")
    })?;
    Ok(Some((user, contact)))
}

/// Checks that no other user has the name or an alias of a new user.
fn check_free(data: &Data, settings: &PoolSettings, given: &str, user: &User) -> Result<(), Error> {
    check_name_free(data, settings, given, "User already exists")?;
    attributes::alias_clash(data, user)
        .map_or(Ok(()), |clash| Err(Error::user_exists(clash.message)))
}

/// Returns the user with the given name, who must be enabled and unconfirmed. If the client must not learn who exists,
/// the error for a disabled user is the same as for an unknown name.
fn unconfirmed_user<'a>(
    data: &'a mut Data,
    client: &Client,
    name: &str,
) -> Result<&'a mut User, Error> {
    let user = match data.find_user_mut(name) {
        Some(user) if user.enabled => user,
        _ if client.settings.hides_users() => return Err(Error::expired_code()),
        Some(_) => return Err(Error::user_disabled()),
        None => return Err(Error::user_not_found()),
    };
    if user.status != UserStatus::Unconfirmed {
        return Err(Error::cannot_confirm(user.status.as_str()));
    }
    Ok(user)
}

fn confirm_user(
    data: &mut Data,
    client: &Client,
    name: &str,
    code: &str,
    takes_aliases: TakesAliases,
    now: u64,
) -> Result<Arc<User>, Error> {
    let settings = data.settings();
    let user = unconfirmed_user(data, client, name)?;
    let contact = codes::check(&mut user.codes, CodePurpose::SignUp, code, now)?;
    let mut confirmed = user.clone();
    confirmed.codes.remove(&CodePurpose::SignUp);
    confirmed.status = UserStatus::Confirmed;
    confirmed.modified_at = now;
    if let Some(contact) = contact {
        confirmed.attributes.insert(contact.verified_attribute().to_owned(), "true".to_owned());
    }
    if takes_aliases == TakesAliases::Yes && !settings.signs_in_with_contacts() {
        attributes::take_aliases(data, &confirmed)?;
    }
    // The code stays valid, so that the client can try again with `ForceAliasCreation`.
    if let Some(clash) = attributes::alias_clash(data, &confirmed) {
        return Err(clash);
    }
    let key = data.user_key(&confirmed.username);
    let confirmed = Arc::new(confirmed);
    data.users.insert(key, Arc::clone(&confirmed));
    Ok(confirmed)
}
