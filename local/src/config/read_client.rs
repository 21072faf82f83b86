//! The settings of an app client, from a file or a request.

use crate::{
    config::{
        fields::Fields,
        read_pool::fields_flag,
        urls,
        written::{Place, Written, Wrong},
    },
    model::settings::{
        AuthFlow, ClientSettings, ExistenceErrors, OAuthFlow, PoolSettings, RefreshTokenRotation,
        Rotation, TimeUnit, TokenValidityUnits,
    },
};

/// By the second name are those that Cognito had first.
const FLOWS: [(&str, &[AuthFlow]); 9] = {
    use AuthFlow::{
        AdminUserPasswordAuth, CustomAuth, RefreshTokenAuth, UserAuth, UserPasswordAuth,
        UserSrpAuth,
    };
    [
        ("ALLOW_ADMIN_USER_PASSWORD_AUTH", &[AdminUserPasswordAuth]),
        ("ALLOW_CUSTOM_AUTH", &[CustomAuth]),
        ("ALLOW_USER_PASSWORD_AUTH", &[UserPasswordAuth]),
        ("ALLOW_USER_SRP_AUTH", &[UserSrpAuth]),
        ("ALLOW_REFRESH_TOKEN_AUTH", &[RefreshTokenAuth]),
        ("ALLOW_USER_AUTH", &[UserAuth]),
        // These had SRP and refresh tokens with them.
        ("ADMIN_NO_SRP_AUTH", &[AdminUserPasswordAuth, UserSrpAuth, RefreshTokenAuth]),
        ("CUSTOM_AUTH_FLOW_ONLY", &[CustomAuth, RefreshTokenAuth]),
        ("USER_PASSWORD_AUTH", &[UserPasswordAuth, UserSrpAuth, RefreshTokenAuth]),
    ]
};

const OAUTH_FLOWS: [(&str, OAuthFlow); 3] = [
    ("code", OAuthFlow::Code),
    ("implicit", OAuthFlow::Implicit),
    ("client_credentials", OAuthFlow::ClientCredentials),
];

const UNITS: [(&str, TimeUnit); 4] = [
    ("seconds", TimeUnit::Seconds),
    ("minutes", TimeUnit::Minutes),
    ("hours", TimeUnit::Hours),
    ("days", TimeUnit::Days),
];

/// The scopes that all pools have.
const SCOPES: [&str; 5] = ["openid", "email", "phone", "profile", "aws.cognito.signin.user.admin"];

const MINUTE: u64 = 60;
const DAY: u64 = 24 * 60 * MINUTE;

/// What a client is read with: the pool that it belongs to.
pub(crate) struct Around<'a> {
    pub(crate) pool: &'a PoolSettings,
    /// Of its resource servers: `orders/read`.
    pub(crate) scopes: Vec<String>,
}

impl ClientSettings {
    /// Reads what is written over what is not.
    pub(crate) fn read(
        mut fields: Fields<'_>,
        base: Self,
        around: &Around<'_>,
        notes: &mut Vec<Place>,
    ) -> Result<Self, Wrong> {
        let mut read = base;
        fields.read("name", &mut read.name, |written| written.text_up_to(128))?;
        fields.read("client_id", &mut read.client_id, |written| {
            let id = written.text_up_to(128)?;
            if !id.chars().all(|sign| sign.is_ascii_alphanumeric() || "_+".contains(sign)) {
                return Err(written.breaks("it is to have letters, digits, _ and + alone"));
            }
            Ok(id)
        })?;
        fields.read("client_secret", &mut read.client_secret, |written| {
            written.text_up_to(64).map(Some)
        })?;
        fields_flag(&mut fields, "generate_secret", &mut read.generate_secret)?;
        fields.read("explicit_auth_flows", &mut read.explicit_auth_flows, |written| {
            let mut flows = Vec::new();
            for flow in written.words(&FLOWS)?.into_iter().flatten() {
                if !flows.contains(flow) {
                    flows.push(*flow);
                }
            }
            Ok(flows)
        })?;
        read.read_validity(&mut fields)?;
        fields.read("auth_session_validity", &mut read.auth_session_validity, |written| {
            written.count(3..=15)
        })?;
        read.read_oauth(&mut fields, around)?;
        read.read_attributes_lists(&mut fields, around.pool)?;
        fields.read(
            "prevent_user_existence_errors",
            &mut read.prevent_user_existence_errors,
            |w| {
                w.word(&[
                    ("ENABLED", ExistenceErrors::Enabled),
                    ("LEGACY", ExistenceErrors::Legacy),
                ])
            },
        )?;
        fields_flag(&mut fields, "enable_token_revocation", &mut read.enable_token_revocation)?;
        if let Some(mut block) = fields.block("refresh_token_rotation")? {
            let feature = block.required("feature", |written| {
                written.word(&[("ENABLED", Rotation::Enabled), ("DISABLED", Rotation::Disabled)])
            })?;
            let mut retry_grace_period_seconds = 0;
            block.read(
                "retry_grace_period_seconds",
                &mut retry_grace_period_seconds,
                |written| written.count(0..=60),
            )?;
            block.finish()?;
            read.refresh_token_rotation =
                Some(RefreshTokenRotation { feature, retry_grace_period_seconds });
        }
        let without_effect = [
            "analytics_configuration",
            "enable_propagate_additional_user_context_data",
            "region",
            "user_pool_id",
        ];
        fields.ignore(&without_effect, notes);
        fields.finish()?;
        Ok(read)
    }

