//! A configuration file as [`Written`] settings.

use toml::{
    Spanned,
    de::{DeTable, DeValue, Error},
};

use crate::config::written::{Kind, Place, Written};

/// Reads TOML.
pub(crate) fn parse(text: &str) -> Result<Written, Error> {
    let table = DeTable::parse(text)?;
    let lines = Lines { text };
    let place = Place { line: 1, path: String::new() };
    Ok(Written { kind: lines.members(table.get_ref(), &place), place })
}

/// The line of a place in a text, counted from 1.
pub(crate) fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|sign| *sign == b'\n').count() + 1
}

struct Lines<'a> {
    text: &'a str,
}

impl Lines<'_> {
    fn written(&self, value: &DeValue<'_>, place: Place) -> Written {
        let kind = match value {
            DeValue::String(text) => Kind::Text(text.clone().into_owned()),
            DeValue::Boolean(flag) => Kind::Flag(*flag),
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
                .map_or(Kind::Other, Kind::Number),
            DeValue::Float(_) | DeValue::Datetime(_) => Kind::Other,
            DeValue::Array(items) => {
                Kind::List(items.iter().map(|item| self.item(item, &place)).collect())
            }
            DeValue::Table(table) => self.members(table, &place),
        };
        Written { place, kind }
    }

    fn members(&self, table: &DeTable<'_>, place: &Place) -> Kind {
        let mut members: Vec<_> = table
            .iter()
            .map(|(name, value)| {
                let line = line_of(self.text, name.span().start);
                let place = place.member(name.get_ref(), line);
                (name.get_ref().to_string(), self.written(value.get_ref(), place))
            })
            .collect();
        // The first fault of a file is the one to tell.
        members.sort_by_key(|(_, written)| written.place.line);
        Kind::Table(members)
    }

    fn item(&self, item: &Spanned<DeValue<'_>>, place: &Place) -> Written {
        let line = line_of(self.text, item.span().start);
        self.written(item.get_ref(), Place { line, path: place.path.clone() })
    }
}
