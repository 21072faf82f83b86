//! The applications in `examples` behave as their files document.

use std::{sync::Arc, time::Duration};

use serde_json::{Value, json};
use tokio::net::TcpListener;
use tower_cognito::{Pool, Verifier};
use tower_cognito_local::UserPool;

use crate::support::{
    example::{
        custom_claims, custom_rejection, guests, plain_hyper, quickstart, request_rules, tenants,
        two_pools, web,
    },
    full_verifier, get, serve, sign_in_through_api,
};

#[tokio::test]
async fn quickstart_accepts_the_tokens_of_a_plain_sign_in_on_each_route() {
    let pool = quickstart::local_pool().await.unwrap();
    let verifier = quickstart::verifier(pool.pool(), &[pool.client_id()]).unwrap();
    let address = serve(quickstart::app(verifier)).await;
    let alice = sign_in_through_api(&pool, "alice").await;
    let bob = sign_in_through_api(&pool, "bob").await;
    for (path, token, status) in [
        ("/public", None, 200),
        ("/public", Some("garbage"), 200),
        ("/api/protected", None, 401),
        ("/api/protected", Some(&*alice.access), 200),
        ("/api/protected", Some(&*alice.id), 200),
        ("/api/me", None, 401),
        ("/api/me", Some(&*alice.access), 200),
        ("/api/admin", None, 401),
        ("/api/admin", Some(&*alice.access), 403),
        ("/api/admin", Some(&*bob.access), 200),
        ("/api/admin", Some(&*bob.id), 200),
        ("/api/orders", Some(&*alice.access), 403),
        ("/api/orders", Some(&*bob.access), 200),
        ("/api/orders", Some(&*bob.id), 200),
        // The comment at the route says that a sign-in through the API does not have the scope.
        ("/api/profile", Some(&*bob.access), 403),
        ("/api/nothing", Some(&*alice.access), 404),
    ] {
        let response = get(address, path, token).await;
        assert_eq!(response.status, status, "{path}: {response:?}");
    }
}

#[tokio::test]
async fn quickstart_accepts_a_scope_of_the_hosted_pages() {
    let pool = UserPool::start().await.unwrap();
    let verifier = quickstart::verifier(pool.pool(), &[pool.client_id()]).unwrap();
    let address = serve(quickstart::app(verifier)).await;
    let hosted = pool.token("alice").scope("openid").scope("profile").sign();
    assert_eq!(get(address, "/api/profile", Some(&hosted)).await.status, 200);
    let machine = pool.machine_token(pool.client_id()).scope("orders/read").sign();
    for (path, status) in [("/api/me", 200), ("/api/profile", 403), ("/api/admin", 403)] {
        assert_eq!(get(address, path, Some(&machine)).await.status, status, "{path}");
    }
}

#[tokio::test]
async fn quickstart_returns_the_claims_unchanged() {
    let pool = UserPool::start().await.unwrap();
    let address = serve(quickstart::app(pool.verifier().build().unwrap())).await;
    let head = crate::support::header(&pool).to_string();
    let plain = pool.token("alice").payload().to_string();
    // Cognito may escape slashes as `\/`, and use any order and spacing.
    let written = format!("{{ \"x\" : [1.50, \"\\u00e9\"],{}", plain[1..].replace('/', "\\/"));
    let response = get(address, "/api/me", Some(&pool.sign_parts(head, &written))).await;
    assert_eq!((response.status, response.body.as_str()), (200, written.as_str()));
    assert_eq!(response.headers["content-type"], "application/json");
}