    fn read_validity(&mut self, fields: &mut Fields<'_>) -> Result<(), Wrong> {
        let mut units = [None; 3];
        if let Some(mut block) = fields.block("token_validity_units")? {
            for (name, unit) in
                ["access_token", "id_token", "refresh_token"].into_iter().zip(&mut units)
            {
                block.read(name, unit, |written| written.word(&UNITS).map(Some))?;
            }
            block.finish()?;
        }
        let defaults = TokenValidityUnits::default();
        let [access, id, refresh] = units;
        for (name, count, unit, given, default, range) in [
            (
                "access_token_validity",
                &mut self.access_token_validity,
                &mut self.token_validity_units.access_token,
                access,
                defaults.access_token,
                (5 * MINUTE, DAY, "from 5 minutes to 1 day"),
            ),
            (
                "id_token_validity",
                &mut self.id_token_validity,
                &mut self.token_validity_units.id_token,
                id,
                defaults.id_token,
                (5 * MINUTE, DAY, "from 5 minutes to 1 day"),
            ),
            (
                "refresh_token_validity",
                &mut self.refresh_token_validity,
                &mut self.token_validity_units.refresh_token,
                refresh,
                defaults.refresh_token,
                (60 * MINUTE, 3650 * DAY, "from 60 minutes to 10 years"),
            ),
        ] {
            let Some(written) = fields.get(name) else { continue };
            let number: u64 = written.count(0..=315_360_000)?;
            if number == 0 {
                // Cognito takes none for its default.
                continue;
            }
            let (least, most, words) = range;
            let set = given.unwrap_or(default);
            if !(least..=most).contains(&set.of(number).as_secs()) {
                return Err(written.breaks(format!(
                    "Invalid range for token validity: it is to be {words}, and {number} counts {}",
                    set.word()
                )));
            }
            (*count, *unit) = (number, set);
        }
        for (name, lifetime) in [
            ("access_token_validity", self.access_token_lifetime()),
            ("id_token_validity", self.id_token_lifetime()),
        ] {
            if self.refresh_token_lifetime() < lifetime {
                return Err(fields.place_of("refresh_token_validity").breaks(format!(
                    "refresh tokens are to live as long as the others at least: see {name}"
                )));
            }
        }
        Ok(())
    }

