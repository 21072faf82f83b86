//! Types with secrets do not derive `Debug`.

use std::{fs, path::Path};

use syn::{Attribute, Fields, Item, visit::Visit};

/// Names of fields that contain a secret, a password, a code or the text of a message.
const SECRETS: [&str; 21] = [
    "answer",
    "body",
    "client_secret",
    "code",
    "code_verifier",
    "codes",
    "cookie",
    "key",
    "nonce",
    "password",
    "pkcs8",
    "previous_password",
    "private",
    "proof",
    "proposed_password",
    "refresh_token",
    "secret",
    "session",
    "temporary_password",
    "token",
    "verifier",
];

#[derive(Default)]
struct Leaks {
    file: String,
    found: Vec<String>,
    count: usize,
}

impl Leaks {
    fn check(&mut self, name: &syn::Ident, attributes: &[Attribute], fields: &Fields) {
        self.count += 1;
        if !derives_debug(attributes) {
            return;
        }
        for field in fields {
            let field_name = field.ident.as_ref().map(ToString::to_string).unwrap_or_default();
            if SECRETS.contains(&field_name.as_str()) && has_text(&field.ty) {
                self.found.push(format!("{}: {name}::{field_name}", self.file));
            }
        }
    }
}

impl<'ast> Visit<'ast> for Leaks {
    fn visit_item(&mut self, item: &'ast Item) {
        match item {
            Item::Struct(item) => self.check(&item.ident, &item.attrs, &item.fields),
            Item::Enum(item) => {
                for variant in &item.variants {
                    self.check(&item.ident, &item.attrs, &variant.fields);
                }
            }
            _ => syn::visit::visit_item(self, item),
        }
    }
}

fn derives_debug(attributes: &[Attribute]) -> bool {
    let mut found = false;
    for attribute in attributes.iter().filter(|attribute| attribute.path().is_ident("derive")) {
        attribute
            .parse_nested_meta(|meta| {
                found |= meta.path.is_ident("Debug");
                Ok(())
            })
            .unwrap();
    }
    found
}

/// Returns whether a type has text or bytes that are not part of the program.
fn has_text(kind: &syn::Type) -> bool {
    #[derive(Default)]
    struct Words {
        has_text: bool,
        is_static: bool,
    }
    impl<'ast> Visit<'ast> for Words {
        fn visit_ident(&mut self, name: &'ast syn::Ident) {
            self.has_text |= ["String", "Value", "str", "u8"].iter().any(|text| name == text);
            self.is_static |= name == "static";
        }
    }
    let mut words = Words::default();
    words.visit_type(kind);
    words.has_text && !words.is_static
}

fn visit(folder: &Path, leaks: &mut Leaks) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            visit(&path, leaks);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            leaks.file = path.display().to_string();
            leaks.visit_file(&syn::parse_file(&fs::read_to_string(&path).unwrap()).unwrap());
        }
    }
}

#[test]
fn types_with_secrets_do_not_derive_debug() {
    let mut leaks = Leaks::default();
    visit(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut leaks);
    assert!(leaks.count > 100, "only {} types were read", leaks.count);
    assert!(leaks.found.is_empty(), "{}", leaks.found.join("\n"));
}
