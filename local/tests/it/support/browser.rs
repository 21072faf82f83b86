//! A browser without scripts: it keeps cookies, follows redirects, and submits forms.

use std::{collections::BTreeMap, net::SocketAddr, sync::LazyLock};

use http::{HeaderMap, StatusCode};
use reqwest::{Url, redirect::Policy};
use tower_cognito_local::UserPool;

/// A page that the browser received.
#[derive(Debug)]
pub(crate) struct Page {
    pub(crate) url: Url,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

/// A form on a page.
#[derive(Debug, Clone)]
pub(crate) struct WebForm {
    pub(crate) action: Url,
    pub(crate) fields: Vec<(String, String)>,
}

/// A browser. As in real browsers, cookies of a host are sent to all its ports and to no other host.
pub(crate) struct Browser {
    pub(crate) cookies: BTreeMap<String, String>,
    /// The host that set each cookie. A cookie that a test inserted is sent to all hosts.
    hosts: BTreeMap<String, String>,
    /// Overrides the `Origin` header that the browser would send.
    pub(crate) origin: Option<&'static str>,
    pub(crate) fetch_site: &'static str,
    /// The host name that the browser resolves to this machine.
    host: String,
    client: reqwest::Client,
}

const LOOPBACK: &str = "127.0.0.1";

impl Browser {
    pub(crate) fn new() -> Self {
        Self::with(LOOPBACK.to_owned(), client().clone())
    }

    /// A browser that resolves `host` to `address`.
    pub(crate) fn at(host: &str, address: SocketAddr) -> Self {
        let client = reqwest::Client::builder().redirect(Policy::none()).no_proxy();
        let client = client.resolve(host, address).pool_max_idle_per_host(0).build().unwrap();
        Self::with(host.to_owned(), client)
    }

    /// A browser that sends its requests with a client, which follows no redirects.
    pub(crate) fn with_client(host: &str, client: reqwest::Client) -> Self {
        Self::with(host.to_owned(), client)
    }

    fn with(host: String, client: reqwest::Client) -> Self {
        let (cookies, hosts) = (BTreeMap::new(), BTreeMap::new());
        Self { cookies, hosts, origin: None, fetch_site: "same-origin", host, client }
    }

    pub(crate) fn client(&self) -> &reqwest::Client {
        &self.client
    }

    /// Opens an address and follows redirects on this machine.
    pub(crate) async fn open(&mut self, address: impl AsRef<str>) -> Page {
        let url = Url::parse(address.as_ref()).unwrap();
        let request = self.client.get(url.clone());
        let page = self.send(url, request).await;
        self.follow(page).await
    }

    /// Opens an address without following redirects.
    pub(crate) async fn open_once(&mut self, address: impl AsRef<str>) -> Page {
        let url = Url::parse(address.as_ref()).unwrap();
        let request = self.client.get(url.clone());
        self.send(url, request).await
    }

    /// Fills in the form whose action is `path`, and submits it.
    pub(crate) async fn submit(&mut self, page: &Page, path: &str, typed: &[(&str, &str)]) -> Page {
        let mut form = page.form(path);
        for (name, value) in typed {
            let field = form.fields.iter_mut().find(|(known, _)| known == name);
            field.unwrap_or_else(|| panic!("the form has no field {name}")).1 = (*value).to_owned();
        }
        let page = self.post(&form).await;
        self.follow(page).await
    }

    /// Submits a form without changes.
    pub(crate) async fn post(&mut self, form: &WebForm) -> Page {
        let origin = form.action.origin().ascii_serialization();
        let request = self
            .client
            .post(form.action.clone())
            .header("content-type", "application/x-www-form-urlencoded")
            .header("origin", self.origin.unwrap_or(&origin))
            .header("sec-fetch-site", self.fetch_site)
            .body(encoded(&form.fields));
        self.send(form.action.clone(), request).await
    }

    /// Follows redirects on this machine.
    pub(crate) async fn follow(&mut self, mut page: Page) -> Page {
        for _ in 0..10 {
            let Some(target) = page.location() else { return page };
            let host = target.host_str().unwrap_or_default();
            let is_here = host == self.host || (self.host == LOOPBACK && host == "localhost");
            if !is_here {
                // Other hosts do not exist: only the address is of interest.
                return Page { url: target, ..page };
            }
            let request = self.client.get(target.clone());
            page = self.send(target, request).await;
        }
        panic!("redirect loop: {}", page.url);
    }

    async fn send(&mut self, url: Url, request: reqwest::RequestBuilder) -> Page {
        let host = url.host_str().unwrap().to_owned();
        let cookies: Vec<_> = self
            .cookies
            .iter()
            .filter(|(name, _)| self.hosts.get(*name).is_none_or(|known| *known == host))
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let request =
            if cookies.is_empty() { request } else { request.header("cookie", cookies.join("; ")) };
        let response = request.send().await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        for line in headers.get_all("set-cookie") {
            let pair = line.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
                self.hosts.insert(name.to_owned(), host.clone());
            }
        }
        Page { url, status, headers, body: response.text().await.unwrap() }
    }
}

