//! Groups, and the claims in tokens that come from them.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tower_cognito::group;
use tower_cognito_local::UserPool;

use crate::support::{
    DataFile,
    admin::{Answer, admin, error, is, on_user, refresh, tokens, user},
    cognito::call,
    eventually,
};

const ROLES: [&str; 2] =
    ["arn:aws:iam::111122223333:role/one", "arn:aws:iam::111122223333:role/two"];

async fn group_of(pool: &UserPool, name: &str, precedence: Value, role: Value) {
    let input = json!({ "GroupName": name, "Precedence": precedence, "RoleArn": role });
    admin(pool, "CreateGroup", input).await.unwrap();
}

async fn join(pool: &UserPool, name: &str, group: &str) -> Answer {
    let input = json!({ "Username": name, "GroupName": group });
    admin(pool, "AdminAddUserToGroup", input).await
}

async fn leave(pool: &UserPool, name: &str, group: &str) -> Answer {
    let input = json!({ "Username": name, "GroupName": group });
    admin(pool, "AdminRemoveUserFromGroup", input).await
}

/// Decodes the claims of a token without verification.
fn claims(tokens: &Value, kind: &str) -> Value {
    let token = tokens[kind].as_str().unwrap();
    let payload = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap()
}

fn names(page: &Value, list: &str, member: &str) -> Vec<String> {
    let rows = page[list].as_array().unwrap().iter();
    rows.map(|row| row[member].as_str().unwrap().to_owned()).collect()
}

fn group_not_found() -> (String, String) {
    is("ResourceNotFoundException", "Group not found.")
}