    fn read_oauth(&mut self, fields: &mut Fields<'_>, around: &Around<'_>) -> Result<(), Wrong> {
        fields_flag(
            fields,
            "allowed_oauth_flows_user_pool_client",
            &mut self.allowed_oauth_flows_user_pool_client,
        )?;
        fields.read("allowed_oauth_flows", &mut self.allowed_oauth_flows, |written| {
            written.words(&OAUTH_FLOWS)
        })?;
        fields.read("allowed_oauth_scopes", &mut self.allowed_oauth_scopes, |written| {
            for item in written.items()? {
                let scope = item.text()?;
                let is_there = SCOPES.contains(&scope.as_str()) || around.scopes.contains(&scope);
                if !is_there {
                    let known = around.scopes.iter().map(String::as_str);
                    let known: Vec<_> = SCOPES.into_iter().chain(known).collect();
                    return Err(item.place().breaks_as(
                        "ScopeDoesNotExistException",
                        format!("Scope {scope:?} does not exist: there are {}", known.join(", ")),
                    ));
                }
            }
            written.texts()
        })?;
        fields.read("callback_urls", &mut self.callback_urls, urls::redirects)?;
        fields.read("logout_urls", &mut self.logout_urls, urls::redirects)?;
        let callback_urls = &self.callback_urls;
        fields.read("default_redirect_uri", &mut self.default_redirect_uri, |written| {
            let uri = written.text()?;
            if !callback_urls.contains(&uri) {
                return Err(written.breaks("it is to be one of callback_urls"));
            }
            Ok(Some(uri))
        })?;
        let providers = &mut self.supported_identity_providers;
        fields.read("supported_identity_providers", providers, Written::texts)?;
        self.check_oauth(fields)
    }

    fn check_oauth(&self, fields: &Fields<'_>) -> Result<(), Wrong> {
        let flows = &self.allowed_oauth_flows;
        let breaks = |name: &str, message: &str| {
            Err(fields.place_of(name).breaks_as("InvalidOAuthFlowException", message))
        };
        let is_user = flows.contains(&OAuthFlow::Code) || flows.contains(&OAuthFlow::Implicit);
        let is_machine = flows.contains(&OAuthFlow::ClientCredentials);
        let has_secret = self.generate_secret || self.client_secret.is_some();
        if self.allowed_oauth_flows_user_pool_client
            && (flows.is_empty() || self.allowed_oauth_scopes.is_empty())
        {
            return Err(fields.place_of("allowed_oauth_flows_user_pool_client").breaks(
                "AllowedOAuthFlows and AllowedOAuthScopes are required if user pool client is allowed to use \
                 OAuth flows.",
            ));
        }
        if is_user && is_machine {
            let message = "client_credentials flow can not be selected along with code flow or implicit flow.";
            return breaks("allowed_oauth_flows", message);
        }
        if is_machine && !has_secret {
            let message = "client_credentials flow can not be selected if client does not have a client secret.";
            return breaks("allowed_oauth_flows", message);
        }
        let of_users =
            self.allowed_oauth_scopes.iter().find(|scope| SCOPES.contains(&scope.as_str()));
        if let (true, Some(scope)) = (is_machine, of_users) {
            let message = format!("{scope} is not supported with client_credentials flow.");
            return breaks("allowed_oauth_scopes", &message);
        }
        if is_user && self.allowed_oauth_flows_user_pool_client && self.callback_urls.is_empty() {
            return Err(fields
                .place_of("callback_urls")
                .breaks("callback_urls are required for the flows code and implicit"));
        }
        Ok(())
    }

    fn read_attributes_lists(
        &mut self,
        fields: &mut Fields<'_>,
        pool: &PoolSettings,
    ) -> Result<(), Wrong> {
        let names = pool.attribute_names();
        let read = |kind: &str, written: &Written, but: &[&str]| {
            for item in written.items()? {
                let name = item.text()?;
                if !names.contains(&name) || but.contains(&name.as_str()) {
                    let names: Vec<_> = names
                        .iter()
                        .filter(|name| !but.contains(&name.as_str()))
                        .cloned()
                        .collect();
                    return Err(item.breaks(format!(
                        "Invalid {kind} attributes specified while creating a client: {name:?} is none of {}",
                        names.join(", ")
                    )));
                }
            }
            Ok(Some(written.texts()?))
        };
        fields.read("read_attributes", &mut self.read_attributes, |written| {
            read("read", written, &[])
        })?;
        fields.read("write_attributes", &mut self.write_attributes, |written| {
            read("write", written, &["sub", "email_verified", "phone_number_verified"])
        })
    }
}

impl TimeUnit {
    fn word(self) -> &'static str {
        UNITS.iter().find(|(_, unit)| *unit == self).map_or("", |(word, _)| word)
    }
}
