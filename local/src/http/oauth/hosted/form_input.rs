//! Checks form input against the constraints that the API has for the same values.

use crate::{
    domain::attributes::AttributeInput,
    error::{Error, ErrorKind},
    http::oauth::{hosted::fields::attributes, parameters::Parameters},
    model::Client,
    service_model::check_text,
};

/// Returns the user name of a form.
pub(crate) fn user_name(fields: &Parameters) -> &str {
    fields.raw("username").trim()
}

/// Returns the code of a form. People type or paste codes with spaces.
pub(crate) fn code(fields: &Parameters) -> String {
    fields.raw("code").split_whitespace().collect()
}

/// Checks a user name.
pub(crate) fn check_user_name(name: &str) -> Result<(), Error> {
    check_text("UsernameType", "username", name)
}

/// Checks the password of a new user. An empty password is rejected by the password policy instead.
pub(crate) fn check_sign_up_password(password: &str) -> Result<(), Error> {
    check_text("BlankOrPasswordType", "password", password)
}

/// Checks a new password.
pub(crate) fn check_password(password: &str) -> Result<(), Error> {
    check_text("PasswordType", "password", password)
}

/// Checks a confirmation code.
pub(crate) fn check_code(code: &str) -> Result<(), Error> {
    check_text("ConfirmationCodeType", "confirmationCode", code)
}

/// Checks the user attributes of a form, and returns them.
pub(crate) fn read_attributes(fields: &Parameters) -> Result<Vec<AttributeInput>, Error> {
    attributes(fields)
        .map(|(name, value)| {
            check_text("AttributeNameType", "name", name)?;
            check_text("AttributeValueType", "value", value)?;
            Ok(AttributeInput { name: name.to_owned(), value: value.to_owned() })
        })
        .collect()
}

/// Returns whether the app client hides which users exist and an error would reveal it.
pub(crate) fn must_be_hidden(client: &Client, error: &Error) -> bool {
    client.settings.hides_users()
        && matches!(
            error.kind,
            ErrorKind::NotAuthorized
                | ErrorKind::InvalidParameter
                | ErrorKind::UserNotFound
                // Only unconfirmed users have a code to confirm their account, and only their attempts are counted.
                | ErrorKind::CodeMismatch
                | ErrorKind::ExpiredCode
                | ErrorKind::LimitExceeded
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_break_a_constraint_of_the_api_are_rejected() {
        let accepted = [
            check_user_name("jane"),
            check_sign_up_password(""),
            check_password("Correct-Horse-1"),
            check_code("123456"),
        ];
        assert!(accepted.iter().all(Result::is_ok), "{accepted:?}");
        for (rejected, member) in [
            (check_user_name(""), "username"),
            (check_user_name("jane doe"), "username"),
            (check_user_name(&"j".repeat(129)), "username"),
            (check_sign_up_password("two words"), "password"),
            (check_password("two words"), "password"),
            (check_code(""), "confirmationCode"),
            (check_code("123 456"), "confirmationCode"),
        ] {
            let error = rejected.expect_err(member);
            assert_eq!(error.faulty.first().map(String::as_str), Some(member));
        }
        for (name, value) in
            [("n".repeat(33), String::new()), ("name".to_owned(), "v".repeat(2049))]
        {
            let fields = Parameters::parse(format!("attribute.{name}={value}").as_bytes());
            assert!(read_attributes(&fields).is_err());
        }
    }
}
