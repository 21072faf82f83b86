//! Reads the imports of a crate, for tests of its levels.

#![allow(dead_code, reason = "each of two test binaries uses a part")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use proc_macro2::{Spacing, TokenStream, TokenTree};
use syn::{
    Attribute, Item, ItemMod, ItemUse, Lit, Macro, UseTree, Visibility,
    spanned::Spanned,
    visit::{self, Visit},
};

/// The source files of a crate.
pub(crate) struct SourceTree {
    files: Vec<SourceFile>,
}

pub(crate) struct SourceFile {
    /// Its path below the source folder, for example `keys/cache.rs`.
    pub(crate) name: String,
    /// The segments of its module's path from the crate's root; empty for `lib.rs`.
    module: Vec<String>,
    /// The paths that start at `crate`, `self` or `super`, outside test code.
    paths: Vec<NamedPath>,
    /// Names that `use` statements import into the module, each with its absolute path.
    imported: BTreeMap<String, Vec<String>>,
    /// Lines with code outside test modules, without comments and blank lines.
    pub(crate) code_lines: usize,
}

struct NamedPath {
    line: usize,
    /// As it is written in the source, without groups.
    written: String,
    /// Its segments from the crate's root.
    absolute: Vec<String>,
    is_use: bool,
}

/// A file that names another one.
pub(crate) struct Edge<'a> {
    pub(crate) from: &'a SourceFile,
    pub(crate) to: &'a SourceFile,
    line: usize,
    written: &'a str,
}

/// What each top-level module may name, lowest level first.
pub(crate) type Table<'a> = &'a [(&'a str, &'a [&'a str])];

impl SourceFile {
    /// The first segment of the module's path, or `lib` for the crate's root.
    pub(crate) fn top(&self) -> &str {
        self.module.first().map_or("lib", String::as_str)
    }
}

impl SourceTree {
    /// Reads all Rust files of a library below its source folder. Programs in `bin` are crates of their own.
    pub(crate) fn load(folder: &Path) -> Self {
        let mut folders = vec![folder.to_owned()];
        let mut files = Vec::new();
        while let Some(next) = folders.pop() {
            for entry in fs::read_dir(next).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    if path != folder.join("bin") {
                        folders.push(path);
                    }
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
                    files.push((name, fs::read_to_string(&path).unwrap()));
                }
            }
        }
        Self::parse(files)
    }

    /// Parses files that are given by name and text.
    pub(crate) fn parse(files: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut files: Vec<_> =
            files.into_iter().map(|(name, text)| SourceFile::parse(name, &text)).collect();
        files.sort_by(|a, b| a.name.cmp(&b.name));
        Self { files }
    }

    pub(crate) fn files(&self) -> &[SourceFile] {
        &self.files
    }

    /// Returns each pair of files in which the first names the second. Paths in the crate's root are ignored, because
    /// the root only declares and re-exports modules.
    ///
    /// # Errors
    /// A path names an item that no file defines.
    pub(crate) fn edges(&self) -> Result<Vec<Edge<'_>>, String> {
        let mut edges = Vec::new();
        let mut unresolved = Vec::new();
        for from in self.files.iter().filter(|file| !file.module.is_empty()) {
            for path in &from.paths {
                match self.resolve(&path.absolute) {
                    Some(to) if to.name == from.name => {}
                    Some(to) => {
                        edges.push(Edge { from, to, line: path.line, written: &path.written });
                    }
                    None => unresolved.push(format!(
                        "{}:{}: `{}` leads to no file",
                        from.name, path.line, path.written
                    )),
                }
            }
        }
        if unresolved.is_empty() { Ok(edges) } else { Err(unresolved.join("\n")) }
    }

    /// Returns all violations of the levels: imports that the table does not allow, entries of the table that no code
    /// needs, modules that the table lacks, relative imports, and cycles between files.
    pub(crate) fn violations(&self, table: Table<'_>) -> Vec<String> {
        let mut violations = self.relative_imports();
        let edges = match self.edges() {
            Ok(edges) => edges,
            Err(unresolved) => {
                violations.push(unresolved);
                return violations;
            }
        };
        let allowed: BTreeMap<_, _> = table.iter().copied().collect();
        for (index, (module, names)) in table.iter().enumerate() {
            for name in *names {
                if !table[..index].iter().any(|(below, _)| below == name) {
                    violations.push(format!(
                        "the table lets `{module}` name `{name}`, which is not below it"
                    ));
                }
            }
        }
        let mut needed = BTreeSet::new();
        for edge in &edges {
            let (from, to) = (edge.from.top(), edge.to.top());
            match allowed.get(from) {
                _ if from == to => {}
                None => violations.push(format!("{}: the table lacks `{from}`", edge.from.name)),
                Some(names) if names.contains(&to) => drop(needed.insert((from, to))),
                Some(_) => violations.push(format!("{edge}: `{from}` must not name `{to}`")),
            }
        }
        for (module, names) in table {
            for name in names.iter().filter(|name| !needed.contains(&(*module, **name))) {
                violations.push(format!(
                    "no code of `{module}` names `{name}`: remove it from the table"
                ));
            }
        }
        violations.extend(cycles(&edges));
        violations
    }

    /// Imports are absolute, except from a module's own children.
    fn relative_imports(&self) -> Vec<String> {
        let paths =
            self.files.iter().flat_map(|file| file.paths.iter().map(move |path| (file, path)));
        let relative = paths.filter(|(_, path)| path.is_use && path.written.contains("super"));
        relative
            .map(|(file, path)| {
                format!("{}:{}: `use {}` is not absolute", file.name, path.line, path.written)
            })
            .collect()
    }

    /// Returns the file that defines the item of a path. Imported names are followed to their definition.
    fn resolve(&self, absolute: &[String]) -> Option<&SourceFile> {
        let mut path = absolute.to_vec();
        for _ in 0..16 {
            let file = self
                .files
                .iter()
                .filter(|file| path.starts_with(&file.module))
                .max_by_key(|file| file.module.len())?;
            let rest = &path[file.module.len()..];
            match rest.first().and_then(|name| file.imported.get(name)) {
                Some(target) if *target != path => {
                    path = target.iter().chain(&rest[1..]).cloned().collect();
                }
                // An item of the crate's root has to be a re-export.
                _ if file.module.is_empty() => return None,
                _ => return Some(file),
            }
        }
        None
    }
}

