//! Settings as somebody wrote them: in a file, where each has a line, or in a request.

use std::{fmt, ops::RangeInclusive};

use serde_json::Value;

/// A value, and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Written {
    pub(crate) place: Place,
    pub(crate) kind: Kind,
}

#[derive(Debug, Clone)]
pub(crate) enum Kind {
    Text(String),
    Number(i64),
    Flag(bool),
    List(Vec<Written>),
    Table(Vec<(String, Written)>),
    /// What no setting is: a date or a fraction.
    Other,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Place {
    /// Counted from 1; 0 in a request.
    pub(crate) line: usize,
    /// In the words of the file: `aws_cognito_user_pool.password_policy`.
    pub(crate) path: String,
}

/// A setting that cannot be, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wrong {
    pub(crate) place: Place,
    pub(crate) reason: Reason,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reason {
    /// It has to be there.
    Missing,
    /// It is to be something else.
    Type(&'static str),
    Word {
        found: String,
        allowed: Vec<&'static str>,
    },
    Range {
        found: i64,
        allowed: RangeInclusive<i64>,
    },
    /// There is no such setting.
    Unknown {
        allowed: Vec<&'static str>,
    },
    /// It goes against a rule, told in a sentence, with the name that the API gives the error.
    Rule {
        exception: &'static str,
        message: String,
    },
}

/// What words mean.
pub(crate) type Words<T> = [(&'static str, T)];

const WHOLE: &str = "a whole number";

impl Written {
    /// Reads a request. Members that are null are absent.
    pub(crate) fn from_request(value: &Value) -> Self {
        Self::from_json(value, Place::default())
    }

    fn from_json(value: &Value, place: Place) -> Self {
        let kind = match value {
            Value::String(text) => Kind::Text(text.clone()),
            Value::Bool(flag) => Kind::Flag(*flag),
            Value::Number(number) => number.as_i64().map_or(Kind::Other, Kind::Number),
            Value::Null => Kind::Other,
            Value::Array(items) => {
                let item = |item| Self::from_json(item, place.clone());
                Kind::List(items.iter().map(item).collect())
            }
            Value::Object(members) => {
                let there = members.iter().filter(|(_, value)| !value.is_null());
                let member = |(name, value): (&String, &Value)| {
                    (name.clone(), Self::from_json(value, place.member(name, 0)))
                };
                Kind::Table(there.map(member).collect())
            }
        };
        Self { place, kind }
    }

    /// For settings that are read otherwise.
    pub(crate) fn to_json(&self) -> Value {
        match &self.kind {
            Kind::Text(text) => Value::from(text.as_str()),
            Kind::Number(number) => Value::from(*number),
            Kind::Flag(flag) => Value::from(*flag),
            Kind::List(items) => items.iter().map(Self::to_json).collect(),
            Kind::Table(members) => {
                members.iter().map(|(name, value)| (name.clone(), value.to_json())).collect()
            }
            Kind::Other => Value::Null,
        }
    }

    /// Blocks of a name: one may be written without the brackets of a list.
    pub(crate) fn one_or_many(&self) -> &[Self] {
        match &self.kind {
            Kind::List(items) => items,
            _ => std::slice::from_ref(self),
        }
    }

    pub(crate) fn wrong(&self, reason: Reason) -> Wrong {
        Wrong { place: self.place.clone(), reason }
    }

    /// It goes against a rule.
    pub(crate) fn breaks(&self, message: impl Into<String>) -> Wrong {
        self.place.breaks(message)
    }

    pub(crate) fn text(&self) -> Result<String, Wrong> {
        match &self.kind {
            Kind::Text(text) => Ok(text.clone()),
            _ => Err(self.wrong(Reason::Type("a text"))),
        }
    }

    /// A text that is not empty, of at most so many signs.
    pub(crate) fn text_up_to(&self, most: usize) -> Result<String, Wrong> {
        let text = self.text()?;
        if text.is_empty() || text.chars().count() > most {
            return Err(self.breaks(format!("it is to have 1 to {most} signs")));
        }
        Ok(text)
    }

    /// A text, or what reads as one: users' attributes are texts whatever their type.
    pub(crate) fn plain(&self) -> Result<String, Wrong> {
        match &self.kind {
            Kind::Number(number) => Ok(number.to_string()),
            Kind::Flag(flag) => Ok(flag.to_string()),
            _ => self.text(),
        }
    }

    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    pub(crate) fn flag(&self) -> Result<bool, Wrong> {
        match self.kind {
            Kind::Flag(flag) => Ok(flag),
            _ => Err(self.wrong(Reason::Type("true or false"))),
        }
    }

    /// A number within limits.
    pub(crate) fn number(&self, allowed: RangeInclusive<i64>) -> Result<i64, Wrong> {
        match self.kind {
            Kind::Number(found) if allowed.contains(&found) => Ok(found),
            Kind::Number(found) => Err(self.wrong(Reason::Range { found, allowed })),
            _ => Err(self.wrong(Reason::Type(WHOLE))),
        }
    }

    /// A number within limits, of another type.
    pub(crate) fn count<N: TryFrom<i64>>(&self, allowed: RangeInclusive<i64>) -> Result<N, Wrong> {
        let found = self.number(allowed.clone())?;
        N::try_from(found).map_err(|_| self.wrong(Reason::Range { found, allowed }))
    }

    pub(crate) fn word<T: Clone>(&self, words: &Words<T>) -> Result<T, Wrong> {
        let allowed = || words.iter().map(|(word, _)| *word).collect();
        match &self.kind {
            Kind::Text(found) => {
                let meant = words.iter().find(|(word, _)| word == found);
                meant.map(|(_, meaning)| meaning.clone()).ok_or_else(|| {
                    self.wrong(Reason::Word { found: found.clone(), allowed: allowed() })
                })
            }
            _ => Err(self.wrong(Reason::Word { found: String::new(), allowed: allowed() })),
        }
    }

    /// A list of which no item comes twice.
    pub(crate) fn words<T: Clone + PartialEq>(&self, words: &Words<T>) -> Result<Vec<T>, Wrong> {
        let mut found = Vec::new();
        for item in self.items()? {
            let word = item.word(words)?;
            if !found.contains(&word) {
                found.push(word);
            }
        }
        Ok(found)
    }

    pub(crate) fn texts(&self) -> Result<Vec<String>, Wrong> {
        self.items()?.iter().map(Self::text).collect()
    }

    /// A number that is written as a text, as the API and Terraform write some.
    pub(crate) fn as_decimal(&self) -> Option<Result<i64, Wrong>> {
        match &self.kind {
            Kind::Text(text) => Some(text.parse().map_err(|_| self.wrong(Reason::Type(WHOLE)))),
            _ => None,
        }
    }

    pub(crate) fn out_of(&self, found: i64, allowed: RangeInclusive<i64>) -> Wrong {
        self.wrong(Reason::Range { found, allowed })
    }

    pub(crate) fn items(&self) -> Result<&[Self], Wrong> {
        match &self.kind {
            Kind::List(items) => Ok(items),
            _ => Err(self.wrong(Reason::Type("a list"))),
        }
    }
}

impl Place {
    pub(crate) fn member(&self, name: &str, line: usize) -> Self {
        let path = match &*self.path {
            "" => name.to_owned(),
            path => format!("{path}.{name}"),
        };
        Self { line, path }
    }

    /// What stands here goes against a rule.
    pub(crate) fn breaks(&self, message: impl Into<String>) -> Wrong {
        self.breaks_as("InvalidParameterException", message)
    }

    /// What stands here goes against a rule for whose breach the API has a name of its own.
    pub(crate) fn breaks_as(&self, exception: &'static str, message: impl Into<String>) -> Wrong {
        let reason = Reason::Rule { exception, message: message.into() };
        Wrong { place: self.clone(), reason }
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place.path)?;
        match &self.reason {
            Reason::Missing => f.write_str("it has to be set"),
            Reason::Type(wanted) => write!(f, "it is to be {wanted}"),
            Reason::Word { found, allowed } => {
                if !found.is_empty() {
                    write!(f, "{found:?} is not what it can be; ")?;
                }
                write!(f, "it is to be one of {}", allowed.join(", "))
            }
            Reason::Range { found, allowed } => {
                write!(f, "{found} is not from {} to {}", allowed.start(), allowed.end())
            }
            Reason::Unknown { allowed } => {
                write!(f, "there is no such setting; there are {}", allowed.join(", "))
            }
            Reason::Rule { message, .. } => f.write_str(message),
        }
    }
}