impl Page {
    pub(crate) fn location(&self) -> Option<Url> {
        let location = self.headers.get("location")?.to_str().unwrap();
        Some(self.url.join(location).unwrap())
    }

    /// Returns a parameter of the address, from the query or the fragment.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        let mut in_query = self.url.clone();
        if let Some(fragment) = self.url.fragment() {
            in_query.set_query(Some(fragment));
        }
        let found = in_query.query_pairs().find(|(known, _)| known == name);
        found.map(|(_, value)| value.into_owned())
    }

    pub(crate) fn title(&self) -> String {
        unescaped(between(&self.body, "<title>", "</title>").unwrap_or_default())
    }

    /// Returns the error that the page shows.
    pub(crate) fn problem(&self) -> Option<String> {
        let element = between(&self.body, "id=\"problem\"", "</div>")?;
        Some(unescaped(between(element, "<p>", "</p>")?))
    }

    /// Returns whether the page has a form whose action is `path`.
    pub(crate) fn has_form(&self, path: &str) -> bool {
        self.body.contains(&format!("action=\"{path}?"))
    }

    /// Returns the success notice that the page shows.
    pub(crate) fn notice(&self) -> Option<String> {
        let element = between(&self.body, "class=\"notice\"", "</div>")?;
        Some(unescaped(between(element, "<p>", "</p>")?))
    }

    /// Returns the text of the element with an ID.
    pub(crate) fn element(&self, id: &str) -> Option<String> {
        let rest = between(&self.body, &format!("id=\"{id}\""), "</")?;
        Some(unescaped(rest.split_once('>')?.1))
    }

    /// Returns the target of the link with this text.
    pub(crate) fn link(&self, text: &str) -> Url {
        let end = format!(">{text}</a>");
        let before = self.body.split(&end).next().unwrap();
        let start = before.rfind("<a ").unwrap_or_else(|| panic!("no link with the text {text}"));
        self.url.join(&attribute(&before[start + 1..], "href").unwrap()).unwrap()
    }

    /// Returns the form whose action is `path`.
    pub(crate) fn form(&self, path: &str) -> WebForm {
        let forms = self.body.split("<form ").skip(1);
        for form in forms.map(|text| text.split("</form>").next().unwrap()) {
            let action = self.url.join(&attribute(form, "action").unwrap()).unwrap();
            if action.path() != path {
                continue;
            }
            let inputs = form.split("<input ").skip(1);
            let fields = inputs
                .map(|input| input.split('>').next().unwrap())
                .map(|input| {
                    let value = attribute(input, "value").unwrap_or_default();
                    (attribute(input, "name").unwrap(), value)
                })
                .collect();
            return WebForm { action, fields };
        }
        panic!("no form for {path}: {} ({})", self.title(), self.status);
    }
}

impl WebForm {
    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.fields.retain(|(known, _)| known != name);
        self.fields.push((name.to_owned(), value.to_owned()));
    }

    pub(crate) fn remove(&mut self, name: &str) {
        self.fields.retain(|(known, _)| known != name);
    }

    pub(crate) fn get(&self, name: &str) -> &str {
        &self.fields.iter().find(|(known, _)| known == name).unwrap().1
    }
}

/// A client that all browsers share, because creating one is slow. It follows no redirects, and keeps no connections,
/// because each test has its own runtime.
pub(crate) fn client() -> &'static reqwest::Client {
    static CLIENT: LazyLock<reqwest::Client> = LazyLock::new(|| {
        let client = reqwest::Client::builder().redirect(Policy::none());
        client.pool_max_idle_per_host(0).build().unwrap()
    });
    &CLIENT
}

/// Encodes names and values as in forms and queries.
pub(crate) fn encoded<N: AsRef<str>, V: AsRef<str>>(pairs: &[(N, V)]) -> String {
    let mut url = Url::parse("http://localhost/").unwrap();
    url.query_pairs_mut().extend_pairs(pairs);
    url.query().unwrap_or_default().to_owned()
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    between(&format!(" {tag}"), &format!(" {name}=\""), "\"").map(unescaped)
}

fn between<'a>(text: &'a str, start: &str, end: &str) -> Option<&'a str> {
    let from = text.find(start)? + start.len();
    let rest = &text[from..];
    Some(&rest[..rest.find(end)?])
}

fn unescaped(text: &str) -> String {
    [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")]
        .into_iter()
        .fold(text.to_owned(), |text, (escaped, character)| text.replace(escaped, character))
}

/// The redirect URI of the pool's app.
pub(crate) const BACK: &str = "https://app.test/back";

/// Opens a hosted page for the pool's own app, which receives a code or tokens at [`BACK`].
pub(crate) async fn open(browser: &mut Browser, pool: &UserPool, path: &str, kind: &str) -> Page {
    let query = [
        ("client_id", pool.client_id()),
        ("redirect_uri", BACK),
        ("response_type", kind),
        ("scope", "openid"),
    ];
    browser.open(format!("http://{}{path}?{}", pool.address(), encoded(&query))).await
}