impl std::fmt::Display for Edge<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{} names `{}` of {}", self.from.name, self.line, self.written, self.to.name)
    }
}

/// Describes one cycle for each group of files that name each other, directly or through other files.
fn cycles(edges: &[Edge<'_>]) -> Vec<String> {
    let mut names: BTreeMap<&str, BTreeMap<&str, &Edge<'_>>> = BTreeMap::new();
    for edge in edges {
        names.entry(&edge.from.name).or_default().entry(&edge.to.name).or_insert(edge);
    }
    let mut cycles = Vec::new();
    let mut seen = BTreeSet::new();
    for start in names.keys().copied() {
        if seen.contains(start) {
            continue;
        }
        if let Some(cycle) = shortest_cycle(&names, start) {
            seen.extend(cycle.iter().map(|edge| edge.from.name.as_str()));
            let steps: Vec<_> = cycle.iter().map(ToString::to_string).collect();
            cycles.push(format!("a cycle of {} files:\n  {}", steps.len(), steps.join("\n  ")));
        }
    }
    cycles
}

/// Returns the shortest cycle through a file, by breadth-first search.
fn shortest_cycle<'e, 'a>(
    names: &BTreeMap<&'a str, BTreeMap<&'a str, &'e Edge<'a>>>,
    start: &str,
) -> Option<Vec<&'e Edge<'a>>> {
    let mut reached: BTreeMap<&str, &Edge<'_>> = BTreeMap::new();
    let mut queue = std::collections::VecDeque::from([start]);
    while let Some(file) = queue.pop_front() {
        for (to, edge) in names.get(file).into_iter().flatten() {
            if reached.contains_key(to) {
                continue;
            }
            reached.insert(to, edge);
            if *to == start {
                let mut way = vec![*edge];
                while way.last()?.from.name != start {
                    way.push(reached.get(way.last()?.from.name.as_str())?);
                }
                way.reverse();
                return Some(way);
            }
            queue.push_back(to);
        }
    }
    None
}

impl SourceFile {
    fn parse(name: String, text: &str) -> Self {
        let syntax = syn::parse_file(text).unwrap_or_else(|error| panic!("{name}: {error}"));
        let mut module: Vec<_> =
            name.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
        module.pop_if(|last| last == "mod");
        if module == ["lib"] {
            module.clear();
        }
        let mut reader = Reader {
            file_module: module.clone(),
            module: module.clone(),
            paths: Vec::new(),
            imported: BTreeMap::new(),
            test_lines: BTreeSet::new(),
        };
        reader.visit_file(&syntax);
        let code_lines = text
            .lines()
            .enumerate()
            .filter(|(index, line)| {
                let line = line.trim();
                !line.is_empty()
                    && !line.starts_with("//")
                    && !reader.test_lines.contains(&(index + 1))
            })
            .count();
        Self { name, module, paths: reader.paths, imported: reader.imported, code_lines }
    }
}

/// Collects the paths of a file. Conditional compilation is not evaluated, but test code is left out.
struct Reader {
    file_module: Vec<String>,
    /// The current module, which may be an inline one.
    module: Vec<String>,
    paths: Vec<NamedPath>,
    imported: BTreeMap<String, Vec<String>>,
    test_lines: BTreeSet<usize>,
}

impl Reader {
    fn add(&mut self, segments: &[String], line: usize, is_use: bool) -> Option<Vec<String>> {
        let mut absolute = self.module.clone();
        match segments.first().map(String::as_str) {
            Some("crate" | "self" | "super") if segments.len() > 1 => {}
            _ => return None,
        }
        for segment in segments {
            match segment.as_str() {
                "crate" => absolute.clear(),
                "self" => {}
                "super" => drop(absolute.pop().expect("`super` of the crate's root")),
                name => absolute.push(name.to_owned()),
            }
        }
        let written = segments.join("::");
        self.paths.push(NamedPath { line, written, absolute: absolute.clone(), is_use });
        Some(absolute)
    }

    fn use_tree(&mut self, before: &[String], tree: &UseTree) {
        let line = tree.span().start().line;
        let with = |name: String| before.iter().cloned().chain([name]).collect::<Vec<_>>();
        let (segments, name) = match tree {
            UseTree::Path(path) => {
                return self.use_tree(&with(path.ident.to_string()), &path.tree);
            }
            UseTree::Group(group) => {
                return group.items.iter().for_each(|tree| self.use_tree(before, tree));
            }
            UseTree::Name(name) if name.ident == "self" => {
                (before.to_vec(), before.last().cloned().unwrap_or_default())
            }
            UseTree::Name(name) => (with(name.ident.to_string()), name.ident.to_string()),
            UseTree::Rename(rename) => (with(rename.ident.to_string()), rename.rename.to_string()),
            UseTree::Glob(_) => (with("*".to_owned()), "*".to_owned()),
        };
        if let Some(absolute) = self.add(&segments, line, true)
            && self.module == self.file_module
        {
            self.imported.insert(name, absolute);
        }
    }

    fn tokens(&mut self, tokens: TokenStream) {
        let tokens: Vec<_> = tokens.into_iter().collect();
        let mut index = 0;
        while let Some(token) = tokens.get(index) {
            index += 1;
            match token {
                TokenTree::Group(group) => self.tokens(group.stream()),
                TokenTree::Ident(first) if *first == "crate" || *first == "super" => {
                    let mut segments = vec![first.to_string()];
                    while let [
                        TokenTree::Punct(colon),
                        TokenTree::Punct(_),
                        TokenTree::Ident(name),
                        ..,
                    ] = &tokens[index..]
                        && colon.as_char() == ':'
                        && colon.spacing() == Spacing::Joint
                    {
                        segments.push(name.to_string());
                        index += 3;
                    }
                    self.add(&segments, first.span().start().line, false);
                }
                _ => {}
            }
        }
    }
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item(&mut self, item: &'ast Item) {
        let attributes = match item {
            Item::Mod(module) => &module.attrs[..],
            Item::Fn(function) => &function.attrs,
            Item::Use(import) => &import.attrs,
            Item::Impl(block) => &block.attrs,
            _ => &[],
        };
        if attributes.iter().any(is_test_only) {
            let span = item.span();
            self.test_lines.extend(span.start().line..=span.end().line);
            return;
        }
        visit::visit_item(self, item);
    }

    fn visit_item_mod(&mut self, module: &'ast ItemMod) {
        if module.content.is_some() {
            self.module.push(module.ident.to_string());
            visit::visit_item_mod(self, module);
            self.module.pop();
        }
    }

    fn visit_item_use(&mut self, import: &'ast ItemUse) {
        if import.leading_colon.is_none() {
            self.use_tree(&[], &import.tree);
        }
    }

    /// A visibility is not a dependency.
    fn visit_visibility(&mut self, _: &'ast Visibility) {}

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<_> = path.segments.iter().map(|it| it.ident.to_string()).collect();
        self.add(&segments, path.span().start().line, false);
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, mac: &'ast Macro) {
        self.tokens(mac.tokens.clone());
        visit::visit_macro(self, mac);
    }

    /// Some attributes, such as those of serde, name functions in string literals.
    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if let syn::Meta::List(list) = &attribute.meta {
            for token in list.tokens.clone() {
                if let TokenTree::Literal(literal) = token
                    && let Lit::Str(text) = Lit::new(literal)
                {
                    let segments: Vec<_> = text.value().split("::").map(str::to_owned).collect();
                    self.add(&segments, attribute.span().start().line, false);
                }
            }
        }
    }
}

/// Returns whether an attribute is `#[cfg(test)]`, or another `cfg` that requires `test`.
fn is_test_only(attribute: &Attribute) -> bool {
    let syn::Meta::List(list) = &attribute.meta else { return false };
    list.path.is_ident("cfg") && contains_test(list.tokens.clone())
}

fn contains_test(tokens: TokenStream) -> bool {
    let tokens: Vec<_> = tokens.into_iter().collect();
    // Code with `not(test)` is not test code.
    let negated = |index: usize| {
        index > 0 && matches!(&tokens[index - 1], TokenTree::Ident(word) if *word == "not")
    };
    tokens.iter().enumerate().any(|(index, token)| match token {
        TokenTree::Ident(word) => *word == "test",
        TokenTree::Group(group) => !negated(index) && contains_test(group.stream()),
        _ => false,
    })
}
