//! The operation `ListUsers`.

use serde_json::{Value, json};
use tower_cognito_local::UserPool;

use crate::support::admin::{admin, as_list, by_name, error, is, on_user, pool_of, set_password};

async fn pool_with(users: &[(&str, Value)]) -> UserPool {
    let pool = UserPool::start().await.unwrap();
    for (name, attributes) in users {
        make(&pool, name, attributes).await;
    }
    pool
}

async fn make(pool: &UserPool, name: &str, attributes: &Value) {
    let input = json!({
        "Username": name, "UserAttributes": as_list(attributes), "MessageAction": "SUPPRESS",
    });
    admin(pool, "AdminCreateUser", input).await.unwrap();
}

/// Returns the names of the users that match a filter.
async fn found(pool: &UserPool, filter: &str) -> Vec<String> {
    names(&admin(pool, "ListUsers", json!({ "Filter": filter })).await.unwrap())
}

fn names(page: &Value) -> Vec<String> {
    let users = page["Users"].as_array().unwrap().iter();
    users.map(|user| user["Username"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn all_users_are_listed_with_what_administrators_may_read() {
    let pool =
        pool_with(&[("jane", json!({ "email": "j@example.com" })), ("bob", json!({}))]).await;
    let page = admin(&pool, "ListUsers", json!({})).await.unwrap();
    assert_eq!(names(&page), ["bob", "jane"]);
    assert_eq!(page["PaginationToken"], Value::Null);
    let jane = &page["Users"][1];
    assert_eq!(jane["UserStatus"], "FORCE_CHANGE_PASSWORD");
    assert_eq!(jane["Enabled"], true);
    assert_eq!(by_name(&jane["Attributes"])["email"], "j@example.com");
    let nulls = json!({
        "Filter": null, "Limit": null, "PaginationToken": null, "AttributesToGet": null,
    });
    assert_eq!(admin(&pool, "ListUsers", nulls).await.unwrap(), page);
    let empty = json!({ "Filter": "", "Limit": 0, "AttributesToGet": [] });
    assert_eq!(admin(&pool, "ListUsers", empty).await.unwrap(), page);
}

#[tokio::test]
async fn filter_matches_by_value_and_by_prefix() {
    let pool = pool_with(&[
        ("jane", json!({ "email": "jane@example.com", "given_name": "Jane" })),
        (
            "janet",
            json!({
                "email": "janet@example.com", "given_name": "Janet", "family_name": "O\"Neil\\",
                "phone_number": "+4915112340456", "name": "J", "preferred_username": "jj",
            }),
        ),
        ("bob", json!({ "email": "bob@example.com", "name": "" })),
    ])
    .await;
    set_password(&pool, "bob", "Correct-Horse-1", true).await.unwrap();
    on_user(&pool, "AdminDisableUser", "janet").await.unwrap();
    let sub = by_name(&on_user(&pool, "AdminGetUser", "bob").await.unwrap()["UserAttributes"]);
    let sub = sub["sub"].as_str().unwrap();
    let by_sub = format!("sub = \"{sub}\"");
    for (filter, expected) in [
        (r#"username = "jane""#, vec!["jane"]),
        (r#"username ^= "jane""#, vec!["jane", "janet"]),
        (r#"username = "JANE""#, vec![]),
        (r#"email = "bob@example.com""#, vec!["bob"]),
        (r#"email="bob@example.com""#, vec!["bob"]),
        (r#"email ^= """#, vec!["bob", "jane", "janet"]),
        (r#"email = "bob@example""#, vec![]),
        (r#""given_name" = "Jane""#, vec!["jane"]),
        (r#"family_name = "O\"Neil\\""#, vec!["janet"]),
        (r#"phone_number ^= "+4915""#, vec!["janet"]),
        (r#"name = "J""#, vec!["janet"]),
        (r#"preferred_username = "jj""#, vec!["janet"]),
        (r#"cognito:user_status = "CONFIRMED""#, vec!["bob"]),
        (r#"cognito:user_status = "force_change_password""#, vec!["jane", "janet"]),
        (r#"cognito:user_status ^= "force""#, vec!["jane", "janet"]),
        (r#"status = "Enabled""#, vec!["bob", "jane"]),
        (r#"status = "Disabled""#, vec!["janet"]),
        (r#"status = "disabled""#, vec![]),
        (by_sub.as_str(), vec!["bob"]),
        ("  ", vec!["bob", "jane", "janet"]),
    ] {
        assert_eq!(found(&pool, filter).await, expected, "{filter}");
    }
}

#[tokio::test]
async fn page_has_only_the_requested_attributes() {
    let pool = pool_of("[aws_cognito_user_pool]\nschema = [{ name = \"tenant\" }]\n").await;
    make(&pool, "jane", &json!({ "email": "j@example.com", "custom:tenant": "acme", "name": "J" }))
        .await;
    let ask = |names: Value| json!({ "AttributesToGet": names });
    let page = admin(&pool, "ListUsers", ask(json!(["email", "custom:tenant"]))).await.unwrap();
    assert_eq!(
        by_name(&page["Users"][0]["Attributes"]),
        json!({ "email": "j@example.com", "custom:tenant": "acme" })
    );
    for unknown in ["custom:none", "Email"] {
        assert_eq!(
            error(admin(&pool, "ListUsers", ask(json!(["email", unknown]))).await),
            is("InvalidParameterException", "One or more requested attributes do not exist.")
        );
    }
}

#[tokio::test]
async fn pages_stay_consistent_while_users_are_created_and_deleted() {
    let pool = UserPool::start().await.unwrap();
    for name in ["b", "d", "f", "h", "j", "l"] {
        make(&pool, name, &json!({})).await;
    }
    let page = |token: Value| json!({ "Limit": 2, "PaginationToken": token });
    let first = admin(&pool, "ListUsers", page(json!(null))).await.unwrap();
    assert_eq!(names(&first), ["b", "d"]);
    // The last user of the page is deleted; one is created before it and one after it.
    on_user(&pool, "AdminDeleteUser", "d").await.unwrap();
    make(&pool, "a", &json!({})).await;
    make(&pool, "e", &json!({})).await;
    let second = admin(&pool, "ListUsers", page(first["PaginationToken"].clone())).await.unwrap();
    assert_eq!(names(&second), ["e", "f"]);
    on_user(&pool, "AdminDeleteUser", "h").await.unwrap();
    let third = admin(&pool, "ListUsers", page(second["PaginationToken"].clone())).await.unwrap();
    assert_eq!(names(&third), ["j", "l"]);
    assert_eq!(third["PaginationToken"], Value::Null);
    // A page may be requested again, and all its users may be deleted by then.
    for name in ["j", "l"] {
        on_user(&pool, "AdminDeleteUser", name).await.unwrap();
    }
    let none = admin(&pool, "ListUsers", page(second["PaginationToken"].clone())).await.unwrap();
    assert_eq!(none, json!({ "Users": [] }));
}

#[tokio::test]
async fn filter_applies_to_all_pages() {
    let pool = UserPool::start().await.unwrap();
    for number in 0..6 {
        let name = if number % 2 == 0 { "even" } else { "odd" };
        make(&pool, &format!("u{number}"), &json!({ "name": name })).await;
    }
    let page = |filter: &str, token: &Value| json!({ "Limit": 2, "Filter": filter, "PaginationToken": token });
    let filter = r#"name = "odd""#;
    let first = admin(&pool, "ListUsers", page(filter, &json!(null))).await.unwrap();
    assert_eq!(names(&first), ["u1", "u3"]);
    let token = &first["PaginationToken"];
    let second = admin(&pool, "ListUsers", page(filter, token)).await.unwrap();
    assert_eq!((names(&second), &second["PaginationToken"]), (vec!["u5".to_owned()], &json!(null)));
    // A pagination token is valid only with its own filter.
    for other in [r#"name = "even""#, ""] {
        assert_eq!(
            error(admin(&pool, "ListUsers", page(other, token)).await),
            is("InvalidParameterException", "Invalid pagination token")
        );
    }
}

#[tokio::test]
async fn invalid_requests_are_rejected_with_cognitos_messages() {
    let pool = pool_with(&[("jane", json!({}))]).await;
    let limit = |number: &str, bound: &str| {
        format!(
            "1 validation error detected: Value '{number}' at 'limit' failed to satisfy constraint: Member must \
             have value {bound}"
        )
    };
    for (input, message) in [
        (json!({ "Filter": "jane" }), "Error while parsing filter.".to_owned()),
        (json!({ "Filter": "name = J" }), "Error while parsing filter.".to_owned()),
        (
            json!({ "Filter": "name = \"a\" and name = \"b\"" }),
            "Error while parsing filter.".to_owned(),
        ),
        (
            json!({ "Filter": "custom:tenant = \"a\"" }),
            "Invalid search attribute: custom:tenant".to_owned(),
        ),
        (json!({ "Limit": 61 }), limit("61", "less than or equal to 60")),
        (json!({ "Limit": -1 }), limit("-1", "greater than or equal to 0")),
        (
            json!({ "PaginationToken": "" }),
            "2 validation errors detected: Value '' at 'paginationToken' failed to satisfy constraint: Member must \
             satisfy regular expression pattern: [\\S]+; Value '' at 'paginationToken' failed to satisfy \
             constraint: Member must have length greater than or equal to 1"
                .to_owned(),
        ),
        (json!({ "PaginationToken": "AAAA" }), "Invalid pagination token".to_owned()),
    ] {
        assert_eq!(
            error(admin(&pool, "ListUsers", input).await),
            is("InvalidParameterException", &message)
        );
    }
    for input in
        [json!({ "Limit": "2" }), json!({ "Filter": 1 }), json!({ "AttributesToGet": "a" })]
    {
        assert_eq!(error(admin(&pool, "ListUsers", input).await).0, "SerializationException");
    }
}
