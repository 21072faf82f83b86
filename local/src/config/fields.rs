use crate::config::written::{Kind, Place, Reason, Written, Wrong};

/// The settings of one block, which are asked for by name. What nobody asked for is unknown.
#[derive(Debug)]
pub(crate) struct Fields<'a> {
    place: &'a Place,
    members: &'a [(String, Written)],
    known: Vec<&'static str>,
}

impl Written {
    /// A block of settings.
    pub(crate) fn fields(&self) -> Result<Fields<'_>, Wrong> {
        match &self.kind {
            Kind::Table(members) => Ok(Fields { place: &self.place, members, known: Vec::new() }),
            _ => Err(self.wrong(Reason::Type("a table"))),
        }
    }
}

impl<'a> Fields<'a> {
    pub(crate) fn get(&mut self, name: &'static str) -> Option<&'a Written> {
        self.known.push(name);
        self.members.iter().find(|(word, _)| word == name).map(|(_, written)| written)
    }

    /// Reads a setting if it is there.
    pub(crate) fn read<T>(
        &mut self,
        name: &'static str,
        into: &mut T,
        read: impl FnOnce(&'a Written) -> Result<T, Wrong>,
    ) -> Result<(), Wrong> {
        if let Some(written) = self.get(name) {
            *into = read(written)?;
        }
        Ok(())
    }

    /// Reads a setting that has to be there.
    pub(crate) fn required<T>(
        &mut self,
        name: &'static str,
        read: impl FnOnce(&'a Written) -> Result<T, Wrong>,
    ) -> Result<T, Wrong> {
        match self.get(name) {
            Some(written) => read(written),
            None => Err(Wrong {
                place: self.place.member(name, self.place.line),
                reason: Reason::Missing,
            }),
        }
    }

    /// Blocks of a name: one may be written without the brackets of a list.
    pub(crate) fn blocks(&mut self, name: &'static str) -> Result<Vec<Self>, Wrong> {
        match self.get(name) {
            None => Ok(Vec::new()),
            Some(written) => match &written.kind {
                Kind::List(items) => items.iter().map(Written::fields).collect(),
                _ => Ok(vec![written.fields()?]),
            },
        }
    }

    /// The block of a name, of which there is one at most. It may be written as a list too, as Terraform keeps it.
    pub(crate) fn block(&mut self, name: &'static str) -> Result<Option<Self>, Wrong> {
        let mut blocks = self.blocks(name)?;
        match blocks.pop() {
            Some(last) if !blocks.is_empty() => {
                Err(last.place.breaks("there can be one block of this name"))
            }
            block => Ok(block),
        }
    }

    /// Settings that are Cognito's, but have no effect here.
    pub(crate) fn ignore(&mut self, names: &[&'static str], notes: &mut Vec<Place>) {
        for name in names {
            notes.extend(self.get(name).map(|written| written.place.clone()));
        }
    }

    /// The names and values of a block whose names are free.
    pub(crate) fn all(&self) -> &'a [(String, Written)] {
        self.members
    }

    pub(crate) fn place(&self) -> &'a Place {
        self.place
    }

    /// Where a setting stands, or would.
    pub(crate) fn place_of(&self, name: &str) -> Place {
        let member = self.members.iter().find(|(word, _)| word == name);
        member.map_or_else(
            || self.place.member(name, self.place.line),
            |(_, written)| written.place.clone(),
        )
    }

    /// Refuses words in a file that nobody asked for. Requests may have more members than this pool knows.
    pub(crate) fn finish(mut self) -> Result<(), Wrong> {
        let known = &self.known;
        let unknown = self.members.iter().find(|(name, _)| !known.contains(&name.as_str()));
        match unknown {
            Some((_, written)) if written.place.line > 0 => {
                let place = written.place.clone();
                self.known.sort_unstable();
                self.known.dedup();
                Err(Wrong { place, reason: Reason::Unknown { allowed: self.known } })
            }
            _ => Ok(()),
        }
    }
}