#[tokio::test]
async fn custom_claims_reach_the_handler_and_the_policy() {
    let pool = custom_claims::local_pool().await.unwrap();
    let verifier = custom_claims::verifier(pool.pool(), pool.client_id()).unwrap();
    let address = serve(custom_claims::app(verifier)).await;
    let reader = sign_in_through_api(&pool, "alice").await;
    let of_tenant = |name: &str| pool.id_token(name).claim("custom:tenant_id", "acme");
    let plain = of_tenant("bob").sign();
    let support = of_tenant("carol").group("support").sign();

    let response = get(address, "/tenant", Some(&reader.id)).await;
    assert!(response.body.ends_with(" of acme, 12 seats"), "{response:?}");
    for (path, token, status) in [
        ("/tenants/acme/orders", &plain, 403),
        ("/tenants/acme/orders", &reader.id, 200),
        ("/tenants/acme/orders", &support, 200),
        ("/tenants/other/orders", &reader.id, 403),
        ("/admin", &reader.id, 403),
        ("/tenant", &reader.access, 401),
    ] {
        assert_eq!(get(address, path, Some(token)).await.status, status, "{path}");
    }
    let without_tenant = get(address, "/tenant", Some(&pool.id_token("dave").sign())).await;
    assert_eq!((without_tenant.status, without_tenant.code().as_str()), (403, "claims_shape"));
    assert!(!without_tenant.body.contains("tenant_id"), "{without_tenant:?}");
}

#[tokio::test]
async fn request_rules_decide_by_owner_tenant_method_and_database() {
    let pool = UserPool::start().await.unwrap();
    let verifier = full_verifier(&pool).build().unwrap();
    let database = request_rules::Database::default();
    let alice = pool.token("alice").scope("orders/read").scope("invoices/read").sign();
    let admin = pool.token("root").group("admin").group("staff").sign();
    let writer = pool.token("bob").scope("orders/write").sign();
    let tenant = pool.id_token("carol").claim("custom:tenant_id", "a b").sign();
    let subject = verifier.verify(&alice).await.unwrap().subject().to_owned();
    database.allow(&subject, "plan");
    let address = serve(request_rules::app(verifier, database)).await;
    let own = format!("/users/{subject}");
    let encoded = format!("/users/%{:x}{}", subject.as_bytes()[0], &subject[1..]);
    for (method, path, token, code) in [
        ("GET", &*own, &alice, "ok"),
        ("GET", &*encoded, &alice, "ok"),
        ("GET", &*own, &writer, "insufficient_scope"),
        ("GET", &*own, &admin, "ok"),
        ("GET", "/users/someone", &alice, "insufficient_scope"),
        // The parameter is decoded as the handler gets it.
        ("GET", "/tenants/a%20b", &tenant, "ok"),
        ("GET", "/tenants/a", &tenant, "not_found"),
        ("GET", "/tenants/a%20b", &alice, "not_found"),
        ("GET", "/documents/plan", &writer, "ok"),
        ("PUT", "/documents/plan", &alice, "ok"),
        ("PUT", "/documents/plan", &writer, "forbidden_by_check"),
        ("PUT", "/documents/other", &alice, "forbidden_by_check"),
        ("GET", "/shop/orders", &alice, "ok"),
        ("HEAD", "/shop/orders", &alice, "ok"),
        ("POST", "/shop/orders", &alice, "insufficient_scope"),
        ("POST", "/shop/orders", &writer, "ok"),
        ("GET", "/shop/orders", &writer, "insufficient_scope"),
        ("GET", "/shop/reports", &admin, "ok"),
        ("GET", "/shop/reports", &alice, "insufficient_scope"),
        ("GET", "/shop/forgotten", &admin, "insufficient_scope"),
        ("GET", "/invoices/alice-1", &alice, "ok"),
        ("GET", "/invoices/bob-1", &alice, "not_found"),
        ("GET", "/invoices/bob-1", &writer, "insufficient_scope"),
    ] {
        let headers = crate::support::bearer(token);
        let response = crate::support::send(address, method, path, &headers).await;
        let status = match code {
            "ok" => 200,
            "not_found" => 404,
            _ => 403,
        };
        let found = (response.status, response.code());
        assert_eq!(found, (status, code.to_owned()), "{method} {path}: {response:?}");
    }
    for path in [&*own, "/tenants/a", "/documents/plan", "/invoices/alice-1", "/shop/orders"] {
        let response = get(address, path, None).await;
        assert_eq!((response.status, response.code().as_str()), (401, "missing_credential"));
    }
}

