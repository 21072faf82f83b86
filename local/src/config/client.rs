//! Reads the settings of an app client.

use serde::Deserialize;

use crate::{
    config::{report::Report, setting::Setting},
    model::settings::{ClientContext, ClientSettings, TimeUnit, TokenValidityUnits},
};

/// The resource of an app client.
const BLOCK: &str = "aws_cognito_user_pool_client";

const VALIDITY: [&str; 4] = [
    "access_token_validity",
    "id_token_validity",
    "refresh_token_validity",
    "token_validity_units",
];

/// The lifetimes of tokens. They are read separately, because a number without a unit has Cognito's default unit, not
/// the unit of the settings that are changed.
#[derive(Deserialize)]
struct Validity {
    access_token_validity: Option<u64>,
    id_token_validity: Option<u64>,
    refresh_token_validity: Option<u64>,
    #[serde(default)]
    token_validity_units: Units,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Units {
    access_token: Option<TimeUnit>,
    id_token: Option<TimeUnit>,
    refresh_token: Option<TimeUnit>,
}

/// Reads the settings of an app client. Absent and invalid settings are taken from `base`. Also returns the setting without
/// its invalid members.
pub(crate) fn read_client(
    mut setting: Setting,
    mut base: ClientSettings,
    context: ClientContext<'_>,
    report: &mut Report,
) -> (ClientSettings, Setting) {
    let mut validity = setting.split(&VALIDITY);
    if let Some(lifetimes) = validity.read::<Validity>(BLOCK, report) {
        lifetimes.apply(&mut base);
    }
    setting.add_absent(Setting::from_settings(&base));
    let settings = setting.read(BLOCK, report).unwrap_or(base);
    validity.add_absent(setting);
    report.add_violations(&validity, settings.violations(context));
    (settings, validity)
}

impl Validity {
    fn apply(self, client: &mut ClientSettings) {
        let (units, defaults) = (self.token_validity_units, TokenValidityUnits::default());
        let set = &mut client.token_validity_units;
        for (number, unit, default, into, unit_into) in [
            (
                self.access_token_validity,
                units.access_token,
                defaults.access_token,
                &mut client.access_token_validity,
                &mut set.access_token,
            ),
            (
                self.id_token_validity,
                units.id_token,
                defaults.id_token,
                &mut client.id_token_validity,
                &mut set.id_token,
            ),
            (
                self.refresh_token_validity,
                units.refresh_token,
                defaults.refresh_token,
                &mut client.refresh_token_validity,
                &mut set.refresh_token,
            ),
        ] {
            // Cognito reads 0 as its default.
            if let Some(number) = number.filter(|number| *number != 0) {
                (*into, *unit_into) = (number, unit.unwrap_or(default));
            }
        }
    }
}