#[tokio::test]
async fn group_is_created_read_updated_and_deleted() {
    let pool = UserPool::start().await.unwrap();
    let input = json!({
        "GroupName": "staff", "Description": "All of us", "RoleArn": ROLES[0], "Precedence": 3,
    });
    let made = admin(&pool, "CreateGroup", input).await.unwrap();
    let group = &made["Group"];
    assert_eq!(
        [&group["GroupName"], &group["Description"], &group["RoleArn"], &group["UserPoolId"]],
        ["staff", "All of us", ROLES[0], pool.id().as_str()]
    );
    assert_eq!(group["Precedence"], 3);
    assert!(group["CreationDate"].is_f64() && group["LastModifiedDate"].is_f64());
    let named = || json!({ "GroupName": "staff" });
    assert_eq!(admin(&pool, "GetGroup", named()).await.unwrap(), made);

    // An update keeps members that it omits.
    let input = json!({ "GroupName": "staff", "Precedence": 0, "Description": null });
    let changed = admin(&pool, "UpdateGroup", input).await.unwrap();
    assert_eq!(changed["Group"]["Precedence"], 0);
    assert_eq!(
        [&changed["Group"]["Description"], &changed["Group"]["RoleArn"]],
        ["All of us", ROLES[0]]
    );
    admin(&pool, "DeleteGroup", named()).await.unwrap();
    for operation in ["GetGroup", "UpdateGroup", "DeleteGroup", "ListUsersInGroup"] {
        assert_eq!(error(admin(&pool, operation, named()).await), group_not_found(), "{operation}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_of_many_concurrent_creations_of_one_group_succeeds() {
    let pool = Arc::new(UserPool::start().await.unwrap());
    let mut tries = JoinSet::new();
    for number in 0..12 {
        let pool = Arc::clone(&pool);
        tries.spawn(async move {
            let input = json!({ "GroupName": "staff", "Precedence": number });
            admin(&pool, "CreateGroup", input).await
        });
    }
    let (made, refused): (Vec<_>, Vec<_>) =
        tries.join_all().await.into_iter().partition(Result::is_ok);
    assert_eq!((made.len(), refused.len()), (1, 11));
    for response in refused {
        assert_eq!(
            error(response),
            is("GroupExistsException", "A group with the name already exists.")
        );
    }
    let kept = admin(&pool, "GetGroup", json!({ "GroupName": "staff" })).await;
    assert_eq!(kept, made[0]);
    // Group names are case-sensitive, as in tokens.
    admin(&pool, "CreateGroup", json!({ "GroupName": "Staff" })).await.unwrap();
}

#[tokio::test]
async fn group_members_must_be_within_their_bounds() {
    let pool = UserPool::start().await.unwrap();
    let (long, text) = ("x".repeat(129), "x".repeat(2049));
    for (input, member) in [
        (json!({ "GroupName": "" }), "groupName"),
        (json!({ "GroupName": long }), "groupName"),
        (json!({ "GroupName": "a b" }), "groupName"),
        (json!({ "GroupName": "a\nb" }), "groupName"),
        (json!({ "GroupName": "g", "Precedence": -1 }), "precedence"),
        (json!({ "GroupName": "g", "Description": text }), "description"),
        (json!({ "GroupName": "g", "RoleArn": "arn:short" }), "roleArn"),
        (json!({ "GroupName": "g", "RoleArn": "arn:aws:iam::account:role/one" }), "roleArn"),
        (json!({ "GroupName": "g", "RoleArn": "arm:aws:iam::111122223333:role/one" }), "roleArn"),
        (json!({ "GroupName": "g", "RoleArn": "arn:aws:iam::111122223333:role one" }), "roleArn"),
    ] {
        for operation in ["CreateGroup", "UpdateGroup"] {
            let (name, message) = error(admin(&pool, operation, input.clone()).await);
            assert_eq!(name, "InvalidParameterException");
            assert!(
                message.contains(&format!(
                    " at '{member}' failed to satisfy constraint: Member must "
                )),
                "{message}"
            );
        }
    }
    for precedence in [json!("high"), json!(2_147_483_648_u32), json!(1.5)] {
        let input = json!({ "GroupName": "g", "Precedence": precedence });
        assert_eq!(error(admin(&pool, "CreateGroup", input).await).0, "SerializationException");
    }
    assert_eq!(
        error(admin(&pool, "CreateGroup", json!({ "GroupName": null })).await).1,
        "1 validation error detected: Value null at 'groupName' failed to satisfy constraint: Member must not be \
         null"
    );
    let most = json!({
        "GroupName": "ä".repeat(128), "Description": "x".repeat(2048),
        "Precedence": i32::MAX, "RoleArn": "arn:aws-cn:iam:cn-north-1:111122223333:role:a:b",
    });
    admin(&pool, "CreateGroup", most).await.unwrap();
}

#[tokio::test]
async fn tokens_list_groups_by_precedence() {
    let pool = UserPool::start().await.unwrap();
    user(&pool, "jane").await;
    for (name, precedence, role) in [
        ("b-last", json!(null), json!(ROLES[0])),
        ("a-second", json!(5), json!(null)),
        ("c-first", json!(0), json!(ROLES[1])),
        ("d-nobody", json!(1), json!(ROLES[0])),
    ] {
        group_of(&pool, name, precedence, role).await;
    }
    let none = tokens(&pool, "jane").await;
    assert_eq!(claims(&none, "IdToken")["cognito:groups"], Value::Null);
    for name in ["b-last", "a-second", "c-first"] {
        join(&pool, "JANE", name).await.unwrap();
    }
    let issued = tokens(&pool, "jane").await;
    let (id, access) = (claims(&issued, "IdToken"), claims(&issued, "AccessToken"));
    let order = json!(["c-first", "a-second", "b-last"]);
    assert_eq!([&id["cognito:groups"], &access["cognito:groups"]], [&order, &order]);
    assert_eq!(id["cognito:roles"], json!([ROLES[1], ROLES[0]]));
    assert_eq!(id["cognito:preferred_role"], ROLES[1]);
    assert_eq!(access["cognito:roles"], Value::Null);
    let verifier = pool.verifier().build().unwrap();
    let verified = verifier.verify(issued["AccessToken"].as_str().unwrap()).await.unwrap();
    assert!(group("a-second").check(&verified).is_ok());
    assert!(group("d-nobody").check(&verified).is_err());

    // A refresh issues tokens with the current groups.
    leave(&pool, "jane", "c-first").await.unwrap();
    let fresh = refresh(&pool, &issued).await.unwrap()["AuthenticationResult"].clone();
    let id = claims(&fresh, "IdToken");
    assert_eq!(id["cognito:groups"], json!(["a-second", "b-last"]));
    assert_eq!(id["cognito:preferred_role"], ROLES[0]);
}

#[tokio::test]
async fn no_role_is_preferred_if_the_first_groups_have_different_roles() {
    let pool = UserPool::start().await.unwrap();
    user(&pool, "jane").await;
    group_of(&pool, "one", json!(1), json!(ROLES[0])).await;
    group_of(&pool, "two", json!(1), json!(ROLES[1])).await;
    for name in ["one", "two"] {
        join(&pool, "jane", name).await.unwrap();
    }
    let id = claims(&tokens(&pool, "jane").await, "IdToken");
    assert_eq!(id["cognito:roles"], json!(ROLES));
    assert_eq!(id["cognito:preferred_role"], Value::Null);
    // Two first groups with the same role have a preferred role.
    let input = json!({ "GroupName": "two", "RoleArn": ROLES[0] });
    admin(&pool, "UpdateGroup", input).await.unwrap();
    let id = claims(&tokens(&pool, "jane").await, "IdToken");
    assert_eq!(id["cognito:preferred_role"], ROLES[0]);
    assert_eq!(id["cognito:roles"], json!([ROLES[0]]));
}

#[tokio::test]
async fn deleting_a_group_removes_its_memberships_permanently() {
    let pool = UserPool::start().await.unwrap();
    user(&pool, "jane").await;
    for name in ["staff", "other"] {
        group_of(&pool, name, json!(null), json!(null)).await;
        join(&pool, "jane", name).await.unwrap();
    }
    admin(&pool, "DeleteGroup", json!({ "GroupName": "staff" })).await.unwrap();
    group_of(&pool, "staff", json!(null), json!(ROLES[0])).await;
    let id = claims(&tokens(&pool, "jane").await, "IdToken");
    assert_eq!(id["cognito:groups"], json!(["other"]));
    let members = admin(&pool, "ListUsersInGroup", json!({ "GroupName": "staff" })).await;
    assert_eq!(members.unwrap(), json!({ "Users": [] }));
}

#[tokio::test]
async fn adding_and_removing_a_member_are_idempotent() {
    let pool = UserPool::start().await.unwrap();
    user(&pool, "jane").await;
    group_of(&pool, "staff", json!(null), json!(null)).await;
    for _ in 0..2 {
        assert_eq!(join(&pool, "jane", "staff").await, Ok(json!({})));
    }
    let groups = on_user(&pool, "AdminListGroupsForUser", "jane").await.unwrap();
    assert_eq!(names(&groups, "Groups", "GroupName"), ["staff"]);
    for _ in 0..2 {
        assert_eq!(leave(&pool, "jane", "staff").await, Ok(json!({})));
    }
    let groups = on_user(&pool, "AdminListGroupsForUser", "jane").await.unwrap();
    assert_eq!(groups, json!({ "Groups": [] }));

    let user_not_found = is("UserNotFoundException", "User does not exist.");
    for response in [
        join(&pool, "bob", "staff").await,
        leave(&pool, "bob", "staff").await,
        on_user(&pool, "AdminListGroupsForUser", "bob").await,
    ] {
        assert_eq!(error(response), user_not_found);
    }
    for response in [join(&pool, "jane", "none").await, leave(&pool, "jane", "none").await] {
        assert_eq!(error(response), group_not_found());
    }
}

#[tokio::test]
async fn memberships_belong_to_the_user_and_not_to_the_name() {
    let pool = UserPool::start().await.unwrap();
    user(&pool, "jane").await;
    group_of(&pool, "staff", json!(null), json!(null)).await;
    join(&pool, "jane", "staff").await.unwrap();
    let members = admin(&pool, "ListUsersInGroup", json!({ "GroupName": "staff" })).await.unwrap();
    let member = &members["Users"][0];
    assert_eq!([&member["Username"], &member["UserStatus"]], ["jane", "CONFIRMED"]);
    assert!(member["Attributes"].is_array() && member["Enabled"] == true);
    on_user(&pool, "AdminDeleteUser", "jane").await.unwrap();
    user(&pool, "jane").await;
    let members = admin(&pool, "ListUsersInGroup", json!({ "GroupName": "staff" })).await;
    assert_eq!(members.unwrap(), json!({ "Users": [] }));
}

#[tokio::test]
async fn groups_and_members_are_listed_in_pages_with_their_own_tokens() {
    let pool = UserPool::start().await.unwrap();
    for number in 0..5 {
        group_of(&pool, &format!("g{number}"), json!(5 - number), json!(null)).await;
        user(&pool, &format!("u{number}")).await;
        join(&pool, &format!("u{number}"), "g0").await.unwrap();
        join(&pool, "u0", &format!("g{number}")).await.unwrap();
    }
    for (operation, input, list, member) in [
        ("ListGroups", json!({}), "Groups", "GroupName"),
        ("AdminListGroupsForUser", json!({ "Username": "u0" }), "Groups", "GroupName"),
        ("ListUsersInGroup", json!({ "GroupName": "g0" }), "Users", "Username"),
    ] {
        let mut seen = Vec::new();
        let mut token = json!(null);
        for _ in 0..3 {
            let mut input = input.clone();
            (input["Limit"], input["NextToken"]) = (json!(2), token);
            let page = admin(&pool, operation, input).await.unwrap();
            seen.extend(names(&page, list, member));
            token = page["NextToken"].clone();
        }
        assert_eq!(token, Value::Null, "{operation}");
        let first = if list == "Groups" { "g0" } else { "u0" };
        assert_eq!((seen.len(), seen[0].as_str()), (5, first), "{operation}");
        assert!(seen.is_sorted());

        let mut input = input.clone();
        input["Limit"] = json!(61);
        assert_eq!(
            error(admin(&pool, operation, input.clone()).await).1,
            "1 validation error detected: Value '61' at 'limit' failed to satisfy constraint: Member must have \
             value less than or equal to 60"
        );
        input["Limit"] = json!(null);
        // A pagination token of another list is rejected.
        let users = admin(&pool, "ListUsers", json!({ "Limit": 1 })).await.unwrap();
        for token in [json!("nonsense"), users["PaginationToken"].clone()] {
            input["NextToken"] = token;
            assert_eq!(
                error(admin(&pool, operation, input.clone()).await),
                is("InvalidParameterException", "Invalid pagination token")
            );
        }
    }
    let unknown_pool = json!({ "UserPoolId": "us-east-1_Nowhere" });
    assert_eq!(
        error(call(&pool, "ListGroups", unknown_pool).await),
        is("ResourceNotFoundException", "User pool us-east-1_Nowhere does not exist.")
    );
}

#[tokio::test]
async fn admin_changes_survive_a_restart() {
    let file = DataFile::new("groups");
    let pool = UserPool::builder().data(file.path()).start().await.unwrap();
    for name in ["jane", "bob", "eve"] {
        user(&pool, name).await;
    }
    for (name, role) in [("staff", json!(ROLES[0])), ("gone", json!(null))] {
        group_of(&pool, name, json!(1), role).await;
        join(&pool, "jane", name).await.unwrap();
    }
    admin(&pool, "DeleteGroup", json!({ "GroupName": "gone" })).await.unwrap();
    on_user(&pool, "AdminDeleteUser", "bob").await.unwrap();
    on_user(&pool, "AdminDisableUser", "eve").await.unwrap();
    let before = admin(&pool, "ListUsers", json!({})).await.unwrap();
    drop(pool);

    // The file is released once the server's task ends.
    let mut again = None;
    eventually("the file is released", async || {
        again = UserPool::builder().data(file.path()).start().await.ok();
        again.is_some()
    })
    .await;
    let pool = again.unwrap();
    assert_eq!(admin(&pool, "ListUsers", json!({})).await.unwrap(), before);
    assert_eq!(names(&before, "Users", "Username"), ["eve", "jane"]);
    assert_eq!(before["Users"][0]["Enabled"], false);
    group_of(&pool, "gone", json!(null), json!(null)).await;
    let id = claims(&tokens(&pool, "jane").await, "IdToken");
    assert_eq!(id["cognito:groups"], json!(["staff"]));
    assert_eq!(id["cognito:roles"], json!([ROLES[0]]));
}