#[tokio::test]
async fn custom_rejection_formats_all_errors() {
    let pool = UserPool::start().await.unwrap();
    let app = custom_rejection::app(pool.verifier().build().unwrap()).unwrap();
    let address = serve(app).await;
    let user = pool.token("alice").sign();
    for (path, token, status, code) in [
        ("/me", None, 401, "missing_credential"),
        ("/me", Some("x"), 401, "malformed_token"),
        ("/admin", Some(&*user), 403, "insufficient_scope"),
    ] {
        let response = get(address, path, token).await;
        assert_eq!(response.status, status);
        assert_eq!(response.json()["ok"], json!(false));
        assert_eq!(response.json()["error"]["code"], Value::from(code));
        assert!(response.challenge().unwrap().starts_with("Bearer realm=\"orders\""));
    }
}

#[tokio::test]
async fn plain_hyper_is_protected() {
    let pool = UserPool::start().await.unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(plain_hyper::serve(listener, pool.verifier().build().unwrap()));
    let good = pool.token("alice").scope("greetings/read").sign();
    let response = get(address, "/", Some(&good)).await;
    assert_eq!((response.status, response.body.as_str()), (200, "hello, alice"));
    let response = get(address, "/other", Some(&good)).await;
    assert_eq!((response.status, response.code().as_str()), (404, "not_found"));
    assert_eq!(get(address, "/", None).await.status, 401);
    let response = get(address, "/", Some(&pool.token("alice").sign())).await;
    assert_eq!(response.status, 403);
    assert!(response.challenge().unwrap().ends_with("scope=\"greetings/read\""), "{response:?}");
}

#[tokio::test]
async fn token_of_one_pool_is_rejected_for_the_other() {
    let staff =
        UserPool::builder().pool_id("us-east-1_A").client_id("staffweb").start().await.unwrap();
    let shop = UserPool::builder()
        .pool_id("us-east-1_B")
        .client_id("shop")
        .own_keys()
        .start()
        .await
        .unwrap();
    let verifier = two_pools::verifier(staff.pool(), shop.pool()).unwrap();
    let address = serve(two_pools::app(verifier)).await;
    for (pool, name) in [(&staff, "staff"), (&shop, "customers")] {
        let response = get(address, "/whoami", Some(&pool.token("alice").sign())).await;
        assert_eq!((response.status, response.body.as_str()), (200, name));
    }
    let path = "/back-office";
    assert_eq!(
        get(address, path, Some(&staff.token("a").group("back-office").sign())).await.status,
        200
    );
    assert_eq!(
        get(address, path, Some(&shop.token("a").group("back-office").sign())).await.status,
        403
    );

    // A token with the claims of one pool and a signature of the other, with the key id of each pool.
    let claims = staff.token("a").group("back-office").payload().to_string();
    for (kid_of, code) in [(&shop, "unknown_key"), (&staff, "bad_signature")] {
        let header = crate::support::header(kid_of).to_string();
        let response = get(address, path, Some(&shop.sign_parts(header, &claims))).await;
        assert_eq!((response.status, response.code().as_str()), (401, code));
    }
    // A client of one pool is not accepted for the other.
    let token = shop.token("a").client("staffweb").group("back-office").sign();
    assert_eq!(get(address, path, Some(&token)).await.code(), "wrong_client");
}

