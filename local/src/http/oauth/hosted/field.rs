use crate::http::html::Escaped;

/// A field that people fill in.
pub(crate) struct Field<'a> {
    name: &'a str,
    label: &'a str,
    /// The input's `type`.
    kind: &'static str,
    /// What a browser may fill in by itself.
    autocomplete: &'static str,
    value: &'a str,
    hint: Option<&'a str>,
}

impl<'a> Field<'a> {
    pub(crate) fn new(
        name: &'a str,
        label: &'a str,
        kind: &'static str,
        autocomplete: &'static str,
    ) -> Self {
        Self { name, label, kind, autocomplete, value: "", hint: None }
    }

    /// A code of six digits.
    pub(crate) fn code() -> Self {
        Self::new("code", "Code", "text", "one-time-code").hint("Six digits")
    }

    pub(crate) fn password() -> Self {
        Self::new("password", "Password", "password", "current-password")
    }

    pub(crate) fn new_password(label: &'a str, hint: &'a str) -> Self {
        Self::new("password", label, "password", "new-password").hint(hint)
    }

    pub(crate) fn value(mut self, value: &'a str) -> Self {
        self.value = value;
        self
    }

    pub(crate) fn hint(mut self, hint: &'a str) -> Self {
        self.hint = Some(hint);
        self
    }

    /// HTML in which all that describes the field is tied to it.
    pub(crate) fn html(&self, is_wrong: bool) -> String {
        let name = Escaped(self.name);
        let hint_id = format!("{}-hint", self.name);
        let described: Vec<_> =
            [is_wrong.then_some("problem"), self.hint.map(|_| hint_id.as_str())]
                .into_iter()
                .flatten()
                .collect();
        let described = described.join(" ");
        let about = if described.is_empty() {
            String::new()
        } else {
            format!(" aria-describedby=\"{}\"", Escaped(&described))
        };
        let wrong = if is_wrong { " aria-invalid=\"true\"" } else { "" };
        let typing = match (self.autocomplete, self.kind) {
            ("one-time-code", _) => " inputmode=\"numeric\" maxlength=\"6\"",
            (_, "text") => " autocapitalize=\"none\" spellcheck=\"false\"",
            _ => "",
        };
        let hint = self.hint.map_or_else(String::new, |hint| {
            format!("<p class=\"hint\" id=\"{}\">{}</p>", Escaped(&hint_id), Escaped(hint))
        });
        format!(
            "<label for=\"{name}\">{}</label>\
             <input id=\"{name}\" name=\"{name}\" type=\"{}\" autocomplete=\"{}\" value=\"{}\" \
             required{typing}{about}{wrong}>{hint}",
            Escaped(self.label),
            self.kind,
            self.autocomplete,
            Escaped(self.value),
        )
    }
}