#[tokio::test]
async fn tenants_are_added_and_removed_while_the_service_runs() {
    let verifier = Verifier::builder_without_pools().build().unwrap();
    let address = serve(tenants::app(verifier.clone())).await;
    let acme = UserPool::builder().pool_id("us-east-1_A").start().await.unwrap();
    let globex = UserPool::builder().pool_id("us-east-1_B").own_keys().start().await.unwrap();
    let rows = [("acme", &acme), ("globex", &globex)];
    let sync = |names: &[&str]| {
        let wanted = rows.iter().filter(|(name, _)| names.contains(name));
        let tenant = |(name, pool): &(&str, &UserPool)| tenants::Tenant {
            name: (*name).into(),
            pool: pool.pool().access_tokens([pool.client_id()]),
        };
        tenants::sync(&verifier, wanted.map(tenant).collect()).unwrap();
    };
    for present in [&[][..], &["acme"], &["acme", "globex"], &["globex"], &["acme"], &[]] {
        sync(present);
        for (name, pool) in rows {
            let response = get(address, "/tenant", Some(&pool.token("alice").sign())).await;
            if present.contains(&name) {
                assert_eq!((response.status, response.body.as_str()), (200, name));
            } else {
                assert_eq!((response.status, &*response.code()), (401, "untrusted_issuer"));
            }
        }
    }
    // A tenant that cannot be added does not affect the others.
    let row = |name: &str, pool| tenants::Tenant { name: name.into(), pool };
    let invalid = Pool::new("x").access_tokens(["web"]);
    let result = tenants::sync(
        &verifier,
        vec![row("bad", invalid), row("acme", acme.pool().access_tokens([acme.client_id()]))],
    );
    assert!(result.is_err());
    let response = get(address, "/tenant", Some(&acme.token("alice").sign())).await;
    assert_eq!(response.status, 200);
}

#[tokio::test]
async fn anonymous_requests_pass_without_claims_and_invalid_tokens_are_rejected() {
    let pool = UserPool::start().await.unwrap();
    let address = serve(guests::app(pool.verifier().build().unwrap())).await;
    let user = pool.token("alice").sign();
    let expired = pool.token("alice").expired().sign();
    for (path, token, status, body) in [
        ("/", None, 200, "hello, guest"),
        ("/", Some(&*user), 200, "hello, alice"),
        ("/", Some(&*expired), 401, "token_expired"),
        ("/", Some("x"), 401, "malformed_token"),
        ("/orders", None, 401, "missing_credential"),
        ("/orders", Some(&*user), 200, "the orders of"),
        ("/basket", None, 401, "missing_credential"),
        ("/basket", Some(&*user), 200, "your basket"),
    ] {
        let response = get(address, path, token).await;
        assert_eq!(response.status, status, "{path}: {response:?}");
        assert!(response.body.contains(body), "{path}: {response:?}");
    }
    let basic = crate::support::send(address, "GET", "/", b"Authorization: Basic YTpi\r\n").await;
    assert_eq!((basic.status, basic.code().as_str()), (401, "missing_credential"));
}

#[tokio::test]
async fn web_enforces_user_and_admin_routes_until_tokens_expire() {
    let pool = Arc::new(web::pool(5173).await.unwrap());
    let address = serve(web::app(web::verifier(Arc::clone(&pool)).unwrap())).await;
    let user = pool.token("lou").sign();
    let admin = pool.token("ada").group("admin").sign();
    let id = pool.id_token("ada").group("admin").sign();
    for (path, token, status) in [
        ("/api/me", None, 401),
        ("/api/me", Some(&user), 200),
        ("/api/me", Some(&id), 401),
        ("/api/admin", Some(&user), 403),
        ("/api/admin", Some(&admin), 200),
        ("/api/admin", Some(&id), 401),
    ] {
        let response = get(address, path, token.map(String::as_str)).await;
        assert_eq!(response.status, status, "{path}: {response:?}");
    }
    pool.advance(Duration::from_secs(60 * 60 + 1));
    let response = get(address, "/api/me", Some(&user)).await;
    assert_eq!((response.status, response.code().as_str()), (401, "token_expired"));
}
